//===- ExprTest.cpp - expressions over bounds -----------------------------===//
#include "msa/Expr.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>

using namespace msa;

namespace {

constexpr Bounds bounds = {.tokens = 100,
                           .requests = 3,
                           .maxQuery = 50,
                           .maxKv = 57997,
                           .maxBlocks = 454,
                           .pages = 500,
                           .maxPages = 460,
                           .smCount = 108,
                           .slabBegin = 64,
                           .slab = 36};

int64_t value(std::string_view text) {
  INFO(text);
  Expected<Expr> expr = Expr::parse(text);
  REQUIRE(expr.status().message() == "");
  CHECK(expr->text() == text);
  Expected<int64_t> result = expr->evaluate(bounds);
  REQUIRE(result.status().message() == "");
  return *result;
}

void checkRefused(std::string_view text, std::string_view says) {
  Status status = Expr::parse(text).status();
  INFO(text << ": " << status.message());
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK(status.message().find(says) != std::string::npos);
}

void checkFails(std::string_view text, std::string_view says) {
  Expected<Expr> expr = Expr::parse(text);
  REQUIRE(expr.status().message() == "");
  Status status = expr->evaluate(bounds).status();
  INFO(text << ": " << status.message());
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK(status.message().find(says) != std::string::npos);
}

} // namespace

TEST_CASE("every name reads its bound") {
  CHECK(value("tokens") == 100);
  CHECK(value("requests") == 3);
  CHECK(value("max_query") == 50);
  CHECK(value("max_kv") == 57997);
  CHECK(value("max_blocks") == 454);
  CHECK(value("pages") == 500);
  CHECK(value("max_pages") == 460);
  CHECK(value("sm_count") == 108);
  CHECK(value("slab_begin") == 64);
  CHECK(value("slab") == 36);
  CHECK(boundNames().size() == 10);
}

TEST_CASE("precedence and association are those of C") {
  CHECK(value("2 + 3 * 4") == 14);
  CHECK(value("(2 + 3) * 4") == 20);
  CHECK(value("10 - 3 - 2") == 5);
  CHECK(value("100 / 10 / 2") == 5);
  CHECK(value("100 / 10 * 2") == 20);
  CHECK(value("-2 * 3") == -6);
  CHECK(value("2 - -3") == 5);
  CHECK(value("--3") == 3);
  CHECK(value("1 + 1 < 3") == 1);
  CHECK(value("1 < 2 && 3 < 2") == 0);
  CHECK(value("5 && 1 == 1 && 7 > 2") == 1);
  CHECK(value("requests*(max_blocks+1)+slab*16/32+1") == 3 * 455 + 18 + 1);
}

TEST_CASE("division is floor, ceildiv is ceiling, for every sign") {
  for (int64_t a = -7; a <= 7; ++a)
    for (int64_t b : {-3, -2, -1, 1, 2, 3}) {
      double exact = static_cast<double>(a) / static_cast<double>(b);
      std::string x = std::to_string(a), y = std::to_string(b);
      CHECK(value(x + " / " + y) == static_cast<int64_t>(std::floor(exact)));
      CHECK(value("ceildiv(" + x + "," + y + ")") == static_cast<int64_t>(std::ceil(exact)));
    }
}

TEST_CASE("functions and comparisons") {
  CHECK(value("min(tokens, slab)") == 36);
  CHECK(value("max(tokens, slab)") == 100);
  CHECK(value("max(min(1, 2), min(4, 3))") == 3);
  CHECK(value("ceildiv(max_kv, 128)") == 454);
  CHECK(value("min(1 < 2, 5)") == 1);
  CHECK(value("3 <= 3") == 1);
  CHECK(value("3 >= 4") == 0);
  CHECK(value("3 == 3") == 1);
  CHECK(value("3 != 3") == 0);
  CHECK(value("3 > 2") == 1);
}

TEST_CASE("white space is free and numbers reach 63 bits") {
  CHECK(value("  1\t+\t2 ") == 3);
  CHECK(value("9223372036854775807") == std::numeric_limits<int64_t>::max());
  CHECK(value("-9223372036854775807 - 1") == std::numeric_limits<int64_t>::min());
}

TEST_CASE("malformed text names the column") {
  checkRefused("", "column 1: expected a number, a name or '(', got the end");
  checkRefused("1 +", "column 4: expected a number, a name or '(', got the end");
  checkRefused("1 2", "column 3: expected an operator or the end, got '2'");
  checkRefused("(1", "column 3: expected ')', got the end");
  checkRefused("1)", "column 2: expected an operator or the end");
  checkRefused("min(1)", "column 6: expected ','");
  checkRefused("min(1, 2, 3)", "column 9: expected ')'");
  checkRefused("min 1", "column 5: expected '('");
  checkRefused("1 < 2 < 3", "chain with &&");
  checkRefused("1 & 2", "column 3: expected an operator");
  checkRefused("1 || 2", "column 3");
  checkRefused("1 % 2", "column 3");
  checkRefused("1.5", "column 2");
  checkRefused("9223372036854775808", "column 1: expected an integer below 2^63");
  checkRefused("tokenz + 1", "column 1: unknown name 'tokenz'; did you mean 'tokens'?");
  checkRefused("1 + Tokens", "column 5: unknown name 'Tokens'");
  checkRefused(std::string_view("1\0", 2), "column 2");
  checkRefused("1\n", "column 2");
}

TEST_CASE("nesting and length are limited") {
  auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '(') + "1" +
           std::string(static_cast<size_t>(depth), ')');
  };
  CHECK(value(nested(64)) == 1);
  checkRefused(nested(65), "nested deeper than 64 levels");
  checkRefused(std::string(4000, '('), "nested deeper than 64 levels");
  std::string minuses(4000, '-');
  CHECK(value(minuses + "1") == 1);
  checkRefused(std::string(5000, '1'), "at most 4096");
}

TEST_CASE("overflow and division by zero are errors, not values") {
  checkFails("9223372036854775807 + 1", "does not fit 64 bits");
  checkFails("-9223372036854775807 - 2", "does not fit 64 bits");
  checkFails("4294967296 * 4294967296", "does not fit 64 bits");
  checkFails("-(-9223372036854775807 - 1)", "does not fit 64 bits");
  checkFails("(-9223372036854775807 - 1) / -1", "does not fit 64 bits");
  checkFails("ceildiv(-9223372036854775807 - 1, -1)", "does not fit 64 bits");
  checkFails("tokens / 0", "tokens / 0: division of 100 by zero");
  checkFails("ceildiv(tokens, requests - 3)", "division of 100 by zero");
}

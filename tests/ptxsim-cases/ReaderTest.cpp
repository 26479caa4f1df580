//===- ReaderTest.cpp - the reader of case files --------------------------===//
//
// A reader that misreads would make every other test here meaningless.
//
//===----------------------------------------------------------------------===//
#include "CaseFile.h"
#include "Values.h"

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>

using namespace msa::ptxsim::cases;

namespace {

std::vector<Case> readText(const std::string &text) {
  std::string path = std::string(MSA_WORK_DIR) + "/reader-test.cases";
  std::ofstream(path) << text;
  std::vector<Case> list = readCases(path);
  std::remove(path.c_str());
  return list;
}

} // namespace

TEST_CASE("formulas have C's precedences", "[reader]") {
  REQUIRE(evaluate("1 + 2 * 3", 0) == 7);
  REQUIRE(evaluate("(1 + 2) * 3", 0) == 9);
  REQUIRE(evaluate("1 << 2 + 1", 0) == 8);
  REQUIRE(evaluate("lane % 8 < 5 ? lane + 3 : lane", 4) == 7);
  REQUIRE(evaluate("lane % 8 < 5 ? lane + 3 : lane", 13) == 13);
  REQUIRE(evaluate("0xff & ~1 | 0x100", 0) == 0x1fe);
  REQUIRE(evaluate("lane == 3 || lane == 4 && 0", 3) == 1);
  REQUIRE(evaluate("-1 < 0", 0) == 1);
  REQUIRE(evaluate("10 - 3 - 2", 0) == 5);
  REQUIRE(evaluate("(2 << 31) - 1", 0) == 0xffffffff);
  for (const char *bad : {"", "1 +", "(1", "lan", "1 2", "1 / 0", "? 1 : 2"})
    REQUIRE_THROWS(evaluate(bad, 0));
}

TEST_CASE("literals become bits of their type", "[reader]") {
  REQUIRE(parseValue(valueType("s32"), "-1") == 0xffffffff);
  REQUIRE(parseValue(valueType("u16"), "0x1ffff") == 0xffff);
  REQUIRE(parseValue(valueType("f32"), "1.5") == 0x3fc00000);
  REQUIRE(parseValue(valueType("f32"), "0x3fc00000") == 0x3fc00000);
  REQUIRE(parseValue(valueType("f32"), "0x1.8p0") == 0x3fc00000);
  REQUIRE(parseValue(valueType("f32"), "-0") == 0x80000000);
  REQUIRE(parseValue(valueType("f64"), "-inf") == 0xfff0000000000000ull);
  REQUIRE(parseValue(valueType("f16"), "65504") == 0x7bff);
  REQUIRE(parseValue(valueType("f16"), "0x1p-24") == 1);
  REQUIRE(parseValue(valueType("f16"), "-inf") == 0xfc00);
  REQUIRE(parseValue(valueType("bf16"), "-2") == 0xc000);
  REQUIRE(parseValue(valueType("bf16"), "inf") == 0x7f80);
  for (const char *bad : {"1.0000001", "65536", "x"})
    REQUIRE_THROWS(parseValue(valueType("f16"), bad));
  REQUIRE_THROWS(parseValue(valueType("s32"), "1.5"));
  REQUIRE_THROWS(valueType("u33"));
}

TEST_CASE("a file is read as the README says", "[reader]") {
  std::vector<Case> list =
      readText("# comment\nadd.s32 %d, %a, %b\n  s32 s32 -> s32\n  1 2 -> 3\n  4 5 -> ?\n"
               "target sm_90 8.1\nmov.u32 %d, \\\n  7\n  .body .reg .pred %p;\n  -> u32\n"
               "  for 3: -> lane * 2\n  .trap X5\nfoo.f32 %d, %a\n  f32 -> f32\n  nan -> 2~3\n");
  REQUIRE(list.size() == 3);
  REQUIRE((list[0].target == "sm_80" && list[0].line == 2 && list[0].rows.size() == 2));
  REQUIRE(list[0].rows[1].outputs[0].kind == ExpectedValue::Kind::Anything);
  REQUIRE((list[1].target == "sm_90" && list[1].version == "8.1" && list[1].trap == "X5"));
  REQUIRE((list[1].text == "mov.u32 %d,   7" && list[1].bodyLines.size() == 1));
  REQUIRE((list[1].rows.size() == 3 && list[1].rows[2].outputs[0].bits == 4));
  REQUIRE((list[2].rows[0].outputs[0].ulps == 3 && list[2].rows[0].outputs[0].bits == 0x40000000));
  REQUIRE_THROWS(readText("  1 -> 2\n"));
  REQUIRE_THROWS(readText("add\n  s32 -> s32\n  1 2 -> 3\n"));
  REQUIRE_THROWS(readText("add\n  s32 -> s32\n  1\n"));
  REQUIRE_THROWS(readText("add\n  s33 -> s32\n"));
  REQUIRE_THROWS(readCases("/no/such/file.cases"));
}

TEST_CASE("matching: bits, NaN, units of the last place", "[reader]") {
  ValueType f32 = valueType("f32"), f64 = valueType("f64"), f16 = valueType("f16");
  using K = ExpectedValue::Kind;
  REQUIRE(matches(f32, {K::Bits, 0x3f800000, 0}, 0x3f800000));
  REQUIRE_FALSE(matches(f32, {K::Bits, 0x3f800000, 0}, 0x3f800001));
  REQUIRE(matches(f32, {K::Bits, 0x3f800000, 1}, 0x3f800001));
  REQUIRE_FALSE(matches(f32, {K::Bits, 0x3f800000, 1}, 0x3f800002));
  REQUIRE(matches(f32, {K::Bits, 0, 2}, 0x80000001));
  REQUIRE_FALSE(matches(f32, {K::Bits, 0x3f800000, 9}, 0x7fffffff));
  REQUIRE(matches(f32, {K::AnyNaN}, 0xffc00000));
  REQUIRE_FALSE(matches(f32, {K::AnyNaN}, 0x7f800000));
  REQUIRE(matches(f64, {K::AnyNaN}, 0x7ff0000000000001ull));
  REQUIRE(matches(f16, {K::AnyNaN}, 0x7c01));
  REQUIRE_FALSE(matches(f16, {K::AnyNaN}, 0x7c00));
}

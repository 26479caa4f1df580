//===- JsonTest.cpp - the reader of objects -------------------------------===//
//
// Malformed text is tested through plans (tests/plan/PlanJsonTest.cpp).
//
//===----------------------------------------------------------------------===//
#include "support/Json.h"

#include <catch2/catch.hpp>

using namespace msa;

namespace {

nlohmann::json parsed(std::string_view text) {
  Expected<nlohmann::json> value = parseJson(text);
  INFO(text);
  REQUIRE(value.status().message() == "");
  return *value;
}

} // namespace

TEST_CASE("a tree is built as nlohmann builds it") {
  std::string_view text =
      R"({"a": [1, -2, 3.5, [], {}, [[true, false, null]]], "b": {"c": "\u00e9\n"}, "": 18446744073709551615})";
  CHECK(parsed(text) == nlohmann::json::parse(text));
  CHECK(parsed(" 7 ") == 7);
  CHECK(parsed("\"x\"") == "x");
}

TEST_CASE("a NUL byte ends nothing") {
  CHECK(parseJson(std::string("{}\0{", 4)).status().message() ==
        "line 1, column 3: not JSON: a NUL byte");
}

TEST_CASE("depth is counted") {
  CHECK(parseJson("[[[]]]", 3).ok());
  CHECK_FALSE(parseJson("[[[[]]]]", 3).ok());
  CHECK(parseJson("[[],[],[],[]]", 2).ok());
}

TEST_CASE("absent keys leave values alone and present ones set them") {
  nlohmann::json value = parsed(
      R"({"i": -5, "l": 9223372036854775807, "u": 18446744073709551615, "n": 2, "b": true,
          "t": "x", "ts": ["a", "b"], "is": [1, 2], "ls": [4294967296], "o": {"p": 1}})");
  JsonFields fields(value, "");
  int i = 0, absent = 17;
  int64_t l = 0;
  uint64_t u = 0;
  double n = 0;
  bool b = false;
  std::string t;
  std::vector<std::string> ts = {"old"};
  std::vector<int> is;
  std::vector<int64_t> ls;
  fields.integer("i", i);
  fields.integer("absent", absent);
  fields.integer64("l", l);
  fields.unsigned64("u", u);
  fields.number("n", n);
  fields.boolean("b", b);
  fields.text("t", t);
  fields.texts("ts", ts);
  fields.integers("is", is);
  fields.integers64("ls", ls);
  CHECK(fields.child("o") != nullptr);
  CHECK(fields.child("nothing") == nullptr);
  CHECK(fields.finish().message() == "");
  CHECK(i == -5);
  CHECK(absent == 17);
  CHECK(l == INT64_MAX);
  CHECK(u == UINT64_MAX);
  CHECK(n == 2.0);
  CHECK(b);
  CHECK(t == "x");
  CHECK(ts == std::vector<std::string>{"a", "b"});
  CHECK(is == std::vector<int>{1, 2});
  CHECK(ls == std::vector<int64_t>{int64_t(1) << 32});
}

TEST_CASE("the first failure counts and names its path") {
  auto failure = [](std::string_view text, auto read) {
    nlohmann::json value = parsed(text);
    JsonFields fields(value, "root");
    read(fields);
    return fields.finish().message();
  };
  int i = 0;
  uint64_t u = 0;
  std::vector<int> is;
  std::vector<std::string> ts;
  CHECK(failure(R"({"a": "x", "b": "y"})", [&](JsonFields &f) {
          f.integer("a", i);
          f.integer("b", i);
        }) == "root.a: expected an integer, got a string");
  CHECK(failure(R"({"a": -1})", [&](JsonFields &f) { f.unsigned64("a", u); }) ==
        "root.a: -1 is out of range; accepted: 0 to 18446744073709551615");
  CHECK(failure(R"({"a": [1, "x"]})", [&](JsonFields &f) { f.integers("a", is); }) ==
        "root.a[1]: expected an integer, got a string");
  CHECK(failure(R"({"a": ["x", 1]})", [&](JsonFields &f) { f.texts("a", ts); }) ==
        "root.a[1]: expected a string, got an integer");
  CHECK(failure(R"({"a": {}})", [&](JsonFields &f) { f.array("a"); }) ==
        "root.a: expected an array, got an object");
  CHECK(failure("{}", [&](JsonFields &f) { f.require("a"); }) == "root.a: missing");
  CHECK(failure("[]", [&](JsonFields &f) { f.require("a"); }) ==
        "root: expected an object, got an array");
  CHECK(failure(R"({"blok": 1})", [&](JsonFields &f) { f.integer("block", i); }) ==
        "unknown key 'root.blok'; did you mean 'block'?; accepted: block");
}

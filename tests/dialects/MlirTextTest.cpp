//===- MlirTextTest.cpp - input that MLIR's readers may not survive -----===//
#include "compiler/MlirText.h"

#include <catch2/catch.hpp>

using namespace msa;

namespace {
std::string repeat(const std::string &text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += text;
  return all;
}
} // namespace

TEST_CASE("ordinary text passes") {
  CHECK(checkMlirText("module { func.func @f() -> (i32) { } }", "a").ok());
  CHECK(checkMlirText(repeat("(", maxNesting) + repeat(")", maxNesting), "a").ok());
  CHECK(checkMlirText(repeat("() -> () ", 10000), "a").ok());
  CHECK(checkMlirText(repeat("d0 - d1 -> ", 10000), "a").ok());
  CHECK(checkMlirText("\"" + repeat("(", 1000) + "\"", "a").ok());
  CHECK(checkMlirText("// " + repeat("[", 1000) + "\n[]", "a").ok());
  CHECK(checkMlirText("\"a\\\"" + repeat("(", 1000) + "\"", "a").ok());
  CHECK(checkMlirText("", "a").ok());
  CHECK(checkMlirText("\"", "a").ok());
  CHECK(checkMlirText("\"\\", "a").ok());
}

TEST_CASE("deep text is refused with its place") {
  std::string bracket = GENERATE("(", "[", "{", "<", "loc(", "tuple<", "( // )))\n");
  Status status = checkMlirText("module\n  " + repeat(bracket, maxNesting + 1), "deep.mlir");
  REQUIRE(status.code() == StatusCode::InvalidInput);
  CHECK(status.message().find("deep.mlir:") == 0);
  CHECK(status.message().find("nested deeper than 200 levels") != std::string::npos);
}

TEST_CASE("a run of minus signs recurses too") {
  CHECK_FALSE(checkMlirText("affine_map<(d0) -> (" + repeat("- ", 500) + "d0)>", "a").ok());
}

TEST_CASE("an arrow closes nothing") {
  CHECK_FALSE(checkMlirText(repeat("( -> ", maxNesting + 1), "a").ok());
}

TEST_CASE("bytecode is refused, wherever it begins") {
  std::string before = GENERATE("", "module {}\n// -----\n");
  Status status = checkMlirText(before + "ML\xEFR\x06rest", "a.mlirbc");
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK_THAT(status.message(), Catch::Contains("MLIR bytecode is not read; give MLIR text"));
}

TEST_CASE("aliases of aliases are weighed") {
  char sigil = GENERATE('#', '!');
  auto chain = [&](int length) {
    std::string text = std::string(1, sigil) + "a0 = \"ten bytes\"\n";
    for (int i = 1; i <= length; ++i) {
      std::string before = sigil + ("a" + std::to_string(i - 1));
      text += sigil + ("a" + std::to_string(i)) + " = [" + before + ", " + before + "]\n";
    }
    return text + "module {}\n";
  };
  CHECK(checkMlirText(chain(10), "a").ok());
  Status status = checkMlirText(chain(60), "a.mlir");
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK_THAT(status.message(), Catch::Contains("expand to more than 64 MiB"));
}

TEST_CASE("element types of arrays that end MLIR's parser are refused") {
  std::string element =
      GENERATE("index: 1", "!alias: 1", " index>", "// c\n index: 1", "!msa.batch:");
  std::string open = GENERATE("array<", "array <", "array\n<");
  Status status = checkMlirText("module attributes {a.b = " + open + element + ">} {}", "a");
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK_THAT(status.message(), Catch::Contains("an array's elements are integers or floats"));
}

TEST_CASE("other arrays and other uses of index pass") {
  CHECK(checkMlirText("array<i32: 1, 2>", "a").ok());
  CHECK(checkMlirText("array<f32: 1.0>, tensor<index>", "a").ok());
  CHECK(checkMlirText("myarray<index>", "a").ok());
  CHECK(checkMlirText("array, index", "a").ok());
}

TEST_CASE("resource sections are refused") {
  Status status = checkMlirText("module {}\n{-# dialect_resources: {} #-}", "a.mlir");
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK_THAT(status.message(), Catch::Contains("a.mlir:2:1: resource sections are not read"));
  CHECK(checkMlirText("{\"{-#\"} // {-#", "a").ok());
}

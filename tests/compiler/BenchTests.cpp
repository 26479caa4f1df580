// msa-bench as a program: its documents and its refusals; the numbers themselves are not judged
// here.
#include "CliSupport.h"

using namespace msa;
using namespace msa::test;
using Catch::Matchers::Contains;

namespace {

ProcessResult bench(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), MSA_BENCH_PROGRAM);
  auto result = runProcess(arguments);
  if (!result.ok())
    throw std::runtime_error(result.status().message());
  return std::move(*result);
}

} // namespace

TEST_CASE("msa-bench: JSON with every sample, the median and the aim", "[bench]") {
  ProcessResult result = bench({"empty", "hit", "--repeat", "2", "--json", "--quiet"});
  if (skipMissing(result))
    return;
  INFO(result.errors);
  REQUIRE(result.exitCode == 0);
  nlohmann::json rows = jsonOf(result)["measurements"];
  bool empty = false, hit = false;
  for (const nlohmann::json &row : rows) {
    CHECK(row["samples"].size() == 2);
    CHECK(row["unit"] == "s");
    double sum = row["samples"][0].get<double>() + row["samples"][1].get<double>();
    CHECK(row["median"].get<double>() == Approx(sum / 2));
    if (row["name"] == "whole process") {
      CHECK(row["median"] > 0);
      CHECK(row["aim"] > 0);
      (row["subject"] == "empty" ? empty : hit) = true;
    }
  }
  CHECK(empty);
  CHECK(hit);
}

TEST_CASE("msa-bench: bad usage", "[bench][negative]") {
  ProcessResult result = bench({"compyle"});
  CHECK(result.exitCode == 2);
  CHECK_THAT(result.errors, Contains("expected compile, empty, hit or sim"));
  CHECK(bench({"empty", "--repeat", "0"}).exitCode == 2);
  CHECK(bench({"--frequency"}).exitCode == 2);
  result = bench({"empty", "--preset", "nope", "--quiet"});
  CHECK(result.exitCode == 1);
  CHECK_THAT(result.errors, Contains("nope"));
}

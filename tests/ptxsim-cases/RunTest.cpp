//===- RunTest.cpp - all cases on the simulator ---------------------------===//
//
// One assertion per case, so that a failure names the file, the line and every
// wrong thread of it.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <fmt/format.h>
#include <set>

using namespace msa::ptxsim;
using namespace msa::ptxsim::cases;

namespace {

std::vector<uint8_t> packInputs(const Case &each) {
  size_t stride = std::max<size_t>(each.inputs.size(), 1) * 8;
  std::vector<uint8_t> bytes(each.rows.size() * stride);
  for (size_t row = 0; row < each.rows.size(); ++row)
    for (size_t i = 0; i < each.inputs.size(); ++i)
      std::memcpy(&bytes[row * stride + i * 8], &each.rows[row].inputs[i], 8);
  return bytes;
}

/// What is wrong with a case, or nothing.
std::string complaints(const Case &each) {
  size_t stride = std::max<size_t>(each.outputs.size(), 1) * 8;
  Outcome outcome = runPtx(moduleText(each), static_cast<uint32_t>(each.rows.size()),
                           packInputs(each), each.rows.size() * stride);
  if (!each.refused.empty()) {
    bool located = outcome.error.rfind("case.ptx:", 0) == 0;
    bool named = outcome.error.find(each.refused) != std::string::npos;
    return located && named ? std::string()
                            : fmt::format("expected \"case.ptx:LINE:COLUMN: ... {}\", got \"{}\"\n",
                                          each.refused, outcome.text());
  }
  if (!each.trap.empty())
    return outcome.trapId == each.trap ? std::string()
                                       : fmt::format("expected trap {}, got {}\n", each.trap,
                                                     outcome.clean() ? "none" : outcome.text());
  if (!outcome.clean())
    return outcome.text() + "\n";
  std::string list;
  for (size_t row = 0; row < each.rows.size(); ++row)
    for (size_t i = 0; i < each.outputs.size(); ++i) {
      uint64_t bits = 0;
      std::memcpy(&bits, &outcome.output[row * stride + i * 8], each.outputs[i].bits / 8);
      const ExpectedValue &want = each.rows[row].outputs[i];
      if (!matches(each.outputs[i], want, bits))
        list += fmt::format(
            "line {} thread {} output {}: got {:#x}, want {}\n", each.rows[row].line, row, i, bits,
            want.kind == ExpectedValue::Kind::AnyNaN ? "a NaN" : fmt::format("{:#x}", want.bits));
    }
  return list;
}

} // namespace

TEST_CASE("every instruction case runs as expected", "[run]") {
  REQUIRE(allCases().size() > 300);
  for (const Case &each : allCases()) {
    INFO(each.where());
    CHECK(complaints(each) == "");
  }
}

TEST_CASE("every case has lines to run", "[run]") {
  for (const Case &each : allCases()) {
    INFO(each.where());
    CHECK_FALSE(each.rows.empty());
    CHECK(each.rows.size() <= 1024);
  }
}

TEST_CASE("a wrong expectation is noticed", "[run]") {
  // The runner itself must be able to fail.
  Case each = allCases().front();
  REQUIRE(complaints(each) == "");
  each.rows[0].outputs[0].bits ^= 1;
  REQUIRE(complaints(each) != "");
  each.rows[0].outputs[0].bits ^= 1;
  each.trap = "X5";
  REQUIRE(complaints(each) != "");
}

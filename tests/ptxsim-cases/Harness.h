//===- Harness.h - run PTX text on the simulator --------------------------===//
//
// What every test here shares: parse, decode, allocate, launch, read back.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "CaseFile.h"

#include "ptxsim/Simulator.h"

#include <cstdint>
#include <string>
#include <vector>

namespace msa::ptxsim::cases {

/// How a run ended: an error message (parse, decode, launch), or a trap's id and text, or neither.
struct Outcome {
  std::string error;
  std::string trapId, trapText;
  std::vector<uint8_t> output;
  bool clean() const { return error.empty() && trapId.empty(); }
  std::string text() const { return error.empty() ? trapText : error; }
};

/// Runs the kernel `test(.u64 input, .u64 output)` of a module with one CTA of `threads` threads.
Outcome runPtx(const std::string &ptx, uint32_t threads, const std::vector<uint8_t> &input,
               size_t outputBytes, const RunOptions &options = {});

/// All .cases files of this folder, read.
const std::vector<Case> &allCases();

} // namespace msa::ptxsim::cases

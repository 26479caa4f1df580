//===- Harness.h - runs one warpgroup of a small kernel
//-------------------------------------------===//
//
// A test gives declarations, a body, buffers (%rd_0, %rd_1, ... are their addresses) and,
// where it copies tiles, a tensor map over buffer 0 (its address is in %map). The kernel
// runs with one warpgroup unless the test says more; %tid_x is the thread.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Simulator.h"
#include "ptxsim/TensorMap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace msa::ptxsim::test {

struct WgmmaKernel {
  std::string declarations, body;
  std::vector<std::vector<uint8_t>> buffers;
  std::optional<TensorMap> map; ///< its address is set to buffer 0
  uint32_t threads = 128;
  RunOptions options;
};

struct WgmmaRun {
  std::string id;   ///< of the trap; "" if it ran through
  std::string text; ///< of the trap, or of what was refused
  std::vector<std::vector<uint8_t>> buffers;
};

WgmmaRun run(const WgmmaKernel &);

/// Eager, lazy, and random with seeds 1 to 3.
std::vector<RunOptions> allSchedules();
/// Runs under all schedules; the first id or refusal, "" if there was none, "?" if schedules
/// disagree.
std::string idOf(WgmmaKernel);

} // namespace msa::ptxsim::test

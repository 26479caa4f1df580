//===- Harness.h - runs small kernels that copy tensors --------------------------------------===//
//
// A test gives a body, buffers (%rd_0, %rd_1, ... are their addresses) and tensor maps over
// buffers (%map_0, ... are the maps' generic addresses; parameters by value). Shared
// memory has `tile` (1024-byte aligned) and the mbarrier `full`; helpers below write the usual
// beginning and end of such kernels.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Simulator.h"
#include "ptxsim/TensorMap.h"

#include <cstdint>
#include <string>
#include <vector>

namespace msa::ptxsim::test {

using Bytes = std::vector<uint8_t>;

struct MapOver {
  TensorMap map; ///< `address` is added to the buffer's
  size_t buffer = 0;
};

struct TmaKernel {
  std::string body, declarations;
  std::vector<Bytes> buffers;
  std::vector<MapOver> maps;
  uint32_t threads = 32, ctas = 1, cluster = 1, tileBytes = 8192;
  std::string target = "sm_100a", version = "8.8";
  RunOptions options;
};

struct TmaRun {
  std::string id;   ///< of the trap, "refused", or "" if it ran through
  std::string text; ///< of the trap, or of what was refused
  std::vector<Bytes> buffers;
  Counters counters;
};

TmaRun run(const TmaKernel &);
/// Eager, lazy, and random with seeds 1 to 3.
std::vector<RunOptions> allSchedules();
/// Runs under all schedules: the id, "" if clean; a text with "?" if schedules disagree.
std::string idOf(TmaKernel);

/// Thread 0 initialises `full` for one arrival; everybody sees it.
std::string initBarrier();
/// Thread 0 expects `bytes` and executes `copies`; everybody waits for phase 0.
std::string loadAndWait(uint32_t bytes, const std::string &copies);
/// All threads copy `bytes` bytes of `tile` to the buffer at `address`.
std::string copyOut(const std::string &address, uint32_t bytes);
/// All threads copy `bytes` bytes at `address` into `tile`, and publish them to the async proxy.
std::string copyIn(const std::string &address, uint32_t bytes);
/// Thread 0 executes `stores`, commits and waits for all.
std::string storeAndWait(const std::string &stores);

/// n pseudo-random bytes.
Bytes noise(size_t n, uint32_t seed);

} // namespace msa::ptxsim::test

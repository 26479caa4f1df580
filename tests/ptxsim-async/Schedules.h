//===- Schedules.h - one kernel under every schedule -----------------------------------------===//
#pragma once

#include "Harness.h"

namespace msa::ptxsim::test {

/// Runs eagerly, lazily, and at random with seeds 1 to 3.
struct EverySchedule {
  Ran ran;           ///< the last one; the first that ended otherwise if they do not agree
  bool agree = true; ///< same trap id (or none) and same bytes under all
};
EverySchedule runAll(Kernel);
/// The words of buffer `index` if all schedules agree and nothing trapped; else poison.
std::vector<uint32_t> result(const Kernel &, size_t index = 0);

/// A kernel of `ctas` CTAs (one cluster) of `threads`, with variables tile (1,024 bytes, at offset
/// 0), bar and second (mbarriers), for sm_100a. %p1: thread 0; %r62: rank of the CTA in the
/// cluster; %a0: the thread's word of buffer 1.
Kernel asyncKernel(std::string body, uint32_t threads = 32, uint32_t ctas = 1);
/// Waits for `bar` (label must be unique).
std::string waitFor(const std::string &label, int parity = 0, const std::string &bar = "bar");
/// Thread 0 initialises bar with a count; all threads may use it afterwards.
std::string initBar(int count);
/// barrier.cluster.
extern const char *const meet;

} // namespace msa::ptxsim::test

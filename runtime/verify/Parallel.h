//===- Parallel.h - a loop over independent items on the host's cores -----===//
//
// Items write to places of their own, so the result does not depend on who runs
// which item.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace msa::verify {

/// Calls body(i) for i in [0, count); body must not throw.
inline void parallelFor(int64_t count, const std::function<void(int64_t)> &body) {
  int64_t threads = std::min<int64_t>(std::max(1u, std::thread::hardware_concurrency()), count);
  std::atomic<int64_t> next{0};
  auto work = [&] {
    for (int64_t i; (i = next++) < count;)
      body(i);
  };
  std::vector<std::thread> helpers;
  for (int64_t t = 1; t < threads; ++t)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
}

} // namespace msa::verify

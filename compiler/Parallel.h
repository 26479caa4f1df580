//===- Parallel.h - independent jobs on a few threads ---------------------===//
//
// NVRTC and the assemblers take tens of milliseconds a kernel and know nothing
// of each other; this runs them side by side. MLIR's own threads stay off.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace msa {

/// Calls `work(i)` for i in [0, count) on at most `jobs` threads (0: one a core), the caller's
/// among them. `work` must not throw.
inline void parallelFor(size_t count, int jobs, const std::function<void(size_t)> &work) {
  size_t limit = jobs > 0 ? static_cast<size_t>(jobs)
                          : std::max<size_t>(1, std::thread::hardware_concurrency());
  std::atomic<size_t> next{0};
  auto worker = [&] {
    for (size_t i = next++; i < count; i = next++)
      work(i);
  };
  std::vector<std::thread> threads;
  for (size_t t = 1; t < std::min(limit, count); ++t)
    threads.emplace_back(worker);
  worker();
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace msa

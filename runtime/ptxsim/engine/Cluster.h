//===- Cluster.h - CTAs that are scheduled together -------------------------------------------===//
//
// A cluster of one to sixteen CTAs runs on one host thread, its CTAs in turn. They
// reach each other's shared memory (an address carries the rank of its CTA in bits
// 31:24) and meet at barrier.cluster. A launch without clusters is one of
// clusters of one CTA, so this is the unit that grids hand out.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cta.h"

#include <array>
#include <memory>
#include <vector>

namespace msa::ptxsim {

class Cluster {
public:
  static constexpr unsigned mostCtas = 16;

  explicit Cluster(const Launch &);
  /// Starts cluster number `index`.
  void start(uint64_t index);
  /// Runs until all CTAs are done, one has trapped, or all wait for another cluster.
  Cta::Outcome run();

  uint64_t index = 0;
  std::vector<std::unique_ptr<Cta>> ctas; ///< by rank
  Order order;
  AsyncEngine async;
  /// Things that happened: completed phases, stages of operations, exits. A cluster that spins
  /// without any is stuck.
  uint64_t events = 0;
  /// Fragments that are suspended under the key go on.
  void wake(uint64_t key);
  /// The CTA of that rank, or null.
  Cta *ctaOf(uint64_t rank) const { return rank < ctas.size() ? ctas[rank].get() : nullptr; }
  bool isStopped = false; ///< a CTA has trapped
  bool trapped() const { return culprit != nullptr; }
  const Cta &trappedCta() const { return *culprit; }

  // ---- barrier.cluster
  // ----------------------------------------------------------------------------
  /// Lanes of a warp arrive; releases who waits when all threads of the cluster have.
  /// `publishes`: with release semantics.
  void arrive(Warp &, uint32_t lanes, bool publishes);
  /// Lanes of `lanes` whose phase is not complete.
  uint32_t pending(const Warp &, uint32_t lanes) const;
  /// Threads have exited: who waits for them need not.
  void checkBarrier();

private:
  bool isComplete() const;
  bool wakeByTime();
  Cta::Outcome blame();
  Cta::Outcome finish();
  Cta::Outcome stuck();

  const Launch &launch;
  const Cta *culprit = nullptr;
  std::array<std::array<uint32_t, 32>, mostCtas> arrived{}; ///< lanes by CTA and warp, this phase
  bool busy = false;
  Knowledge arrivedKnowledge; ///< of the threads that have arrived with release semantics
  uint64_t eventsSeen = 0;    ///< at the last look for a standstill
  unsigned idleRounds = 0;    ///< rounds since without any
};

/// CTAs in the launch.
uint64_t ctaCount(const LaunchConfig &);
/// CTAs of one cluster.
uint32_t clusterSize(const LaunchConfig &);

} // namespace msa::ptxsim

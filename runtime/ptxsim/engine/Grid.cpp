//===- Grid.cpp - handing out clusters, and what the grid came to
//-------------------------------===//
//
// Clusters of a grid whose CTAs cannot see each other's memory run on a pool of host
// threads, handed out in order. A trap in cluster t stops the handing out; all
// clusters below t have been handed out and finish, and the lowest trap is the result:
// the same whatever the number of threads. Grids whose CTAs may talk (atomics with
// results, float atomics, volatile or acquire reads of global memory) run on one
// thread in order; a cluster that spins makes room for the next one, round robin,
// until all that it may wait for are there.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Grid.h"

#include "ptxsim/TensorMap.h"
#include "ptxsim/engine/Provenance.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <thread>

namespace msa::ptxsim {

void GridOutcome::add(const Cluster &cluster) {
  if (!cluster.trapped()) {
    for (const auto &cta : cluster.ctas)
      tally.add(cta->tally);
  } else if (cluster.index < trappedCluster) {
    trappedCluster = cluster.index;
    trap = cluster.trappedCta().trap;
    trapTally = cluster.trappedCta().tally;
  }
}

void GridOutcome::add(GridOutcome &&other) {
  tally.add(other.tally);
  if (other.trappedCluster < trappedCluster) {
    trappedCluster = other.trappedCluster;
    trap = std::move(other.trap);
    trapTally = other.trapTally;
  }
}

namespace {

uint64_t clusterCount(const Launch &launch) {
  return ctaCount(*launch.config) / clusterSize(*launch.config);
}

GridOutcome runIndependent(const Launch &launch, unsigned threads) {
  const uint64_t count = clusterCount(launch);
  std::atomic<uint64_t> next{0}, lowestTrap{std::numeric_limits<uint64_t>::max()};
  auto work = [&](GridOutcome &outcome) {
    Cluster cluster(launch);
    for (;;) {
      uint64_t number = next.fetch_add(1);
      if (number >= count || number > lowestTrap.load())
        return;
      cluster.start(number);
      cluster.run();
      outcome.add(cluster);
      if (!cluster.trapped())
        continue;
      for (uint64_t seen = lowestTrap.load();
           number < seen && !lowestTrap.compare_exchange_weak(seen, number);) {
      }
    }
  };
  threads = static_cast<unsigned>(std::min<uint64_t>(std::max(1u, threads), count));
  std::vector<GridOutcome> outcomes(threads);
  std::vector<std::thread> pool;
  for (unsigned i = 1; i < threads; ++i)
    pool.emplace_back([&, i] { work(outcomes[i]); });
  work(outcomes[0]);
  for (std::thread &t : pool)
    t.join();
  GridOutcome all;
  for (GridOutcome &o : outcomes)
    all.add(std::move(o));
  return all;
}

/// Clusters in order; those that wait for others stay active, and the next one joins them.
GridOutcome runOrdered(const Launch &launch) {
  const uint64_t count = clusterCount(launch);
  GridOutcome outcome;
  uint64_t next = 0;
  std::deque<std::unique_ptr<Cluster>> active;
  std::unique_ptr<Cluster> spare;
  while (next < count || !active.empty()) {
    if (next < count) {
      std::unique_ptr<Cluster> fresh = spare ? std::move(spare) : std::make_unique<Cluster>(launch);
      fresh->start(next++);
      active.push_front(std::move(fresh));
    }
    // One turn for everybody that is there, the newest first.
    for (size_t turns = active.size(); turns > 0; --turns) {
      std::unique_ptr<Cluster> cluster = std::move(active.front());
      active.pop_front();
      Cta::Outcome result = cluster->run();
      if (result == Cta::Outcome::Waiting) {
        active.push_back(std::move(cluster));
        continue;
      }
      outcome.add(*cluster);
      if (result == Cta::Outcome::Trapped)
        return outcome;
      spare = std::move(cluster);
    }
  }
  return outcome;
}

//===----------------------------------------------------------------------===//
// Races between CTAs
//===----------------------------------------------------------------------===//

/// Buffers that are written through tensor maps among the parameters (they are aligned to 64
/// bytes).
void watchMapped(const Program &program, const Launch &launch, GlobalRaces &races) {
  const std::vector<uint8_t> &block = launch.config->parameters;
  TensorMap map;
  for (size_t at = 0; program.tensorStores && at + 128 <= block.size(); at += 64)
    if (decodeTensorMap(&block[at], map))
      if (Allocation *allocation = launch.memory->find(map.address))
        races.watch(*allocation);
}

/// Watches the buffers that an independent grid may write.
void watchWritten(const Program &program, Launch &launch, GlobalRaces &races) {
  if (program.order == GridOrder::Ordered || !launch.checks.on(Check::P5) ||
      ctaCount(*launch.config) < 2)
    return;
  races.configure(program.globalGranule);
  launch.globalRaces = &races;
  const std::vector<uint8_t> &block = launch.config->parameters;
  watchMapped(program, launch, races);
  ParameterSet written = program.writtenParameters;
  if (written & anyBuffer)
    for (const auto &allocation : launch.memory->allocations)
      races.watch(*allocation);
  if ((written & (moduleVariable | anyBuffer)) && launch.moduleVariables)
    races.watch(*launch.moduleVariables);
  for (uint64_t word = 0; word < trackedWords && word * 8 + 8 <= block.size(); ++word) {
    uint64_t value = 0;
    std::memcpy(&value, &block[word * 8], sizeof(value));
    if ((written >> word) & 1)
      if (Allocation *allocation = launch.memory->find(value))
        races.watch(*allocation);
  }
}

std::array<uint32_t, 3> coordinates(const LaunchConfig &config, uint64_t cta) {
  return {static_cast<uint32_t>(cta % config.grid[0]),
          static_cast<uint32_t>(cta / config.grid[0] % config.grid[1]),
          static_cast<uint32_t>(cta / config.grid[0] / config.grid[1])};
}

/// Makes a trap of a race that was found, blaming the writer.
void reportRace(const Launch &launch, const GlobalRaces::Conflict &conflict, GridOutcome &outcome) {
  if (!conflict.found)
    return;
  // An idle CTA with the writer's coordinates says where the write stands.
  Cluster cluster(launch);
  Cta &cta = *cluster.ctas[0];
  cta.start(coordinates(*launch.config, conflict.writer));
  Warp &warp = cta.warps[conflict.writerWarp];
  warp.pc = conflict.writerPc;
  auto other = coordinates(*launch.config, conflict.other);
  warp.trap(
      Check::P5, -1,
      fmt::format("data race: writes global memory that CTA ({},{},{}) {} too, and CTAs of this "
                  "kernel do not synchronise; offset {} of buffer '{}' ({} bytes)",
                  other[0], other[1], other[2], conflict.otherWrote ? "writes" : "reads",
                  conflict.offset, conflict.allocation->label, conflict.allocation->bytes));
  outcome.trappedCluster = 0;
  outcome.trap = cta.trap;
  outcome.trapTally = outcome.tally;
}

} // namespace

GridOutcome runGrid(Launch &launch, unsigned threads) {
  GlobalRaces races;
  watchWritten(*launch.program, launch, races);
  bool ordered = launch.program->order == GridOrder::Ordered;
  launch.sharedBetweenThreads = !ordered && threads > 1;
  GridOutcome outcome = ordered ? runOrdered(launch) : runIndependent(launch, threads);
  if (!outcome.trapped())
    reportRace(launch, races.lowest(), outcome);
  launch.globalRaces = nullptr;
  return outcome;
}

} // namespace msa::ptxsim

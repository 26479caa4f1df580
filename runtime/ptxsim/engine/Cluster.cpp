//===- Cluster.cpp - running the CTAs of a cluster in turn; barrier.cluster
//--------------------===//
#include "ptxsim/engine/Cluster.h"

#include <algorithm>

namespace msa::ptxsim {

uint64_t ctaCount(const LaunchConfig &config) {
  return uint64_t{config.grid[0]} * config.grid[1] * config.grid[2];
}

uint32_t clusterSize(const LaunchConfig &config) {
  return config.cluster[0] * config.cluster[1] * config.cluster[2];
}

Cluster::Cluster(const Launch &launch) : launch(launch) {
  for (uint32_t rank = 0; rank < clusterSize(*launch.config); ++rank)
    ctas.push_back(std::make_unique<Cta>(launch, this, rank));
}

void Cluster::start(uint64_t number) {
  index = number;
  culprit = nullptr;
  arrived = {};
  busy = false;
  const auto &grid = launch.config->grid, &size = launch.config->cluster;
  // Clusters tile the grid, x fastest; so do CTAs in a cluster.
  uint64_t across = grid[0] / size[0], down = grid[1] / size[1];
  uint64_t base[3] = {number % across * size[0], number / across % down * size[1],
                      number / across / down * size[2]};
  for (uint32_t rank = 0; rank < ctas.size(); ++rank) {
    std::array<uint32_t, 3> id = {static_cast<uint32_t>(base[0] + rank % size[0]),
                                  static_cast<uint32_t>(base[1] + rank / size[0] % size[1]),
                                  static_cast<uint32_t>(base[2] + rank / size[0] / size[1])};
    ctas[rank]->start(id);
  }
}

Cta::Outcome Cluster::run() {
  for (;;) {
    bool progress = false, waiting = false, done = true;
    for (auto &cta : ctas) {
      if (cta->isDone())
        continue;
      uint64_t before = cta->tally.warpInstructions;
      Cta::Outcome outcome = cta->run();
      if (outcome == Cta::Outcome::Trapped) {
        culprit = cta.get();
        return outcome;
      }
      progress = progress || cta->tally.warpInstructions != before;
      waiting = waiting || outcome == Cta::Outcome::Waiting;
      done = done && outcome == Cta::Outcome::Done;
    }
    if (done)
      return Cta::Outcome::Done;
    if (!progress) {
      auto stuck =
          std::find_if(ctas.begin(), ctas.end(), [](const auto &c) { return !c->isDone(); });
      (*stuck)->reportDeadlock();
      culprit = stuck->get();
      return Cta::Outcome::Trapped;
    }
    if (waiting && launch.program->order == GridOrder::Ordered)
      return Cta::Outcome::Waiting;
  }
}

//===----------------------------------------------------------------------===//
// barrier.cluster (PTX ISA 9.7.13.3)
//===----------------------------------------------------------------------===//

bool Cluster::isComplete() const {
  for (const auto &cta : ctas)
    for (const Warp &w : cta->warps)
      if (w.alive & ~arrived[cta->rank][w.index])
        return false;
  return true;
}

void Cluster::arrive(Warp &warp, uint32_t lanes) {
  arrived[warp.cta->rank][warp.index] |= lanes;
  busy = true;
  checkBarrier();
}

uint32_t Cluster::pending(const Warp &warp, uint32_t lanes) const {
  return arrived[warp.cta->rank][warp.index] & lanes;
}

void Cluster::checkBarrier() {
  if (!busy || !isComplete())
    return;
  busy = false;
  arrived = {};
  for (auto &cta : ctas) {
    uint32_t all = 0;
    for (const Warp &w : cta->warps)
      all |= 1u << w.index;
    cta->races.synchronise(all);
    cta->release(Cta::clusterBarrier);
  }
}

} // namespace msa::ptxsim

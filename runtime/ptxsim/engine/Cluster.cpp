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
  // Every check that asks who knew what needs the order; one warp alone needs it for fences.
  bool ordered = launch.checks.on(Check::P5) || launch.program->asyncOps;
  order.configure(ordered, clusterSize(*launch.config), launch.warps);
  for (uint32_t rank = 0; rank < clusterSize(*launch.config); ++rank)
    ctas.push_back(std::make_unique<Cta>(launch, this, rank));
}

void Cluster::start(uint64_t number) {
  index = number;
  culprit = nullptr;
  isStopped = false;
  arrived = {};
  arrivedKnowledge.clear();
  busy = false;
  events = eventsSeen = 0;
  idleRounds = 0;
  if (order.isWorn()) {
    order.renew();
    for (auto &cta : ctas)
      cta->races.forget();
  }
  order.start();
  async.start(*this);
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

void Cluster::wake(uint64_t key) {
  for (auto &cta : ctas)
    cta->wake(key);
}

namespace {
/// Rounds without any event after which a cluster is stuck: of time limits that pass, of spinning.
constexpr unsigned mostTimeouts = 64, mostSpinRounds = 4096;
} // namespace

Cta::Outcome Cluster::run() {
  for (;;) {
    bool progress = false, waiting = false, done = true, quiet = true;
    for (auto &cta : ctas) {
      if (cta->isDone())
        continue;
      uint64_t before = cta->tally.warpInstructions;
      Cta::Outcome outcome = cta->run();
      if (isStopped)
        return blame();
      progress = progress || cta->tally.warpInstructions != before;
      waiting = waiting || outcome == Cta::Outcome::Waiting;
      done = done && outcome == Cta::Outcome::Done;
      quiet = quiet && (outcome == Cta::Outcome::Done || cta->quiet);
    }
    if (done)
      return finish();
    if (quiet && async.advance()) {
      if (isStopped)
        return blame();
      continue;
    }
    if (events != eventsSeen)
      idleRounds = 0;
    eventsSeen = events;
    if (!progress) {
      bool opened = false;
      for (auto &cta : ctas)
        opened = cta->openParked() || opened;
      if (opened)
        continue;
      if (++idleRounds > mostTimeouts || !wakeByTime())
        return stuck();
      continue;
    }
    if (waiting && launch.program->order == GridOrder::Ordered)
      return Cta::Outcome::Waiting;
    if (quiet && waiting && ++idleRounds > mostSpinRounds)
      return stuck();
  }
}

bool Cluster::wakeByTime() {
  bool woken = false;
  for (auto &cta : ctas)
    woken = cta->timeOut() || woken;
  return woken;
}

Cta::Outcome Cluster::blame() {
  for (auto &cta : ctas)
    if (cta->trapped && !culprit)
      culprit = cta.get();
  return Cta::Outcome::Trapped;
}

Cta::Outcome Cluster::stuck() {
  auto waiter = std::find_if(ctas.begin(), ctas.end(), [](const auto &c) { return !c->isDone(); });
  (*waiter)->reportDeadlock();
  return blame();
}

/// All threads have exited: what is left over is a mistake of the kernel, or has to end.
Cta::Outcome Cluster::finish() {
  if (AsyncId id = order.unfinished()) {
    Order::Operation op = order.operation(id);
    Warp &warp = ctas[op.warp / launch.warps]->warps[op.warp % launch.warps];
    Origin origin{&warp, op.pc, op.lane};
    if (origin.trap(*op.atExit, "the kernel ends while this may still be running, and nobody has "
                                "waited for it") == Flow::Trap)
      return blame();
  }
  while (async.advance())
    if (isStopped)
      return blame();
  for (auto &cta : ctas)
    cta->finishStates();
  return isStopped ? blame() : Cta::Outcome::Done;
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

void Cluster::arrive(Warp &warp, uint32_t lanes, bool publishes) {
  if (publishes)
    order.release(warp.cta->numberOf(warp), arrivedKnowledge);
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
  ++events;
  for (auto &cta : ctas)
    for (const Warp &w : cta->warps)
      order.acquire(cta->numberOf(w), arrivedKnowledge);
  arrivedKnowledge.clear();
  for (auto &cta : ctas)
    cta->release(Cta::clusterBarrier);
}

} // namespace msa::ptxsim

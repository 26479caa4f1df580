//===- Async.cpp - when operations run
//---------------------------------------------------------===//
#include "ptxsim/engine/Async.h"

#include "ptxsim/engine/Cluster.h"

#include <algorithm>

namespace msa::ptxsim {

AsyncOp::~AsyncOp() = default;
PendingRegisters::~PendingRegisters() = default;

unsigned Origin::number() const { return warp->cta->numberOf(*warp); }

Flow Origin::trap(Check check, std::string message) const {
  if (!warp->cta->checks(check))
    return Flow::Next;
  return trapAlways(std::string(toString(check)).c_str(), std::move(message));
}

Flow Origin::trapAlways(const char *id, std::string message) const {
  uint32_t executing = warp->pc;
  warp->pc = pc;
  warp->trapAlways(id, lane, std::move(message));
  warp->pc = executing;
  return Flow::Trap;
}

uint32_t Origin::line() const { return warp->program->instruction(pc).location.line; }

void AsyncEngine::start(Cluster &owner) {
  cluster = &owner;
  pending.clear();
}

size_t AsyncEngine::headOf(size_t index) const {
  if (pending[index]->queue == noQueue)
    return index;
  for (size_t i = 0; i < index; ++i)
    if (pending[i]->queue == pending[index]->queue)
      return i;
  return index;
}

Flow AsyncEngine::runStage(size_t index) {
  // An operation may issue others, so it leaves the list while it runs.
  std::unique_ptr<AsyncOp> op = std::move(pending[index]);
  pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(index));
  ++cluster->events;
  Flow flow = op->step();
  if (flow == Flow::Trap)
    return flow;
  if (--op->stages > 0)
    pending.insert(pending.begin() + static_cast<std::ptrdiff_t>(std::min(index, pending.size())),
                   std::move(op));
  return Flow::Next;
}

Flow AsyncEngine::issue(std::unique_ptr<AsyncOp> op) {
  AsyncId id = op->id;
  bool eager = op->origin.cta().schedule() == ScheduleKind::Eager;
  pending.push_back(std::move(op));
  return eager ? finish(id) : Flow::Next;
}

bool AsyncEngine::isPending(AsyncId id, unsigned stagesLeft) const {
  return std::any_of(pending.begin(), pending.end(),
                     [&](const auto &op) { return op->id == id && op->stages > stagesLeft; });
}

Flow AsyncEngine::finish(AsyncId id, unsigned stagesLeft) {
  for (;;) {
    auto found = std::find_if(pending.begin(), pending.end(), [&](const auto &op) {
      return op->id == id && op->stages > stagesLeft;
    });
    if (found == pending.end())
      return Flow::Next;
    size_t head = headOf(static_cast<size_t>(found - pending.begin()));
    if (runStage(head) == Flow::Trap)
      return Flow::Trap;
  }
}

bool AsyncEngine::advance() {
  if (pending.empty())
    return false;
  Cta &first = *cluster->ctas[0];
  size_t pick = pending.size() - 1;
  if (first.schedule() == ScheduleKind::Random)
    pick = first.nextRandom() % pending.size();
  runStage(headOf(pick));
  return true;
}

void AsyncEngine::maybeAdvance() {
  Cta &first = *cluster->ctas[0];
  if (pending.empty() || first.schedule() != ScheduleKind::Random)
    return;
  for (uint64_t turns = first.nextRandom() % 4; turns > 0 && !pending.empty(); --turns)
    advance();
}

} // namespace msa::ptxsim

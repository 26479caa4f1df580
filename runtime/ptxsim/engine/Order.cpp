//===- Order.cpp - merging what agents know -------------------------------------------------===//
#include "ptxsim/engine/Order.h"

#include <algorithm>

namespace msa::ptxsim {

//===----------------------------------------------------------------------===//
// Sets and knowledge
//===----------------------------------------------------------------------===//

void AsyncSet::advance(AsyncId id) {
  uint32_t word = id / 64;
  if (word < first + wordCount)
    return;
  uint32_t wanted = word - wordCount + 1;
  if (wanted - first >= wordCount)
    words = {};
  else
    for (uint32_t i = first; i < wanted; ++i)
      words[i % wordCount] = 0;
  first = wanted;
}

void AsyncSet::merge(const AsyncSet &other) {
  if (other.first > first)
    advance((other.first + wordCount - 1) * 64);
  // Words of the other that are older than this window count as members already.
  uint32_t end = other.first + wordCount;
  for (uint32_t i = std::max(first, other.first); i < end; ++i)
    words[i % wordCount] |= other.words[i % wordCount];
}

static void mergeClock(std::vector<uint32_t> &into, const std::vector<uint32_t> &from) {
  if (into.size() < from.size())
    into.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i)
    into[i] = std::max(into[i], from[i]);
}

void Knowledge::merge(const Knowledge &other) {
  mergeClock(clock, other.clock);
  mergeClock(fenced, other.fenced);
  complete.merge(other.complete);
  published.merge(other.published);
}

void Knowledge::clear() {
  clock.clear();
  fenced.clear();
  complete.clear();
  published.clear();
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

void Order::configure(bool enabled, unsigned ctas, unsigned warpsOfCta) {
  active = enabled;
  perCta = warpsOfCta;
  total = ctas * warpsOfCta;
  known.assign(enabled ? total : 0, Knowledge());
  current.assign(enabled ? total : 0, 0);
  operations.assign(AsyncSet::window, Operation());
}

void Order::start() {
  newest = 0;
  std::fill(operations.begin(), operations.end(), Operation());
  if (!active)
    return;
  first = ++counter;
  for (Knowledge &k : known) {
    k.clear();
    k.clock.resize(total);
    k.fenced.resize(total);
  }
  std::fill(current.begin(), current.end(), counter);
}

void Order::release(unsigned warp, Knowledge &into) {
  if (!active)
    return;
  into.merge(known[warp]);
  into.clock[warp] = std::max(into.clock[warp], current[warp]);
  current[warp] = ++counter;
}

void Order::signal(std::span<const uint32_t> arrivers, std::span<const uint32_t> waiters) {
  if (!active)
    return;
  Knowledge merged;
  for (auto list : {arrivers, waiters})
    for (uint32_t w : list)
      release(w, merged);
  for (uint32_t w : waiters)
    known[w].merge(merged);
}

void Order::fenceAsync(unsigned warp) {
  if (!active)
    return;
  Knowledge &k = known[warp];
  mergeClock(k.fenced, k.clock);
  k.fenced[warp] = std::max(k.fenced[warp], current[warp]);
  current[warp] = ++counter;
}

//===----------------------------------------------------------------------===//
// Asynchronous operations
//===----------------------------------------------------------------------===//

AsyncId Order::begin(unsigned warp, uint32_t pc, int lane, const char *what,
                     std::optional<Check> atExit) {
  AsyncId id = ++newest;
  operations[id % operations.size()] = {id,   warp,  active ? current[warp] : 0, pc, lane,
                                        what, atExit};
  return id;
}

Order::Operation Order::operation(AsyncId id) const {
  const Operation &found = operations[id % operations.size()];
  return found.id == id ? found : Operation();
}

AsyncId Order::unfinished() const {
  if (!active)
    return 0;
  AsyncId oldest = newest > AsyncSet::window ? newest - AsyncSet::window + 1 : 1;
  for (AsyncId id = oldest; id <= newest; ++id) {
    const Operation &op = operations[id % operations.size()];
    if (op.atExit && std::none_of(known.begin(), known.end(),
                                  [&](const Knowledge &k) { return k.complete.has(id); }))
      return id;
  }
  return 0;
}

bool Order::issuedBefore(unsigned me, AsyncId id) const {
  if (!active)
    return true;
  Operation op = operation(id);
  // The issuer's segment ends at its next release, so knowing the segment is knowing the issue.
  return op.id == 0 || happenedBefore(me, op.warp, op.segment);
}

void Order::signalCompletion(AsyncId id, Knowledge &into) {
  if (!active)
    return;
  into.complete.add(id);
  into.published.add(id);
}

} // namespace msa::ptxsim

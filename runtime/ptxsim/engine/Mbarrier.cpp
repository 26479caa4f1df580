//===- Mbarrier.cpp - phases, arrivals and transactions --------------------------------------===//
#include "ptxsim/engine/Mbarrier.h"

#include "ptxsim/engine/Cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace msa::ptxsim {

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

MbarrierState MbarrierState::unpack(uint64_t bits) {
  MbarrierState s;
  s.expected = bits & 0xFFFFF;
  s.pending = bits >> 20 & 0xFFFFF;
  uint32_t tx = bits >> 40 & 0x3FFFFF;
  s.tx = static_cast<int32_t>(tx << 10) >> 10;
  s.parity = bits >> 62 & 1;
  return s;
}

uint64_t MbarrierState::pack() const {
  return uint64_t{expected & 0xFFFFF} | uint64_t{pending & 0xFFFFF} << 20 |
         uint64_t{static_cast<uint32_t>(tx) & 0x3FFFFF} << 40 | uint64_t{parity} << 62 | 1ull << 63;
}

namespace {

MbarrierState load(const Cta &owner, uint32_t offset) {
  uint64_t bits;
  std::memcpy(&bits, owner.sharedRegion.host + offset, 8);
  return MbarrierState::unpack(bits);
}

void store(Cta &owner, uint32_t offset, const MbarrierState &state) {
  uint64_t bits = state.pack();
  std::memcpy(owner.sharedRegion.host + offset, &bits, 8);
  if (owner.sharedRegion.shadow)
    std::memset(owner.sharedRegion.shadow + offset, 1, 8);
}

/// "(expected 4096 bytes at line 10; copied 2048 at line 12)": the traffic of a phase.
std::string listTraffic(const Cta &owner, const std::vector<MbarrierRecord::Traffic> &traffic) {
  uint64_t expected = 0, copied = 0;
  std::string list;
  unsigned named = 0;
  for (const auto &t : traffic) {
    (t.expects ? expected : copied) += t.bytes;
    if (++named <= 8)
      list += fmt::format("; {} {} at line {}", t.expects ? "expected" : "copied", t.bytes,
                          owner.launch->program->instruction(t.pc).location.line);
  }
  std::string text = fmt::format("{} bytes expected and {} copied in this phase", expected, copied);
  if (expected != 0 && copied != 0) {
    if (copied == 2 * expected || expected == 2 * copied)
      text +=
          " (a factor of 2: do both count elements of the same size? padded 4-bit formats count "
          "unpadded bytes)";
    else if (3 * copied == 4 * expected || 4 * copied == 3 * expected)
      text += " (a factor of 4/3: padded 6-bit formats count unpadded bytes)";
  }
  return text + list;
}

/// The phase is complete: knowledge is published, waiters are woken.
void completePhase(Cta &owner, uint32_t offset, MbarrierState &state, MbarrierRecord &record) {
  state.parity = !state.parity;
  state.pending = state.expected;
  ++record.phases;
  record.completed = record.arriving;
  record.traffic.clear();
  store(owner, offset, state);
  ++owner.cluster->events;
  owner.cluster->wake(waitKeyOf(owner, offset));
}

Flow settlePhase(const Origin &origin, Cta &owner, uint32_t offset, MbarrierState &state,
                 MbarrierRecord &record) {
  if (state.pending != 0 || state.tx != 0) {
    store(owner, offset, state);
    return Flow::Next;
  }
  completePhase(owner, offset, state, record);
  return Flow::Next;
}

} // namespace

uint64_t waitKeyOf(const Cta &owner, uint32_t offset) {
  return makeWaitKey(WaitKind::Mbarrier, owner.rank, offset);
}

std::string describeMbarrier(const Cta &owner, uint32_t offset) {
  std::string where = "mbarrier " + describeShared(owner, offset);
  auto found = owner.mbarriers.records.find(offset);
  if (found == owner.mbarriers.records.end())
    return where;
  MbarrierState s = load(owner, offset);
  std::string text = fmt::format("{}: phase {} (parity {}), {} of {} arrivals pending", where,
                                 found->second.phases, s.parity ? 1 : 0, s.pending, s.expected);
  if (s.tx != 0 || !found->second.traffic.empty())
    text += fmt::format(", tx-count {}", s.tx);
  return text;
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

Flow checkMbarrier(const Origin &origin, Cta &owner, uint32_t offset, const char *verb) {
  if (offset % 8 != 0)
    return origin.trapAlways("B5",
                             fmt::format("{} an mbarrier at {}: it must be aligned to 8 bytes",
                                         verb, describeShared(owner, offset)));
  if (uint64_t{offset} + 8 > owner.sharedRegion.bytes)
    return origin.trapAlways("X5", fmt::format("{} an mbarrier at offset {} of {} bytes of shared "
                                               "memory",
                                               verb, offset, owner.sharedRegion.bytes));
  if (&owner != &origin.cta() && owner.isDone() &&
      origin.trap(Check::B6,
                  fmt::format("{} an mbarrier of CTA {} of the cluster, which has ended; a "
                              "barrier.cluster before its end would keep it",
                              verb, owner.rank)) == Flow::Trap)
    return Flow::Trap;
  if (!owner.mbarriers.find(offset))
    return origin.trapAlways(
        "B1",
        fmt::format("{} {}, where no mbarrier has been initialised (mbarrier.init){}", verb,
                    describeShared(owner, offset), &owner == &origin.cta() ? "" : " in that CTA"));
  return Flow::Next;
}

Flow checkMbarrierPublished(const Origin &origin, Cta &owner, uint32_t offset) {
  MbarrierRecord *record = owner.mbarriers.find(offset);
  const Order &order = owner.order();
  if (!record || !order.enabled())
    return Flow::Next;
  const unsigned me = origin.number();
  if (!order.happenedBefore(me, record->initWarp, record->initSegment))
    return origin.trap(
        Check::B1,
        fmt::format("uses {}, and nothing orders its initialisation by warp {} at line "
                    "{} before: a barrier has to lie between",
                    describeMbarrier(owner, offset), record->initWarp % order.warpsOfCta(),
                    owner.launch->program->instruction(record->initPc).location.line));
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

Flow initMbarrier(const Origin &origin, Cta &owner, uint32_t offset, uint64_t count) {
  if (owner.mbarriers.find(offset) &&
      origin.trap(Check::B1,
                  fmt::format("initialises {} that is in use already; mbarrier.inval has "
                              "to come first",
                              describeMbarrier(owner, offset))) == Flow::Trap)
    return Flow::Trap;
  if (count == 0 || count > MbarrierState::mostArrivals)
    return origin.trapAlways("B2", fmt::format("an expected count of {}; accepted: 1 to {}", count,
                                               MbarrierState::mostArrivals));
  MbarrierRecord record;
  record.initPc = origin.pc;
  record.initWarp = origin.number();
  if (owner.order().enabled())
    record.initSegment = owner.order().segment(record.initWarp);
  owner.mbarriers.records[offset] = std::move(record);
  owner.asyncShadow.setBarrier(offset, true);
  MbarrierState state;
  state.expected = state.pending = static_cast<uint32_t>(count);
  store(owner, offset, state);
  return Flow::Next;
}

Flow invalidateMbarrier(const Origin &origin, Cta &owner, uint32_t offset) {
  if (checkMbarrier(origin, owner, offset, "invalidates") == Flow::Trap)
    return Flow::Trap;
  MbarrierState state = load(owner, offset);
  if (state.tx != 0 &&
      origin.trap(Check::B2,
                  fmt::format("invalidates {} while bytes are outstanding; {}",
                              describeMbarrier(owner, offset),
                              listTraffic(owner, owner.mbarriers.find(offset)->traffic))) ==
          Flow::Trap)
    return Flow::Trap;
  owner.mbarriers.records.erase(offset);
  owner.asyncShadow.setBarrier(offset, false);
  std::memset(owner.sharedRegion.host + offset, 0, 8);
  if (owner.sharedRegion.shadow)
    std::memset(owner.sharedRegion.shadow + offset, 0, 8);
  return Flow::Next;
}

namespace {

Flow raiseTx(const Origin &origin, Cta &owner, uint32_t offset, int64_t bytes, AsyncId op,
             MbarrierState &state, MbarrierRecord &record) {
  int64_t sum = state.tx + bytes;
  record.traffic.push_back(
      {bytes > 0, static_cast<uint32_t>(bytes > 0 ? bytes : -bytes), origin.pc, op});
  if (sum > MbarrierState::mostTx || sum < -MbarrierState::mostTx)
    return origin.trapAlways(
        "B2", fmt::format("the tx-count of {} becomes {}; its range is {} to {}; {}",
                          describeMbarrier(owner, offset), sum, -MbarrierState::mostTx,
                          MbarrierState::mostTx, listTraffic(owner, record.traffic)));
  state.tx = static_cast<int32_t>(sum);
  return Flow::Next;
}

Flow takeArrivals(const Origin &origin, Cta &owner, uint32_t offset, uint32_t count,
                  MbarrierState &state, MbarrierRecord &record) {
  if (count == 0 || count > MbarrierState::mostArrivals)
    return origin.trapAlways("B2", fmt::format("arrives with a count of {}; accepted: 1 to {}",
                                               count, MbarrierState::mostArrivals));
  if (count > state.pending)
    return origin.trapAlways(
        "B2", fmt::format("arrives {} time{} at {}: more than are pending{}", count,
                          count == 1 ? "" : "s", describeMbarrier(owner, offset),
                          state.pending == 0 ? "; all have arrived, and bytes are outstanding: " +
                                                   listTraffic(owner, record.traffic)
                                             : std::string()));
  state.pending -= count;
  return Flow::Next;
}

} // namespace

Flow arriveMbarrier(const Origin &origin, Cta &owner, uint32_t offset,
                    const MbarrierArrival &arrival, uint64_t &before) {
  if (checkMbarrier(origin, owner, offset, "arrives at") == Flow::Trap ||
      checkMbarrierPublished(origin, owner, offset) == Flow::Trap)
    return Flow::Trap;
  MbarrierRecord &record = *owner.mbarriers.find(offset);
  MbarrierState state = load(owner, offset);
  before = state.pack();
  if (arrival.expects && arrival.expectTx != 0 &&
      raiseTx(origin, owner, offset, arrival.expectTx, 0, state, record) == Flow::Trap)
    return Flow::Trap;
  if (takeArrivals(origin, owner, offset, arrival.count, state, record) == Flow::Trap)
    return Flow::Trap;
  if (arrival.drop) {
    if (state.expected < arrival.count)
      return origin.trapAlways("B2", fmt::format("drops {} arrivals of {}", arrival.count,
                                                 describeMbarrier(owner, offset)));
    state.expected -= arrival.count;
  }
  if (arrival.noComplete && state.pending == 0 && state.tx == 0)
    return origin.trapAlways("B2", fmt::format("a .noComplete arrival completes the phase of {}",
                                               describeMbarrier(owner, offset)));
  if (arrival.release)
    owner.order().release(origin.number(), record.arriving);
  else if (arrival.fenced)
    record.arriving.merge(*arrival.fenced);
  return settlePhase(origin, owner, offset, state, record);
}

Flow asyncArriveMbarrier(const Origin &origin, Cta &owner, uint32_t offset, uint32_t count,
                         const Knowledge &knows) {
  if (checkMbarrier(origin, owner, offset, "arrives at") == Flow::Trap)
    return Flow::Trap;
  MbarrierRecord &record = *owner.mbarriers.find(offset);
  MbarrierState state = load(owner, offset);
  if (takeArrivals(origin, owner, offset, count, state, record) == Flow::Trap)
    return Flow::Trap;
  if (owner.order().enabled())
    record.arriving.merge(knows);
  return settlePhase(origin, owner, offset, state, record);
}

Flow raisePending(const Origin &origin, Cta &owner, uint32_t offset) {
  MbarrierState state = load(owner, offset);
  if (state.pending == MbarrierState::mostArrivals)
    return origin.trapAlways("B2", fmt::format("raises the pending count of {} above {}",
                                               describeMbarrier(owner, offset),
                                               MbarrierState::mostArrivals));
  ++state.pending;
  store(owner, offset, state);
  return Flow::Next;
}

Flow expectTxMbarrier(const Origin &origin, Cta &owner, uint32_t offset, uint32_t bytes) {
  if (checkMbarrier(origin, owner, offset, "expects bytes at") == Flow::Trap ||
      checkMbarrierPublished(origin, owner, offset) == Flow::Trap)
    return Flow::Trap;
  MbarrierRecord &record = *owner.mbarriers.find(offset);
  MbarrierState state = load(owner, offset);
  if (bytes != 0 && raiseTx(origin, owner, offset, bytes, 0, state, record) == Flow::Trap)
    return Flow::Trap;
  return settlePhase(origin, owner, offset, state, record);
}

Flow completeTxMbarrier(const Origin &origin, Cta &owner, uint32_t offset, uint32_t bytes,
                        AsyncId op) {
  if (checkMbarrier(origin, owner, offset, "signals bytes to") == Flow::Trap)
    return Flow::Trap;
  MbarrierRecord &record = *owner.mbarriers.find(offset);
  MbarrierState state = load(owner, offset);
  if (bytes != 0 &&
      raiseTx(origin, owner, offset, -int64_t{bytes}, op, state, record) == Flow::Trap)
    return Flow::Trap;
  if (op != 0)
    owner.order().signalCompletion(op, record.arriving);
  return settlePhase(origin, owner, offset, state, record);
}

Flow testMbarrier(const Origin &origin, Cta &owner, uint32_t offset, bool parity, bool &complete) {
  if (checkMbarrier(origin, owner, offset, "waits for") == Flow::Trap ||
      checkMbarrierPublished(origin, owner, offset) == Flow::Trap)
    return Flow::Trap;
  // The phase of `parity` is complete if the current one has the other parity. On a fresh barrier
  // that makes the phase before the first one complete: the idiom of producers.
  complete = load(owner, offset).parity != parity;
  return Flow::Next;
}

void acquireMbarrier(Warp &warp, Cta &owner, uint32_t offset) {
  if (const Knowledge *completed = observeMbarrier(warp, owner, offset))
    owner.order().acquire(warp.cta->numberOf(warp), *completed);
}

const Knowledge *observeMbarrier(Warp &warp, Cta &owner, uint32_t offset) {
  MbarrierRecord *record = owner.mbarriers.find(offset);
  if (!record)
    return nullptr;
  record->seen.resize(owner.warps.size());
  record->seen[warp.index] = record->phases;
  return &record->completed;
}

std::string explainMbarrier(const Cta &owner, uint32_t offset) {
  std::string text = describeMbarrier(owner, offset);
  auto found = owner.mbarriers.records.find(offset);
  if (found != owner.mbarriers.records.end() && !found->second.traffic.empty())
    text += "; " + listTraffic(owner, found->second.traffic);
  return text;
}

} // namespace msa::ptxsim

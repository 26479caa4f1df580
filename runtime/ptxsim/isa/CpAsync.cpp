//===- CpAsync.cpp - PTX ISA 9.7.9.25.3: cp.async, commit_group, wait_group ------------------===//
//
// A copy reads global memory when it is issued and writes shared memory at a time
// that the schedule chooses: at once (eager), at the wait that covers it (lazy), or
// either, copy by copy (random). Whenever it is, the bytes count as uninitialised
// until the issuing thread has waited, and reading them before is a trap (P2), so
// that a missing wait shows in any schedule.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/MemoryForms.h"

#include <algorithm>
#include <cstring>

namespace msa::ptxsim {

namespace {

/// Words of the operand list of a cp.async.
enum ListWord : unsigned { sharedBase, sharedOffset, sharedFlags, sourceSize, listWords };
/// Op::psrc: the ignore-src predicate (0: none); Op::count: bytes of the copy.

void apply(Cta &cta, PendingCopy &copy) {
  std::memcpy(cta.sharedRegion.host + copy.sharedOffset, copy.data, copy.bytes);
  copy.applied = true;
}

/// Copies for which isDone(copy) are complete.
template <class F> void finishCopies(Warp &w, F isDone) {
  Cta &cta = *w.cta;
  auto done = [&](PendingCopy &copy) {
    if (!isDone(copy))
      return false;
    if (!copy.applied)
      apply(cta, copy);
    if (cta.sharedRegion.shadow)
      std::memset(cta.sharedRegion.shadow + copy.sharedOffset, copy.tainted ? 0 : 1, copy.bytes);
    return true;
  };
  size_t before = w.copies.size();
  w.copies.erase(std::remove_if(w.copies.begin(), w.copies.end(), done), w.copies.end());
  cta.pendingCopies -= before - w.copies.size();
}

/// Reads the source of the lanes of `mask`, `bytes` each, into `data`.
Flow readSources(Warp &w, const Op &op, uint32_t mask, uint32_t bytes, uint8_t (*data)[16],
                 uint32_t &tainted) {
  uint32_t skipped = 0;
  return access(w, op, mask, bytes, op.count, AccessKind::Read, skipped,
                [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
                  tainted |= uninitialisedLanes(region, offsets, lanes, bytes);
                  forLanes(lanes, [&](int lane) {
                    std::memcpy(data[lane], hostOf(region, offsets, lane), bytes);
                  });
                  return Flow::Next;
                });
}

bool appliesNow(Cta &cta) {
  switch (cta.launch->options->schedule) {
  case ScheduleKind::Eager:
    return true;
  case ScheduleKind::Lazy:
    return false;
  case ScheduleKind::Random:
    return cta.nextRandom() & 1;
  }
  return true;
}

Flow copyAsync(Warp &w, const Op &op, uint32_t mask) {
  const uint32_t *words = &w.program->lists[op.target];
  Ref sizes = words[sourceSize];
  if (w.checkTaint((w.taintOf(sizes) | w.predicateTaint[op.psrc]) & mask, "the size of the source",
                   op) == Flow::Trap)
    return Flow::Trap;
  // Lanes by how much they read: nearly always all or nothing.
  uint32_t ignored = op.psrc ? w.predicates[op.psrc] ^ (op.pdst ? fullMask : 0) : 0, tainted = 0;
  uint8_t data[32][16] = {};
  const uint32_t *size = w.cells<uint32_t>(sizes);
  for (uint32_t left = mask & ~ignored; left != 0;) {
    uint32_t bytes = size[std::countr_zero(left)], group = 0;
    forLanes(left, [&](int lane) { group |= size[lane] == bytes ? 1u << lane : 0; });
    left &= ~group;
    if (bytes > op.count)
      return w.trapAlways(
          "X9", std::countr_zero(group),
          fmt::format("the source size {} is above the copy size {}", bytes, op.count));
    if (bytes != 0 && readSources(w, op, group, bytes, data, tainted) == Flow::Trap)
      return Flow::Trap;
  }
  Op target = op;
  target.a = words[sharedBase];
  target.immediate = static_cast<int32_t>(words[sharedOffset]);
  target.mode = static_cast<uint8_t>(StateSpace::Shared);
  target.mode2 = static_cast<uint8_t>(words[sharedFlags]);
  uint32_t skipped = 0;
  return access(w, target, mask, op.count, op.count, AccessKind::Write, skipped,
                [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
                  Cta &cta = *w.cta;
                  forLanes(lanes, [&](int lane) {
                    PendingCopy copy;
                    copy.lane = static_cast<uint32_t>(lane);
                    copy.sharedOffset = static_cast<uint32_t>(offsets.at[lane]);
                    copy.bytes = op.count;
                    std::memcpy(copy.data, data[lane], sizeof(copy.data));
                    copy.group = w.openCopyGroup[lane];
                    copy.tainted = (tainted >> lane) & 1;
                    copy.pc = w.pc;
                    copy.applied = false;
                    copy.ticket = ++w.copyTicket;
                    if (appliesNow(cta))
                      apply(cta, copy);
                    w.copies.push_back(copy);
                  });
                  cta.pendingCopies += static_cast<unsigned>(std::popcount(lanes));
                  markWritten(region, offsets, lanes, op.count, lanes);
                  return Flow::Next;
                });
}

Flow commitGroup(Warp &w, const Op &, uint32_t mask) {
  forLanes(mask, [&](int lane) { ++w.openCopyGroup[lane]; });
  return Flow::Next;
}

/// op.immediate: groups that may stay open; -1: also what is not committed is waited for.
Flow waitGroup(Warp &w, const Op &op, uint32_t mask) {
  if (w.copies.empty())
    return Flow::Next;
  uint32_t end[32];
  for (int lane = 0; lane < 32; ++lane) {
    int64_t open = w.openCopyGroup[lane];
    end[lane] = static_cast<uint32_t>(std::max<int64_t>(0, open - op.immediate));
  }
  finishCopies(w, [&](const PendingCopy &copy) {
    return ((mask >> copy.lane) & 1) && copy.group < end[copy.lane];
  });
  return Flow::Next;
}

} // namespace

void finishCopiesUpTo(Warp &w, int lane, uint64_t ticket) {
  finishCopies(w, [&](const PendingCopy &copy) {
    return copy.lane == static_cast<uint32_t>(lane) && copy.ticket <= ticket;
  });
}

bool decodeCpAsync(Decoder &d) {
  d.take("async");
  int cache = d.takeOneOf({"ca", "cg"});
  bool shared = d.takeOneOf({"shared", "shared::cta"}) >= 0, global = d.take("global");
  bool policy = d.take("L2::cache_hint");
  d.takeOneOf({"L2::64B", "L2::128B", "L2::256B"});
  if (cache < 0 || !shared || !global)
    return d.fail("{}: accepted: cp.async.ca and .cg .shared.global", d.spelling());
  if (!d.expectOperands(3 + policy, 4 + policy))
    return true;
  uint64_t bytes = d.immediate(d.operand(2), 4, 16);
  if ((bytes != 4 && bytes != 8 && bytes != 16) || (cache == 1 && bytes != 16))
    return d.fail("{}: a copy of {} bytes; accepted: 4, 8 and 16 with .ca, 16 with .cg",
                  d.spelling(), bytes);
  d.op.count = static_cast<uint16_t>(bytes);
  Ref size = d.constant(bytes, 32);
  if (d.operandCount() == 4u + policy) {
    const Operand &fourth = d.operand(3);
    if (d.isPredicate(fourth)) {
      d.op.psrc = d.predicateSource(fourth);
      d.op.pdst = fourth.negated;
    } else {
      size = d.source(fourth, *dataTypeFromWord("u32"));
    }
  }
  if (policy)
    d.source(d.operandCount() - 1, *dataTypeFromWord("b64"));
  setAddress(d, d.operand(0), StateSpace::Shared, 0);
  Ref base = d.op.a;
  if (d.op.immediate < INT32_MIN || d.op.immediate > INT32_MAX)
    return d.fail("{}: this offset is too large", d.spelling());
  d.op.target = d.list({base, static_cast<uint32_t>(d.op.immediate), d.op.mode2, size});
  setAddress(d, d.operand(1), StateSpace::Global, 0);
  d.program().sawAccess(StateSpace::Generic, static_cast<uint32_t>(bytes));
  d.set(&copyAsync, OpClass::Copy);
  return true;
}

bool decodeCpAsyncCommit(Decoder &d) {
  d.take("async");
  d.take("commit_group");
  d.expectOperands(0);
  d.set(&commitGroup, OpClass::Copy);
  return true;
}

bool decodeCpAsyncWait(Decoder &d) {
  d.take("async");
  d.op.immediate = -1;
  if (d.take("wait_group")) {
    if (d.expectOperands(1))
      d.op.immediate = static_cast<int64_t>(d.immediate(d.operand(0), 0, 1u << 20));
  } else {
    d.take("wait_all");
    d.expectOperands(0);
  }
  d.set(&waitGroup, OpClass::Copy);
  return true;
}

} // namespace msa::ptxsim

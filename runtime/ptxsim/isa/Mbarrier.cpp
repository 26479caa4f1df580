//===- Mbarrier.cpp - PTX ISA 9.7.13.15: mbarrier and cp.async.mbarrier.arrive
//------------------===//
//
// The barrier object is engine/Mbarrier.h; here are its instructions. Lanes execute
// one after the other, lowest first. A try_wait that is not satisfied suspends its
// lanes until the phase completes; when nothing else can happen, or now and then in a
// random schedule, its time limit passes and it returns false.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/AsyncForms.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/Fence.h"

#include <bit>

namespace msa::ptxsim {

namespace {

/// Op::mode of an arrival, and of expect_tx.
enum ArriveBits : uint8_t {
  dropBit = 1,
  noCompleteBit = 2,
  expectBit = 4,
  relaxedBit = 8,
  remoteBit = 16, ///< may be in another CTA
  stateBit = 32,  ///< there is a destination for the state
};

/// Calls body(origin, owner, offset) for every lane.
template <class Body> Flow eachBarrier(Warp &w, const Op &op, uint32_t mask, Body body) {
  if (checkAddress(w, op, op.target, mask, "the address of the mbarrier") == Flow::Trap)
    return Flow::Trap;
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    int lane = std::countr_zero(left);
    Origin origin = Origin::of(w, lane);
    Cta *owner = nullptr;
    uint32_t offset = 0;
    if (resolveMbarrier(origin, addressAt(w, op.target, lane), op.mode & remoteBit, owner,
                        offset) == Flow::Trap)
      return Flow::Trap;
    if (Flow flow = body(origin, *owner, offset); flow != Flow::Next)
      return flow;
  }
  return Flow::Next;
}

Flow initialise(Warp &w, const Op &op, uint32_t mask) {
  if (w.checkTaint(w.taintOf(op.b) & mask, "the expected count", op) == Flow::Trap)
    return Flow::Trap;
  return eachBarrier(w, op, mask, [&](const Origin &origin, Cta &owner, uint32_t offset) {
    if (offset % 8 != 0)
      return origin.trapAlways("B5", "an mbarrier must be aligned to 8 bytes; " +
                                         describeShared(owner, offset) + " is not");
    if (checkSharedExtent(origin, owner, offset, 8, Check::X5, "the mbarrier") == Flow::Trap)
      return Flow::Trap;
    // Whoever used these bytes before must be done with them.
    if (owner.asyncShadow.used() && !owner.asyncShadow.hasBarrier(offset) &&
        plainAccessOfShared(w, owner, offset, 8, true, origin.lane) == Flow::Trap)
      return Flow::Trap;
    return initMbarrier(origin, owner, offset, w.cells<uint32_t>(op.b)[origin.lane]);
  });
}

Flow invalidate(Warp &w, const Op &op, uint32_t mask) {
  return eachBarrier(w, op, mask, [](const Origin &origin, Cta &owner, uint32_t offset) {
    return invalidateMbarrier(origin, owner, offset);
  });
}

Flow arrive(Warp &w, const Op &op, uint32_t mask) {
  if (w.checkTaint((w.taintOf(op.b) | w.taintOf(op.c)) & mask, "the count", op) == Flow::Trap)
    return Flow::Trap;
  return eachBarrier(w, op, mask, [&](const Origin &origin, Cta &owner, uint32_t offset) {
    MbarrierArrival arrival;
    arrival.count = w.cells<uint32_t>(op.b)[origin.lane];
    arrival.expects = op.mode & expectBit;
    arrival.expectTx = w.cells<uint32_t>(op.c)[origin.lane];
    arrival.drop = op.mode & dropBit;
    arrival.noComplete = op.mode & noCompleteBit;
    arrival.release = !(op.mode & relaxedBit);
    arrival.fenced = arrival.release ? nullptr : releasedByFence(w);
    uint64_t before = 0;
    if (arriveMbarrier(origin, owner, offset, arrival, before) == Flow::Trap)
      return Flow::Trap;
    if (op.mode & stateBit) {
      w.cells<uint64_t>(op.dst)[origin.lane] = before;
      w.setTaint(op.dst, 1u << origin.lane, 0);
    }
    return Flow::Next;
  });
}

Flow expectTx(Warp &w, const Op &op, uint32_t mask) {
  if (w.checkTaint(w.taintOf(op.c) & mask, "the number of bytes", op) == Flow::Trap)
    return Flow::Trap;
  return eachBarrier(w, op, mask, [&](const Origin &origin, Cta &owner, uint32_t offset) {
    return expectTxMbarrier(origin, owner, offset, w.cells<uint32_t>(op.c)[origin.lane]);
  });
}

Flow completeTx(Warp &w, const Op &op, uint32_t mask) {
  if (w.checkTaint(w.taintOf(op.c) & mask, "the number of bytes", op) == Flow::Trap)
    return Flow::Trap;
  return eachBarrier(w, op, mask, [&](const Origin &origin, Cta &owner, uint32_t offset) {
    return completeTxMbarrier(origin, owner, offset, w.cells<uint32_t>(op.c)[origin.lane], 0);
  });
}

/// Op::mode of a wait.
enum WaitBits : uint8_t { parityBit = 1, tryBit = 2, relaxedWaitBit = 4 };

Flow wait(Warp &w, const Op &op, uint32_t mask) {
  if (w.checkTaint(w.taintOf(op.a) & mask, "the phase to wait for", op) == Flow::Trap)
    return Flow::Trap;
  uint32_t complete = 0;
  uint64_t key = 0;
  Op local = op;
  local.mode = remoteBit;
  Flow flow = eachBarrier(w, local, mask, [&](const Origin &origin, Cta &owner, uint32_t offset) {
    if (&owner != w.cta)
      return origin.trapAlways(
          "B5",
          fmt::format("waits for an mbarrier of CTA {} of the cluster; only the CTA's own can "
                      "be waited for: let the other CTA arrive at one here",
                      owner.rank));
    bool parity = op.mode & parityBit
                      ? w.cells<uint32_t>(op.a)[origin.lane] & 1
                      : MbarrierState::unpack(w.cells<uint64_t>(op.a)[origin.lane]).parity;
    bool done = false;
    if (testMbarrier(origin, owner, offset, parity, done) == Flow::Trap)
      return Flow::Trap;
    if (done || waitKeyOf(owner, offset) == w.grantedKey) {
      complete |= 1u << origin.lane;
      if (!(op.mode & relaxedWaitBit))
        acquireMbarrier(w, owner, offset);
      else if (const Knowledge *completed = observeMbarrier(w, owner, offset))
        awaitFence(w, *completed);
    } else if (key == 0) {
      key = waitKeyOf(owner, offset);
    }
    return Flow::Next;
  });
  w.grantedKey = 0;
  if (flow == Flow::Trap)
    return flow;
  Cta &cta = *w.cta;
  ++cta.tally.mbarrierTests;
  cta.tally.mbarrierRefusals += complete != mask;
  bool limit = w.timedOut || (cta.schedule() == ScheduleKind::Random && cta.nextRandom() % 8 == 0);
  if (complete != mask && (op.mode & tryBit) && !limit) {
    w.waitKey = key;
    w.waitFor = nullptr;
    return Flow::Suspend;
  }
  w.setPredicate(op.pdst, mask, complete, 0);
  return complete == mask ? Flow::Next : Flow::Yield;
}

Flow pendingCount(Warp &w, const Op &op, uint32_t mask) {
  w.setTaint(op.dst, mask, w.taintOf(op.a));
  forLanes(mask, [&](int lane) {
    w.cells<uint32_t>(op.dst)[lane] = MbarrierState::unpack(w.cells<uint64_t>(op.a)[lane]).pending;
  });
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

bool takeB64(Decoder &d) {
  return d.take("b64") || !d.fail("{}: the type .b64 is missing", d.spelling());
}

/// .shared, .shared::cta or nothing: the CTA's own barriers only.
int takeOwnSpace(Decoder &d) {
  int space = takeSharedSpace(d);
  if (space == 2)
    d.fail("{}: .shared::cluster; accepted: .shared::cta", d.spelling());
  return space;
}

/// [addr] of an mbarrier, first in the lists.
void setBarrier(Decoder &d, const Operand &o, int space) {
  StateSpace where = space == 0   ? StateSpace::Generic
                     : space == 1 ? StateSpace::Shared
                                  : StateSpace::SharedCluster;
  d.op.target = appendAddress(d, o, where);
  if (space != 1)
    d.op.mode |= remoteBit;
}

bool decodeArrive(Decoder &d, bool drop) {
  bool noComplete = d.take("noComplete"), expects = d.take("expect_tx"), relaxed = false;
  bool cluster = d.has("cluster");
  if (!takeSemantics(d, "release", relaxed))
    return true;
  int space = takeSharedSpace(d);
  if (!takeB64(d))
    return true;
  if (noComplete && (expects || relaxed || cluster || space == 2))
    return d.fail("{}: .noComplete goes with .release.cta and .shared::cta only", d.spelling());
  // The state, [addr], and a count (of arrivals, or of bytes).
  unsigned least = noComplete || expects ? 3 : 2;
  if (!d.expectOperands(least, 3))
    return true;
  d.op.mode = static_cast<uint8_t>((drop ? dropBit : 0) | (noComplete ? noCompleteBit : 0) |
                                   (expects ? expectBit : 0) | (relaxed ? relaxedBit : 0));
  const Operand &state = d.operand(0);
  if (state.kind != Operand::Kind::Sink) {
    if (space == 2)
      return d.failAt(state.location, fmt::format("{}: an arrival at shared::cluster returns no "
                                                  "state; accepted: _",
                                                  d.spelling()));
    d.op.dst = d.destination(0, *dataTypeFromWord("b64"));
    d.op.mode |= stateBit;
  }
  setBarrier(d, d.operand(1), space);
  d.op.b = d.constant(1, 32);
  d.op.c = d.constant(0, 32);
  if (d.operandCount() == 3)
    (expects ? d.op.c : d.op.b) = sourceOf(d, d.operand(2), "u32");
  if (!expects && d.operandCount() == 3 && d.isImmediate(d.operand(2)))
    d.immediate(d.operand(2), 1, MbarrierState::mostArrivals);
  d.set(&arrive, OpClass::Barrier);
  return true;
}

bool decodeTx(Decoder &d, Handler handler) {
  bool relaxed = false;
  if (!takeSemantics(d, nullptr, relaxed))
    return true;
  int space = takeSharedSpace(d);
  if (!takeB64(d) || !d.expectOperands(2))
    return true;
  setBarrier(d, d.operand(0), space);
  d.op.c = sourceOf(d, d.operand(1), "u32");
  d.set(handler, OpClass::Barrier);
  return true;
}

bool decodeWait(Decoder &d, bool tries) {
  bool parity = d.take("parity"), relaxed = false;
  if (!takeSemantics(d, "acquire", relaxed))
    return true;
  int space = takeSharedSpace(d);
  if (!takeB64(d) || !d.expectOperands(3, tries ? 4 : 3))
    return true;
  if (space == 2)
    return d.fail("{}: only the CTA's own mbarriers can be waited for (.shared::cta)",
                  d.spelling());
  d.op.pdst = d.predicateSource(d.operand(0));
  setBarrier(d, d.operand(1), space);
  d.op.mode = static_cast<uint8_t>((parity ? parityBit : 0) | (tries ? tryBit : 0) |
                                   (relaxed ? relaxedWaitBit : 0));
  d.op.a = sourceOf(d, d.operand(2), parity ? "u32" : "b64");
  if (parity && d.isImmediate(d.operand(2)))
    d.immediate(d.operand(2), 0, 1);
  if (d.operandCount() == 4)
    sourceOf(d, d.operand(3), "u32");
  d.set(&wait, OpClass::Barrier);
  return true;
}

} // namespace

bool decodeMbarrier(Decoder &d) {
  if (d.take("init")) {
    int space = takeOwnSpace(d);
    if (!takeB64(d) || !d.expectOperands(2))
      return true;
    setBarrier(d, d.operand(0), space);
    d.op.mode = 0;
    d.op.b = sourceOf(d, d.operand(1), "u32");
    d.set(&initialise, OpClass::Barrier);
    return true;
  }
  if (d.take("inval")) {
    int space = takeOwnSpace(d);
    if (!takeB64(d) || !d.expectOperands(1))
      return true;
    setBarrier(d, d.operand(0), space);
    d.op.mode = 0;
    d.set(&invalidate, OpClass::Barrier);
    return true;
  }
  // Before .expect_tx, which may follow them.
  if (d.take("arrive"))
    return decodeArrive(d, false);
  if (d.take("arrive_drop"))
    return decodeArrive(d, true);
  if (d.take("expect_tx"))
    return decodeTx(d, &expectTx);
  if (d.take("complete_tx"))
    return decodeTx(d, &completeTx);
  if (d.take("test_wait"))
    return decodeWait(d, false);
  if (d.take("try_wait"))
    return decodeWait(d, true);
  if (d.take("pending_count")) {
    if (!takeB64(d) || !d.expectOperands(2))
      return true;
    d.op.dst = d.destination(0, *dataTypeFromWord("u32"));
    d.op.a = d.source(1, *dataTypeFromWord("b64"));
    d.set(&pendingCount, OpClass::Barrier);
    return true;
  }
  return d.fail("{}: accepted: mbarrier.init, .inval, .expect_tx, .complete_tx, .arrive, "
                ".arrive_drop, .test_wait, .try_wait and .pending_count",
                d.spelling());
}

//===----------------------------------------------------------------------===//
// cp.async.mbarrier.arrive (9.7.13.15.17)
//===----------------------------------------------------------------------===//

namespace {

/// Arrives when the cp.async operations that its thread had issued are complete.
class CopyArrival final : public AsyncOp {
public:
  CopyArrival(const Origin &origin, AsyncId id, Cta &owner, uint32_t offset)
      : AsyncOp(origin, id), owner(owner), offset(offset), ticket(origin.warp->copyTicket) {
    if (owner.order().enabled())
      owner.order().release(origin.number(), knows);
  }
  Flow step() override {
    finishCopiesUpTo(*origin.warp, origin.lane, ticket);
    return asyncArriveMbarrier(origin, owner, offset, 1, knows);
  }

private:
  Cta &owner;
  uint32_t offset;
  uint64_t ticket;
  Knowledge knows; ///< of the thread when it issued this
};

constexpr uint8_t keepsCountBit = 32; ///< Op::mode2: .noinc

Flow copyArrive(Warp &w, const Op &op, uint32_t mask) {
  return eachBarrier(w, op, mask, [&](const Origin &origin, Cta &owner, uint32_t offset) {
    if (checkMbarrier(origin, owner, offset, "arrives at") == Flow::Trap)
      return Flow::Trap;
    if (!(op.mode2 & keepsCountBit) && raisePending(origin, owner, offset) == Flow::Trap)
      return Flow::Trap;
    AsyncId id =
        owner.order().begin(origin.number(), w.pc, origin.lane, "cp.async.mbarrier.arrive");
    return w.cta->cluster->async.issue(std::make_unique<CopyArrival>(origin, id, owner, offset));
  });
}

} // namespace

bool decodeCpAsyncMbarrier(Decoder &d) {
  d.take("async");
  d.take("mbarrier");
  if (!d.take("arrive"))
    return d.fail("{}: accepted: cp.async.mbarrier.arrive", d.spelling());
  bool noInc = d.take("noinc");
  int space = takeOwnSpace(d);
  if (!takeB64(d) || !d.expectOperands(1))
    return true;
  setBarrier(d, d.operand(0), space);
  d.op.mode = 0;
  d.op.mode2 = noInc ? keepsCountBit : 0;
  d.set(&copyArrive, OpClass::Copy);
  return true;
}

} // namespace msa::ptxsim

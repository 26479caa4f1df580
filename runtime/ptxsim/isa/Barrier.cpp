//===- Barrier.cpp - PTX ISA 9.7.13: bar, barrier, bar.warp.sync -----------------------===//
//
// Threads arrive at a barrier warp by warp: a warp counts when all of its living
// lanes have arrived.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

#include <bit>

namespace msa::ptxsim {

namespace {

/// Op::mode of a barrier instruction.
enum BarrierMode : uint8_t { alignedBit = 1, arriveBit = 2, hasCountBit = 4, reduceBit = 8 };
/// Op::mode2 of barrier.red: which reduction; 8 = the operand is negated.
enum Reduction : uint8_t { reduceAnd, reduceOr, reducePopc, negatedBit = 8 };

/// The value of an operand that must be the same in all lanes.
bool uniformValue(Warp &w, Ref ref, uint32_t mask, const char *what, uint32_t &value) {
  const uint32_t *cells = w.cells<uint32_t>(ref);
  int first = std::countr_zero(mask);
  value = cells[first];
  for (uint32_t left = mask; left != 0; left &= left - 1)
    if (int lane = std::countr_zero(left); cells[lane] != value) {
      w.trapAlways(
          "X1", lane,
          fmt::format("{} is {} here and {} in lane {}; all threads of a warp must give the same",
                      what, cells[lane], value, first));
      return false;
    }
  return true;
}

bool checkArrival(Warp &w, uint32_t mask, unsigned id, bool hasCount, uint32_t count, bool waits) {
  Cta &cta = *w.cta;
  int lane = std::countr_zero(mask);
  auto wrong = [&](std::string text) {
    w.trapAlways("X2", lane, std::move(text));
    return false;
  };
  if (id > 15)
    return wrong(fmt::format("barrier {}: there are barriers 0 to 15", id));
  uint32_t most = cta.launch->warps * 32;
  if (hasCount && (count % 32 != 0 || count == 0 || count > most))
    return wrong(fmt::format(
        "barrier {} with {} threads: the count must be a multiple of 32 and at most the CTA's {}",
        id, count, most));
  Barrier &barrier = cta.barriers[id];
  uint32_t expected = hasCount ? count / 32 : 0;
  if (barrier.busy && barrier.expectedWarps != expected)
    return wrong(fmt::format("barrier {} is waited for with {} here and with {} by others", id,
                             expected ? fmt::format("{} threads", expected * 32) : "all threads",
                             barrier.expectedWarps
                                 ? fmt::format("{} threads", barrier.expectedWarps * 32)
                                 : "all threads"));
  // A warp that only signalled counts again when it comes to wait (Barrier::earlier).
  bool signalled = waits && hasCount && !((barrier.waiters >> w.index) & 1);
  if (signalled && (barrier.arrived[w.index] & mask) &&
      (w.alive & ~barrier.arrived[w.index]) == 0) {
    ++barrier.earlier[w.index];
    barrier.arrived[w.index] = 0;
  }
  if (barrier.arrived[w.index] & mask)
    return wrong(
        fmt::format("this thread arrives at barrier {} again before the others have come", id));
  barrier.expectedWarps = expected;
  return true;
}

Flow barrierOp(Warp &w, const Op &op, uint32_t mask) {
  if ((op.mode & alignedBit) && mask != w.alive && w.cta->launch->checks.on(Check::X1)) {
    w.need = w.alive;
    return Flow::Converge;
  }
  if (w.checkTaint((w.taintOf(op.a) | w.taintOf(op.b)) & mask, "the barrier's number or count",
                   op) == Flow::Trap)
    return Flow::Trap;
  uint32_t id = 0, count = 0;
  bool hasCount = op.mode & hasCountBit, waits = !(op.mode & arriveBit);
  if (!uniformValue(w, op.a, mask, "the barrier's number", id) ||
      (hasCount && !uniformValue(w, op.b, mask, "the thread count", count)) ||
      !checkArrival(w, mask, id, hasCount, count, waits))
    return Flow::Trap;
  Barrier &barrier = w.cta->barriers[id];
  bool reduces = op.mode & reduceBit;
  if (reduces) {
    if (w.checkTaint(w.predicateTaint[op.psrc] & mask, "the operand of this reduction", op) ==
        Flow::Trap)
      return Flow::Trap;
    uint32_t value = w.predicates[op.psrc] ^ (op.mode2 & negatedBit ? fullMask : 0);
    barrier.trueLanes += static_cast<uint32_t>(std::popcount(value & mask));
    barrier.lanes += static_cast<uint32_t>(std::popcount(mask));
    barrier.results.push_back({&w, &op, mask});
  }
  if (w.cta->arrive(w, id, mask, waits) || !waits)
    return Flow::Next;
  w.waitBarrier = static_cast<uint8_t>(id);
  return Flow::Wait;
}

} // namespace

void finishReduction(const ReductionWaiter &waiter, const Barrier &barrier) {
  Warp &w = *waiter.warp;
  const Op &op = *waiter.op;
  if ((op.mode2 & 7) == reducePopc) {
    forLanes(waiter.lanes, [&](int lane) { w.cells<uint32_t>(op.dst)[lane] = barrier.trueLanes; });
    w.setTaint(op.dst, waiter.lanes, 0);
    return;
  }
  bool result =
      (op.mode2 & 7) == reduceAnd ? barrier.trueLanes == barrier.lanes : barrier.trueLanes != 0;
  w.setPredicate(op.pdst, waiter.lanes, result ? fullMask : 0, 0);
}

namespace {

Flow warpSync(Warp &w, const Op &op, uint32_t mask) {
  if (w.checkTaint(w.taintOf(op.a) & mask, "the member mask", op) == Flow::Trap)
    return Flow::Trap;
  const uint32_t *members = w.cells<uint32_t>(op.a);
  uint32_t need = 0;
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    int lane = std::countr_zero(left);
    if (!((members[lane] >> lane) & 1) &&
        w.trap(Check::X7, lane,
               fmt::format("the member mask 0x{:08x} does not name the executing lane",
                           members[lane])) == Flow::Trap)
      return Flow::Trap;
    need |= members[lane];
  }
  if (need & w.alive & ~mask) {
    w.need = need & w.alive;
    return Flow::Converge;
  }
  return Flow::Next;
}

} // namespace

bool decodeBar(Decoder &d) {
  d.take("cta");
  if (d.take("warp")) {
    if (!d.take("sync") || !d.expectOperands(1))
      return d.failed() || d.fail("{}: accepted: bar.warp.sync membermask", d.spelling());
    d.op.a = d.source(0, *dataTypeFromWord("b32"));
    d.set(&warpSync, OpClass::WarpLevel);
    return true;
  }
  int kind = d.takeOneOf({"sync", "arrive", "red"});
  // bar is barrier.aligned.
  bool aligned = d.inst.opcode == "bar" || d.has("aligned");
  d.take("aligned");
  if (kind < 0)
    return d.fail("{}: .sync, .arrive or .red is missing", d.spelling());
  d.op.mode = static_cast<uint8_t>((aligned ? alignedBit : 0) | (kind == 1 ? arriveBit : 0) |
                                   (kind == 2 ? reduceBit : 0));
  DataType word = *dataTypeFromWord("u32");
  unsigned first = 0;
  if (kind == 2) {
    int which = d.takeOneOf({"and", "or", "popc"});
    DataType type = d.takeType();
    if (which < 0 || (which == 2) != type.is("u32") ||
        (which != 2 && type.kind != DataType::Kind::Predicate))
      return d.fail("{}: accepted: .red.popc.u32, .red.and.pred, .red.or.pred", d.spelling());
    if (!d.expectOperands(3, 4))
      return true;
    if (which == 2)
      d.op.dst = d.destination(0, word);
    else
      d.op.pdst = d.predicateDestination(d.operand(0));
    const Operand &last = d.operand(d.operandCount() - 1);
    d.op.psrc = d.predicateSource(last);
    d.op.mode2 = static_cast<uint8_t>(which | (last.negated ? negatedBit : 0));
    first = 1;
  } else if (!d.expectOperands(kind == 1 ? 2 : 1, 2)) {
    return true;
  }
  bool hasCount = d.operandCount() - first - (kind == 2) == 2;
  d.op.a = d.source(first, word);
  d.op.b = d.constant(0, 32);
  if (hasCount) {
    d.op.b = d.source(first + 1, word);
    d.op.mode |= hasCountBit;
  }
  d.set(&barrierOp, OpClass::Barrier);
  return true;
}

} // namespace msa::ptxsim

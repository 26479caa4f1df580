//===- Tcgen05Alloc.cpp - PTX ISA 9.7.16.7: tcgen05.alloc, .dealloc, .relinquish_alloc_permit
//-----===//
//
// One warp allocates columns and gets their address in shared memory. With
// .cta_group::2 a warp of each CTA of the pair takes part: the first to come is
// suspended, the second allocates (or frees) in both, and each writes its own address.
// An allocation that does not fit waits for a dealloc.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/MemoryForms.h"
#include "ptxsim/isa/Tcgen05Forms.h"

#include <bit>
#include <cstring>

namespace msa::ptxsim {

namespace {

uint64_t allocationKey(const Cta &cta) {
  return makeWaitKey(WaitKind::TensorAllocation, cta.rank, 0);
}

Flow suspend(Warp &w, const char *waitFor) {
  w.waitKey = allocationKey(*w.cta);
  w.waitFor = waitFor;
  return Flow::Suspend;
}

/// The rules that hold for every allocation (T3).
Flow checkAllocation(const Origin &origin, const TensorCore &core, uint32_t columns) {
  if (!std::has_single_bit(columns) || columns < 32 || columns > tensorColumns)
    return origin.trapAlways("T3",
                             fmt::format("{} columns; accepted: 32, 64, 128, 256, 512", columns));
  if (core.relinquished &&
      origin.trap(
          Check::T3,
          fmt::format("the CTA has given up its permit to allocate at line {}",
                      origin.warp->program->instruction(core.relinquishPc).location.line)) ==
          Flow::Trap)
    return Flow::Trap;
  if (core.newestColumns != 0 && columns > core.newestColumns)
    return origin.trap(Check::T3,
                       fmt::format("{} columns after an allocation of {}; sizes must not "
                                   "grow within a CTA",
                                   columns, core.newestColumns));
  return Flow::Next;
}

/// Writes the address to shared memory, as an ordinary store of the warp's lowest lane.
Flow writeAddress(Warp &w, const Op &op, uint32_t mask, uint32_t address) {
  uint32_t skipped = 0;
  return access(w, op, 1u << std::countr_zero(mask), 4, 4, AccessKind::Write, skipped,
                [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
                  if (region.space != StateSpace::Shared)
                    return w.trapAlways("X5", std::countr_zero(lanes),
                                        "the destination is not in the CTA's shared memory");
                  std::memcpy(hostOf(region, offsets, std::countr_zero(lanes)), &address, 4);
                  if (region.shadow)
                    markWritten(region, offsets, lanes, 4, 0);
                  return Flow::Next;
                });
}

/// The address that an allocation of `columns` gets in all of `ctas`; nothing if it does not fit.
std::optional<uint32_t> findInAll(Cta *const *ctas, unsigned count, uint32_t columns) {
  // Both CTAs of a pair allocate the same way, so their free columns agree.
  std::optional<uint32_t> first = tensorCoreOf(*ctas[0]).memory.findFree(columns);
  for (unsigned i = 1; i < count; ++i)
    if (tensorCoreOf(*ctas[i]).memory.findFree(columns) != first)
      return std::nullopt;
  return first;
}

void take(Cta &cta, uint32_t first, uint32_t columns, uint32_t pc, uint32_t warp) {
  TensorCore &core = tensorCoreOf(cta);
  core.memory.allocate(first, columns, pc, warp);
  core.newestColumns = columns;
}

/// What a collective instruction of a pair does when its warp comes: nothing more (Done, on the
/// second execution of the warp that came first), wait for the other, or act for both.
enum class PairStep : uint8_t { Finish, Wait, Act, Trapped };
PairStep meetPeer(const Origin &origin, Cta &peer, bool allocates, uint32_t columns,
                  uint32_t address) {
  Warp &w = *origin.warp;
  TensorCore::Collective &mine = tensorCoreOf(origin.cta()).collective,
                         &others = tensorCoreOf(peer).collective;
  using Step = TensorCore::Collective::Step;
  if (mine.step == Step::Done && mine.warp == w.index && mine.pc == w.pc)
    return PairStep::Finish;
  if (mine.step != Step::None && (mine.warp != w.index || mine.pc != w.pc)) {
    origin.trapAlways("T3", fmt::format("warp {} of this CTA is in a collective tcgen05 "
                                        "instruction of the pair already (line {})",
                                        mine.warp, w.program->instruction(mine.pc).location.line));
    return PairStep::Trapped;
  }
  if (others.step != Step::Waiting) {
    mine = {Step::Waiting, allocates, w.index, w.pc, columns, address};
    return PairStep::Wait;
  }
  if (others.allocates == allocates && others.columns == columns &&
      (allocates || others.address == address))
    return PairStep::Act;
  origin.trapAlways(allocates ? "T3" : "T2",
                    fmt::format("the peer CTA executes tcgen05.{} of {} columns at line {}; both "
                                "CTAs of a pair must do the same",
                                others.allocates ? "alloc" : "dealloc", others.columns,
                                w.program->instruction(others.pc).location.line));
  return PairStep::Trapped;
}

constexpr const char *waitForPeer =
    "a warp of the peer CTA to execute the same (.cta_group::2 is collective)";
constexpr const char *waitForColumns =
    "free columns of tensor memory (a tcgen05.dealloc by somebody who still has some)";

Flow allocatePair(Warp &w, const Op &op, uint32_t mask, const Origin &origin, uint32_t columns) {
  Cta *ctas[2];
  TensorCore::Collective &mine = tensorCoreOf(*w.cta).collective;
  using Step = TensorCore::Collective::Step;
  // The peer may have ended after it had acted for both.
  const bool done = mine.step == Step::Done && mine.warp == w.index && mine.pc == w.pc;
  if (!done && ctasOfGroup(origin, 2, ctas) == 0)
    return Flow::Trap;
  if (done) {
    uint32_t address = mine.address;
    mine = {};
    return writeAddress(w, op, mask, address);
  }
  Cta &peer = *ctas[1];
  PairStep step = meetPeer(origin, peer, true, columns, 0);
  if (step == PairStep::Trapped)
    return Flow::Trap;
  if (step == PairStep::Wait)
    return suspend(w, waitForPeer);
  std::optional<uint32_t> first = findInAll(ctas, 2, columns);
  if (!first)
    return suspend(w, waitForColumns);
  TensorCore::Collective &others = tensorCoreOf(peer).collective;
  take(*w.cta, *first, columns, w.pc, w.index);
  take(peer, *first, columns, others.pc, others.warp);
  others.step = Step::Done;
  others.address = *first;
  mine = {};
  w.cta->cluster->wake(allocationKey(peer));
  ++w.cta->cluster->events;
  return writeAddress(w, op, mask, *first);
}

/// Op::a and on: where the address goes; Op::b: columns; Op::count: CTAs of the group.
Flow allocate(Warp &w, const Op &op, uint32_t mask) {
  if (Flow flow = wholeWarp(w, mask); flow != Flow::Next)
    return flow;
  Origin origin = Origin::of(w, std::countr_zero(mask));
  if (w.checkTaint(w.taintOf(op.b) & mask, "the number of columns", op) == Flow::Trap ||
      checkUniform(w, op.b, "the number of columns") == Flow::Trap)
    return Flow::Trap;
  TensorCore &core = tensorCoreOf(*w.cta);
  const uint32_t columns = w.cells<uint32_t>(op.b)[origin.lane];
  if (op.count == 2)
    return core.collective.step == TensorCore::Collective::Step::None &&
                   checkAllocation(origin, core, columns) == Flow::Trap
               ? Flow::Trap
               : allocatePair(w, op, mask, origin, columns);
  if (checkAllocation(origin, core, columns) == Flow::Trap)
    return Flow::Trap;
  Cta *self = w.cta;
  std::optional<uint32_t> first = findInAll(&self, 1, columns);
  if (!first)
    return suspend(w, waitForColumns);
  take(*self, *first, columns, w.pc, w.index);
  return writeAddress(w, op, mask, *first);
}

/// The allocation that starts at the address; null and a trap (T2) if it is none of that size.
TensorMemory::Allocation *findAllocation(const Origin &origin, TensorCore &core, uint32_t address,
                                         uint32_t columns) {
  const TensorAddress at = TensorAddress::unpack(address);
  TensorMemory::Allocation *found = core.memory.allocationAt(at.column);
  auto line = [&](uint32_t pc) { return origin.warp->program->instruction(pc).location.line; };
  std::string wrong;
  if (!found)
    wrong = fmt::format("nothing is allocated at column {}", at.column);
  else if (!found->live)
    wrong = fmt::format("the {} columns from {} on were given back at line {} already",
                        found->columns, found->first, line(found->freePc));
  else if (found->first != at.column || at.lane != 0 || found->columns != columns)
    wrong = fmt::format("lane {}, column {} and {} columns; the allocation of line {} is lane 0, "
                        "column {} and {} columns, and is given back as a whole",
                        at.lane, at.column, columns, line(found->pc), found->first, found->columns);
  if (wrong.empty())
    return found;
  origin.trapAlways("T2", wrong);
  return nullptr;
}

Flow freeIn(const Origin &origin, Cta &owner, uint32_t address, uint32_t columns, uint32_t pc) {
  TensorCore &core = tensorCoreOf(owner);
  TensorMemory::Allocation *found = findAllocation(origin, core, address, columns);
  if (!found || core.checkIdle(origin, owner, {found->first, found->columns, 0xFF}) == Flow::Trap)
    return Flow::Trap;
  core.memory.release(*found, pc);
  owner.cluster->wake(allocationKey(owner));
  ++owner.cluster->events;
  return Flow::Next;
}

Flow freePair(Warp &w, const Origin &origin, uint32_t address, uint32_t columns) {
  TensorCore &core = tensorCoreOf(*w.cta);
  TensorCore::Collective &mine = core.collective;
  using Step = TensorCore::Collective::Step;
  if (mine.step == Step::Done && mine.warp == w.index && mine.pc == w.pc) {
    mine = {};
    return Flow::Next;
  }
  Cta *ctas[2];
  if (ctasOfGroup(origin, 2, ctas) == 0)
    return Flow::Trap;
  // Each warp answers for the accesses to its own CTA's memory, when it comes.
  if (mine.step == Step::None && freeIn(origin, *w.cta, address, columns, w.pc) == Flow::Trap)
    return Flow::Trap;
  Cta &peer = *ctas[1];
  PairStep step = meetPeer(origin, peer, false, columns, address);
  if (step == PairStep::Trapped)
    return Flow::Trap;
  if (step == PairStep::Wait)
    return suspend(w, waitForPeer);
  tensorCoreOf(peer).collective.step = Step::Done;
  mine = {};
  w.cta->cluster->wake(allocationKey(peer));
  return Flow::Next;
}

/// Op::a: the address; Op::b: columns; Op::count: CTAs of the group.
Flow deallocate(Warp &w, const Op &op, uint32_t mask) {
  if (Flow flow = wholeWarp(w, mask); flow != Flow::Next)
    return flow;
  Origin origin = Origin::of(w, std::countr_zero(mask));
  if (w.checkTaint((w.taintOf(op.a) | w.taintOf(op.b)) & mask, "the address or number of columns",
                   op) == Flow::Trap ||
      checkUniform(w, op.a, "the address") == Flow::Trap ||
      checkUniform(w, op.b, "the number of columns") == Flow::Trap)
    return Flow::Trap;
  const uint32_t address = w.cells<uint32_t>(op.a)[origin.lane],
                 columns = w.cells<uint32_t>(op.b)[origin.lane];
  return op.count == 2 ? freePair(w, origin, address, columns)
                       : freeIn(origin, *w.cta, address, columns, w.pc);
}

Flow relinquish(Warp &w, const Op &, uint32_t mask) {
  if (Flow flow = wholeWarp(w, mask); flow != Flow::Next)
    return flow;
  TensorCore &core = tensorCoreOf(*w.cta);
  core.relinquished = true;
  core.relinquishPc = w.pc;
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// Takes what the three have in common.
bool takeCommon(Decoder &d, std::string_view name, unsigned operands) {
  d.take(name);
  d.op.count = static_cast<uint16_t>(takeCtaGroup(d));
  return d.op.count != 0 && requireTensorCore(d) && takeSyncAligned(d) &&
         d.expectOperands(operands);
}

/// The number of columns; a constant is judged here, as ptxas does.
Ref takeColumns(Decoder &d, const Operand &o) {
  if (d.isImmediate(o) && (!std::has_single_bit(o.bits) || o.bits < 32 || o.bits > tensorColumns))
    d.failAt(o.location,
             fmt::format("{}: {} columns; accepted: 32, 64, 128, 256, 512", d.spelling(), o.bits));
  return d.source(o, *dataTypeFromWord("u32"));
}

} // namespace

bool decodeTensorAlloc(Decoder &d) {
  const bool shared = d.take("shared::cta");
  if (!takeCommon(d, "alloc", 2))
    return true;
  if (!d.take("b32"))
    return d.fail("{}: the type .b32 is missing", d.spelling());
  const StateSpace space = shared ? StateSpace::Shared : StateSpace::Generic;
  setAddress(d, d.operand(0), space, 0);
  d.program().sawAccess(space, 4);
  d.op.b = takeColumns(d, d.operand(1));
  d.set(&allocate, OpClass::Special);
  return true;
}

bool decodeTensorDealloc(Decoder &d) {
  if (!takeCommon(d, "dealloc", 2))
    return true;
  if (!d.take("b32"))
    return d.fail("{}: the type .b32 is missing", d.spelling());
  d.op.a = d.source(0, *dataTypeFromWord("u32"));
  d.op.b = takeColumns(d, d.operand(1));
  d.set(&deallocate, OpClass::Special);
  return true;
}

bool decodeTensorRelinquish(Decoder &d) {
  if (takeCommon(d, "relinquish_alloc_permit", 0))
    d.set(&relinquish, OpClass::Special);
  return true;
}

} // namespace msa::ptxsim

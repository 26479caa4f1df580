#include "ptxsim/engine/TensorCore.h"

#include "ptxsim/engine/Cluster.h"

#include <fmt/format.h>

#include <algorithm>

namespace msa::ptxsim {

//===----------------------------------------------------------------------===//
// Start and end
//===----------------------------------------------------------------------===//

Cta *peerOf(const Cta &cta) { return cta.cluster->ctaOf(cta.rank ^ 1); }

void TensorCore::start(Cta &cta) {
  memory.start();
  newestColumns = 0;
  relinquished = false;
  collective = Collective();
  shadow.assign(size_t{tensorColumns} * laneGroups, Cell());
  ring.assign(AsyncSet::window, TensorOp());
  warps.assign(cta.warps.size(), WarpState());
  issuers.clear();
}

void TensorCore::finish(Cta &cta) {
  for (const TensorMemory::Allocation &a : memory.allocations()) {
    if (!a.live)
      continue;
    Origin origin{&cta.warps[a.warp], a.pc, 0};
    if (origin.trap(Check::T2,
                    fmt::format("the kernel ends and these {} columns of tensor memory, from {} "
                                "on, have not been given back; needed: tcgen05.dealloc",
                                a.columns, a.first)) == Flow::Trap)
      return;
  }
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

bool TensorCore::wentThroughFences(const Origin &origin, const TensorOp &earlier) const {
  const Program &program = *origin.warp->program;
  const unsigned me = origin.number();
  const bool own = earlier.warp == me;
  // What the warp itself has waited for with tcgen05.wait is ordered without fences.
  if (own && earlier.kind >= TensorOpKind::Load)
    return true;
  if (program.tensorFences && !own && !origin.cta().order().of(me).published.has(earlier.id))
    return false;
  if (!program.tensorAfterFences)
    return true;
  // The fences are those of the issuing CTA, the cells may be its peer's.
  const TensorCore &core = tensorCoreOf(origin.cta());
  return core.warps[origin.warp->index].visible.has(earlier.id);
}

bool TensorCore::isUsedLoad(const Cta &owner, const Origin &origin, const TensorOp &op) const {
  return op.kind == TensorOpKind::Load && op.warp == origin.number() && &owner == &origin.cta() &&
         warps[origin.warp->index].usedSet.has(op.id);
}

bool TensorCore::isKnown(const Cta &owner, const Origin &origin, const TensorOp &earlier) const {
  if (isUsedLoad(owner, origin, earlier))
    return true;
  return owner.order().isComplete(origin.number(), earlier.id) &&
         wentThroughFences(origin, earlier);
}

bool TensorCore::isPipelined(const Cta &owner, const Origin &origin, const TensorOp &earlier,
                             bool earlierWrote, const TensorOp &now, CellUse use) const {
  using Kind = TensorOpKind;
  if (earlier.kind >= Kind::Load || now.kind >= Kind::Load)
    return false;
  if (!owner.order().issuedBefore(origin.number(), earlier.id) ||
      (earlier.warp != origin.number() && !wentThroughFences(origin, earlier)))
    return false;
  if (earlier.kind == Kind::Mma && now.kind == Kind::Mma) {
    if (use == CellUse::Operand || use == CellUse::Read)
      return !earlierWrote;
    return !earlierWrote || (earlier.accumulator == now.accumulator && earlier.shape == now.shape);
  }
  if (earlier.kind == Kind::Shift)
    return now.kind == Kind::Mma;
  if (now.kind == Kind::Shift)
    return earlier.kind == Kind::Mma;
  return true; // cp and mma in any order
}

Flow TensorCore::judge(const Origin &origin, Cta &owner, AsyncId earlierId, bool earlierWrote,
                       const TensorOp &now, CellUse use, const char *what, uint32_t column,
                       uint32_t group) {
  if (earlierId == 0 || earlierId == now.id)
    return Flow::Next;
  const TensorOp *earlier = find(earlierId);
  if (!earlier || isKnown(owner, origin, *earlier) ||
      isPipelined(owner, origin, *earlier, earlierWrote, now, use))
    return Flow::Next;
  const bool complete = owner.order().isComplete(origin.number(), earlierId);
  const bool result = now.kind == TensorOpKind::Load && earlier->kind <= TensorOpKind::Shift;
  const char *needed;
  if (complete)
    needed = "tcgen05.fence::before_thread_sync before the signal (a commit has it) and "
             "tcgen05.fence::after_thread_sync after the wait, as elsewhere in this kernel";
  else if (earlier->kind == TensorOpKind::Load)
    needed = "tcgen05.wait::ld by the warp that loads, and a barrier or mbarrier if it is another";
  else if (earlier->kind == TensorOpKind::Store)
    needed = "tcgen05.wait::st by the warp that stores, and a barrier or mbarrier if it is another";
  else
    needed = "tcgen05.commit by the issuing thread and a wait for its mbarrier";
  return origin.trap(
      result ? Check::T5 : Check::T6,
      fmt::format(
          "{} (column {}, lanes {} to {} of tensor memory) is {} by {}, which {}; needed: {}", what,
          column, group * 16, group * 16 + 15, earlierWrote ? "written" : "read",
          describeOperation(owner, earlierId),
          complete ? "is complete but not ordered" : "may still be running", needed));
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

Flow TensorCore::checkAllocated(const Origin &origin, Cta &owner, const CellRange &range,
                                const char *what) {
  auto describe = [&](std::string_view text) {
    return fmt::format("{}: columns {} to {} of tensor memory{}: {}", what, range.column,
                       range.column + range.columns - 1,
                       &owner == &origin.cta() ? "" : " of the peer CTA", text);
  };
  auto wrong = [&](Check check, std::string_view text) {
    return origin.trap(check, describe(text));
  };
  // There is no cell that could be accessed, whether the check is on or not.
  if (range.column + range.columns > tensorColumns)
    return origin.trapAlways("T1", describe(fmt::format("there are {}", tensorColumns)));
  const TensorMemory::Allocation *first = memory.allocationAt(range.column);
  for (uint32_t at = range.column; at < range.column + range.columns;
       at = (at / TensorMemory::granule + 1) * TensorMemory::granule) {
    const TensorMemory::Allocation *a = memory.allocationAt(at);
    auto line = [&](uint32_t pc) { return origin.warp->program->instruction(pc).location.line; };
    if (!a)
      return wrong(Check::T1,
                   fmt::format("column {} is not allocated{}", at,
                               first ? fmt::format("; the allocation of line {} has {} "
                                                   "columns from {} on",
                                                   line(first->pc), first->columns, first->first)
                                     : std::string()));
    if (!a->live)
      return wrong(Check::T2, fmt::format("column {} was given back by the tcgen05.dealloc at line "
                                          "{}",
                                          at, line(a->freePc)));
    if (a != first)
      return wrong(Check::T1, fmt::format("the allocation of line {} ends at column {}",
                                          line(first->pc), first->first + first->columns - 1));
  }
  return Flow::Next;
}

Flow TensorCore::enter(const Origin &origin, Cta &owner, const TensorOp &op, const CellRange &range,
                       CellUse use, const char *what) {
  if (checkAllocated(origin, owner, range, what) == Flow::Trap)
    return Flow::Trap;
  if (!owner.order().enabled())
    return Flow::Next;
  ring[op.id % AsyncSet::window] = op;
  const bool writes = use >= CellUse::Write;
  // Neighbours mostly have the same history: each operation is judged once in a row.
  Cell judged;
  for (uint32_t column = range.column; column < range.column + range.columns; ++column)
    for (uint32_t group = 0; group < laneGroups; ++group) {
      if (!((range.groups >> group) & 1))
        continue;
      Cell &cell = cellAt(column, group);
      auto fine = [&](AsyncId earlier, AsyncId &last, bool wrote) {
        if (earlier == last)
          return true;
        last = earlier;
        return judge(origin, owner, earlier, wrote, op, use, what, column, group) != Flow::Trap;
      };
      if (!fine(cell.writer, judged.writer, true) ||
          (writes &&
           (!fine(cell.loader, judged.loader, false) || !fine(cell.reader, judged.reader, false))))
        return Flow::Trap;
      if (writes)
        cell = {op.id, 0, 0};
      else
        (op.kind == TensorOpKind::Load ? cell.loader : cell.reader) = op.id;
    }
  return Flow::Next;
}

Flow TensorCore::checkIdle(const Origin &origin, Cta &owner, const CellRange &range) {
  const Order &order = owner.order();
  if (!order.enabled())
    return Flow::Next;
  const unsigned me = origin.number();
  AsyncId last = 0;
  for (uint32_t column = range.column; column < range.column + range.columns; ++column)
    for (uint32_t group = 0; group < laneGroups; ++group) {
      Cell &cell = cellAt(column, group);
      for (AsyncId id : {cell.writer, cell.loader, cell.reader}) {
        const TensorOp *op = find(id);
        if (id == last || !op || order.isComplete(me, id) || isUsedLoad(owner, origin, *op))
          continue;
        last = id;
        if (origin.trap(Check::T2,
                        fmt::format("gives back column {} of tensor memory that {} may still "
                                    "access; its completion has to be waited for, and signalled to "
                                    "this warp, before",
                                    column, describeOperation(owner, id))) == Flow::Trap)
          return Flow::Trap;
      }
      cell = Cell();
    }
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

void TensorCore::addLoad(Warp &warp, AsyncId id, uint32_t list, uint32_t count) {
  of(warp).loads.push_back({id, list, count});
  rememberForFence(warp, id);
  for (uint32_t i = 0; i < count; ++i)
    warp.setPending(warp.program->lists[list + i], true);
  warp.pendingOwners[1] = this;
}

void TensorCore::addStore(Warp &warp, AsyncId id) {
  of(warp).stores.push_back(id);
  rememberForFence(warp, id);
}

Flow TensorCore::finishLoad(Warp &warp, const Load &load) {
  for (uint32_t i = 0; i < load.count; ++i)
    warp.setPending(warp.program->lists[load.list + i], false);
  return warp.cta->cluster->async.finish(load.id);
}

void TensorCore::learnLoad(Warp &warp, AsyncId id) {
  warp.cta->order().learn(warp.cta->numberOf(warp), id);
}

Flow TensorCore::touch(Warp &warp, Ref ref, bool, uint32_t) {
  std::vector<Load> &loads = of(warp).loads;
  for (size_t i = 0; i < loads.size(); ++i) {
    const uint32_t *refs = &warp.program->lists[loads[i].list];
    if (std::find(refs, refs + loads[i].count, ref) == refs + loads[i].count)
      continue;
    Load load = loads[i];
    loads.erase(loads.begin() + static_cast<std::ptrdiff_t>(i));
    if (warp.program->tensorLoadWaits) {
      // Older ones count as complete everywhere (Order.h).
      std::vector<AsyncId> &used = of(warp).used;
      if (used.size() >= 2 * AsyncSet::window)
        used.erase(used.begin(), used.begin() + AsyncSet::window);
      used.push_back(load.id);
      of(warp).usedSet.add(load.id);
    } else {
      learnLoad(warp, load.id);
    }
    return finishLoad(warp, load);
  }
  return Flow::Next;
}

Flow TensorCore::waitLoads(Warp &warp) {
  std::vector<Load> loads;
  loads.swap(of(warp).loads);
  for (const Load &load : loads) {
    if (finishLoad(warp, load) == Flow::Trap)
      return Flow::Trap;
    learnLoad(warp, load.id);
  }
  for (AsyncId id : of(warp).used)
    learnLoad(warp, id);
  of(warp).used.clear();
  return Flow::Next;
}

Flow TensorCore::waitStores(Warp &warp) {
  std::vector<AsyncId> stores;
  stores.swap(of(warp).stores);
  for (AsyncId id : stores) {
    if (warp.cta->cluster->async.finish(id) == Flow::Trap)
      return Flow::Trap;
    warp.cta->order().learn(warp.cta->numberOf(warp), id);
  }
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Threads and fences
//===----------------------------------------------------------------------===//

TensorCore::Thread &TensorCore::threadOf(const Warp &warp, int lane) {
  for (Thread &thread : issuers)
    if (thread.warp == warp.index && thread.lane == lane)
      return thread;
  issuers.push_back({warp.index, lane, {}, {}, false});
  return issuers.back();
}

void TensorCore::addIssued(Warp &warp, int lane, AsyncId id) {
  Thread &thread = threadOf(warp, lane);
  thread.issued.add(id);
  thread.everIssued = true;
  thread.uncommitted.push_back(id);
  rememberForFence(warp, id);
}

void TensorCore::rememberForFence(Warp &warp, AsyncId id) {
  if (warp.program->tensorFences)
    of(warp).unfenced.push_back(id);
}

void TensorCore::fenceBefore(Warp &warp) {
  WarpState &state = of(warp);
  Order &order = warp.cta->order();
  if (order.enabled())
    for (AsyncId id : state.unfenced)
      order.of(warp.cta->numberOf(warp)).published.add(id);
  state.unfenced.clear();
}

void TensorCore::fenceAfter(Warp &warp) {
  Order &order = warp.cta->order();
  if (!order.enabled())
    return;
  const Knowledge &known = order.of(warp.cta->numberOf(warp));
  WarpState &state = of(warp);
  state.visible.merge(known.published);
  state.visible.merge(known.complete);
}

} // namespace msa::ptxsim

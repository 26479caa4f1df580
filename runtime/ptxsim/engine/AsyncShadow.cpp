//===- AsyncShadow.cpp - judging accesses against asynchronous ones
//----------------------------===//
#include "ptxsim/engine/AsyncShadow.h"

#include "ptxsim/engine/Cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace msa::ptxsim {

void AsyncShadow::configure(bool enabled, uint32_t sharedBytes) {
  cells.assign(enabled && sharedBytes > 0 ? (sharedBytes >> shift) + 1 : 0, Cell());
}

void AsyncShadow::start() {
  if (inUse)
    std::fill(cells.begin(), cells.end(), Cell());
  tiles.clear();
  narrowWriters.clear();
  inUse = false;
}

void AsyncShadow::setBarrier(uint32_t offset, bool present) {
  if (!enabled())
    return;
  markUsed();
  uint32_t bit = 1u << (offset >> 3 & 1);
  Cell &cell = cellAt(offset);
  cell.barriers = present ? (cell.barriers | bit) & 3 : cell.barriers & ~bit & 3;
}

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

std::string describeOperation(const Cta &cta, AsyncId id) {
  Order::Operation op = cta.order().operation(id);
  if (op.id == 0)
    return "an earlier asynchronous operation";
  unsigned perCta = cta.order().warpsOfCta();
  std::string where = op.warp / perCta == cta.rank
                          ? std::string()
                          : fmt::format(" of CTA {} of the cluster", op.warp / perCta);
  return fmt::format("the {} of warp {}{} at line {}", op.what, op.warp % perCta, where,
                     cta.launch->program->instruction(op.pc).location.line);
}

std::string describeShared(const Cta &cta, uint64_t offset) {
  const Placement *nearest = nullptr;
  for (const Placement &p : cta.launch->program->shared)
    if (p.offset <= offset)
      nearest = &p;
  if (!nearest)
    return fmt::format("offset {} of shared memory", offset);
  return fmt::format("'{}' + {} (offset {} of shared memory)", nearest->name,
                     offset - nearest->offset, offset);
}

namespace {

std::string writerOf(const Cta &owner, const SharedRaces::Granule &g) {
  unsigned perCta = owner.order().warpsOfCta();
  return fmt::format("warp {} at line {}", g.writer % perCta,
                     owner.launch->program->instruction(g.writerPc).location.line);
}

bool overlapsBarrier(const AsyncShadow::Cell &cell, uint32_t cellStart, uint32_t begin,
                     uint32_t end) {
  for (uint32_t i = 0; i < 2; ++i)
    if (((cell.barriers >> i) & 1) && begin < cellStart + 8 * i + 8 && cellStart + 8 * i < end)
      return true;
  return false;
}

Flow trapBarrier(const Origin &origin, Cta &owner, uint32_t offset, const char *verb) {
  return origin.trap(
      Check::P6, fmt::format("{} {}, where an mbarrier lives; only mbarrier instructions may touch "
                             "its 8 bytes until mbarrier.inval",
                             verb, describeShared(owner, offset)));
}

/// Plain accesses of the granules in [begin, end) against an asynchronous one that is issued now.
Flow judgePlain(const Origin &origin, Cta &owner, uint32_t begin, uint32_t end, bool writes) {
  SharedRaces &races = owner.races;
  if (!races.enabled())
    return Flow::Next;
  const Order &order = owner.order();
  const unsigned me = origin.number();
  const uint32_t step = races.granuleBytes();
  for (uint32_t at = begin; at < end; at += step) {
    const SharedRaces::Granule &g = races.granuleAt(at);
    if (g.writeSegment >= order.firstSegment()) {
      if (!order.happenedBefore(me, g.writer, g.writeSegment)) {
        Check check = writes ? Check::P3 : Check::P5;
        if (origin.trap(check, fmt::format("{} {} that {} wrote, and nothing orders the two: a "
                                           "barrier has to lie between{}",
                                           writes ? "overwrites" : "reads",
                                           describeShared(owner, at), writerOf(owner, g),
                                           writes ? "" : ", behind a fence.proxy.async")) ==
            Flow::Trap)
          return Flow::Trap;
      } else if (!writes && !order.fencedBefore(me, g.writer, g.writeSegment)) {
        if (origin.trap(
                Check::P1,
                fmt::format("reads {} through the asynchronous proxy; {} wrote it through the "
                            "generic proxy, and no fence.proxy.async lies between: the writer "
                            "executes fence.proxy.async after its stores, then both synchronise",
                            describeShared(owner, at), writerOf(owner, g))) == Flow::Trap)
          return Flow::Trap;
      }
    }
    if (!writes || g.readers == 0 || g.readSegment < order.firstSegment())
      continue;
    for (uint64_t left = g.readers; left != 0; left &= left - 1) {
      unsigned reader = races.warpOfBit(static_cast<unsigned>(std::countr_zero(left)));
      if (order.happenedBefore(me, reader, g.readSegment))
        continue;
      if (origin.trap(Check::P3,
                      fmt::format("overwrites {} that warp {} reads, and nothing orders the two: "
                                  "the reader has to signal that it is done (mbarrier.arrive or a "
                                  "barrier) before this is issued",
                                  describeShared(owner, at), reader % order.warpsOfCta())) ==
          Flow::Trap)
        return Flow::Trap;
    }
  }
  return Flow::Next;
}

/// Bytes that a cp.async of a thread still writes.
Flow judgeCopies(const Origin &origin, Cta &owner, uint32_t begin, uint32_t end) {
  if (owner.pendingCopies == 0)
    return Flow::Next;
  for (const Warp &w : owner.warps)
    for (const PendingCopy &copy : w.copies)
      if (copy.sharedOffset < end && begin < copy.sharedOffset + copy.bytes)
        return origin.trap(
            Check::P2,
            fmt::format("accesses {} that the cp.async of warp {} lane {} at line {} is still "
                        "writing; the copying thread has to wait for its group",
                        describeShared(owner, copy.sharedOffset), w.index, copy.lane,
                        w.program->instruction(copy.pc).location.line));
  return Flow::Next;
}

/// A remote store to the bytes [begin, end) of a cell that `me` does not know to be complete; 0:
/// none. Reductions are passed over if `reduces`.
AsyncId openNarrowWriter(const Cta &owner, const AsyncShadow::Cell &cell, uint32_t cellStart,
                         uint32_t begin, uint32_t end, unsigned me, bool reduces) {
  const AsyncShadow &shadow = owner.asyncShadow;
  for (uint32_t i = 0; i < 4; ++i) {
    uint32_t at = cellStart + 4 * i;
    if (!((cell.narrow >> i) & 1) || at + 4 <= begin || at >= end)
      continue;
    auto found = shadow.narrowWriters.find(at / 4);
    if (found == shadow.narrowWriters.end() || owner.order().isComplete(me, found->second))
      continue;
    if (!reduces ||
        !std::string_view(owner.order().operation(found->second).what).starts_with("red"))
      return found->second;
  }
  return 0;
}

/// The bytes [begin, end) of the cell have another writer now.
void forgetNarrow(AsyncShadow::Cell &cell, uint32_t cellStart, uint32_t begin, uint32_t end) {
  for (uint32_t i = 0; i < 4; ++i)
    if (uint32_t at = cellStart + 4 * i; at < end && begin < at + 4)
      cell.narrow = cell.narrow & ~(1u << i) & 15;
}

/// What plain accesses left in [begin, end) is replaced; they were ordered before.
void forgetPlain(Cta &owner, uint32_t begin, uint32_t end) {
  if (owner.races.enabled())
    for (uint32_t at = begin; at < end; at += owner.races.granuleBytes()) {
      SharedRaces::Granule &g = owner.races.granuleAt(at);
      g.writeSegment = 0;
      g.readers = 0;
    }
}

bool isBulkReduction(const Order &order, AsyncId id) {
  return std::string_view(order.operation(id).what).starts_with("cp.reduce");
}

std::string waitHint(const Cta &owner, AsyncId id) {
  std::string_view what = owner.order().operation(id).what;
  if (what.starts_with("tcgen05"))
    return "tcgen05.commit, and a wait for its mbarrier";
  if (what.starts_with("wgmma"))
    return "wgmma.wait_group by the warpgroup, and a barrier";
  return "a wait for its mbarrier (or its bulk group)";
}

} // namespace

//===----------------------------------------------------------------------===//
// Asynchronous accesses
//===----------------------------------------------------------------------===//

Flow asyncReadsShared(const Origin &origin, Cta &owner, uint32_t offset, uint32_t bytes, AsyncId id,
                      AsyncUnit unit) {
  AsyncShadow &shadow = owner.asyncShadow;
  if (!shadow.enabled() || bytes == 0)
    return Flow::Next;
  shadow.markUsed();
  const Order &order = owner.order();
  const unsigned me = origin.number();
  const uint32_t end = offset + bytes;
  if (judgeCopies(origin, owner, offset, end) == Flow::Trap ||
      judgePlain(origin, owner, offset, end, false) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t at = offset & ~15u; at < end; at += 16) {
    AsyncShadow::Cell &cell = shadow.cellAt(at);
    if (cell.barriers && overlapsBarrier(cell, at, offset, end) &&
        trapBarrier(origin, owner, at, "reads") == Flow::Trap)
      return Flow::Trap;
    AsyncId writer = cell.writer && cell.writer != id && !order.isComplete(me, cell.writer)
                         ? cell.writer
                     : cell.narrow ? openNarrowWriter(owner, cell, at, offset, end, me, false)
                                   : 0;
    if (writer &&
        origin.trap(Check::P2,
                    fmt::format("reads {} that {} may still be writing; needed: {}",
                                describeShared(owner, at), describeOperation(owner, writer),
                                waitHint(owner, writer))) == Flow::Trap)
      return Flow::Trap;
    cell.reader[static_cast<unsigned>(unit)] = id;
  }
  return Flow::Next;
}

namespace {

struct NewWrite {
  AsyncId id;
  uint32_t begin, end;
  bool narrowReduces, bulkReduces;
};

/// Operations that may still access a cell, against a new one that will write it.
Flow judgeOpen(const Origin &origin, const Cta &owner, const AsyncShadow::Cell &cell, uint32_t at,
               const NewWrite &now) {
  const Order &order = owner.order();
  const unsigned me = origin.number();
  AsyncId narrow =
      cell.narrow ? openNarrowWriter(owner, cell, at, now.begin, now.end, me, now.narrowReduces)
                  : 0;
  for (AsyncId other : {cell.writer, narrow, cell.reader[0], cell.reader[1]}) {
    if (other == 0 || other == now.id || order.isComplete(me, other))
      continue;
    bool writes = other == cell.writer || other == narrow;
    // Reductions of one place are in no order.
    if (writes && now.bulkReduces && isBulkReduction(order, other))
      continue;
    if (origin.trap(Check::P3,
                    fmt::format("overwrites {} that {} may still {}; needed before this "
                                "is issued: {}",
                                describeShared(owner, at), describeOperation(owner, other),
                                writes ? "be writing" : "read", waitHint(owner, other))) ==
        Flow::Trap)
      return Flow::Trap;
  }
  return Flow::Next;
}

} // namespace

Flow asyncWritesShared(const Origin &origin, Cta &owner, uint32_t offset, uint32_t bytes,
                       AsyncId id, uint32_t tile) {
  AsyncShadow &shadow = owner.asyncShadow;
  if (!shadow.enabled() || bytes == 0)
    return Flow::Next;
  shadow.markUsed();
  const uint32_t end = offset + bytes;
  // A reduction reads what it replaces.
  const bool reduces = isBulkReduction(owner.order(), id);
  if (judgeCopies(origin, owner, offset, end) == Flow::Trap ||
      judgePlain(origin, owner, offset, end, true) == Flow::Trap ||
      (reduces && judgePlain(origin, owner, offset, end, false) == Flow::Trap))
    return Flow::Trap;
  for (uint32_t at = offset & ~15u; at < end; at += 16) {
    AsyncShadow::Cell &cell = shadow.cellAt(at);
    if (cell.barriers && overlapsBarrier(cell, at, offset, end) &&
        trapBarrier(origin, owner, at, "writes") == Flow::Trap)
      return Flow::Trap;
    if (judgeOpen(origin, owner, cell, at, {id, offset, end, false, reduces}) == Flow::Trap)
      return Flow::Trap;
    cell.writer = id;
    cell.reader[0] = cell.reader[1] = 0;
    cell.narrow = 0;
    cell.tile = tile & 0x3FFFFFF;
  }
  forgetPlain(owner, offset, end);
  return Flow::Next;
}

Flow narrowWritesShared(const Origin &origin, Cta &owner, uint32_t offset, uint32_t bytes,
                        AsyncId id, bool reduces) {
  AsyncShadow &shadow = owner.asyncShadow;
  if (!shadow.enabled() || bytes == 0)
    return Flow::Next;
  shadow.markUsed();
  const uint32_t end = offset + bytes;
  if (judgeCopies(origin, owner, offset, end) == Flow::Trap ||
      judgePlain(origin, owner, offset, end, true) == Flow::Trap)
    return Flow::Trap;
  uint32_t start = offset & ~15u; // naturally aligned, so all in one cell
  AsyncShadow::Cell &cell = shadow.cellAt(start);
  if (cell.barriers && overlapsBarrier(cell, start, offset, end) &&
      trapBarrier(origin, owner, start, "writes") == Flow::Trap)
    return Flow::Trap;
  if (judgeOpen(origin, owner, cell, start, {id, offset, end, reduces, false}) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t at = offset; at < end; at += 4) {
    cell.narrow |= 1u << ((at >> 2) & 3);
    shadow.narrowWriters[at / 4] = id;
  }
  forgetPlain(owner, offset, end);
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Plain accesses
//===----------------------------------------------------------------------===//

Flow plainAccessOfShared(Warp &warp, Cta &owner, uint32_t offset, uint32_t bytes, bool writes,
                         int lane) {
  AsyncShadow &shadow = owner.asyncShadow;
  const Order &order = owner.order();
  const unsigned me = warp.cta->numberOf(warp);
  const uint32_t end = offset + bytes;
  auto trap = [&](Check check, const std::string &text) {
    return Origin::of(warp, lane).trap(check, text);
  };
  for (uint32_t at = offset & ~15u; at < end; at += 16) {
    AsyncShadow::Cell &cell = shadow.cellAt(at);
    if (cell.barriers && overlapsBarrier(cell, at, offset, end) &&
        trapBarrier(Origin::of(warp, lane), owner, at, writes ? "writes" : "reads") == Flow::Trap)
      return Flow::Trap;
    AsyncId narrow = cell.narrow ? openNarrowWriter(owner, cell, at, offset, end, me, false) : 0;
    AsyncId writer = narrow                                              ? narrow
                     : cell.writer && !order.isComplete(me, cell.writer) ? cell.writer
                                                                         : 0;
    if (writer &&
        trap(narrow ? Check::P7 : Check::P2,
             fmt::format("{} {} that {} may still be writing; needed: {}",
                         writes ? "writes" : "reads", describeShared(owner, at),
                         describeOperation(owner, writer), waitHint(owner, writer))) == Flow::Trap)
      return Flow::Trap;
    if (!writes)
      continue;
    for (unsigned unit = 0; unit < 2; ++unit) {
      AsyncId reader = cell.reader[unit];
      if (reader == 0 || order.isComplete(me, reader))
        continue;
      bool store = unit == static_cast<unsigned>(AsyncUnit::Copy);
      if (trap(store ? Check::M3 : Check::P2,
               fmt::format("writes {} that {} may still read; needed: {}",
                           describeShared(owner, at), describeOperation(owner, reader),
                           store ? "cp.async.bulk.wait_group.read by the issuing thread, and a "
                                   "barrier"
                                 : waitHint(owner, reader))) == Flow::Trap)
        return Flow::Trap;
    }
    // The bytes are plain ones from here on.
    cell.writer = cell.reader[0] = cell.reader[1] = 0;
    forgetNarrow(cell, at, offset, end);
    cell.tile = 0;
  }
  return Flow::Next;
}

} // namespace msa::ptxsim

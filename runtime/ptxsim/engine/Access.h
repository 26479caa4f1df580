//===- Access.h - a warp's access to memory ------------------------------------===//
//
// One path for every instruction that touches memory: form the lanes' addresses,
// find the region they fall in (nearly always one for the whole warp), check
// bounds and alignment with a few vector operations, tell the counters and the
// race check, and hand host offsets to the instruction. Lanes in different
// regions (generic addresses) are handled region by region.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cta.h"
#include "ptxsim/engine/Lanes.h"

namespace msa::ptxsim {

/// How an access behaves, in Op::mode2 of memory instructions.
enum AccessFlags : uint8_t {
  wideBase = 1,     ///< the base register has 64 bits
  strongAccess = 2, ///< volatile, relaxed, acquire, release, mmio, atomic
  acquires = 4,     ///< a strong read that takes what the address published
  releases = 8,     ///< a strong write that publishes
};

/// What memory instructions do to the bytes.
enum class AccessKind : uint8_t { Read, Write, ReadWrite };

/// How the lanes' addresses lie to each other.
enum class Pattern : uint8_t {
  Scattered,
  Contiguous, ///< all 32 lanes active, one behind the other without gaps
  Uniform,    ///< all active lanes at one address
};

/// Offsets of the lanes from the region's start (host bytes: see `hostOf`).
struct LaneOffsets {
  alignas(64) uint64_t at[32];
  Pattern pattern = Pattern::Scattered;
};

inline uint64_t windowOf(StateSpace space) {
  switch (space) {
  case StateSpace::Shared:
  case StateSpace::SharedCluster:
    return sharedWindow;
  case StateSpace::Local:
    return localWindow;
  case StateSpace::Const:
    return constWindow;
  case StateSpace::Param:
    return paramWindow;
  default:
    return 0;
  }
}

[[gnu::always_inline]] inline void formAddresses(const Warp &warp, const Op &op, uint64_t *at) {
  uint64_t window = windowOf(static_cast<StateSpace>(op.mode));
  if (op.mode2 & wideBase) {
    const uint64_t *base = warp.cells<uint64_t>(op.a);
    uint64_t add = window + static_cast<uint64_t>(op.immediate);
    MSA_PTXSIM_LANE_LOOP
    for (int lane = 0; lane < 32; ++lane)
      at[lane] = base[lane] + add;
  } else {
    const uint32_t *base = warp.cells<uint32_t>(op.a);
    uint32_t add = static_cast<uint32_t>(op.immediate);
    MSA_PTXSIM_LANE_LOOP
    for (int lane = 0; lane < 32; ++lane)
      at[lane] = static_cast<uint64_t>(base[lane] + add) + window;
  }
}

/// True if every lane of `mask` lies inside the region and is aligned; fills the offsets.
[[gnu::always_inline]] inline bool fits(const Region &region, const uint64_t *at, uint32_t mask,
                                        uint32_t size, uint32_t align, LaneOffsets &offsets) {
  if (region.bytes < size)
    return false;
  const uint64_t start = region.start, limit = region.bytes - size;
  // Offsets and limits are below 2^63: the sign bit of limit - offset says "beyond", that of the
  // offset "before".
  uint64_t outside = 0, low = 0, gap = 0, spread = 0;
  const uint64_t first = at[std::countr_zero(mask)] - start;
  MSA_PTXSIM_LANE_LOOP
  for (int lane = 0; lane < 32; ++lane) {
    uint64_t offset = at[lane] - start;
    uint64_t live = (mask >> lane) & 1 ? ~0ull : 0ull;
    outside |= ((limit - offset) | offset) & live;
    low |= offset & live;
    gap |= offset - first - static_cast<uint64_t>(lane) * size;
    spread |= (offset ^ first) & live;
    offsets.at[lane] = offset;
  }
  offsets.pattern = Pattern::Scattered;
  if (region.laneStride == 0)
    offsets.pattern = gap == 0 && mask == fullMask ? Pattern::Contiguous
                      : spread == 0                ? Pattern::Uniform
                                                   : Pattern::Scattered;
  return static_cast<int64_t>(outside) >= 0 && (low & (align - 1)) == 0;
}

/// Host address of a lane's byte.
inline uint8_t *hostOf(const Region &region, const LaneOffsets &offsets, int lane) {
  return region.host + offsets.at[lane] + region.laneStride * static_cast<unsigned>(lane);
}
inline uint8_t *shadowOf(const Region &region, const LaneOffsets &offsets, int lane) {
  return region.shadow + offsets.at[lane] + region.laneStride * static_cast<unsigned>(lane);
}

/// Lanes of `mask` whose `size` bytes are not all initialised. Null shadow: none.
uint32_t uninitialisedLanes(const Region &, const LaneOffsets &, uint32_t mask, uint32_t size);
/// The same for a load: Flow::Trap (P2) if a cp.async is still writing some of the bytes.
Flow loadTaint(Warp &, const Region &, const LaneOffsets &, uint32_t mask, uint32_t size,
               uint32_t &tainted);
/// Marks the bytes of `mask` initialised, those of `tainted` not.
void markWritten(const Region &, const LaneOffsets &, uint32_t mask, uint32_t size,
                 uint32_t tainted);

/// Finds the region of a generic address; false if there is none.
bool locate(Warp &, uint64_t address, uint32_t size, Region &found);
/// True if an access of `op` to a region that was found is wrong whatever the address: a write to
/// read-only memory, another CTA's shared memory through .shared, or after its CTA has ended.
bool isRefused(const Warp &, const Op &, const Region &, AccessKind);
/// The region that an access in `space` most likely hits.
const Region &likelyRegion(Warp &, StateSpace space);
/// Traps for a lane whose address is outside of everything, or misaligned.
Flow trapOutside(Warp &, const Op &, int lane, uint64_t address, uint32_t size, AccessKind);
Flow trapMisaligned(Warp &, const Op &, int lane, uint64_t address, uint32_t align);
Flow trapRefused(Warp &, int lane, const Region &);
/// Filling, races and counters; Flow::Trap for a race.
Flow observe(Warp &, const Op &, const Region &, const LaneOffsets &, uint32_t mask, uint32_t size,
             AccessKind);
/// False if `observe` would do nothing.
inline bool isObserved(const Warp &warp, const Op &op, const Region &region) {
  return warp.cta->countsAccesses || (op.mode2 & strongAccess) ||
         (region.space == StateSpace::Shared
              ? warp.cta->races.enabled() || warp.cta->asyncShadow.enabled()
              : region.fillsLazily || region.watched != nullptr);
}
/// Races of the write that has just been made, if it changed anything.
Flow judgeWrites(Warp &);
inline Flow settle(Warp &warp, Flow flow) {
  const Cta &cta = *warp.cta;
  if ((cta.suspects.empty() && cta.globalSuspects.empty()) || flow != Flow::Next) [[likely]]
    return flow;
  return judgeWrites(warp);
}

/// Keeps other CTAs from writing to a watched buffer while this one does; empty where it need not.
inline std::unique_lock<std::mutex> lockWatched(const Warp &warp, const Region &region,
                                                AccessKind kind) {
  if (region.watched == nullptr || kind == AccessKind::Read ||
      !warp.cta->launch->sharedBetweenThreads) [[likely]]
    return {};
  return std::unique_lock(static_cast<GlobalRaces::Watched *>(region.watched)->writing);
}

/// Calls body(region, offsets, lanes) -> Flow for the lanes of `mask`, in groups of one region.
/// Lanes that a disabled check lets pass although they are wrong are left out; `skipped` has them.
template <class Body>
[[gnu::always_inline]] inline Flow access(Warp &warp, const Op &op, uint32_t mask, uint32_t size,
                                          uint32_t align, AccessKind kind, uint32_t &skipped,
                                          Body body) {
  if (uint32_t tainted = warp.taintOf(op.a) & mask)
    if (warp.checkTaint(tainted, "the address", op) == Flow::Trap)
      return Flow::Trap;
  alignas(64) uint64_t at[32];
  formAddresses(warp, op, at);
  LaneOffsets offsets;
  const Region &likely = likelyRegion(warp, static_cast<StateSpace>(op.mode));
  if (fits(likely, at, mask, size, align, offsets) && (likely.writable || kind == AccessKind::Read))
      [[likely]] {
    auto lock = lockWatched(warp, likely, kind);
    if (isObserved(warp, op, likely) &&
        observe(warp, op, likely, offsets, mask, size, kind) == Flow::Trap)
      return Flow::Trap;
    return settle(warp, body(likely, offsets, mask));
  }
  for (uint32_t left = mask; left != 0;) {
    int lane = std::countr_zero(left);
    Region region;
    if (!locate(warp, at[lane], size, region)) {
      if (trapOutside(warp, op, lane, at[lane], size, kind) == Flow::Trap)
        return Flow::Trap;
      skipped |= 1u << lane;
      left &= left - 1;
      continue;
    }
    uint32_t group = 0;
    forLanes(left, [&](int other) {
      uint64_t offset = at[other] - region.start;
      offsets.at[other] = offset;
      if (offset < region.bytes && size <= region.bytes - offset)
        group |= 1u << other;
    });
    const bool refused = isRefused(warp, op, region, kind);
    for (uint32_t check = group; check != 0; check &= check - 1) {
      int other = std::countr_zero(check);
      bool misaligned = (offsets.at[other] & (align - 1)) != 0;
      if (!misaligned && !refused)
        continue;
      Flow flow = misaligned ? trapMisaligned(warp, op, other, at[other], align)
                             : trapRefused(warp, other, region);
      if (flow == Flow::Trap)
        return flow;
      skipped |= 1u << other;
    }
    left &= ~group;
    group &= ~skipped;
    offsets.pattern = Pattern::Scattered;
    if (group == 0)
      continue;
    auto lock = lockWatched(warp, region, kind);
    if (observe(warp, op, region, offsets, group, size, kind) == Flow::Trap)
      return Flow::Trap;
    if (Flow flow = settle(warp, body(region, offsets, group)); flow != Flow::Next)
      return flow;
  }
  return Flow::Next;
}

} // namespace msa::ptxsim

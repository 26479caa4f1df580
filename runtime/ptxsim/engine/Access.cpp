//===- Access.cpp - regions, initialised bytes, traps and counters of accesses ---===//
#include "ptxsim/engine/Access.h"

#include "ptxsim/engine/Cluster.h"

#include <fmt/format.h>

#include <algorithm>

namespace msa::ptxsim {

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

namespace {

Region regionOf(Allocation &allocation) {
  Region region;
  region.start = allocation.start;
  region.bytes = allocation.bytes;
  region.host = allocation.host;
  region.shadow = allocation.shadow;
  region.allocation = &allocation;
  region.fillsLazily = allocation.chunkReady != nullptr;
  region.watched = allocation.watched;
  return region;
}

bool inside(uint64_t address, uint64_t window) { return address - window < windowBytes; }

} // namespace

const Region &likelyRegion(Warp &warp, StateSpace space) {
  switch (space) {
  case StateSpace::Shared:
  case StateSpace::SharedCluster:
    return warp.cta->sharedRegion;
  case StateSpace::Local:
    return warp.localRegion;
  case StateSpace::Const:
    return warp.cta->constRegion;
  case StateSpace::Param:
    return warp.cta->paramRegion;
  default:
    return warp.lastGlobal;
  }
}

namespace {
/// The shared memory that an address belongs to: the CTA's own, or that of another of its cluster.
const Region &sharedOf(const Cta &cta, uint64_t address) {
  uint64_t rank = (address - sharedWindow) >> sharedRankShift;
  bool isPeer = cta.cluster && rank < cta.cluster->ctas.size();
  return isPeer ? cta.cluster->ctas[rank]->sharedRegion : cta.sharedRegion;
}
} // namespace

bool locate(Warp &warp, uint64_t address, uint32_t size, Region &found) {
  const Cta &cta = *warp.cta;
  if (address >= bufferWindow) {
    Allocation *allocation = cta.launch->memory->find(address);
    if (!allocation || !allocation->holds(address, size))
      return false;
    found = regionOf(*allocation);
    warp.lastGlobal = found;
    return true;
  }
  if (inside(address, sharedWindow))
    found = sharedOf(cta, address);
  else if (inside(address, localWindow))
    found = warp.localRegion;
  else if (inside(address, constWindow))
    found = cta.constRegion;
  else if (inside(address, paramWindow))
    found = cta.paramRegion;
  else if (cta.launch->moduleVariables && inside(address, moduleWindow))
    found = regionOf(*cta.launch->moduleVariables);
  else
    return false;
  uint64_t offset = address - found.start;
  return offset < found.bytes && size <= found.bytes - offset;
}

//===----------------------------------------------------------------------===//
// Initialised bytes
//===----------------------------------------------------------------------===//

namespace {

/// True if `size` bytes of shadow are all 1; size is 1, 2, 4 or a multiple of 8.
bool allInitialised(const uint8_t *shadow, uint32_t size) {
  constexpr uint64_t ones = 0x0101010101010101ull;
  uint64_t word = 0;
  switch (size) {
  case 1:
    return *shadow == 1;
  case 2:
    std::memcpy(&word, shadow, 2);
    return word == (ones & 0xFFFF);
  case 4:
    std::memcpy(&word, shadow, 4);
    return word == (ones & 0xFFFFFFFF);
  default:
    break;
  }
  uint64_t all = ones;
  for (uint32_t i = 0; i + 8 <= size; i += 8) {
    std::memcpy(&word, shadow + i, 8);
    all &= word;
  }
  for (uint32_t i = size / 8 * 8; i < size; ++i)
    if (shadow[i] != 1)
      return false;
  return all == ones;
}

} // namespace

uint32_t uninitialisedLanes(const Region &region, const LaneOffsets &offsets, uint32_t mask,
                            uint32_t size) {
  if (!region.shadow)
    return 0;
  if (offsets.pattern == Pattern::Contiguous &&
      allInitialised(region.shadow + offsets.at[0], 32 * size))
    return 0;
  if (offsets.pattern == Pattern::Uniform)
    return allInitialised(region.shadow + offsets.at[std::countr_zero(mask)], size) ? 0 : mask;
  uint32_t lanes = 0;
  forLanes(mask, [&](int lane) {
    lanes |= allInitialised(shadowOf(region, offsets, lane), size) ? 0 : 1u << lane;
  });
  return lanes;
}

Flow loadTaint(Warp &warp, const Region &region, const LaneOffsets &offsets, uint32_t mask,
               uint32_t size, uint32_t &tainted) {
  tainted = uninitialisedLanes(region, offsets, mask, size);
  if (tainted == 0)
    return Flow::Next;
  int first = std::countr_zero(tainted);
  warp.uninitialisedRead = {true,         warp.pc,          first, offsets.at[first],
                            region.space, region.allocation};
  if (region.host != warp.cta->sharedRegion.host || warp.cta->pendingCopies == 0)
    return Flow::Next;
  for (uint32_t left = tainted; left != 0; left &= left - 1) {
    int lane = std::countr_zero(left);
    uint64_t at = offsets.at[lane];
    for (const Warp &other : warp.cta->warps)
      for (const PendingCopy &copy : other.copies)
        if (copy.sharedOffset < at + size && at < copy.sharedOffset + copy.bytes)
          return warp.trap(
              Check::P2, lane,
              fmt::format(
                  "reads shared memory at offset {} that the cp.async of warp {} lane {} at "
                  "line {} is still writing; the copying thread has to wait for its group "
                  "(cp.async.wait_group), and then a barrier",
                  at, other.index, copy.lane, warp.program->instruction(copy.pc).location.line));
  }
  return Flow::Next;
}

void markWritten(const Region &region, const LaneOffsets &offsets, uint32_t mask, uint32_t size,
                 uint32_t tainted) {
  if (!region.shadow)
    return;
  if (offsets.pattern == Pattern::Contiguous && tainted == 0) {
    std::memset(region.shadow + offsets.at[0], 1, 32 * static_cast<size_t>(size));
    return;
  }
  forLanes(mask, [&](int lane) {
    std::memset(shadowOf(region, offsets, lane), (tainted >> lane) & 1 ? 0 : 1, size);
  });
}

//===----------------------------------------------------------------------===//
// Traps
//===----------------------------------------------------------------------===//

namespace {

std::string_view verb(AccessKind kind) {
  return kind == AccessKind::Read ? "reads" : kind == AccessKind::Write ? "writes" : "updates";
}

/// "shared variable 'tile' (4096 bytes): offset 4100" for an offset in a small memory.
std::string describePlacement(const std::vector<Placement> &placements, uint64_t offset,
                              std::string_view space, uint64_t total) {
  const Placement *nearest = nullptr;
  for (const Placement &p : placements)
    if (p.offset <= offset)
      nearest = &p;
  std::string text = fmt::format("offset {} of {} bytes of {} memory", offset, total, space);
  if (nearest)
    text += fmt::format(", {} bytes into '{}' ({} bytes)", offset - nearest->offset, nearest->name,
                        nearest->bytes);
  return text;
}

} // namespace

Flow trapOutside(Warp &warp, const Op &, int lane, uint64_t address, uint32_t size,
                 AccessKind kind) {
  const Cta &cta = *warp.cta;
  const Program &program = *warp.program;
  std::string start = fmt::format("{} {} byte{} ", verb(kind), size, size == 1 ? "" : "s");
  if (inside(address, sharedWindow))
    return warp.trap(Check::X5, lane,
                     start + "outside of shared memory: " +
                         describePlacement(program.shared, address - cta.sharedRegion.start,
                                           "shared", cta.sharedRegion.bytes));
  if (inside(address, localWindow))
    return warp.trap(Check::X6, lane,
                     start + "outside of local memory: " +
                         describePlacement(program.local, address - localWindow, "local",
                                           warp.localRegion.bytes));
  if (inside(address, paramWindow))
    return warp.trap(Check::X6, lane,
                     start + "outside of the parameters: " +
                         describePlacement(program.parameters, address - paramWindow, "parameter",
                                           cta.paramRegion.bytes));
  if (inside(address, constWindow))
    return warp.trap(Check::X5, lane,
                     start + fmt::format("outside of constant memory: offset {} of {} bytes",
                                         address - constWindow, cta.constRegion.bytes));
  if (address < 4096)
    return warp.trap(Check::X5, lane, start + fmt::format("at 0x{:x}: a null pointer", address));
  return warp.trap(Check::X5, lane,
                   start + fmt::format("at 0x{:x}, outside of every buffer; {}", address,
                                       cta.launch->memory->describeNearest(address, size)));
}

Flow trapMisaligned(Warp &warp, const Op &, int lane, uint64_t address, uint32_t align) {
  Region region;
  std::string where;
  if (locate(warp, address, 1, region) && region.allocation)
    where = fmt::format(" (offset {} of buffer '{}')", address - region.start,
                        region.allocation->label);
  else if (inside(address, sharedWindow))
    where = fmt::format(" (offset {} of shared memory)", address - region.start);
  return warp.trap(Check::X5, lane,
                   fmt::format("misaligned address 0x{:x}{}: this access needs a multiple of {}",
                               address, where, align));
}

namespace {
/// The CTA of the cluster, other than this one, whose shared memory the region is; or null.
const Cta *peerOf(const Warp &warp, const Region &region) {
  if (region.space != StateSpace::Shared || region.host == warp.cta->sharedRegion.host)
    return nullptr;
  return warp.cta->cluster->ctas[(region.start - sharedWindow) >> sharedRankShift].get();
}
} // namespace

bool isRefused(const Warp &warp, const Op &op, const Region &region, AccessKind kind) {
  if (!region.writable && kind != AccessKind::Read)
    return true;
  const Cta *peer = peerOf(warp, region);
  return peer && (peer->isDone() || static_cast<StateSpace>(op.mode) == StateSpace::Shared);
}

Flow trapRefused(Warp &warp, int lane, const Region &region) {
  const Cta *peer = peerOf(warp, region);
  if (!peer)
    return warp.trap(
        Check::X5, lane,
        fmt::format("writes to .{} memory, which is read-only", toString(region.space)));
  if (peer->isDone())
    return warp.trap(
        Check::B6, lane,
        fmt::format("accesses the shared memory of CTA {} of the cluster, which has ended; "
                    "a barrier.cluster before its end would keep it",
                    peer->rank));
  return warp.trap(Check::X5, lane,
                   fmt::format("an address in the shared memory of CTA {} of the cluster; .shared "
                               "reaches the CTA's own ({}), .shared::cluster reaches others",
                               peer->rank, warp.cta->rank));
}

//===----------------------------------------------------------------------===//
// Counters and races
//===----------------------------------------------------------------------===//

namespace {

/// Extra wavefronts of an access to shared memory: 32 banks of 4 bytes; 8- and 16-byte accesses go
/// half and quarter a warp at a time. Lanes that touch the same word share.
uint32_t bankConflicts(const LaneOffsets &offsets, uint32_t mask, uint32_t size) {
  uint32_t phases = size > 8 ? 4 : size > 4 ? 2 : 1;
  uint32_t lanesPerPhase = 32 / phases, wordsPerLane = size > 4 ? size / 4 : 1, extra = 0;
  for (uint32_t phase = 0; phase < phases; ++phase) {
    uint64_t words[128];
    uint32_t count = 0;
    uint32_t lanes =
        mask &
        (lanesPerPhase == 32 ? fullMask : ((1u << lanesPerPhase) - 1) << (phase * lanesPerPhase));
    forLanes(lanes, [&](int lane) {
      for (uint32_t w = 0; w < wordsPerLane; ++w)
        words[count++] = offsets.at[lane] / 4 + w;
    });
    std::sort(words, words + count);
    count = static_cast<uint32_t>(std::unique(words, words + count) - words);
    uint32_t perBank[32] = {}, worst = 0;
    for (uint32_t i = 0; i < count; ++i)
      worst = std::max(worst, ++perBank[words[i] % 32]);
    extra += worst > 1 ? worst - 1 : 0;
  }
  return extra;
}

/// 32-byte sectors that a warp-wide access touches.
uint32_t sectors(const LaneOffsets &offsets, uint32_t mask, uint32_t size) {
  uint64_t touched[64];
  uint32_t count = 0;
  forLanes(mask, [&](int lane) {
    uint64_t first = offsets.at[lane] / 32, last = (offsets.at[lane] + size - 1) / 32;
    touched[count++] = first;
    if (last != first)
      touched[count++] = last;
  });
  std::sort(touched, touched + count);
  return static_cast<uint32_t>(std::unique(touched, touched + count) - touched);
}

void countAccess(Tally &tally, const Region &region, const LaneOffsets &offsets, uint32_t mask,
                 uint32_t size, AccessKind kind) {
  uint64_t bytes = static_cast<uint64_t>(std::popcount(mask)) * size;
  bool reads = kind != AccessKind::Write, writes = kind != AccessKind::Read;
  switch (region.space) {
  case StateSpace::Shared:
    tally.sharedLoadBytes += reads ? bytes : 0;
    tally.sharedStoreBytes += writes ? bytes : 0;
    ++tally.sharedRequests;
    tally.sharedBankConflicts += bankConflicts(offsets, mask, size);
    break;
  case StateSpace::Global:
    tally.globalLoadBytes += reads ? bytes : 0;
    tally.globalStoreBytes += writes ? bytes : 0;
    ++tally.globalRequests;
    tally.globalSectors += sectors(offsets, mask, size);
    break;
  case StateSpace::Local:
    tally.localBytes += bytes;
    break;
  default:
    tally.constBytes += bytes;
    break;
  }
}

Flow trapRace(Warp &warp, AccessKind kind, const SharedRaces::Conflict &conflict) {
  const Program &program = *warp.program;
  const unsigned perCta = warp.cta->launch->warps, rank = conflict.otherWarp / perCta;
  std::string otherWarp = fmt::format("warp {}", conflict.otherWarp % perCta);
  if (rank != warp.cta->rank)
    otherWarp += fmt::format(" of CTA {} of the cluster", rank);
  std::string other = conflict.otherWrote
                          ? fmt::format("written by {} at line {}", otherWarp,
                                        program.instruction(conflict.otherPc).location.line)
                          : "read by " + otherWarp;
  return warp.trap(
      Check::P5, conflict.lane,
      fmt::format("data race: {} shared memory that was {}, and no barrier lies between; {}",
                  verb(kind), other,
                  describePlacement(program.shared, conflict.offset, "shared",
                                    warp.cta->sharedRegion.bytes)));
}

/// Strong accesses order warps through their addresses.
void orderThrough(Warp &warp, Cta &owner, const Op &op, const LaneOffsets &offsets, uint32_t mask) {
  const unsigned me = warp.cta->numberOf(warp);
  forLanes(mask, [&](int lane) {
    auto offset = static_cast<uint32_t>(offsets.at[lane]);
    if (op.mode2 & acquires)
      owner.races.acquire(me, offset);
    if (op.mode2 & releases)
      owner.races.release(me, offset);
  });
}

/// `owner`: the CTA whose shared memory it is.
Flow observeShared(Warp &warp, Cta &owner, const Op &op, const LaneOffsets &offsets, uint32_t mask,
                   uint32_t size, AccessKind kind) {
  SharedRaces &races = owner.races;
  const bool strong = op.mode2 & strongAccess, async = owner.asyncShadow.used();
  if (strong)
    orderThrough(warp, owner, op, offsets, mask);
  if (!async && (strong || !races.enabled()))
    return Flow::Next;
  const unsigned me = warp.cta->numberOf(warp);
  // One range for a warp that accesses without gaps, else one a lane (lanes at one address share).
  const bool contiguous = offsets.pattern == Pattern::Contiguous;
  uint32_t ranges = contiguous ? 1 : offsets.pattern == Pattern::Uniform ? mask & (0 - mask) : mask;
  const uint32_t bytes = contiguous ? 32 * size : size;
  uint64_t previous = ~0ull;
  for (; ranges != 0; ranges &= ranges - 1) {
    int lane = std::countr_zero(ranges);
    if (offsets.at[lane] == previous)
      continue;
    previous = offsets.at[lane];
    auto offset = static_cast<uint32_t>(previous);
    if (async && plainAccessOfShared(warp, owner, offset, bytes, kind != AccessKind::Read, lane) ==
                     Flow::Trap)
      return Flow::Trap;
    if (strong || !races.enabled())
      continue;
    auto laneOf = [&](uint32_t granule) {
      return contiguous ? static_cast<int>((granule - offset) / size) : lane;
    };
    SharedRaces::Conflict conflict;
    if (kind == AccessKind::Read) {
      if (races.read(me, offset, bytes, conflict)) {
        conflict.lane = laneOf(conflict.offset);
        return trapRace(warp, kind, conflict);
      }
      continue;
    }
    std::vector<SharedRaces::Conflict> &suspects = warp.cta->suspects;
    size_t before = suspects.size();
    races.write(me, warp.pc, offset, bytes, owner.sharedRegion.host, suspects);
    for (size_t i = before; i < suspects.size(); ++i)
      suspects[i].lane = laneOf(suspects[i].offset);
  }
  return Flow::Next;
}

void observeGlobal(Warp &warp, const Region &region, const LaneOffsets &offsets, uint32_t mask,
                   uint32_t size, AccessKind kind) {
  Cta &cta = *warp.cta;
  GlobalRaces &races = *cta.launch->globalRaces;
  auto &watched = *static_cast<GlobalRaces::Watched *>(region.watched);
  const bool contiguous = offsets.pattern == Pattern::Contiguous;
  uint32_t lanes = contiguous ? 1 : offsets.pattern == Pattern::Uniform ? mask & (0 - mask) : mask;
  const uint32_t bytes = contiguous ? 32 * size : size;
  forLanes(lanes, [&](int lane) {
    if (kind == AccessKind::Read)
      races.read(watched, offsets.at[lane], bytes, cta.linear);
    else
      races.write(watched, offsets.at[lane], bytes, cta.linear, warp.pc << 5 | warp.index,
                  cta.globalSuspects);
  });
}

} // namespace

Flow observe(Warp &warp, const Op &op, const Region &region, const LaneOffsets &offsets,
             uint32_t mask, uint32_t size, AccessKind kind) {
  Cta &cta = *warp.cta;
  if (region.allocation && region.allocation->chunkReady)
    forLanes(mask, [&](int lane) { region.allocation->touch(offsets.at[lane], size); });
  if ((op.mode2 & acquires) && kind == AccessKind::Read)
    ++warp.strongReads;
  if (cta.launch->options->counters)
    countAccess(cta.tally, region, offsets, mask, size, kind);
  if (region.watched && !(op.mode2 & strongAccess))
    observeGlobal(warp, region, offsets, mask, size, kind);
  if (region.space == StateSpace::Shared)
    return observeShared(warp, *cta.cluster->ctas[(region.start - sharedWindow) >> sharedRankShift],
                         op, offsets, mask, size, kind);
  return Flow::Next;
}

Flow judgeWrites(Warp &warp) {
  std::vector<SharedRaces::Conflict> &suspects = warp.cta->suspects;
  Flow flow = Flow::Next;
  for (const SharedRaces::Conflict &conflict : suspects) {
    if (std::memcmp(conflict.before, conflict.memory, warp.cta->races.granuleBytes()) == 0)
      continue;
    flow = trapRace(warp, AccessKind::Write, conflict);
    break;
  }
  suspects.clear();
  if (!warp.cta->globalSuspects.empty()) {
    warp.cta->launch->globalRaces->judge(warp.cta->globalSuspects);
    warp.cta->globalSuspects.clear();
  }
  return flow;
}

} // namespace msa::ptxsim

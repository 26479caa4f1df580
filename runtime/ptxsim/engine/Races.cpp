#include "ptxsim/engine/Races.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace msa::ptxsim {

void SharedRaces::configure(bool enabled, Order &shared, uint32_t sharedBytes,
                            unsigned granuleShift, unsigned number) {
  active = enabled && sharedBytes > 0;
  order = &shared;
  shift = granuleShift;
  firstWarp = number;
  perCta = shared.warpsOfCta();
  wholeCluster = shared.warpCount() <= 64;
  granules.assign(active ? (sharedBytes >> shift) + 1 : 0, Granule());
}

bool SharedRaces::findRace(const Granule &g, unsigned warp, bool readersMatter,
                           Conflict &conflict) const {
  if (!order->happenedBefore(warp, g.writer, g.writeSegment)) {
    conflict.otherWrote = true;
    conflict.otherWarp = g.writer;
    conflict.otherPc = g.writerPc;
    return true;
  }
  if (!readersMatter || g.readers == 0 || g.readSegment < order->firstSegment())
    return false;
  for (uint64_t left = g.readers & ~bitOf(warp); left != 0; left &= left - 1)
    if (unsigned other = warpOfBit(static_cast<unsigned>(std::countr_zero(left)));
        !order->happenedBefore(warp, other, g.readSegment)) {
      conflict.otherWrote = false;
      conflict.otherWarp = other;
      return true;
    }
  return false;
}

bool SharedRaces::read(unsigned warp, uint32_t offset, uint32_t bytes, Conflict &conflict) {
  if (!isKnown(warp))
    return false;
  const uint32_t last = (offset + bytes - 1) >> shift, now = order->segment(warp);
  const uint64_t me = bitOf(warp);
  for (uint32_t i = offset >> shift; i <= last; ++i) {
    Granule &g = granules[i];
    // Read by this warp in this segment already: a write since would have cleared the readers.
    if ((g.readers & me) && g.readSegment == now)
      continue;
    if (findRace(g, warp, false, conflict)) {
      conflict.offset = i << shift;
      return true;
    }
    if (g.readers == 0 || g.readers == me || g.readSegment < order->firstSegment()) {
      g.readers = me;
      g.readSegment = now;
      continue;
    }
    // Forget readers that happened before this read: what is ordered after it is ordered after
    // them.
    uint64_t kept = 0;
    for (uint64_t left = g.readers & ~me; left != 0; left &= left - 1)
      if (unsigned other = warpOfBit(static_cast<unsigned>(std::countr_zero(left)));
          !order->happenedBefore(warp, other, g.readSegment))
        kept |= left & (0 - left);
    g.readSegment = kept ? std::min(g.readSegment, now) : now;
    g.readers = kept | me;
  }
  return false;
}

void SharedRaces::write(unsigned warp, uint32_t pc, uint32_t offset, uint32_t bytes,
                        const uint8_t *memory, std::vector<Conflict> &suspects) {
  if (!isKnown(warp))
    return;
  const uint32_t last = (offset + bytes - 1) >> shift;
  for (uint32_t i = offset >> shift; i <= last; ++i) {
    Granule &g = granules[i];
    Conflict conflict;
    if (findRace(g, warp, true, conflict)) [[unlikely]] {
      conflict.offset = i << shift;
      conflict.memory = memory + conflict.offset;
      std::memcpy(conflict.before, conflict.memory, size_t{1} << shift);
      suspects.push_back(conflict);
    }
    g.readers = 0;
    g.writeSegment = order->segment(warp);
    g.writer = static_cast<uint16_t>(warp);
    g.writerPc = pc;
  }
}

void SharedRaces::acquire(unsigned warp, uint32_t offset) {
  if (auto found = published.find(offset >> shift); active && found != published.end())
    order->acquire(warp, found->second);
}

void SharedRaces::release(unsigned warp, uint32_t offset) {
  if (active)
    order->release(warp, published[offset >> shift]);
}

} // namespace msa::ptxsim

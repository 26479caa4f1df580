#include "ptxsim/engine/Races.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace msa::ptxsim {

void SharedRaces::configure(bool enabled, uint32_t sharedBytes, unsigned granuleShift,
                            unsigned warps) {
  active = enabled && sharedBytes > 0 && warps > 1;
  shift = granuleShift;
  warpCount = std::min(warps, maxWarps);
  granules.assign(active ? (sharedBytes >> shift) + 1 : 0, Granule());
  counter = 1;
}

void SharedRaces::start() {
  if (!active)
    return;
  // Segment numbers go on from CTA to CTA, so that nothing has to be cleared; near the end of their
  // range everything is.
  if (counter > 0xF0000000u) {
    std::fill(granules.begin(), granules.end(), Granule());
    counter = 1;
  }
  firstSegment = ++counter;
  for (unsigned w = 0; w < warpCount; ++w) {
    known[w].fill(0);
    current[w] = firstSegment;
  }
  published.clear();
  suspects.clear();
}

bool SharedRaces::findRace(const Granule &g, unsigned warp, bool readersMatter,
                           Conflict &conflict) const {
  unsigned writer = g.writerAndPc & 31;
  if (!ordered(warp, writer, g.writeSegment)) {
    conflict.otherWrote = true;
    conflict.otherWarp = writer;
    conflict.otherPc = g.writerAndPc >> 5;
    return true;
  }
  if (!readersMatter || g.readers == 0 || g.readSegment < firstSegment)
    return false;
  for (uint32_t left = g.readers & ~(1u << warp); left != 0; left &= left - 1)
    if (auto other = static_cast<unsigned>(std::countr_zero(left));
        known[warp][other] < g.readSegment) {
      conflict.otherWrote = false;
      conflict.otherWarp = other;
      return true;
    }
  return false;
}

bool SharedRaces::read(unsigned warp, uint32_t offset, uint32_t bytes, Conflict &conflict) {
  const uint32_t last = (offset + bytes - 1) >> shift, me = 1u << warp, now = current[warp];
  for (uint32_t i = offset >> shift; i <= last; ++i) {
    Granule &g = granules[i];
    // Read by this warp in this segment already: a write since would have cleared the readers.
    if ((g.readers & me) && g.readSegment == now)
      continue;
    if (findRace(g, warp, false, conflict)) {
      conflict.offset = i << shift;
      return true;
    }
    if (g.readers == 0 || g.readers == me || g.readSegment < firstSegment) {
      g.readers = me;
      g.readSegment = now;
      continue;
    }
    // Forget readers that happened before this read: what is ordered after it is ordered after
    // them.
    uint32_t kept = 0;
    for (uint32_t left = g.readers & ~me; left != 0; left &= left - 1)
      if (auto other = static_cast<unsigned>(std::countr_zero(left));
          known[warp][other] < g.readSegment)
        kept |= 1u << other;
    g.readSegment = kept ? std::min(g.readSegment, now) : now;
    g.readers = kept | me;
  }
  return false;
}

void SharedRaces::write(unsigned warp, uint32_t pc, uint32_t offset, uint32_t bytes,
                        const uint8_t *memory) {
  const uint32_t last = (offset + bytes - 1) >> shift;
  for (uint32_t i = offset >> shift; i <= last; ++i) {
    Granule &g = granules[i];
    Conflict conflict;
    if (findRace(g, warp, true, conflict)) [[unlikely]] {
      conflict.offset = i << shift;
      std::memcpy(conflict.before, memory + conflict.offset, size_t{1} << shift);
      suspects.push_back(conflict);
    }
    g.readers = 0;
    g.writeSegment = current[warp];
    g.writerAndPc = warp | (pc << 5);
  }
}

void SharedRaces::acquire(unsigned warp, uint32_t offset) {
  if (!active)
    return;
  auto found = published.find(offset >> shift);
  if (found == published.end())
    return;
  for (unsigned w = 0; w < warpCount; ++w)
    known[warp][w] = std::max(known[warp][w], found->second[w]);
}

void SharedRaces::release(unsigned warp, uint32_t offset) {
  if (!active)
    return;
  Clock &clock = published.try_emplace(offset >> shift, Clock{}).first->second;
  for (unsigned w = 0; w < warpCount; ++w)
    clock[w] = std::max(clock[w], known[warp][w]);
  clock[warp] = std::max(clock[warp], current[warp]);
  current[warp] = ++counter;
}

void SharedRaces::synchronise(uint32_t participants) { signal(0, participants); }

void SharedRaces::signal(uint32_t arrivers, uint32_t waiters) {
  if (!active)
    return;
  Clock merged{};
  for (uint32_t left = arrivers | waiters; left != 0; left &= left - 1) {
    auto w = static_cast<unsigned>(std::countr_zero(left));
    for (unsigned v = 0; v < warpCount; ++v)
      merged[v] = std::max(merged[v], known[w][v]);
    merged[w] = std::max(merged[w], current[w]);
  }
  ++counter;
  for (uint32_t left = arrivers | waiters; left != 0; left &= left - 1) {
    auto w = static_cast<unsigned>(std::countr_zero(left));
    if (waiters & (1u << w))
      known[w] = merged;
    current[w] = counter;
  }
}

} // namespace msa::ptxsim

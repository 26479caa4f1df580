//===- Races.h - data races in shared memory (P5) -----------------------------===//
//
// A granule of shared memory remembers its last plain writer (warp and segment, see
// Order.h) and the warps that read it since; an access races with a remembered one
// by warp v in segment s unless that happened before it.
//
// Example: warp 0 writes x in segment 3; bar.sync; clock[0] of warp 1 becomes 3, all
// warps start a new segment; warp 1 reads x: 3 <= 3, no race.
//
// Atomics, volatile and other strong accesses are exempt and order: a strong
// write publishes what its warp knows at that address, a strong read takes it.
// Threads of one warp are not checked against each other. Concurrent readers are
// remembered with their oldest segment, so a race may be missed, never invented.
// Accesses from other CTAs of the cluster are checked alike where the cluster has at
// most 64 warps; in larger ones only the CTA's own are.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Order.h"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace msa::ptxsim {

class SharedRaces {
public:
  /// `granuleShift`: log2 of the smallest access of the program. Off when `enabled` is false.
  /// `firstWarp`: number of the CTA's first warp in the cluster.
  void configure(bool enabled, Order &, uint32_t sharedBytes, unsigned granuleShift,
                 unsigned firstWarp);
  /// A new CTA.
  void start() { published.clear(); }
  /// Segment numbers start again.
  void forget() { granules.assign(granules.size(), Granule()); }
  bool enabled() const { return active; }
  uint32_t granuleBytes() const { return 1u << shift; }

  /// What an access collides with. Warps are numbers in the cluster.
  struct Conflict {
    bool otherWrote = false;
    unsigned otherWarp = 0;
    uint32_t otherPc = 0;            ///< op index of a writer
    uint32_t offset = 0;             ///< of the granule
    const uint8_t *memory = nullptr; ///< a write: the granule itself
    int lane = -1;                   ///< of this access
    uint8_t before[4] = {};          ///< a write: the granule's bytes before it
  };
  /// A plain read of `bytes` bytes at `offset`; true if it races.
  bool read(unsigned warp, uint32_t offset, uint32_t bytes, Conflict &);
  /// A plain write by op `pc`. What it collides with goes to `suspects`: a write that changes no
  /// byte harms nobody (compilers let several warps store the same value), so the caller judges
  /// when the bytes are there. `memory`: shared memory before the write.
  void write(unsigned warp, uint32_t pc, uint32_t offset, uint32_t bytes, const uint8_t *memory,
             std::vector<Conflict> &suspects);
  /// Strong accesses (atomics, volatile, acquire, release) order warps through an address.
  void acquire(unsigned warp, uint32_t offset);
  void release(unsigned warp, uint32_t offset);

  // ---- for asynchronous accesses (AsyncShadow.cpp)
  // ------------------------------------------------
  struct Granule {
    uint32_t writeSegment = 0; ///< 0: never written
    uint32_t readSegment = 0;  ///< oldest of the readers that are not ordered
    uint64_t readers = 0;      ///< warps, a bit each (bitOf)
    uint32_t writerPc = 0;     ///< op index
    uint16_t writer = 0;       ///< warp
  };
  unsigned granuleShift() const { return shift; }
  Granule &granuleAt(uint32_t offset) { return granules[offset >> shift]; }
  unsigned warpOfBit(unsigned bit) const { return wholeCluster ? bit : firstWarp + bit; }

private:
  bool isKnown(unsigned warp) const { return wholeCluster || warp - firstWarp < perCta; }
  uint64_t bitOf(unsigned warp) const { return 1ull << (wholeCluster ? warp : warp - firstWarp); }
  bool findRace(const Granule &, unsigned warp, bool readersMatter, Conflict &) const;

  bool active = false, wholeCluster = true;
  unsigned shift = 2, firstWarp = 0, perCta = 0;
  Order *order = nullptr;
  std::vector<Granule> granules;
  std::unordered_map<uint32_t, Knowledge> published;
};

} // namespace msa::ptxsim

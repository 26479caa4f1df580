//===- Races.h - data races in shared memory (P5) -----------------------------===//
//
// Happens-before between warps, at the cost of a few words per word of shared
// memory. Time is cut into *segments*: a CTA-wide counter, and each warp's
// current segment gets a new number whenever the warp takes part in a
// synchronisation. `known[w][v]` is the newest segment of warp v that happened
// before what warp w does now. A granule remembers its last writer (warp and
// segment) and the warps that read it since; an access races with a remembered
// one by warp v in segment s if known[me][v] < s.
//
// Example: warp 0 writes x in segment 3; bar.sync; known[1][0] becomes 3, all
// warps start segment 4; warp 1 reads x: 3 <= known[1][0], no race.
//
// Atomics, volatile and other strong accesses are exempt and order: a strong
// write publishes what its warp knows at that address, a strong read takes it.
// Threads of one warp are not checked against each other. Concurrent readers are
// remembered with their oldest segment, so a race may be missed, never invented.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace msa::ptxsim {

class SharedRaces {
public:
  static constexpr unsigned maxWarps = 32;
  using Clock = std::array<uint32_t, maxWarps>;

  /// `granuleShift`: log2 of the smallest access of the program. Off when `enabled` is false.
  void configure(bool enabled, uint32_t sharedBytes, unsigned granuleShift, unsigned warps);
  /// A new CTA.
  void start();
  bool enabled() const { return active; }
  uint32_t granuleBytes() const { return 1u << shift; }

  /// What an access collides with.
  struct Conflict {
    bool otherWrote = false;
    unsigned otherWarp = 0;
    uint32_t otherPc = 0;   ///< op index of a writer
    uint32_t offset = 0;    ///< of the granule
    int lane = -1;          ///< of this access
    uint8_t before[4] = {}; ///< the granule's bytes before a write
  };
  /// A plain read of `bytes` bytes at `offset`; true if it races.
  bool read(unsigned warp, uint32_t offset, uint32_t bytes, Conflict &);
  /// A plain write by op `pc`. What it collides with goes to `suspects`: a write that changes no
  /// byte harms nobody (compilers let several warps store the same value), so the caller judges
  /// when the bytes are there. `memory`: shared memory before the write.
  void write(unsigned warp, uint32_t pc, uint32_t offset, uint32_t bytes, const uint8_t *memory);
  std::vector<Conflict> suspects;
  /// Strong accesses (atomics, volatile, acquire, release) order warps through an address.
  void acquire(unsigned warp, uint32_t offset);
  void release(unsigned warp, uint32_t offset);
  /// The warps of `participants` (a bit each) synchronised at a barrier.
  void synchronise(uint32_t participants);
  /// `arrivers` only signalled; `waiters` learn what both know (bar.arrive).
  void signal(uint32_t arrivers, uint32_t waiters);

private:
  struct Granule {
    uint32_t writeSegment = 0; ///< 0: never written
    uint32_t readSegment = 0;  ///< oldest of the readers that are not ordered
    uint32_t readers = 0;      ///< warps, a bit each
    uint32_t writerAndPc = 0;  ///< warp in the low 5 bits, op index above
  };
  bool findRace(const Granule &, unsigned warp, bool readersMatter, Conflict &) const;

  bool active = false;
  unsigned shift = 2, warpCount = 0;
  uint32_t counter = 1;
  std::vector<Granule> granules;
  uint32_t firstSegment = 1; ///< of this CTA: older numbers belong to earlier CTAs
  std::array<Clock, maxWarps> known{};
  std::array<uint32_t, maxWarps> current{}; ///< segment of each warp
  std::unordered_map<uint32_t, Clock> published;

  bool ordered(unsigned me, unsigned other, uint32_t segment) const {
    return other == me || segment < firstSegment || known[me][other] >= segment;
  }
};

} // namespace msa::ptxsim

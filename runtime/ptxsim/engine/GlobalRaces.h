//===- GlobalRaces.h - data races between CTAs (P5) ------------------------------------------===//
//
// In a grid whose CTAs do not synchronise with each other, two CTAs race at a
// granule of memory if both access it and one of them writes (and not just the same
// value). For each granule of the buffers that the grid may write, the
// lowest and the highest CTA that wrote and that read it are kept: sets, so the
// order in which CTAs ran does not matter. A collision only lowers one number, the lowest
// granule in conflict; the message is made when the grid has ended.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/GlobalMemoryImpl.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace msa::ptxsim {

class GlobalRaces {
public:
  /// Who accessed a granule. Zero: nobody; else CTA number + 1 (in the high word, for writers).
  struct Cell {
    std::atomic<uint64_t> firstWriter{0}, lastWriter{0}; ///< low word: pc * 32 + warp
    std::atomic<uint32_t> firstReader{0}, lastReader{0};
  };
  struct Watched {
    Allocation *allocation = nullptr;
    LazyPages pages;
    Cell *cells = nullptr;
    uint64_t index = 0;
    /// Held from the look at a granule's bytes until the write is made, so that of two writes one
    /// is the second.
    std::mutex writing;
  };
  /// A write that met another CTA: judged when its bytes are there.
  struct Suspect {
    Watched *watched;
    uint64_t granule;
    uint8_t before[4];
  };
  struct Conflict {
    bool found = false;
    const Allocation *allocation = nullptr;
    uint64_t offset = 0;
    uint64_t writer = 0; ///< CTA number
    uint32_t writerPc = 0, writerWarp = 0;
    uint64_t other = 0; ///< CTA number
    bool otherWrote = false;
  };

  ~GlobalRaces();
  /// `shift`: log2 of the smallest access to global memory.
  void configure(unsigned shift) { granuleShift = shift; }
  /// The granules that lie wholly in [offset, offset + bytes): what a copy is checked for, whose
  /// ends may share a granule with another CTA's. False: none.
  bool wholeGranules(uint64_t &offset, uint32_t &bytes) const {
    uint64_t size = uint64_t{1} << granuleShift, begin = (offset + size - 1) & ~(size - 1),
             end = (offset + bytes) & ~(size - 1);
    if (begin >= end)
      return false;
    offset = begin;
    bytes = static_cast<uint32_t>(end - begin);
    return true;
  }
  /// Watches an allocation until this object is gone. Buffers above the limit are not watched.
  void watch(Allocation &);

  void read(Watched &, uint64_t offset, uint32_t bytes, uint64_t cta);
  void write(Watched &, uint64_t offset, uint32_t bytes, uint64_t cta, uint32_t pcAndWarp,
             std::vector<Suspect> &);
  /// After a write: suspects whose bytes changed are conflicts.
  void judge(const std::vector<Suspect> &);
  /// The lowest conflict, when all CTAs have run.
  Conflict lowest() const;

private:
  static constexpr uint64_t mostBytes = 256ull << 20;
  void report(const Watched &, uint64_t granule);

  unsigned granuleShift = 2;
  std::vector<std::unique_ptr<Watched>> watched;
  std::atomic<uint64_t> conflict{~0ull}; ///< buffer index in the top 16 bits, granule below
};

} // namespace msa::ptxsim

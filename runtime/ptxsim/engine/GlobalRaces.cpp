//===- GlobalRaces.cpp - who read and wrote each granule of global memory --------------------===//
#include "ptxsim/engine/GlobalRaces.h"

#include <algorithm>
#include <cstring>

namespace msa::ptxsim {

namespace {

/// Lowers (raises) `place` to `value`; zero means empty. Mostly a load and a comparison.
template <class T> void lower(std::atomic<T> &place, T value) {
  T seen = place.load(std::memory_order_relaxed);
  while ((seen == 0 || value < seen) && !place.compare_exchange_weak(seen, value)) {
  }
}
template <class T> void raise(std::atomic<T> &place, T value) {
  T seen = place.load(std::memory_order_relaxed);
  while (value > seen && !place.compare_exchange_weak(seen, value)) {
  }
}

/// True if some CTA other than `me` is among lowest and highest (0: nobody).
bool others(uint64_t lowest, uint64_t highest, uint64_t me) {
  return (lowest != 0 && lowest != me) || (highest != 0 && highest != me);
}

} // namespace

GlobalRaces::~GlobalRaces() {
  for (auto &w : watched)
    w->allocation->watched = nullptr;
}

void GlobalRaces::watch(Allocation &allocation) {
  if (allocation.watched || allocation.bytes > mostBytes)
    return;
  auto fresh = std::make_unique<Watched>();
  uint64_t granules = (allocation.bytes >> granuleShift) + 1;
  if (!fresh->pages.map(granules * sizeof(Cell)))
    return;
  // Zero pages are empty cells: atomics of integers are their value.
  fresh->cells = reinterpret_cast<Cell *>(fresh->pages.data());
  fresh->allocation = &allocation;
  fresh->index = watched.size();
  allocation.watched = fresh.get();
  watched.push_back(std::move(fresh));
}

void GlobalRaces::report(const Watched &w, uint64_t granule) {
  uint64_t place = w.index << 48 | granule, seen = conflict.load();
  while (place < seen && !conflict.compare_exchange_weak(seen, place)) {
  }
}

void GlobalRaces::read(Watched &w, uint64_t offset, uint32_t bytes, uint64_t cta) {
  auto me = static_cast<uint32_t>(cta + 1);
  uint64_t last = (offset + bytes - 1) >> granuleShift;
  for (uint64_t i = offset >> granuleShift; i <= last; ++i) {
    Cell &cell = w.cells[i];
    lower(cell.firstReader, me);
    raise(cell.lastReader, me);
    if (others(cell.firstWriter.load() >> 32, cell.lastWriter.load() >> 32, me))
      report(w, i);
  }
}

void GlobalRaces::write(Watched &w, uint64_t offset, uint32_t bytes, uint64_t cta,
                        uint32_t pcAndWarp, std::vector<Suspect> &suspects) {
  const uint64_t me = cta + 1, mine = me << 32 | pcAndWarp;
  uint64_t last = (offset + bytes - 1) >> granuleShift;
  for (uint64_t i = offset >> granuleShift; i <= last; ++i) {
    Cell &cell = w.cells[i];
    if (others(cell.firstWriter.load() >> 32, cell.lastWriter.load() >> 32, me)) {
      Suspect suspect{&w, i, {}};
      std::memcpy(
          suspect.before, w.allocation->host + (i << granuleShift),
          std::min<uint64_t>(1ull << granuleShift, w.allocation->bytes - (i << granuleShift)));
      suspects.push_back(suspect);
    }
    lower(cell.firstWriter, mine);
    // The highest CTA, and of its writes the first.
    uint64_t seen = cell.lastWriter.load(std::memory_order_relaxed);
    while (me > seen >> 32 && !cell.lastWriter.compare_exchange_weak(seen, mine)) {
    }
    if (others(cell.firstReader.load(), cell.lastReader.load(), me))
      report(w, i);
  }
}

void GlobalRaces::judge(const std::vector<Suspect> &suspects) {
  for (const Suspect &s : suspects) {
    const Allocation &allocation = *s.watched->allocation;
    uint64_t offset = s.granule << granuleShift;
    if (std::memcmp(s.before, allocation.host + offset,
                    std::min<uint64_t>(1ull << granuleShift, allocation.bytes - offset)) != 0)
      report(*s.watched, s.granule);
  }
}

GlobalRaces::Conflict GlobalRaces::lowest() const {
  Conflict result;
  uint64_t place = conflict.load();
  if (place == ~0ull)
    return result;
  const Watched &w = *watched[place >> 48];
  uint64_t granule = place & ((1ull << 48) - 1);
  const Cell &cell = w.cells[granule];
  result.found = true;
  result.allocation = w.allocation;
  result.offset = granule << granuleShift;
  uint64_t first = cell.firstWriter, last = cell.lastWriter;
  uint32_t reader = cell.firstReader;
  result.otherWrote = first >> 32 != last >> 32;
  uint64_t writer = last;
  if (result.otherWrote) {
    result.other = (first >> 32) - 1;
  } else {
    if (reader == writer >> 32)
      reader = cell.lastReader;
    result.other = reader - 1;
  }
  result.writer = (writer >> 32) - 1;
  result.writerPc = static_cast<uint32_t>(writer) >> 5;
  result.writerWarp = static_cast<uint32_t>(writer) & 31;
  return result;
}

} // namespace msa::ptxsim

//===- GlobalMemoryImpl.h - allocations behind GlobalMemory ----------------===//
//
// Each allocation is a private anonymous mapping without reserved swap: pages
// that nobody touches cost nothing. Invariants:
//  * `allocations` is sorted by start; ranges are disjoint with guard gaps.
//  * shadow is null when every byte counts as initialised, else one byte a byte:
//    1 = initialised. It is a lazy mapping too.
//  * A poisoned allocation is filled a chunk at a time, when first touched:
//    chunkReady[i] is 2 once chunk i holds its bytes (1 = being filled).
//  * Nothing is allocated or released while a grid runs.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Simulator.h"
#include "ptxsim/engine/AddressSpace.h"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace msa::ptxsim {

/// Anonymous memory that costs nothing until touched.
class LazyPages {
public:
  LazyPages() = default;
  ~LazyPages();
  LazyPages(LazyPages &&) noexcept;
  LazyPages &operator=(LazyPages &&) noexcept;
  /// False when the host refuses.
  bool map(uint64_t bytes);
  uint8_t *data() const { return start; }
  uint64_t size() const { return length; }

private:
  uint8_t *start = nullptr;
  uint64_t length = 0;
};

struct Allocation {
  static constexpr unsigned chunkShift = 16;

  uint64_t start = 0, bytes = 0;
  std::string label;
  LazyPages pages, shadowPages, readyPages;
  uint8_t *host = nullptr, *shadow = nullptr;
  std::atomic<uint8_t> *chunkReady = nullptr; ///< null: no chunk needs filling

  void *watched = nullptr; ///< GlobalRaces::Watched while a grid runs that may race here

  bool holds(uint64_t address, uint64_t size) const {
    return address - start < bytes && size <= bytes - (address - start);
  }
  /// Makes the bytes [offset, offset + size) real; size > 0.
  void touch(uint64_t offset, uint64_t size) {
    if (chunkReady)
      fill(offset, size);
  }

private:
  void fill(uint64_t offset, uint64_t size);
};

struct GlobalMemory::Impl {
  std::vector<std::unique_ptr<Allocation>> allocations;
  uint64_t next = bufferWindow;

  /// Storage of a module's .global variables, made at its first run here.
  struct ModuleStorage {
    std::weak_ptr<const Module> module;
    std::unique_ptr<Allocation> allocation;
  };
  std::vector<ModuleStorage> modules;

  /// The allocation that holds `address`, or null.
  Allocation *find(uint64_t address) const;
  /// "buffer 'a' (4096 bytes), 12 bytes past its end": the nearest allocation and how far off.
  std::string describeNearest(uint64_t address, uint64_t size) const;
  /// `start` 0: at the next free address.
  static Expected<std::unique_ptr<Allocation>> make(uint64_t start, uint64_t bytes, Initial,
                                                    const std::string &label);
};

} // namespace msa::ptxsim

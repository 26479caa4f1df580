//===- AsyncShadow.h - who accesses shared memory asynchronously ------------------------------===//
//
// For each 16 bytes of a CTA's shared memory: the newest asynchronous operation that
// writes them, the newest that reads them (tensor core and copies apart), the tile
// that a tensor copy put there, and whether mbarriers live in them. Accesses are
// entered when the operation is issued. Together with the granules of Races.h (plain
// accesses) every pair of conflicting accesses is judged at the later one:
//
//   plain write, then asynchronous read       hb + fence.proxy.async          P5, P1
//   asynchronous write, then any access       its completion is known         P2, P3
//   asynchronous read, then any write         its completion is known         P2, P3, M3
//   plain read or write, then async write     hb                              P3
//
// What is remembered is the newest of several, so a hazard may be missed, never
// invented: an operation replaces another one in a cell only after that one was
// judged.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Async.h"

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace msa::ptxsim {

/// Which unit reads; one of each is remembered per cell.
enum class AsyncUnit : uint8_t { Tensor, Copy };

/// A tile that a tensor copy wrote (or will write) to shared memory: what D3 and D4 compare
/// descriptors with.
struct TileRecord {
  AsyncId op = 0;
  uint32_t base = 0;       ///< offset of the box's first byte in shared memory
  uint32_t innerBytes = 0; ///< of one row of the box
  uint32_t rows = 0;       ///< of `innerBytes` each, all outer dimensions together
  uint8_t elementBits = 0; ///< as in global memory: 4, 6, 8, ...
  bool padded = false;     ///< 1: 4- and 6-bit elements in padded 16-byte groups
  uint8_t swizzle = 0;     ///< ptxsim::Swizzle (TensorMap.h)
  bool floating = false;   ///< the map's type is a float format; integer types stand for any bytes
  /// Rows of the box along dimensions 1 to 4 (gather4: 4, 1, 1, 1); their product is `rows`.
  std::array<uint32_t, 4> outer = {1, 1, 1, 1};
  uint32_t pc = 0; ///< of the copy
};

class AsyncShadow {
public:
  static constexpr uint32_t shift = 4;
  struct Cell {
    AsyncId writer = 0;
    AsyncId reader[2] = {0, 0}; ///< by AsyncUnit
    uint32_t tile : 26 = 0;     ///< index into `tiles` + 1; 0: none
    uint32_t narrow : 4 = 0;    ///< bit i: `narrowWriters` has the i-th four bytes
    uint32_t barriers : 2 = 0;  ///< bit i: an mbarrier in the i-th eight bytes
  };

  void configure(bool enabled, uint32_t sharedBytes);
  void start();
  bool enabled() const { return !cells.empty(); }
  /// Something was entered since the CTA started; plain accesses have to look.
  bool used() const { return inUse; }
  Cell &cellAt(uint32_t offset) { return cells[offset >> shift]; }
  const Cell &cellAt(uint32_t offset) const { return cells[offset >> shift]; }
  void setBarrier(uint32_t offset, bool present);
  bool hasBarrier(uint32_t offset) const {
    return enabled() && ((cellAt(offset).barriers >> (offset >> 3 & 1)) & 1);
  }
  void markUsed() { inUse = true; }
  std::vector<TileRecord> tiles;
  /// Remote stores are shorter than a cell, and those of several CTAs lie side by side: the newest
  /// by word (offset / 4) that a cell's `narrow` names.
  std::unordered_map<uint32_t, AsyncId> narrowWriters;
  /// The tile record at a place, or null.
  const TileRecord *tileAt(uint32_t offset) const {
    uint32_t index = enabled() ? cellAt(offset).tile : 0;
    return index ? &tiles[index - 1] : nullptr;
  }

private:
  std::vector<Cell> cells;
  bool inUse = false;
};

/// The operation will read `bytes` bytes at `offset` of `owner`'s shared memory: checks and
/// remembers (P1, P2, P5, P6). Call at issue; bounds are the caller's. Flow::Trap if it trapped.
Flow asyncReadsShared(const Origin &, Cta &owner, uint32_t offset, uint32_t bytes, AsyncId,
                      AsyncUnit);
/// The operation will write them (P2, P3, P6). `tile`: index + 1 into the owner's tiles, or 0.
Flow asyncWritesShared(const Origin &, Cta &owner, uint32_t offset, uint32_t bytes, AsyncId,
                       uint32_t tile = 0);
/// The same for st.async and red.async: 4 to 16 bytes, told apart word by word. Several reductions
/// of one place (`reduces`) need no order.
Flow narrowWritesShared(const Origin &, Cta &owner, uint32_t offset, uint32_t bytes, AsyncId,
                        bool reduces);
/// A plain access of a warp (P2, P3, P6, M3).
Flow plainAccessOfShared(Warp &, Cta &owner, uint32_t offset, uint32_t bytes, bool writes,
                         int lane);
/// "the wgmma.mma_async of warp 2 at line 140": an operation for a message.
std::string describeOperation(const Cta &, AsyncId);
/// "'tile' + 128 (offset 1152)": a place in shared memory for a message.
std::string describeShared(const Cta &, uint64_t offset);

} // namespace msa::ptxsim

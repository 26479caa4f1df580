//===- TensorMemory.h - the memory of the fifth-generation tensor core
//-------------------------===//
//
// PTX ISA 9.7.16.1 to .2, .7, .8, .10.5 and .10.7. Each CTA has 128 lanes of 512 columns
// of 32-bit cells; an address is lane << 16 | column. Columns are allocated in powers of
// two from 32 on. Nothing here knows about warps or order: storage, allocations and the
// maps that say which cell holds what:
//
//   moves     thread and register of tcgen05.ld / st to a cell (tables of 9.7.16.2.3)
//   D         row and column of an accumulator to a cell (layouts A, B, D and F)
//   A         as D by lanes; K packed in cells
//   scales    lane = row % 32 in each quarter of the lanes, column = base + row / 32
//
// Example: cta_group::1, M = 64 (layout F): row 20 of D is in lane 36 = 20/16 * 32 + 20%16
// (52 if the address says lane 16), its column 5 in column base + 5.
//
// Every cell has a state byte: which of its four bytes were written since the allocation
// (bits 7:4), and which of them with initialised data (bits 3:0).
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace msa::ptxsim {

inline constexpr uint32_t tensorLanes = 128, tensorColumns = 512;

/// An address in tensor memory.
struct TensorAddress {
  uint32_t lane = 0, column = 0;
  static TensorAddress unpack(uint32_t bits) { return {bits >> 16, bits & 0xFFFF}; }
};

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

class TensorMemory {
public:
  /// State of a cell.
  static constexpr uint8_t initialised = 0xFF, tainted = 0xF0, unwritten = 0;
  static constexpr uint32_t granule = 32, leastColumns = 32;

  /// Columns that one tcgen05.alloc gave.
  struct Allocation {
    uint32_t first = 0, columns = 0;
    uint32_t pc = 0;     ///< of the tcgen05.alloc
    uint32_t warp = 0;   ///< that executed it
    uint32_t freePc = 0; ///< of the tcgen05.dealloc
    bool live = true;
  };

  /// Everything free, nothing written.
  void start();
  uint32_t *row(uint32_t lane) { return cells.data() + size_t{lane} * tensorColumns; }
  const uint32_t *row(uint32_t lane) const { return cells.data() + size_t{lane} * tensorColumns; }
  uint8_t *states(uint32_t lane) { return stateBytes.data() + size_t{lane} * tensorColumns; }
  const uint8_t *states(uint32_t lane) const {
    return stateBytes.data() + size_t{lane} * tensorColumns;
  }

  /// The lowest free columns of that number, a power of two; nothing if there are none.
  std::optional<uint32_t> findFree(uint32_t columns) const;
  /// Takes the columns and makes them unwritten.
  void allocate(uint32_t first, uint32_t columns, uint32_t pc, uint32_t warp);
  void release(Allocation &, uint32_t freePc);
  /// The newest allocation that has, or had, the column; null if it never was allocated.
  Allocation *allocationAt(uint32_t column);
  const std::vector<Allocation> &allocations() const { return all; }
  uint32_t freeColumns() const;

private:
  std::vector<uint32_t> cells;
  std::vector<uint8_t> stateBytes;
  std::vector<Allocation> all;
  uint32_t owners[tensorColumns / granule] = {}; ///< index into `all` + 1, newest; 0: never
};

//===----------------------------------------------------------------------===//
// Moves between registers and cells
//===----------------------------------------------------------------------===//

/// .shape of tcgen05.ld and .st.
enum class MoveShape : uint8_t { L32x32b, L16x64b, L16x128b, L16x256b, L16x32bx2 };
std::optional<MoveShape> moveShapeFromWord(std::string_view);

struct MoveForm {
  MoveShape shape = MoveShape::L32x32b;
  uint16_t repeat = 1; ///< .num
  bool packed = false; ///< .pack::16b, .unpack::16b: a register is the low halves of two columns
  uint32_t split = 0;  ///< immHalfSplitoff of .16x32bx2, columns

  /// Registers of a thread; 0: there is no such form (table 49).
  unsigned registers() const;
  /// Lanes that it touches: 32 or 16.
  unsigned laneCount() const { return shape == MoveShape::L32x32b ? 32 : 16; }
  /// Columns of one access, from the base (and again from base + split).
  unsigned columns() const;
  /// Columns from the base on to the end of the last access.
  unsigned extent() const { return columns() + (shape == MoveShape::L16x32bx2 ? split : 0); }
  /// The cell of a thread's register, relative to the base; packed: the first of two columns.
  TensorAddress cellOf(unsigned thread, unsigned reg) const;
};

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

/// How the rows and columns of D (and the rows of A) lie in the lanes (table of 9.7.16.10.5).
enum class DataPath : uint8_t {
  A, ///< M 256, pair: each CTA has 128 rows, row = lane
  B, ///< M 128, pair: each CTA has 64 rows; lanes 64 to 127 hold the second half of the columns
  D, ///< M 128: row = lane
  F, ///< M 64: the lower or the upper 16 lanes of each quarter
};
DataPath dataPathOf(int m, unsigned ctaGroup);
const char *toString(DataPath);

/// Rows of D that one CTA holds.
inline uint32_t rowsOfCta(DataPath path) {
  return path == DataPath::A || path == DataPath::D ? 128 : 64;
}
/// The lane of row `row` of the CTA; `upper`: the second half of D's columns (layout B). `base`:
/// the lane of the address, 0 or 16 in layout F.
inline uint32_t laneOf(DataPath path, uint32_t row, bool upper, uint32_t base) {
  switch (path) {
  case DataPath::A:
  case DataPath::D:
    return row;
  case DataPath::B:
    return row + (upper ? 64 : 0);
  case DataPath::F:
    return row / 16 * 32 + row % 16 + base;
  }
  return row;
}
/// Columns that D takes from its base on.
inline uint32_t columnsOfD(DataPath path, uint32_t n) { return path == DataPath::B ? n / 2 : n; }

//===----------------------------------------------------------------------===//
// Scale factors
//===----------------------------------------------------------------------===//

/// Columns that the scale factors of `rows` rows take.
inline uint32_t columnsOfScales(uint32_t rows) { return (rows + 31) / 32; }

} // namespace msa::ptxsim

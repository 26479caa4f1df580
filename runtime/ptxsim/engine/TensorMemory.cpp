#include "ptxsim/engine/TensorMemory.h"

#include <algorithm>
#include <bit>

namespace msa::ptxsim {

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

void TensorMemory::start() {
  // Cells are cleared when they are allocated; before that nobody can reach them.
  cells.resize(size_t{tensorLanes} * tensorColumns);
  stateBytes.resize(cells.size());
  all.clear();
  std::fill(std::begin(owners), std::end(owners), 0);
}

TensorMemory::Allocation *TensorMemory::allocationAt(uint32_t column) {
  if (column >= tensorColumns || owners[column / granule] == 0)
    return nullptr;
  return &all[owners[column / granule] - 1];
}

std::optional<uint32_t> TensorMemory::findFree(uint32_t columns) const {
  const uint32_t wanted = (columns + granule - 1) / granule;
  uint32_t run = 0;
  for (uint32_t i = 0; i < std::size(owners); ++i) {
    bool taken = owners[i] != 0 && all[owners[i] - 1].live;
    run = taken ? 0 : run + 1;
    if (run == wanted)
      return (i + 1 - wanted) * granule;
  }
  return std::nullopt;
}

uint32_t TensorMemory::freeColumns() const {
  uint32_t count = 0;
  for (uint32_t owner : owners)
    count += owner == 0 || !all[owner - 1].live ? granule : 0;
  return count;
}

void TensorMemory::allocate(uint32_t first, uint32_t columns, uint32_t pc, uint32_t warp) {
  all.push_back({first, columns, pc, warp, 0, true});
  for (uint32_t i = 0; i < columns / granule; ++i)
    owners[first / granule + i] = static_cast<uint32_t>(all.size());
  for (uint32_t lane = 0; lane < tensorLanes; ++lane) {
    std::fill_n(row(lane) + first, columns, 0u);
    std::fill_n(states(lane) + first, columns, unwritten);
  }
}

void TensorMemory::release(Allocation &allocation, uint32_t freePc) {
  allocation.live = false;
  allocation.freePc = freePc;
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

std::optional<MoveShape> moveShapeFromWord(std::string_view word) {
  static constexpr std::string_view words[] = {"32x32b", "16x64b", "16x128b", "16x256b",
                                               "16x32bx2"};
  for (size_t i = 0; i < std::size(words); ++i)
    if (words[i] == word)
      return static_cast<MoveShape>(i);
  return std::nullopt;
}

namespace {

/// Registers of a thread for one repetition.
unsigned registersPerRepeat(MoveShape shape) {
  return shape == MoveShape::L16x256b ? 4 : shape == MoveShape::L16x128b ? 2 : 1;
}

} // namespace

unsigned MoveForm::registers() const {
  unsigned count = registersPerRepeat(shape) * repeat;
  return std::has_single_bit(repeat) && count <= 128 ? count : 0;
}

unsigned MoveForm::columns() const {
  unsigned one = 1;
  if (shape == MoveShape::L16x64b)
    one = 2;
  else if (shape == MoveShape::L16x128b)
    one = 4;
  else if (shape == MoveShape::L16x256b)
    one = 8;
  return one * repeat * (packed ? 2 : 1);
}

TensorAddress MoveForm::cellOf(unsigned t, unsigned r) const {
  TensorAddress cell;
  uint32_t offset = 0;
  switch (shape) {
  case MoveShape::L32x32b:
    cell = {t, r};
    break;
  case MoveShape::L16x64b:
    cell = {(t >> 2) + 8 * (t & 1), 2 * r + (t >> 1 & 1)};
    break;
  case MoveShape::L16x128b:
    cell = {t / 4 + 8 * (r & 1), (r >> 1) * 4 + t % 4};
    break;
  case MoveShape::L16x256b:
    cell = {t / 4 + 8 * (r >> 1 & 1), (r >> 2) * 8 + t % 4 * 2 + (r & 1)};
    break;
  case MoveShape::L16x32bx2:
    cell = {t % 16, r};
    offset = t / 16 * split;
    break;
  }
  cell.column = cell.column * (packed ? 2 : 1) + offset;
  return cell;
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

DataPath dataPathOf(int m, unsigned ctaGroup) {
  if (ctaGroup == 2)
    return m == 256 ? DataPath::A : DataPath::B;
  return m == 128 ? DataPath::D : DataPath::F;
}

const char *toString(DataPath path) {
  static constexpr const char *names[] = {"A", "B", "D", "F"};
  return names[static_cast<unsigned>(path)];
}

} // namespace msa::ptxsim

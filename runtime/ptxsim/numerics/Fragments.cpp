//===- Fragments.cpp - where matrix elements live in registers ------------===//
//
// The closed forms of Fragments.h, inverted into tables. b8 forms of ldmatrix
// and stmatrix are drawn only as figures in the ISA; they were derived from the
// shape of the copies that CUTLASS describes and agree with the ISA's sentence
// "each thread loads 4 consecutive columns across 2 rows".
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Fragments.h"

namespace msa::ptxsim::numerics {
namespace {

/// Which k an element width has; C is taken by any of them.
bool shapeExists(MmaShape shape, int bits) {
  auto is = [&](int m, int k) { return shape.m == m && shape.n == 8 && shape.k == k; };
  switch (bits) {
  case 64:
    return is(8, 4) || is(16, 4) || is(16, 8) || is(16, 16);
  case 32:
    return is(16, 4) || is(16, 8);
  case 16:
    return is(16, 8) || is(16, 16);
  case 8:
    return is(8, 16) || is(16, 16) || is(16, 32);
  case 4:
    return is(8, 32) || is(16, 32) || is(16, 64);
  case 1:
    return is(8, 128) || is(16, 128) || is(16, 256);
  default:
    return false;
  }
}

bool accumulatorExists(MmaShape shape, int bits) {
  bool any = shapeExists(shape, 64) || shapeExists(shape, 32) || shapeExists(shape, 16) ||
             shapeExists(shape, 8) || shapeExists(shape, 4) || shapeExists(shape, 1);
  return any && (bits == 64 || bits == 32 || (bits == 16 && shape.m == 16));
}

struct Place {
  int row, col;
};

/// Element `index` of a lane, in the order of registers from low bits up.
Place placeOf(MmaShape shape, MmaOperand operand, int perRegister, int lane, int index) {
  int group = lane / 4, thread = lane % 4;
  if (operand == MmaOperand::C)
    return {group + 8 * (index / 2), 2 * thread + index % 2};
  int reg = index / perRegister;
  int within = thread * perRegister + index % perRegister;
  if (operand == MmaOperand::B)
    return {within + 4 * perRegister * reg, group};
  if (shape.m == 8)
    return {group, within + 4 * perRegister * reg};
  return {group + 8 * (reg % 2), within + 4 * perRegister * (reg / 2)};
}

} // namespace

std::optional<FragmentLayout> mmaFragment(MmaShape shape, MmaOperand operand, int bits) {
  if (!(operand == MmaOperand::C ? accumulatorExists(shape, bits) : shapeExists(shape, bits)))
    return std::nullopt;
  FragmentLayout layout;
  layout.rows = operand == MmaOperand::B ? shape.k : shape.m;
  layout.cols = operand == MmaOperand::A ? shape.k : shape.n;
  layout.bits = bits;
  int registerBits = bits == 64 ? 64 : 32;
  int perRegister = registerBits / bits;
  int perLane = layout.rows * layout.cols / 32;
  layout.registers = perLane / perRegister;
  layout.slots.resize(static_cast<size_t>(layout.rows) * layout.cols);
  for (int lane = 0; lane < 32; ++lane)
    for (int index = 0; index < perLane; ++index) {
      Place place = placeOf(shape, operand, perRegister, lane, index);
      layout.slots[place.row * layout.cols + place.col] = {
          static_cast<uint8_t>(lane), static_cast<uint8_t>(index / perRegister),
          static_cast<uint8_t>(index % perRegister * bits)};
    }
  return layout;
}

FragmentLayout quadFragment(MmaOperand operand, bool columnMajor, int computation, int bits) {
  bool accumulator = operand == MmaOperand::C;
  FragmentLayout layout;
  layout.rows = operand == MmaOperand::B ? 4 : 8;
  layout.cols = operand == MmaOperand::A ? 4 : 8;
  layout.bits = accumulator ? bits : 16;
  int perRegister = 32 / layout.bits, perLane = accumulator ? 8 : 4;
  layout.registers = perLane / perRegister;
  layout.slots.resize(static_cast<size_t>(layout.rows) * layout.cols);
  for (int member = 0; member < 8; ++member) {
    // Lanes 4c..4c+3 and the same of the upper half-warp, which takes the other four rows or
    // columns.
    int low = member % 4, high = member / 4 * 4;
    int lane = computation * 4 + low + (high != 0 ? 16 : 0);
    for (int i = 0; i < perLane; ++i) {
      Place place = {low + high, i}; // row-major A, and C in f16
      if (operand == MmaOperand::A && columnMajor)
        place = {i + high, low};
      else if (operand == MmaOperand::B)
        place = columnMajor ? Place{i, low + high} : Place{low, i + high};
      else if (accumulator && bits == 32)
        place = {(lane & 1) + (i & 2) + high, (i & 4) + (lane & 2) + (i & 1)};
      layout.slots[place.row * layout.cols + place.col] = {
          static_cast<uint8_t>(lane), static_cast<uint8_t>(i / perRegister),
          static_cast<uint8_t>(i % perRegister * layout.bits)};
    }
  }
  return layout;
}

int addressesPerMatrix(MatrixShape shape) { return shape == MatrixShape::M16N16B8 ? 16 : 8; }
int registersPerMatrix(MatrixShape shape) { return shape == MatrixShape::M16N16B8 ? 2 : 1; }

MatrixByte matrixByte(MatrixShape shape, bool trans, int lane, int reg, int byte) {
  int group = lane / 4, thread = lane % 4;
  auto at = [](int row, int element) {
    return MatrixByte{static_cast<uint8_t>(row), static_cast<uint8_t>(element)};
  };
  switch (shape) {
  case MatrixShape::M8N8B16:
    if (trans) // 16-bit element byte / 2 of this register is row 2t or 2t+1, column g
      return at(2 * thread + byte / 2, 2 * group + byte % 2);
    return at(group, 4 * thread + byte);
  case MatrixShape::M16N16B8:
    return at(4 * thread + 2 * reg + byte % 2, group + 8 * (byte / 2));
  case MatrixShape::M8N16B8:
    return at(group, 4 * thread + byte);
  case MatrixShape::M16N8B8:
    return at(2 * thread + byte % 2, group + 8 * (byte / 2));
  }
  return at(0, 0);
}

uint8_t containerOf(PackedRow format, const uint8_t *row, int index, bool centred) {
  int bits = format == PackedRow::B4x16P64 ? 4 : 6;
  int first = index * bits;
  unsigned pair = row[first / 8] | (first / 8 + 1 < 16 ? row[first / 8 + 1] << 8 : 0u);
  unsigned code = (pair >> (first % 8)) & ((1u << bits) - 1);
  return static_cast<uint8_t>(bits == 4 && centred ? code << 2 : code);
}

HalfSlot movmatrixSource(int lane, int half) {
  int row = lane / 4, col = 2 * (lane % 4) + half;
  return {static_cast<uint8_t>(col * 4 + row / 2), static_cast<uint8_t>(row % 2)};
}

} // namespace msa::ptxsim::numerics

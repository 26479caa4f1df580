//===- FragmentsTest.cpp - where matrix elements live in registers --------===//
//
// Against thread-value layouts (ThreadValueLayouts.h), a second source for the
// same facts; and every layout must be a bijection.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Fragments.h"

#include "ThreadValueLayouts.h"

#include <catch2/catch.hpp>
#include <set>
#include <tuple>

using namespace msa::ptxsim::numerics;

namespace {

void requireBijection(const FragmentLayout &layout, size_t lanes) {
  std::set<std::tuple<int, int, int>> places;
  int registerBits = layout.bits == 64 ? 64 : 32;
  for (const FragmentSlot &slot : layout.slots) {
    REQUIRE(slot.lane < 32);
    REQUIRE(slot.reg < layout.registers);
    REQUIRE(slot.shift % layout.bits == 0);
    REQUIRE(slot.shift < registerBits);
    places.insert({slot.lane, slot.reg, slot.shift});
  }
  REQUIRE(places.size() == layout.slots.size());
  REQUIRE(places.size() * layout.bits == lanes * layout.registers * registerBits);
}

} // namespace

TEST_CASE("mma fragments equal thread-value layouts") {
  for (const OperandPlaces &want : threadValueLayouts()) {
    auto layout = mmaFragment(want.shape, want.operand, want.bits);
    CAPTURE(want.shape.m, want.shape.n, want.shape.k, static_cast<int>(want.operand), want.bits);
    REQUIRE(layout.has_value());
    requireBijection(*layout, 32);
    int outer = want.operand == MmaOperand::B ? want.shape.n : want.shape.m;
    int perRegister = (want.bits == 64 ? 64 : 32) / want.bits;
    int perLane = layout->rows * layout->cols / 32;
    for (int lane = 0; lane < 32; ++lane)
      for (int value = 0; value < perLane; ++value) {
        int index = offsetOf(want.lanes, lane) + offsetOf(want.values, value);
        int major = index % outer, minor = index / outer;
        const FragmentSlot &slot =
            want.operand == MmaOperand::B ? layout->at(minor, major) : layout->at(major, minor);
        REQUIRE(slot.lane == lane);
        REQUIRE(slot.reg == value / perRegister);
        REQUIRE(slot.shift == value % perRegister * want.bits);
      }
  }
}

TEST_CASE("every accumulator of an existing shape has a layout") {
  for (const OperandPlaces &each : threadValueLayouts()) {
    auto layout = mmaFragment(each.shape, MmaOperand::C, 32);
    REQUIRE(layout.has_value());
    requireBijection(*layout, 32);
  }
}

TEST_CASE("shapes that do not exist are refused") {
  REQUIRE_FALSE(mmaFragment({16, 8, 4}, MmaOperand::A, 16));
  REQUIRE_FALSE(mmaFragment({16, 16, 16}, MmaOperand::A, 16));
  REQUIRE_FALSE(mmaFragment({16, 8, 64}, MmaOperand::B, 8));
  REQUIRE_FALSE(mmaFragment({8, 8, 4}, MmaOperand::A, 16));
  REQUIRE_FALSE(mmaFragment({16, 8, 32}, MmaOperand::A, 2));
  REQUIRE_FALSE(mmaFragment({16, 8, 24}, MmaOperand::C, 32));
  REQUIRE_FALSE(mmaFragment({8, 8, 16}, MmaOperand::C, 16));
}

TEST_CASE("m8n8k4 f16: four quad-pair products") {
  for (int computation = 0; computation < 4; ++computation) {
    std::set<int> lanes;
    for (MmaOperand operand : {MmaOperand::A, MmaOperand::B, MmaOperand::C})
      for (bool columnMajor : {false, true})
        for (int bits : {16, 32}) {
          FragmentLayout layout = quadFragment(operand, columnMajor, computation, bits);
          requireBijection(layout, 8);
          for (const FragmentSlot &slot : layout.slots)
            lanes.insert(slot.lane);
        }
    int base = computation * 4;
    REQUIRE(lanes == std::set<int>{base, base + 1, base + 2, base + 3, base + 16, base + 17,
                                   base + 18, base + 19});
  }
  // Row-major A: a lane's four elements are its row. Column-major: its column of four rows.
  FragmentLayout a = quadFragment(MmaOperand::A, false, 1, 16);
  REQUIRE(a.at(6, 3).lane == 22);
  REQUIRE((a.at(6, 3).reg == 1 && a.at(6, 3).shift == 16));
  FragmentLayout at = quadFragment(MmaOperand::A, true, 0, 16);
  REQUIRE((at.at(5, 2).lane == 18 && at.at(5, 2).reg == 0 && at.at(5, 2).shift == 16));
  FragmentLayout b = quadFragment(MmaOperand::B, false, 0, 16);
  REQUIRE((b.at(3, 6).lane == 19 && b.at(3, 6).reg == 1 && b.at(3, 6).shift == 0));
  FragmentLayout bt = quadFragment(MmaOperand::B, true, 0, 16);
  REQUIRE((bt.at(3, 6).lane == 18 && bt.at(3, 6).reg == 1 && bt.at(3, 6).shift == 16));
  FragmentLayout c16 = quadFragment(MmaOperand::C, false, 0, 16);
  REQUIRE((c16.at(7, 5).lane == 19 && c16.at(7, 5).reg == 2 && c16.at(7, 5).shift == 16));
  // f32: lane 1, element 7 = row (1 & 1) + 2, column 4 + 0 + 1
  FragmentLayout c32 = quadFragment(MmaOperand::C, false, 0, 32);
  REQUIRE((c32.at(3, 5).lane == 1 && c32.at(3, 5).reg == 7));
  REQUIRE((c32.at(4, 2).lane == 18 && c32.at(4, 2).reg == 0));
}

TEST_CASE("ldmatrix rows feed mma fragments") {
  // The reason for ldmatrix: .x4 of a 16 x 16 b16 tile is operand A of m16n8k16.
  auto a = mmaFragment({16, 8, 16}, MmaOperand::A, 16);
  for (int row = 0; row < 16; ++row)
    for (int col = 0; col < 16; ++col) {
      const FragmentSlot &slot = a->at(row, col);
      MatrixByte place = matrixByte(MatrixShape::M8N8B16, false, slot.lane, 0, slot.shift / 8);
      REQUIRE(slot.reg == (row / 8) + 2 * (col / 8));
      REQUIRE(place.row == row % 8);
      REQUIRE(place.element == 2 * (col % 8));
    }
  // .trans of a k x n tile (rows are k) is operand B.
  auto b = mmaFragment({16, 8, 8}, MmaOperand::B, 16);
  for (int k = 0; k < 8; ++k)
    for (int n = 0; n < 8; ++n) {
      const FragmentSlot &slot = b->at(k, n);
      MatrixByte place = matrixByte(MatrixShape::M8N8B16, true, slot.lane, 0, slot.shift / 8);
      REQUIRE((place.row == k && place.element == 2 * n));
    }
}

TEST_CASE("every shape of ldmatrix and stmatrix moves each byte once") {
  for (MatrixShape shape :
       {MatrixShape::M8N8B16, MatrixShape::M16N16B8, MatrixShape::M8N16B8, MatrixShape::M16N8B8})
    for (bool trans : {false, true}) {
      std::set<std::pair<int, int>> seen;
      int registers = registersPerMatrix(shape), rows = addressesPerMatrix(shape);
      for (int lane = 0; lane < 32; ++lane)
        for (int reg = 0; reg < registers; ++reg)
          for (int byte = 0; byte < 4; ++byte) {
            MatrixByte place = matrixByte(shape, trans, lane, reg, byte);
            REQUIRE((place.row < rows && place.element < 16));
            seen.insert({place.row, place.element});
          }
      REQUIRE(seen.size() == size_t(rows) * 16);
    }
}

TEST_CASE("b8 matrices: lane bits as the copies of CUTLASS have them") {
  // (T, V) -> bit, for one m16n16 matrix: lanes (4:256, 8:8), values (8:1, 2:128, 2:64, 2:1024),
  // where row address lanes (2:128, 2:1024, 4:256) say which 128-bit row each thread's address
  // names.
  for (int lane = 0; lane < 32; ++lane)
    for (int reg = 0; reg < 2; ++reg)
      for (int byte = 0; byte < 4; ++byte) {
        int bit = lane % 4 * 256 + lane / 4 * 8 + byte % 2 * 128 + byte / 2 * 64 + reg * 1024;
        MatrixByte place = matrixByte(MatrixShape::M16N16B8, true, lane, reg, byte);
        int named = place.row % 2 * 128 + place.row / 2 % 2 * 1024 + place.row / 4 * 256;
        REQUIRE(named == bit / 128 * 128);
        REQUIRE(place.element == bit % 128 / 8);
      }
  // stmatrix m16n8: the same lanes; addresses in order.
  for (int lane = 0; lane < 32; ++lane)
    for (int byte = 0; byte < 4; ++byte) {
      int bit = lane % 4 * 256 + lane / 4 * 8 + byte % 2 * 128 + byte / 2 * 64;
      MatrixByte place = matrixByte(MatrixShape::M16N8B8, true, lane, 0, byte);
      REQUIRE((place.row == bit / 128 && place.element == bit % 128 / 8));
    }
}

TEST_CASE("packed rows expand into containers") {
  uint8_t row[16] = {0x21, 0x43, 0x65, 0x87, 0xA9, 0xCB, 0xED, 0x0F, 0xFF, 0xFF};
  for (int i = 0; i < 16; ++i) {
    REQUIRE(containerOf(PackedRow::B4x16P64, row, i) == ((i + 1) % 16) << 2);
    REQUIRE(containerOf(PackedRow::B4x16P64, row, i, false) == (i + 1) % 16);
  }
  // 6-bit codes 1, 2, 3, 4 = 0x103081 little-endian in three bytes
  uint8_t six[16] = {0x81, 0x30, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0xFC, 0xEE};
  for (int i = 0; i < 4; ++i)
    REQUIRE(containerOf(PackedRow::B6x16P32, six, i) == i + 1);
  REQUIRE(containerOf(PackedRow::B6x16P32, six, 15) == 0x3F);
}

TEST_CASE("movmatrix transposes, twice is the identity") {
  for (int lane = 0; lane < 32; ++lane)
    for (int half = 0; half < 2; ++half) {
      HalfSlot from = movmatrixSource(lane, half);
      HalfSlot back = movmatrixSource(from.lane, from.half);
      REQUIRE((back.lane == lane && back.half == half));
      int row = lane / 4, col = lane % 4 * 2 + half;
      REQUIRE((from.lane / 4 == col && from.lane % 4 * 2 + from.half == row));
    }
}

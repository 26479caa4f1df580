//===- Fragments.h - where matrix elements live in registers --------------===//
//
// PTX ISA 9.7.14.5: which lane, register and bit holds element (row, col) of an
// operand of mma.sync, and which byte of memory ldmatrix, stmatrix and movmatrix
// move where. Decoders ask once per instruction and keep the table.
//
// All mma.sync shapes but m8n8k4.f16 share one rule. With g = lane / 4,
// t = lane % 4, and E elements in a register, register r of A holds row g (+ 8
// for odd r when m = 16) and columns t*E .. t*E+E-1 of a strip of 4*E columns;
// B is the same with k down and n = g across. Example, m16n8k16 bf16 (E = 2):
// lane 5, register 3 of A: g = 1, t = 1, so row 9, columns 2, 3 of strip 1: 10, 11.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace msa::ptxsim::numerics {

struct MmaShape {
  int m, n, k;
  bool operator==(const MmaShape &) const = default;
};

enum class MmaOperand : uint8_t { A, B, C };

/// The place of one element.
struct FragmentSlot {
  uint8_t lane;
  uint8_t reg;   ///< index in the operand's register list
  uint8_t shift; ///< bit position in the register
};

/// All elements of an operand: A is m x k, B is k x n, C and D are m x n.
struct FragmentLayout {
  int rows = 0, cols = 0;
  int bits = 0;                    ///< of one element
  int registers = 0;               ///< per lane; 32 bits each, 64 for f64
  std::vector<FragmentSlot> slots; ///< row-major
  const FragmentSlot &at(int row, int col) const { return slots[row * cols + col]; }
};

/// Layout of an operand of mma.sync, A row-major and B column-major. `bits`: 64 (f64), 32 (tf32,
/// f32, s32), 16, 8 (also FP6 and FP4 in 8-bit containers), 4, 1. Nothing for a shape that does not
/// exist.
std::optional<FragmentLayout> mmaFragment(MmaShape, MmaOperand, int bits);

/// mma.m8n8k4 with f16 operands: four independent products, `computation` 0..3, each of eight
/// lanes. `columnMajor` is for A and B; `bits` (16 or 32) matters for C and D only.
FragmentLayout quadFragment(MmaOperand, bool columnMajor, int computation, int bits);

/// Matrix shapes of ldmatrix and stmatrix.
enum class MatrixShape : uint8_t {
  M8N8B16,  ///< both; rows of 16 bytes
  M16N16B8, ///< ldmatrix .trans only: two registers a matrix
  M8N16B8,  ///< ldmatrix of packed 4- or 6-bit rows: one register of 8-bit containers a matrix
  M16N8B8,  ///< stmatrix .trans only
};

/// Threads that give row addresses for one matrix: thread `matrix * addressesPerMatrix + row`.
int addressesPerMatrix(MatrixShape);
int registersPerMatrix(MatrixShape);

/// Which row address and which element of that row a register byte belongs to.
struct MatrixByte {
  uint8_t row;     ///< row address within the matrix: 0 .. addressesPerMatrix - 1
  uint8_t element; ///< byte of the row for b8 and b16; index of the packed element for M8N16B8
};

/// For byte `byte` (0..3) of register `reg` (within one matrix) of `lane`. The same map serves
/// loads (memory to register) and stores. `trans` matters for M8N8B16; the b8 shapes fix it.
MatrixByte matrixByte(MatrixShape, bool trans, int lane, int reg, int byte);

/// The packed source formats of ldmatrix.b8 and tcgen05.cp: 16 elements in 8 bytes (+ 8 of padding)
/// or in 12 (+ 4).
enum class PackedRow : uint8_t { B4x16P64, B6x16P32 };
/// Element `index` of a packed row as an 8-bit container: 6-bit codes in bits 5:0; 4-bit codes in
/// bits 5:2 (`centred`: as kind::f8f6f4 reads them) or 3:0. ldmatrix leaves them in 3:0: CUTLASS
/// (mma_traits_sm120.hpp) shifts them by two before the product; the ISA has a figure only.
uint8_t containerOf(PackedRow, const uint8_t *row, int index, bool centred = true);

/// movmatrix.m8n8.trans.b16: where half `half` (0 = low) of `lane`'s result comes from.
struct HalfSlot {
  uint8_t lane;
  uint8_t half;
};
HalfSlot movmatrixSource(int lane, int half);

} // namespace msa::ptxsim::numerics

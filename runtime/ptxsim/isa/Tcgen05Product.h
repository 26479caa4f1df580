//===- Tcgen05Product.h - what a tcgen05.mma computes
//-----------------------------------------------===//
//
// The part of tcgen05.mma that runs when the tensor core gets to it: operands from shared
// and tensor memory to panels, the product, and D back to tensor memory.
//
// A pair of CTAs (.cta_group::2) splits the rows of A and D: the even CTA has the first
// half. Each CTA has half of the columns of B in its shared memory; both halves meet all
// rows. So a product is one (own B) or two (own and the peer's half of B) blocks for each
// CTA:
//
//   D[rows of CTA c, half h of the columns] += A[rows of c] * B[half h, from CTA h]
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/InstructionDescriptor.h"
#include "ptxsim/engine/MatrixDescriptor.h"
#include "ptxsim/engine/TensorCore.h"

#include <array>

namespace msa::ptxsim {

/// One tcgen05.mma, its operands read.
struct TensorProduct {
  MmaKind kind = MmaKind::F16;
  InstructionDescriptor shape;
  DataPath path = DataPath::D;
  unsigned group = 1;
  unsigned scales = 0;               ///< scale factors of a row; 0: no block scaling
  Cta *ctas[2] = {nullptr, nullptr}; ///< by rank: the even one first; one without a pair
  TensorAddress d, a;                ///< a: if `tensorA`
  bool tensorA = false, shiftsA = false, accumulates = false;
  OperandView viewA, viewB; ///< the same in both CTAs
  OperandUse useA, useB;
  uint32_t scaleColumnA = 0, scaleColumnB = 0;
  uint32_t scaleInput = 0;            ///< D enters times 2^-scaleInput
  std::array<uint32_t, 8> disabled{}; ///< lanes of D that stay as they are, 128 bits by CTA
};

inline constexpr uint32_t bytesOfRow = 32;      ///< of A and B, for every kind
inline constexpr uint32_t columnsOfTensorA = 8; ///< the same in cells

/// Rows that scale factors of B stand for in one CTA's tensor memory.
inline uint32_t scaleRowsOfB(const TensorProduct &p) {
  auto n = static_cast<uint32_t>(p.shape.n);
  return p.path == DataPath::B ? n / 2 : n;
}

/// Executes it. Traps: T4, T8, T10.
Flow multiply(const Origin &, const TensorProduct &);

} // namespace msa::ptxsim

//===- WgmmaProduct.h - what one wgmma.mma_async computes (PTX ISA 9.7.15.5)
//-----------------------===//
//
// D (64 x N) = A (64 x K) * B (K x N) [+ D]. Warp w of the warpgroup holds rows 16w to
// 16w + 15 of D, and of A where that is in registers; K takes 32 bytes. Element i of lane t is
//
//   D       row t/4 + 8 * (i/2 % 2), column 8 * (i/4) + 2 * (t%4) + i%2
//   A       register r: 4 bytes of row t/4 + 8 * (r%2), from byte 16 * (r/2) + 4 * (t%4) on
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Async.h"
#include "ptxsim/engine/MatrixDescriptor.h"
#include "ptxsim/engine/MmaPlan.h"

#include <array>
#include <bitset>
#include <cstdint>

namespace msa::ptxsim {

/// Op::mode of wgmma.mma_async.
enum WgmmaBits : uint8_t {
  wgmmaRegistersA = 1, ///< A in registers
  wgmmaTransposeA = 2,
  wgmmaTransposeB = 4,
  wgmmaNegateA = 8,
  wgmmaNegateB = 16,
  wgmmaSaturate = 32,
  wgmmaScaleNegated = 64, ///< the predicate of scale-d is negated
};

/// Shape and types. Kept in the op: mode2 has A's and B's type, immediate has n, k and D's type.
struct WgmmaForm {
  uint32_t n = 8, k = 16;
  MmaType a{}, b{}, d{};
  static WgmmaForm of(const Op &);
  void keep(Op &) const;
  /// 32-bit registers of D in a thread.
  uint32_t registersOfD() const { return d == MmaType::F16 ? n / 4 : n / 2; }
  static constexpr uint32_t rows = 64, rowsOfWarp = 16, kBytes = 32;
};

/// Room for one product; kept because it is large.
struct WgmmaScratch {
  static constexpr size_t mostN = 256, mostK = 32;
  alignas(64) std::array<uint8_t, 64 * 32> bytesA;
  alignas(64) std::array<uint8_t, mostN * 32> bytesB;
  alignas(64) std::array<uint32_t, 64 * mostK> panelA; ///< floats, integers or words of bits
  alignas(64) std::array<uint32_t, mostN * mostK> panelB;
  alignas(64) std::array<uint32_t, 64 * mostN> panelD;
};

/// An operand in shared memory: how it lies there and what is read.
struct WgmmaOperand {
  OperandView view;
  OperandUse use;
};

class WgmmaProduct final : public AsyncOp {
public:
  /// Of the warpgroup of origin.warp; `op` is its instruction. Operands are set by the caller.
  WgmmaProduct(const Origin &, AsyncId, const Op &op, bool accumulates);
  WgmmaOperand a, b; ///< a is not used if A is in registers
  Flow step() override;

private:
  Warp &warp(uint32_t index) const;
  void gatherA(WgmmaScratch &);
  void gatherB(WgmmaScratch &);
  void multiplyFloats(WgmmaScratch &) const;
  void multiplyIntegers(WgmmaScratch &) const;
  void multiplyBits(WgmmaScratch &) const;
  void loadD(uint32_t *panel) const;
  void storeD(const uint32_t *panel) const;
  void taintD() const;

  const Op &op;
  const WgmmaForm form;
  const bool accumulates;
  std::bitset<256> taintedRows, taintedColumns;
};

} // namespace msa::ptxsim

//===- Product.h - matrix products on bytes, for wgmma and tcgen05.mma
//-----------------------------------===//
//
// Operand bytes (MatrixDescriptor.h or tensor memory) decoded to panels and multiplied
// by numerics/Mma.h, in the mode that the run asks for. Uninitialised rows of A and B
// are told to the caller, who taints rows and columns of D.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cta.h"
#include "ptxsim/engine/MmaPlan.h"
#include "ptxsim/numerics/Mma.h"

#include <cstdint>
#include <vector>

namespace msa::ptxsim {

/// Where 4- and 6-bit elements are.
enum class Container : uint8_t {
  Own,    ///< 8 bits and more: the element itself; 4 bits: two a byte, low half first
  Byte,   ///< 8-bit containers: FP4 in bits 5:2, FP6 in bits 5:0 (PTX ISA 9.7.14.5)
  Padded, ///< groups of 16 elements in 16 bytes: packed data, then padding (5.5.1.1.1)
};

/// Elements of K in `kBytes` bytes of a row.
uint32_t elementsOf(MmaType, Container, uint32_t kBytes);
/// Bytes (rows x kBytes) to floats; `transposed`: column `row` of a (k x rows) panel.
void decodeFloats(MmaType, Container, const uint8_t *bytes, uint32_t rows, uint32_t kBytes,
                  bool transposed, float *out);
/// The same for s8 and u8.
void decodeIntegers(MmaType, const uint8_t *bytes, uint32_t rows, uint32_t kBytes, bool transposed,
                    int32_t *out);

/// d = a * b + d in the launch's mode; with `halfResult` d holds f16 values before and after.
void multiplyFloats(const Launch &, numerics::TensorUnit, MmaType a, MmaType b, bool halfResult,
                    numerics::GemmSize, const float *pa, const float *pb, float *d);

/// Scale factors of one instruction: `blocks` along K, row-major by row of A or column of B.
struct BlockScales {
  int blocks = 1;
  std::vector<double> a, b; ///< m x blocks, n x blocks
};
/// d = (a * scales.a) * (b * scales.b) + d (PTX ISA 9.7.16.10.7). Each block's products are summed
/// without scales, which are powers of two (UE8M0) or short (UE4M3) and applied to the sum.
/// Exact mode, after MMA-Sim (arXiv 2511.10909): one block of 8-bit and narrower products is cut at
/// F = 25 as without scales and C added in FP32; FP4 blocks are exact, aligned with C at F = 35.
void multiplyScaled(const Launch &, MmaType a, MmaType b, numerics::GemmSize, const float *pa,
                    const float *pb, const BlockScales &, float *d);

/// How counters class a product of these operand types.
ProductKind productKindOf(MmaType);

} // namespace msa::ptxsim

//===- Product.h - matrix products on bytes, for wgmma and tcgen05.mma ------------------------===//
//
// Operand bytes (MatrixDescriptor.h or tensor memory) decoded to panels and multiplied
// by numerics/Mma.h, in the mode that the run asks for. Uninitialised rows of A and B
// are told to the caller, who taints rows and columns of D.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cta.h"
#include "ptxsim/engine/MmaPlan.h"
#include "ptxsim/numerics/BlockScale.h"

#include <cstdint>

namespace msa::ptxsim {

/// Where 4- and 6-bit elements are.
enum class Container : uint8_t {
  Own,    ///< 8 bits and more: the element itself; 4 bits: two a byte, low half first
  Byte,   ///< 8-bit containers: FP4 in bits 5:2, FP6 in bits 5:0 (PTX ISA 9.7.14.5)
  Padded, ///< groups of 16 elements in 16 bytes: packed data, then padding (5.5.1.1.1)
};

/// Bytes (rows x kBytes) to floats; `transposed`: column `row` of a (k x rows) panel.
void decodeFloats(MmaType, Container, const uint8_t *bytes, uint32_t rows, uint32_t kBytes,
                  bool transposed, float *out);
/// The same for s8 and u8.
void decodeIntegers(MmaType, const uint8_t *bytes, uint32_t rows, uint32_t kBytes, bool transposed,
                    int32_t *out);

/// d = a * b + d in the launch's mode; with `halfResult` d holds f16 values before and after.
void multiplyFloats(const Launch &, numerics::TensorUnit, MmaType a, MmaType b, bool halfResult,
                    numerics::GemmSize, const float *pa, const float *pb, float *d);

/// d = (a * factors.a) * (b * factors.b) + d in the launch's mode (numerics/BlockScale.h).
void multiplyScaled(const Launch &, MmaType a, MmaType b, numerics::GemmSize, const float *pa,
                    const float *pb, const numerics::ScaleFactors &, float *d);

/// How counters class a product of these operand types.
ProductKind productKindOf(MmaType);

} // namespace msa::ptxsim

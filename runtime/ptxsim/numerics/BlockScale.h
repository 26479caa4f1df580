//===- BlockScale.h - products of block-scaled operands -------------------===//
//
// D = (A * scaleA) * (B * scaleB) + D, where a row of A and a column of B have
// one scale factor for each block along k: kinds mxf8f6f4, mxf4 and mxf4nvf4 of
// mma.sync (PTX ISA 9.7.14.3) and tcgen05.mma (9.7.16.10.7). Panels as in Mma.h.
//
//  fast   each block is summed in FP32, multiplied by its two factors (exactly), rounded to FP32
//         and added to D, blocks ascending.
//  exact  k = 32 (mxf8f6f4): the sum as without factors (F = 25, no D), its exponent moved by the
//         factors', then D added to nearest even. This is what recorded B200 sums of FP8 do without
//         factors; with them it is an assumption.
//         k = 64 (mxf4, mxf4nvf4): sums of 16 products are exact; they are multiplied by the
//         significands of the factors, aligned to the largest among the sums of the factors'
//         exponents and D's exponent, cut at F = 35, added, and cut to FP32. Source: MMA-Sim (arXiv
//         2511.10909).
//
// Example of the last: factors 1 and 2^-40 (blocks 0 and 1), sums 3 and 5: the second is
// 5 * 2^-40, which lies below 2^-35 and vanishes, although 3 leaves room for it.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Mma.h"

#include <cstdint>

namespace msa::ptxsim::numerics {

/// Formats of scale factors: a power of two; an E4M3 whose sign bit is ignored.
enum class ScaleFormat : uint8_t { UE8M0, UE4M3 };

/// The scale factors of one product, as codes.
struct ScaleFactors {
  ScaleFormat format = ScaleFormat::UE8M0;
  int blocks = 1;             ///< along k; each has k / blocks elements, a multiple of 16
  const uint8_t *a = nullptr; ///< m x blocks
  const uint8_t *b = nullptr; ///< n x blocks: by column of B
};

/// The value of a code; 0xFF of UE8M0 and 0x7F of UE4M3 are NaN.
double decodeScale(ScaleFormat, uint8_t code);

/// d = (a * factors.a) * (b * factors.b) + d.
void gemmScaledFast(GemmSize, const float *a, const float *b, const ScaleFactors &, float *d);

/// The same as a tensor core does it. Operands have at most 8 bits, and 4 where k is 64.
void gemmScaledExact(GemmSize, SmallFloat typeA, SmallFloat typeB, const float *a, const float *b,
                     const ScaleFactors &, float *d);

} // namespace msa::ptxsim::numerics

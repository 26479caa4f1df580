//===- Mma.h - what a tensor core computes --------------------------------===//
//
// D = A * B + C on decoded panels, all row-major; a caller gathers panels from
// registers (Fragments.h) or memory. Two models of floating accumulation:
//
//  fast   FP32, k ascending, product and sum rounded separately. Products of
//         16-bit and narrower types are exact, so only the order is invented.
//  exact  what recorded H100 and B200 outputs show: products exact, all terms
//         of a group aligned to the largest exponent and cut below
//         `fractionBits`, summed exactly, and cut again to the result.
//
// Example of "exact" with F = 25: 1 * 1 + 2^-13 * 2^-13 + C = 0: the largest
// exponent is 0, the second product 2^-26 lies below 2^-25 and vanishes.
//
// NaN results are 0x7FFFFFFF. tf32 operands are taken as decoded (low 13 bits
// already cut).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Convert.h"

#include <cstdint>

namespace msa::ptxsim::numerics {

/// Sizes of one product: A is m x k, B is k x n, D is m x n.
struct GemmSize {
  int m, n, k;
};

/// d += a * b in FP32 order.
void gemmFast(GemmSize, const float *a, const float *b, float *d);

/// How a tensor core rounds (see above).
struct ExactRule {
  int fractionBits = 25;       ///< F: bits kept below the largest exponent
  int resultFractionBits = 23; ///< 13: Hopper's FP8 accumulator
  int group = 0;               ///< terms of k that one fused sum takes; 0 = all
  bool addendAfter = false;    ///< C is added in FP32, nearest even, after the products' sum
  bool halfResult = false;     ///< D and C are f16: one rounding to nearest even per group
  int minExponentA = -126, minExponentB = -126; ///< exponent of the operand types' subnormals
};

/// Which instruction computes: they differ on one chip.
enum class TensorUnit : uint8_t { WarpMma, Wgmma, Tcgen05 };

/// The rule of `sm` (80, 90, 100, ...) for operand types `a` and `b` and an instruction's k.
/// Sources: recorded outputs for sm_90 and sm_100; MMA-Sim (arXiv 2511.10909) for the others.
ExactRule exactRule(int sm, TensorUnit, SmallFloat a, SmallFloat b, int k, bool halfResult);

/// d = a * b + d by the rule. With halfResult, d holds f16 values. Operands have at most 12
/// significant bits, as all operand types do.
void gemmExact(const ExactRule &, GemmSize, const float *a, const float *b, float *d);

/// s8, u8, s4, u4 operands widened to int; wraps, or clamps the exact sum with .satfinite (k is at
/// most 2^14, so that the sum of products fits).
void gemmInteger(GemmSize, const int32_t *a, const int32_t *b, int32_t *d, bool satfinite);

/// b1: `a` is m x words, `b` is n x words (k = 32 * words bits each, column by column);
/// d += popc(a xor b), or popc(a and b).
void gemmBits(int m, int n, int words, const uint32_t *a, const uint32_t *b, int32_t *d,
              bool isXor);

/// f64: a chain of fma, k ascending, in one rounding mode.
void gemmF64(GemmSize, const double *a, const double *b, double *d, Rounding);

} // namespace msa::ptxsim::numerics

//===- MmaElement.h - parts of matrix products ----------------------------===//
//
// Internal to Mma.cpp, MmaExact.cpp and BlockScale.cpp. Above all the tensor
// cores' rounding in integers, one element at a time: it is the definition that
// the vector code falls back to where a result is subnormal, infinite or not a
// number.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Mma.h"

namespace msa::ptxsim::numerics {

/// Distances between rows, in elements.
struct Strides {
  int a, b, d;
};
/// gemmFast on parts of panels.
void gemmStrided(GemmSize, Strides, const float *a, const float *b, float *d);

/// Exponent of the subnormals of an operand type; -126 for types with FP32's range.
int minExponentOf(SmallFloat);

/// `addend` + sum over k of row[k] * column[k * stride], by the rule.
float exactElement(const ExactRule &, int k, const float *row, const float *column, int stride,
                   float addend);

/// magnitude * 2^exponent cut towards zero to 1 + `fractionBits` bits of significand and to FP32's
/// subnormals; what is too large becomes infinite.
float cutToF32(bool negative, uint64_t magnitude, int exponent, int fractionBits);

} // namespace msa::ptxsim::numerics

//===- LaneMath.h - hot f32 instructions over arrays of lanes -------------===//
//
// A simulated warp is 32 lanes; these loops are what a kernel's inner loop
// turns into, so they are compiled for several host vector widths and chosen at
// run time. The bits do not depend on the choice: fma is a true fused
// operation on every path. NaN results are canonical. Arrays may alias only
// exactly (d == a is fine).
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstddef>

namespace msa::ptxsim::numerics {

void addLanes(float *d, const float *a, const float *b, size_t count);
void subLanes(float *d, const float *a, const float *b, size_t count);
void mulLanes(float *d, const float *a, const float *b, size_t count);
/// fma.rn.f32 of every lane.
void fmaLanes(float *d, const float *a, const float *b, const float *c, size_t count);
/// ex2.approx{.ftz}.f32 of every lane.
void ex2Lanes(float *d, const float *a, size_t count, bool ftz);

} // namespace msa::ptxsim::numerics

//===- Approx.h - the .approx instructions --------------------------------===//
//
// PTX ISA 9.7.3: ex2, lg2, sin, cos, rcp, rsqrt, sqrt, tanh, div. Hardware
// answers within a bound that the ISA states; here everything is evaluated in
// double and rounded to nearest, which meets every bound and gives the same
// bits on every host (ex2 and lg2 use our own polynomials for that and for
// speed). `ftz` flushes subnormal operands and results, sign kept.
//
// tanh is the exception to "as good as can be": hardware is within 2^-11 of it.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Convert.h"

namespace msa::ptxsim::numerics {

/// 2^x, relative error below 2^-44; 0 and infinity beyond the f32 range (bounds are far outside
/// it).
inline double exp2Double(double x) {
  // Clamped so that the exponent arithmetic below stays in range; NaN is put back at the end.
  double clamped = x < -1000.0 ? -1000.0 : (x < 1000.0 ? x : 1000.0);
  // Adding 1.5 * 2^52 rounds to the nearest integer and leaves it in the low bits.
  double shifted = clamped + 0x1.8p52;
  double fraction = clamped - (shifted - 0x1.8p52);
  uint64_t scale = (bitsOf(shifted) + 1023) << 52;
  // Taylor in y = fraction * ln 2, |y| <= 0.3466: the first dropped term is below 2^-48.
  double y = fraction * 0.6931471805599453094;
  double p = 1.0 / 39916800;
  p = p * y + 1.0 / 3628800;
  p = p * y + 1.0 / 362880;
  p = p * y + 1.0 / 40320;
  p = p * y + 1.0 / 5040;
  p = p * y + 1.0 / 720;
  p = p * y + 1.0 / 120;
  p = p * y + 1.0 / 24;
  p = p * y + 1.0 / 6;
  p = p * y + 0.5;
  p = p * y + 1.0;
  p = p * y + 1.0;
  double power = p * doubleOf(scale);
  power = x < -1000.0 ? 0.0 : power;
  power = x > 1000.0 ? HUGE_VAL : power;
  return x == x ? power : x;
}

/// ex2.approx{.ftz}.f32
inline float ex2Approx(float x, bool ftz) {
  float result = canonical(static_cast<float>(exp2Double(x)));
  return ftz ? flush(result) : result;
}
float lg2Approx(float x, bool ftz);
float sinApprox(float x, bool ftz);
float cosApprox(float x, bool ftz);
float tanhApprox(float x);
float rcpApprox(float x, bool ftz);
float rsqrtApprox(float x, bool ftz);
float sqrtApprox(float x, bool ftz);
/// div.approx: a * (1/b); for |b| in (2^126, 2^128) zero, or NaN if a is infinite.
float divApprox(float a, float b, bool ftz);
/// div.full: within 2 ulp over the full range.
float divFull(float a, float b, bool ftz);

/// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64: the upper word of the operand in, the lower word of
/// the result zero, NaN 0x7FFFFFFF00000000.
double rcpApproxFtzF64(double x);
double rsqrtApproxFtzF64(double x);
/// rsqrt.approx.f64
double rsqrtApproxF64(double x);

} // namespace msa::ptxsim::numerics

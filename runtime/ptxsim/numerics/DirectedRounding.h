//===- DirectedRounding.h - IEEE arithmetic in any rounding mode ----------===//
//
// add, sub, mul, fma, div, rcp and sqrt of f32 and f64 with .rn .rz .rm .rp.
// The process's rounding mode is never touched: f32 results are computed in
// double "to odd" (below) and then packed; f64 results in 128-bit integers.
//
// To-odd: if a double sum is inexact, its last bit is forced to one on the side
// of the exact value. A later rounding to at most 51 bits, in any mode, is then
// the rounding of the exact value. Example: 1 + 2^-80 -> 1 + 2^-52, and .rp to
// f32 gives 1 + 2^-23 where the plainly rounded double 1.0 would have given 1.
//
// NaN: f32 gives 0x7FFFFFFF; f64 gives the first NaN operand made quiet, or
// 0xFFF8000000000000 when no operand is NaN.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Convert.h"

namespace msa::ptxsim::numerics {

float addF32(float a, float b, Rounding);
float subF32(float a, float b, Rounding);
float mulF32(float a, float b, Rounding);
/// One rounding of the exact a * b + c.
float fmaF32(float a, float b, float c, Rounding);
float divF32(float a, float b, Rounding);
float sqrtF32(float a, Rounding);

double addF64(double a, double b, Rounding);
double subF64(double a, double b, Rounding);
double mulF64(double a, double b, Rounding);
double fmaF64(double a, double b, double c, Rounding);
double divF64(double a, double b, Rounding);
double sqrtF64(double a, Rounding);

/// a + b in double, rounded to odd; exact inputs, no overflow.
inline double addToOdd(double a, double b) {
  double sum = a + b;
  double partOfB = sum - a;
  double error = (a - (sum - partOfB)) + (b - partOfB);
  uint64_t bits = bitsOf(sum);
  bool inexact = error != 0 && (bits & 1) == 0;
  // Towards the exact value: one step away from zero if the error has the sum's sign, else one
  // towards it.
  bool outwards = (error > 0) == (sum > 0);
  return inexact ? doubleOf(outwards ? bits + 1 : bits - 1) : sum;
}

/// f32 fma to the nearest, without an FMA unit; NaN is canonical.
inline float fmaNearestF32(float a, float b, float c) {
  double product = static_cast<double>(a) * static_cast<double>(b);
  double wide = static_cast<double>(c);
  double sum = product + wide;
  // Infinities and NaNs take the plain sum; the error term would be NaN there.
  double odd = addToOdd(product, wide);
  return canonical(static_cast<float>(odd == odd ? odd : sum));
}

} // namespace msa::ptxsim::numerics

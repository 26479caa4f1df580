//===- Approx.cpp - the .approx instructions ------------------------------===//
//
// See Approx.h for accuracy; special values are those of the ISA's tables.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Approx.h"

#include <cmath>
#include <initializer_list>

namespace msa::ptxsim::numerics {
namespace {

constexpr double naturalToBinary = 1.4426950408889634074; // 1 / ln 2

/// log2 of a positive finite double, relative error below 2^-44.
double log2Double(double x) {
  uint64_t bits = bitsOf(x);
  // The significand goes to [sqrt(1/2), sqrt(2)), so that log2 of it never cancels the exponent.
  auto exponent = static_cast<int>(bits >> 52) - 1023;
  double m = doubleOf((bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
  if (m > 1.41421356237309504880) {
    m *= 0.5;
    ++exponent;
  }
  // ln m = 2 atanh(t), t = (m - 1) / (m + 1), |t| <= 0.1716.
  double t = (m - 1) / (m + 1), square = t * t;
  double series = 1.0 / 17;
  for (double odd : {15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0})
    series = series * square + 1.0 / odd;
  return exponent + 2 * t * series * naturalToBinary;
}

float finish(double value, bool ftz) {
  float result = canonical(static_cast<float>(value));
  return ftz ? flush(result) : result;
}

double operand(float x, bool ftz) { return ftz ? flush(x) : x; }

/// The upper word of a double, subnormals flushed.
double upperWord(double x) {
  uint64_t bits = bitsOf(x) & 0xFFFFFFFF00000000ull;
  return doubleOf((bits & 0x7FF0000000000000ull) == 0 ? bits & 0x8000000000000000ull : bits);
}
double upperResult(double value) {
  return value == value ? upperWord(value) : doubleOf(0x7FFFFFFF00000000ull);
}

} // namespace

float lg2Approx(float x, bool ftz) {
  double value = operand(x, ftz);
  if (value == 0)
    return -HUGE_VALF;
  if (!(value > 0) || std::isinf(value)) // NaN, negative, +inf
    return value > 0 ? HUGE_VALF : floatOf(0x7FFFFFFFu);
  return finish(log2Double(value), ftz);
}

float sinApprox(float x, bool ftz) { return finish(std::sin(operand(x, ftz)), ftz); }
float cosApprox(float x, bool ftz) { return finish(std::cos(operand(x, ftz)), ftz); }
float tanhApprox(float x) { return finish(std::tanh(static_cast<double>(x)), false); }
float rcpApprox(float x, bool ftz) { return finish(1.0 / operand(x, ftz), ftz); }
float sqrtApprox(float x, bool ftz) { return finish(std::sqrt(operand(x, ftz)), ftz); }
float rsqrtApprox(float x, bool ftz) { return finish(1.0 / std::sqrt(operand(x, ftz)), ftz); }

float divFull(float a, float b, bool ftz) { return finish(operand(a, ftz) / operand(b, ftz), ftz); }

float divApprox(float a, float b, bool ftz) {
  float magnitude = std::fabs(b);
  if (magnitude > 0x1p126f && std::isfinite(magnitude)) {
    if (a != a || std::isinf(a))
      return floatOf(0x7FFFFFFFu);
    return std::signbit(a) != std::signbit(b) ? -0.0f : 0.0f;
  }
  return divFull(a, b, ftz);
}

double rcpApproxFtzF64(double x) { return upperResult(1.0 / upperWord(x)); }
double rsqrtApproxFtzF64(double x) { return upperResult(1.0 / std::sqrt(upperWord(x))); }
double rsqrtApproxF64(double x) {
  double root = 1.0 / std::sqrt(x);
  return root == root ? root : doubleOf(f64Format.nan);
}

} // namespace msa::ptxsim::numerics

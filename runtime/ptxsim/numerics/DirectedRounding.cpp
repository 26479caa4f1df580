//===- DirectedRounding.cpp - IEEE arithmetic in any rounding mode --------===//
//
// f32: an exact or to-odd double, then f64ToF32 (a 24-bit quotient or root is
// never so near a rounding boundary that the plain double would cross it: the
// distance is at least 2^-50 of it). f64: 128-bit significands.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/DirectedRounding.h"

#include <cmath>
#include <initializer_list>
#include <utility>

namespace msa::ptxsim::numerics {
namespace {

using Wide = unsigned __int128;

/// Exact sums that are zero: -0 when rounding down, unless both addends are +0 (x + y with x ==
/// -y).
double zeroSum(double a, double b, Rounding mode) {
  bool negativeA = std::signbit(a), negativeB = std::signbit(b);
  if (negativeA == negativeB)
    return negativeA ? -0.0 : 0.0;
  return mode == Rounding::Down ? -0.0 : 0.0;
}

/// f32 sum of two doubles that are exact.
float sumToF32(double a, double b, Rounding mode) {
  double plain = a + b;
  if (plain != plain || std::isinf(plain))
    return f64ToF32(plain, mode);
  if (plain == 0)
    return static_cast<float>(zeroSum(a, b, mode));
  return f64ToF32(addToOdd(a, b), mode);
}

double quietNaN(double a, double b, double c = 0) {
  for (double operand : {a, b, c})
    if (operand != operand)
      return doubleOf(bitsOf(operand) | 0x0008000000000000ull);
  return doubleOf(f64Format.nan);
}

/// A finite nonzero double as a 53-bit significand (leading bit set) and an exponent.
struct Scaled {
  uint64_t significand;
  int exponent;
};
Scaled scaled(double value) {
  uint64_t bits = bitsOf(value);
  int field = static_cast<int>((bits >> 52) & 0x7FF);
  uint64_t fraction = bits & 0xFFFFFFFFFFFFFull;
  if (field != 0)
    return {fraction | (1ull << 52), field - 1075};
  int shift = std::countl_zero(fraction) - 11;
  return {fraction << shift, -1074 - shift};
}

bool isFiniteNonzero(double value) { return std::isfinite(value) && value != 0; }

/// value >> count; what falls off is remembered in bit 0.
Wide shiftRightJam(Wide value, int count) {
  if (count <= 0)
    return value;
  if (count > 127)
    return value != 0 ? 1 : 0;
  Wide lost = value & ((static_cast<Wide>(1) << count) - 1);
  return (value >> count) | (lost != 0 ? 1 : 0);
}

/// A signed 128-bit number times a power of two.
struct Term {
  bool negative;
  Wide significand;
  int exponent;
};

/// Puts the leading bit at place 126, so that a sum cannot overflow.
Term normalized(Term term) {
  auto high = static_cast<uint64_t>(term.significand >> 64);
  int zeros = high != 0 ? std::countl_zero(high)
                        : 64 + std::countl_zero(static_cast<uint64_t>(term.significand));
  int shift = zeros - 1;
  return {term.negative, term.significand << shift, term.exponent - shift};
}

/// Sum of two nonzero terms of at most 106 bits each, rounded to f64. A jam bit can only appear
/// when the terms are far apart, where at most one leading bit cancels.
double sumTerms(Term a, Term b, Rounding mode) {
  a = normalized(a);
  b = normalized(b);
  if (a.exponent < b.exponent)
    std::swap(a, b);
  Wide low = shiftRightJam(b.significand, a.exponent - b.exponent);
  Wide sum = 0;
  bool negative = a.negative;
  if (a.negative == b.negative) {
    sum = a.significand + low;
  } else if (a.significand >= low) {
    sum = a.significand - low;
  } else {
    sum = low - a.significand;
    negative = b.negative;
  }
  if (sum == 0)
    return mode == Rounding::Down ? -0.0 : 0.0;
  return doubleOf(packRoundedWide(f64Format, negative, sum, a.exponent, mode));
}

Term termOf(double value) {
  Scaled s = scaled(value);
  return {std::signbit(value), s.significand, s.exponent};
}

Term productOf(double a, double b) {
  Scaled x = scaled(a), y = scaled(b);
  return {std::signbit(a) != std::signbit(b), static_cast<Wide>(x.significand) * y.significand,
          x.exponent + y.exponent};
}

double packTerm(Term term, Rounding mode) {
  return doubleOf(packRoundedWide(f64Format, term.negative, term.significand, term.exponent, mode));
}

} // namespace

float addF32(float a, float b, Rounding mode) {
  if (mode == Rounding::Nearest)
    return canonical(a + b);
  return sumToF32(a, b, mode);
}
float subF32(float a, float b, Rounding mode) {
  return b != b ? canonical(b) : addF32(a, -b, mode);
}
float mulF32(float a, float b, Rounding mode) {
  if (mode == Rounding::Nearest)
    return canonical(a * b);
  return f64ToF32(static_cast<double>(a) * static_cast<double>(b), mode);
}
float fmaF32(float a, float b, float c, Rounding mode) {
  return sumToF32(static_cast<double>(a) * static_cast<double>(b), c, mode);
}
float divF32(float a, float b, Rounding mode) {
  if (mode == Rounding::Nearest)
    return canonical(a / b);
  return f64ToF32(static_cast<double>(a) / static_cast<double>(b), mode);
}
float sqrtF32(float a, Rounding mode) {
  if (mode == Rounding::Nearest)
    return canonical(std::sqrt(a));
  return f64ToF32(std::sqrt(static_cast<double>(a)), mode);
}

double addF64(double a, double b, Rounding mode) {
  if (a != a || b != b)
    return quietNaN(a, b);
  if (std::isinf(a) || std::isinf(b)) {
    double sum = a + b;
    return sum == sum ? sum : quietNaN(a, b);
  }
  if (a == 0 && b == 0)
    return zeroSum(a, b, mode);
  if (a == 0 || b == 0 || mode == Rounding::Nearest)
    return a + b == 0 ? zeroSum(a, b, mode) : a + b;
  return sumTerms(termOf(a), termOf(b), mode);
}
double subF64(double a, double b, Rounding mode) {
  return b != b ? quietNaN(a, b) : addF64(a, -b, mode);
}

double mulF64(double a, double b, Rounding mode) {
  if (mode == Rounding::Nearest || !isFiniteNonzero(a) || !isFiniteNonzero(b)) {
    double product = a * b;
    return product == product ? product : quietNaN(a, b);
  }
  return packTerm(productOf(a, b), mode);
}

double fmaF64(double a, double b, double c, Rounding mode) {
  if (!isFiniteNonzero(a) || !isFiniteNonzero(b) || !std::isfinite(c)) {
    double product = a * b; // exact here: zero, infinite or NaN, unless only c is special
    if (a != a || b != b || c != c || product != product)
      return quietNaN(a, b, c);
    if (std::isinf(c) && std::isfinite(a) && std::isfinite(b))
      return c;
    return addF64(product, c, mode);
  }
  Term product = productOf(a, b);
  return c == 0 ? packTerm(product, mode) : sumTerms(product, termOf(c), mode);
}

double divF64(double a, double b, Rounding mode) {
  if (mode == Rounding::Nearest || !isFiniteNonzero(a) || !isFiniteNonzero(b)) {
    double quotient = a / b;
    return quotient == quotient ? quotient : quietNaN(a, b);
  }
  Scaled x = scaled(a), y = scaled(b);
  Wide dividend = static_cast<Wide>(x.significand) << 64;
  Wide quotient = dividend / y.significand;
  bool inexact = quotient * y.significand != dividend;
  return packTerm({std::signbit(a) != std::signbit(b), (quotient << 1) | (inexact ? 1 : 0),
                   x.exponent - y.exponent - 65},
                  mode);
}

double sqrtF64(double a, Rounding mode) {
  if (mode == Rounding::Nearest || !isFiniteNonzero(a) || a < 0) {
    double root = std::sqrt(a);
    return root == root ? root : quietNaN(a, a);
  }
  Scaled x = scaled(a);
  // An even exponent and a radicand of 2^114 or so: the root has 57 or 58 bits.
  int shift = 62 - (x.exponent & 1);
  Wide radicand = static_cast<Wide>(x.significand) << shift;
  auto root = static_cast<uint64_t>(std::sqrt(static_cast<double>(radicand)));
  while (static_cast<Wide>(root) * root > radicand)
    --root;
  while (static_cast<Wide>(root + 1) * (root + 1) <= radicand)
    ++root;
  bool inexact = static_cast<Wide>(root) * root != radicand;
  return packTerm(
      {false, (static_cast<Wide>(root) << 1) | (inexact ? 1 : 0), (x.exponent - shift) / 2 - 1},
      mode);
}

} // namespace msa::ptxsim::numerics

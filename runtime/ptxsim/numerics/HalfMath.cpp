//===- HalfMath.cpp - f16 and bf16 arithmetic -----------------------------===//
//
// Operands widen to double, where every product is exact and sums are rounded
// to odd, so the one rounding of packing is the only one.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/HalfMath.h"

#include "ptxsim/numerics/Approx.h"
#include "ptxsim/numerics/DirectedRounding.h"

namespace msa::ptxsim::numerics {
namespace {

double widen(HalfKind kind, uint16_t code, bool ftz) {
  return halfToF32(kind, ftz && kind == HalfKind::F16 ? flushF16(code) : code);
}

uint16_t narrow(HalfKind kind, double value, HalfModifiers how) {
  if (kind == HalfKind::BF16) {
    uint16_t code = f64ToBf16(value);
    return how.relu ? reluHalf(code, 0x7F80u) : code;
  }
  uint16_t code = f64ToF16(value);
  if (how.ftz)
    code = flushF16(code);
  if (how.sat)
    code = saturateF16(code);
  return how.relu ? reluHalf(code, 0x7C00u) : code;
}

/// a + b for exact doubles; infinities and NaNs take the plain sum.
double exactSum(double a, double b) {
  double plain = a + b;
  return std::isfinite(plain) && plain != 0 ? addToOdd(a, b) : plain;
}

} // namespace

uint16_t addHalf(HalfKind kind, uint16_t a, uint16_t b, HalfModifiers how) {
  return narrow(kind, exactSum(widen(kind, a, how.ftz), widen(kind, b, how.ftz)), how);
}
uint16_t subHalf(HalfKind kind, uint16_t a, uint16_t b, HalfModifiers how) {
  return addHalf(kind, a, negHalf(b), how);
}
uint16_t mulHalf(HalfKind kind, uint16_t a, uint16_t b, HalfModifiers how) {
  return narrow(kind, widen(kind, a, how.ftz) * widen(kind, b, how.ftz), how);
}
uint16_t fmaHalf(HalfKind kind, uint16_t a, uint16_t b, uint16_t c, HalfModifiers how) {
  double product = widen(kind, a, how.ftz) * widen(kind, b, how.ftz);
  return narrow(kind, exactSum(product, widen(kind, c, how.ftz)), how);
}

uint16_t tanhHalf(HalfKind kind, uint16_t a) {
  return narrow(kind, std::tanh(static_cast<double>(halfToF32(kind, a))), {});
}

uint16_t ex2Half(HalfKind kind, uint16_t a, bool ftz) {
  double power = exp2Double(halfToF32(kind, a));
  uint16_t code = kind == HalfKind::F16 ? f64ToF16(power) : f64ToBf16(power);
  uint16_t exponentMask = kind == HalfKind::F16 ? 0x7C00u : 0x7F80u;
  return ftz && (code & exponentMask) == 0 ? static_cast<uint16_t>(code & 0x8000u) : code;
}

} // namespace msa::ptxsim::numerics

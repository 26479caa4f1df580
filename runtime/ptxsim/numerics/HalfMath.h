//===- HalfMath.h - f16 and bf16 arithmetic, min/max, comparisons ---------===//
//
// PTX ISA 9.7.4 (half precision arithmetic), 9.3.1.2 (comparisons), and min /
// max / abs / neg of every floating type. Codes in, codes out; each operation
// rounds once, to nearest even. `HalfKind` says which of the two formats a code
// is. Packed forms apply an operation to both halves with `eachHalf`.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Convert.h"

namespace msa::ptxsim::numerics {

enum class HalfKind : uint8_t { F16, BF16 };

/// Modifiers of half arithmetic. `ftz` and `sat` exist for f16 only.
struct HalfModifiers {
  bool ftz = false;
  bool sat = false;
  bool relu = false;
};

inline float halfToF32(HalfKind kind, uint16_t code) {
  return kind == HalfKind::F16 ? f16ToF32(code) : bf16ToF32(code);
}

uint16_t addHalf(HalfKind, uint16_t a, uint16_t b, HalfModifiers = {});
uint16_t subHalf(HalfKind, uint16_t a, uint16_t b, HalfModifiers = {});
uint16_t mulHalf(HalfKind, uint16_t a, uint16_t b, HalfModifiers = {});
/// One rounding of the exact a * b + c.
uint16_t fmaHalf(HalfKind, uint16_t a, uint16_t b, uint16_t c, HalfModifiers = {});

/// neg and abs change the sign bit only (NaN results are open in the ISA; payloads stay).
inline uint16_t negHalf(uint16_t a) { return a ^ 0x8000u; }
inline uint16_t absHalf(uint16_t a) { return a & 0x7FFFu; }

/// tanh.approx and ex2.approx, correctly rounded in practice (evaluated in double). ex2 of bf16 is
/// always .ftz in the ISA; of f16 it may be.
uint16_t tanhHalf(HalfKind, uint16_t a);
uint16_t ex2Half(HalfKind, uint16_t a, bool ftz);

/// Applies `op(uint16_t...)` to the lower and the upper halves of 32-bit words.
template <typename Op, typename... Words> uint32_t eachHalf(Op op, Words... words) {
  uint32_t low = op(static_cast<uint16_t>(words)...);
  uint32_t high = op(static_cast<uint16_t>(words >> 16)...);
  return low | (high << 16);
}

// ---- min and max
// -----------------------------------------------------------------------------------

/// Modifiers of min and max; `xorsign` implies taking magnitudes.
struct MinMaxModifiers {
  bool nan = false;     ///< .NaN: any NaN operand gives the canonical NaN
  bool abs = false;     ///< .abs: operands' magnitudes
  bool xorsign = false; ///< .xorsign: the result's sign is the xor of the operands' signs
};

/// min or max on codes of any IEEE-like format of up to 64 bits, -0 < +0. NaN operands lose unless
/// .NaN; two NaNs give the format's canonical one. Flush operands first for .ftz.
template <typename Code>
inline Code minMaxCode(const Format &format, bool wantMax, Code a, Code b, MinMaxModifiers how) {
  const Code sign = static_cast<Code>(format.signBit()), magnitude = static_cast<Code>(sign - 1);
  Code signOfBoth = static_cast<Code>((a ^ b) & sign);
  if (how.abs || how.xorsign) {
    a &= magnitude;
    b &= magnitude;
  }
  bool nanA = (a & magnitude) > format.infinity, nanB = (b & magnitude) > format.infinity;
  if ((nanA && nanB) || (how.nan && (nanA || nanB)))
    return static_cast<Code>(format.nan);
  Code result = 0;
  if (nanA || nanB) {
    result = nanA ? b : a;
  } else {
    // Order of codes: magnitudes ascending for positive numbers, descending below zero.
    bool negativeA = (a & sign) != 0, negativeB = (b & sign) != 0;
    bool aLess = negativeA != negativeB ? negativeA : (negativeA ? a > b : a < b);
    result = aLess != wantMax ? a : b;
  }
  return how.xorsign ? static_cast<Code>((result & magnitude) | signOfBoth) : result;
}

inline uint16_t minMaxHalf(HalfKind kind, bool wantMax, uint16_t a, uint16_t b,
                           MinMaxModifiers how = {}) {
  return minMaxCode<uint16_t>(kind == HalfKind::F16 ? f16Format : bf16Format, wantMax, a, b, how);
}
inline float minMaxF32(bool wantMax, float a, float b, MinMaxModifiers how = {}) {
  return floatOf(minMaxCode<uint32_t>(f32Format, wantMax, bitsOf(a), bitsOf(b), how));
}
/// The three-operand form: min(min(a, b), c), magnitudes with .abs; no .xorsign.
inline float minMaxF32(bool wantMax, float a, float b, float c, MinMaxModifiers how) {
  return minMaxF32(wantMax, minMaxF32(wantMax, a, b, how), c, how);
}
inline double minMaxF64(bool wantMax, double a, double b) {
  return doubleOf(minMaxCode<uint64_t>(f64Format, wantMax, bitsOf(a), bitsOf(b), {}));
}

// ---- comparisons
// -----------------------------------------------------------------------------------

/// setp / set on floating types. The ...u forms are true when an operand is NaN.
enum class Compare : uint8_t { Eq, Ne, Lt, Le, Gt, Ge, Equ, Neu, Ltu, Leu, Gtu, Geu, Num, Nan };

/// f16, bf16 and f32 widen to double exactly.
inline bool compareFloats(Compare op, double a, double b) {
  switch (op) {
  case Compare::Eq:
    return a == b;
  case Compare::Ne:
    return a < b || a > b;
  case Compare::Lt:
    return a < b;
  case Compare::Le:
    return a <= b;
  case Compare::Gt:
    return a > b;
  case Compare::Ge:
    return a >= b;
  case Compare::Equ:
    return !(a < b || a > b);
  case Compare::Neu:
    return a != b;
  case Compare::Ltu:
    return !(a >= b);
  case Compare::Leu:
    return !(a > b);
  case Compare::Gtu:
    return !(a <= b);
  case Compare::Geu:
    return !(a < b);
  case Compare::Num:
    return a == a && b == b;
  case Compare::Nan:
    return a != a || b != b;
  }
  return false;
}

} // namespace msa::ptxsim::numerics

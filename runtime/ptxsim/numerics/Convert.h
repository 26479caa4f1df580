//===- Convert.h - cvt between every pair of PTX types --------------------===//
//
// PTX ISA "cvt" without operands and registers: bits in, bits out. A small
// value is returned in the low bits of an integer of at least its width. The
// functions that kernels execute all the time are branch-free and inline.
//
// NaN results are NVIDIA's canonical ones (Formats.h). Two-element forms follow
// the ISA: the *first* operand goes to the upper half.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Formats.h"

#include <cmath>
#include <cstdint>

namespace msa::ptxsim::numerics {

/// Formats that cvt packs or widens; `encode` and `decode` take any of them.
enum class SmallFloat : uint8_t { F16, BF16, TF32, E4M3, E5M2, E2M3, E3M2, E2M1, UE8M0 };

/// Modifiers of a conversion to a small format.
struct Narrowing {
  Rounding rounding = Rounding::Nearest;
  bool satfinite = false; ///< overflow and infinity give the largest number
  bool relu = false;      ///< negative results become +0, NaN stays the canonical NaN
};

/// The code of `value` in the format. TF32 comes back as an FP32 word (low 13 bits zero). FP8, FP6
/// and FP4 always behave as with .satfinite where the ISA demands it (E4M3 has no other behaviour;
/// NaN becomes 0x7F in FP8 and +maximum in FP6 and FP4). f32, f16 and bf16 sources widen to double
/// exactly, f64 sources round once. UE8M0 accepts Zero and Up and ignores the sign.
uint32_t encode(SmallFloat, double value, Narrowing);
/// The exact value of a code (TF32: of an FP32 word, whose low 13 bits are ignored).
float decode(SmallFloat, uint32_t code);
/// Bits of one element: 16, 16, 32, 8, 8, 6, 6, 4, 8.
int widthOf(SmallFloat);

// ---- f16 and bf16: the hot ones
// --------------------------------------------------------------------

/// f16 to f32, exact; NaN gives 0x7FFFFFFF.
inline float f16ToF32(uint16_t half) {
  uint32_t magnitude = half & 0x7FFFu, sign = (half & 0x8000u) << 16;
  // Scaling by 2^112 turns subnormals into normals exactly; infinities and NaNs are put back after.
  float scaled = floatOf(magnitude << 13) * 0x1p112f;
  uint32_t bits = bitsOf(scaled) | sign;
  bits = magnitude >= 0x7C00u ? (sign | 0x7F800000u) : bits;
  bits = magnitude > 0x7C00u ? 0x7FFFFFFFu : bits;
  return floatOf(bits);
}

/// bf16 to f32, exact; NaN payloads are kept (the ISA leaves them open).
inline float bf16ToF32(uint16_t value) { return floatOf(static_cast<uint32_t>(value) << 16); }

/// f32 to bf16, nearest even; NaN gives 0x7FFF.
inline uint16_t f32ToBf16(float value) {
  uint32_t bits = bitsOf(value);
  uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1)) >> 16;
  return (bits & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FFFu : static_cast<uint16_t>(rounded);
}

/// f32 to f16, nearest even; NaN gives 0x7FFF.
inline uint16_t f32ToF16(float value) {
  uint32_t bits = bitsOf(value), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  // Subnormal results: adding 0.5 makes the host's adder round at 2^-24.
  uint32_t small = bitsOf(floatOf(magnitude) + 0.5f) - 0x3F000000u;
  uint32_t normal = (magnitude - 0x38000000u + 0xFFFu + ((magnitude >> 13) & 1)) >> 13;
  uint32_t code = magnitude < 0x38800000u ? small : normal;
  code = magnitude >= 0x477FF000u ? 0x7C00u : code;
  return magnitude > 0x7F800000u ? 0x7FFFu : static_cast<uint16_t>(sign | code);
}

/// f64 to f16 or bf16 in one rounding, any mode.
inline uint16_t f64ToF16(double value, Rounding mode = Rounding::Nearest) {
  return static_cast<uint16_t>(encode(SmallFloat::F16, value, {mode}));
}
inline uint16_t f64ToBf16(double value, Rounding mode = Rounding::Nearest) {
  return static_cast<uint16_t>(encode(SmallFloat::BF16, value, {mode}));
}

// ---- packed forms
// ----------------------------------------------------------------------------------

/// Two f32 to {f16x2, bf16x2} (32 bits), {e4m3x2, e5m2x2, e2m3x2, e3m2x2, ue8m0x2} (16 bits, 6-bit
/// codes in the low bits of each byte) or e2m1x2 (8 bits): `upper` goes to the upper half.
uint32_t encodePair(SmallFloat, float upper, float lower, Narrowing);
/// Element `index` (0 = lower) of a packed pair, exact.
float decodePair(SmallFloat, uint32_t packed, int index);
/// cvt.dst.{f16x2, bf16x2, ...}: repacks a pair of one small format as a pair of another, e.g.
/// f16x2 -> e4m3x2, e2m1x2 -> f16x2, ue8m0x2 -> bf16x2.
uint32_t convertPair(SmallFloat to, SmallFloat from, uint32_t packed, Narrowing);

// ---- f32 and f64
// -----------------------------------------------------------------------------------

/// f64 to f32 in any rounding mode; NaN gives 0x7FFFFFFF.
float f64ToF32(double value, Rounding mode);

/// cvt.{rni,rzi,rmi,rpi}.f32.f32 and .f64.f64: the integral value, in floating form; signs of zero
/// stay.
float roundToIntegral(float value, Rounding mode);
double roundToIntegral(double value, Rounding mode);

// ---- integers
// --------------------------------------------------------------------------------------

/// An integer type of PTX.
struct IntegerType {
  int width; ///< 8, 16, 32, 64
  bool isSigned;
};

/// Float to integer: rounded to an integral value, clamped to the type; the result has `width`
/// bits, the rest zero. NaN: 0, but 1 << (width - 1) if the source is f64 or the destination has 64
/// bits.
uint64_t floatToInteger(double value, bool sourceIsF64, IntegerType to, Rounding mode);

/// f32 to s32 and u32 with .rzi: the common case.
inline int32_t f32ToS32(float value) {
  if (value >= -0x1p31f && value < 0x1p31f)
    return static_cast<int32_t>(value);
  return value != value ? 0 : (value < 0 ? INT32_MIN : INT32_MAX);
}
inline uint32_t f32ToU32(float value) {
  if (value > -1.0f && value < 0x1p32f)
    return static_cast<uint32_t>(static_cast<int64_t>(value));
  return value != value || value < 0 ? 0u : UINT32_MAX;
}

/// Integer to float, any mode. `bits` is the source zero- or sign-extended to 64 bits (`isSigned`).
uint32_t integerToF32(uint64_t bits, bool isSigned, Rounding mode);
uint64_t integerToF64(uint64_t bits, bool isSigned, Rounding mode);
uint16_t integerToF16(uint64_t bits, bool isSigned, Rounding mode);
uint16_t integerToBf16(uint64_t bits, bool isSigned, Rounding mode);

/// Integer to integer. `bits`: the source's own `from.width` low bits (the rest is ignored). The
/// result has `to.width` bits, the rest zero. Without `sat` the value wraps.
uint64_t integerToInteger(uint64_t bits, IntegerType from, IntegerType to, bool sat);
/// The value of the low `width` bits, extended to 64 as the type says.
inline uint64_t extend(uint64_t bits, IntegerType type) {
  int unused = 64 - type.width;
  return type.isSigned ? static_cast<uint64_t>(static_cast<int64_t>(bits << unused) >> unused)
                       : (bits << unused) >> unused;
}

// ---- modifiers
// -------------------------------------------------------------------------------------

/// .ftz: subnormals become zero, the sign stays.
inline float flush(float value) {
  uint32_t bits = bitsOf(value);
  return floatOf((bits & 0x7F800000u) == 0 ? bits & 0x80000000u : bits);
}
/// .ftz on f16 codes.
inline uint16_t flushF16(uint16_t half) { return (half & 0x7C00u) == 0 ? half & 0x8000u : half; }
/// .sat: clamps to [0, 1]; NaN and negative zero become +0.
inline float saturate(float value) { return value > 0 ? (value < 1 ? value : 1.0f) : 0.0f; }
inline double saturate(double value) { return value > 0 ? (value < 1 ? value : 1.0) : 0.0; }
inline uint16_t saturateF16(uint16_t half) {
  return half <= 0x7C00u ? (half < 0x3C00u ? half : 0x3C00u) : 0u;
}
/// .relu on a 16-bit code of f16 (infinity 0x7C00) or bf16 (0x7F80): NaN gives 0x7FFF.
inline uint16_t reluHalf(uint16_t code, uint16_t infinity) {
  if ((code & 0x7FFFu) > infinity)
    return 0x7FFFu;
  return (code & 0x8000u) != 0 ? 0u : code;
}
/// NVIDIA's single NaN of f32 arithmetic.
inline float canonical(float value) { return value == value ? value : floatOf(0x7FFFFFFFu); }

} // namespace msa::ptxsim::numerics

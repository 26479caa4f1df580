//===- Formats.h - number formats and the one rounding routine ------------===//
//
// Every floating format of PTX as a row of constants, and `packRounded`, which
// turns an exact (or jammed) significand into the bits of any of them in any
// rounding mode. Conversions and directed arithmetic are all built on it, so
// there is one place where rounding, subnormals and overflow are decided.
//
// Example: 1.0625 to E4M3 (3 fraction bits), nearest even. significand 17,
// exponent -4; one bit too many: 8.5 units of 1/8, a tie, so 8 -> 1.0 (0x38).
//
//===----------------------------------------------------------------------===//
#pragma once

#include <bit>
#include <cstdint>

namespace msa::ptxsim::numerics {

/// PTX .rn, .rz, .rm, .rp, and .rna (nearest, ties away from zero: cvt to tf32).
enum class Rounding : uint8_t { Nearest, Zero, Down, Up, NearestAway };

/// What a format does above its largest finite number.
enum class Overflow : uint8_t {
  Infinity, ///< IEEE: an infinity above the largest number, NaNs above that
  NaN,      ///< E4M3, UE8M0: no infinity; one NaN code
  Saturate, ///< FP4, FP6: neither infinity nor NaN
};

/// A binary floating format: sign, exponent, fraction from the top bit down.
struct Format {
  int fractionBits; ///< stored bits of the significand
  int bias;
  int width; ///< bits of the whole code, sign included
  uint64_t maxFinite;
  uint64_t infinity; ///< code for +inf; where there is none, what overflow without .satfinite gives
  uint64_t nan;      ///< the canonical NaN that NVIDIA hardware produces; FP4, FP6: +maximum
  Overflow overflow;

  constexpr uint64_t signBit() const { return 1ull << (width - 1); }
  /// Exponent of the last place of a subnormal.
  constexpr int minUlpExponent() const { return 1 - bias - fractionBits; }
};

inline constexpr Format f64Format{52,
                                  1023,
                                  64,
                                  0x7FEFFFFFFFFFFFFFull,
                                  0x7FF0000000000000ull,
                                  0xFFF8000000000000ull,
                                  Overflow::Infinity};
inline constexpr Format f32Format{
    23, 127, 32, 0x7F7FFFFF, 0x7F800000, 0x7FFFFFFF, Overflow::Infinity};
inline constexpr Format f16Format{10, 15, 16, 0x7BFF, 0x7C00, 0x7FFF, Overflow::Infinity};
inline constexpr Format bf16Format{7, 127, 16, 0x7F7F, 0x7F80, 0x7FFF, Overflow::Infinity};
/// TF32 as a 19-bit code; PTX keeps it in the upper 19 bits of a word (see Convert.h).
inline constexpr Format tf32Format{10, 127, 19, 0x3FBFF, 0x3FC00, 0x3FFFF, Overflow::Infinity};
inline constexpr Format e4m3Format{3, 7, 8, 0x7E, 0x7F, 0x7F, Overflow::NaN};
inline constexpr Format e5m2Format{2, 15, 8, 0x7B, 0x7C, 0x7F, Overflow::Infinity};
inline constexpr Format e2m3Format{3, 1, 6, 0x1F, 0x1F, 0x1F, Overflow::Saturate};
inline constexpr Format e3m2Format{2, 3, 6, 0x1F, 0x1F, 0x1F, Overflow::Saturate};
inline constexpr Format e2m1Format{1, 1, 4, 0x7, 0x7, 0x7, Overflow::Saturate};

inline uint32_t bitsOf(float value) { return std::bit_cast<uint32_t>(value); }
inline uint64_t bitsOf(double value) { return std::bit_cast<uint64_t>(value); }
inline float floatOf(uint32_t bits) { return std::bit_cast<float>(bits); }
inline double doubleOf(uint64_t bits) { return std::bit_cast<double>(bits); }

/// Whether a value with an odd or even last kept bit and the given rest is rounded away from zero.
/// `half`: the first dropped bit; `sticky`: any later one.
constexpr bool roundsUp(Rounding mode, bool negative, bool odd, bool half, bool sticky) {
  switch (mode) {
  case Rounding::Nearest:
    return half && (sticky || odd);
  case Rounding::Zero:
    return false;
  case Rounding::Down:
    return negative && (half || sticky);
  case Rounding::Up:
    return !negative && (half || sticky);
  case Rounding::NearestAway:
    return half;
  }
  return false;
}

/// The code of a finite number too large for the format.
constexpr uint64_t overflowCode(const Format &format, bool negative, Rounding mode,
                                bool satfinite) {
  bool towardsZero = mode == Rounding::Zero || (mode == Rounding::Down && !negative) ||
                     (mode == Rounding::Up && negative);
  return satfinite || towardsZero ? format.maxFinite : format.infinity;
}

/// Rounds (-1)^negative * significand * 2^exponent into `format`. Bit 0 of the significand may
/// stand for "and something more below" (a jam bit) if at least two bits lie between it and the
/// last kept place. A zero significand gives a signed zero. With `satfinite`, overflow gives the
/// largest number.
constexpr uint64_t packRounded(const Format &format, bool negative, uint64_t significand,
                               int exponent, Rounding mode, bool satfinite = false) {
  uint64_t sign = negative ? format.signBit() : 0;
  if (significand == 0)
    return sign;
  int top = 63 - std::countl_zero(significand) + exponent;
  int ulp = top - format.fractionBits;
  if (ulp < format.minUlpExponent())
    ulp = format.minUlpExponent();
  int shift = ulp - exponent;
  uint64_t kept = 0;
  bool half = false, sticky = false;
  if (shift <= 0) {
    kept = significand << -shift;
  } else if (shift < 64) {
    kept = significand >> shift;
    half = (significand >> (shift - 1)) & 1;
    sticky = (significand & ((1ull << (shift - 1)) - 1)) != 0;
  } else {
    half = shift == 64 && (significand >> 63);
    sticky = shift > 64 || (significand << 1) != 0;
  }
  if (roundsUp(mode, negative, kept & 1, half, sticky))
    ++kept;
  // `kept` holds the leading one of a normal number, which adds one to the exponent field.
  int field = ulp - format.minUlpExponent();
  uint64_t limit = format.maxFinite;
  if (field > static_cast<int>(limit >> format.fractionBits))
    return sign | overflowCode(format, negative, mode, satfinite);
  uint64_t code = (static_cast<uint64_t>(field) << format.fractionBits) + kept;
  if (code > limit)
    return sign | overflowCode(format, negative, mode, satfinite);
  return sign | code;
}

/// `packRounded` for a 128-bit significand.
inline uint64_t packRoundedWide(const Format &format, bool negative, unsigned __int128 significand,
                                int exponent, Rounding mode) {
  auto high = static_cast<uint64_t>(significand >> 64);
  if (high == 0)
    return packRounded(format, negative, static_cast<uint64_t>(significand), exponent, mode);
  int shift = 64 - std::countl_zero(high);
  unsigned __int128 lost = significand & ((static_cast<unsigned __int128>(1) << shift) - 1);
  uint64_t jammed = static_cast<uint64_t>(significand >> shift) | (lost != 0 ? 1 : 0);
  return packRounded(format, negative, jammed, exponent + shift, mode);
}

} // namespace msa::ptxsim::numerics

//===- Formats.cpp - number formats of the FP64 reference (clauses N1, N3) ===//
//
// Every format is (fraction bits, smallest normal exponent, largest value).
// Rounding scales by a power of two, which is exact, and lets the C library
// round to the nearest even integer.
//
//===----------------------------------------------------------------------===//
#include "verify/Formats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace msa::verify {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

/// A binary format with implicit leading bit and subnormals.
struct Format {
  int exponentBits, fractionBits;
  double largest; ///< largest finite value
  bool saturates; ///< else overflow is infinity
  constexpr int bias() const { return (1 << (exponentBits - 1)) - 1; }
  constexpr int smallestExponent() const { return 1 - bias(); }
};

constexpr Format bf16{8, 7, 0x1.FEp127, false};
constexpr Format f16{5, 10, 65504.0, false};
constexpr Format f32{8, 23, 0x1.FFFFFEp127, false};
constexpr Format e4m3{4, 3, 448.0, true};
constexpr Format e2m1{2, 1, 6.0, true};

double round(const Format &format, double x) {
  if (std::isnan(x) || x == 0)
    return x;
  if (std::isinf(x))
    return format.saturates ? std::copysign(format.largest, x) : x;
  int exponent = std::max(std::ilogb(x), format.smallestExponent());
  double unit = std::ldexp(1.0, exponent - format.fractionBits);
  double rounded = std::nearbyint(x / unit) * unit;
  if (std::fabs(rounded) > format.largest)
    return std::copysign(format.saturates ? format.largest : infinity, x);
  return rounded;
}

/// Bits of a value that round() returned; not NaN, not infinite.
uint32_t encodeFinite(const Format &format, double x) {
  uint32_t sign = std::signbit(x) ? 1u << (format.exponentBits + format.fractionBits) : 0;
  if (x == 0)
    return sign;
  int exponent = std::max(std::ilogb(x), format.smallestExponent());
  // A subnormal's significand is below 2^fractionBits and leaves the exponent field at zero.
  auto significand =
      static_cast<uint32_t>(std::ldexp(std::fabs(x), format.fractionBits - exponent));
  uint32_t field = static_cast<uint32_t>(exponent - format.smallestExponent())
                   << format.fractionBits;
  return sign | (field + significand);
}

uint32_t encode(const Format &format, double x, uint32_t infinityBits, uint32_t nanBits) {
  if (std::isnan(x))
    return nanBits;
  double rounded = round(format, x);
  if (std::isinf(rounded)) {
    uint32_t sign = 1u << (format.exponentBits + format.fractionBits);
    return infinityBits | (rounded < 0 ? sign : 0);
  }
  return encodeFinite(format, rounded);
}

} // namespace

double decodeBf16(uint16_t bits) { return decodeF32(static_cast<uint32_t>(bits) << 16); }

double decodeF16(uint16_t bits) {
  int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  double magnitude;
  if (exponent == 31)
    magnitude = fraction ? notANumber : infinity;
  else if (exponent == 0)
    magnitude = std::ldexp(fraction, -24);
  else
    magnitude = std::ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

double decodeF32(uint32_t bits) { return std::bit_cast<float>(bits); }

double decodeE4m3(uint8_t bits) {
  int exponent = (bits >> 3) & 15, fraction = bits & 7;
  double magnitude;
  if (exponent == 15 && fraction == 7)
    magnitude = notANumber;
  else if (exponent == 0)
    magnitude = std::ldexp(fraction, -9);
  else
    magnitude = std::ldexp(8 + fraction, exponent - 10);
  return bits & 0x80 ? -magnitude : magnitude;
}

double decodeE2m1(uint8_t nibble) {
  constexpr double values[8] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  double magnitude = values[nibble & 7];
  return nibble & 8 ? -magnitude : magnitude;
}

double decodeUe8m0(uint8_t bits) {
  return bits == 0xFF ? notANumber : std::ldexp(1.0, static_cast<int>(bits) - 127);
}

double roundBf16(double x) { return round(bf16, x); }
double roundF16(double x) { return round(f16, x); }
double roundF32(double x) { return round(f32, x); }
double roundE4m3(double x) { return round(e4m3, x); }
double roundE2m1(double x) { return std::isnan(x) ? e2m1.largest : round(e2m1, x); }

double roundTo(DType type, double value) {
  switch (type) {
  case DType::BF16:
    return roundBf16(value);
  case DType::F16:
    return roundF16(value);
  case DType::F32:
    return roundF32(value);
  case DType::E4M3:
    return roundE4m3(value);
  case DType::NVFP4:
  case DType::MXFP4:
    break;
  }
  return value;
}

uint16_t encodeBf16(double x) { return static_cast<uint16_t>(encode(bf16, x, 0x7F80, 0x7FC0)); }
uint16_t encodeF16(double x) { return static_cast<uint16_t>(encode(f16, x, 0x7C00, 0x7E00)); }
uint32_t encodeF32(double x) { return encode(f32, x, 0x7F800000, 0x7FC00000); }
uint8_t encodeE4m3(double x) { return static_cast<uint8_t>(encode(e4m3, x, 0x7F, 0x7F)); }
uint8_t encodeE2m1(double x) { return static_cast<uint8_t>(encodeFinite(e2m1, roundE2m1(x))); }

uint8_t encodeUe8m0RoundUp(double value) {
  if (std::isnan(value))
    return 0xFF;
  if (!(value > 0))
    return 0;
  if (std::isinf(value))
    return 0xFE;
  int exponent = std::ilogb(value);
  if (std::ldexp(1.0, exponent) < value)
    ++exponent;
  int field = exponent + 127;
  return static_cast<uint8_t>(field < 0 ? 0 : field > 0xFE ? 0xFE : field);
}

} // namespace msa::verify

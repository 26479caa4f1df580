//===- Convert.cpp - cvt between every pair of PTX types ------------------===//
//
// All narrowing goes through encode(): unpack the double, treat NaN, infinity,
// .relu and sign, then packRounded(). See Convert.h for what callers may assume.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Convert.h"

namespace msa::ptxsim::numerics {
namespace {

/// A finite double as significand * 2^exponent.
struct Parts {
  uint64_t significand;
  int exponent;
};

Parts partsOf(double value) {
  uint64_t bits = bitsOf(value);
  int field = static_cast<int>((bits >> 52) & 0x7FF);
  uint64_t fraction = bits & 0xFFFFFFFFFFFFFull;
  return field == 0 ? Parts{fraction, -1074} : Parts{fraction | (1ull << 52), field - 1075};
}

const Format &formatOf(SmallFloat kind) {
  switch (kind) {
  case SmallFloat::F16:
    return f16Format;
  case SmallFloat::BF16:
    return bf16Format;
  case SmallFloat::TF32:
    return tf32Format;
  case SmallFloat::E4M3:
    return e4m3Format;
  case SmallFloat::E5M2:
    return e5m2Format;
  case SmallFloat::E2M3:
    return e2m3Format;
  case SmallFloat::E3M2:
    return e3m2Format;
  case SmallFloat::E2M1:
  case SmallFloat::UE8M0:
    break;
  }
  return e2m1Format;
}

/// Powers of two from 2^-127 (code 0) to 2^127 (0xFE); zero and what is below count as 2^-127.
uint32_t encodeScale(double value, Narrowing how) {
  constexpr uint32_t nan = 0xFF, largest = 0xFE;
  if (value != value)
    return nan;
  double magnitude = std::fabs(value);
  if (magnitude <= 0x1p-127)
    return 0;
  uint32_t above = how.satfinite ? largest : nan;
  if (magnitude == HUGE_VAL)
    return above;
  Parts parts = partsOf(magnitude);
  int top = 63 - std::countl_zero(parts.significand) + parts.exponent;
  bool inexact = (parts.significand & (parts.significand - 1)) != 0;
  int code = top + 127 + (how.rounding == Rounding::Up && inexact ? 1 : 0);
  return code > static_cast<int>(largest) ? above : static_cast<uint32_t>(code);
}

/// The value of a code of a format of at most 16 bits that is neither infinite nor NaN.
float decodeFinite(const Format &format, uint32_t code) {
  uint32_t magnitude = code & (static_cast<uint32_t>(format.signBit()) - 1);
  uint32_t field = magnitude >> format.fractionBits;
  uint32_t fraction = magnitude & ((1u << format.fractionBits) - 1);
  uint32_t significand = field == 0 ? fraction : fraction | (1u << format.fractionBits);
  int exponent = (field == 0 ? 0 : static_cast<int>(field) - 1) + format.minUlpExponent();
  // A power of two in the normal range of f32: every format here is narrower.
  float value =
      static_cast<float>(significand) * floatOf(static_cast<uint32_t>(exponent + 127) << 23);
  return (code & format.signBit()) != 0 ? -value : value;
}

} // namespace

int widthOf(SmallFloat kind) {
  if (kind == SmallFloat::UE8M0)
    return 8;
  return kind == SmallFloat::TF32 ? 32 : formatOf(kind).width;
}

uint32_t encode(SmallFloat kind, double value, Narrowing how) {
  if (kind == SmallFloat::UE8M0)
    return encodeScale(value, how);
  const Format &format = formatOf(kind);
  bool satfinite = how.satfinite || format.overflow != Overflow::Infinity;
  // TF32 lives in the upper bits of a word; its canonical NaN is the f32 one.
  int place = kind == SmallFloat::TF32 ? 13 : 0;
  if (value != value)
    return kind == SmallFloat::TF32 ? 0x7FFFFFFFu : static_cast<uint32_t>(format.nan);
  bool negative = std::signbit(value);
  if (negative && how.relu)
    return 0;
  uint64_t code = 0;
  if (std::isinf(value)) {
    code = (satfinite ? format.maxFinite : format.infinity) | (negative ? format.signBit() : 0);
  } else {
    Parts parts = partsOf(value);
    code =
        packRounded(format, negative, parts.significand, parts.exponent, how.rounding, satfinite);
  }
  return static_cast<uint32_t>(code) << place;
}

float decode(SmallFloat kind, uint32_t code) {
  switch (kind) {
  case SmallFloat::F16:
    return f16ToF32(static_cast<uint16_t>(code));
  case SmallFloat::BF16:
    return bf16ToF32(static_cast<uint16_t>(code));
  case SmallFloat::TF32:
    return floatOf(code & 0xFFFFE000u);
  case SmallFloat::E5M2: // the upper half of an f16
    return f16ToF32(static_cast<uint16_t>((code & 0xFF) << 8));
  case SmallFloat::E4M3:
    return (code & 0x7F) == 0x7F ? floatOf(0x7FFFFFFFu) : decodeFinite(e4m3Format, code & 0xFF);
  case SmallFloat::UE8M0: {
    uint32_t field = code & 0xFF;
    if (field == 0xFF)
      return floatOf(0x7FFFFFFFu);
    return floatOf(field == 0 ? 0x00400000u : field << 23);
  }
  case SmallFloat::E2M3:
  case SmallFloat::E3M2:
  case SmallFloat::E2M1:
    break;
  }
  const Format &format = formatOf(kind);
  return decodeFinite(format, code & ((1u << format.width) - 1));
}

/// Distance between the two elements of a packed pair.
static int pairStride(SmallFloat kind) {
  int width = widthOf(kind);
  return width == 6 ? 8 : width;
}

uint32_t encodePair(SmallFloat kind, float upper, float lower, Narrowing how) {
  return (encode(kind, upper, how) << pairStride(kind)) | encode(kind, lower, how);
}

float decodePair(SmallFloat kind, uint32_t packed, int index) {
  int stride = pairStride(kind);
  return decode(kind, (packed >> (index * stride)) & ((1u << stride) - 1));
}

uint32_t convertPair(SmallFloat to, SmallFloat from, uint32_t packed, Narrowing how) {
  return encodePair(to, decodePair(from, packed, 1), decodePair(from, packed, 0), how);
}

float f64ToF32(double value, Rounding mode) {
  if (value != value)
    return floatOf(0x7FFFFFFFu);
  if (mode == Rounding::Nearest || std::isinf(value))
    return static_cast<float>(value);
  Parts parts = partsOf(value);
  return floatOf(static_cast<uint32_t>(
      packRounded(f32Format, std::signbit(value), parts.significand, parts.exponent, mode)));
}

double roundToIntegral(double value, Rounding mode) {
  switch (mode) {
  case Rounding::Nearest:
    return std::nearbyint(value);
  case Rounding::Zero:
    return std::trunc(value);
  case Rounding::Down:
    return std::floor(value);
  case Rounding::Up:
    return std::ceil(value);
  case Rounding::NearestAway:
    return std::round(value);
  }
  return value;
}

float roundToIntegral(float value, Rounding mode) {
  return canonical(static_cast<float>(roundToIntegral(static_cast<double>(value), mode)));
}

uint64_t floatToInteger(double value, bool sourceIsF64, IntegerType to, Rounding mode) {
  uint64_t mask = to.width == 64 ? ~0ull : (1ull << to.width) - 1;
  if (value != value)
    return sourceIsF64 || to.width == 64 ? 1ull << (to.width - 1) : 0;
  double whole = roundToIntegral(value, mode);
  double limit = std::ldexp(1.0, to.isSigned ? to.width - 1 : to.width);
  if (whole >= limit)
    return to.isSigned ? mask >> 1 : mask;
  if (!to.isSigned)
    return whole <= 0 ? 0 : static_cast<uint64_t>(whole);
  if (whole < -limit)
    return 1ull << (to.width - 1);
  return static_cast<uint64_t>(static_cast<int64_t>(whole)) & mask;
}

/// Sign and magnitude of a 64-bit integer, rounded into the format.
static uint64_t packInteger(const Format &format, uint64_t bits, bool isSigned, Rounding mode) {
  bool negative = isSigned && static_cast<int64_t>(bits) < 0;
  return packRounded(format, negative, negative ? 0 - bits : bits, 0, mode);
}

uint32_t integerToF32(uint64_t bits, bool isSigned, Rounding mode) {
  return static_cast<uint32_t>(packInteger(f32Format, bits, isSigned, mode));
}
uint64_t integerToF64(uint64_t bits, bool isSigned, Rounding mode) {
  return packInteger(f64Format, bits, isSigned, mode);
}
uint16_t integerToF16(uint64_t bits, bool isSigned, Rounding mode) {
  return static_cast<uint16_t>(packInteger(f16Format, bits, isSigned, mode));
}
uint16_t integerToBf16(uint64_t bits, bool isSigned, Rounding mode) {
  return static_cast<uint16_t>(packInteger(bf16Format, bits, isSigned, mode));
}

uint64_t integerToInteger(uint64_t bits, IntegerType from, IntegerType to, bool sat) {
  uint64_t value = extend(bits, from);
  uint64_t mask = to.width == 64 ? ~0ull : (1ull << to.width) - 1;
  if (!sat)
    return value & mask;
  bool negative = from.isSigned && static_cast<int64_t>(value) < 0;
  uint64_t largest = to.isSigned ? mask >> 1 : mask;
  if (!negative)
    return value > largest ? largest : value;
  if (!to.isSigned)
    return 0;
  auto smallest = -static_cast<int64_t>(mask >> 1) - 1;
  return static_cast<uint64_t>(
             static_cast<int64_t>(value) < smallest ? smallest : static_cast<int64_t>(value)) &
         mask;
}

} // namespace msa::ptxsim::numerics

#include "ptxsim/numerics/MmaElement.h"

#include <algorithm>
#include <cmath>

namespace msa::ptxsim::numerics {
namespace {

/// A finite value as significand * 2^(exponent - 23), |significand| < 2^24. The exponent is not
/// normalised below the type's smallest: a subnormal FP8 keeps -6 or -14.
struct Split {
  int32_t significand;
  int32_t exponent;
};

constexpr int splitBits = 23;

/// Exponent of a zero: too small to decide an alignment, also when two are added.
constexpr int zeroExponent = -50000;

Split split(float value, int minExponent) {
  if (value == 0)
    return {0, zeroExponent};
  uint32_t bits = bitsOf(value), field = (bits >> 23) & 0xFF;
  auto significand = static_cast<int32_t>(bits & 0x7FFFFF);
  int exponent = -126;
  if (field != 0) {
    significand |= 1 << splitBits;
    exponent = static_cast<int>(field) - 127;
  }
  if (exponent < minExponent) { // a subnormal of the operand type: exact, its low bits are zero
    significand >>= std::min(minExponent - exponent, 31);
    exponent = minExponent;
  }
  return {(bits >> 31) != 0 ? -significand : significand, exponent};
}

/// value / 2^shift, cut towards zero; |value| < 2^62, shift >= 0.
int64_t cutBits(int64_t value, int shift) {
  shift = std::min(shift, 63);
  // An arithmetic shift rounds down; adding the lost bits' maximum first turns that into up for
  // negative values.
  auto lostBits = static_cast<int64_t>((1ull << shift) - 1);
  return (value + ((value >> 63) & lostBits)) >> shift;
}

/// Products and addend aligned to the largest exponent among them, cut at `fractionBits` below it,
/// and added.
float fusedSum(const ExactRule &rule, int k, const float *row, const float *column, int stride,
               float addend) {
  const Split c = rule.addendAfter ? Split{0, zeroExponent} : split(addend, -126);
  int largest = c.exponent;
  for (int i = 0; i < k; ++i)
    largest = std::max(largest, split(row[i], rule.minExponentA).exponent +
                                    split(column[i * stride], rule.minExponentB).exponent);
  // Significands of products have 2 * 23 fraction bits, of which the rule keeps fewer.
  const int excess = 2 * splitBits - rule.fractionBits;
  int64_t sum =
      cutBits(static_cast<int64_t>(c.significand) << splitBits, largest - c.exponent + excess);
  for (int i = 0; i < k; ++i) {
    const Split left = split(row[i], rule.minExponentA),
                right = split(column[i * stride], rule.minExponentB);
    sum += cutBits(static_cast<int64_t>(left.significand) * right.significand,
                   largest - (left.exponent + right.exponent) + excess);
  }
  // The sum counts units of 2^(largest - fractionBits).
  const bool negative = sum < 0;
  const uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(sum) : static_cast<uint64_t>(sum);
  const int exponent = largest - rule.fractionBits;
  if (magnitude == 0)
    return rule.addendAfter ? 0.0f + addend : 0.0f;
  if (rule.halfResult && !rule.addendAfter)
    return f16ToF32(static_cast<uint16_t>(
        packRounded(f16Format, negative, magnitude, exponent, Rounding::Nearest)));
  const float cut = cutToF32(negative, magnitude, exponent, rule.resultFractionBits);
  if (!rule.addendAfter)
    return cut;
  const float total = cut + addend;
  return rule.halfResult ? f16ToF32(f32ToF16(total)) : total;
}

} // namespace

int minExponentOf(SmallFloat type) {
  switch (type) {
  case SmallFloat::F16:
  case SmallFloat::E5M2:
    return -14;
  case SmallFloat::E4M3:
    return -6;
  case SmallFloat::E3M2:
    return -2;
  case SmallFloat::E2M3:
  case SmallFloat::E2M1:
    return 0;
  default:
    return -126;
  }
}

float cutToF32(bool negative, uint64_t magnitude, int exponent, int fractionBits) {
  const int top = 63 - std::countl_zero(magnitude) + exponent;
  if (top > 127)
    return negative ? -HUGE_VALF : HUGE_VALF;
  const int drop = 63 - std::countl_zero(magnitude) - fractionBits;
  if (drop > 0)
    magnitude = (magnitude >> drop) << drop;
  return floatOf(
      static_cast<uint32_t>(packRounded(f32Format, negative, magnitude, exponent, Rounding::Zero)));
}

float exactElement(const ExactRule &rule, int k, const float *row, const float *column, int stride,
                   float addend) {
  // Infinities and NaNs follow IEEE; the sum's order does not matter then.
  double sum = addend;
  bool special = !std::isfinite(addend);
  for (int i = 0; i < k; ++i) {
    const float left = row[i], right = column[i * stride];
    special = special || !std::isfinite(left) || !std::isfinite(right);
    sum += static_cast<double>(left) * static_cast<double>(right);
  }
  if (special)
    return canonical(static_cast<float>(sum));
  const int group = rule.group == 0 ? k : rule.group;
  for (int first = 0; first < k; first += group)
    addend = fusedSum(rule, std::min(group, k - first), row + first, column + first * stride,
                      stride, addend);
  return addend;
}

} // namespace msa::ptxsim::numerics

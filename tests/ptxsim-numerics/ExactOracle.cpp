//===- ExactOracle.cpp - exact products, one element at a time -------------===//
//
// The definition in plain integers: operands are split once into a signed
// significand and an exponent that is not normalised below the type's smallest
// (a subnormal FP8 keeps -6 or -14). Then each element of D is two passes over k:
// the largest exponent, the sum. Block-scaled sums of FP4 are in long double.
//
//===----------------------------------------------------------------------===//
#include "ExactOracle.h"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace msa::ptxsim::numerics;

namespace oracle {
namespace {

/// A finite value as significand * 2^(exponent - 23), |significand| < 2^24.
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

/// Products and addend aligned to the largest exponent among them, cut at `fractionBits` below it.
/// The sum counts units of 2^(largest - fractionBits).
int64_t alignedSum(const Split *row, const Split *column, int count, Split addend, int fractionBits,
                   int *largestExponent) {
  int largest = addend.exponent;
  for (int k = 0; k < count; ++k)
    largest = std::max(largest, row[k].exponent + column[k].exponent);
  // Significands of products have 2 * 23 fraction bits, of which the rule keeps fewer.
  int excess = 2 * splitBits - fractionBits;
  int64_t sum = cutBits(static_cast<int64_t>(addend.significand) << splitBits,
                        largest - addend.exponent + excess);
  for (int k = 0; k < count; ++k) {
    int64_t product = static_cast<int64_t>(row[k].significand) * column[k].significand;
    sum += cutBits(product, largest - (row[k].exponent + column[k].exponent) + excess);
  }
  *largestExponent = largest;
  return sum;
}

/// One fused sum of `count` products and an addend, rounded as the rule says.
class FusedSum {
public:
  FusedSum(const ExactRule &rule) : rule(rule) {}

  float run(const Split *row, const Split *column, int count, float addend) const {
    Split c = rule.addendAfter ? Split{0, zeroExponent} : split(addend, -126);
    int largest = 0;
    int64_t sum = alignedSum(row, column, count, c, rule.fractionBits, &largest);
    return finish(sum, largest - rule.fractionBits, addend);
  }

private:
  float finish(int64_t sum, int exponent, float addend) const {
    bool negative = sum < 0;
    uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(sum) : static_cast<uint64_t>(sum);
    if (magnitude == 0)
      return rule.addendAfter ? 0.0f + addend : 0.0f;
    if (rule.halfResult && !rule.addendAfter)
      return f16ToF32(static_cast<uint16_t>(
          packRounded(f16Format, negative, magnitude, exponent, Rounding::Nearest)));
    // Cut to the result's bits; what no longer fits is infinite, not the largest number.
    int drop = 64 - std::countl_zero(magnitude) - (rule.resultFractionBits + 1);
    if (drop > 0)
      magnitude = (magnitude >> drop) << drop;
    auto cut = floatOf(static_cast<uint32_t>(
        packRounded(f32Format, negative, magnitude, exponent, Rounding::Zero)));
    int top = 63 - std::countl_zero(magnitude) + exponent;
    if (top > 127)
      cut = negative ? -HUGE_VALF : HUGE_VALF;
    if (!rule.addendAfter)
      return cut;
    float total = cut + addend;
    return rule.halfResult ? f16ToF32(f32ToF16(total)) : total;
  }

  const ExactRule &rule;
};

/// Infinities and NaNs follow IEEE; the sum's order does not matter then.
bool specialResult(GemmSize size, const float *row, const float *b, int col, float addend,
                   float &result) {
  double sum = addend;
  bool special = !std::isfinite(addend);
  for (int k = 0; k < size.k; ++k) {
    float left = row[k], right = b[k * size.n + col];
    special = special || !std::isfinite(left) || !std::isfinite(right);
    sum += static_cast<double>(left) * static_cast<double>(right);
  }
  result = canonical(static_cast<float>(sum));
  return special;
}

} // namespace

void exactProduct(const ExactRule &rule, GemmSize size, const float *a, const float *b, float *d) {
  std::vector<Split> rows(static_cast<size_t>(size.m) * size.k),
      columns(static_cast<size_t>(size.n) * size.k);
  for (int i = 0; i < size.m * size.k; ++i)
    rows[i] = split(std::isfinite(a[i]) ? a[i] : 0.0f, rule.minExponentA);
  for (int k = 0; k < size.k; ++k)
    for (int col = 0; col < size.n; ++col) {
      float value = b[k * size.n + col];
      columns[col * size.k + k] = split(std::isfinite(value) ? value : 0.0f, rule.minExponentB);
    }
  auto finite = [](float value) { return std::isfinite(value); };
  bool allFinite =
      std::all_of(a, a + rows.size(), finite) && std::all_of(b, b + columns.size(), finite);
  FusedSum fused(rule);
  int group = rule.group == 0 ? size.k : rule.group;
  for (int row = 0; row < size.m; ++row)
    for (int col = 0; col < size.n; ++col) {
      float &element = d[row * size.n + col];
      if (!allFinite || !finite(element)) {
        float special = 0;
        if (specialResult(size, a + row * size.k, b, col, element, special)) {
          element = special;
          continue;
        }
      }
      for (int first = 0; first < size.k; first += group)
        element = fused.run(&rows[row * size.k + first], &columns[col * size.k + first],
                            std::min(group, size.k - first), element);
    }
}

namespace {

/// Significand and exponent of a factor, from the definition of its format.
void splitFactor(ScaleFormat format, uint8_t code, long double &significand, int &exponent) {
  if (format == ScaleFormat::UE8M0) {
    significand = code == 255 ? NAN : 1;
    exponent = code - 127;
    return;
  }
  float value = decode(SmallFloat::E4M3, code & 0x7Fu);
  exponent = value == 0 ? -126 : std::max(-6, std::ilogb(value));
  significand = std::ldexp(static_cast<long double>(value), -exponent);
}

/// Towards zero to FP32; beyond its range infinite.
float cutToFloat(long double value) {
  if (std::fabs(value) >= 0x1p128L)
    return value < 0 ? -HUGE_VALF : HUGE_VALF;
  auto near = static_cast<float>(value);
  return std::fabs(static_cast<long double>(near)) > std::fabs(value) ? std::nextafter(near, 0.0f)
                                                                      : near;
}

} // namespace

float exactScaledElement(int k, SmallFloat typeA, SmallFloat typeB, const float *row,
                         const float *column, ScaleFormat format, int blocks,
                         const uint8_t *rowFactors, const uint8_t *columnFactors, float addend) {
  std::vector<long double> significands;
  std::vector<int> exponents;
  for (int block = 0; block < blocks; ++block) {
    long double left = 0, right = 0;
    int leftExponent = 0, rightExponent = 0;
    splitFactor(format, rowFactors[block], left, leftExponent);
    splitFactor(format, columnFactors[block], right, rightExponent);
    significands.push_back(left * right);
    exponents.push_back(leftExponent + rightExponent);
  }
  if (k == 32) {
    ExactRule rule = exactRule(100, TensorUnit::Tcgen05, typeA, typeB, 32, false);
    float sum = 0;
    exactProduct(rule, {1, 1, k}, row, column, &sum);
    long double scaled = std::ldexp(sum * significands[0], exponents[0]);
    if (!std::isfinite(scaled))
      return canonical(static_cast<float>(scaled) + addend);
    return canonical(cutToFloat(scaled) + addend);
  }
  int largest = addend == 0 ? -126 : std::max(-126, std::ilogb(addend));
  for (int exponent : exponents)
    largest = std::max(largest, exponent);
  bool special = !std::isfinite(addend);
  for (long double s : significands)
    special = special || s != s;
  if (special) {
    long double sum = addend;
    for (long double s : significands)
      sum += 0 * s;
    return canonical(static_cast<float>(sum));
  }
  long double total = std::trunc(std::ldexp(static_cast<long double>(addend), 35 - largest));
  for (int first = 0; first < k; first += 16) {
    long double sum = 0;
    for (int i = first; i < first + 16; ++i)
      sum += static_cast<long double>(row[i]) * column[i];
    int block = first / (k / blocks);
    total += std::trunc(std::ldexp(sum * significands[block], 35 + exponents[block] - largest));
  }
  return cutToFloat(std::ldexp(total, largest - 35));
}

} // namespace oracle

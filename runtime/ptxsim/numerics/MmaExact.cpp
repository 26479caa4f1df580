//===- MmaExact.cpp - the tensor cores' own rounding ----------------------===//
//
// Operands are split once into a signed significand and an exponent that is
// not normalised below the type's smallest (a subnormal FP8 keeps -6 or -14).
// Then each element of D is two passes over k: the largest exponent, the sum.
//
// Eight columns at a time do it in double: a product of two 24-bit significands is
// exact there, so is its alignment (a power of two), cutting is truncation, and the
// sum of integers below 2^53 is exact. Results that are subnormal, infinite or f16 go
// through the integer path, which is also the one for other widths.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Mma.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <vector>

#if defined(__x86_64__) && defined(__linux__)
#define MSA_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define MSA_CLONES
#endif

namespace msa::ptxsim::numerics {
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
MSA_CLONES int64_t alignedSum(const Split *row, const Split *column, int count, Split addend,
                              int fractionBits, int *largestExponent) {
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

/// Operands of the vector path.
struct Panels {
  std::vector<double> a, b;            ///< m x k, k x n
  std::vector<int32_t> exponentA, exponentB;
};

constexpr int lanes = 8;
using Ints = int32_t __attribute__((vector_size(4 * lanes)));
using Words = uint64_t __attribute__((vector_size(8 * lanes)));
using Floats = float __attribute__((vector_size(4 * lanes)));
using Doubles = double __attribute__((vector_size(8 * lanes)));

template <class V, class T> [[gnu::always_inline]] inline V loadVector(const T *from) {
  V v;
  std::memcpy(&v, from, sizeof(V));
  return v;
}

/// 2^exponent; |exponent| < 1022.
[[gnu::always_inline]] inline Doubles powerOfTwo(Ints exponent) {
  Words bits = __builtin_convertvector(exponent + 1023, Words) << 52;
  return std::bit_cast<Doubles>(bits);
}

/// Exponent that eight sums are aligned to; zeros of all terms give any.
[[gnu::always_inline]] inline Ints largestOfEight(const ExactRule &rule, int k, int n,
                                                  const int32_t *ea, const int32_t *eb, Floats d) {
  Ints bits = std::bit_cast<Ints>(d) & 0x7FFFFFFF, field = bits >> 23;
  Ints exponent = (field == 0 ? field + 1 : field) - 127;
  Ints none = (Ints{} + 1) * zeroExponent;
  Ints largest = rule.addendAfter ? none : (bits == 0 ? none : exponent);
  for (int inner = 0; inner < k; ++inner) {
    Ints e = loadVector<Ints>(eb + inner * n) + ea[inner];
    largest = largest > e ? largest : e;
  }
  return largest < -600 ? Ints{} : largest;
}

/// Eight elements of D; false if one of them needs the integer path (and d is as before).
[[gnu::always_inline]] inline bool runEight(const ExactRule &rule, int k, int n, const double *a,
                                            const int32_t *ea, const double *b, const int32_t *eb,
                                            float *d) {
  const Floats addend = loadVector<Floats>(d);
  const Doubles wide = __builtin_convertvector(addend, Doubles);
  const Ints largest = largestOfEight(rule, k, n, ea, eb, addend);
  const Doubles scale = powerOfTwo(rule.fractionBits - largest);
  Doubles sum = rule.addendAfter ? Doubles{} : __builtin_elementwise_trunc(wide * scale);
  for (int inner = 0; inner < k; ++inner)
    sum += __builtin_elementwise_trunc(loadVector<Doubles>(b + inner * n) * a[inner] * scale);
  // Cut to the result: bits that no longer fit are cleared, which is exact where the result is
  // neither subnormal nor infinite.
  const uint64_t keep = ~((1ull << (52 - rule.resultFractionBits)) - 1);
  Doubles value = sum * powerOfTwo(largest - rule.fractionBits);
  Doubles cut = std::bit_cast<Doubles>(std::bit_cast<Words>(value) & keep);
  Doubles magnitude = __builtin_elementwise_abs(cut);
  auto odd = (magnitude != 0.0) & ((magnitude < 0x1p-126) | (magnitude >= 0x1p128));
  if (__builtin_reduce_or(odd) != 0)
    return false;
  // A sum of nothing is +0 whatever the signs were.
  Floats result = __builtin_convertvector(cut + 0.0, Floats);
  if (rule.addendAfter)
    result += addend;
  std::memcpy(d, &result, sizeof(result));
  for (int i = 0; i < lanes; ++i)
    d[i] = canonical(d[i]);
  return true;
}

/// Columns of finite operands in blocks of eight; `slow(row, col)` computes one element.
template <class Slow>
[[gnu::always_inline]] inline void exactBlocks(const ExactRule &rule, GemmSize size,
                                               const Panels &p, float *d, Slow slow) {
  const int group = rule.group == 0 ? size.k : rule.group;
  for (int row = 0; row < size.m; ++row)
    for (int col = 0; col + lanes <= size.n; col += lanes) {
      float *out = d + static_cast<ptrdiff_t>(row) * size.n + col, before[lanes];
      std::memcpy(before, out, sizeof(before));
      Ints field = std::bit_cast<Ints>(loadVector<Floats>(out)) & 0x7F800000;
      bool done = __builtin_reduce_or(field == 0x7F800000) == 0;
      for (int first = 0; first < size.k && done; first += group) {
        const auto at = static_cast<size_t>(row * size.k + first),
                   below = static_cast<size_t>(first * size.n + col);
        done = runEight(rule, std::min(group, size.k - first), size.n, &p.a[at], &p.exponentA[at],
                        &p.b[below], &p.exponentB[below], out);
      }
      if (done)
        continue;
      for (int i = 0; i < lanes; ++i) {
        out[i] = before[i];
        slow(row, col + i);
      }
    }
}

} // namespace

ExactRule exactRule(int sm, TensorUnit unit, SmallFloat a, SmallFloat b, int k, bool halfResult) {
  ExactRule rule;
  rule.halfResult = halfResult;
  rule.minExponentA = minExponentOf(a);
  rule.minExponentB = minExponentOf(b);
  int width = std::max(widthOf(a), widthOf(b));
  bool narrow = width <= 8;
  if (sm >= 100) { // sums of 8-bit and narrower products leave C to an FP32 addition
    rule.addendAfter = narrow && unit != TensorUnit::Wgmma;
    return rule;
  }
  if (narrow && sm >= 89) { // Ada and Hopper: the E8M13 accumulator
    rule.fractionBits = 13;
    rule.resultFractionBits = halfResult ? 23 : 13;
  } else if (sm < 90) {
    rule.fractionBits = 24;
  }
  // Before Hopper one instruction of 32 bytes of k is two sums of 16 bytes.
  if (sm >= 80 && sm < 90 && k * width == 256)
    rule.group = k / 2;
  return rule;
}

namespace {

/// The integer path: one element at a time.
class ElementPath {
public:
  ElementPath(const ExactRule &rule, GemmSize size, const float *a, const float *b, float *d)
      : rule(rule), fused(rule), size(size), a(a), b(b), d(d),
        rows(static_cast<size_t>(size.m) * size.k), columns(static_cast<size_t>(size.n) * size.k) {
    auto finite = [](float value) { return std::isfinite(value); };
    allFinite =
        std::all_of(a, a + rows.size(), finite) && std::all_of(b, b + columns.size(), finite);
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = split(finite(a[i]) ? a[i] : 0.0f, rule.minExponentA);
    for (int k = 0; k < size.k; ++k)
      for (int col = 0; col < size.n; ++col) {
        float value = b[k * size.n + col];
        columns[static_cast<size_t>(col * size.k + k)] =
            split(finite(value) ? value : 0.0f, rule.minExponentB);
      }
  }

  void run(int row, int col) {
    float &element = d[row * size.n + col];
    if (!allFinite || !std::isfinite(element)) {
      float special = 0;
      if (specialResult(size, a + row * size.k, b, col, element, special)) {
        element = special;
        return;
      }
    }
    const int group = rule.group == 0 ? size.k : rule.group;
    for (int first = 0; first < size.k; first += group)
      element = fused.run(&rows[static_cast<size_t>(row * size.k + first)],
                          &columns[static_cast<size_t>(col * size.k + first)],
                          std::min(group, size.k - first), element);
  }

  bool allFinite = true;

  /// What the vector path needs.
  Panels panels() const {
    Panels p;
    p.a.assign(a, a + rows.size());
    p.b.assign(b, b + columns.size());
    for (const Split &s : rows)
      p.exponentA.push_back(s.exponent);
    p.exponentB.resize(columns.size());
    for (int k = 0; k < size.k; ++k)
      for (int col = 0; col < size.n; ++col)
        p.exponentB[static_cast<size_t>(k * size.n + col)] =
            columns[static_cast<size_t>(col * size.k + k)].exponent;
    return p;
  }

private:
  const ExactRule &rule;
  FusedSum fused;
  GemmSize size;
  const float *a, *b;
  float *d;
  std::vector<Split> rows, columns;
};

MSA_CLONES void runBlocks(const ExactRule &rule, GemmSize size, const Panels &p, float *d,
                          ElementPath &elements) {
  exactBlocks(rule, size, p, d, [&](int row, int col) { elements.run(row, col); });
}

} // namespace

void gemmExact(const ExactRule &rule, GemmSize size, const float *a, const float *b, float *d) {
  ElementPath elements(rule, size, a, b, d);
  int first = 0;
  if (elements.allFinite && !rule.halfResult) {
    runBlocks(rule, size, elements.panels(), d, elements);
    first = size.n / lanes * lanes;
  }
  for (int row = 0; row < size.m; ++row)
    for (int col = first; col < size.n; ++col)
      elements.run(row, col);
}

} // namespace msa::ptxsim::numerics

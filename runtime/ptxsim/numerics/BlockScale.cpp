//===- BlockScale.cpp - products of block-scaled operands -----------------===//
//
// Blocks (or groups of 16 terms) are summed by gemmStrided, a few rows at a
// time; then the sums of all blocks of a row are scaled and added, eight columns
// at once, in double: factors have at most four significant bits, sums of FP4
// products twelve, so the products of these are exact.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/BlockScale.h"

#include "ptxsim/numerics/Clones.h"
#include "ptxsim/numerics/MmaElement.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <vector>

namespace msa::ptxsim::numerics {
namespace {

/// A factor as significand * 2^exponent, not normalised below the format's smallest normal number.
/// A zero counts as FP32's smallest, as MMA-Sim has it.
struct Factor {
  double significand;
  int exponent;
};

constexpr int leastExponent = -126;

Factor factorOf(ScaleFormat format, uint8_t code) {
  if (format == ScaleFormat::UE8M0)
    return {code == 0xFF ? NAN : 1.0, code - 127};
  const int field = code >> 3 & 15, fraction = code & 7;
  if ((code & 0x7F) == 0x7F)
    return {NAN, 8};
  if ((code & 0x7F) == 0)
    return {0, leastExponent};
  return field == 0 ? Factor{fraction / 8.0, -6} : Factor{1 + fraction / 8.0, field - 7};
}

/// Factors of `lines` rows or columns: by block, then by line.
struct Factors {
  std::vector<double> significands;
  std::vector<int32_t> exponents;

  Factors(const ScaleFactors &factors, const uint8_t *codes, int lines) {
    const auto count = static_cast<size_t>(lines) * static_cast<size_t>(factors.blocks);
    significands.resize(count);
    exponents.resize(count);
    for (int line = 0; line < lines; ++line)
      for (int block = 0; block < factors.blocks; ++block) {
        const Factor f = factorOf(factors.format, codes[line * factors.blocks + block]);
        const auto at = static_cast<size_t>(block * lines + line);
        significands[at] = f.significand;
        exponents[at] = f.exponent;
      }
  }
};

constexpr int lanes = 8, rowTile = 16;
using Ints = int32_t __attribute__((vector_size(4 * lanes)));
using Longs = uint64_t __attribute__((vector_size(8 * lanes)));
using Floats = float __attribute__((vector_size(4 * lanes)));
using Doubles = double __attribute__((vector_size(8 * lanes)));

/// The first `count` values, then zeros.
template <class V, class T> [[gnu::always_inline]] inline V loadSome(const T *from, int count) {
  V v{};
  if (count >= lanes)
    std::memcpy(&v, from, sizeof(V));
  else
    std::memcpy(&v, from, static_cast<size_t>(count) * sizeof(T));
  return v;
}

[[gnu::always_inline]] inline Doubles powerOfTwo(Ints exponent) {
  const Longs bits = __builtin_convertvector(exponent + 1023, Longs) << 52;
  return std::bit_cast<Doubles>(bits);
}

[[gnu::always_inline]] inline void storeSome(float *to, Floats values, int count) {
  std::memcpy(to, &values, static_cast<size_t>(std::min(count, lanes)) * sizeof(float));
}

[[gnu::always_inline]] inline Floats canonicalOf(Floats values) {
  return values == values ? values : std::bit_cast<Floats>(Ints{} + 0x7FFFFFFF);
}

/// Whether a value is subnormal or beyond FP32, or not a number.
[[gnu::always_inline]] inline bool isOdd(Doubles value) {
  const Doubles magnitude = __builtin_elementwise_abs(value);
  const auto ordinary = ((magnitude >= 0x1p-126) & (magnitude < 0x1p128)) | (magnitude == 0.0);
  return __builtin_reduce_and(ordinary) == 0;
}

/// What is the same for all rows of a product.
struct Scaling {
  GemmSize size;
  int blocks; ///< factors along k
  int parts;  ///< sums along k; a multiple of blocks
  const Factors &a, &b;

  int blockOf(int part) const { return part / (parts / blocks); }
  size_t atRow(int part, int row) const {
    return static_cast<size_t>(blockOf(part) * size.m + row);
  }
  size_t atColumn(int part, int col) const {
    return static_cast<size_t>(blockOf(part) * size.n + col);
  }
};

/// Calls finish(row, sums of the row's parts: sums[part * distance + column]) for all rows.
template <class Finish>
[[gnu::always_inline]] inline void forRows(const Scaling &s, const float *a, const float *b,
                                           Finish finish) {
  const int depth = s.size.k / s.parts, distance = rowTile * s.size.n;
  std::vector<float> sums(static_cast<size_t>(s.parts) * static_cast<size_t>(distance));
  for (int first = 0; first < s.size.m; first += rowTile) {
    const int rows = std::min(rowTile, s.size.m - first);
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (int part = 0; part < s.parts; ++part)
      gemmStrided({rows, s.size.n, depth}, {s.size.k, s.size.n, s.size.n},
                  a + static_cast<ptrdiff_t>(first) * s.size.k + part * depth,
                  b + static_cast<ptrdiff_t>(part) * depth * s.size.n,
                  sums.data() + static_cast<ptrdiff_t>(part) * distance);
    for (int row = 0; row < rows; ++row)
      finish(first + row, sums.data() + static_cast<ptrdiff_t>(row) * s.size.n, distance);
  }
}

/// factors * 2^exponents of a part.
[[gnu::always_inline]] inline Doubles scaleOf(const Scaling &s, int part, int row, int col,
                                              int count) {
  const size_t left = s.atRow(part, row), right = s.atColumn(part, col);
  const Ints exponent = loadSome<Ints>(&s.b.exponents[right], count) + s.a.exponents[left];
  return loadSome<Doubles>(&s.b.significands[right], count) * s.a.significands[left] *
         powerOfTwo(exponent);
}

MSA_CLONES void finishFast(const Scaling &s, int row, const float *sums, int distance, float *d) {
  for (int col = 0; col < s.size.n; col += lanes) {
    const int count = s.size.n - col;
    Floats total = loadSome<Floats>(d + col, count);
    for (int part = 0; part < s.parts; ++part) {
      const auto sum =
          loadSome<Floats>(sums + static_cast<ptrdiff_t>(part) * distance + col, count);
      total += __builtin_convertvector(
          __builtin_convertvector(sum, Doubles) * scaleOf(s, part, row, col, count), Floats);
    }
    storeSome(d + col, canonicalOf(total), count);
  }
}

/// k = 32: the exact sum without D and factors is in `sums`.
MSA_CLONES void finishByteSums(const Scaling &s, int row, const float *sums, float *d) {
  for (int col = 0; col < s.size.n; col += lanes) {
    const int count = s.size.n - col;
    const Doubles value = __builtin_convertvector(loadSome<Floats>(sums + col, count), Doubles) *
                          scaleOf(s, 0, row, col, count);
    Floats cut = __builtin_convertvector(value, Floats);
    const Floats before = loadSome<Floats>(d + col, count);
    // Only a subnormal has lost bits; they are cut, not rounded.
    for (int i = 0; i < lanes && isOdd(value); ++i) {
      const double magnitude = std::fabs(value[i]), rounded = std::fabs(double{cut[i]});
      cut[i] = magnitude < 0x1p-126 && rounded > magnitude ? floatOf(bitsOf(cut[i]) - 1) : cut[i];
    }
    Floats total = cut + before;
    storeSome(d + col, canonicalOf(total), count);
  }
}

/// k = 64: aligned at F = 35.
MSA_CLONES void finishNibbleSums(const Scaling &s, int row, const float *sums, int distance,
                                 float *d) {
  constexpr int fractionBits = 35, resultFractionBits = 23;
  constexpr uint64_t keep = ~((uint64_t{1} << (52 - resultFractionBits)) - 1);
  for (int col = 0; col < s.size.n; col += lanes) {
    const int count = s.size.n - col;
    const auto before = loadSome<Floats>(d + col, count);
    const Ints bits = std::bit_cast<Ints>(before) & 0x7FFFFFFF, own = (bits >> 23) - 127,
               least = Ints{} + leastExponent;
    Ints largest = own > least ? own : least;
    for (int part = 0; part < s.parts; ++part) {
      const Ints e = loadSome<Ints>(&s.b.exponents[s.atColumn(part, col)], count) +
                     s.a.exponents[s.atRow(part, row)];
      largest = largest > e ? largest : e;
    }
    const Doubles unit = powerOfTwo(fractionBits - largest);
    Doubles sum = __builtin_elementwise_trunc(__builtin_convertvector(before, Doubles) * unit);
    for (int part = 0; part < s.parts; ++part) {
      const auto term =
          loadSome<Floats>(sums + static_cast<ptrdiff_t>(part) * distance + col, count);
      sum += __builtin_elementwise_trunc(__builtin_convertvector(term, Doubles) *
                                         scaleOf(s, part, row, col, count) * unit);
    }
    const Doubles value = sum * powerOfTwo(largest - fractionBits);
    const Longs kept = std::bit_cast<Longs>(value) & keep;
    const auto cut = std::bit_cast<Doubles>(kept);
    Floats result = __builtin_convertvector(cut + 0.0, Floats);
    for (int i = 0; i < lanes && isOdd(value); ++i) {
      const double magnitude = std::fabs(value[i]);
      const bool special = !(magnitude < HUGE_VAL);
      if (special)
        result[i] = canonical(static_cast<float>(value[i]));
      else if (magnitude != 0 && (magnitude < 0x1p-126 || magnitude >= 0x1p128))
        result[i] = cutToF32(sum[i] < 0, static_cast<uint64_t>(std::fabs(sum[i])),
                             largest[i] - fractionBits, resultFractionBits);
    }
    storeSome(d + col, result, count);
  }
}

} // namespace

double decodeScale(ScaleFormat format, uint8_t code) {
  const Factor f = factorOf(format, code);
  return std::ldexp(f.significand, f.exponent);
}

void gemmScaledFast(GemmSize size, const float *a, const float *b, const ScaleFactors &factors,
                    float *d) {
  const Factors rows(factors, factors.a, size.m), columns(factors, factors.b, size.n);
  const Scaling scaling{size, factors.blocks, factors.blocks, rows, columns};
  forRows(scaling, a, b, [&](int row, const float *sums, int distance) {
    finishFast(scaling, row, sums, distance, d + static_cast<ptrdiff_t>(row) * size.n);
  });
}

void gemmScaledExact(GemmSize size, SmallFloat typeA, SmallFloat typeB, const float *a,
                     const float *b, const ScaleFactors &factors, float *d) {
  const Factors rows(factors, factors.a, size.m), columns(factors, factors.b, size.n);
  if (factors.blocks == 1) {
    const Scaling scaling{size, 1, 1, rows, columns};
    ExactRule rule;
    rule.addendAfter = true;
    rule.minExponentA = minExponentOf(typeA);
    rule.minExponentB = minExponentOf(typeB);
    std::vector<float> sums(static_cast<size_t>(size.m) * static_cast<size_t>(size.n), 0.0f);
    gemmExact(rule, size, a, b, sums.data());
    for (int row = 0; row < size.m; ++row) {
      const auto at = static_cast<ptrdiff_t>(row) * size.n;
      finishByteSums(scaling, row, sums.data() + at, d + at);
    }
    return;
  }
  constexpr int group = 16;
  const Scaling scaling{size, factors.blocks, std::max(factors.blocks, size.k / group), rows,
                        columns};
  forRows(scaling, a, b, [&](int row, const float *sums, int distance) {
    finishNibbleSums(scaling, row, sums, distance, d + static_cast<ptrdiff_t>(row) * size.n);
  });
}

} // namespace msa::ptxsim::numerics

//===- MmaExact.cpp - the tensor cores' own rounding, many columns at once --===//
//
// MmaElement.cpp says in integers what one element is. Here sixteen (or eight)
// columns of a row are computed at once, in two passes over k: the largest
// exponent, then the sum. Each step is exact or is the rule's own cut:
//
//  product  of two significands of at most 12 bits: exact in FP32
//  align    multiplied by 2^(F - largest): exact, unless the result is far below 1
//  cut      conversion to int32, which truncates; |term| < 2^(F + 2) <= 2^27
//  sum      eight terms in int32, these sums and C in double: integers below 2^53
//  result   truncated by clearing bits of the double's fraction
//
// FP32 reaches from 2^-126 to 2^127, so the largest exponent must be within
// [-90, 125]. Other columns, and those whose result is subnormal or infinite, are
// left to MmaElement.cpp; infinities and NaNs are given an exponent beyond 125.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Clones.h"
#include "ptxsim/numerics/MmaElement.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

namespace msa::ptxsim::numerics {
namespace {

/// No instruction is deeper, but for b1.
constexpr int deepest = 128;
/// Rows whose exponents are kept at once.
constexpr int rowTile = 64;

/// Exponents of zeros and of infinities and NaNs: sums of two of any kind tell what they are made
/// of, in 16 bits.
constexpr int16_t zeroExponent = -5000, specialExponent = 15000;
constexpr int16_t leastAligned = -90, mostAligned = 125, nothing = -1000;

/// Vectors of W columns.
template <int W> struct Vectors {
  using Shorts = int16_t __attribute__((vector_size(2 * W)));
  using Ints = int32_t __attribute__((vector_size(4 * W)));
  using Floats = float __attribute__((vector_size(4 * W)));
  using Longs = uint64_t __attribute__((vector_size(8 * W)));
  using Doubles = double __attribute__((vector_size(8 * W)));
};

template <class V> [[gnu::always_inline]] inline V load(const void *from) {
  V v;
  std::memcpy(&v, from, sizeof(V));
  return v;
}

/// Exponents of operands, with the marks above.
template <int W>
[[gnu::always_inline]] inline typename Vectors<W>::Shorts
exponentsOf(typename Vectors<W>::Floats values, int minExponent) {
  using Ints = typename Vectors<W>::Ints;
  const Ints bits = std::bit_cast<Ints>(values) & 0x7FFFFFFF, least = Ints{} + minExponent;
  Ints exponent = (bits >> 23) - 127;
  exponent = exponent > least ? exponent : least;
  exponent = bits == 0 ? Ints{} + zeroExponent : exponent;
  exponent = bits >= 0x7F800000 ? Ints{} + specialExponent : exponent;
  return __builtin_convertvector(exponent, typename Vectors<W>::Shorts);
}

/// W columns of B, packed, with their exponents.
template <int W> struct ColumnBlock {
  alignas(64) float values[deepest * W];
  alignas(64) int16_t exponents[deepest * W];

  [[gnu::always_inline]] void pack(const ExactRule &rule, GemmSize size, const float *b, int first,
                                   int width) {
    for (int k = 0; k < size.k; ++k) {
      float *to = values + k * W;
      const float *from = b + static_cast<ptrdiff_t>(k) * size.n + first;
      if (width == W)
        std::memcpy(to, from, W * sizeof(float));
      else
        for (int i = 0; i < W; ++i)
          to[i] = i < width ? from[i] : 0.0f;
      auto exponent = exponentsOf<W>(load<typename Vectors<W>::Floats>(to), rule.minExponentB);
      std::memcpy(exponents + k * W, &exponent, sizeof(exponent));
    }
  }
};

/// Exponents of a tile of A.
struct RowTile {
  int16_t exponents[rowTile * deepest];

  [[gnu::always_inline]] void take(const ExactRule &rule, const float *a, int count) {
    int i = 0;
    for (; i + 16 <= count; i += 16) {
      auto exponent = exponentsOf<16>(load<Vectors<16>::Floats>(a + i), rule.minExponentA);
      std::memcpy(exponents + i, &exponent, sizeof(exponent));
    }
    for (; i < count; ++i)
      exponents[i] = exponentsOf<8>(Vectors<8>::Floats{} + a[i], rule.minExponentA)[0];
  }
};

/// 2^exponent as double; |exponent| < 1022.
template <int W>
[[gnu::always_inline]] inline typename Vectors<W>::Doubles
powerOfTwo(typename Vectors<W>::Ints exponent) {
  using Longs = typename Vectors<W>::Longs;
  const Longs bits = __builtin_convertvector(exponent + 1023, Longs) << 52;
  return std::bit_cast<typename Vectors<W>::Doubles>(bits);
}

/// Nearest even f16 of each value, as FP32; no NaNs.
template <int W>
[[gnu::always_inline]] inline typename Vectors<W>::Floats
roundedToF16(typename Vectors<W>::Floats values) {
  using Ints = typename Vectors<W>::Ints;
  using Floats = typename Vectors<W>::Floats;
  const Ints bits = std::bit_cast<Ints>(values), magnitude = bits & 0x7FFFFFFF;
  const Ints kept = (magnitude + 0xFFF + ((magnitude >> 13) & 1)) & ~0x1FFF;
  const Ints normal = kept >= 0x47800000 ? Ints{} + 0x7F800000 : kept;
  // Subnormals: the adder rounds at 2^-24, the last place of numbers from 0.5 on.
  const Floats small = (std::bit_cast<Floats>(magnitude) + 0.5f) - 0.5f;
  const Ints result = magnitude < 0x38800000 ? std::bit_cast<Ints>(small) : normal;
  return std::bit_cast<Floats>(result | (bits & INT32_MIN));
}

/// Sum of `depth` aligned and cut products, in units of 2^(largest - F): int32 as long as it holds
/// them.
template <int W>
[[gnu::always_inline]] inline typename Vectors<W>::Doubles
sumOfProducts(int depth, const float *row, const float *columns,
              typename Vectors<W>::Floats scale) {
  using Ints = typename Vectors<W>::Ints;
  using Floats = typename Vectors<W>::Floats;
  constexpr int chunk = 8;
  typename Vectors<W>::Doubles sum{};
  int k = 0;
  for (; k + chunk <= depth; k += chunk) {
    Ints part{};
    for (int i = 0; i < chunk; ++i)
      part +=
          __builtin_convertvector(load<Floats>(columns + (k + i) * W) * row[k + i] * scale, Ints);
    sum += __builtin_convertvector(part, typename Vectors<W>::Doubles);
  }
  Ints part{};
  for (; k < depth; ++k)
    part += __builtin_convertvector(load<Floats>(columns + k * W) * row[k] * scale, Ints);
  return sum + __builtin_convertvector(part, typename Vectors<W>::Doubles);
}

/// One fused sum for W elements of D; false if an element needs the integer path.
template <int W>
[[gnu::always_inline]] inline bool
fuse(const ExactRule &rule, int depth, const float *row, const int16_t *rowExponents,
     const float *columns, const int16_t *columnExponents, typename Vectors<W>::Floats &d) {
  using Shorts = typename Vectors<W>::Shorts;
  using Ints = typename Vectors<W>::Ints;
  using Longs = typename Vectors<W>::Longs;
  using Floats = typename Vectors<W>::Floats;
  using Doubles = typename Vectors<W>::Doubles;
  const Shorts own = exponentsOf<W>(d, -126);
  Shorts largest = Shorts{} + zeroExponent;
  if (!rule.addendAfter)
    largest = own;
  for (int k = 0; k < depth; ++k) {
    const Shorts e = load<Shorts>(columnExponents + k * W) + rowExponents[k];
    largest = largest > e ? largest : e;
  }
  const Shorts empty = largest < nothing;
  largest = empty ? Shorts{} : largest;
  const Shorts outside = (largest < leastAligned) | (largest > mostAligned) | (own > 127);
  if (__builtin_reduce_or(outside) != 0)
    return false;
  const Ints shift = rule.fractionBits - __builtin_convertvector(largest, Ints);
  const Floats scale = std::bit_cast<Floats>((shift + 127) << 23);
  Doubles sum = sumOfProducts<W>(depth, row, columns, scale);
  if (!rule.addendAfter)
    sum += __builtin_convertvector(__builtin_convertvector(d * scale, Ints), Doubles);
  const Doubles value = sum * powerOfTwo<W>(-shift);
  const Longs bits = std::bit_cast<Longs>(value);
  Longs kept = bits;
  if (rule.halfResult && !rule.addendAfter) {
    // 24 bits of which the last is set if anything lies below: as good as all for one rounding to
    // f16.
    constexpr uint64_t below = (uint64_t{1} << 29) - 1;
    const Longs rest = bits & below;
    kept = (bits & ~below) | ((rest + below) & (below + 1));
  } else {
    kept = bits & ~((uint64_t{1} << (52 - rule.resultFractionBits)) - 1);
  }
  const Doubles cut = std::bit_cast<Doubles>(kept), magnitude = __builtin_elementwise_abs(cut);
  const auto odd = (magnitude != 0.0) & ((magnitude < 0x1p-126) | (magnitude >= 0x1p128));
  if (__builtin_reduce_or(odd) != 0)
    return false;
  // A sum of nothing is +0 whatever the signs were.
  Floats result = __builtin_convertvector(cut + 0.0, Floats);
  if (rule.addendAfter)
    result += d;
  if (rule.halfResult)
    result = roundedToF16<W>(result);
  d = result;
  return true;
}

/// `width` <= W columns from `first` on, all rows.
template <int W>
[[gnu::always_inline]] inline void runColumns(const ExactRule &rule, GemmSize size, int rows,
                                              const float *a, const RowTile &tile, const float *b,
                                              int first, int width, float *d) {
  ColumnBlock<W> block;
  block.pack(rule, size, b, first, width);
  const int group = rule.group == 0 ? size.k : rule.group;
  for (int row = 0; row < rows; ++row) {
    float *out = d + static_cast<ptrdiff_t>(row) * size.n + first;
    typename Vectors<W>::Floats values{};
    std::memcpy(&values, out, static_cast<size_t>(width) * sizeof(float));
    bool done = true;
    for (int k = 0; k < size.k && done; k += group)
      done = fuse<W>(rule, std::min(group, size.k - k), a + row * size.k + k,
                     tile.exponents + row * size.k + k, block.values + k * W,
                     block.exponents + k * W, values);
    if (done) {
      std::memcpy(out, &values, static_cast<size_t>(width) * sizeof(float));
      continue;
    }
    for (int i = 0; i < width; ++i)
      out[i] = exactElement(rule, size.k, a + row * size.k, b + first + i, size.n, out[i]);
  }
}

MSA_CLONES void runPanels(const ExactRule &rule, GemmSize size, const float *a, const float *b,
                          float *d) {
  RowTile tile;
  for (int row = 0; row < size.m; row += rowTile) {
    const int rows = std::min(rowTile, size.m - row);
    const float *panel = a + static_cast<ptrdiff_t>(row) * size.k;
    float *out = d + static_cast<ptrdiff_t>(row) * size.n;
    tile.take(rule, panel, rows * size.k);
    int col = 0;
    for (; col + 16 <= size.n; col += 16)
      runColumns<16>(rule, size, rows, panel, tile, b, col, 16, out);
    for (; col < size.n; col += 8)
      runColumns<8>(rule, size, rows, panel, tile, b, col, std::min(8, size.n - col), out);
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

void gemmExact(const ExactRule &rule, GemmSize size, const float *a, const float *b, float *d) {
  if (size.k <= deepest) {
    runPanels(rule, size, a, b, d);
    return;
  }
  for (int row = 0; row < size.m; ++row)
    for (int col = 0; col < size.n; ++col) {
      float &element = d[static_cast<ptrdiff_t>(row) * size.n + col];
      element = exactElement(rule, size.k, a + static_cast<ptrdiff_t>(row) * size.k, b + col,
                             size.n, element);
    }
}

} // namespace msa::ptxsim::numerics

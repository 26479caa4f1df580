//===- Oracle.h - rounding by search, for tests ---------------------------===//
//
// An oracle that shares nothing with the library: a format is the sorted list
// of all its values, computed from the definition of a floating number with
// ldexp; rounding is a search for the neighbours and a choice between them.
// Works in long double, which holds every f32, f64 and product used here.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Convert.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace msa::ptxsim::numerics::oracle {

/// The non-negative finite values of a format; the code of value[i] is i.
struct Values {
  std::vector<long double> value;
  bool hasInfinity;   ///< else overflow is the largest number
  uint32_t nan, sign; ///< canonical NaN; sign bit
};

inline Values valuesOf(SmallFloat kind) {
  struct Row {
    int exponentBits, fractionBits, bias, topCodes; // topCodes: codes above the largest finite one
    bool infinity;
    uint32_t nan, sign;
  };
  Row row{};
  switch (kind) {
  case SmallFloat::F16:
    row = {5, 10, 15, 1024, true, 0x7FFF, 0x8000};
    break;
  case SmallFloat::BF16:
    row = {8, 7, 127, 128, true, 0x7FFF, 0x8000};
    break;
  case SmallFloat::TF32:
    row = {8, 10, 127, 1024, true, 0x3FFFF, 0x40000};
    break;
  case SmallFloat::E4M3:
    row = {4, 3, 7, 1, false, 0x7F, 0x80};
    break;
  case SmallFloat::E5M2:
    row = {5, 2, 15, 4, true, 0x7F, 0x80};
    break;
  case SmallFloat::E2M3:
    row = {2, 3, 1, 0, false, 0x1F, 0x20};
    break;
  case SmallFloat::E3M2:
    row = {3, 2, 3, 0, false, 0x1F, 0x20};
    break;
  default:
    row = {2, 1, 1, 0, false, 0x7, 0x8};
    break;
  }
  Values values{{}, row.infinity, row.nan, row.sign};
  int codes = (1 << (row.exponentBits + row.fractionBits)) - row.topCodes;
  for (int code = 0; code < codes; ++code) {
    int exponent = code >> row.fractionBits, fraction = code & ((1 << row.fractionBits) - 1);
    long double significand = fraction / static_cast<long double>(1 << row.fractionBits);
    values.value.push_back(exponent == 0 ? std::ldexp(significand, 1 - row.bias)
                                         : std::ldexp(1 + significand, exponent - row.bias));
  }
  return values;
}

/// The code of a finite or infinite `x`, by search.
inline uint32_t roundBySearch(const Values &format, long double x, Rounding mode, bool satfinite) {
  bool negative = std::signbit(x);
  long double magnitude = std::fabs(x);
  auto last = static_cast<uint32_t>(format.value.size() - 1);
  uint32_t infinity = satfinite || !format.hasInfinity ? last : last + 1;
  uint32_t sign = negative ? format.sign : 0;
  if (std::isinf(magnitude))
    return sign | infinity;
  auto above = std::upper_bound(format.value.begin(), format.value.end(), magnitude);
  auto below = static_cast<uint32_t>(above - format.value.begin()) - 1;
  long double low = format.value[below];
  if (low == magnitude)
    return sign | below;
  bool away = mode == (negative ? Rounding::Down : Rounding::Up);
  if (mode == Rounding::Nearest || mode == Rounding::NearestAway) {
    // Above the largest number the next step of the grid decides.
    long double high = below < last ? format.value[below + 1] : 2 * low - format.value[below - 1];
    long double toLow = magnitude - low, toHigh = high - magnitude;
    away =
        toHigh < toLow || (toHigh == toLow && (mode == Rounding::NearestAway || (below & 1) != 0));
  }
  if (!away)
    return sign | below;
  return sign | (below < last ? below + 1 : infinity);
}

/// Interesting f32 words: every exponent with fractions near rounding boundaries of every width,
/// and random ones.
inline std::vector<uint32_t> interestingF32(uint32_t seed, size_t random) {
  std::vector<uint32_t> words;
  for (uint32_t exponent = 0; exponent < 256; ++exponent)
    for (int bit = 0; bit < 23; ++bit)
      for (uint32_t upper : {0u, 1u, 2u, 3u, 5u})
        for (int delta : {-1, 0, 1}) {
          uint32_t fraction = ((upper << bit) + static_cast<uint32_t>(delta)) & 0x7FFFFF;
          words.push_back((exponent << 23) | fraction);
          words.push_back((exponent << 23) | (0x7FFFFF ^ fraction));
        }
  std::mt19937 generator(seed);
  for (size_t i = 0; i < random; ++i)
    words.push_back(generator());
  return words;
}

inline constexpr Rounding allModes[] = {Rounding::Nearest, Rounding::Zero, Rounding::Down,
                                        Rounding::Up, Rounding::NearestAway};
inline constexpr SmallFloat signedKinds[] = {SmallFloat::F16,  SmallFloat::BF16, SmallFloat::TF32,
                                             SmallFloat::E4M3, SmallFloat::E5M2, SmallFloat::E2M3,
                                             SmallFloat::E3M2, SmallFloat::E2M1};

} // namespace msa::ptxsim::numerics::oracle

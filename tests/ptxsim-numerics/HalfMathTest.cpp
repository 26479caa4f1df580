//===- HalfMathTest.cpp - f16 and bf16 arithmetic, min/max, comparisons ---===//
//
// Sums and products of halves against a search over all values of the format on
// exact long double results; min, max and comparisons against their
// definitions in the ISA on all pairs of telling codes.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/HalfMath.h"

#include "Oracle.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim::numerics;

namespace {

constexpr uint16_t telling[] = {0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x3C00,
                                0xBC00, 0x3C01, 0x4000, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00,
                                0x7E00, 0xFE00, 0x7FFF, 0x7F80, 0xFF80, 0x7F81, 0x3F80,
                                0xBF80, 0x007F, 0x0080, 0x7F7F, 0x7C01};

SmallFloat small(HalfKind kind) {
  return kind == HalfKind::F16 ? SmallFloat::F16 : SmallFloat::BF16;
}

/// The exact long double value, NaN or infinity included, as a code.
uint16_t rounded(const oracle::Values &values, long double x) {
  return std::isnan(x)
             ? 0x7FFF
             : static_cast<uint16_t>(oracle::roundBySearch(values, x, Rounding::Nearest, false));
}

bool isNaN(HalfKind kind, uint16_t code) { return std::isnan(halfToF32(kind, code)); }

} // namespace

TEST_CASE("half arithmetic rounds the exact result once") {
  for (HalfKind kind : {HalfKind::F16, HalfKind::BF16}) {
    oracle::Values values = oracle::valuesOf(small(kind));
    std::mt19937 generator(9);
    size_t wrong = 0;
    for (int i = 0; i < 400000; ++i) {
      auto pick = [&] {
        return i % 4 == 0 ? telling[generator() % std::size(telling)]
                          : static_cast<uint16_t>(generator());
      };
      uint16_t a = pick(), b = pick(), c = pick();
      if (i % 5 == 0) // close exponents, so that bits meet
        b = static_cast<uint16_t>((a & 0xFC00) | (b & 0x83FF)),
        c = static_cast<uint16_t>((a & 0xFC00) | (c & 0x83FF));
      long double x = halfToF32(kind, a), y = halfToF32(kind, b), z = halfToF32(kind, c);
      wrong += mulHalf(kind, a, b) != rounded(values, x * y);
      // A bf16 sum may span 260 bits: the long double keeps 64 of them, and the nearest 8 cannot
      // differ unless a tie is broken by the lost part; such pairs are left to the next test.
      long double sum = x + y, product = x * y;
      if (sum - x == y && sum - y == x) {
        wrong += addHalf(kind, a, b) != rounded(values, sum);
        wrong += subHalf(kind, a, negHalf(b)) != rounded(values, sum);
      }
      long double fused = product + z;
      if (fused - product == z && fused - z == product)
        wrong += fmaHalf(kind, a, b, c) != rounded(values, fused);
    }
    REQUIRE(wrong == 0);
  }
}

TEST_CASE("the far part of a sum breaks ties") {
  // 1.5 * 129/128 = 387/256 is a tie of bf16 between 193/128 and 194/128 (even); an addend of
  // 2^-133, far beyond what a double sum holds, decides.
  uint16_t a = f32ToBf16(1.5f), b = f32ToBf16(129.0f / 128), below = f32ToBf16(193.0f / 128),
           above = f32ToBf16(194.0f / 128);
  REQUIRE(fmaHalf(HalfKind::BF16, a, b, 0x0000) == above);
  REQUIRE(fmaHalf(HalfKind::BF16, a, b, 0x0001) == above);
  REQUIRE(fmaHalf(HalfKind::BF16, a, b, 0x8001) == below);
  // 1.5 * 131/128 = 393/256: between 196/128 (even) and 197/128.
  uint16_t c = f32ToBf16(131.0f / 128);
  REQUIRE(fmaHalf(HalfKind::BF16, a, c, 0x8001) == f32ToBf16(196.0f / 128));
  REQUIRE(fmaHalf(HalfKind::BF16, a, c, 0x0000) == f32ToBf16(196.0f / 128));
  REQUIRE(fmaHalf(HalfKind::BF16, a, c, 0x0001) == f32ToBf16(197.0f / 128));
}

TEST_CASE("modifiers of half arithmetic") {
  HalfModifiers ftz{true}, sat{false, true}, relu{false, false, true};
  REQUIRE(addHalf(HalfKind::F16, 0x0001, 0x0001, ftz) == 0);
  REQUIRE(addHalf(HalfKind::F16, 0x8001, 0x8000, ftz) == 0x8000);
  REQUIRE(mulHalf(HalfKind::F16, 0x0400, 0x3800, ftz) == 0); // 2^-14 * 0.5 is subnormal
  REQUIRE(mulHalf(HalfKind::F16, 0x0400, 0x3800) == 0x0200);
  REQUIRE(addHalf(HalfKind::F16, 0x3C00, 0x3C00, sat) == 0x3C00);
  REQUIRE(subHalf(HalfKind::F16, 0x3C00, 0x4000, sat) == 0);
  REQUIRE(addHalf(HalfKind::F16, 0x7C00, 0xFC00, sat) == 0);
  REQUIRE(fmaHalf(HalfKind::F16, 0x3C00, 0xBC00, 0x0000, relu) == 0);
  REQUIRE(fmaHalf(HalfKind::BF16, 0x3F80, 0xBF80, 0x0000, relu) == 0);
  REQUIRE(fmaHalf(HalfKind::BF16, 0x7F80, 0x0000, 0x0000, relu) == 0x7FFF);
  REQUIRE(fmaHalf(HalfKind::F16, 0x4000, 0x4000, 0x3C00, relu) == 0x4500);
}

TEST_CASE("packed halves are independent") {
  auto add = [](uint16_t a, uint16_t b) { return uint32_t(addHalf(HalfKind::F16, a, b)); };
  REQUIRE(eachHalf(add, 0x3C004000u, 0x40003C00u) == 0x42004200u);
  REQUIRE(eachHalf(add, 0x3C000000u, 0xBC008000u) == 0x00000000u);
}

TEST_CASE("min and max as the ISA defines them") {
  for (HalfKind kind : {HalfKind::F16, HalfKind::BF16})
    for (uint16_t a : telling)
      for (uint16_t b : telling)
        for (bool wantMax : {false, true})
          for (int modifiers = 0; modifiers < 4; ++modifiers) {
            MinMaxModifiers how{(modifiers & 1) != 0, (modifiers & 2) != 0, (modifiers & 2) != 0};
            uint16_t x = how.xorsign ? absHalf(a) : a, y = how.xorsign ? absHalf(b) : b;
            bool nanX = isNaN(kind, x), nanY = isNaN(kind, y);
            uint16_t want = 0;
            if ((nanX && nanY) || (how.nan && (nanX || nanY))) {
              want = 0x7FFF;
            } else {
              float fx = halfToF32(kind, x), fy = halfToF32(kind, y);
              // -0 is below +0
              bool xBelow = fx < fy || (fx == fy && std::signbit(fx) && !std::signbit(fy));
              want = nanX ? y : nanY ? x : (xBelow != wantMax ? x : y);
              if (fx == fy && std::signbit(fx) == std::signbit(fy))
                want = x;
              if (how.xorsign)
                want = static_cast<uint16_t>((want & 0x7FFF) | ((a ^ b) & 0x8000));
            }
            INFO(std::hex << a << " " << b << " max " << wantMax << " modifiers " << modifiers);
            REQUIRE(minMaxHalf(kind, wantMax, a, b, how) == want);
          }
}

TEST_CASE("min and max of f32 and f64") {
  REQUIRE(bitsOf(minMaxF32(false, -0.0f, 0.0f)) == 0x80000000u);
  REQUIRE(bitsOf(minMaxF32(true, -0.0f, 0.0f)) == 0);
  REQUIRE(minMaxF32(true, NAN, -3.0f) == -3.0f);
  REQUIRE(bitsOf(minMaxF32(true, NAN, -3.0f, {true})) == 0x7FFFFFFFu);
  REQUIRE(bitsOf(minMaxF32(true, floatOf(0x7F800001u), floatOf(0xFFC00000u))) == 0x7FFFFFFFu);
  REQUIRE(minMaxF32(true, -5.0f, 3.0f, {false, true, true}) == -5.0f);
  REQUIRE(minMaxF32(false, -5.0f, -3.0f, {false, true, true}) == 3.0f);
  REQUIRE(minMaxF32(true, -5.0f, 3.0f, -7.0f, {false, true}) == 7.0f);
  REQUIRE(minMaxF32(true, 1.0f, NAN, 2.0f, {}) == 2.0f);
  REQUIRE(bitsOf(minMaxF32(false, 1.0f, NAN, 2.0f, {true})) == 0x7FFFFFFFu);
  REQUIRE(minMaxF64(false, 2.0, NAN) == 2.0);
  REQUIRE(minMaxF64(true, -HUGE_VAL, -1.0) == -1.0);
  REQUIRE(bitsOf(minMaxF64(false, 0.0, -0.0)) == 0x8000000000000000ull);
}

TEST_CASE("comparisons: ordered are false and unordered true on NaN") {
  double values[] = {-HUGE_VAL, -1, -0.0, 0.0, 1, HUGE_VAL, NAN};
  for (double a : values)
    for (double b : values) {
      bool nan = a != a || b != b;
      struct Row {
        Compare ordered, unordered;
        bool holds;
      };
      for (Row row : {Row{Compare::Eq, Compare::Equ, a == b},
                      {Compare::Ne, Compare::Neu, a != b},
                      {Compare::Lt, Compare::Ltu, a < b},
                      {Compare::Le, Compare::Leu, a <= b},
                      {Compare::Gt, Compare::Gtu, a > b},
                      {Compare::Ge, Compare::Geu, a >= b}}) {
        CAPTURE(a, b, static_cast<int>(row.ordered));
        REQUIRE(compareFloats(row.ordered, a, b) == (row.holds && !nan));
        REQUIRE(compareFloats(row.unordered, a, b) == (row.holds || nan));
      }
      REQUIRE(compareFloats(Compare::Num, a, b) == !nan);
      REQUIRE(compareFloats(Compare::Nan, a, b) == nan);
    }
}

TEST_CASE("tanh and ex2 of halves stay within the ISA's bounds for every code") {
  size_t wrong = 0;
  for (uint32_t word = 0; word < 0x10000; ++word) {
    auto code = static_cast<uint16_t>(word);
    for (HalfKind kind : {HalfKind::F16, HalfKind::BF16}) {
      double x = halfToF32(kind, code);
      double tanh = halfToF32(kind, tanhHalf(kind, code)),
             power = halfToF32(kind, ex2Half(kind, code, false));
      if (x != x) {
        wrong += tanhHalf(kind, code) != 0x7FFF || ex2Half(kind, code, true) != 0x7FFF;
        continue;
      }
      double absolute = kind == HalfKind::F16 ? 0x1p-10 * 0.505 : 0x1p-8;
      wrong += !(std::fabs(tanh - std::tanh(x)) <= absolute);
      double want = std::exp2(x), relative = kind == HalfKind::F16 ? 0x1p-9 * 0.54 : 0x1p-7;
      double least = kind == HalfKind::F16 ? 0x1p-25 : 0x1p-134,
             most = kind == HalfKind::F16 ? 65520 : 0x1.ffp127;
      wrong += want < most && !(std::fabs(power - want) <= want * relative + least);
      wrong += want >= most && !std::isinf(power);
    }
  }
  REQUIRE(wrong == 0);
  REQUIRE(tanhHalf(HalfKind::F16, 0x8000) == 0x8000);
  REQUIRE(tanhHalf(HalfKind::F16, 0xFC00) == 0xBC00);
  REQUIRE(ex2Half(HalfKind::BF16, 0xFF80, true) == 0);
  REQUIRE(ex2Half(HalfKind::BF16, f32ToBf16(-127.0f), true) == 0);
  REQUIRE(ex2Half(HalfKind::F16, f32ToF16(-20.0f), false) == 0x0010);
  REQUIRE(ex2Half(HalfKind::F16, f32ToF16(-20.0f), true) == 0);
}

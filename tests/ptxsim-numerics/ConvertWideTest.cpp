//===- ConvertWideTest.cpp - f32, f64 and integers ------------------------===//
//
// Integers are compared with long double (64-bit significand: exact) and
// __int128 arithmetic.
//
//===----------------------------------------------------------------------===//
#include "HostRounding.h"
#include "Oracle.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim::numerics;

namespace {

constexpr Rounding ieeeModes[] = {Rounding::Nearest, Rounding::Zero, Rounding::Down, Rounding::Up};
constexpr IntegerType integerTypes[] = {{8, true},  {8, false},  {16, true}, {16, false},
                                        {32, true}, {32, false}, {64, true}, {64, false}};

__int128 smallest(IntegerType t) {
  return t.isSigned ? -(static_cast<__int128>(1) << (t.width - 1)) : 0;
}
__int128 largest(IntegerType t) {
  return (static_cast<__int128>(1) << (t.isSigned ? t.width - 1 : t.width)) - 1;
}
uint64_t lowBits(__int128 value, int width) {
  auto bits = static_cast<uint64_t>(value);
  return width == 64 ? bits : bits & ((1ull << width) - 1);
}
__int128 clampTo(__int128 value, IntegerType t) {
  return value < smallest(t) ? smallest(t) : (value > largest(t) ? largest(t) : value);
}

/// Integral values by comparing with the floor, without any library rounding.
__int128 integralOf(double x, Rounding mode) {
  auto low = static_cast<__int128>(x);
  if (static_cast<double>(low) > x)
    --low;
  double fraction = x - static_cast<double>(low); // exact: below 2^53 in magnitude or zero
  if (fraction == 0)
    return low;
  switch (mode) {
  case Rounding::Zero:
    return x < 0 ? low + 1 : low;
  case Rounding::Down:
    return low;
  case Rounding::Up:
    return low + 1;
  default:
    return fraction > 0.5 || (fraction == 0.5 && (low & 1) != 0) ? low + 1 : low;
  }
}

} // namespace

TEST_CASE("f64 to f32 equals the host in every mode") {
  std::mt19937_64 generator(1);
  size_t wrong = 0;
  for (int i = 0; i < 400000; ++i) {
    double x = doubleOf(generator());
    if (i % 2 == 0) // near the f32 range, subnormals included
      x = std::ldexp(1.0 + static_cast<double>(generator() >> 11) * 0x1p-53,
                     static_cast<int>(generator() % 290) - 155) *
          (generator() & 1 ? -1 : 1);
    if (std::isnan(x))
      continue;
    for (Rounding mode : ieeeModes)
      wrong += bitsOf(f64ToF32(x, mode)) != bitsOf(host::narrow(x, mode));
  }
  REQUIRE(wrong == 0);
  REQUIRE(bitsOf(f64ToF32(doubleOf(0x7FF0000000000001ull), Rounding::Nearest)) == 0x7FFFFFFFu);
}

TEST_CASE("floats to integers: rounding, clamping, NaN") {
  std::mt19937_64 generator(2);
  size_t wrong = 0;
  for (int i = 0; i < 300000; ++i) {
    double x = std::ldexp(static_cast<double>(static_cast<int64_t>(generator())),
                          static_cast<int>(generator() % 72) - 68);
    if (i % 4 == 0)
      x = static_cast<double>(static_cast<int64_t>(generator()) >> 48) * 0.5;
    for (IntegerType type : integerTypes)
      for (Rounding mode : ieeeModes) {
        uint64_t want = lowBits(clampTo(integralOf(x, mode), type), type.width);
        wrong += floatToInteger(x, true, type, mode) != want;
      }
    auto single = static_cast<float>(x);
    wrong += static_cast<uint32_t>(f32ToS32(single)) !=
             lowBits(clampTo(integralOf(single, Rounding::Zero), {32, true}), 32);
    wrong +=
        f32ToU32(single) != lowBits(clampTo(integralOf(single, Rounding::Zero), {32, false}), 32);
  }
  REQUIRE(wrong == 0);
  for (IntegerType type : integerTypes) {
    REQUIRE(floatToInteger(HUGE_VAL, true, type, Rounding::Zero) ==
            lowBits(largest(type), type.width));
    REQUIRE(floatToInteger(-HUGE_VAL, true, type, Rounding::Zero) ==
            lowBits(smallest(type), type.width));
    REQUIRE(floatToInteger(NAN, true, type, Rounding::Zero) == 1ull << (type.width - 1));
    uint64_t fromSingle = type.width == 64 ? 1ull << 63 : 0;
    REQUIRE(floatToInteger(NAN, false, type, Rounding::Zero) == fromSingle);
  }
  REQUIRE(f32ToS32(NAN) == 0);
  REQUIRE(f32ToU32(NAN) == 0);
  REQUIRE(f32ToU32(-0.75f) == 0);
}

TEST_CASE("integers to floats in every mode") {
  std::mt19937_64 generator(3);
  oracle::Values f16 = oracle::valuesOf(SmallFloat::F16), bf16 = oracle::valuesOf(SmallFloat::BF16);
  size_t wrong = 0;
  for (int i = 0; i < 200000; ++i) {
    uint64_t bits = generator() >> (generator() % 64);
    if (i % 3 == 0)
      bits = 0 - bits;
    if (i % 5 == 0) // a tie, or beside one
      bits = (bits | 1) << (generator() % 40), bits += generator() % 3 - 1;
    for (bool isSigned : {false, true}) {
      long double value = isSigned ? static_cast<long double>(static_cast<int64_t>(bits))
                                   : static_cast<long double>(bits);
      for (Rounding mode : ieeeModes) {
        wrong +=
            integerToF32(bits, isSigned, mode) != bitsOf(host::integerToF32(bits, isSigned, mode));
        wrong +=
            integerToF64(bits, isSigned, mode) != bitsOf(host::integerToF64(bits, isSigned, mode));
        wrong +=
            integerToF16(bits, isSigned, mode) != oracle::roundBySearch(f16, value, mode, false);
        wrong +=
            integerToBf16(bits, isSigned, mode) != oracle::roundBySearch(bf16, value, mode, false);
      }
    }
  }
  REQUIRE(wrong == 0);
  REQUIRE(integerToF16(65520, false, Rounding::Nearest) == 0x7C00);
  REQUIRE(integerToF16(65520, false, Rounding::Zero) == 0x7BFF);
}

TEST_CASE("integers to integers wrap or saturate") {
  std::mt19937_64 generator(4);
  size_t wrong = 0;
  for (int i = 0; i < 100000; ++i) {
    uint64_t bits = generator();
    if (i % 2 == 0)
      bits = static_cast<uint64_t>(static_cast<int64_t>(bits) >> (generator() % 60));
    for (IntegerType from : integerTypes)
      for (IntegerType to : integerTypes) {
        __int128 value = lowBits(static_cast<__int128>(bits), from.width);
        if (from.isSigned && value > largest(from))
          value -= static_cast<__int128>(1) << from.width;
        wrong += integerToInteger(bits, from, to, false) != lowBits(value, to.width);
        wrong += integerToInteger(bits, from, to, true) != lowBits(clampTo(value, to), to.width);
      }
  }
  REQUIRE(wrong == 0);
}

TEST_CASE("rounding to integral values keeps the sign of zero") {
  REQUIRE(bitsOf(roundToIntegral(-0.25f, Rounding::Nearest)) == 0x80000000u);
  REQUIRE(bitsOf(roundToIntegral(-0.75f, Rounding::Up)) == 0x80000000u);
  REQUIRE(roundToIntegral(2.5f, Rounding::Nearest) == 2.0f);
  REQUIRE(roundToIntegral(3.5, Rounding::Nearest) == 4.0);
  REQUIRE(roundToIntegral(-3.5, Rounding::Down) == -4.0);
  REQUIRE(roundToIntegral(-3.5, Rounding::Zero) == -3.0);
  REQUIRE(roundToIntegral(0x1p30f + 64, Rounding::Up) == 0x1p30f + 64);
  REQUIRE(bitsOf(roundToIntegral(floatOf(0x7F800001u), Rounding::Zero)) == 0x7FFFFFFFu);
}

TEST_CASE("modifiers: ftz, sat, relu") {
  REQUIRE(bitsOf(flush(floatOf(0x80000001u))) == 0x80000000u);
  REQUIRE(bitsOf(flush(floatOf(0x007FFFFFu))) == 0);
  REQUIRE(flush(0x1p-126f) == 0x1p-126f);
  REQUIRE(bitsOf(saturate(-0.0f)) == 0);
  REQUIRE(bitsOf(saturate(static_cast<float>(NAN))) == 0);
  REQUIRE(saturate(2.0f) == 1.0f);
  REQUIRE(saturate(0.25f) == 0.25f);
  REQUIRE(saturateF16(0x3C01) == 0x3C00);
  REQUIRE(saturateF16(0x7C00) == 0x3C00);
  REQUIRE(saturateF16(0x7E00) == 0);
  REQUIRE(saturateF16(0x8001) == 0);
  REQUIRE(saturateF16(0x0001) == 1);
  REQUIRE(flushF16(0x83FF) == 0x8000);
  REQUIRE(flushF16(0x0400) == 0x0400);
  REQUIRE(reluHalf(0xBC00, 0x7C00) == 0);
  REQUIRE(reluHalf(0x3C00, 0x7C00) == 0x3C00);
  REQUIRE(reluHalf(0xFE00, 0x7C00) == 0x7FFF);
}

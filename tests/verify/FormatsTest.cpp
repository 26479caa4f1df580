//===- FormatsTest.cpp - clauses N1 and N3 against their definitions ------===//
//
// Decoders are compared with values from the format's definition, encoders with
// an exhaustive search for the nearest value.
//
//===----------------------------------------------------------------------===//
#include "verify/Formats.h"
#include "verify/Random.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

using namespace msa::verify;

namespace {

/// The nearest finite code by exhaustive search; ties go to the even code.
uint32_t nearestCode(double x, int bits, const std::function<double(uint32_t)> &decode) {
  uint32_t best = 0;
  double bestError = HUGE_VAL;
  for (uint32_t code = 0; code < (1u << bits); ++code) {
    double value = decode(code);
    if (!std::isfinite(value) || std::signbit(value) != std::signbit(x))
      continue;
    double error = std::fabs(value - x);
    if (error < bestError || (error == bestError && code % 2 == 0)) {
      best = code;
      bestError = error;
    }
  }
  return best;
}

} // namespace

TEST_CASE("N1: known values of each format") {
  CHECK(decodeBf16(0x3F80) == 1);
  CHECK(decodeBf16(0xC0A0) == -5);
  CHECK(decodeBf16(0x0001) == std::ldexp(1, -133));
  CHECK(decodeF16(0x3C00) == 1);
  CHECK(decodeF16(0x7BFF) == 65504);
  CHECK(decodeF16(0x8001) == -std::ldexp(1, -24));
  CHECK(std::isinf(decodeF16(0x7C00)));
  CHECK(decodeE4m3(0x7E) == 448);
  CHECK(decodeE4m3(0x01) == std::ldexp(1, -9));
  CHECK(decodeE4m3(0x38) == 1);
  CHECK(std::isnan(decodeE4m3(0x7F)));
  CHECK(std::isnan(decodeE4m3(0xFF)));
  CHECK(decodeUe8m0(127) == 1);
  CHECK(decodeUe8m0(0) == std::ldexp(1, -127));
  CHECK(std::isnan(decodeUe8m0(255)));
  const double e2m1[] = {0, .5, 1, 1.5, 2, 3, 4, 6};
  for (uint8_t i = 0; i < 8; ++i) {
    CHECK(decodeE2m1(i) == e2m1[i]);
    CHECK(decodeE2m1(i | 8) == -e2m1[i]);
    CHECK(decodeE2m1(0xA0 | i) == e2m1[i]); // only the low nibble counts
  }
}

TEST_CASE("N1: every code of every narrow format encodes to itself") {
  for (uint32_t code = 0; code < 0x10000; ++code) {
    auto bits = static_cast<uint16_t>(code);
    if (!std::isnan(decodeBf16(bits)) && encodeBf16(decodeBf16(bits)) != bits)
      FAIL("bf16 " << code);
    if (!std::isnan(decodeF16(bits)) && encodeF16(decodeF16(bits)) != bits)
      FAIL("f16 " << code);
  }
  for (uint32_t code = 0; code < 0x100; ++code) {
    auto bits = static_cast<uint8_t>(code);
    if (!std::isnan(decodeE4m3(bits)))
      CHECK(encodeE4m3(decodeE4m3(bits)) == bits);
    if (code != 255)
      CHECK(encodeUe8m0RoundUp(decodeUe8m0(bits)) == bits);
    CHECK(encodeE2m1(decodeE2m1(bits)) == (bits & 15));
  }
}

TEST_CASE("N1: encoders find the nearest value, ties to even") {
  Random rng(7);
  auto e4m3 = [](uint32_t c) { return decodeE4m3(static_cast<uint8_t>(c)); };
  auto e2m1 = [](uint32_t c) { return decodeE2m1(static_cast<uint8_t>(c)); };
  for (int i = 0; i < 2000; ++i) {
    double x = rng.normal() * std::ldexp(1, static_cast<int>(rng.between(-12, 9)));
    INFO("x = " << x);
    CHECK(encodeE4m3(x) == nearestCode(x, 8, e4m3));
    CHECK(encodeE2m1(x) == nearestCode(x, 4, e2m1));
  }
  // Every midpoint of two neighbours.
  for (uint8_t code = 0; code < 0x7E; ++code) {
    double middle = (decodeE4m3(code) + decodeE4m3(code + 1)) / 2;
    CHECK(encodeE4m3(middle) == (code % 2 ? code + 1 : code));
    CHECK(encodeE4m3(std::nextafter(middle, 1e9)) == code + 1);
    CHECK(encodeE4m3(std::nextafter(middle, 0)) == code);
  }
  for (uint8_t code = 0; code < 7; ++code)
    CHECK(encodeE2m1((decodeE2m1(code) + decodeE2m1(code + 1)) / 2) ==
          (code % 2 ? code + 1 : code));
  for (uint16_t code : {0x0000, 0x0001, 0x03FF, 0x3C00, 0x3C01, 0x7BFE}) {
    double middle = (decodeF16(code) + decodeF16(static_cast<uint16_t>(code + 1))) / 2;
    CHECK(encodeF16(middle) == (code % 2 ? code + 1 : code));
  }
}

TEST_CASE("N1, N3: the ends of the ranges") {
  CHECK(encodeE4m3(1e9) == 0x7E);
  CHECK(encodeE4m3(-HUGE_VAL) == 0xFE);
  CHECK(encodeE4m3(464) == 0x7E);
  CHECK(encodeE4m3(NAN) == 0x7F);
  CHECK(encodeE2m1(100) == 7);
  CHECK(encodeE2m1(-100) == 15);
  CHECK(encodeE2m1(NAN) == 7);
  CHECK(encodeE2m1(-NAN) == 7);
  CHECK(encodeBf16(3.4e38) == 0x7F80);
  CHECK(encodeBf16(-3.4e38) == 0xFF80);
  CHECK(encodeBf16(NAN) == 0x7FC0);
  CHECK(encodeF16(65520) == 0x7C00);
  CHECK(encodeF16(65519.99) == 0x7BFF);
  CHECK(encodeF32(0.1) == 0x3DCCCCCD);
  CHECK(encodeF32(1e-45) == 1);
  CHECK(encodeF32(-0.0) == 0x80000000);
  CHECK(encodeUe8m0RoundUp(1.0000001) == 128);
  CHECK(encodeUe8m0RoundUp(0) == 0);
  CHECK(encodeUe8m0RoundUp(1e300) == 0xFE);
  CHECK(encodeUe8m0RoundUp(NAN) == 0xFF);
}

//===- MmaTest.cpp - matrix products --------------------------------------===//
//
// Hand-made cases for every rule of the exact mode, and comparisons of the
// other products with plain arithmetic.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Mma.h"

#include "HostRounding.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

using namespace msa::ptxsim::numerics;

namespace {

/// One element of D.
float exactDot(const ExactRule &rule, std::vector<float> a, std::vector<float> b, float c) {
  gemmExact(rule, {1, 1, static_cast<int>(a.size())}, a.data(), b.data(), &c);
  return c;
}

ExactRule ruleF16(int sm) {
  return exactRule(sm, TensorUnit::WarpMma, SmallFloat::F16, SmallFloat::F16, 16, false);
}
ExactRule ruleE4M3(int sm) {
  return exactRule(sm, TensorUnit::WarpMma, SmallFloat::E4M3, SmallFloat::E4M3, 32, false);
}

} // namespace

TEST_CASE("fast products equal a plain FP32 loop for every tail") {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  for (GemmSize size : {GemmSize{16, 8, 16}, {16, 8, 8}, {3, 1, 5}, {2, 13, 7}, {1, 16, 1}}) {
    std::vector<float> a(size.m * size.k), b(size.k * size.n), d(size.m * size.n);
    for (auto *v : {&a, &b, &d})
      for (float &x : *v)
        x = normal(generator);
    std::vector<float> want = d;
    for (int m = 0; m < size.m; ++m)
      for (int n = 0; n < size.n; ++n)
        for (int k = 0; k < size.k; ++k) {
          volatile float product = a[m * size.k + k] * b[k * size.n + n];
          want[m * size.n + n] += product;
        }
    gemmFast(size, a.data(), b.data(), d.data());
    REQUIRE(d == want);
  }
}

TEST_CASE("exact mode drops what lies below the largest exponent") {
  for (int sm : {80, 90, 100}) {
    int bits = sm == 80 ? 24 : 25;
    ExactRule rule = ruleF16(sm);
    REQUIRE(rule.fractionBits == bits);
    // 1 + x - 1: x survives down to 2^-F and no further.
    float least = std::ldexp(1.0f, -bits), left = std::ldexp(1.0f, -12),
          right = std::ldexp(1.0f, 12 - bits);
    REQUIRE(exactDot(rule, {1, left, -1}, {1, right, 1}, 0) == least);
    REQUIRE(exactDot(rule, {1, left, -1}, {1, right / 2, 1}, 0) == 0);
    // The addend takes part in the alignment.
    REQUIRE(exactDot(rule, {left, -1}, {right / 2, 1}, 1) == 0);
    // Cut towards zero, not rounded: 1.5 units give one, for both signs.
    REQUIRE(exactDot(rule, {1, 3 * left, -1}, {1, right / 2, 1}, 0) == least);
    REQUIRE(exactDot(rule, {1, -3 * left, -1}, {1, right / 2, 1}, 0) == -least);
  }
}

TEST_CASE("the result is cut to FP32 towards zero") {
  float tiny = std::ldexp(1.0f, -13);
  ExactRule rule = ruleF16(90);
  REQUIRE(exactDot(rule, {1, tiny, tiny}, {1, tiny * 8, tiny * 4}, 0) == 1 + 0x1p-23f);
  REQUIRE(exactDot(rule, {-1, -tiny, -tiny}, {1, tiny * 8, tiny * 4}, 0) == -1 - 0x1p-23f);
  rule.halfResult = true; // f16 results round to nearest even instead
  REQUIRE(exactDot(rule, {1, 1}, {1, 0x1p-11f}, 0) == 1.0f);
  REQUIRE(exactDot(rule, {1, 1, 1}, {1, 0x1p-11f, 0x1p-13f}, 0) == 1 + 0x1p-10f);
}

TEST_CASE("Ampere and Ada sum an instruction in two halves") {
  std::vector<float> a(16, 0.0f), b(16, 1.0f);
  a[0] = 1, a[7] = -1, a[8] = std::ldexp(1.0f, -14), b[8] = std::ldexp(1.0f, -14); // 2^-28
  REQUIRE(ruleF16(80).group == 8);
  REQUIRE(exactDot(ruleF16(80), a, b, 0) == std::ldexp(1.0f, -28));
  REQUIRE(exactDot(ruleF16(90), a, b, 0) == 0);
  REQUIRE(exactRule(89, TensorUnit::WarpMma, SmallFloat::E4M3, SmallFloat::E5M2, 32, false).group ==
          16);
  REQUIRE(exactRule(80, TensorUnit::WarpMma, SmallFloat::TF32, SmallFloat::TF32, 8, false).group ==
          4);
  REQUIRE(exactRule(80, TensorUnit::WarpMma, SmallFloat::TF32, SmallFloat::TF32, 4, false).group ==
          0);
  REQUIRE(exactRule(75, TensorUnit::WarpMma, SmallFloat::F16, SmallFloat::F16, 8, false).group ==
          0);
}

TEST_CASE("FP8 accumulators: 13 bits on Hopper, C afterwards on Blackwell") {
  REQUIRE(exactDot(ruleE4M3(90), {1, 1}, {1, 0x1p-6f}, 0x1p-13f) == 1 + 0x1p-6f + 0x1p-13f);
  REQUIRE(exactDot(ruleE4M3(90), {1}, {1}, 0x1p-14f) == 1);
  // 4096 + 1 needs 13 bits, 8192 + 1 needs 14.
  REQUIRE(exactDot(ruleE4M3(90), {64, 1}, {64, 1}, 0) == 4097);
  REQUIRE(exactDot(ruleE4M3(90), {128, 1}, {128, 1}, 0) == 16384);
  REQUIRE(exactDot(ruleE4M3(100), {128, 1}, {128, 1}, 0) == 16385);
  // Blackwell: C is added in FP32 to nearest even, so a large C keeps what alignment would have
  // dropped.
  REQUIRE(exactDot(ruleE4M3(100), {1}, {1}, 0x1p24f) == 0x1p24f);
  REQUIRE(exactDot(ruleE4M3(100), {1, 1}, {1, 2}, 0x1p24f) == 0x1p24f + 4);
  REQUIRE(exactDot(ruleE4M3(100), {0}, {1}, -3.5f) == -3.5f);
}

TEST_CASE("subnormal operands keep their type's smallest exponent") {
  // 2^-9 is subnormal E4M3 and counts as exponent -6, so the product 2^-18 aligns at -12: with 13
  // bits below that, 2^-25 is the last place and an addend of 2^-26 is lost. As a normal number it
  // would stay.
  REQUIRE(exactDot(ruleE4M3(90), {0x1p-9f}, {0x1p-9f}, 0x1p-26f) == 0x1p-18f);
  REQUIRE(exactDot(ruleE4M3(90), {0x1p-9f}, {0x1p-9f}, 0x1p-25f) == 0x1p-18f + 0x1p-25f);
  REQUIRE(exactDot(ruleE4M3(90), {0x1p-6f}, {0x1p-6f}, 0x1p-25f) == 0x1p-12f + 0x1p-25f);
  ExactRule e5m2 = exactRule(90, TensorUnit::Wgmma, SmallFloat::E5M2, SmallFloat::E5M2, 32, false);
  REQUIRE(exactDot(e5m2, {0x1p-16f}, {0x1p-16f}, 0x1p-42f) == 0x1p-32f);
  REQUIRE(exactDot(e5m2, {0x1p-16f}, {0x1p-16f}, 0x1p-41f) == 0x1p-32f + 0x1p-41f);
  // f16: 2^-24 counts as exponent -14; cut at -28 - 25.
  REQUIRE(exactDot(ruleF16(90), {0x1p-24f}, {0x1p-24f}, 0x1p-53f) == 0x1p-48f + 0x1p-53f);
  REQUIRE(exactDot(ruleF16(90), {0x1p-24f}, {0x1p-24f}, 0x1p-54f) == 0x1p-48f);
}

TEST_CASE("infinities, NaNs and overflow in exact mode") {
  for (int sm : {80, 90, 100}) {
    ExactRule rule = ruleF16(sm);
    REQUIRE(exactDot(rule, {HUGE_VALF, 1}, {1, 1}, 0) == HUGE_VALF);
    REQUIRE(bitsOf(exactDot(rule, {HUGE_VALF, -HUGE_VALF}, {1, 1}, 0)) == 0x7FFFFFFFu);
    REQUIRE(bitsOf(exactDot(rule, {HUGE_VALF}, {0}, 0)) == 0x7FFFFFFFu);
    REQUIRE(bitsOf(exactDot(rule, {1}, {1}, floatOf(0x7F800001u))) == 0x7FFFFFFFu);
    REQUIRE(exactDot(rule, {0}, {0}, -HUGE_VALF) == -HUGE_VALF);
    REQUIRE(bitsOf(exactDot(rule, {0, 0}, {0, 0}, 0)) == 0);
    REQUIRE(bitsOf(exactDot(rule, {1, -1}, {1, 1}, 0)) == 0);
  }
  ExactRule bf16 =
      exactRule(90, TensorUnit::WarpMma, SmallFloat::BF16, SmallFloat::BF16, 16, false);
  REQUIRE(exactDot(bf16, {0x1p127f}, {2}, 0) == HUGE_VALF);
  REQUIRE(exactDot(bf16, {0x1p-120f}, {0x1p-20f}, 0) == 0x1p-140f);
}

TEST_CASE("exact mode is close to FP64 on ordinary numbers") {
  std::mt19937 generator(3);
  std::normal_distribution<float> normal;
  for (int sm : {80, 90, 100}) {
    GemmSize size{16, 8, 16};
    std::vector<float> a(256), b(128), d(128);
    for (auto *v : {&a, &b})
      for (float &x : *v)
        x = f16ToF32(f32ToF16(normal(generator)));
    gemmExact(ruleF16(sm), size, a.data(), b.data(), d.data());
    for (int m = 0; m < 16; ++m)
      for (int n = 0; n < 8; ++n) {
        double sum = 0;
        for (int k = 0; k < 16; ++k)
          sum += static_cast<double>(a[m * 16 + k]) * b[k * 8 + n];
        REQUIRE(d[m * 8 + n] == Approx(sum).margin(2e-5));
      }
  }
}

TEST_CASE("integer products wrap or saturate the exact sum") {
  std::vector<int32_t> a = {127, 127, -128, 1}, b = {127, 127, 1, 1};
  int32_t d = INT32_MAX - 10;
  gemmInteger({1, 1, 4}, a.data(), b.data(), &d, true);
  REQUIRE(d == INT32_MAX);
  d = INT32_MAX - 10;
  gemmInteger({1, 1, 4}, a.data(), b.data(), &d, false);
  REQUIRE(static_cast<uint32_t>(d) == 0x7FFFFFF5u + 2u * 16129u - 127u);
  d = INT32_MIN + 5;
  std::vector<int32_t> negative = {-1, -1, 0, -4}, ones = {1, 1, 1, 1};
  gemmInteger({1, 1, 4}, negative.data(), ones.data(), &d, true);
  REQUIRE(d == INT32_MIN);
  std::vector<int32_t> left = {1, 2, 3, 4}, right = {5, 6, 7, 8}, out = {100, 0, 0, -100};
  gemmInteger({2, 2, 2}, left.data(), right.data(), out.data(), false);
  REQUIRE(out == std::vector<int32_t>{119, 22, 43, -50});
}

TEST_CASE("bit products count xor or and") {
  uint32_t a[] = {0xF0F0F0F0u, 0x1u}, b[] = {0xFFFF0000u, 0x3u};
  int32_t d = 7;
  gemmBits(1, 1, 2, a, b, &d, true);
  REQUIRE(d == 7 + 16 + 1);
  d = -1;
  gemmBits(1, 1, 2, a, b, &d, false);
  REQUIRE(d == -1 + 8 + 1);
}

TEST_CASE("f64 products chain fma in the mode") {
  double a[] = {1.0, 0x1p-60}, b[] = {1.0, 1.0};
  for (Rounding mode : {Rounding::Nearest, Rounding::Zero, Rounding::Down, Rounding::Up}) {
    double d = 0.1, want = 0.1;
    for (int k = 0; k < 2; ++k)
      want = host::apply(host::Op::Fma, a[k], b[k], want, mode);
    gemmF64({1, 1, 2}, a, b, &d, mode);
    REQUIRE(bitsOf(d) == bitsOf(want));
  }
}

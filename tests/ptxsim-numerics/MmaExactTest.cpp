//===- MmaExactTest.cpp - vectorised exact products against the definition ---===//
//
// gemmExact and gemmScaledExact compute many columns at once; ExactOracle.cpp one
// element in plain integers. Every bit must agree: for every rule, over random
// shapes, ordinary numbers, whole ranges of exponents, subnormals, zeros,
// infinities and NaNs, and sums that cancel.
//
//===----------------------------------------------------------------------===//
#include "ExactOracle.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

using namespace msa::ptxsim::numerics;

namespace {

/// How operands are drawn.
enum class Draw { Ordinary, Everything, Cancelling, Sparse, Tiny };

struct Source {
  std::mt19937 generator;

  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(generator()) % limit; }

  float operand(SmallFloat type, Draw draw) {
    std::normal_distribution<float> normal;
    switch (draw) {
    case Draw::Ordinary:
      return decode(type, encode(type, normal(generator), {}));
    case Draw::Cancelling: { // few significands, neighbouring exponents, both signs
      float value = std::ldexp(1.0f + static_cast<float>(below(4)) / 4, static_cast<int>(below(4)));
      return decode(type, encode(type, below(2) != 0 ? value : -value, {Rounding::Nearest, true}));
    }
    case Draw::Sparse:
      return below(4) != 0 ? 0.0f : operand(type, Draw::Ordinary);
    case Draw::Tiny: // products near and below the least that FP32 holds
      return decode(
          type, encode(type, std::ldexp(normal(generator), -30 - static_cast<int>(below(45))), {}));
    case Draw::Everything:
      break;
    }
    uint32_t code = generator();
    if (type == SmallFloat::TF32)
      return decode(type, code);
    return decode(type, code & ((1u << widthOf(type)) - 1));
  }

  float addend(bool half, Draw draw) {
    if (half)
      return operand(SmallFloat::F16, draw);
    std::normal_distribution<float> normal;
    if (draw == Draw::Tiny)
      return below(2) != 0 ? 0.0f
                           : std::ldexp(normal(generator), -60 - static_cast<int>(below(85)));
    switch (below(4)) {
    case 0:
      return 0;
    case 1:
      return draw == Draw::Everything ? floatOf(static_cast<uint32_t>(generator()))
                                      : normal(generator);
    case 2:
      return std::ldexp(normal(generator), static_cast<int>(below(80)) - 40);
    default:
      return normal(generator);
    }
  }
};

bool same(float x, float y) { return bitsOf(x) == bitsOf(y); }

} // namespace

TEST_CASE("exact products have the bits of the definition") {
  constexpr SmallFloat types[] = {SmallFloat::F16,  SmallFloat::BF16, SmallFloat::TF32,
                                  SmallFloat::E4M3, SmallFloat::E5M2, SmallFloat::E2M3,
                                  SmallFloat::E3M2, SmallFloat::E2M1};
  Source source{std::mt19937(17)};
  for (SmallFloat type : types)
    for (int sm : {75, 80, 89, 90, 100, 120})
      for (Draw draw :
           {Draw::Ordinary, Draw::Everything, Draw::Cancelling, Draw::Sparse, Draw::Tiny})
        for (bool half : {false, true}) {
          const SmallFloat other = widthOf(type) <= 8 ? types[3 + source.below(5)] : type;
          const int k = std::min(256 / widthOf(type), 32);
          const GemmSize size{1 + static_cast<int>(source.below(70)),
                              1 + static_cast<int>(source.below(40)), k};
          const ExactRule rule = exactRule(sm, TensorUnit::WarpMma, type, other, k, half);
          std::vector<float> a(static_cast<size_t>(size.m * k)), b(static_cast<size_t>(k * size.n)),
              d(static_cast<size_t>(size.m * size.n));
          for (float &x : a)
            x = source.operand(type, draw);
          for (float &x : b)
            x = source.operand(other, draw);
          if (draw == Draw::Everything) // the rest is finite
            for (auto *panel : {&a, &b})
              for (float &x : *panel)
                if (!std::isfinite(x) && source.below(50) != 0)
                  x = 1;
          for (float &x : d)
            x = source.addend(half, draw);
          std::vector<float> want = d;
          gemmExact(rule, size, a.data(), b.data(), d.data());
          oracle::exactProduct(rule, size, a.data(), b.data(), want.data());
          size_t wrong = 0;
          for (size_t i = 0; i < d.size(); ++i)
            wrong += !same(d[i], want[i]);
          CAPTURE(static_cast<int>(type), static_cast<int>(other), sm, static_cast<int>(draw), half,
                  size.m, size.n, k);
          CHECK(wrong == 0);
        }
}

TEST_CASE("f16 results are rounded once, whatever lies far below") {
  // 1 + 2^-11 is a tie; 2^-25 is the last bit that F = 25 keeps.
  const float a[] = {1, 1, 0x1p-12f}, b[] = {1, 0x1p-11f, 0x1p-13f};
  const ExactRule rule =
      exactRule(90, TensorUnit::WarpMma, SmallFloat::F16, SmallFloat::F16, 16, true);
  float d = 0;
  gemmExact(rule, {1, 1, 3}, a, b, &d);
  REQUIRE(d == 1 + 0x1p-10f);
  d = 0;
  gemmExact(rule, {1, 1, 2}, a, b, &d);
  REQUIRE(d == 1);
}

TEST_CASE("block-scaled exact products have the bits of the definition") {
  struct Form {
    SmallFloat a, b;
    ScaleFormat format;
    int k, blocks;
  };
  constexpr Form forms[] = {
      {SmallFloat::E4M3, SmallFloat::E5M2, ScaleFormat::UE8M0, 32, 1},
      {SmallFloat::E2M1, SmallFloat::E4M3, ScaleFormat::UE8M0, 32, 1},
      {SmallFloat::E3M2, SmallFloat::E2M3, ScaleFormat::UE8M0, 32, 1},
      {SmallFloat::E2M1, SmallFloat::E2M1, ScaleFormat::UE8M0, 64, 2},
      {SmallFloat::E2M1, SmallFloat::E2M1, ScaleFormat::UE8M0, 64, 4},
      {SmallFloat::E2M1, SmallFloat::E2M1, ScaleFormat::UE4M3, 64, 4},
  };
  Source source{std::mt19937(18)};
  for (const Form &form : forms)
    for (Draw draw : {Draw::Ordinary, Draw::Everything, Draw::Sparse})
      for (int round = 0; round < 4; ++round) {
        const GemmSize size{1 + static_cast<int>(source.below(40)),
                            1 + static_cast<int>(source.below(40)), form.k};
        std::vector<float> a(static_cast<size_t>(size.m * size.k)),
            b(static_cast<size_t>(size.k * size.n)), d(static_cast<size_t>(size.m * size.n));
        std::vector<uint8_t> fa(static_cast<size_t>(size.m * form.blocks)),
            fb(static_cast<size_t>(size.n * form.blocks));
        for (float &x : a)
          x = source.operand(form.a, draw);
        for (float &x : b)
          x = source.operand(form.b, draw);
        for (float &x : d)
          x = source.addend(false, draw);
        for (auto *codes : {&fa, &fb})
          for (uint8_t &code : *codes)
            code = static_cast<uint8_t>(draw == Draw::Everything            ? source.below(256)
                                        : form.format == ScaleFormat::UE8M0 ? 117 + source.below(20)
                                                                            : source.below(127));
        const ScaleFactors factors{form.format, form.blocks, fa.data(), fb.data()};
        std::vector<float> before = d;
        gemmScaledExact(size, form.a, form.b, a.data(), b.data(), factors, d.data());
        size_t wrong = 0;
        for (int row = 0; row < size.m; ++row)
          for (int col = 0; col < size.n; ++col) {
            std::vector<float> column(static_cast<size_t>(size.k));
            for (int k = 0; k < size.k; ++k)
              column[static_cast<size_t>(k)] = b[static_cast<size_t>(k * size.n + col)];
            const auto at = static_cast<size_t>(row * size.n + col);
            float want = oracle::exactScaledElement(
                size.k, form.a, form.b, &a[static_cast<size_t>(row * size.k)], column.data(),
                form.format, form.blocks, &fa[static_cast<size_t>(row * form.blocks)],
                &fb[static_cast<size_t>(col * form.blocks)], before[at]);
            wrong += !same(d[at], want);
          }
        CAPTURE(static_cast<int>(form.a), static_cast<int>(form.b), form.k, form.blocks,
                static_cast<int>(form.format), static_cast<int>(draw));
        CHECK(wrong == 0);
      }
}

TEST_CASE("fast block-scaled products are close to FP64") {
  Source source{std::mt19937(19)};
  for (ScaleFormat format : {ScaleFormat::UE8M0, ScaleFormat::UE4M3}) {
    const GemmSize size{37, 21, 64};
    constexpr int blocks = 4;
    std::vector<float> a(37 * 64), b(64 * 21), d(37 * 21);
    std::vector<uint8_t> fa(37 * blocks), fb(21 * blocks);
    for (auto *panel : {&a, &b})
      for (float &x : *panel)
        x = source.operand(SmallFloat::E2M1, Draw::Ordinary);
    for (auto *codes : {&fa, &fb})
      for (uint8_t &code : *codes)
        code = static_cast<uint8_t>(format == ScaleFormat::UE8M0 ? 120 + source.below(12)
                                                                 : source.below(127));
    for (float &x : d)
      x = source.addend(false, Draw::Ordinary);
    std::vector<float> before = d;
    gemmScaledFast(size, a.data(), b.data(), {format, blocks, fa.data(), fb.data()}, d.data());
    for (int row = 0; row < size.m; ++row)
      for (int col = 0; col < size.n; ++col) {
        double sum = before[row * size.n + col], magnitude = std::fabs(sum);
        for (int k = 0; k < size.k; ++k) {
          double term = static_cast<double>(a[row * size.k + k]) * b[k * size.n + col] *
                        decodeScale(format, fa[row * blocks + k / 16]) *
                        decodeScale(format, fb[col * blocks + k / 16]);
          sum += term;
          magnitude += std::fabs(term);
        }
        REQUIRE(std::fabs(d[row * size.n + col] - sum) <= magnitude * 0x1p-20);
      }
  }
}

TEST_CASE("factors of block scaling") {
  REQUIRE(decodeScale(ScaleFormat::UE8M0, 0) == 0x1p-127);
  REQUIRE(decodeScale(ScaleFormat::UE8M0, 127) == 1);
  REQUIRE(decodeScale(ScaleFormat::UE8M0, 254) == 0x1p127);
  REQUIRE(std::isnan(decodeScale(ScaleFormat::UE8M0, 255)));
  for (int code = 0; code < 127; ++code) {
    REQUIRE(decodeScale(ScaleFormat::UE4M3, static_cast<uint8_t>(code)) ==
            decode(SmallFloat::E4M3, static_cast<uint32_t>(code)));
    REQUIRE(decodeScale(ScaleFormat::UE4M3, static_cast<uint8_t>(code | 0x80)) ==
            decode(SmallFloat::E4M3, static_cast<uint32_t>(code)));
  }
  REQUIRE(std::isnan(decodeScale(ScaleFormat::UE4M3, 0x7F)));
  // A sum of 5 with factors 2^-40 is cut beside a block with factors 1, whatever its sum is.
  std::vector<float> a(64, 0.0f), b(64, 1.0f);
  a[0] = 3, a[32] = 4, a[33] = 1;
  const uint8_t rows[] = {127, 87}, columns[] = {127, 127};
  float d = 0;
  gemmScaledExact({1, 1, 64}, SmallFloat::E2M1, SmallFloat::E2M1, a.data(), b.data(),
                  {ScaleFormat::UE8M0, 2, rows, columns}, &d);
  REQUIRE(d == 3);
  a[0] = 0;
  gemmScaledExact({1, 1, 64}, SmallFloat::E2M1, SmallFloat::E2M1, a.data(), b.data(),
                  {ScaleFormat::UE8M0, 2, rows, columns}, &(d = 0));
  REQUIRE(d == 0);
}

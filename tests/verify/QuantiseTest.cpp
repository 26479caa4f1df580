//===- QuantiseTest.cpp - the quantisers against clauses N1 to N3, N5 -----===//
#include "verify/Quantise.h"
#include "verify/Formats.h"
#include "verify/Random.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace msa::verify;

namespace {

std::vector<double> randomValues(size_t n, uint64_t seed) {
  Random rng(seed);
  std::vector<double> values(n);
  for (double &v : values)
    v = rng.normal() * 3;
  return values;
}

double largest(const std::vector<double> &values) {
  double m = 0;
  for (double v : values)
    m = std::max(m, std::fabs(v));
  return m;
}

int nibble(const std::vector<uint8_t> &packed, size_t i) {
  return packed[i / 2] >> (i % 2 * 4) & 15;
}

} // namespace

TEST_CASE("N2: the FP8 quantiser maps the largest magnitude to 448") {
  auto values = randomValues(256, 1);
  Fp8Tensor t = quantiseFp8(values);
  CHECK(t.scale == static_cast<float>(largest(values) / 448));
  for (size_t i = 0; i < values.size(); ++i)
    CHECK(std::fabs(decodeE4m3(t.codes[i]) * t.scale - values[i]) <=
          std::fabs(values[i]) / 16 + t.scale / 1024);
  Fp8Tensor zero = quantiseFp8(std::vector<double>(16, 0.0));
  CHECK(zero.scale == 1);
  CHECK(zero.codes[3] == 0);
}

TEST_CASE("N3: low nibble is the even element") {
  std::vector<double> values(32, 0.0);
  values[0] = 6;
  values[1] = -3;
  Fp4Tensor t = quantiseMxfp4(values);
  CHECK(t.packed[0] == 0xD7); // -3 is 0xD, 6 is 0x7
  CHECK(t.blockScales[0] == 127);
}

TEST_CASE("N3: MXFP4 rounds its scale up, so that nothing saturates") {
  auto values = randomValues(32 * 64, 3);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] *= std::ldexp(1, static_cast<int>(i / 32 % 40) - 20);
  Fp4Tensor t = quantiseMxfp4(values);
  for (size_t i = 0; i < values.size(); ++i) {
    double scale = decodeUe8m0(t.blockScales[i / 32]);
    CHECK(std::fabs(values[i]) <= 6 * scale);
    CHECK(decodeE2m1(static_cast<uint8_t>(nibble(t.packed, i))) * scale ==
          roundE2m1(values[i] / scale) * scale);
  }
  // Half the scale would not hold the largest value of the block.
  for (size_t b = 0; b < t.blockScales.size(); ++b) {
    double m = 0;
    for (size_t i = 0; i < 32; ++i)
      m = std::max(m, std::fabs(values[b * 32 + i]));
    CHECK(m > 3 * decodeUe8m0(t.blockScales[b]));
  }
}

TEST_CASE("N3: E2M1 of NaN is +6, and NaN leaves the scale alone") {
  std::vector<double> values(32, 1.0);
  values[5] = NAN;
  values[6] = -NAN;
  Fp4Tensor t = quantiseMxfp4(values);
  CHECK(t.blockScales[0] == encodeUe8m0RoundUp(1.0 / 6));
  CHECK(nibble(t.packed, 5) == 7);
  CHECK(nibble(t.packed, 6) == 7);
}

TEST_CASE("N3: NVFP4 has one E4M3 scale for 16 elements and an FP32 scale") {
  auto values = randomValues(16 * 32, 5);
  Fp4Tensor t = quantiseNvfp4(values);
  CHECK(t.scale == static_cast<float>(largest(values) / 2688));
  REQUIRE(t.blockScales.size() == 32);
  for (size_t i = 0; i < values.size(); ++i) {
    double block = decodeE4m3(t.blockScales[i / 16]);
    double m = 0;
    for (size_t j = i / 16 * 16; j < i / 16 * 16 + 16; ++j)
      m = std::max(m, std::fabs(values[j]));
    CHECK(block == roundE4m3(m / (6.0 * t.scale)));
    CHECK(decodeE2m1(static_cast<uint8_t>(nibble(t.packed, i))) ==
          roundE2m1(values[i] / (block * t.scale)));
  }
}

TEST_CASE("N5: only the target 448 keeps E2M1 * block scale inside E4M3") {
  auto values = randomValues(16 * 64, 9);
  auto saturates = [&](Nvfp4Target target) {
    Fp4Tensor t = quantiseNvfp4(values, target);
    for (size_t i = 0; i < values.size(); ++i)
      if (std::fabs(decodeE2m1(static_cast<uint8_t>(nibble(t.packed, i))) *
                    decodeE4m3(t.blockScales[i / 16])) > 448)
        return true;
    return false;
  };
  CHECK(saturates(Nvfp4Target::Usual));
  CHECK_FALSE(saturates(Nvfp4Target::E4m3));
  CHECK(nvfp4Largest(Nvfp4Target::Usual) == 6 * 448);
}

//===- ConvertSmallTest.cpp - f16, bf16, tf32, FP8, FP6, FP4, UE8M0 -------===//
//
// Decoding: every code. Encoding: every boundary of every exponent and millions
// of random words, in every rounding mode, against a search over all values.
//
//===----------------------------------------------------------------------===//
#include "Oracle.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim::numerics;
using oracle::allModes;
using oracle::signedKinds;

namespace {

/// TF32 is returned as an f32 word; the oracle counts in 19-bit codes.
uint32_t oracleToLibrary(SmallFloat kind, uint32_t code) {
  return kind == SmallFloat::TF32 ? code << 13 : code;
}

/// Counts disagreements and keeps the first, so that a loop of millions makes one assertion.
struct Tally {
  size_t wrong = 0;
  uint64_t input = 0, got = 0, want = 0;
  void check(uint64_t in, uint64_t g, uint64_t w) {
    if (g == w)
      return;
    if (wrong++ == 0)
      input = in, got = g, want = w;
  }
};

void require(const Tally &tally) {
  INFO("first input 0x" << std::hex << tally.input << " got 0x" << tally.got << " want 0x"
                        << tally.want);
  REQUIRE(tally.wrong == 0);
}

} // namespace

TEST_CASE("every code decodes to its value") {
  for (SmallFloat kind : signedKinds) {
    oracle::Values values = oracle::valuesOf(kind);
    Tally tally;
    for (uint32_t code = 0; code < values.value.size(); ++code) {
      uint32_t own = oracleToLibrary(kind, code), ownSign = oracleToLibrary(kind, values.sign);
      tally.check(code, bitsOf(decode(kind, own)), bitsOf(static_cast<float>(values.value[code])));
      tally.check(code | values.sign, bitsOf(decode(kind, own | ownSign)),
                  bitsOf(-static_cast<float>(values.value[code])));
    }
    require(tally);
  }
}

TEST_CASE("infinities and NaNs decode") {
  REQUIRE(std::isinf(decode(SmallFloat::F16, 0x7C00)));
  REQUIRE(decode(SmallFloat::F16, 0xFC00) < 0);
  REQUIRE(decode(SmallFloat::E5M2, 0xFC) == -HUGE_VALF);
  REQUIRE(decode(SmallFloat::E4M3, 0x7E) == 448.0f);
  for (uint32_t code : {0x7Fu, 0xFFu})
    REQUIRE(std::isnan(decode(SmallFloat::E4M3, code)));
  for (uint32_t code = 0x7C01; code <= 0x7FFF; ++code)
    REQUIRE(std::isnan(decode(SmallFloat::F16, code)));
  for (uint32_t code : {0x7Du, 0x7Eu, 0x7Fu, 0xFDu})
    REQUIRE(std::isnan(decode(SmallFloat::E5M2, code)));
  REQUIRE(std::isnan(decode(SmallFloat::BF16, 0x7F81)));
}

TEST_CASE("every code survives a round trip in every mode") {
  for (SmallFloat kind : signedKinds) {
    oracle::Values values = oracle::valuesOf(kind);
    Tally tally;
    for (Rounding mode : allModes)
      for (uint32_t code = 0; code < values.value.size(); ++code)
        for (uint32_t sign : {0u, values.sign}) {
          uint32_t own = oracleToLibrary(kind, code | sign);
          tally.check(own, encode(kind, decode(kind, own), {mode}), own);
        }
    require(tally);
  }
}

TEST_CASE("f32 rounds to small formats as a search says") {
  std::vector<uint32_t> words = oracle::interestingF32(7, 150000);
  for (SmallFloat kind : signedKinds) {
    oracle::Values values = oracle::valuesOf(kind);
    for (Rounding mode : allModes) {
      Tally tally;
      for (uint32_t word : words) {
        float x = floatOf(word);
        if (std::isnan(x)) {
          uint32_t nan = kind == SmallFloat::TF32 ? 0x7FFFFFFFu : values.nan;
          tally.check(word, encode(kind, x, {mode}), nan);
          tally.check(word, encode(kind, x, {mode, true, true}), nan);
          continue;
        }
        for (bool satfinite : {false, true}) {
          uint32_t want = oracleToLibrary(kind, oracle::roundBySearch(values, x, mode, satfinite));
          tally.check(word, encode(kind, x, {mode, satfinite}), want);
          tally.check(word, encode(kind, x, {mode, satfinite, true}), std::signbit(x) ? 0 : want);
        }
      }
      CAPTURE(static_cast<int>(kind), static_cast<int>(mode));
      require(tally);
    }
  }
}

TEST_CASE("f64 rounds to small formats once") {
  std::mt19937_64 generator(11);
  for (SmallFloat kind : signedKinds) {
    oracle::Values values = oracle::valuesOf(kind);
    Tally tally;
    for (int i = 0; i < 60000; ++i) {
      // Just beside a midpoint: rounding to f32 first would land on the midpoint.
      size_t code = generator() % (values.value.size() - 1);
      auto middle = static_cast<double>((values.value[code] + values.value[code + 1]) / 2);
      double x = i % 3 == 0   ? std::nextafter(middle, 0.0)
                 : i % 3 == 1 ? std::nextafter(middle, 1e300)
                              : doubleOf(generator());
      if (std::isnan(x))
        continue;
      if (generator() & 1)
        x = -x;
      Rounding mode = allModes[generator() % 5];
      tally.check(bitsOf(x), encode(kind, x, {mode}),
                  oracleToLibrary(kind, oracle::roundBySearch(values, x, mode, false)));
    }
    require(tally);
  }
}

TEST_CASE("the inline f16 and bf16 conversions equal the general ones") {
  Tally tally;
  for (uint32_t code = 0; code < 0x10000; ++code) {
    auto half = static_cast<uint16_t>(code);
    bool nan = (half & 0x7FFF) > 0x7C00;
    tally.check(code, f32ToF16(f16ToF32(half)), nan ? 0x7FFF : half);
    bool brainNaN = (half & 0x7FFF) > 0x7F80;
    tally.check(code, f32ToBf16(bf16ToF32(half)), brainNaN ? 0x7FFF : half);
    if (nan)
      tally.check(code, bitsOf(f16ToF32(half)), 0x7FFFFFFFu);
  }
  for (uint32_t word : oracle::interestingF32(3, 3000000)) {
    float x = floatOf(word);
    tally.check(word, f32ToF16(x), encode(SmallFloat::F16, x, {}));
    tally.check(word, f32ToBf16(x), encode(SmallFloat::BF16, x, {}));
  }
  require(tally);
}

TEST_CASE("UE8M0 keeps the exponent") {
  REQUIRE(decode(SmallFloat::UE8M0, 0) == 0x1p-127f);
  REQUIRE(decode(SmallFloat::UE8M0, 127) == 1.0f);
  REQUIRE(decode(SmallFloat::UE8M0, 254) == 0x1p127f);
  REQUIRE(std::isnan(decode(SmallFloat::UE8M0, 255)));
  Tally tally;
  for (uint32_t word : oracle::interestingF32(5, 100000)) {
    float x = floatOf(word);
    for (bool up : {false, true})
      for (bool satfinite : {false, true}) {
        uint32_t got =
            encode(SmallFloat::UE8M0, x, {up ? Rounding::Up : Rounding::Zero, satfinite});
        uint32_t want = 0xFF;
        if (!std::isnan(x)) { // the first power that is not below, or the last that is not above
          double magnitude = std::fabs(x);
          uint32_t code = 0;
          if (up)
            while (code < 255 && std::ldexp(1.0, static_cast<int>(code) - 127) < magnitude)
              ++code;
          else
            while (code < 255 && std::ldexp(1.0, static_cast<int>(code) - 126) <= magnitude)
              ++code;
          want = code == 255 && satfinite ? 254 : code;
        }
        tally.check(word, got, want);
      }
  }
  require(tally);
}

TEST_CASE("packed forms put the first operand into the upper half") {
  REQUIRE(encodePair(SmallFloat::F16, 1.0f, 2.0f, {}) == 0x3C004000u);
  REQUIRE(encodePair(SmallFloat::BF16, 1.0f, -2.0f, {}) == 0x3F80C000u);
  REQUIRE(encodePair(SmallFloat::E4M3, 1.0f, 500.0f, {Rounding::Nearest, true}) == 0x387Eu);
  REQUIRE(encodePair(SmallFloat::E5M2, -1.0f, 1.0f, {}) == 0xBC3Cu);
  REQUIRE(encodePair(SmallFloat::E2M1, 6.0f, -0.5f, {}) == 0x79u);
  REQUIRE(encodePair(SmallFloat::E2M3, 7.5f, -1.0f, {}) == 0x1F28u);
  REQUIRE(encodePair(SmallFloat::E3M2, -28.0f, 1.0f, {}) == 0x3F0Cu);
  REQUIRE(encodePair(SmallFloat::UE8M0, 2.0f, 1.0f, {Rounding::Zero}) == 0x807Fu);
  REQUIRE(decodePair(SmallFloat::E2M1, 0x79, 1) == 6.0f);
  REQUIRE(decodePair(SmallFloat::E2M1, 0x79, 0) == -0.5f);
  REQUIRE(convertPair(SmallFloat::F16, SmallFloat::E2M1, 0x79, {}) == 0x4600B800u);
  REQUIRE(convertPair(SmallFloat::E4M3, SmallFloat::F16, 0x3C00C000u, {}) == 0x38C0u);
  REQUIRE(convertPair(SmallFloat::F16, SmallFloat::E4M3, 0x7F38u, {}) == 0x7FFF3C00u);
  REQUIRE(convertPair(SmallFloat::BF16, SmallFloat::UE8M0, 0x00FFu, {}) == 0x00407FFFu);
  REQUIRE(convertPair(SmallFloat::F16, SmallFloat::E5M2, 0xBC7Cu,
                      {Rounding::Nearest, false, true}) == 0x00007C00u);
}

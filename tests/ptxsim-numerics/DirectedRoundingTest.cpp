//===- DirectedRoundingTest.cpp - IEEE arithmetic in every mode -----------===//
//
// Against the host FPU, on operands that cancel, underflow, overflow and tie.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/DirectedRounding.h"

#include "HostRounding.h"

#include <catch2/catch.hpp>
#include <random>

using namespace msa::ptxsim::numerics;
using host::Op;

namespace {

constexpr Rounding ieeeModes[] = {Rounding::Nearest, Rounding::Zero, Rounding::Down, Rounding::Up};

float nextF32(std::mt19937_64 &generator) {
  constexpr uint32_t special[] = {0,           0x80000000u, 1,          0x80000001u,
                                  0x007FFFFFu, 0x00800000u, 0x3F800000, 0xBF800000u,
                                  0x7F7FFFFF,  0xFF7FFFFFu, 0x7F800000, 0xFF800000u,
                                  0x7FC00000,  0x3F800001,  0x3F7FFFFF, 0x00800001u};
  switch (generator() % 6) {
  case 0:
    return floatOf(special[generator() % 16]);
  case 1: // small integers: exact results and ties
    return static_cast<float>(static_cast<int64_t>(generator() % 4097) - 2048);
  case 2: // near one: cancellation
    return floatOf(0x3F800000u + static_cast<uint32_t>(generator() % 64) - 32);
  case 3: // near the bottom
    return floatOf(static_cast<uint32_t>(generator() % 0x02000000u) |
                   static_cast<uint32_t>(generator() & 0x80000000u));
  default:
    return floatOf(static_cast<uint32_t>(generator()));
  }
}

double nextF64(std::mt19937_64 &generator) {
  constexpr uint64_t special[] = {0,
                                  0x8000000000000000ull,
                                  1,
                                  0x8000000000000001ull,
                                  0x000FFFFFFFFFFFFFull,
                                  0x0010000000000000ull,
                                  0x3FF0000000000000ull,
                                  0xBFF0000000000000ull,
                                  0x7FEFFFFFFFFFFFFFull,
                                  0xFFEFFFFFFFFFFFFFull,
                                  0x7FF0000000000000ull,
                                  0xFFF0000000000000ull,
                                  0x7FF8000000000000ull,
                                  0x3FF0000000000001ull,
                                  0x3FEFFFFFFFFFFFFFull,
                                  0x0010000000000001ull};
  switch (generator() % 7) {
  case 0:
    return doubleOf(special[generator() % 16]);
  case 1:
    return static_cast<double>(static_cast<int64_t>(generator() % 4097) - 2048);
  case 2:
    return doubleOf(0x3FF0000000000000ull + generator() % 64 - 32);
  case 3:
    return doubleOf((generator() % 0x0040000000000000ull) | (generator() & 0x8000000000000000ull));
  case 4: // about 1, all fraction bits: products and quotients near ties
    return doubleOf((0x3FEull + generator() % 3) << 52 | generator() >> 12);
  case 5: // sums that underflow after a product: exponents around -540
    return doubleOf((480ull + generator() % 70) << 52 | generator() >> 12);
  default:
    return doubleOf(generator());
  }
}

float library(Op op, float a, float b, float c, Rounding mode) {
  switch (op) {
  case Op::Add:
    return addF32(a, b, mode);
  case Op::Sub:
    return subF32(a, b, mode);
  case Op::Mul:
    return mulF32(a, b, mode);
  case Op::Div:
    return divF32(a, b, mode);
  case Op::Sqrt:
    return sqrtF32(a, mode);
  case Op::Fma:
    return fmaF32(a, b, c, mode);
  }
  return 0;
}
double library(Op op, double a, double b, double c, Rounding mode) {
  switch (op) {
  case Op::Add:
    return addF64(a, b, mode);
  case Op::Sub:
    return subF64(a, b, mode);
  case Op::Mul:
    return mulF64(a, b, mode);
  case Op::Div:
    return divF64(a, b, mode);
  case Op::Sqrt:
    return sqrtF64(a, mode);
  case Op::Fma:
    return fmaF64(a, b, c, mode);
  }
  return 0;
}

/// NaNs match any NaN; everything else bit for bit.
template <typename T> bool same(T got, T want) {
  return want != want ? got != got : bitsOf(got) == bitsOf(want);
}

template <typename T, typename Next> void compareAll(Next next, int count) {
  for (Op op : {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Sqrt, Op::Fma})
    for (Rounding mode : ieeeModes) {
      std::mt19937_64 generator(17 + static_cast<int>(op));
      size_t wrong = 0;
      T firstA = 0, firstB = 0, firstC = 0;
      for (int i = 0; i < count; ++i) {
        T a = next(generator), b = next(generator), c = next(generator);
        if (op == Op::Fma && i % 3 == 0) // the addend nearly cancels the product
          c = -host::apply(Op::Mul, a, b, T(0), Rounding::Nearest);
        if (!same(library(op, a, b, c, mode), host::apply(op, a, b, c, mode)) && wrong++ == 0)
          firstA = a, firstB = b, firstC = c;
      }
      CAPTURE(static_cast<int>(op), static_cast<int>(mode), firstA, firstB, firstC);
      REQUIRE(wrong == 0);
    }
}

} // namespace

TEST_CASE("f32 arithmetic equals the host in every mode") { compareAll<float>(nextF32, 200000); }

TEST_CASE("f64 arithmetic equals the host in every mode") { compareAll<double>(nextF64, 200000); }

TEST_CASE("NaN results are NVIDIA's") {
  float nan = floatOf(0x7F800123u);
  for (Op op : {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Sqrt, Op::Fma})
    for (Rounding mode : ieeeModes)
      REQUIRE(bitsOf(library(op, nan, 1.0f, 1.0f, mode)) == 0x7FFFFFFFu);
  REQUIRE(bitsOf(mulF32(0.0f, HUGE_VALF, Rounding::Up)) == 0x7FFFFFFFu);
  REQUIRE(bitsOf(addF64(HUGE_VAL, -HUGE_VAL, Rounding::Up)) == 0xFFF8000000000000ull);
  REQUIRE(bitsOf(mulF64(doubleOf(0x7FF0000000000005ull), 1.0, Rounding::Zero)) ==
          0x7FF8000000000005ull);
}

TEST_CASE("zero sums take the mode's sign") {
  for (Rounding mode : ieeeModes) {
    bool down = mode == Rounding::Down;
    REQUIRE(std::signbit(addF32(1.5f, -1.5f, mode)) == down);
    REQUIRE(std::signbit(addF64(1.5, -1.5, mode)) == down);
    REQUIRE(std::signbit(fmaF64(1.5, 2.0, -3.0, mode)) == down);
    REQUIRE(std::signbit(fmaF32(1.5f, 2.0f, -3.0f, mode)) == down);
    REQUIRE(std::signbit(addF32(-0.0f, -0.0f, mode)));
  }
}

TEST_CASE("fma without an FMA unit equals the host's") {
  std::mt19937_64 generator(23);
  size_t wrong = 0;
  for (int i = 0; i < 500000; ++i) {
    float a = nextF32(generator), b = nextF32(generator);
    float c = i % 3 == 0 ? -a * b : nextF32(generator);
    wrong += !same(fmaNearestF32(a, b, c), host::apply(Op::Fma, a, b, c, Rounding::Nearest));
  }
  REQUIRE(wrong == 0);
}

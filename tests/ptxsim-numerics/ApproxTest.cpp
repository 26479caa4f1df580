//===- ApproxTest.cpp - .approx instructions within the ISA's bounds ------===//
//
// Each over every exponent and many fractions, against long double functions,
// and the ISA's tables of special values.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Approx.h"

#include "Oracle.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim::numerics;

namespace {

const uint32_t nanBits = 0x7FFFFFFFu;

/// Difference in units of the last place of the exact result.
double ulps(float got, long double exact) {
  if (std::isinf(got))
    return std::fabs(exact) >= 0x1.ffffffp127L ? 0 : 1e9;
  int exponent = exact == 0 ? -149 : std::max(std::ilogb(exact) - 23, -149);
  return static_cast<double>(std::fabs(got - exact) / std::ldexp(1.0L, exponent));
}

const std::vector<uint32_t> &words() {
  static const std::vector<uint32_t> list = oracle::interestingF32(21, 200000);
  return list;
}

/// Largest ulp error of `got` over the finite inputs that `accept` takes.
template <typename Got, typename Exact, typename Accept>
double worst(Got got, Exact exact, Accept accept) {
  double most = 0;
  for (uint32_t word : words()) {
    float x = floatOf(word);
    if (std::isfinite(x) && accept(x))
      most = std::max(most, ulps(got(x), exact(static_cast<long double>(x))));
  }
  return most;
}

} // namespace

TEST_CASE("approximations are within 0.51 ulp") {
  auto any = [](float) { return true; };
  auto positive = [](float x) { return x > 0; };
  CHECK(worst([](float x) { return ex2Approx(x, false); },
              [](long double x) { return std::exp2(x); }, any) <= 0.51);
  CHECK(worst([](float x) { return lg2Approx(x, false); },
              [](long double x) { return std::log2(x); }, positive) <= 0.51);
  CHECK(worst([](float x) { return rcpApprox(x, false); }, [](long double x) { return 1 / x; },
              [](float x) { return x != 0; }) <= 0.51);
  CHECK(worst([](float x) { return sqrtApprox(x, false); },
              [](long double x) { return std::sqrt(x); }, positive) <= 0.51);
  CHECK(worst([](float x) { return rsqrtApprox(x, false); },
              [](long double x) { return 1 / std::sqrt(x); }, positive) <= 0.51);
  CHECK(worst(tanhApprox, [](long double x) { return std::tanh(x); }, any) <= 0.51);
  auto period = [](float x) { return std::fabs(x) < 400; };
  CHECK(worst([](float x) { return sinApprox(x, false); },
              [](long double x) { return std::sin(x); }, period) <= 0.51);
  CHECK(worst([](float x) { return cosApprox(x, false); },
              [](long double x) { return std::cos(x); }, period) <= 0.51);
}

TEST_CASE("special values of the ISA's tables") {
  for (bool ftz : {false, true}) {
    REQUIRE(bitsOf(ex2Approx(-HUGE_VALF, ftz)) == 0);
    REQUIRE(ex2Approx(-0.0f, ftz) == 1);
    REQUIRE(ex2Approx(HUGE_VALF, ftz) == HUGE_VALF);
    REQUIRE(bitsOf(ex2Approx(NAN, ftz)) == nanBits);
    REQUIRE(bitsOf(lg2Approx(-1.0f, ftz)) == nanBits);
    REQUIRE(bitsOf(lg2Approx(-HUGE_VALF, ftz)) == nanBits);
    REQUIRE(lg2Approx(-0.0f, ftz) == -HUGE_VALF);
    REQUIRE(lg2Approx(HUGE_VALF, ftz) == HUGE_VALF);
    REQUIRE(lg2Approx(8.0f, ftz) == 3);
    REQUIRE(bitsOf(lg2Approx(1.0f, ftz)) == 0);
    REQUIRE(bitsOf(rcpApprox(-HUGE_VALF, ftz)) == 0x80000000u);
    REQUIRE(rcpApprox(-0.0f, ftz) == -HUGE_VALF);
    REQUIRE(bitsOf(sqrtApprox(-0.0f, ftz)) == 0x80000000u);
    REQUIRE(bitsOf(sqrtApprox(-1.0f, ftz)) == nanBits);
    REQUIRE(rsqrtApprox(-0.0f, ftz) == -HUGE_VALF);
    REQUIRE(rsqrtApprox(HUGE_VALF, ftz) == 0);
    REQUIRE(bitsOf(rsqrtApprox(-2.0f, ftz)) == nanBits);
    REQUIRE(bitsOf(sinApprox(HUGE_VALF, ftz)) == nanBits);
    REQUIRE(bitsOf(sinApprox(-0.0f, ftz)) == 0x80000000u);
    REQUIRE(cosApprox(0.0f, ftz) == 1);
  }
  REQUIRE(tanhApprox(HUGE_VALF) == 1);
  REQUIRE(bitsOf(tanhApprox(floatOf(0x80000001u))) == 0x80000001u);
  REQUIRE(bitsOf(tanhApprox(NAN)) == nanBits);
}

TEST_CASE("ftz flushes operands and results") {
  float subnormal = floatOf(0x00000100u);
  REQUIRE(rcpApprox(subnormal, true) == HUGE_VALF);
  REQUIRE(rcpApprox(-subnormal, true) == -HUGE_VALF);
  REQUIRE(bitsOf(rcpApprox(0x1p127f, true)) == 0);
  REQUIRE(rcpApprox(0x1p127f, false) == 0x1p-127f);
  REQUIRE(bitsOf(ex2Approx(-126.5f, true)) == 0);
  REQUIRE(ex2Approx(-149.0f, false) == 0x1p-149f);
  REQUIRE(lg2Approx(subnormal, true) == -HUGE_VALF);
  REQUIRE(lg2Approx(subnormal, false) == -141);
  REQUIRE(rsqrtApprox(subnormal, true) == HUGE_VALF);
  REQUIRE(bitsOf(sinApprox(subnormal, true)) == 0);
  REQUIRE(bitsOf(sinApprox(subnormal, false)) == 0x100u);
}

TEST_CASE("approximate divisions") {
  REQUIRE(divFull(1, 3, false) == 1.0f / 3.0f);
  REQUIRE(divApprox(10, 4, false) == 2.5f);
  REQUIRE(bitsOf(divApprox(-1, 0x1.8p126f, false)) == 0x80000000u);
  REQUIRE(divApprox(-1, 0x1p126f, false) == -0x1p-126f);
  REQUIRE(bitsOf(divApprox(HUGE_VALF, 0x1.8p126f, false)) == nanBits);
  REQUIRE(divApprox(1, HUGE_VALF, false) == 0);
  REQUIRE(divFull(0x1.8p127f, 0x1.8p127f, false) == 1);
  REQUIRE(divApprox(1, floatOf(1), true) == HUGE_VALF);
}

TEST_CASE("f64 approximations work on the upper word") {
  REQUIRE(rcpApproxFtzF64(4.0) == 0.25);
  REQUIRE((bitsOf(rcpApproxFtzF64(3.0)) & 0xFFFFFFFFull) == 0);
  REQUIRE(rcpApproxFtzF64(3.0) == Approx(1.0 / 3).epsilon(0x1p-19));
  REQUIRE(rcpApproxFtzF64(doubleOf(1)) == HUGE_VAL);
  REQUIRE(rcpApproxFtzF64(-doubleOf(1)) == -HUGE_VAL);
  REQUIRE(bitsOf(rcpApproxFtzF64(NAN)) == 0x7FFFFFFF00000000ull);
  REQUIRE(bitsOf(rsqrtApproxFtzF64(-1.0)) == 0x7FFFFFFF00000000ull);
  REQUIRE(rsqrtApproxFtzF64(-0.0) == -HUGE_VAL);
  REQUIRE(rsqrtApproxFtzF64(16.0) == 0.25);
  REQUIRE(rsqrtApproxF64(2.0) == Approx(0.70710678118654752));
}

//===- CudaHeadersTest.cpp - conversions against CUDA's host headers ------===//
//
// Built only where a CUDA toolkit's headers are found. cuda_fp*.hpp convert on
// the host in software; they are NVIDIA's own statement of each conversion.
//
//===----------------------------------------------------------------------===//
#include "Oracle.h"
#include "ptxsim/numerics/HalfMath.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp4.h>
#include <cuda_fp6.h>
#include <cuda_fp8.h>

#include <catch2/catch.hpp>

using namespace msa::ptxsim::numerics;

namespace {

uint16_t word(__half h) { return static_cast<__half_raw>(h).x; }
uint16_t word(__nv_bfloat16 h) { return static_cast<__nv_bfloat16_raw>(h).x; }
__half fromBits(uint16_t bits) { return __half(__half_raw{bits}); }

const std::vector<uint32_t> &inputs() {
  static const std::vector<uint32_t> list = oracle::interestingF32(77, 1000000);
  return list;
}

} // namespace

TEST_CASE("cuda headers: f32 to f16 and bf16") {
  size_t wrong = 0;
  for (uint32_t bits : inputs()) {
    float x = floatOf(bits);
    wrong += word(__float2half_rn(x)) != encode(SmallFloat::F16, x, {Rounding::Nearest});
    wrong += word(__float2half_rz(x)) != encode(SmallFloat::F16, x, {Rounding::Zero});
    wrong += word(__float2half_rd(x)) != encode(SmallFloat::F16, x, {Rounding::Down});
    wrong += word(__float2half_ru(x)) != encode(SmallFloat::F16, x, {Rounding::Up});
    wrong += word(__float2bfloat16_rn(x)) != encode(SmallFloat::BF16, x, {Rounding::Nearest});
    wrong += word(__float2bfloat16_rz(x)) != encode(SmallFloat::BF16, x, {Rounding::Zero});
    wrong += word(__float2bfloat16_rd(x)) != encode(SmallFloat::BF16, x, {Rounding::Down});
    wrong += word(__float2bfloat16_ru(x)) != encode(SmallFloat::BF16, x, {Rounding::Up});
  }
  REQUIRE(wrong == 0);
}

TEST_CASE("cuda headers: f64 to f16 and bf16") {
  std::mt19937_64 generator(31);
  size_t wrong = 0;
  for (int i = 0; i < 1000000; ++i) {
    double x = std::ldexp(1 + static_cast<double>(generator() >> 44) * 0x1p-20,
                          int(generator() % 60) - 40);
    if (i % 2 == 0)
      x = std::nextafter(x, generator() & 1 ? 0.0 : 1e300);
    wrong += word(__double2half(x)) != f64ToF16(x);
    wrong += word(__double2bfloat16(x)) != f64ToBf16(x);
  }
  REQUIRE(wrong == 0);
}

TEST_CASE("cuda headers: f16 to f32 and integers, every code") {
  size_t wrong = 0;
  for (uint32_t code = 0; code < 0x10000; ++code) {
    auto bits = static_cast<uint16_t>(code);
    float mine = f16ToF32(bits), theirs = __half2float(fromBits(bits));
    wrong += mine != mine ? theirs == theirs : bitsOf(mine) != bitsOf(theirs);
    auto integer = [&](IntegerType to) { return floatToInteger(mine, false, to, Rounding::Zero); };
    wrong += static_cast<uint32_t>(__half2int_rz(fromBits(bits))) != integer({32, true});
    wrong += __half2uint_rz(fromBits(bits)) != integer({32, false});
    wrong += static_cast<uint16_t>(__half2short_rz(fromBits(bits))) != integer({16, true});
    wrong += __half2ushort_rz(fromBits(bits)) != integer({16, false});
    wrong += static_cast<uint64_t>(__half2ll_rz(fromBits(bits))) != integer({64, true});
  }
  REQUIRE(wrong == 0);
}

TEST_CASE("cuda headers: integers to f16 and bf16") {
  std::mt19937 generator(5);
  size_t wrong = 0;
  for (int i = 0; i < 1000000; ++i) {
    auto value = static_cast<int32_t>(generator()) >> (generator() % 31);
    auto bits = static_cast<uint64_t>(static_cast<int64_t>(value));
    wrong += word(__int2half_rn(value)) != integerToF16(bits, true, Rounding::Nearest);
    wrong += word(__int2half_rz(value)) != integerToF16(bits, true, Rounding::Zero);
    wrong += word(__int2half_rd(value)) != integerToF16(bits, true, Rounding::Down);
    wrong += word(__int2half_ru(value)) != integerToF16(bits, true, Rounding::Up);
    wrong += word(__int2bfloat16_rn(value)) != integerToBf16(bits, true, Rounding::Nearest);
  }
  REQUIRE(wrong == 0);
}

TEST_CASE("cuda headers: f32, f64, f16 and bf16 to FP8") {
  struct Row {
    __nv_fp8_interpretation_t theirs;
    SmallFloat mine;
  };
  for (Row row : {Row{__NV_E4M3, SmallFloat::E4M3}, Row{__NV_E5M2, SmallFloat::E5M2}}) {
    size_t wrong = 0;
    Narrowing how{Rounding::Nearest, true};
    for (uint32_t bits : inputs()) {
      float x = floatOf(bits);
      wrong += __nv_cvt_float_to_fp8(x, __NV_SATFINITE, row.theirs) != encode(row.mine, x, how);
      double wide = doubleOf((static_cast<uint64_t>(bits) << 32) | bits);
      if (wide == wide) // no instruction converts f64, and the headers keep the sign of a NaN there
        wrong +=
            __nv_cvt_double_to_fp8(wide, __NV_SATFINITE, row.theirs) != encode(row.mine, wide, how);
      if (row.mine == SmallFloat::E5M2)
        wrong += __nv_cvt_float_to_fp8(x, __NV_NOSAT, row.theirs) != encode(row.mine, x, {});
    }
    for (uint32_t code = 0; code < 0x10000; ++code) {
      auto bits = static_cast<uint16_t>(code);
      wrong += __nv_cvt_halfraw_to_fp8({bits}, __NV_SATFINITE, row.theirs) !=
               encode(row.mine, f16ToF32(bits), how);
      wrong += __nv_cvt_bfloat16raw_to_fp8({bits}, __NV_SATFINITE, row.theirs) !=
               encode(row.mine, bf16ToF32(bits), how);
    }
    for (uint32_t code = 0; code < 256; ++code)
      wrong += __nv_cvt_fp8_to_halfraw(static_cast<uint8_t>(code), row.theirs).x !=
               f32ToF16(decode(row.mine, code));
    CHECK(wrong == 0);
  }
}

TEST_CASE("cuda headers: FP6 and FP4") {
  Narrowing how{Rounding::Nearest, true};
  size_t wrong6 = 0, wrong4 = 0;
  for (uint32_t bits : inputs()) {
    float x = floatOf(bits);
    double wide = doubleOf((static_cast<uint64_t>(bits) << 32) | bits);
    wrong6 +=
        __nv_cvt_float_to_fp6(x, __NV_E2M3, cudaRoundNearest) != encode(SmallFloat::E2M3, x, how);
    wrong6 +=
        __nv_cvt_float_to_fp6(x, __NV_E3M2, cudaRoundNearest) != encode(SmallFloat::E3M2, x, how);
    wrong6 += __nv_cvt_double_to_fp6(wide, __NV_E3M2, cudaRoundNearest) !=
              encode(SmallFloat::E3M2, wide, how);
    wrong4 +=
        __nv_cvt_float_to_fp4(x, __NV_E2M1, cudaRoundNearest) != encode(SmallFloat::E2M1, x, how);
    wrong4 += __nv_cvt_double_to_fp4(wide, __NV_E2M1, cudaRoundNearest) !=
              encode(SmallFloat::E2M1, wide, how);
  }
  for (uint32_t code = 0; code < 64; ++code) {
    auto byte = static_cast<uint8_t>(code);
    wrong6 +=
        __nv_cvt_fp6_to_halfraw(byte, __NV_E2M3).x != f32ToF16(decode(SmallFloat::E2M3, code));
    wrong6 +=
        __nv_cvt_fp6_to_halfraw(byte, __NV_E3M2).x != f32ToF16(decode(SmallFloat::E3M2, code));
    if (code < 16)
      wrong4 +=
          __nv_cvt_fp4_to_halfraw(byte, __NV_E2M1).x != f32ToF16(decode(SmallFloat::E2M1, code));
  }
  CHECK(wrong6 == 0);
  CHECK(wrong4 == 0);
}

TEST_CASE("cuda headers: UE8M0") {
  size_t wrong = 0;
  for (bool satfinite : {false, true})
    for (bool up : {false, true}) {
      Narrowing how{up ? Rounding::Up : Rounding::Zero, satfinite};
      auto saturation = satfinite ? __NV_SATFINITE : __NV_NOSAT;
      auto mode = up ? cudaRoundPosInf : cudaRoundZero;
      for (uint32_t bits : inputs())
        wrong += __nv_cvt_float_to_e8m0(floatOf(bits), saturation, mode) !=
                 encode(SmallFloat::UE8M0, floatOf(bits), how);
      for (uint32_t code = 0; code < 0x10000; ++code) {
        auto half = static_cast<uint16_t>(code);
        wrong += __nv_cvt_bfloat16raw_to_e8m0({half}, saturation, mode) !=
                 encode(SmallFloat::UE8M0, bf16ToF32(half), how);
      }
    }
  for (uint32_t code = 0; code < 256; ++code)
    wrong += __nv_cvt_e8m0_to_bf16raw(static_cast<uint8_t>(code)).x !=
             f32ToBf16(decode(SmallFloat::UE8M0, code));
  REQUIRE(wrong == 0);
}

TEST_CASE("cuda headers: half arithmetic, min and max") {
  std::mt19937 generator(13);
  size_t wrong = 0;
  for (int i = 0; i < 1000000; ++i) {
    auto a = static_cast<uint16_t>(generator()), b = static_cast<uint16_t>(generator() >> 7),
         c = static_cast<uint16_t>(generator() >> 3);
    auto same = [](uint16_t x, uint16_t y) {
      return x == y || ((x & 0x7FFF) > 0x7C00 && (y & 0x7FFF) > 0x7C00);
    };
    wrong += !same(addHalf(HalfKind::F16, a, b), word(__hadd(fromBits(a), fromBits(b))));
    wrong += !same(mulHalf(HalfKind::F16, a, b), word(__hmul(fromBits(a), fromBits(b))));
    wrong += !same(minMaxHalf(HalfKind::F16, false, a, b), word(__hmin(fromBits(a), fromBits(b))));
    wrong += !same(minMaxHalf(HalfKind::F16, true, a, b, {true}),
                   word(__hmax_nan(fromBits(a), fromBits(b))));
  }
  REQUIRE(wrong == 0);
}

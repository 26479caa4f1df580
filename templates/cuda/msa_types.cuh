//===- msa_types.cuh - element types of the portable kernels --------------===//
//
// Loads that turn any operand type into FP32, and stores that round FP32 to
// nearest even. Written without outside headers and for sm_75: what that chip
// cannot convert is integer arithmetic, exact with denormals (no flush to zero,
// no fast math). Clauses N1 to N5.
//
//===----------------------------------------------------------------------===//
#pragma once

using U8 = unsigned char;
using U16 = unsigned short;
using U32 = unsigned int;
using U64 = unsigned long long;
using I64 = long long;

/// Values of the MSA_*_TYPE defines, in the order of the runtime's DType.
enum ElementType : int { BF16 = 0, F16 = 1, F32 = 2, E4M3 = 3, NVFP4 = 4, MXFP4 = 5 };

/// Consecutive elements of a row that share one block scale (N3).
__device__ constexpr int scaleBlock(int type) { return type == NVFP4 ? 16 : 32; }

__device__ inline bool isNan(float x) { return (__float_as_uint(x) & 0x7fffffffu) > 0x7f800000u; }

//===-- FP32 rounded to a narrower type, the result as FP32 or as bits -----===//

#if __CUDA_ARCH__ >= 800
/// Two FP32 as BF16 in one word.
__device__ inline U32 bf16Pair(float low, float high) {
  U32 bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
#else
__device__ inline U32 bf16Bits(float x) {
  U32 u = __float_as_uint(x);
  return isNan(x) ? 0x7fffu : (u + 0x7fffu + (u >> 16 & 1)) >> 16;
}

__device__ inline U32 bf16Pair(float low, float high) {
  return bf16Bits(low) | bf16Bits(high) << 16;
}
#endif

__device__ inline U16 f16Bits(float x) {
  U16 bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}

__device__ inline float fromF16(U32 bits) {
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"((U16)bits));
  return x;
}

/// Nearest E4M3 value, ties to even, saturating at 448 (N1); NaN stays NaN.
__device__ inline float roundE4M3(float x) {
  U32 u = __float_as_uint(x), sign = u & 0x80000000u, magnitude = u & 0x7fffffffu;
  float size = __uint_as_float(magnitude), rounded;
  if (size < 0.015625f) // below 2^-6 the spacing is 2^-9, the spacing of FP32 at 2^14
    rounded = __fsub_rn(__fadd_rn(size, 16384.0f), 16384.0f);
  else if (size < 448.0f)
    rounded = __uint_as_float((magnitude + 0x7ffffu + (magnitude >> 20 & 1)) & 0xfff00000u);
  else
    rounded = isNan(x) ? size : 448.0f;
  return __uint_as_float(__float_as_uint(rounded) | sign);
}

/// FP32 rounded to `Type`, still as FP32. FP32 itself and the 4-bit types pass through.
template <int Type> __device__ inline float roundTo(float x) {
  if (Type == BF16)
    return __uint_as_float(bf16Pair(0, x));
  if (Type == F16)
    return fromF16(f16Bits(x));
  if (Type == E4M3)
    return roundE4M3(x);
  return x;
}

//===-- Narrow bits to FP32 ------------------------------------------------===//

/// E4M3 in the low byte: its exponent and mantissa placed in FP32 are the value times 2^-120.
__device__ inline float fromE4M3(U32 byte) {
  U32 size = byte & 0x7f;
  float x = __uint_as_float(size << 20) * 0x1p120f;
  return __uint_as_float((size == 0x7f ? 0x7fffffffu : __float_as_uint(x)) | (byte & 0x80) << 24);
}

/// E2M1 in the low nibble; as above, times 2^-126.
__device__ inline float fromE2M1(U32 nibble) {
  return __uint_as_float((nibble & 7) << 22 | (nibble & 8) << 28) * 0x1p126f;
}

/// A block scale: E4M3 of NVFP4, or UE8M0 of MXFP4, whose 0 is 2^-127 and whose 255 is NaN.
template <int Type> __device__ inline float fromBlockScale(U32 byte) {
  if (Type == NVFP4)
    return fromE4M3(byte);
  return __uint_as_float(byte == 0 ? 0x00400000u : byte == 255 ? 0x7fffffffu : byte << 23);
}

//===-- Vectors of a tensor ------------------------------------------------===//

struct Float8 {
  float4 low, high;
};

/// A 4-bit element as operand of a product whose other side is `Operand`: beside E4M3 it is rounded
/// (N5). BF16 holds every E2M1 * scale, and so does F16 but for magnitudes beyond its own.
template <int Operand> __device__ inline float dequantised(U32 nibble, float scale) {
  float x = fromE2M1(nibble) * scale;
  return Operand == E4M3 ? roundE4M3(x) : x;
}

/// Elements [at, at + 8) of a tensor of `Type`, ready for a product with `Operand`; `at` counts
/// elements from the tensor's start and is a multiple of 8. `scales` is read for 4-bit types only.
template <int Type, int Operand>
__device__ inline Float8 load8(const void *data, const U8 *scales, I64 at) {
  Float8 x;
  if (Type == F32) {
    const float4 *from = (const float4 *)((const float *)data + at);
    x.low = from[0];
    x.high = from[1];
  } else if (Type == BF16) {
    uint4 w = *(const uint4 *)((const U16 *)data + at);
    x.low = {__uint_as_float(w.x << 16), __uint_as_float(w.x & 0xffff0000u),
             __uint_as_float(w.y << 16), __uint_as_float(w.y & 0xffff0000u)};
    x.high = {__uint_as_float(w.z << 16), __uint_as_float(w.z & 0xffff0000u),
              __uint_as_float(w.w << 16), __uint_as_float(w.w & 0xffff0000u)};
  } else if (Type == F16) {
    uint4 w = *(const uint4 *)((const U16 *)data + at);
    x.low = {fromF16(w.x), fromF16(w.x >> 16), fromF16(w.y), fromF16(w.y >> 16)};
    x.high = {fromF16(w.z), fromF16(w.z >> 16), fromF16(w.w), fromF16(w.w >> 16)};
  } else if (Type == E4M3) {
    uint2 w = *(const uint2 *)((const U8 *)data + at);
    x.low = {fromE4M3(w.x), fromE4M3(w.x >> 8), fromE4M3(w.x >> 16), fromE4M3(w.x >> 24)};
    x.high = {fromE4M3(w.y), fromE4M3(w.y >> 8), fromE4M3(w.y >> 16), fromE4M3(w.y >> 24)};
  } else {
    U32 w = *(const U32 *)((const U8 *)data + at / 2);
    float s = fromBlockScale<Type>(scales[at / scaleBlock(Type)]);
    x.low = {dequantised<Operand>(w, s), dequantised<Operand>(w >> 4, s),
             dequantised<Operand>(w >> 8, s), dequantised<Operand>(w >> 12, s)};
    x.high = {dequantised<Operand>(w >> 16, s), dequantised<Operand>(w >> 20, s),
              dequantised<Operand>(w >> 24, s), dequantised<Operand>(w >> 28, s)};
  }
  return x;
}

/// Elements [at, at + 4) of a BF16 or FP32 tensor.
template <int Type> __device__ inline float4 load4(const void *data, I64 at) {
  if (Type == F32)
    return *(const float4 *)((const float *)data + at);
  uint2 w = *(const uint2 *)((const U16 *)data + at);
  return {__uint_as_float(w.x << 16), __uint_as_float(w.x & 0xffff0000u),
          __uint_as_float(w.y << 16), __uint_as_float(w.y & 0xffff0000u)};
}

/// Stores x, rounded to `Type` (BF16, F16 or F32), at elements [at, at + 4).
template <int Type> __device__ inline void store4(void *data, I64 at, float4 x) {
  if (Type == F32)
    *(float4 *)((float *)data + at) = x;
  else if (Type == BF16)
    *(uint2 *)((U16 *)data + at) = {bf16Pair(x.x, x.y), bf16Pair(x.z, x.w)};
  else
    *(uint2 *)((U16 *)data + at) = {f16Bits(x.x) | (U32)f16Bits(x.y) << 16,
                                    f16Bits(x.z) | (U32)f16Bits(x.w) << 16};
}

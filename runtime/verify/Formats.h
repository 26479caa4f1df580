//===- Formats.h - number formats of the FP64 reference (clauses N1, N3) --===//
//
// Decoding, rounding and encoding of every storage type, written from the
// definition of each format in FP64. This is the reference's own arithmetic: it
// shares no code with the simulator, so that a wrong conversion there cannot
// agree with itself here.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Plan.h"

#include <cstdint>

namespace msa::verify {

/// The value of a bit pattern. Every value is exact in double.
double decodeBf16(uint16_t bits);
double decodeF16(uint16_t bits);
double decodeF32(uint32_t bits);
/// e4m3fn: no infinities; 0x7f and 0xff are NaN.
double decodeE4m3(uint8_t bits);
/// The low four bits: {0, .5, 1, 1.5, 2, 3, 4, 6} and sign.
double decodeE2m1(uint8_t nibble);
/// 2^(bits - 127); 0xff is NaN.
double decodeUe8m0(uint8_t bits);

/// Round to nearest even. BF16, F16 and F32 overflow to infinity; E4M3 saturates at +-448 and E2M1
/// at +-6, infinities included. NaN stays NaN, except that E2M1 has none and takes +6 (clause N3).
double roundBf16(double);
double roundF16(double);
double roundF32(double);
double roundE4m3(double);
double roundE2m1(double);
/// `value` rounded to one of BF16, F16, F32, E4M3.
double roundTo(DType, double value);

/// Bits of the rounded value. NaN becomes the canonical quiet NaN (E4M3: 0x7f).
uint16_t encodeBf16(double);
uint16_t encodeF16(double);
uint32_t encodeF32(double);
uint8_t encodeE4m3(double);
uint8_t encodeE2m1(double);
/// The smallest power of two >= `value` (clause N3: scales are rounded up), saturating at both
/// ends; NaN becomes 0xff.
uint8_t encodeUe8m0RoundUp(double value);

/// Cells that nothing has written hold these bits (clause A4).
inline constexpr uint32_t poisonF32 = 0x7FC0DEADu;
inline constexpr uint16_t poisonBf16 = 0x7FC0u;
inline constexpr uint16_t poisonF16 = 0x7E00u;

} // namespace msa::verify

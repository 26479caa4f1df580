//===- Conversion.cpp - PTX ISA 9.7.9.21: cvt between scalar types --------------------===//
//
// Integers of any width, f16, bf16, f32 and f64. Packed and narrow formats are in
// ConversionNarrow.cpp. The conversions that kernels execute all the time have
// vectorised handlers; the others go through numerics one lane at a time.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/isa/Families.h"
#include "ptxsim/numerics/Convert.h"

#include <cmath>
#include <optional>

namespace msa::ptxsim {

using namespace numerics;

namespace {

/// Scalar types of cvt, in Op::count as source * 16 + destination.
enum Scalar : uint8_t { U8, S8, U16, S16, U32, S32, U64, S64, F16, BF16, F32, F64 };

std::optional<Scalar> scalarOf(const DataType &type) {
  constexpr std::string_view names[] = {"u8",  "s8",  "u16", "s16",  "u32", "s32",
                                        "u64", "s64", "f16", "bf16", "f32", "f64"};
  for (unsigned i = 0; i < std::size(names); ++i)
    if (type.is(names[i]))
      return static_cast<Scalar>(i);
  return std::nullopt;
}
bool isFloat(Scalar s) { return s >= F16; }
IntegerType integerOf(Scalar s) {
  constexpr int widths[] = {8, 8, 16, 16, 32, 32, 64, 64};
  return {widths[s], (s & 1) != 0};
}

/// Op::mode: rounding in the low bits (numerics::Rounding), then flags. Op::mode2: more flags.
enum : uint8_t { roundMask = 7, ftzFlag = 8, satFlag = 16, integralFlag = 32, reluFlag = 64 };

double floatValue(Scalar s, uint64_t bits) {
  switch (s) {
  case F16:
    return f16ToF32(static_cast<uint16_t>(bits));
  case BF16:
    return bf16ToF32(static_cast<uint16_t>(bits));
  case F32:
    return floatOf(static_cast<uint32_t>(bits));
  default:
    return doubleOf(bits);
  }
}

uint64_t floatToFloat(Scalar from, Scalar to, uint8_t mode, uint64_t bits) {
  auto rounding = static_cast<Rounding>(mode & roundMask);
  bool ftz = mode & ftzFlag, sat = mode & satFlag;
  if (ftz && from == F32)
    bits = bitsOf(flush(floatOf(static_cast<uint32_t>(bits))));
  double value = floatValue(from, bits);
  if (mode & integralFlag) {
    value = from == F64 ? roundToIntegral(value, rounding)
                        : static_cast<double>(roundToIntegral(static_cast<float>(value), rounding));
    rounding = Rounding::Nearest;
  }
  switch (to) {
  case F16: {
    auto code = static_cast<uint16_t>(
        encode(SmallFloat::F16, value, {rounding, false, (mode & reluFlag) != 0}));
    return sat ? saturateF16(code) : code;
  }
  case BF16:
    return encode(SmallFloat::BF16, value, {rounding, false, (mode & reluFlag) != 0});
  case F32: {
    float narrow = from == F64 ? f64ToF32(value, rounding) : static_cast<float>(value);
    if (ftz)
      narrow = flush(narrow);
    return bitsOf(sat ? saturate(canonical(narrow)) : canonical(narrow));
  }
  default:
    return bitsOf(sat ? saturate(value) : value);
  }
}

uint64_t convert(Scalar from, Scalar to, uint8_t mode, uint64_t bits) {
  auto rounding = static_cast<Rounding>(mode & roundMask);
  if (isFloat(from) && isFloat(to))
    return floatToFloat(from, to, mode, bits);
  if (isFloat(from)) {
    double value = floatValue(from, bits);
    if ((mode & ftzFlag) && from == F32)
      value = flush(static_cast<float>(value));
    return floatToInteger(value, from == F64, integerOf(to), rounding);
  }
  if (!isFloat(to))
    return integerToInteger(bits, integerOf(from), integerOf(to), (mode & satFlag) != 0);
  uint64_t wide = extend(bits, integerOf(from));
  bool isSigned = integerOf(from).isSigned, sat = mode & satFlag;
  switch (to) {
  case F16: {
    uint16_t code = integerToF16(wide, isSigned, rounding);
    return sat ? saturateF16(code) : code;
  }
  case BF16:
    return integerToBf16(wide, isSigned, rounding);
  case F32: {
    uint32_t code = integerToF32(wide, isSigned, rounding);
    return sat ? bitsOf(saturate(floatOf(code))) : code;
  }
  default: {
    uint64_t code = integerToF64(wide, isSigned, rounding);
    return sat ? bitsOf(saturate(doubleOf(code))) : code;
  }
  }
}

/// Extends a result of `to` to the destination register, which may be wider.
uint64_t widen(Scalar to, uint64_t value) {
  return isFloat(to) ? value : extend(value, integerOf(to));
}

template <class From, class To> Flow convertLanes(Warp &w, const Op &op, uint32_t mask) {
  auto from = static_cast<Scalar>(op.count >> 4), to = static_cast<Scalar>(op.count & 15);
  const From *in = w.cells<From>(op.a);
  To *out = w.cells<To>(op.dst);
  w.setTaint(op.dst, mask, w.taintOf(op.a));
  forLanes(mask, [&](int lane) {
    out[lane] = static_cast<To>(widen(to, convert(from, to, op.mode, in[lane])));
  });
  return Flow::Next;
}

/// Vectorised handlers of plain forms whose registers have the types' own widths; null for others.
Handler fastHandler(Scalar from, Scalar to, uint8_t mode) {
  auto is = [&](Scalar f, Scalar t, uint8_t m) { return from == f && to == t && mode == m; };
  constexpr uint8_t rn = 0, rz = static_cast<uint8_t>(Rounding::Zero);
  if (is(S32, S64, rn))
    return mapped<[](int32_t a) { return int64_t{a}; }>();
  if (is(U32, U64, rn) || is(U32, S64, rn))
    return mapped<[](uint32_t a) { return uint64_t{a}; }>();
  if ((from == U64 || from == S64) && (to == U32 || to == S32) && mode == rn)
    return mapped<[](uint64_t a) { return static_cast<uint32_t>(a); }>();
  if (is(U16, U32, rn) || is(U16, S32, rn))
    return mapped<[](uint16_t a) { return uint32_t{a}; }>();
  if (is(S16, S32, rn))
    return mapped<[](int16_t a) { return int32_t{a}; }>();
  if ((from == U32 || from == S32) && (to == U16 || to == S16) && mode == rn)
    return mapped<[](uint32_t a) { return static_cast<uint16_t>(a); }>();
  if (is(S32, F32, rn))
    return mapped<[](int32_t a) { return static_cast<float>(a); }>();
  if (is(U32, F32, rn))
    return mapped<[](uint32_t a) { return static_cast<float>(a); }>();
  if (is(F32, S32, rz))
    return mapped<[](float a) { return f32ToS32(a); }>();
  if (is(F32, U32, rz))
    return mapped<[](float a) { return f32ToU32(a); }>();
  if (is(F32, F16, rn))
    return mapped<[](float a) { return f32ToF16(a); }>();
  if (is(F32, BF16, rn))
    return mapped<[](float a) { return f32ToBf16(a); }>();
  if (is(F16, F32, rn))
    return mapped<[](uint16_t a) { return f16ToF32(a); }>();
  if (is(BF16, F32, rn))
    return mapped<[](uint16_t a) { return bf16ToF32(a); }>();
  if (is(F32, F64, rn))
    return mapped<[](float a) { return static_cast<double>(a); }>();
  if (is(F64, F32, rn))
    return mapped<[](double a) { return canonical(static_cast<float>(a)); }>();
  return nullptr;
}

/// Takes .rn .rz .rm .rp .rna (floats) or .rni .rzi .rmi .rpi (integral) and says which.
bool takeConversionRounding(Decoder &d, uint8_t &mode, bool &integral) {
  int which = d.takeOneOf({"rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi"});
  integral = which >= 5;
  mode = static_cast<uint8_t>(which < 0 ? 0 : integral ? which - 5 : which);
  return which >= 0;
}

bool checkRounding(Decoder &d, Scalar from, Scalar to, bool given, bool integral) {
  bool narrows = isFloat(to) && (isFloat(from) ? to < from && !(from == BF16 && to == F16) : true);
  if (isFloat(from) && !isFloat(to) && !(given && integral))
    return d.fail("{}: float to integer needs .rni, .rzi, .rmi or .rpi", d.spelling());
  if (!isFloat(from) && !isFloat(to) && given)
    return d.fail("{}: integer to integer takes no rounding", d.spelling());
  if (isFloat(to) && narrows && (!given || integral))
    return d.fail("{}: .rn, .rz, .rm or .rp is needed", d.spelling());
  if (isFloat(to) && isFloat(from) && to != from && integral)
    return d.fail("{}: integral rounding of floats keeps the type", d.spelling());
  return true;
}

} // namespace

bool decodeCvt(Decoder &d) {
  auto toType = d.peekType(), fromType = d.peekType(1);
  if (!toType || !fromType)
    return false;
  auto to = scalarOf(*toType), from = scalarOf(*fromType);
  if (!to || !from || d.has("satfinite") || d.has("rs"))
    return false;
  // Two words of the same type are both taken, in order.
  uint8_t mode = 0;
  bool integral = false;
  bool given = takeConversionRounding(d, mode, integral);
  bool ftz = d.take("ftz"), sat = d.take("sat"), relu = d.take("relu");
  d.takeType();
  d.takeType();
  checkRounding(d, *from, *to, given, integral);
  if (!d.expectOperands(2) || d.failed())
    return true;
  if (relu && !(*to == F16 || *to == BF16))
    return d.fail("{}: .relu is for f16 and bf16 results", d.spelling());
  if (*to == BF16 || *from == BF16)
    d.require(70, 80, "bf16");
  if (*from == BF16 && *to != F32)
    d.require(78, 90, "bf16 from and to other types than f32");
  d.op.mode =
      static_cast<uint8_t>(mode | (ftz ? ftzFlag : 0) | (sat ? satFlag : 0) |
                           (relu ? reluFlag : 0) | (integral && isFloat(*to) ? integralFlag : 0));
  uint32_t sourceBits = 0, destinationBits = 0;
  d.op.dst = d.wideDestination(d.operand(0), *toType, destinationBits);
  d.op.a = d.wideSource(d.operand(1), *fromType, sourceBits);
  if (isFloat(*to) && destinationBits != toType->bits)
    return d.fail("{}: the destination must have {} bits", d.spelling(), toType->bits);
  if (isFloat(*from) && sourceBits != fromType->bits)
    return d.fail("{}: the source must have {} bits", d.spelling(), fromType->bits);
  d.op.count = static_cast<uint16_t>(*from << 4 | *to);
  bool exactWidths =
      (sourceBits == fromType->bits || (sourceBits <= 32 && fromType->bits <= 32)) &&
      (destinationBits == toType->bits || (destinationBits <= 32 && toType->bits == 32));
  Handler handler = exactWidths ? fastHandler(*from, *to, d.op.mode) : nullptr;
  if (!handler) {
    bool wideIn = sourceBits > 32, wideOut = destinationBits > 32;
    handler =
        wideIn ? (wideOut ? &convertLanes<uint64_t, uint64_t> : &convertLanes<uint64_t, uint32_t>)
               : (wideOut ? &convertLanes<uint32_t, uint64_t> : &convertLanes<uint32_t, uint32_t>);
  }
  d.set(handler, OpClass::Convert);
  return true;
}

} // namespace msa::ptxsim

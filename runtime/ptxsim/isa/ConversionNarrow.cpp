//===- ConversionNarrow.cpp - PTX ISA 9.7.9.21 and .22: packed and narrow formats ------------===//
//
// cvt to and from f16x2, bf16x2, tf32, fp8, fp6, fp4 and ue8m0, and cvt.pack. The
// first operand of a two-operand form goes to the upper half.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/numerics/Convert.h"

#include <algorithm>
#include <optional>

namespace msa::ptxsim {

using namespace numerics;

namespace {

/// A packed type: its element format and how many there are.
struct Packed {
  SmallFloat format;
  unsigned count;
};

std::optional<Packed> packedOf(const DataType &type) {
  struct Row {
    std::string_view word;
    Packed packed;
  };
  static constexpr Row rows[] = {
      {"f16x2", {SmallFloat::F16, 2}},     {"bf16x2", {SmallFloat::BF16, 2}},
      {"tf32", {SmallFloat::TF32, 1}},     {"e4m3x2", {SmallFloat::E4M3, 2}},
      {"e5m2x2", {SmallFloat::E5M2, 2}},   {"e2m3x2", {SmallFloat::E2M3, 2}},
      {"e3m2x2", {SmallFloat::E3M2, 2}},   {"e2m1x2", {SmallFloat::E2M1, 2}},
      {"ue8m0x2", {SmallFloat::UE8M0, 2}}, {"e4m3x4", {SmallFloat::E4M3, 4}},
      {"e5m2x4", {SmallFloat::E5M2, 4}},   {"e2m3x4", {SmallFloat::E2M3, 4}},
      {"e3m2x4", {SmallFloat::E3M2, 4}},   {"e2m1x4", {SmallFloat::E2M1, 4}},
      {"f16", {SmallFloat::F16, 1}},       {"bf16", {SmallFloat::BF16, 1}},
  };
  for (const Row &row : rows)
    if (type.is(row.word))
      return row.packed;
  return std::nullopt;
}

/// Op::mode: numerics::Rounding, then flags; Op::mode2: destination format, Op::count: source
/// format.
enum : uint8_t { roundMask = 7, satfiniteBit = 8, reluBit = 16 };

Narrowing narrowingOf(const Op &op) {
  return {static_cast<Rounding>(op.mode & roundMask), (op.mode & satfiniteBit) != 0,
          (op.mode & reluBit) != 0};
}
SmallFloat destinationOf(const Op &op) { return static_cast<SmallFloat>(op.mode2); }
SmallFloat sourceOf(const Op &op) { return static_cast<SmallFloat>(op.count); }

uint32_t narrowOne(const Op &op, float a) { return encode(destinationOf(op), a, narrowingOf(op)); }
uint32_t narrowTwo(const Op &op, float a, float b) {
  return encodePair(destinationOf(op), a, b, narrowingOf(op));
}
uint32_t repackPair(const Op &op, uint32_t a) {
  return convertPair(destinationOf(op), sourceOf(op), a, narrowingOf(op));
}

/// Nearest-even f32 pairs: what attention kernels execute.
uint32_t bf16Pair(float a, float b) { return uint32_t{f32ToBf16(a)} << 16 | f32ToBf16(b); }
uint32_t f16Pair(float a, float b) { return uint32_t{f32ToF16(a)} << 16 | f32ToF16(b); }

unsigned versionOf(SmallFloat format) {
  switch (format) {
  case SmallFloat::E4M3:
  case SmallFloat::E5M2:
    return 89;
  case SmallFloat::E2M3:
  case SmallFloat::E3M2:
  case SmallFloat::E2M1:
  case SmallFloat::UE8M0:
    return 100;
  default:
    return 80;
  }
}

bool finishNarrow(Decoder &d, const DataType &toType, const Packed &to, const DataType &fromType,
                  std::optional<Packed> from) {
  d.op.mode2 = static_cast<uint8_t>(to.format);
  if (fromType.is("f32")) {
    if (!d.expectOperands(to.count == 1 ? 2 : 3))
      return true;
    d.op.dst = d.destination(0, to.format == SmallFloat::TF32 ? *dataTypeFromWord("b32") : toType);
    d.op.a = d.source(1, fromType);
    if (to.count == 2)
      d.op.b = d.source(2, fromType);
    if (d.failed())
      return true;
    if (to.count == 1)
      d.set(&eachLane<narrowOne>, OpClass::Convert);
    else if (d.op.mode == 0 && to.format == SmallFloat::BF16)
      d.set(mapped<bf16Pair>(), OpClass::Convert);
    else if (d.op.mode == 0 && to.format == SmallFloat::F16)
      d.set(mapped<f16Pair>(), OpClass::Convert);
    else
      d.set(&eachLane<narrowTwo>, OpClass::Convert);
    return true;
  }
  if (!from || from->count != 2 || to.count != 2)
    return d.fail("{}: there is no conversion from .{} to .{}", d.spelling(), fromType.word,
                  toType.word);
  if (!d.expectOperands(2))
    return true;
  d.op.count = static_cast<uint16_t>(from->format);
  d.op.dst = d.destination(0, toType);
  d.op.a = d.source(1, fromType);
  d.set(&eachLane<repackPair>, OpClass::Convert);
  return true;
}

/// Takes the words that choose how to round; the values are those of numerics::Rounding.
bool takeNarrowRounding(Decoder &d) {
  int which = d.takeOneOf({"rn", "rz", "rm", "rp", "rna"});
  d.op.mode = static_cast<uint8_t>(which < 0 ? 0 : which);
  if (d.take("satfinite"))
    d.op.mode |= satfiniteBit;
  if (d.take("relu"))
    d.op.mode |= reluBit;
  return which >= 0;
}

} // namespace

bool decodeCvtNarrow(Decoder &d) {
  auto toType = d.peekType(), fromType = d.peekType(1);
  if (!toType || !fromType)
    return false;
  auto to = packedOf(*toType), from = packedOf(*fromType);
  if (!to)
    return false;
  if (d.has("rs"))
    return d.failLater("stochastic rounding");
  bool rounded = takeNarrowRounding(d);
  d.takeType();
  d.takeType();
  if (!rounded)
    return d.fail("{}: the rounding (.rn, .rz, ...) is missing", d.spelling());
  unsigned sm = std::max(versionOf(to->format), from ? versionOf(from->format) : 0u);
  if (sm == 89)
    d.require(81, 89, "FP8");
  if (sm == 100)
    d.require(86, 100, "this format");
  if (to->format == SmallFloat::UE8M0 && (d.op.mode & roundMask) == 0)
    return d.fail("{}: .ue8m0x2 takes .rz or .rp", d.spelling());
  if (from && from->format == SmallFloat::TF32)
    return d.fail("{}: there is no conversion from .tf32", d.spelling());
  if (to->count == 4)
    return d.fail("{}: accepted with .rs only", d.spelling());
  return finishNarrow(d, *toType, *to, *fromType, from);
}

//===----------------------------------------------------------------------===//
// cvt.pack
//===----------------------------------------------------------------------===//

namespace {

template <unsigned Bits, bool Signed> uint32_t saturateTo(int32_t value) {
  constexpr int64_t least = Signed ? -(int64_t{1} << (Bits - 1)) : 0,
                    most = (int64_t{1} << (Signed ? Bits - 1 : Bits)) - 1;
  return static_cast<uint32_t>(std::clamp<int64_t>(value, least, most)) & ((1u << Bits) - 1);
}

/// d = {c's lower part shifted up, a, b}: a above b, above them the low bits of c for narrow types.
template <unsigned Bits, bool Signed> uint32_t packPair(int32_t a, int32_t b) {
  return saturateTo<Bits, Signed>(a) << Bits | saturateTo<Bits, Signed>(b);
}
template <unsigned Bits, bool Signed> uint32_t packPairOver(int32_t a, int32_t b, uint32_t c) {
  return packPair<Bits, Signed>(a, b) | c << (2 * Bits);
}

template <unsigned Bits> Handler packHandler(bool isSigned, bool three) {
  if constexpr (Bits < 16)
    if (three)
      return isSigned ? mapped<packPairOver<Bits, true>>() : mapped<packPairOver<Bits, false>>();
  return isSigned ? mapped<packPair<Bits, true>>() : mapped<packPair<Bits, false>>();
}

} // namespace

bool decodeCvtPack(Decoder &d) {
  if (!d.take("pack"))
    return false;
  bool sat = d.take("sat");
  int which = d.takeOneOf({"u16", "s16", "u8", "s8", "u4", "s4", "u2", "s2"});
  bool source = d.take("s32"), three = which >= 2;
  if (!sat || which < 0 || !source || (three && !d.take("b32")))
    return d.fail(
        "{}: accepted: cvt.pack.sat.{{u16,s16}}.s32 and cvt.pack.sat.{{u8,s8,u4,s4,u2,s2}}.s32.b32",
        d.spelling());
  if (!d.expectOperands(three ? 4 : 3))
    return true;
  if (which >= 4)
    d.require(65, 75, "sub-byte cvt.pack");
  DataType word = *dataTypeFromWord("b32"), number = *dataTypeFromWord("s32");
  d.op.dst = d.destination(0, word);
  d.op.a = d.source(1, number);
  d.op.b = d.source(2, number);
  if (three)
    d.op.c = d.source(3, word);
  bool isSigned = which & 1;
  Handler handlers[] = {packHandler<16>(isSigned, three), packHandler<8>(isSigned, three),
                        packHandler<4>(isSigned, three), packHandler<2>(isSigned, three)};
  d.set(handlers[which / 2], OpClass::Convert);
  return true;
}

} // namespace msa::ptxsim

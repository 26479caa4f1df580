//===- HalfArithmetic.cpp - PTX ISA 9.7.4: f16, bf16 and their pairs ----------------------===//
#include "ptxsim/isa/Families.h"
#include "ptxsim/numerics/HalfMath.h"

namespace msa::ptxsim {

using namespace numerics;

namespace {

bool isHalfForm(Decoder &d) {
  auto type = d.peekType();
  return type && !d.has("cc") &&
         (type->is("f16") || type->is("bf16") || type->is("f16x2") || type->is("bf16x2"));
}

/// Op::mode of these instructions.
enum HalfBits : uint8_t {
  ftzBit = 1,
  satBit = 2,
  reluBit = 4,
  nanBit = 8,
  xorsignBit = 16,
  absBit = 32
};

HalfModifiers modifiersOf(const Op &op) {
  return {(op.mode & ftzBit) != 0, (op.mode & satBit) != 0, (op.mode & reluBit) != 0};
}

enum class HalfOp : uint8_t { Add, Sub, Mul, Fma, Min, Max, Neg, Abs, Tanh, Ex2 };

template <HalfKind K, HalfOp O> uint16_t one(const Op &op, uint16_t a, uint16_t b, uint16_t c) {
  HalfModifiers how = modifiersOf(op);
  auto flushed = [&](uint16_t x) { return K == HalfKind::F16 && how.ftz ? flushF16(x) : x; };
  switch (O) {
  case HalfOp::Add:
    return addHalf(K, a, b, how);
  case HalfOp::Sub:
    return subHalf(K, a, b, how);
  case HalfOp::Mul:
    return mulHalf(K, a, b, how);
  case HalfOp::Fma:
    return fmaHalf(K, a, b, c, how);
  case HalfOp::Min:
  case HalfOp::Max:
    return minMaxHalf(
        K, O == HalfOp::Max, flushed(a), flushed(b),
        {(op.mode & nanBit) != 0, (op.mode & xorsignBit) != 0, (op.mode & xorsignBit) != 0});
  case HalfOp::Neg:
    return negHalf(flushed(a));
  case HalfOp::Abs:
    return absHalf(flushed(a));
  case HalfOp::Tanh:
    return tanhHalf(K, a);
  case HalfOp::Ex2:
    return ex2Half(K, a, how.ftz);
  }
}

template <HalfKind K, HalfOp O, bool Pair> Flow halfLanes(Warp &w, const Op &op, uint32_t mask) {
  constexpr unsigned sources = O == HalfOp::Fma ? 3 : O >= HalfOp::Neg ? 1 : 2;
  const uint32_t *a = w.cells<uint32_t>(op.a), *b = w.cells<uint32_t>(sources > 1 ? op.b : op.a),
                 *c = w.cells<uint32_t>(sources > 2 ? op.c : op.a);
  uint32_t *out = w.cells<uint32_t>(op.dst);
  uint32_t tainted =
      w.taintOf(op.a) | (sources > 1 ? w.taintOf(op.b) : 0) | (sources > 2 ? w.taintOf(op.c) : 0);
  w.setTaint(op.dst, mask, tainted);
  auto apply = [&](uint16_t x, uint16_t y, uint16_t z) { return one<K, O>(op, x, y, z); };
  forLanes(mask, [&](int lane) {
    out[lane] = Pair ? eachHalf(apply, a[lane], b[lane], c[lane])
                     : apply(static_cast<uint16_t>(a[lane]), static_cast<uint16_t>(b[lane]),
                             static_cast<uint16_t>(c[lane]));
  });
  return Flow::Next;
}

/// Takes the type, the operands and the handler of an operation with `sources` operands.
template <HalfOp O> bool finishHalf(Decoder &d, unsigned sources) {
  DataType type = d.takeType();
  d.uniform(type, sources);
  bool bf16 = type.is("bf16") || type.is("bf16x2");
  Handler handler = type.is("f16")      ? &halfLanes<HalfKind::F16, O, false>
                    : type.is("f16x2")  ? &halfLanes<HalfKind::F16, O, true>
                    : type.is("bf16")   ? &halfLanes<HalfKind::BF16, O, false>
                    : type.is("bf16x2") ? &halfLanes<HalfKind::BF16, O, true>
                                        : nullptr;
  if (!handler)
    return d.fail("{}: accepted: .f16, .f16x2, .bf16, .bf16x2", d.spelling());
  if (bf16 && (d.op.mode & (ftzBit | satBit)) && O != HalfOp::Ex2)
    return d.fail("{}: .ftz and .sat are for f16", d.spelling());
  if (bf16) {
    bool late = O == HalfOp::Add || O == HalfOp::Sub || O == HalfOp::Mul || O == HalfOp::Tanh ||
                O == HalfOp::Ex2;
    d.require(late ? 78 : 70, late ? 90 : 80, "bf16");
  }
  d.set(handler, OpClass::Half);
  return true;
}

/// add, sub, mul, fma: optional .rn, .ftz, .sat and (fma) .relu.
template <HalfOp O> bool arithmetic(Decoder &d) {
  if (!isHalfForm(d))
    return false;
  bool rn = d.take("rn");
  if (O == HalfOp::Fma && !rn)
    return d.fail("{}: .rn is missing", d.spelling());
  d.op.mode = static_cast<uint8_t>((d.take("ftz") ? ftzBit : 0) | (d.take("sat") ? satBit : 0));
  if (O == HalfOp::Fma && d.take("relu")) {
    d.op.mode |= reluBit;
    d.require(70, 80, ".relu");
  }
  return finishHalf<O>(d, O == HalfOp::Fma ? 3 : 2);
}

template <HalfOp O> bool minMax(Decoder &d) {
  if (!isHalfForm(d))
    return false;
  d.op.mode = static_cast<uint8_t>((d.take("ftz") ? ftzBit : 0) | (d.take("NaN") ? nanBit : 0));
  if (d.take("xorsign")) {
    d.op.mode |= xorsignBit;
    if (!d.take("abs"))
      return d.fail("{}: .xorsign goes with .abs", d.spelling());
    d.require(72, 86, ".xorsign.abs");
  }
  return finishHalf<O>(d, 2);
}

template <HalfOp O> bool signOp(Decoder &d) {
  if (!isHalfForm(d))
    return false;
  d.op.mode = d.take("ftz") ? ftzBit : 0;
  return finishHalf<O>(d, 1);
}

} // namespace

bool decodeAddHalf(Decoder &d) { return arithmetic<HalfOp::Add>(d); }
bool decodeSubHalf(Decoder &d) { return arithmetic<HalfOp::Sub>(d); }
bool decodeMulHalf(Decoder &d) { return arithmetic<HalfOp::Mul>(d); }
bool decodeFmaHalf(Decoder &d) { return arithmetic<HalfOp::Fma>(d); }
bool decodeMinHalf(Decoder &d) { return minMax<HalfOp::Min>(d); }
bool decodeMaxHalf(Decoder &d) { return minMax<HalfOp::Max>(d); }
bool decodeNegHalf(Decoder &d) { return signOp<HalfOp::Neg>(d); }
bool decodeAbsHalf(Decoder &d) { return signOp<HalfOp::Abs>(d); }

bool decodeTanhHalf(Decoder &d) {
  if (!isHalfForm(d))
    return false;
  if (!d.take("approx"))
    return d.fail("{}: .approx is missing", d.spelling());
  return finishHalf<HalfOp::Tanh>(d, 1);
}

bool decodeEx2Half(Decoder &d) {
  if (!isHalfForm(d))
    return false;
  if (!d.take("approx"))
    return d.fail("{}: .approx is missing", d.spelling());
  auto type = d.peekType();
  bool bf16 = type && (type->is("bf16") || type->is("bf16x2")), ftz = d.take("ftz");
  if (bf16 != ftz)
    return d.fail(
        "{}: accepted: ex2.approx of .f16 and .f16x2, ex2.approx.ftz of .bf16 and .bf16x2",
        d.spelling());
  d.op.mode = ftz ? ftzBit : 0;
  return finishHalf<HalfOp::Ex2>(d, 1);
}

} // namespace msa::ptxsim

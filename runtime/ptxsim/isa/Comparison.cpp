//===- Comparison.cpp - PTX ISA 9.7.6: setp, set, selp, slct ---------------------===//
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/numerics/HalfMath.h"

#include <algorithm>

namespace msa::ptxsim {

using numerics::Compare;

namespace {

constexpr std::string_view comparisonWords[] = {"eq",  "ne",  "lt",  "le",  "gt",  "ge",  "equ",
                                                "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};

/// How the result is combined with the predicate operand c.
enum class Combine : uint8_t { None, And, Or, Xor };

template <Compare C, class T> bool compareValues(T a, T b) {
  switch (C) {
  case Compare::Eq:
    return a == b;
  case Compare::Ne:
    // PTX's ordered ne is false for NaN, C++'s is true.
    return a < b || a > b;
  case Compare::Lt:
    return a < b;
  case Compare::Le:
    return a <= b;
  case Compare::Gt:
    return a > b;
  case Compare::Ge:
    return a >= b;
  case Compare::Equ:
    return !(a < b || a > b);
  case Compare::Neu:
    return !(a == b);
  case Compare::Ltu:
    return !(a >= b);
  case Compare::Leu:
    return !(a > b);
  case Compare::Gtu:
    return !(a <= b);
  case Compare::Geu:
    return !(a < b);
  case Compare::Num:
    return a == a && b == b;
  case Compare::Nan:
    return a != a || b != b;
  }
}

template <Compare C, class T, bool Ftz> bool compareLane(T a, T b) {
  if constexpr (Ftz) {
    a = numerics::flush(a);
    b = numerics::flush(b);
  }
  return compareValues<C, T>(a, b);
}

/// Combines lanes with the predicate c (op.psrc, negated by mode2) as op.mode says; each with its
/// taint.
[[gnu::always_inline]] inline void combine(const Warp &w, const Op &op, uint32_t &value,
                                           uint32_t &tainted) {
  if (static_cast<Combine>(op.mode) == Combine::None)
    return;
  uint32_t c = w.predicates[op.psrc] ^ (op.mode2 ? fullMask : 0), ct = w.predicateTaint[op.psrc];
  switch (static_cast<Combine>(op.mode)) {
  case Combine::And:
    // A false operand decides alone.
    tainted = (tainted | ct) & ~((~value & ~tainted) | (~c & ~ct));
    value &= c;
    break;
  case Combine::Or:
    tainted = (tainted | ct) & ~((value & ~tainted) | (c & ~ct));
    value |= c;
    break;
  default:
    tainted |= ct;
    value ^= c;
    break;
  }
}

[[gnu::always_inline]] inline void finishSetp(Warp &w, const Op &op, uint32_t mask,
                                              uint32_t value) {
  uint32_t tainted = w.taintOf(op.a) | w.taintOf(op.b), inverse = ~value, inverseTaint = tainted;
  combine(w, op, value, tainted);
  if (op.count != 0) {
    combine(w, op, inverse, inverseTaint);
    w.setPredicate(op.count, mask, inverse, inverseTaint);
  }
  w.setPredicate(op.pdst, mask, value, tainted);
}

template <Compare C, class T, bool Ftz> Flow setpPlain(Warp &w, const Op &op, uint32_t mask) {
  finishSetp(w, op, mask,
             compareLoop<compareLane<C, T, Ftz>>(&compareLane<C, T, Ftz>, w.cells<CellOf<T>>(op.a),
                                                 w.cells<CellOf<T>>(op.b)));
  return Flow::Next;
}
template <Compare C, class T, bool Ftz>
MSA_PTXSIM_WIDE Flow setpWide(Warp &w, const Op &op, uint32_t mask) {
  finishSetp(w, op, mask,
             compareLoop<compareLane<C, T, Ftz>>(&compareLane<C, T, Ftz>, w.cells<CellOf<T>>(op.a),
                                                 w.cells<CellOf<T>>(op.b)));
  return Flow::Next;
}

/// Floats of any width, by their value in f32 (f16, bf16) or f64.
template <class F> Flow setpHalf(Warp &w, const Op &op, uint32_t mask, F value) {
  uint32_t result = 0;
  const uint32_t *a = w.cells<uint32_t>(op.a), *b = w.cells<uint32_t>(op.b);
  forLanes(mask, [&](int lane) {
    if (numerics::compareFloats(static_cast<Compare>(op.target & 0xFF), value(a[lane]),
                                value(b[lane])))
      result |= 1u << lane;
  });
  finishSetp(w, op, mask, result);
  return Flow::Next;
}

float f16Value(const Op &op, uint16_t code) {
  return numerics::f16ToF32(op.target & 0x100 ? numerics::flushF16(code) : code);
}

Flow setpF16(Warp &w, const Op &op, uint32_t mask) {
  return setpHalf(w, op, mask, [&](uint32_t x) { return f16Value(op, static_cast<uint16_t>(x)); });
}
Flow setpBf16(Warp &w, const Op &op, uint32_t mask) {
  return setpHalf(w, op, mask,
                  [](uint32_t x) { return numerics::bf16ToF32(static_cast<uint16_t>(x)); });
}

/// setp.f16x2: p from the low halves, q from the high halves.
template <bool Bf16> Flow setpPair(Warp &w, const Op &op, uint32_t mask) {
  const uint32_t *a = w.cells<uint32_t>(op.a), *b = w.cells<uint32_t>(op.b);
  uint32_t low = 0, high = 0;
  auto value = [&](uint32_t word, unsigned shift) {
    auto code = static_cast<uint16_t>(word >> shift);
    return Bf16 ? numerics::bf16ToF32(code) : f16Value(op, code);
  };
  forLanes(mask, [&](int lane) {
    auto c = static_cast<Compare>(op.target & 0xFF);
    low |= numerics::compareFloats(c, value(a[lane], 0), value(b[lane], 0)) ? 1u << lane : 0;
    high |= numerics::compareFloats(c, value(a[lane], 16), value(b[lane], 16)) ? 1u << lane : 0;
  });
  uint32_t tainted = w.taintOf(op.a) | w.taintOf(op.b), lowTaint = tainted, highTaint = tainted;
  combine(w, op, low, lowTaint);
  combine(w, op, high, highTaint);
  w.setPredicate(op.pdst, mask, low, lowTaint);
  w.setPredicate(op.count, mask, high, highTaint);
  return Flow::Next;
}

template <Compare C, class T> Handler setpHandler(bool ftz) {
  if constexpr (std::is_same_v<T, float>)
    if (ftz)
      return hostIsWide() ? &setpWide<C, T, true> : &setpPlain<C, T, true>;
  return hostIsWide() ? &setpWide<C, T, false> : &setpPlain<C, T, false>;
}

template <class T> Handler setpFor(Compare c, bool ftz) {
  switch (c) {
  case Compare::Eq:
    return setpHandler<Compare::Eq, T>(ftz);
  case Compare::Ne:
    return setpHandler<Compare::Ne, T>(ftz);
  case Compare::Lt:
    return setpHandler<Compare::Lt, T>(ftz);
  case Compare::Le:
    return setpHandler<Compare::Le, T>(ftz);
  case Compare::Gt:
    return setpHandler<Compare::Gt, T>(ftz);
  case Compare::Ge:
    return setpHandler<Compare::Ge, T>(ftz);
  default:
    break;
  }
  if constexpr (std::is_floating_point_v<T>)
    switch (c) {
    case Compare::Equ:
      return setpHandler<Compare::Equ, T>(ftz);
    case Compare::Neu:
      return setpHandler<Compare::Neu, T>(ftz);
    case Compare::Ltu:
      return setpHandler<Compare::Ltu, T>(ftz);
    case Compare::Leu:
      return setpHandler<Compare::Leu, T>(ftz);
    case Compare::Gtu:
      return setpHandler<Compare::Gtu, T>(ftz);
    case Compare::Geu:
      return setpHandler<Compare::Geu, T>(ftz);
    case Compare::Num:
      return setpHandler<Compare::Num, T>(ftz);
    default:
      return setpHandler<Compare::Nan, T>(ftz);
    }
  return nullptr;
}

/// The handler for a comparison of `type`; null if the operator does not fit. Halves: see setpHalf.
Handler handlerFor(const DataType &type, Compare c, bool ftz) {
  if (type.is("f32"))
    return setpFor<float>(c, ftz);
  if (type.is("f64"))
    return setpFor<double>(c, false);
  if (type.is("f16"))
    return &setpF16;
  if (type.is("bf16"))
    return &setpBf16;
  if (type.is("f16x2"))
    return &setpPair<false>;
  if (type.is("bf16x2"))
    return &setpPair<true>;
  if (type.kind == DataType::Kind::Bits && c != Compare::Eq && c != Compare::Ne)
    return nullptr;
  switch (type.bits) {
  case 16:
    return type.isSigned() ? setpFor<int16_t>(c, false) : setpFor<uint16_t>(c, false);
  case 32:
    return type.isSigned() ? setpFor<int32_t>(c, false) : setpFor<uint32_t>(c, false);
  case 64:
    return type.isSigned() ? setpFor<int64_t>(c, false) : setpFor<uint64_t>(c, false);
  default:
    return nullptr;
  }
}

/// Comparison operator, combination and .ftz; fills mode and target. The unsigned spellings lo, ls,
/// hi and hs are lt, le, gt and ge.
bool takeComparison(Decoder &d, Compare &comparison, bool &ftz) {
  int which = -1;
  for (int i = 0; i < 14 && which < 0; ++i)
    if (d.take(comparisonWords[i]))
      which = i;
  if (which < 0) {
    int alias = d.takeOneOf({"lo", "ls", "hi", "hs"});
    which = alias < 0 ? -1 : alias + static_cast<int>(Compare::Lt);
  }
  if (which < 0)
    return !d.fail("{}: the comparison (.eq, .ne, .lt, ...) is missing", d.spelling());
  comparison = static_cast<Compare>(which);
  int combine = d.takeOneOf({"and", "or", "xor"});
  d.op.mode = static_cast<uint8_t>(combine + 1);
  ftz = d.take("ftz");
  d.op.target = static_cast<uint32_t>(which) | (ftz ? 0x100 : 0);
  return true;
}

/// The predicate operand behind a and b, when a combination is asked.
bool takeCombineOperand(Decoder &d, unsigned index) {
  bool combined = d.op.mode != 0;
  if (!d.expectOperands(index + combined))
    return false;
  if (!combined)
    return true;
  d.op.psrc = d.predicateSource(d.operand(index));
  d.op.mode2 = d.operand(index).negated;
  return true;
}

} // namespace

bool decodeSetp(Decoder &d) {
  Compare comparison{};
  bool ftz = false;
  if (!takeComparison(d, comparison, ftz))
    return true;
  DataType type = d.takeType();
  if (!takeCombineOperand(d, 3))
    return true;
  const Operand &dst = d.operand(0);
  bool pair = dst.kind == Operand::Kind::Pair;
  d.op.pdst = d.predicateDestination(pair ? dst.children[0] : dst);
  if (pair)
    d.op.count = d.predicateDestination(dst.children[1]);
  if (type.is("f16x2") || type.is("bf16x2")) {
    if (!pair)
      return d.fail("{}: two predicates, p|q, are needed", d.spelling());
  }
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, type);
  Handler handler = handlerFor(type, comparison, ftz);
  if (!handler)
    return d.fail("{}: this comparison does not exist for .{}", d.spelling(), type.word);
  d.set(handler, OpClass::Compare);
  return true;
}

namespace {

/// Turns the predicate that the setp part left in scratch into a number.
template <class T, T True> Flow predicateToNumber(Warp &w, const Op &op, uint32_t mask) {
  uint32_t bits = w.predicates[op.psrc];
  uint32_t *out = w.cells<uint32_t>(op.dst);
  for (int lane = 0; lane < 32; ++lane)
    if ((mask >> lane) & 1)
      out[lane] = (bits >> lane) & 1 ? True : 0;
  w.setTaint(op.dst, mask, w.predicateTaint[op.psrc]);
  return Flow::Next;
}
/// set.f16x2: low and high result from two predicates.
template <uint32_t True> Flow predicatesToPair(Warp &w, const Op &op, uint32_t mask) {
  uint32_t low = w.predicates[op.psrc], high = w.predicates[op.psrc + 1];
  uint32_t *out = w.cells<uint32_t>(op.dst);
  forLanes(mask, [&](int lane) {
    out[lane] = ((low >> lane) & 1 ? True : 0) | ((high >> lane) & 1 ? True << 16 : 0);
  });
  w.setTaint(op.dst, mask, w.predicateTaint[op.psrc] | w.predicateTaint[op.psrc + 1]);
  return Flow::Next;
}

} // namespace

bool decodeSet(Decoder &d) {
  Compare comparison{};
  bool ftz = false;
  if (!takeComparison(d, comparison, ftz))
    return true;
  auto result = d.peekType(), source = d.peekType(1);
  if (!result || !source)
    return d.fail("{}: set takes two types", d.spelling());
  d.take(result->word);
  d.take(source->word);
  if (!takeCombineOperand(d, 3))
    return true;
  // A comparison into predicates of its own, then predicates to numbers.
  bool pair = source->is("f16x2") || source->is("bf16x2");
  Op compare = d.op;
  compare.pdst = d.program().allocatePredicate();
  uint16_t second = d.program().allocatePredicate();
  compare.count = pair ? second : 0;
  compare.a = d.source(1, *source);
  compare.b = d.source(2, *source);
  compare.run = handlerFor(*source, comparison, ftz);
  compare.opClass = OpClass::Compare;
  if (!compare.run)
    return d.fail("{}: this comparison does not exist for .{}", d.spelling(), source->word);
  d.program().emitBefore(compare);
  uint32_t guard = d.op.guard, flip = d.op.guardFlip;
  d.op = Op();
  d.op.guard = guard;
  d.op.guardFlip = flip;
  d.op.psrc = compare.pdst;
  d.op.dst = d.destination(0, *result);
  Handler handler = nullptr;
  if (pair)
    handler = result->is("f16x2")    ? &predicatesToPair<0x3C00>
              : result->is("bf16x2") ? &predicatesToPair<0x3F80>
              : result->bits == 32   ? &predicatesToPair<0xFFFF>
                                     : nullptr;
  else if (result->is("u32") || result->is("s32"))
    handler = &predicateToNumber<uint32_t, 0xFFFFFFFFu>;
  else if (result->is("f32"))
    handler = &predicateToNumber<uint32_t, 0x3F800000u>;
  else if (result->is("u16") || result->is("s16"))
    handler = &predicateToNumber<uint32_t, 0xFFFFu>;
  else if (result->is("f16"))
    handler = &predicateToNumber<uint32_t, 0x3C00u>;
  else if (result->is("bf16"))
    handler = &predicateToNumber<uint32_t, 0x3F80u>;
  if (!handler)
    return d.fail("{}: set does not give .{}", d.spelling(), result->word);
  d.set(handler, OpClass::Compare);
  return true;
}

//===----------------------------------------------------------------------===//
// selp and slct: the taint of the value that was chosen
//===----------------------------------------------------------------------===//

namespace {

template <class Cell>
[[gnu::always_inline]] inline void select(Warp &w, const Op &op, uint32_t mask, uint32_t chosen) {
  const Cell *a = w.cells<Cell>(op.a), *b = w.cells<Cell>(op.b);
  Cell *out = w.cells<Cell>(op.dst);
  alignas(64) Cell result[32];
  MSA_PTXSIM_LANE_LOOP
  for (int lane = 0; lane < 32; ++lane)
    result[lane] = (chosen >> lane) & 1 ? a[lane] : b[lane];
  blend(out, result, mask);
}
template <class Cell>
[[gnu::always_inline]] inline void selpBody(Warp &w, const Op &op, uint32_t mask) {
  uint32_t chosen = w.predicates[op.psrc] ^ (op.mode ? fullMask : 0);
  w.setTaint(op.dst, mask,
             (w.taintOf(op.a) & chosen) | (w.taintOf(op.b) & ~chosen) | w.predicateTaint[op.psrc]);
  select<Cell>(w, op, mask, chosen);
}
template <class Cell> Flow selpPlain(Warp &w, const Op &op, uint32_t mask) {
  selpBody<Cell>(w, op, mask);
  return Flow::Next;
}
template <class Cell> MSA_PTXSIM_WIDE Flow selpWide(Warp &w, const Op &op, uint32_t mask) {
  selpBody<Cell>(w, op, mask);
  return Flow::Next;
}

template <class Cell, bool Float> Flow slct(Warp &w, const Op &op, uint32_t mask) {
  uint32_t chosen = 0;
  const uint32_t *c = w.cells<uint32_t>(op.c);
  for (int lane = 0; lane < 32; ++lane) {
    // -0 is not below 0; NaN chooses b; .ftz makes a negative subnormal -0.
    float f = numerics::floatOf(c[lane]);
    bool first =
        Float ? (op.mode ? numerics::flush(f) : f) >= 0 : static_cast<int32_t>(c[lane]) >= 0;
    chosen |= first ? 1u << lane : 0;
  }
  w.setTaint(op.dst, mask,
             (w.taintOf(op.a) & chosen) | (w.taintOf(op.b) & ~chosen) | w.taintOf(op.c));
  select<Cell>(w, op, mask, chosen);
  return Flow::Next;
}

} // namespace

bool decodeSelp(Decoder &d) {
  DataType type = d.takeType();
  if (!d.expectOperands(4))
    return true;
  if (type.bits != 16 && type.bits != 32 && type.bits != 64)
    return d.fail("{}: accepted: 16, 32 and 64 bits", d.spelling());
  d.op.dst = d.destination(0, type);
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, type);
  d.op.psrc = d.predicateSource(d.operand(3));
  d.op.mode = d.operand(3).negated;
  if (type.bits == 64)
    d.set(hostIsWide() ? &selpWide<uint64_t> : &selpPlain<uint64_t>, OpClass::Compare);
  else
    d.set(hostIsWide() ? &selpWide<uint32_t> : &selpPlain<uint32_t>, OpClass::Compare);
  return true;
}

bool decodeSlct(Decoder &d) {
  bool ftz = d.take("ftz");
  auto type = d.peekType();
  if (!type)
    return d.fail("{}: slct takes two types", d.spelling());
  d.take(type->word);
  DataType selector = d.takeType();
  if (!d.expectOperands(4))
    return true;
  if (!(selector.is("s32") || selector.is("f32")) ||
      (type->bits != 16 && type->bits != 32 && type->bits != 64))
    return d.fail("{}: accepted: slct of 16, 32 and 64 bits by .s32 or .f32", d.spelling());
  d.op.dst = d.destination(0, *type);
  d.op.a = d.source(1, *type);
  d.op.b = d.source(2, *type);
  d.op.c = d.source(3, selector);
  d.op.mode = ftz;
  bool isFloat = selector.is("f32");
  if (type->bits == 64)
    d.set(isFloat ? &slct<uint64_t, true> : &slct<uint64_t, false>, OpClass::Compare);
  else
    d.set(isFloat ? &slct<uint32_t, true> : &slct<uint32_t, false>, OpClass::Compare);
  return true;
}

} // namespace msa::ptxsim

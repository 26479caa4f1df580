//===- FloatArithmetic.cpp - PTX ISA 9.7.3 ---------------------------------------===//
//
// f32 and f64. Round-to-nearest forms are host arithmetic (built without
// contraction; fma is always fused); .rz .rm .rp go through numerics, which never
// touches the host's rounding mode. f32 results that are NaN are the canonical
// 0x7FFFFFFF, as on hardware.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/isa/Families.h"
#include "ptxsim/numerics/Approx.h"
#include "ptxsim/numerics/DirectedRounding.h"
#include "ptxsim/numerics/HalfMath.h"

#include <cmath>

namespace msa::ptxsim {

using namespace numerics;

namespace {

/// Bits of Op::mode of an f32 instruction.
enum FloatMode : uint8_t { roundingBits = 7, ftzBit = 8, satBit = 16 };

Rounding roundingOf(const Op &op) { return static_cast<Rounding>(op.mode & roundingBits); }
float in(const Op &op, float x) { return op.mode & ftzBit ? flush(x) : x; }
float out(const Op &op, float x) {
  if (op.mode & ftzBit)
    x = flush(x);
  return op.mode & satBit ? saturate(x) : x;
}

bool isFloatForm(Decoder &d) {
  auto type = d.peekType();
  return type && (type->is("f32") || type->is("f64"));
}

struct Form {
  bool isDouble = false, ftz = false, sat = false;
  uint8_t rounding = 0;
  bool hasRounding = false;
};

/// Takes rounding, .ftz, .sat and the type.
Form takeForm(Decoder &d) {
  Form form;
  auto rounding = d.takeRounding();
  form.hasRounding = rounding.has_value();
  form.rounding = rounding.value_or(0);
  form.ftz = d.take("ftz");
  form.sat = d.take("sat");
  form.isDouble = d.takeType().is("f64");
  if (form.isDouble && (form.ftz || form.sat))
    d.fail("{}: .ftz and .sat are for .f32", d.spelling());
  d.op.mode =
      static_cast<uint8_t>(form.rounding | (form.ftz ? ftzBit : 0) | (form.sat ? satBit : 0));
  return form;
}

DataType typeOf(const Form &form) { return *dataTypeFromWord(form.isDouble ? "f64" : "f32"); }

/// The handler of F with .ftz and .sat as `form` says, vectorised.
template <auto F, bool Ftz, bool Sat, class... A> float shaped(A... a) {
  float r = F((Ftz ? flush(a) : a)...);
  r = r == r ? r : floatOf(0x7FFFFFFFu);
  if (Ftz)
    r = flush(r);
  return Sat ? saturate(r) : r;
}
template <auto F, class... A> Handler shapedHandler(const Form &form) {
  if (form.ftz)
    return form.sat ? mapped<shaped<F, true, true, A...>>()
                    : mapped<shaped<F, true, false, A...>>();
  return form.sat ? mapped<shaped<F, false, true, A...>>()
                  : mapped<shaped<F, false, false, A...>>();
}

/// Sets the handler of a two-operand operation. F, G: nearest; FR, GR: any rounding.
template <auto F, auto G, auto FR, auto GR> void binary(Decoder &d, const Form &form) {
  d.uniform(typeOf(form), 2);
  if (form.isDouble) {
    d.set(
        form.rounding == 0
            ? mapped<G>()
            : &eachLane<[](const Op &op, double a, double b) { return GR(a, b, roundingOf(op)); }>,
        OpClass::Double);
    return;
  }
  d.set(form.rounding == 0 ? shapedHandler<F, float, float>(form)
                           : &eachLane<[](const Op &op, float a, float b) {
                               return out(op, FR(in(op, a), in(op, b), roundingOf(op)));
                             }>,
        OpClass::Float);
}

} // namespace

bool decodeAddFloat(Decoder &d) {
  if (!isFloatForm(d))
    return false;
  Form form = takeForm(d);
  binary<[](float a, float b) { return a + b; }, [](double a, double b) { return a + b; }, addF32,
         addF64>(d, form);
  return true;
}

bool decodeSubFloat(Decoder &d) {
  if (!isFloatForm(d))
    return false;
  Form form = takeForm(d);
  binary<[](float a, float b) { return a - b; }, [](double a, double b) { return a - b; }, subF32,
         subF64>(d, form);
  return true;
}

bool decodeMulFloat(Decoder &d) {
  if (!isFloatForm(d))
    return false;
  Form form = takeForm(d);
  binary<[](float a, float b) { return a * b; }, [](double a, double b) { return a * b; }, mulF32,
         mulF64>(d, form);
  return true;
}

namespace {

/// fma.rn of 32 lanes. With an FMA unit the builtin is one instruction; without, it is done in
/// double.
template <bool Ftz, bool Sat> MSA_PTXSIM_WIDE Flow fmaWide(Warp &w, const Op &op, uint32_t mask) {
  mapBody<[](float a, float b, float c) {
    return shaped<[](float x, float y, float z) { return __builtin_fmaf(x, y, z); }, Ftz, Sat>(a, b,
                                                                                               c);
  }>(w, op, mask, static_cast<float (*)(float, float, float)>(nullptr));
  return Flow::Next;
}
template <bool Ftz, bool Sat> Flow fmaPlain(Warp &w, const Op &op, uint32_t mask) {
  mapBody<[](float a, float b, float c) { return shaped<fmaNearestF32, Ftz, Sat>(a, b, c); }>(
      w, op, mask, static_cast<float (*)(float, float, float)>(nullptr));
  return Flow::Next;
}
template <bool Ftz, bool Sat> Handler fmaHandler() {
  return hostIsWide() ? &fmaWide<Ftz, Sat> : &fmaPlain<Ftz, Sat>;
}

void setFma(Decoder &d, const Form &form) {
  d.uniform(typeOf(form), 3);
  if (form.isDouble) {
    d.set(
        form.rounding == 0
            ? &eachLane<[](const Op &, double a, double b, double c) { return std::fma(a, b, c); }>
            : &eachLane<[](const Op &op, double a, double b, double c) {
                return fmaF64(a, b, c, roundingOf(op));
              }>,
        OpClass::Double);
    return;
  }
  if (form.rounding != 0)
    d.set(&eachLane<[](const Op &op, float a, float b, float c) {
      return out(op, fmaF32(in(op, a), in(op, b), in(op, c), roundingOf(op)));
    }>,
          OpClass::Float);
  else if (form.ftz)
    d.set(form.sat ? fmaHandler<true, true>() : fmaHandler<true, false>(), OpClass::Float);
  else
    d.set(form.sat ? fmaHandler<false, true>() : fmaHandler<false, false>(), OpClass::Float);
}

} // namespace

bool decodeFmaFloat(Decoder &d) {
  if (!isFloatForm(d))
    return false;
  Form form = takeForm(d);
  if (!form.hasRounding)
    return d.fail("{}: the rounding (.rn, .rz, .rm, .rp) is missing", d.spelling());
  setFma(d, form);
  return true;
}

bool decodeMadFloat(Decoder &d) {
  if (!isFloatForm(d))
    return false;
  // For sm_20 and up mad.f32 is fma.
  Form form = takeForm(d);
  setFma(d, form);
  return true;
}

bool decodeDivFloat(Decoder &d) {
  if (!isFloatForm(d))
    return false;
  int approximate = d.takeOneOf({"approx", "full"});
  Form form = takeForm(d);
  d.uniform(typeOf(form), 2);
  if (approximate >= 0 && form.isDouble)
    return d.fail("{}: .approx and .full are for .f32", d.spelling());
  if (approximate < 0 && !form.hasRounding)
    return d.fail("{}: the rounding (.rn, .rz, .rm, .rp), .approx or .full is missing",
                  d.spelling());
  if (form.isDouble)
    d.set(form.rounding == 0 ? mapped<[](double a, double b) { return a / b; }>()
                             : &eachLane<[](const Op &op, double a, double b) {
                                 return divF64(a, b, roundingOf(op));
                               }>,
          OpClass::Double);
  else if (approximate == 0)
    d.set(&eachLane<[](const Op &op, float a, float b) {
      return out(op, divApprox(a, b, op.mode & ftzBit));
    }>,
          OpClass::Float);
  else if (approximate == 1)
    d.set(&eachLane<[](const Op &op, float a, float b) {
      return out(op, divFull(a, b, op.mode & ftzBit));
    }>,
          OpClass::Float);
  else if (form.rounding == 0)
    d.set(shapedHandler<[](float a, float b) { return a / b; }, float, float>(form),
          OpClass::Float);
  else
    d.set(&eachLane<[](const Op &op, float a, float b) {
      return out(op, divF32(in(op, a), in(op, b), roundingOf(op)));
    }>,
          OpClass::Float);
  return true;
}

bool decodeRcp(Decoder &d) {
  bool approximate = d.take("approx");
  auto type = d.peekType();
  if (approximate && type && type->is("f64")) {
    if (!d.take("ftz"))
      return d.fail("{}: accepted: rcp.approx.ftz.f64", d.spelling());
    d.uniform(d.takeType(), 1);
    d.set(&eachLane<[](const Op &, double a) { return rcpApproxFtzF64(a); }>, OpClass::Double);
    return true;
  }
  Form form = takeForm(d);
  d.uniform(typeOf(form), 1);
  if (!approximate && !form.hasRounding)
    return d.fail("{}: the rounding (.rn, .rz, .rm, .rp) or .approx is missing", d.spelling());
  if (form.isDouble)
    d.set(&eachLane<[](const Op &op, double a) { return divF64(1.0, a, roundingOf(op)); }>,
          OpClass::Double);
  else if (approximate)
    d.set(&eachLane<[](const Op &op, float a) { return rcpApprox(a, op.mode & ftzBit); }>,
          OpClass::Float);
  else
    d.set(&eachLane<[](const Op &op, float a) {
      return out(op, divF32(1.0f, in(op, a), roundingOf(op)));
    }>,
          OpClass::Float);
  return true;
}

bool decodeSqrt(Decoder &d) {
  bool approximate = d.take("approx");
  Form form = takeForm(d);
  d.uniform(typeOf(form), 1);
  if (!approximate && !form.hasRounding)
    return d.fail("{}: the rounding (.rn, .rz, .rm, .rp) or .approx is missing", d.spelling());
  if (form.isDouble && approximate)
    return d.fail("{}: .approx is for .f32", d.spelling());
  if (form.isDouble)
    d.set(&eachLane<[](const Op &op, double a) { return sqrtF64(a, roundingOf(op)); }>,
          OpClass::Double);
  else if (approximate)
    d.set(&eachLane<[](const Op &op, float a) { return sqrtApprox(a, op.mode & ftzBit); }>,
          OpClass::Float);
  else
    d.set(&eachLane<[](const Op &op, float a) {
      return out(op, sqrtF32(in(op, a), roundingOf(op)));
    }>,
          OpClass::Float);
  return true;
}

bool decodeRsqrt(Decoder &d) {
  if (!d.take("approx"))
    return d.fail("{}: .approx is missing", d.spelling());
  bool ftz = d.take("ftz");
  DataType type = d.takeType();
  d.uniform(type, 1);
  d.op.mode = ftz ? ftzBit : 0;
  if (type.is("f64"))
    d.set(ftz ? &eachLane<[](const Op &, double a) { return rsqrtApproxFtzF64(a); }>
              : &eachLane<[](const Op &, double a) { return rsqrtApproxF64(a); }>,
          OpClass::Double);
  else if (type.is("f32"))
    d.set(&eachLane<[](const Op &op, float a) { return rsqrtApprox(a, op.mode & ftzBit); }>,
          OpClass::Float);
  else
    d.fail("{}: accepted: .f32 and .f64", d.spelling());
  return true;
}

namespace {
/// name.approx{.ftz}.f32
bool approximateUnary(Decoder &d, Handler handler) {
  if (!d.take("approx"))
    return d.fail("{}: .approx is missing", d.spelling());
  d.op.mode = d.take("ftz") ? ftzBit : 0;
  DataType type = d.takeType();
  if (!type.is("f32"))
    return d.fail("{}: accepted: .f32", d.spelling());
  d.uniform(type, 1);
  d.set(handler, OpClass::Float);
  return true;
}
} // namespace

bool decodeSin(Decoder &d) {
  return approximateUnary(
      d, &eachLane<[](const Op &op, float a) { return sinApprox(a, op.mode & ftzBit); }>);
}
bool decodeCos(Decoder &d) {
  return approximateUnary(
      d, &eachLane<[](const Op &op, float a) { return cosApprox(a, op.mode & ftzBit); }>);
}
bool decodeLg2(Decoder &d) {
  return approximateUnary(
      d, &eachLane<[](const Op &op, float a) { return lg2Approx(a, op.mode & ftzBit); }>);
}

bool decodeEx2Float(Decoder &d) {
  auto type = d.peekType();
  if (!type || !type->is("f32"))
    return false;
  bool ftz = d.has("ftz");
  return approximateUnary(d, ftz ? mapped<[](float a) { return ex2Approx(flush(a), true); }>()
                                 : mapped<[](float a) { return ex2Approx(a, false); }>());
}

bool decodeTanhFloat(Decoder &d) {
  auto type = d.peekType();
  if (!type || !type->is("f32"))
    return false;
  return approximateUnary(d, &eachLane<[](const Op &, float a) { return tanhApprox(a); }>);
}

bool decodeAbsFloat(Decoder &d) {
  if (!isFloatForm(d))
    return false;
  bool ftz = d.take("ftz");
  DataType type = d.takeType();
  d.uniform(type, 1);
  if (type.is("f64"))
    d.set(mapped<[](uint64_t a) { return a & 0x7FFFFFFFFFFFFFFFull; }>(), OpClass::Double);
  else
    d.set(ftz ? mapped<[](uint32_t a) { return bitsOf(flush(floatOf(a))) & 0x7FFFFFFFu; }>()
              : mapped<[](uint32_t a) { return a & 0x7FFFFFFFu; }>(),
          OpClass::Float);
  return true;
}

bool decodeNegFloat(Decoder &d) {
  if (!isFloatForm(d))
    return false;
  bool ftz = d.take("ftz");
  DataType type = d.takeType();
  d.uniform(type, 1);
  if (type.is("f64"))
    d.set(mapped<[](uint64_t a) { return a ^ 0x8000000000000000ull; }>(), OpClass::Double);
  else
    d.set(ftz ? mapped<[](uint32_t a) { return bitsOf(flush(floatOf(a))) ^ 0x80000000u; }>()
              : mapped<[](uint32_t a) { return a ^ 0x80000000u; }>(),
          OpClass::Float);
  return true;
}

namespace {

/// min or max of numbers: NaN operands lose, -0 < +0; both NaN gives the canonical NaN.
template <bool Max> float plainMinMax(float a, float b) {
  // Ordering the bits as signed integers (negative numbers reversed) orders -0 below +0.
  int32_t x = static_cast<int32_t>(bitsOf(a)), y = static_cast<int32_t>(bitsOf(b));
  int32_t kx = x ^ ((x >> 31) & 0x7FFFFFFF), ky = y ^ ((y >> 31) & 0x7FFFFFFF);
  float r = (kx < ky) != Max ? a : b;
  r = a != a ? b : r;
  r = b != b ? a : r;
  return r == r ? r : floatOf(0x7FFFFFFFu);
}

enum MinMaxBits : uint8_t { nanBit = 1, absBit = 2, xorsignBit = 4, maxBit = 8 };

MinMaxModifiers modifiersOf(const Op &op) {
  return {(op.mode2 & nanBit) != 0, (op.mode2 & absBit) != 0, (op.mode2 & xorsignBit) != 0};
}

template <bool Max> bool minMaxFloat(Decoder &d) {
  if (!isFloatForm(d))
    return false;
  bool ftz = d.take("ftz");
  uint8_t bits = Max ? maxBit : 0;
  bits |= d.take("NaN") ? nanBit : 0;
  bits |= d.take("xorsign") ? xorsignBit : 0;
  bits |= d.take("abs") ? absBit : 0;
  DataType type = d.takeType();
  bool three = d.operandCount() == 4;
  d.uniform(type, three ? 3 : 2);
  d.op.mode = ftz ? ftzBit : 0;
  d.op.mode2 = bits;
  if (type.is("f64")) {
    if (bits & ~maxBit || ftz || three)
      return d.fail("{}: the .f64 form takes two operands and no modifier", d.spelling());
    d.set(&eachLane<[](const Op &, double a, double b) { return minMaxF64(Max, a, b); }>,
          OpClass::Double);
    return true;
  }
  if (bits & nanBit)
    d.require(70, 80, ".NaN");
  if (bits & xorsignBit) {
    d.require(72, 86, ".xorsign.abs");
    if (!(bits & absBit) || three)
      return d.fail("{}: .xorsign goes with .abs and two operands", d.spelling());
  } else if ((bits & absBit) && !three) {
    return d.fail("{}: .abs without .xorsign is for three operands", d.spelling());
  }
  if (three) {
    d.require(88, 100, "three operands");
    d.set(&eachLane<[](const Op &op, float a, float b, float c) {
      return out(op, minMaxF32(Max, in(op, a), in(op, b), in(op, c), modifiersOf(op)));
    }>,
          OpClass::Float);
  } else if (bits & ~maxBit) {
    d.set(&eachLane<[](const Op &op, float a, float b) {
      return out(op, minMaxF32(Max, in(op, a), in(op, b), modifiersOf(op)));
    }>,
          OpClass::Float);
  } else {
    d.set(ftz ? mapped<[](float a, float b) { return plainMinMax<Max>(flush(a), flush(b)); }>()
              : mapped<plainMinMax<Max>>(),
          OpClass::Float);
  }
  return true;
}

} // namespace

bool decodeMinFloat(Decoder &d) { return minMaxFloat<false>(d); }
bool decodeMaxFloat(Decoder &d) { return minMaxFloat<true>(d); }

namespace {
/// testp's classes, by the bits of an IEEE number.
template <class Code> bool classify(unsigned which, Code code, unsigned fractionBits) {
  const Code magnitude = static_cast<Code>(code << 1) >> 1;
  const Code infinity = ((Code{1} << (sizeof(Code) * 8 - 1 - fractionBits)) - 1) << fractionBits;
  switch (which) {
  case 0:
    return magnitude < infinity;
  case 1:
    return magnitude == infinity;
  case 2:
    return magnitude <= infinity;
  case 3:
    return magnitude > infinity;
  case 4:
    // Zero counts as normal.
    return magnitude == 0 || (magnitude < infinity && (magnitude >> fractionBits) != 0);
  default:
    return magnitude != 0 && (magnitude >> fractionBits) == 0;
  }
}
template <class Code> Flow testProperty(Warp &w, const Op &op, uint32_t mask) {
  uint32_t result = 0;
  forLanes(mask, [&](int lane) {
    if (classify<Code>(op.mode, w.cells<Code>(op.a)[lane], sizeof(Code) == 8 ? 52 : 23))
      result |= 1u << lane;
  });
  w.setPredicate(op.pdst, mask, result, w.taintOf(op.a));
  return Flow::Next;
}
} // namespace

bool decodeTestp(Decoder &d) {
  int which = d.takeOneOf({"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  DataType type = d.takeType();
  if (which < 0 || !(type.is("f32") || type.is("f64")))
    return d.fail("{}: accepted: testp.finite .infinite .number .notanumber .normal .subnormal of "
                  ".f32 and .f64",
                  d.spelling());
  if (!d.expectOperands(2))
    return true;
  d.op.mode = static_cast<uint8_t>(which);
  d.op.pdst = d.predicateDestination(d.operand(0));
  d.op.a = d.source(1, type);
  d.set(type.is("f64") ? &testProperty<uint64_t> : &testProperty<uint32_t>, OpClass::Compare);
  return true;
}

bool decodeCopysign(Decoder &d) {
  DataType type = d.takeType();
  d.uniform(type, 2);
  // d = b with the sign of a.
  if (type.is("f64"))
    d.set(mapped<[](uint64_t a, uint64_t b) {
            return (a & 0x8000000000000000ull) | (b & 0x7FFFFFFFFFFFFFFFull);
          }>(),
          OpClass::Double);
  else
    d.set(mapped<[](uint32_t a, uint32_t b) { return (a & 0x80000000u) | (b & 0x7FFFFFFFu); }>(),
          OpClass::Float);
  return true;
}

} // namespace msa::ptxsim

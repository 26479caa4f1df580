//===- MixedPrecision.cpp - PTX ISA 9.7.5: f32 arithmetic on f16 and bf16 operands -----------===//
//
// add.f32.f16 d, a, c and the like: the 16-bit operands are widened exactly, then
// the f32 instruction is done with one rounding.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/isa/Families.h"
#include "ptxsim/numerics/DirectedRounding.h"

namespace msa::ptxsim {

using namespace numerics;

namespace {

/// Op::mode: rounding in the low three bits, then these.
enum : uint8_t { satBit = 8, bf16Bit = 16 };

float widen(const Op &op, uint16_t code) {
  return op.mode & bf16Bit ? bf16ToF32(code) : f16ToF32(code);
}
float finish(const Op &op, float value) { return op.mode & satBit ? saturate(value) : value; }
Rounding roundingOf(const Op &op) { return static_cast<Rounding>(op.mode & 7); }

/// Takes rounding, .sat and both types; false for another form.
bool takeMixed(Decoder &d, DataType &narrow) {
  auto first = d.peekType(), second = d.peekType(1);
  if (!first || !second || !first->is("f32") || !(second->is("f16") || second->is("bf16")))
    return false;
  narrow = *second;
  uint8_t rounding = d.takeRounding().value_or(0);
  bool sat = d.take("sat");
  d.take(first->word);
  d.take(second->word);
  d.op.mode =
      static_cast<uint8_t>(rounding | (sat ? satBit : 0) | (narrow.is("bf16") ? bf16Bit : 0));
  return true;
}

bool decodeSum(Decoder &d, Handler handler) {
  DataType narrow, single = *dataTypeFromWord("f32");
  if (!takeMixed(d, narrow))
    return false;
  if (!d.expectOperands(3))
    return true;
  d.op.dst = d.destination(0, single);
  d.op.a = d.source(1, narrow);
  d.op.b = d.source(2, single);
  d.set(handler, OpClass::Float);
  return true;
}

} // namespace

bool decodeAddMixed(Decoder &d) {
  return decodeSum(d, &eachLane<[](const Op &op, uint16_t a, float c) {
                     return finish(op, addF32(widen(op, a), c, roundingOf(op)));
                   }>);
}

bool decodeSubMixed(Decoder &d) {
  return decodeSum(d, &eachLane<[](const Op &op, uint16_t a, float c) {
                     return finish(op, subF32(widen(op, a), c, roundingOf(op)));
                   }>);
}

bool decodeFmaMixed(Decoder &d) {
  DataType narrow, single = *dataTypeFromWord("f32");
  if (!takeMixed(d, narrow))
    return false;
  if (!d.expectOperands(4))
    return true;
  d.op.dst = d.destination(0, single);
  d.op.a = d.source(1, narrow);
  d.op.b = d.source(2, narrow);
  d.op.c = d.source(3, single);
  d.set(&eachLane<[](const Op &op, uint16_t a, uint16_t b, float c) {
    return finish(op, fmaF32(widen(op, a), widen(op, b), c, roundingOf(op)));
  }>,
        OpClass::Float);
  return true;
}

} // namespace msa::ptxsim

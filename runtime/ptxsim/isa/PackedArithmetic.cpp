//===- PackedArithmetic.cpp - PTX ISA 9.7.3: add, sub, mul, fma of f32x2 -------------------===//
//
// Two f32 in a 64-bit register, each computed as the scalar instruction does.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/isa/Families.h"
#include "ptxsim/numerics/DirectedRounding.h"

namespace msa::ptxsim {

using namespace numerics;

namespace {

enum class PackedOp : uint8_t { Add, Sub, Mul, Fma };
/// Op::mode: rounding in the low three bits.
constexpr uint8_t ftzBit = 8;

template <PackedOp O> float one(const Op &op, float a, float b, float c) {
  auto rounding = static_cast<Rounding>(op.mode & 7);
  bool ftz = op.mode & ftzBit;
  if (ftz) {
    a = flush(a);
    b = flush(b);
    c = flush(c);
  }
  float r = O == PackedOp::Add   ? addF32(a, b, rounding)
            : O == PackedOp::Sub ? subF32(a, b, rounding)
            : O == PackedOp::Mul ? mulF32(a, b, rounding)
                                 : fmaF32(a, b, c, rounding);
  return ftz ? flush(r) : r;
}

template <PackedOp O> uint64_t both(const Op &op, uint64_t a, uint64_t b, uint64_t c) {
  auto half = [&](unsigned shift) {
    auto part = [&](uint64_t x) { return floatOf(static_cast<uint32_t>(x >> shift)); };
    return uint64_t{bitsOf(one<O>(op, part(a), part(b), part(c)))} << shift;
  };
  return half(0) | half(32);
}

template <PackedOp O> bool decodePacked(Decoder &d) {
  auto type = d.peekType();
  if (!type || !type->is("f32x2"))
    return false;
  auto rounding = d.takeRounding();
  if (O == PackedOp::Fma && !rounding)
    return d.fail("{}: the rounding (.rn, .rz, .rm, .rp) is missing", d.spelling());
  bool ftz = d.take("ftz");
  d.op.mode = static_cast<uint8_t>(rounding.value_or(0) | (ftz ? ftzBit : 0));
  d.take(type->word);
  d.uniform(*dataTypeFromWord("b64"), O == PackedOp::Fma ? 3 : 2);
  if constexpr (O == PackedOp::Fma)
    d.set(&eachLane<[](const Op &op, uint64_t a, uint64_t b, uint64_t c) {
      return both<O>(op, a, b, c);
    }>,
          OpClass::Float);
  else
    d.set(&eachLane<[](const Op &op, uint64_t a, uint64_t b) { return both<O>(op, a, b, 0); }>,
          OpClass::Float);
  return true;
}

} // namespace

bool decodeAddPacked(Decoder &d) { return decodePacked<PackedOp::Add>(d); }
bool decodeSubPacked(Decoder &d) { return decodePacked<PackedOp::Sub>(d); }
bool decodeMulPacked(Decoder &d) { return decodePacked<PackedOp::Mul>(d); }
bool decodeFmaPacked(Decoder &d) { return decodePacked<PackedOp::Fma>(d); }

} // namespace msa::ptxsim

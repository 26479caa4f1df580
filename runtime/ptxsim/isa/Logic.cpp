//===- Logic.cpp - PTX ISA 9.7.8: logic and shifts ----------------------------------===//
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

#include <algorithm>

namespace msa::ptxsim {

namespace {

enum class LogicOp : uint8_t { And, Or, Xor, Not };

/// Predicates: one bit operation a warp. An operand that decides alone hides the other's taint.
template <LogicOp O> Flow predicateLogic(Warp &w, const Op &op, uint32_t mask) {
  uint32_t a = w.predicates[op.psrc] ^ (op.mode & 1 ? fullMask : 0), ta = w.predicateTaint[op.psrc];
  if (O == LogicOp::Not) {
    w.setPredicate(op.pdst, mask, ~a, ta);
    return Flow::Next;
  }
  uint32_t b = w.predicates[op.count] ^ (op.mode & 2 ? fullMask : 0),
           tb = w.predicateTaint[op.count];
  uint32_t value = O == LogicOp::And ? a & b : O == LogicOp::Or ? a | b : a ^ b;
  uint32_t tainted = ta | tb;
  if (O == LogicOp::And)
    tainted &= ~((~a & ~ta) | (~b & ~tb));
  if (O == LogicOp::Or)
    tainted &= ~((a & ~ta) | (b & ~tb));
  w.setPredicate(op.pdst, mask, value, tainted);
  return Flow::Next;
}

template <LogicOp O> bool decodeLogic(Decoder &d) {
  constexpr unsigned sources = O == LogicOp::Not ? 1 : 2;
  DataType type = d.takeType();
  if (type.kind == DataType::Kind::Predicate) {
    if (!d.expectOperands(sources + 1))
      return true;
    d.op.pdst = d.predicateDestination(d.operand(0));
    auto read = [&](const Operand &o, uint8_t bit) -> uint16_t {
      if (o.kind == Operand::Kind::Immediate) {
        // A constant predicate: the true one, negated for 0.
        d.op.mode |= o.bits == 0 ? bit : 0;
        return 0;
      }
      d.op.mode |= o.negated ? bit : 0;
      return d.predicateSource(o);
    };
    d.op.psrc = read(d.operand(1), 1);
    if (sources == 2)
      d.op.count = read(d.operand(2), 2);
    d.set(&predicateLogic<O>, OpClass::Logic);
    return true;
  }
  if (type.kind != DataType::Kind::Bits || type.bits < 16 || type.bits > 64)
    return d.fail("{}: accepted: .pred, .b16, .b32, .b64", d.spelling());
  d.uniform(type, sources);
  auto choose = [&]<class T>(T) {
    if constexpr (O == LogicOp::Not)
      d.set(mapped<[](T a) { return static_cast<T>(~a); }>(), OpClass::Logic);
    else
      d.set(mapped<[](T a, T b) {
              return static_cast<T>(O == LogicOp::And ? a & b : O == LogicOp::Or ? a | b : a ^ b);
            }>(),
            OpClass::Logic);
  };
  type.bits == 64 ? choose(uint64_t{}) : type.bits == 32 ? choose(uint32_t{}) : choose(uint16_t{});
  return true;
}

} // namespace

bool decodeAnd(Decoder &d) { return decodeLogic<LogicOp::And>(d); }
bool decodeOr(Decoder &d) { return decodeLogic<LogicOp::Or>(d); }
bool decodeXor(Decoder &d) { return decodeLogic<LogicOp::Xor>(d); }
bool decodeNot(Decoder &d) { return decodeLogic<LogicOp::Not>(d); }

bool decodeCnot(Decoder &d) {
  DataType type = d.takeType();
  d.uniform(type, 1);
  if (type.bits == 64)
    d.set(mapped<[](uint64_t a) { return uint64_t{a == 0}; }>(), OpClass::Logic);
  else if (type.bits == 32)
    d.set(mapped<[](uint32_t a) { return uint32_t{a == 0}; }>(), OpClass::Logic);
  else
    d.set(mapped<[](uint16_t a) { return static_cast<uint16_t>(a == 0); }>(), OpClass::Logic);
  return true;
}

//===----------------------------------------------------------------------===//
// lop3: any function of three bits, its truth table in immLut
//===----------------------------------------------------------------------===//

namespace {

[[gnu::always_inline]] inline void lop3Loop(Warp &w, const Op &op, uint32_t mask) {
  const uint32_t *a = w.cells<uint32_t>(op.a), *b = w.cells<uint32_t>(op.b),
                 *c = w.cells<uint32_t>(op.c);
  uint32_t table[8];
  for (unsigned i = 0; i < 8; ++i)
    table[i] = (op.immediate >> i) & 1 ? fullMask : 0;
  alignas(64) uint32_t result[32];
  MSA_PTXSIM_LANE_LOOP
  for (int lane = 0; lane < 32; ++lane) {
    uint32_t x = a[lane], y = b[lane], z = c[lane];
    // Three levels of multiplexers, z the innermost.
    uint32_t y0x0 = (table[0] & ~z) | (table[1] & z), y1x0 = (table[2] & ~z) | (table[3] & z);
    uint32_t y0x1 = (table[4] & ~z) | (table[5] & z), y1x1 = (table[6] & ~z) | (table[7] & z);
    uint32_t x0 = (y0x0 & ~y) | (y1x0 & y), x1 = (y0x1 & ~y) | (y1x1 & y);
    result[lane] = (x0 & ~x) | (x1 & x);
  }
  uint32_t tainted = w.taintOf(op.a) | w.taintOf(op.b) | w.taintOf(op.c);
  w.setTaint(op.dst, mask, tainted);
  if (op.mode != 0) {
    uint32_t nonzero = 0;
    for (int lane = 0; lane < 32; ++lane)
      nonzero |= result[lane] != 0 ? 1u << lane : 0;
    uint32_t q = w.predicates[op.psrc] ^ (op.mode2 ? fullMask : 0);
    w.setPredicate(op.pdst, mask, op.mode == 1 ? nonzero | q : nonzero & q,
                   tainted | w.predicateTaint[op.psrc]);
  }
  blend(w.cells<uint32_t>(op.dst), result, mask);
}
Flow lop3Plain(Warp &w, const Op &op, uint32_t mask) {
  lop3Loop(w, op, mask);
  return Flow::Next;
}
MSA_PTXSIM_WIDE Flow lop3Wide(Warp &w, const Op &op, uint32_t mask) {
  lop3Loop(w, op, mask);
  return Flow::Next;
}

} // namespace

bool decodeLop3(Decoder &d) {
  int boolean = d.takeOneOf({"or", "and"});
  DataType type = d.takeType();
  if (!type.is("b32"))
    return d.fail("{}: accepted: .b32", d.spelling());
  if (!d.expectOperands(boolean < 0 ? 5 : 6))
    return true;
  const Operand &dst = d.operand(0);
  if (boolean >= 0) {
    d.require(82, 70, "lop3 with a predicate");
    if (dst.kind != Operand::Kind::Pair)
      return d.fail("{}: the destination must be d|p", d.spelling());
    d.op.mode = static_cast<uint8_t>(boolean + 1);
    d.op.pdst = d.predicateDestination(dst.children[1]);
    d.op.psrc = d.predicateSource(d.operand(5));
    d.op.mode2 = d.operand(5).negated;
  }
  d.op.dst = d.destination(boolean < 0 ? dst : dst.children[0], type);
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, type);
  d.op.c = d.source(3, type);
  d.op.immediate = static_cast<int64_t>(d.immediate(d.operand(4), 0, 255));
  d.set(hostIsWide() ? &lop3Wide : &lop3Plain, OpClass::Logic);
  return true;
}

//===----------------------------------------------------------------------===//
// Shifts: amounts above the width clamp
//===----------------------------------------------------------------------===//

bool decodeShl(Decoder &d) {
  DataType type = d.takeType();
  if (!d.expectOperands(3))
    return true;
  d.op.dst = d.destination(0, type);
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, *dataTypeFromWord("u32"));
  if (type.bits == 64)
    d.set(mapped<[](uint64_t a, uint32_t n) { return n > 63 ? 0 : a << n; }>(), OpClass::Logic);
  else if (type.bits == 32)
    d.set(mapped<[](uint32_t a, uint32_t n) { return n > 31 ? 0 : a << n; }>(), OpClass::Logic);
  else if (type.bits == 16)
    d.set(mapped<[](uint16_t a, uint32_t n) {
            return static_cast<uint16_t>(n > 15 ? 0u : uint32_t{a} << n);
          }>(),
          OpClass::Logic);
  else
    d.fail("{}: accepted: .b16, .b32, .b64", d.spelling());
  return true;
}

bool decodeShr(Decoder &d) {
  DataType type = d.takeType();
  if (!d.expectOperands(3))
    return true;
  d.op.dst = d.destination(0, type);
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, *dataTypeFromWord("u32"));
  auto choose = [&]<class T>(T) {
    constexpr uint32_t most = sizeof(T) * 8 - 1;
    if constexpr (std::is_signed_v<T>)
      d.set(mapped<[](T a, uint32_t n) { return static_cast<T>(a >> (n > most ? most : n)); }>(),
            OpClass::Logic);
    else
      d.set(mapped<[](T a, uint32_t n) {
              return static_cast<T>(n > most ? T{0} : static_cast<T>(a >> (n & most)));
            }>(),
            OpClass::Logic);
  };
  bool isSigned = type.isSigned();
  if (type.bits == 64)
    isSigned ? choose(int64_t{}) : choose(uint64_t{});
  else if (type.bits == 32)
    isSigned ? choose(int32_t{}) : choose(uint32_t{});
  else if (type.bits == 16)
    isSigned ? choose(int16_t{}) : choose(uint16_t{});
  else
    d.fail("{}: accepted: 16, 32 and 64 bits", d.spelling());
  return true;
}

namespace {
template <bool Left, bool Wrap> uint32_t funnel(uint32_t a, uint32_t b, uint32_t n) {
  n = Wrap ? n & 31 : std::min(n, 32u);
  uint64_t pair = (uint64_t{b} << 32) | a;
  return static_cast<uint32_t>(Left ? (pair << n) >> 32 : pair >> n);
}
} // namespace

bool decodeShf(Decoder &d) {
  int left = d.takeOneOf({"r", "l"}), wrap = d.takeOneOf({"clamp", "wrap"});
  DataType type = d.takeType();
  if (left < 0 || wrap < 0 || !type.is("b32"))
    return d.fail("{}: accepted: shf.l and shf.r, .clamp and .wrap, .b32", d.spelling());
  d.uniform(type, 3);
  d.set(left ? (wrap ? mapped<funnel<true, true>>() : mapped<funnel<true, false>>())
             : (wrap ? mapped<funnel<false, true>>() : mapped<funnel<false, false>>()),
        OpClass::Logic);
  return true;
}

} // namespace msa::ptxsim

//===- DataMovement.cpp - PTX ISA 9.7.9: mov, cvta, isspacep -----------------------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/AddressSpace.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

#include <algorithm>

namespace msa::ptxsim {

namespace {

Flow movePredicate(Warp &w, const Op &op, uint32_t mask) {
  w.setPredicate(op.pdst, mask, w.predicates[op.psrc] ^ (op.mode ? fullMask : 0),
                 w.predicateTaint[op.psrc]);
  return Flow::Next;
}

/// 128 bits: the two halves of four slots.
Flow moveWide(Warp &w, const Op &op, uint32_t mask) {
  blend(w.cells<uint64_t>(op.dst), w.cells<uint64_t>(op.a), mask);
  blend(w.cells<uint64_t>(op.dst + 2), w.cells<uint64_t>(op.a + 2), mask);
  w.setTaint(op.dst, mask, w.taintOf(op.a));
  return Flow::Next;
}

/// mov.b64 d, {a, b}: `count` elements of `immediate` bits, refs in the list.
template <class Cell> Flow pack(Warp &w, const Op &op, uint32_t mask) {
  const uint32_t *refs = &w.program->lists[op.target];
  alignas(64) Cell result[32] = {};
  uint32_t tainted = 0;
  for (unsigned i = 0; i < op.count; ++i) {
    const uint32_t *from = w.cells<uint32_t>(refs[i]);
    auto shift = static_cast<unsigned>(op.immediate) * i;
    for (int lane = 0; lane < 32; ++lane)
      result[lane] |= static_cast<Cell>(from[lane]) << shift;
    tainted |= w.taintOf(refs[i]);
  }
  blend(w.cells<Cell>(op.dst), result, mask);
  w.setTaint(op.dst, mask, tainted);
  return Flow::Next;
}

/// mov.b64 {a, b}, s
template <class Cell> Flow unpack(Warp &w, const Op &op, uint32_t mask) {
  const uint32_t *refs = &w.program->lists[op.target];
  const auto bits = static_cast<unsigned>(op.immediate);
  const uint32_t field = bits >= 32 ? ~0u : (1u << bits) - 1;
  // The source may be one of the destinations.
  alignas(64) Cell source[32];
  std::memcpy(source, w.cells<Cell>(op.a), sizeof(source));
  uint32_t tainted = w.taintOf(op.a);
  for (unsigned i = 0; i < op.count; ++i) {
    alignas(64) uint32_t part[32];
    for (int lane = 0; lane < 32; ++lane)
      part[lane] = static_cast<uint32_t>(source[lane] >> (bits * i)) & field;
    blend(w.cells<uint32_t>(refs[i]), part, mask);
    w.setTaint(refs[i], mask, tainted);
  }
  return Flow::Next;
}

/// mov.b128 d, {lo, hi} and back: two 64-bit registers.
Flow packHalves(Warp &w, const Op &op, uint32_t mask) {
  alignas(64) uint64_t high[32];
  std::memcpy(high, w.cells<uint64_t>(op.b), sizeof(high));
  uint32_t tainted = w.taintOf(op.a) | w.taintOf(op.b);
  blend(w.cells<uint64_t>(op.dst), w.cells<uint64_t>(op.a), mask);
  blend(w.cells<uint64_t>(op.dst + 2), high, mask);
  w.setTaint(op.dst, mask, tainted);
  return Flow::Next;
}
Flow unpackHalves(Warp &w, const Op &op, uint32_t mask) {
  Ref high = op.b;
  blend(w.cells<uint64_t>(op.dst), w.cells<uint64_t>(op.a), mask);
  blend(w.cells<uint64_t>(high), w.cells<uint64_t>(op.a + 2), mask);
  w.setTaint(op.dst, mask, w.taintOf(op.a));
  w.setTaint(high, mask, w.taintOf(op.a));
  return Flow::Next;
}

bool decodeVectorMove(Decoder &d, const DataType &type, bool toVector) {
  const Operand &vector = d.operand(toVector ? 0 : 1);
  auto count = static_cast<uint32_t>(vector.children.size());
  if (count == 0 || type.bits % count != 0 || type.bits / count < 8)
    return d.fail("{}: {} elements do not make {} bits", d.spelling(), count, type.bits);
  uint32_t bits = type.bits / count;
  if (type.bits == 128) {
    if (count != 2)
      return d.fail("{}: accepted: two 64-bit elements", d.spelling());
    DataType half = *dataTypeFromWord("b64");
    if (toVector) {
      d.op.dst = d.destination(vector.children[0], half);
      d.op.b = d.destination(vector.children[1], half);
      d.op.a = d.source(1, type);
      d.set(&unpackHalves, OpClass::Move);
    } else {
      d.op.dst = d.destination(0, type);
      d.op.a = d.source(vector.children[0], half);
      d.op.b = d.source(vector.children[1], half);
      d.set(&packHalves, OpClass::Move);
    }
    return true;
  }
  DataType element = *dataTypeFromWord(bits == 8 ? "b8" : bits == 16 ? "b16" : "b32");
  std::vector<uint32_t> refs;
  for (const Operand &child : vector.children)
    refs.push_back(toVector ? d.destination(child, element) : d.source(child, element));
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  for (uint32_t ref : refs)
    d.appendList(ref);
  d.op.count = static_cast<uint16_t>(count);
  d.op.immediate = bits;
  bool wide = type.bits == 64;
  if (toVector) {
    d.op.a = d.source(1, type);
    d.set(wide ? &unpack<uint64_t> : &unpack<uint32_t>, OpClass::Move);
  } else {
    d.op.dst = d.destination(0, type);
    d.set(wide ? &pack<uint64_t> : &pack<uint32_t>, OpClass::Move);
  }
  return true;
}

} // namespace

bool decodeMov(Decoder &d) {
  DataType type = d.takeType();
  if (!d.expectOperands(2))
    return true;
  const Operand &dst = d.operand(0), &src = d.operand(1);
  if (type.kind == DataType::Kind::Predicate) {
    d.op.pdst = d.predicateDestination(dst);
    if (src.kind == Operand::Kind::Special && src.special.name == "%is_explicit_cluster")
      d.op.psrc = d.program().explicitClusterPredicate();
    else if (src.kind == Operand::Kind::Immediate)
      d.op.mode = src.bits == 0;
    else {
      d.op.psrc = d.predicateSource(src);
      d.op.mode = src.negated;
    }
    d.set(&movePredicate, OpClass::Move);
    return true;
  }
  if (dst.kind == Operand::Kind::Vector || src.kind == Operand::Kind::Vector)
    return decodeVectorMove(d, type, dst.kind == Operand::Kind::Vector);
  d.uniform(type, 1);
  switch (type.bits) {
  case 128:
    d.set(&moveWide, OpClass::Move);
    break;
  case 64:
    d.set(mapped<[](uint64_t a) { return a; }>(), OpClass::Move);
    break;
  case 32:
  case 16:
  case 8:
    d.set(mapped<[](uint32_t a) { return a; }>(), OpClass::Move);
    break;
  default:
    d.fail("{}: accepted: .pred and 16 to 128 bits", d.spelling());
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Generic addresses
//===----------------------------------------------------------------------===//

namespace {

/// The state space that a modifier names, without "::" details; fails for others.
bool takeSpace(Decoder &d, StateSpace &space) {
  int which = d.takeOneOf({"global", "shared", "shared::cta", "local", "const", "param",
                           "param::entry", "shared::cluster"});
  constexpr StateSpace spaces[] = {StateSpace::Global, StateSpace::Shared,       StateSpace::Shared,
                                   StateSpace::Local,  StateSpace::Const,        StateSpace::Param,
                                   StateSpace::Param,  StateSpace::SharedCluster};
  if (which < 0)
    return !d.fail("{}: the state space is missing", d.spelling());
  space = spaces[which];
  return true;
}

template <class A, class R> Flow addWindow(Warp &w, const Op &op, uint32_t mask) {
  const CellOf<A> *a = w.cells<CellOf<A>>(op.a);
  CellOf<R> *out = w.cells<CellOf<R>>(op.dst);
  forLanes(mask, [&](int lane) {
    out[lane] =
        static_cast<R>(static_cast<uint64_t>(a[lane]) + static_cast<uint64_t>(op.immediate));
  });
  w.setTaint(op.dst, mask, w.taintOf(op.a));
  return Flow::Next;
}

} // namespace

bool decodeCvta(Decoder &d) {
  bool to = d.take("to");
  StateSpace space{};
  if (!takeSpace(d, space))
    return true;
  DataType type = d.takeType();
  if (!d.expectOperands(2))
    return true;
  if (!type.is("u64"))
    return d.fail("{}: accepted: .u64 (modules are of .address_size 64)", d.spelling());
  d.op.dst = d.destination(0, type);
  uint32_t width = 64;
  // Windows are the same for both directions, but shared symbols may be 32-bit registers.
  d.op.a = d.wideSource(d.operand(1), type, width);
  uint64_t window = windowOf(space);
  d.op.immediate = static_cast<int64_t>(to ? 0 - window : window);
  d.set(&addWindow<uint64_t, uint64_t>, OpClass::Move);
  return true;
}

namespace {
Flow isInSpace(Warp &w, const Op &op, uint32_t mask) {
  const uint64_t *a = w.cells<uint64_t>(op.a);
  auto space = static_cast<StateSpace>(op.mode);
  uint32_t result = 0;
  forLanes(mask, [&](int lane) {
    bool inside = space == StateSpace::Global ? a[lane] >= moduleWindow
                                              : a[lane] - windowOf(space) < windowBytes;
    result |= inside ? 1u << lane : 0;
  });
  w.setPredicate(op.pdst, mask, result, w.taintOf(op.a));
  return Flow::Next;
}
} // namespace

bool decodeIsspacep(Decoder &d) {
  StateSpace space{};
  if (!takeSpace(d, space) || !d.expectOperands(2))
    return true;
  d.op.pdst = d.predicateDestination(d.operand(0));
  d.op.a = d.source(1, *dataTypeFromWord("b64"));
  d.op.mode = static_cast<uint8_t>(space);
  d.set(&isInSpace, OpClass::Move);
  return true;
}

} // namespace msa::ptxsim

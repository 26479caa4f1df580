//===- WarpLevel.cpp - PTX ISA 9.7.9.6, 9.7.13.9 to .14: shfl, vote, match, redux, elect ---===//
//
// Lanes may give different member masks (a warp split into tiles): each lane's
// group is the lanes of its own mask. All lanes that any mask names must be here;
// if not, the instruction asks the scheduler to bring them together (X7).
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cta.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/numerics/HalfMath.h"

#include <algorithm>
#include <bit>

namespace msa::ptxsim {

namespace {

/// Checks the member masks in `ref`; Next if all members are here.
Flow gather(Warp &w, const Op &op, Ref ref, uint32_t mask) {
  if (w.checkTaint(w.taintOf(ref) & mask, "the member mask", op) == Flow::Trap)
    return Flow::Trap;
  const uint32_t *members = w.cells<uint32_t>(ref);
  uint32_t need = 0;
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    int lane = std::countr_zero(left);
    need |= members[lane];
    if (!((members[lane] >> lane) & 1) &&
        w.trap(Check::X7, lane,
               fmt::format("the member mask 0x{:08x} does not name the executing lane",
                           members[lane])) == Flow::Trap)
      return Flow::Trap;
  }
  if ((need & w.alive & ~mask) && w.cta->launch->checks.on(Check::X7)) {
    w.need = need & w.alive;
    return Flow::Converge;
  }
  return Flow::Next;
}

/// Calls f(lanes) for each group of lanes with one member mask: `lanes` are its living members
/// here.
template <class F> void forGroups(const Warp &w, Ref ref, uint32_t mask, F f) {
  const uint32_t *members = w.cells<uint32_t>(ref);
  for (uint32_t left = mask; left != 0;) {
    uint32_t own = members[std::countr_zero(left)], group = 0;
    forLanes(left, [&](int lane) { group |= members[lane] == own ? 1u << lane : 0; });
    f(group);
    left &= ~group;
  }
}

//===----------------------------------------------------------------------===//
// shfl
//===----------------------------------------------------------------------===//

enum ShuffleKind : uint8_t { Up, Down, Butterfly, Index };

Flow shuffle(Warp &w, const Op &op, uint32_t mask) {
  Ref membersRef = w.program->lists[op.target];
  if (Flow flow = gather(w, op, membersRef, mask); flow != Flow::Next)
    return flow;
  alignas(64) uint32_t source[32];
  std::memcpy(source, w.cells<uint32_t>(op.a), sizeof(source));
  const uint32_t *b = w.cells<uint32_t>(op.b), *c = w.cells<uint32_t>(op.c),
                 *members = w.cells<uint32_t>(membersRef);
  uint32_t *out = w.cells<uint32_t>(op.dst);
  uint32_t sourceTaint = w.taintOf(op.a), selectTaint = w.taintOf(op.b) | w.taintOf(op.c),
           tainted = 0, inRange = 0;
  forLanes(mask, [&](int lane) {
    // c holds the clamp value in bits 4:0 and the segment mask in bits 12:8.
    int amount = static_cast<int>(b[lane] & 31), clamp = static_cast<int>(c[lane] & 31),
        segment = static_cast<int>((c[lane] >> 8) & 31);
    int most = (lane & segment) | (clamp & ~segment), least = lane & segment, from = lane;
    bool valid = false;
    switch (static_cast<ShuffleKind>(op.mode)) {
    case Up:
      from = lane - amount;
      valid = from >= most;
      break;
    case Down:
      from = lane + amount;
      valid = from <= most;
      break;
    case Butterfly:
      from = lane ^ amount;
      valid = from <= most;
      break;
    case Index:
      from = least | (amount & ~segment);
      valid = from <= most;
      break;
    }
    if (!valid)
      from = lane;
    from &= 31;
    out[lane] = source[from];
    inRange |= valid ? 1u << lane : 0;
    // A lane that is not a member or not here has no value to give.
    bool here = ((members[lane] & mask) >> from) & 1;
    bool bad = !here || ((sourceTaint >> from) & 1) || ((selectTaint >> lane) & 1);
    tainted |= bad && w.cta->launch->checks.on(Check::X4) ? 1u << lane : 0;
  });
  w.setTaint(op.dst, mask, tainted);
  w.setPredicate(op.pdst, mask, inRange, selectTaint);
  return Flow::Next;
}

} // namespace

bool decodeShfl(Decoder &d) {
  if (!d.take("sync"))
    return d.fail("{}: shfl without .sync does not exist since sm_70; accepted: shfl.sync",
                  d.spelling());
  int kind = d.takeOneOf({"up", "down", "bfly", "idx"});
  DataType type = d.takeType();
  if (kind < 0 || !type.is("b32"))
    return d.fail("{}: accepted: shfl.sync.up, .down, .bfly, .idx of .b32", d.spelling());
  if (!d.expectOperands(5))
    return true;
  const Operand &dst = d.operand(0);
  bool pair = dst.kind == Operand::Kind::Pair;
  DataType word = *dataTypeFromWord("b32");
  d.op.dst = d.destination(pair ? dst.children[0] : dst, word);
  d.op.pdst = pair ? d.predicateDestination(dst.children[1]) : 1;
  d.op.a = d.source(1, word);
  d.op.b = d.source(2, word);
  d.op.c = d.source(3, word);
  d.op.target = d.list({d.source(4, word)});
  d.op.mode = static_cast<uint8_t>(kind);
  d.set(&shuffle, OpClass::WarpLevel);
  return true;
}

//===----------------------------------------------------------------------===//
// vote, activemask
//===----------------------------------------------------------------------===//

namespace {

enum VoteKind : uint8_t { All, Any, Uni, Ballot };

Flow vote(Warp &w, const Op &op, uint32_t mask) {
  if (Flow flow = gather(w, op, op.a, mask); flow != Flow::Next)
    return flow;
  uint32_t value = w.predicates[op.psrc] ^ (op.mode2 ? fullMask : 0),
           tainted = w.predicateTaint[op.psrc];
  forGroups(w, op.a, mask, [&](uint32_t group) {
    uint32_t yes = value & group, bad = tainted & group ? group : 0;
    auto kind = static_cast<VoteKind>(op.mode);
    if (kind == Ballot) {
      forLanes(group, [&](int lane) { w.cells<uint32_t>(op.dst)[lane] = yes; });
      w.setTaint(op.dst, group, bad);
      return;
    }
    bool result = kind == All ? yes == group : kind == Any ? yes != 0 : yes == 0 || yes == group;
    w.setPredicate(op.pdst, group, result ? fullMask : 0, bad);
  });
  return Flow::Next;
}

Flow activeMask(Warp &w, const Op &op, uint32_t mask) {
  forLanes(mask, [&](int lane) { w.cells<uint32_t>(op.dst)[lane] = mask; });
  w.setTaint(op.dst, mask, 0);
  return Flow::Next;
}

} // namespace

bool decodeVote(Decoder &d) {
  if (!d.take("sync"))
    return d.fail("{}: vote without .sync does not exist since sm_70; accepted: vote.sync",
                  d.spelling());
  int kind = d.takeOneOf({"all", "any", "uni", "ballot"});
  DataType type = d.takeType();
  if (kind < 0 || (kind == Ballot) != type.is("b32") || (kind != Ballot && !type.is("pred")))
    return d.fail("{}: accepted: vote.sync.all .any .uni of .pred, .ballot.b32", d.spelling());
  if (!d.expectOperands(3))
    return true;
  DataType word = *dataTypeFromWord("b32");
  if (kind == Ballot)
    d.op.dst = d.destination(0, word);
  else
    d.op.pdst = d.predicateDestination(d.operand(0));
  const Operand &source = d.operand(1);
  if (source.kind == Operand::Kind::Immediate) {
    d.op.mode2 = source.bits == 0;
  } else {
    d.op.psrc = d.predicateSource(source);
    d.op.mode2 = source.negated;
  }
  d.op.a = d.source(2, word);
  d.op.mode = static_cast<uint8_t>(kind);
  d.set(&vote, OpClass::WarpLevel);
  return true;
}

bool decodeActivemask(Decoder &d) {
  if (!d.take("b32") || !d.expectOperands(1))
    return d.failed() || d.fail("{}: accepted: activemask.b32", d.spelling());
  d.op.dst = d.destination(0, *dataTypeFromWord("b32"));
  d.set(&activeMask, OpClass::WarpLevel);
  return true;
}

//===----------------------------------------------------------------------===//
// match
//===----------------------------------------------------------------------===//

namespace {

template <class Cell> Flow match(Warp &w, const Op &op, uint32_t mask) {
  if (Flow flow = gather(w, op, op.b, mask); flow != Flow::Next)
    return flow;
  const Cell *value = w.cells<Cell>(op.a);
  alignas(64) uint32_t result[32] = {};
  uint32_t every = 0, tainted = 0;
  forGroups(w, op.b, mask, [&](uint32_t group) {
    forLanes(group, [&](int lane) {
      forLanes(group,
               [&](int other) { result[lane] |= value[lane] == value[other] ? 1u << other : 0; });
      if (result[lane] == group)
        every |= 1u << lane;
    });
    if (w.taintOf(op.a) & group)
      tainted |= group;
  });
  bool all = op.mode;
  uint32_t *out = w.cells<uint32_t>(op.dst);
  forLanes(mask, [&](int lane) { out[lane] = !all || ((every >> lane) & 1) ? result[lane] : 0; });
  w.setTaint(op.dst, mask, tainted);
  if (all)
    w.setPredicate(op.pdst, mask, every, tainted);
  return Flow::Next;
}

} // namespace

bool decodeMatch(Decoder &d) {
  int kind = d.takeOneOf({"any", "all"});
  bool sync = d.take("sync");
  DataType type = d.takeType();
  if (kind < 0 || !sync || !(type.is("b32") || type.is("b64")))
    return d.fail("{}: accepted: match.any.sync and match.all.sync of .b32 and .b64", d.spelling());
  if (!d.expectOperands(3))
    return true;
  const Operand &dst = d.operand(0);
  bool pair = dst.kind == Operand::Kind::Pair;
  DataType word = *dataTypeFromWord("b32");
  d.op.dst = d.destination(pair ? dst.children[0] : dst, word);
  d.op.pdst = pair ? d.predicateDestination(dst.children[1]) : 1;
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, word);
  d.op.mode = static_cast<uint8_t>(kind);
  d.set(type.bits == 64 ? &match<uint64_t> : &match<uint32_t>, OpClass::WarpLevel);
  return true;
}

//===----------------------------------------------------------------------===//
// redux
//===----------------------------------------------------------------------===//

namespace {

template <auto F> Flow reduce(Warp &w, const Op &op, uint32_t mask) {
  if (Flow flow = gather(w, op, op.b, mask); flow != Flow::Next)
    return flow;
  const uint32_t *value = w.cells<uint32_t>(op.a);
  alignas(64) uint32_t result[32] = {};
  uint32_t tainted = 0;
  forGroups(w, op.b, mask, [&](uint32_t group) {
    int first = std::countr_zero(group);
    uint32_t sum = value[first];
    forLanes(group & (group - 1), [&](int lane) { sum = F(op, sum, value[lane]); });
    forLanes(group, [&](int lane) { result[lane] = sum; });
    if (w.taintOf(op.a) & group)
      tainted |= group;
  });
  blend(w.cells<uint32_t>(op.dst), result, mask);
  w.setTaint(op.dst, mask, tainted);
  return Flow::Next;
}

template <bool Max> uint32_t reduceFloat(const Op &op, uint32_t a, uint32_t b) {
  numerics::MinMaxModifiers how{(op.mode & 1) != 0, (op.mode & 2) != 0, false};
  return numerics::bitsOf(
      numerics::minMaxF32(Max, numerics::floatOf(a), numerics::floatOf(b), how));
}

} // namespace

bool decodeRedux(Decoder &d) {
  if (!d.take("sync"))
    return d.fail("{}: accepted: redux.sync", d.spelling());
  int kind = d.takeOneOf({"add", "min", "max", "and", "or", "xor"});
  bool abs = d.take("abs"), nan = d.take("NaN");
  DataType type = d.takeType();
  if (!d.expectOperands(3))
    return true;
  d.op.dst = d.destination(0, type);
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, *dataTypeFromWord("b32"));
  d.op.mode = static_cast<uint8_t>((nan ? 1 : 0) | (abs ? 2 : 0));
  Handler handler = nullptr;
  bool isSigned = type.is("s32"), isUnsigned = type.is("u32");
  if (type.is("f32") && (kind == 1 || kind == 2)) {
    d.require(86, 100, "redux.sync of .f32");
    handler = kind == 1 ? &reduce<reduceFloat<false>> : &reduce<reduceFloat<true>>;
  } else if (abs || nan) {
    return d.fail("{}: .abs and .NaN are for .f32", d.spelling());
  } else if ((isSigned || isUnsigned) && kind == 0) {
    handler = &reduce<[](const Op &, uint32_t a, uint32_t b) { return a + b; }>;
  } else if (isSigned && kind == 1) {
    handler = &reduce<[](const Op &, uint32_t a, uint32_t b) {
      return static_cast<uint32_t>(std::min(static_cast<int32_t>(a), static_cast<int32_t>(b)));
    }>;
  } else if (isSigned && kind == 2) {
    handler = &reduce<[](const Op &, uint32_t a, uint32_t b) {
      return static_cast<uint32_t>(std::max(static_cast<int32_t>(a), static_cast<int32_t>(b)));
    }>;
  } else if (isUnsigned && kind == 1) {
    handler = &reduce<[](const Op &, uint32_t a, uint32_t b) { return std::min(a, b); }>;
  } else if (isUnsigned && kind == 2) {
    handler = &reduce<[](const Op &, uint32_t a, uint32_t b) { return std::max(a, b); }>;
  } else if (type.is("b32") && kind == 3) {
    handler = &reduce<[](const Op &, uint32_t a, uint32_t b) { return a & b; }>;
  } else if (type.is("b32") && kind == 4) {
    handler = &reduce<[](const Op &, uint32_t a, uint32_t b) { return a | b; }>;
  } else if (type.is("b32") && kind == 5) {
    handler = &reduce<[](const Op &, uint32_t a, uint32_t b) { return a ^ b; }>;
  }
  if (!handler)
    return d.fail(
        "{}: accepted: .add .min .max of .u32 .s32, .and .or .xor of .b32, .min .max of .f32",
        d.spelling());
  d.set(handler, OpClass::WarpLevel);
  return true;
}

//===----------------------------------------------------------------------===//
// elect
//===----------------------------------------------------------------------===//

namespace {

Flow elect(Warp &w, const Op &op, uint32_t mask) {
  if (Flow flow = gather(w, op, op.a, mask); flow != Flow::Next)
    return flow;
  forGroups(w, op.a, mask, [&](uint32_t group) {
    // Any choice is right by the ISA; hardware elects the lowest, and CUTLASS's sm_90 pipelines
    // count on it (the leader thread arrives, the elected one copies).
    int leader = std::countr_zero(group);
    forLanes(group,
             [&](int lane) { w.cells<uint32_t>(op.dst)[lane] = static_cast<uint32_t>(leader); });
    w.setTaint(op.dst, group, 0);
    w.setPredicate(op.pdst, group, 1u << leader, 0);
  });
  return Flow::Next;
}

} // namespace

bool decodeElect(Decoder &d) {
  if (!d.take("sync") || !d.expectOperands(2))
    return d.failed() || d.fail("{}: accepted: elect.sync d|p, membermask", d.spelling());
  const Operand &dst = d.operand(0);
  if (dst.kind != Operand::Kind::Pair)
    return d.fail("{}: the destination must be d|p", d.spelling());
  DataType word = *dataTypeFromWord("b32");
  d.op.dst = d.destination(dst.children[0], word);
  d.op.pdst = d.predicateDestination(dst.children[1]);
  d.op.a = d.source(1, word);
  d.set(&elect, OpClass::WarpLevel);
  return true;
}

} // namespace msa::ptxsim

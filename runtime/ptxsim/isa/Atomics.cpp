//===- Atomics.cpp - PTX ISA 9.7.13.5 and .6: atom and red ------------------------------===//
//
// Lanes perform their operations one after the other, lowest lane first, which is
// one of the orders that hardware may choose. CTAs that exchange values by atomics run in order on
// one host thread; only integer `red` without a result, whose sum does not depend on the order, may
// run on several, and is then atomic on the host too.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/MemoryForms.h"
#include "ptxsim/numerics/HalfMath.h"

#include <algorithm>
#include <cstring>

namespace msa::ptxsim {

namespace {

enum class AtomicOp : uint8_t { Add, Min, Max, And, Or, Xor, Inc, Dec, Exch, Cas };

template <class T> T loadBytes(const uint8_t *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// The new value for `op` with old value and operands.
template <AtomicOp O, class T> T combineValues(T old, T b, T c) {
  switch (O) {
  case AtomicOp::Add:
    return static_cast<T>(old + b);
  case AtomicOp::Min:
    return std::min(old, b);
  case AtomicOp::Max:
    return std::max(old, b);
  case AtomicOp::And:
    return static_cast<T>(old & b);
  case AtomicOp::Or:
    return static_cast<T>(old | b);
  case AtomicOp::Xor:
    return static_cast<T>(old ^ b);
  case AtomicOp::Inc:
    return old >= b ? T{0} : static_cast<T>(old + 1);
  case AtomicOp::Dec:
    return old == 0 || old > b ? b : static_cast<T>(old - 1);
  case AtomicOp::Exch:
    return b;
  case AtomicOp::Cas:
    return old == b ? c : old;
  }
}

float addSingle(float a, float b, bool flushes) {
  using namespace numerics;
  if (!flushes)
    return canonical(a + b);
  return canonical(flush(flush(a) + flush(b)));
}

/// Floating additions: atom.add.f32 on global memory flushes subnormals, on shared it does not
/// (PTX ISA 9.7.13.5).
struct FloatAdd {
  static uint32_t f32(uint32_t a, uint32_t b, bool global) {
    return numerics::bitsOf(addSingle(numerics::floatOf(a), numerics::floatOf(b), global));
  }
  static uint64_t f64(uint64_t a, uint64_t b, bool) {
    return numerics::bitsOf(numerics::doubleOf(a) + numerics::doubleOf(b));
  }
};

/// Half formats in red and atom: op on one code.
uint16_t combineHalf(numerics::HalfKind kind, AtomicOp op, uint16_t a, uint16_t b) {
  if (op == AtomicOp::Add)
    return numerics::addHalf(kind, a, b);
  return numerics::minMaxHalf(kind, op == AtomicOp::Max, a, b);
}
template <numerics::HalfKind K, AtomicOp O, bool Pair>
uint32_t halfUpdate(uint32_t old, uint32_t b, bool) {
  auto one = [](uint16_t x, uint16_t y) { return combineHalf(K, O, x, y); };
  return Pair ? numerics::eachHalf(one, old, b)
              : one(static_cast<uint16_t>(old), static_cast<uint16_t>(b));
}
template <AtomicOp O> uint32_t floatMinMax(uint32_t a, uint32_t b, bool) {
  return numerics::bitsOf(
      numerics::minMaxF32(O == AtomicOp::Max, numerics::floatOf(a), numerics::floatOf(b)));
}

/// One element of `T` (unsigned) at `at`: returns the old value. Atomic on the host where CTAs
/// share memory.
template <class T, class F> T update(Warp &w, uint8_t *at, F compute) {
  if (!w.cta->launch->sharedBetweenThreads) {
    T old = loadBytes<T>(at), fresh = compute(old);
    std::memcpy(at, &fresh, sizeof(T));
    return old;
  }
  T *place = reinterpret_cast<T *>(at);
  T old = __atomic_load_n(place, __ATOMIC_RELAXED);
  for (T fresh = compute(old);
       !__atomic_compare_exchange_n(place, &old, fresh, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED);)
    fresh = compute(old);
  return old;
}

/// Op::psrc of an atomic.
enum AtomicBits : uint8_t {
  resultBit = 1,   ///< there is a destination
  thirdBit = 2,    ///< cas: a third operand
  replacesBit = 4, ///< exch: the old value does not matter to the new one
};

/// The body of every atomic on elements of the unsigned type T: F(old, b, c, inGlobalMemory).
/// Operand lists hold destinations (count of them, 0 refs for red), b refs, and c refs for cas.
template <class T, auto F> Flow atomic(Warp &w, const Op &op, uint32_t mask) {
  using Cell = CellOf<T>;
  const Ref *lists = &w.program->lists[op.target];
  const uint32_t count = op.count, size = sizeof(T) * count;
  const bool hasResult = op.psrc & resultBit, hasC = op.psrc & thirdBit;
  uint32_t tainted = 0, skipped = 0;
  for (uint32_t i = 0; i < count; ++i)
    tainted |= w.taintOf(lists[count + i]) | (hasC ? w.taintOf(lists[2 * count + i]) : 0);
  tainted &= mask;
  // Results are written after all operands have been read: they may share registers.
  alignas(64) Cell results[8][32];
  uint32_t resultTaint = 0;
  bool changed = false;
  Flow flow = access(
      w, op, mask, size, size, AccessKind::ReadWrite, skipped,
      [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
        bool global = region.space == StateSpace::Global;
        if ((tainted & lanes) && global &&
            w.checkTaint(tainted & lanes, "a value that this atomic writes to global memory", op) ==
                Flow::Trap)
          return Flow::Trap;
        uint32_t old = uninitialisedLanes(region, offsets, lanes, size);
        forLanes(lanes, [&](int lane) {
          for (uint32_t i = 0; i < count; ++i) {
            T b = fromCell<T>(w.cells<Cell>(lists[count + i])[lane]);
            T c = hasC ? fromCell<T>(w.cells<Cell>(lists[2 * count + i])[lane]) : T{};
            T before = update<T>(w, hostOf(region, offsets, lane) + i * sizeof(T), [&](T value) {
              T fresh = F(value, b, c, global);
              changed = changed || fresh != value;
              return fresh;
            });
            results[i][lane] = toCell<T>(before);
          }
        });
        // An exchange makes memory good; anything else mixes the old value in.
        markWritten(region, offsets, lanes, size, (op.psrc & replacesBit ? 0 : old) | tainted);
        resultTaint |= old;
        return Flow::Next;
      });
  // An atomic that changes nothing is how a thread waits for another.
  if (!changed)
    ++w.strongReads;
  if (flow != Flow::Next || !hasResult)
    return flow;
  for (uint32_t i = 0; i < count; ++i) {
    blend(w.cells<Cell>(lists[i]), results[i], mask & ~skipped);
    w.setTaint(lists[i], mask & ~skipped, resultTaint);
  }
  return Flow::Next;
}

/// atom.exch.b128 and atom.cas.b128.
Flow atomic128(Warp &w, const Op &op, uint32_t mask) {
  const Ref *lists = &w.program->lists[op.target];
  const bool isCas = op.psrc & thirdBit;
  uint32_t tainted = (w.taintOf(lists[1]) | (isCas ? w.taintOf(lists[2]) : 0)) & mask, skipped = 0;
  struct Wide {
    uint64_t half[2];
    bool operator==(const Wide &) const = default;
  };
  auto valueOf = [&](Ref ref, int lane) {
    return Wide{{w.cells<uint64_t>(ref)[lane], w.cells<uint64_t>(ref + 2)[lane]}};
  };
  Wide results[32] = {};
  uint32_t resultTaint = 0;
  bool changed = false;
  Flow flow =
      access(w, op, mask, 16, 16, AccessKind::ReadWrite, skipped,
             [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
               if ((tainted & lanes) && region.space == StateSpace::Global &&
                   w.checkTaint(tainted & lanes, "a value that this atomic writes to global memory",
                                op) == Flow::Trap)
                 return Flow::Trap;
               resultTaint |= uninitialisedLanes(region, offsets, lanes, 16);
               forLanes(lanes, [&](int lane) {
                 Wide old = loadBytes<Wide>(hostOf(region, offsets, lane)),
                      fresh = valueOf(lists[isCas ? 2 : 1], lane);
                 if (isCas && old != valueOf(lists[1], lane))
                   fresh = old;
                 changed = changed || fresh != old;
                 std::memcpy(hostOf(region, offsets, lane), &fresh, sizeof(fresh));
                 results[lane] = old;
               });
               markWritten(region, offsets, lanes, 16, tainted);
               return Flow::Next;
             });
  if (!changed)
    ++w.strongReads;
  if (flow != Flow::Next)
    return flow;
  forLanes(mask & ~skipped, [&](int lane) {
    w.cells<uint64_t>(lists[0])[lane] = results[lane].half[0];
    w.cells<uint64_t>(lists[0] + 2)[lane] = results[lane].half[1];
  });
  w.setTaint(lists[0], mask & ~skipped, resultTaint);
  return Flow::Next;
}

template <AtomicOp O, class T> auto plain(T old, T b, T c, bool) {
  return combineValues<O, T>(old, b, c);
}
/// Signed minimum and maximum on unsigned storage.
template <AtomicOp O, class U> U ordered(U old, U b, U, bool) {
  using S = std::make_signed_t<U>;
  return static_cast<U>(combineValues<O, S>(static_cast<S>(old), static_cast<S>(b), S{}));
}

template <class U> Handler integerHandler(AtomicOp op, bool isSigned) {
  switch (op) {
  case AtomicOp::Add:
    return &atomic<U, plain<AtomicOp::Add, U>>;
  case AtomicOp::Min:
    return isSigned ? &atomic<U, ordered<AtomicOp::Min, U>> : &atomic<U, plain<AtomicOp::Min, U>>;
  case AtomicOp::Max:
    return isSigned ? &atomic<U, ordered<AtomicOp::Max, U>> : &atomic<U, plain<AtomicOp::Max, U>>;
  case AtomicOp::And:
    return &atomic<U, plain<AtomicOp::And, U>>;
  case AtomicOp::Or:
    return &atomic<U, plain<AtomicOp::Or, U>>;
  case AtomicOp::Xor:
    return &atomic<U, plain<AtomicOp::Xor, U>>;
  case AtomicOp::Inc:
    return &atomic<U, plain<AtomicOp::Inc, U>>;
  case AtomicOp::Dec:
    return &atomic<U, plain<AtomicOp::Dec, U>>;
  case AtomicOp::Exch:
    return &atomic<U, plain<AtomicOp::Exch, U>>;
  case AtomicOp::Cas:
    return &atomic<U, plain<AtomicOp::Cas, U>>;
  }
  return nullptr;
}

template <numerics::HalfKind K, bool Pair> Handler halfHandler(AtomicOp op) {
  using T = std::conditional_t<Pair, uint32_t, uint16_t>;
  switch (op) {
  case AtomicOp::Add:
    return &atomic<T, [](T old, T b, T, bool g) {
      return static_cast<T>(halfUpdate<K, AtomicOp::Add, Pair>(old, b, g));
    }>;
  case AtomicOp::Min:
    return &atomic<T, [](T old, T b, T, bool g) {
      return static_cast<T>(halfUpdate<K, AtomicOp::Min, Pair>(old, b, g));
    }>;
  case AtomicOp::Max:
    return &atomic<T, [](T old, T b, T, bool g) {
      return static_cast<T>(halfUpdate<K, AtomicOp::Max, Pair>(old, b, g));
    }>;
  default:
    return nullptr;
  }
}

Handler floatHandler(AtomicOp op, const DataType &type) {
  if (type.is("f32") && op == AtomicOp::Add)
    return &atomic<uint32_t, [](uint32_t old, uint32_t b, uint32_t, bool g) {
      return FloatAdd::f32(old, b, g);
    }>;
  if (type.is("f64") && op == AtomicOp::Add)
    return &atomic<uint64_t, [](uint64_t old, uint64_t b, uint64_t, bool g) {
      return FloatAdd::f64(old, b, g);
    }>;
  if (type.is("f16"))
    return halfHandler<numerics::HalfKind::F16, false>(op);
  if (type.is("bf16"))
    return halfHandler<numerics::HalfKind::BF16, false>(op);
  if (type.is("f16x2"))
    return halfHandler<numerics::HalfKind::F16, true>(op);
  if (type.is("bf16x2"))
    return halfHandler<numerics::HalfKind::BF16, true>(op);
  return nullptr;
}

/// The handler, or null when the ISA has no such form.
Handler handlerFor(AtomicOp op, const DataType &type) {
  bool bitwise = op == AtomicOp::And || op == AtomicOp::Or || op == AtomicOp::Xor ||
                 op == AtomicOp::Exch || op == AtomicOp::Cas;
  if (type.kind == DataType::Kind::Float)
    return floatHandler(op, type);
  if (bitwise != (type.kind == DataType::Kind::Bits))
    return nullptr;
  if ((op == AtomicOp::Inc || op == AtomicOp::Dec) && !type.is("u32"))
    return nullptr;
  if (op == AtomicOp::Add && type.is("s64"))
    return nullptr;
  switch (type.bits) {
  case 16:
    return op == AtomicOp::Cas ? integerHandler<uint16_t>(op, false) : nullptr;
  case 32:
    return integerHandler<uint32_t>(op, type.isSigned());
  case 64:
    return integerHandler<uint64_t>(op, type.isSigned());
  case 128:
    return op == AtomicOp::Exch || op == AtomicOp::Cas ? &atomic128 : nullptr;
  default:
    return nullptr;
  }
}

/// Refs of one operand, which is a vector of `count` or a scalar.
void appendElements(Decoder &d, const Operand &o, unsigned count, const DataType &type,
                    bool destination) {
  if (count == 1) {
    d.appendList(destination ? d.destination(o, type) : d.source(o, type));
    return;
  }
  if (o.kind != Operand::Kind::Vector || o.children.size() != count) {
    d.fail("{}: a vector of {} elements is expected", d.spelling(), count);
    return;
  }
  for (const Operand &child : o.children)
    d.appendList(destination ? d.destination(child, type) : d.source(child, type));
}

bool decodeAtomic(Decoder &d, bool hasResult) {
  int semantics = d.takeOneOf({"relaxed", "acquire", "release", "acq_rel"});
  takeScope(d);
  StateSpace space = takeStateSpace(d);
  int which = d.takeOneOf({"add", "min", "max", "and", "or", "xor", "inc", "dec", "exch", "cas"});
  bool noftz = d.take("noftz");
  bool policy = d.take("L2::cache_hint");
  int vector = d.takeOneOf({"v2", "v4", "v8"});
  DataType type = d.takeType();
  if (d.failed())
    return true;
  if (which < 0)
    return d.fail("{}: the operation (.add, .min, .exch, ...) is missing", d.spelling());
  auto op = static_cast<AtomicOp>(which);
  unsigned count = vector < 0 ? 1 : 2u << vector;
  Handler handler = handlerFor(op, type);
  bool isHalf = type.kind == DataType::Kind::Float && type.bits <= 32 && !type.is("f32");
  if (!handler || (!hasResult && (op == AtomicOp::Exch || op == AtomicOp::Cas)))
    return d.fail("{}: this operation does not exist for .{}", d.spelling(), type.word);
  if (noftz != (isHalf && op == AtomicOp::Add) && !(isHalf && noftz))
    return d.fail("{}: .noftz is needed for additions of half formats, and for those only",
                  d.spelling());
  if (space != StateSpace::Generic && space != StateSpace::Global && space != StateSpace::Shared &&
      space != StateSpace::SharedCluster)
    return d.fail("{}: accepted: .global, .shared or generic addresses", d.spelling());
  if (count > 1) {
    d.require(81, 90, "a vector atomic");
    if (space != StateSpace::Global || type.kind != DataType::Kind::Float ||
        type.bits * count > 128 || type.is("f64"))
      return d.fail(
          "{}: vectors are for .global and f16, bf16, f16x2, bf16x2 and f32 of up to 16 bytes",
          d.spelling());
  }
  if (type.bits == 128)
    d.require(83, 90, ".b128");
  bool isCas = op == AtomicOp::Cas;
  if (!d.expectOperands((hasResult ? 3u : 2u) + isCas + policy))
    return true;
  unsigned at = hasResult ? 1 : 0;
  bool used = hasResult && d.operand(0).kind != Operand::Kind::Sink;
  setAddress(d, d.operand(at), space, static_cast<uint8_t>(strongAccess | acquires | releases));
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  if (used)
    appendElements(d, d.operand(0), count, type, true);
  else
    for (unsigned i = 0; i < count; ++i)
      d.appendList(0);
  appendElements(d, d.operand(at + 1), count, type, false);
  if (isCas)
    appendElements(d, d.operand(at + 2), count, type, false);
  d.op.count = static_cast<uint16_t>(count);
  d.op.psrc = static_cast<uint16_t>((used ? resultBit : 0) | (isCas ? thirdBit : 0) |
                                    (op == AtomicOp::Exch ? replacesBit : 0));
  if (space == StateSpace::Global || space == StateSpace::Generic) {
    // Integer reductions without a result give the same memory in any order.
    bool commutes = !used && type.isInteger() && op <= AtomicOp::Xor && semantics <= 0;
    if (!commutes)
      d.program().sawOrderedAccess();
  }
  d.set(handler, OpClass::Atomic);
  return true;
}

} // namespace

bool decodeAtom(Decoder &d) { return decodeAtomic(d, true); }
bool decodeRed(Decoder &d) { return decodeAtomic(d, false); }

} // namespace msa::ptxsim

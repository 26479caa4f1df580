//===- Memory.cpp - PTX ISA 9.7.9: ld, ldu, st, prefetch -----------------------------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/MemoryForms.h"

#include <cstring>

namespace msa::ptxsim {

namespace {

/// Destinations (or sources) of a vector access: one Ref in the op, or a list.
[[gnu::always_inline]] inline const Ref *elementRefs(const Warp &w, const Op &op,
                                                     const Ref &single) {
  return op.count == 1 ? &single : &w.program->lists[op.target];
}

template <class T> [[gnu::always_inline]] inline T loadRaw(const uint8_t *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// A value in memory as a cell: signed types extend their sign.
template <class Cell, class T> [[gnu::always_inline]] inline Cell extendTo(T value) {
  if constexpr (std::is_signed_v<T>)
    return static_cast<Cell>(static_cast<std::make_signed_t<Cell>>(value));
  else
    return static_cast<Cell>(value);
}

/// Element `index` of type T of every lane into cells.
template <class T, class Cell>
[[gnu::always_inline]] inline void loadElement(Cell *out, const Region &region,
                                               const LaneOffsets &offsets, uint32_t lanes,
                                               uint32_t index, uint32_t size) {
  if (offsets.pattern == Pattern::Contiguous) {
    const uint8_t *from = region.host + offsets.at[0] + index * sizeof(T);
    if (sizeof(T) == sizeof(Cell) && size == sizeof(T)) {
      std::memcpy(out, from, 32 * sizeof(T));
      return;
    }
    for (int lane = 0; lane < 32; ++lane)
      out[lane] = extendTo<Cell>(loadRaw<T>(from + static_cast<size_t>(lane) * size));
    return;
  }
  if (offsets.pattern == Pattern::Uniform) {
    const Cell value = extendTo<Cell>(
        loadRaw<T>(region.host + offsets.at[std::countr_zero(lanes)] + index * sizeof(T)));
    for (int lane = 0; lane < 32; ++lane)
      out[lane] = (lanes >> lane) & 1 ? value : out[lane];
    return;
  }
  const uint8_t *base = region.host + index * sizeof(T);
  if (lanes == fullMask && region.laneStride == 0) {
    for (int lane = 0; lane < 32; ++lane)
      out[lane] = extendTo<Cell>(loadRaw<T>(base + offsets.at[lane]));
    return;
  }
  forLanes(lanes, [&](int lane) {
    out[lane] = extendTo<Cell>(
        loadRaw<T>(base + offsets.at[lane] + region.laneStride * static_cast<unsigned>(lane)));
  });
}

/// Taint of one element of a vector of which some element is uninitialised.
uint32_t elementTaint(const Region &region, const LaneOffsets &offsets, uint32_t lanes,
                      uint32_t byte, uint32_t size) {
  LaneOffsets element = offsets;
  element.pattern = Pattern::Scattered;
  forLanes(lanes, [&](int lane) { element.at[lane] += byte; });
  return uninitialisedLanes(region, element, lanes, size);
}

template <class T, class Cell>
[[gnu::always_inline]] inline Flow loadBody(Warp &w, const Op &op, uint32_t mask) {
  const Ref *refs = elementRefs(w, op, op.dst);
  const uint32_t count = op.count, size = sizeof(T) * count;
  uint32_t skipped = 0;
  // A destination may be the address register: nothing is written before all addresses are formed.
  return access(
      w, op, mask, size, size, AccessKind::Read, skipped,
      [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
        uint32_t tainted = 0;
        if (region.shadow && loadTaint(w, region, offsets, lanes, size, tainted) == Flow::Trap)
          return Flow::Trap;
        for (uint32_t i = 0; i < count; ++i) {
          bool all = tainted == 0 || count == 1;
          w.setTaint(refs[i], lanes,
                     all ? tainted
                         : elementTaint(region, offsets, lanes, i * sizeof(T), sizeof(T)));
          loadElement<T, Cell>(w.cells<Cell>(refs[i]), region, offsets, lanes, i, size);
        }
        return Flow::Next;
      });
}
template <class T, class Cell> Flow loadPlain(Warp &w, const Op &op, uint32_t mask) {
  return loadBody<T, Cell>(w, op, mask);
}
template <class T, class Cell> MSA_PTXSIM_WIDE Flow loadWide(Warp &w, const Op &op, uint32_t mask) {
  return loadBody<T, Cell>(w, op, mask);
}

/// 128-bit elements: low halves, then high halves.
Flow load128(Warp &w, const Op &op, uint32_t mask) {
  const Ref *refs = elementRefs(w, op, op.dst);
  const uint32_t count = op.count, size = 16 * count;
  uint32_t skipped = 0;
  return access(w, op, mask, size, size, AccessKind::Read, skipped,
                [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
                  uint32_t tainted = 0;
                  if (loadTaint(w, region, offsets, lanes, size, tainted) == Flow::Trap)
                    return Flow::Trap;
                  for (uint32_t i = 0; i < count; ++i) {
                    uint64_t *low = w.cells<uint64_t>(refs[i]),
                             *high = w.cells<uint64_t>(refs[i] + 2);
                    forLanes(lanes, [&](int lane) {
                      const uint8_t *from = hostOf(region, offsets, lane) + 16 * i;
                      low[lane] = loadRaw<uint64_t>(from);
                      high[lane] = loadRaw<uint64_t>(from + 8);
                    });
                    w.setTaint(refs[i], lanes, tainted);
                  }
                  return Flow::Next;
                });
}

/// Parameters and constants at a fixed address: one value for all lanes.
template <class T, class Cell> Flow loadUniform(Warp &w, const Op &op, uint32_t mask) {
  const Region &region = static_cast<StateSpace>(op.mode) == StateSpace::Param ? w.cta->paramRegion
                                                                               : w.cta->constRegion;
  const uint32_t size = sizeof(T) * op.count;
  auto offset = static_cast<uint64_t>(op.immediate);
  if (offset >= region.bytes || size > region.bytes - offset || offset % size != 0) {
    // The general path finds the words for what is wrong.
    return loadPlain<T, Cell>(w, op, mask);
  }
  const Ref *refs = elementRefs(w, op, op.dst);
  for (uint32_t i = 0; i < op.count; ++i) {
    T value = loadRaw<T>(region.host + offset + i * sizeof(T));
    Cell cell{};
    if constexpr (std::is_signed_v<T>)
      cell = static_cast<Cell>(static_cast<std::make_signed_t<Cell>>(value));
    else
      cell = static_cast<Cell>(value);
    Cell *out = w.cells<Cell>(refs[i]);
    for (int lane = 0; lane < 32; ++lane)
      out[lane] = (mask >> lane) & 1 ? cell : out[lane];
    w.setTaint(refs[i], mask, 0);
  }
  if (w.cta->launch->options->counters)
    w.cta->tally.constBytes += static_cast<uint64_t>(std::popcount(mask)) * size;
  return Flow::Next;
}

template <class Cell> Handler loadHandler(const DataType &type, bool uniform) {
  auto pick = [&]<class T>(T) -> Handler {
    if (uniform)
      return &loadUniform<T, Cell>;
    return hostIsWide() ? &loadWide<T, Cell> : &loadPlain<T, Cell>;
  };
  bool isSigned = type.isSigned();
  switch (type.bits) {
  case 8:
    return isSigned ? pick(int8_t{}) : pick(uint8_t{});
  case 16:
    return isSigned ? pick(int16_t{}) : pick(uint16_t{});
  case 32:
    return isSigned ? pick(int32_t{}) : pick(uint32_t{});
  default:
    if constexpr (sizeof(Cell) == 8)
      return pick(uint64_t{});
    return nullptr;
  }
}

/// The refs of a scalar or vector operand; fills dst or the list. The registers' common width.
template <class F>
uint32_t takeElements(Decoder &d, const Operand &o, unsigned vector, Ref &single, F refOf) {
  d.op.count = static_cast<uint16_t>(vector);
  uint32_t width = 0;
  if (vector == 1 && o.kind != Operand::Kind::Vector) {
    single = refOf(o, width);
    return width;
  }
  if (o.kind != Operand::Kind::Vector || o.children.size() != vector) {
    d.fail("{}: a vector of {} elements is expected", d.spelling(), vector);
    return 32;
  }
  if (vector == 1) {
    single = refOf(o.children[0], width);
    return width;
  }
  std::vector<uint32_t> refs;
  for (const Operand &child : o.children) {
    uint32_t own = 0;
    refs.push_back(refOf(child, own));
    // A sink in a vector has the width of the others.
    if (child.kind != Operand::Kind::Sink && child.kind != Operand::Kind::Immediate) {
      if (width > 32 != own > 32 && width != 0)
        d.fail("{}: the elements must be registers of one width", d.spelling());
      width = own;
    } else if (width == 0 && child.kind == Operand::Kind::Immediate) {
      width = own;
    }
  }
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  for (uint32_t ref : refs)
    d.appendList(ref);
  return width;
}

bool isMemoryType(const DataType &type) {
  return type.kind != DataType::Kind::Predicate && type.bits >= 8;
}

void checkOperands(Decoder &d, const MemoryForm &form, unsigned plain) {
  unsigned count = plain + form.cachePolicy;
  // .unified and cache policies add operands that only steer caches.
  d.expectOperands(count);
  if (form.cachePolicy && d.operandCount() == count)
    d.source(count - 1, *dataTypeFromWord("b64"));
}

/// Accesses through which CTAs may talk put the grid in order (docs: How CTAs are scheduled).
void noteOrder(Decoder &d, const MemoryForm &form) {
  bool reachesGlobal = form.space == StateSpace::Global || form.space == StateSpace::Generic;
  if (form.isStrong() && reachesGlobal)
    d.program().sawOrderedAccess();
}

uint8_t flagsOf(const MemoryForm &form, bool load) {
  if (!form.isStrong())
    return 0;
  return strongAccess | (load ? acquires : releases);
}

} // namespace

bool decodeLd(Decoder &d) {
  MemoryForm form = takeMemoryForm(d, true);
  DataType type = d.takeType();
  checkOperands(d, form, 2);
  if (d.failed())
    return true;
  if (!isMemoryType(type))
    return d.fail("{}: accepted: 8 to 128 bits", d.spelling());
  noteOrder(d, form);
  uint32_t width =
      takeElements(d, d.operand(0), form.vector, d.op.dst, [&](const Operand &o, uint32_t &bits) {
        return d.wideDestination(o, type, bits);
      });
  setAddress(d, d.operand(1), form.space, flagsOf(form, true));
  d.program().sawAccess(form.space, type.bits / 8);
  auto space = static_cast<StateSpace>(d.op.mode);
  const Operand &address = d.operand(1);
  bool uniform = (space == StateSpace::Param || space == StateSpace::Const) &&
                 address.index == Operand::noIndex && !address.symbol.empty();
  if (type.bits == 128) {
    d.set(&load128, classOf(space));
    return true;
  }
  d.set(width > 32 ? loadHandler<uint64_t>(type, uniform) : loadHandler<uint32_t>(type, uniform),
        classOf(space));
  if (!d.op.run)
    d.fail("{}: a 32-bit register cannot hold .{}", d.spelling(), type.word);
  return true;
}

bool decodeLdu(Decoder &d) {
  // As ld; "read-only, uniform" is a promise to the cache.
  if (!d.has("global"))
    return d.fail("{}: accepted: ldu.global", d.spelling());
  return decodeLd(d);
}

//===----------------------------------------------------------------------===//
// st
//===----------------------------------------------------------------------===//

namespace {

/// Marks a store of which some element is tainted; Flow::Trap where that may not be.
Flow markTainted(Warp &w, const Op &op, const Region &region, const LaneOffsets &offsets,
                 uint32_t lanes, const Ref *refs, uint32_t elementBytes) {
  uint32_t any = 0;
  for (uint32_t i = 0; i < op.count; ++i)
    any |= w.taintOf(refs[i]) & lanes;
  if (region.space == StateSpace::Global &&
      w.checkTaint(any, "a value stored to global memory", op) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t i = 0; i < op.count && region.shadow; ++i) {
    LaneOffsets element = offsets;
    element.pattern = Pattern::Scattered;
    forLanes(lanes, [&](int lane) { element.at[lane] += i * elementBytes; });
    markWritten(region, element, lanes, elementBytes, w.taintOf(refs[i]));
  }
  return Flow::Next;
}

template <class T, class Cell>
[[gnu::always_inline]] inline void storeElement(const Cell *from, const Region &region,
                                                const LaneOffsets &offsets, uint32_t lanes,
                                                uint32_t index, uint32_t size) {
  if (offsets.pattern == Pattern::Contiguous && sizeof(T) == sizeof(Cell) && size == sizeof(T)) {
    std::memcpy(region.host + offsets.at[0], from, 32 * sizeof(T));
    return;
  }
  uint8_t *base = region.host + index * sizeof(T);
  forLanes(lanes, [&](int lane) {
    T value = static_cast<T>(from[lane]);
    std::memcpy(base + offsets.at[lane] + region.laneStride * static_cast<unsigned>(lane), &value,
                sizeof(T));
  });
}

template <class T, class Cell>
[[gnu::always_inline]] inline Flow storeBody(Warp &w, const Op &op, uint32_t mask) {
  const Ref *refs = elementRefs(w, op, op.b);
  const uint32_t count = op.count, size = sizeof(T) * count;
  uint32_t anyTaint = 0, skipped = 0;
  for (uint32_t i = 0; i < count; ++i)
    anyTaint |= w.taintOf(refs[i]) & mask;
  return access(w, op, mask, size, size, AccessKind::Write, skipped,
                [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
                  if ((anyTaint & lanes) == 0)
                    markWritten(region, offsets, lanes, size, 0);
                  else if (markTainted(w, op, region, offsets, lanes, refs, sizeof(T)) ==
                           Flow::Trap)
                    return Flow::Trap;
                  for (uint32_t i = 0; i < count; ++i)
                    storeElement<T, Cell>(w.cells<Cell>(refs[i]), region, offsets, lanes, i, size);
                  return Flow::Next;
                });
}
template <class T, class Cell> Flow storePlain(Warp &w, const Op &op, uint32_t mask) {
  return storeBody<T, Cell>(w, op, mask);
}
template <class T, class Cell>
MSA_PTXSIM_WIDE Flow storeWide(Warp &w, const Op &op, uint32_t mask) {
  return storeBody<T, Cell>(w, op, mask);
}
template <class T, class Cell> Handler storeOf() {
  return hostIsWide() ? &storeWide<T, Cell> : &storePlain<T, Cell>;
}

Flow store128(Warp &w, const Op &op, uint32_t mask) {
  const Ref *refs = elementRefs(w, op, op.b);
  const uint32_t count = op.count, size = 16 * count;
  uint32_t tainted = 0, skipped = 0;
  for (uint32_t i = 0; i < count; ++i)
    tainted |= w.taintOf(refs[i]) & mask;
  return access(w, op, mask, size, size, AccessKind::Write, skipped,
                [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
                  if ((tainted & lanes) && region.space == StateSpace::Global &&
                      w.checkTaint(tainted & lanes, "a value stored to global memory", op) ==
                          Flow::Trap)
                    return Flow::Trap;
                  markWritten(region, offsets, lanes, size, tainted);
                  for (uint32_t i = 0; i < count; ++i)
                    forLanes(lanes, [&](int lane) {
                      uint64_t halves[2] = {w.cells<uint64_t>(refs[i])[lane],
                                            w.cells<uint64_t>(refs[i] + 2)[lane]};
                      std::memcpy(hostOf(region, offsets, lane) + 16 * i, halves, 16);
                    });
                  return Flow::Next;
                });
}

template <class Cell> Handler storeHandler(const DataType &type) {
  switch (type.bits) {
  case 8:
    return storeOf<uint8_t, Cell>();
  case 16:
    return storeOf<uint16_t, Cell>();
  case 32:
    return storeOf<uint32_t, Cell>();
  default:
    if constexpr (sizeof(Cell) == 8)
      return storeOf<uint64_t, Cell>();
    return nullptr;
  }
}

} // namespace

bool decodeSt(Decoder &d) {
  if (d.has("bulk"))
    return d.failLater("bulk stores (st.bulk)");
  MemoryForm form = takeMemoryForm(d, false);
  DataType type = d.takeType();
  checkOperands(d, form, 2);
  if (d.failed())
    return true;
  if (!isMemoryType(type))
    return d.fail("{}: accepted: 8 to 128 bits", d.spelling());
  if (form.space == StateSpace::Const)
    return d.fail("{}: .const memory is read-only", d.spelling());
  noteOrder(d, form);
  uint32_t width =
      takeElements(d, d.operand(1), form.vector, d.op.b,
                   [&](const Operand &o, uint32_t &bits) { return d.wideSource(o, type, bits); });
  setAddress(d, d.operand(0), form.space, flagsOf(form, false));
  d.program().sawAccess(form.space, type.bits / 8);
  auto space = static_cast<StateSpace>(d.op.mode);
  if (space == StateSpace::Param)
    return d.fail("{}: the kernel's parameters are read-only", d.spelling());
  if (type.bits == 128)
    d.set(&store128, classOf(space));
  else
    d.set(width > 32 ? storeHandler<uint64_t>(type) : storeHandler<uint32_t>(type), classOf(space));
  if (!d.op.run)
    d.fail("{}: a 32-bit register cannot hold .{}", d.spelling(), type.word);
  return true;
}

//===----------------------------------------------------------------------===//
// What only steers caches
//===----------------------------------------------------------------------===//

namespace {
Flow nothing(Warp &, const Op &, uint32_t) { return Flow::Next; }
} // namespace

bool decodePrefetch(Decoder &d) {
  if (d.take("tensormap")) {
    StateSpace space = takeStateSpace(d);
    if (d.expectOperands(1))
      d.address(d.operand(0), space);
    d.set(&nothing, OpClass::Global);
    return true;
  }
  takeStateSpace(d);
  if (d.takeOneOf({"L1", "L2", "L2::evict_last", "L2::evict_normal"}) < 0)
    return d.fail("{}: the cache level is missing", d.spelling());
  d.expectOperands(1, 2);
  if (!d.failed())
    d.address(d.operand(0), StateSpace::Global);
  // A prefetch of a bad address is no fault on hardware either.
  d.set(&nothing, OpClass::Global);
  return true;
}

bool decodeDiscard(Decoder &d) {
  takeStateSpace(d);
  if (!d.take("L2") || !d.expectOperands(2))
    return d.failed() || d.fail("{}: accepted: discard.global.L2 [a], 128", d.spelling());
  d.address(d.operand(0), StateSpace::Global);
  d.immediate(d.operand(1), 128, 128);
  d.set(&nothing, OpClass::Global);
  return true;
}

bool decodeCreatepolicy(Decoder &d) {
  // The policy is opaque and only steers the L2 cache; any constant will do.
  for (std::string_view word :
       {"range", "fractional", "cvt", "L2", "global", "L2::evict_last", "L2::evict_normal",
        "L2::evict_first", "L2::evict_unchanged", "L2::evict_unchanged", "b64"})
    d.take(word);
  d.expectOperands(1, 5);
  if (d.failed())
    return true;
  DataType type = *dataTypeFromWord("b64");
  d.op.dst = d.destination(0, type);
  d.op.a = d.constant(0x10F0000000000000ull, 64);
  d.set(mapped<[](uint64_t a) { return a; }>(), OpClass::Move);
  return true;
}

} // namespace msa::ptxsim

//===- Tcgen05Move.cpp - PTX ISA 9.7.16.8: tcgen05.ld, .st, .wait
//-----------------------------------===//
//
// A warp moves registers to or from its quarter of the lanes. Which cell a register is:
// engine/TensorMemory.h. A store takes its registers when it is issued; a load fills them
// when it completes: at once, when the warp waits, or when one of them is used (a true
// dependency is honoured without a wait, 9.7.16.6.4.5).
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/Tcgen05Forms.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace msa::ptxsim {

namespace {

/// Words of the operand list: the address (2), shape, number, packed, split, then the registers.
enum ListWord : unsigned {
  addressWord = 0,
  shapeWord = 2,
  repeatWord,
  packedWord,
  splitWord,
  firstRef
};

MoveForm formOf(const uint32_t *words) {
  MoveForm form;
  form.shape = static_cast<MoveShape>(words[shapeWord]);
  form.repeat = static_cast<uint16_t>(words[repeatWord]);
  form.packed = words[packedWord] != 0;
  form.split = words[splitWord];
  return form;
}

/// The 16-lane groups that the access covers.
uint8_t groupsOf(const MoveForm &form, TensorAddress base) {
  return static_cast<uint8_t>((form.laneCount() == 32 ? 3u : 1u) << (base.lane / 16));
}

/// Calls f(CellRange) for each block of cells.
template <class F> Flow eachRange(const MoveForm &form, TensorAddress base, F f) {
  CellRange range{base.column, form.columns(), groupsOf(form, base)};
  if (form.shape != MoveShape::L16x32bx2 || form.split == form.columns()) {
    range.columns = form.extent();
    return f(range);
  }
  if (Flow flow = f(range); flow != Flow::Next)
    return flow;
  range.column += form.split;
  return f(range);
}

/// The warp's quarter of the lanes, and the alignment of the shape (T7).
Flow checkLanes(const Origin &origin, const MoveForm &form, TensorAddress base) {
  const uint32_t window = origin.warp->index % 4 * 32;
  if (base.lane >= tensorLanes)
    return origin.trapAlways("T7", fmt::format("lane {}; there are {}", base.lane, tensorLanes));
  if (base.lane / 32 * 32 != window &&
      origin.trap(Check::T7,
                  fmt::format("lane {}; warp {} accesses lanes {} to {} only (its number "
                              "in the warpgroup times 32)",
                              base.lane, origin.warp->index, window, window + 31)) == Flow::Trap)
    return Flow::Trap;
  const uint32_t step = form.laneCount();
  if (base.lane % step == 0)
    return Flow::Next;
  return origin.trapAlways(
      "T7", fmt::format("lane {}; this shape starts at a multiple of {} lanes", base.lane, step));
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

constexpr uint8_t lowHalf = 3;

/// All cells of the access, unpacked 32x32b: a row of registers is contiguous in memory.
void loadRows(Warp &w, const TensorMemory &memory, const uint32_t *refs, unsigned registers,
              TensorAddress base, std::array<uint32_t, 128> &taint) {
  for (unsigned t = 0; t < 32; ++t) {
    const uint32_t *from = memory.row(base.lane + t) + base.column;
    const uint8_t *states = memory.states(base.lane + t) + base.column;
    for (unsigned r = 0; r < registers; ++r)
      w.cells<uint32_t>(refs[r])[t] = from[r];
    for (unsigned r = 0; r < registers; ++r)
      taint[r] |= static_cast<uint32_t>((states[r] & 0xF) != 0xF) << t;
  }
}

void loadCells(Warp &w, const TensorMemory &memory, const uint32_t *refs, const MoveForm &form,
               TensorAddress base, std::array<uint32_t, 128> &taint) {
  for (unsigned r = 0; r < form.registers(); ++r) {
    uint32_t *out = w.cells<uint32_t>(refs[r]);
    for (unsigned t = 0; t < 32; ++t) {
      const TensorAddress cell = form.cellOf(t, r);
      const uint32_t *from = memory.row(base.lane + cell.lane) + base.column + cell.column;
      const uint8_t *states = memory.states(base.lane + cell.lane) + base.column + cell.column;
      bool whole = (states[0] & 0xF) == 0xF;
      out[t] = from[0];
      if (form.packed) {
        out[t] = (from[0] & 0xFFFF) | from[1] << 16;
        whole = (states[0] & lowHalf) == lowHalf && (states[1] & lowHalf) == lowHalf;
      }
      taint[r] |= static_cast<uint32_t>(!whole) << t;
    }
  }
}

/// For the message of a trap that this may lead to.
void rememberUninitialised(const Origin &origin, const MoveForm &form, TensorAddress base,
                           const std::array<uint32_t, 128> &taint) {
  for (unsigned r = 0; r < form.registers(); ++r) {
    if (taint[r] == 0)
      continue;
    UninitialisedRead &read = origin.warp->uninitialisedRead;
    const auto lane = static_cast<unsigned>(std::countr_zero(taint[r]));
    const TensorAddress cell = form.cellOf(lane, r);
    read = {true, origin.pc, static_cast<int>(lane), base.column + cell.column};
    read.tensorLane = static_cast<int>(base.lane + cell.lane);
    return;
  }
}

Flow load(const Origin &origin, const uint32_t *words) {
  Warp &w = *origin.warp;
  const TensorMemory &memory = tensorCoreOf(*w.cta).memory;
  const MoveForm form = formOf(words);
  const TensorAddress base = TensorAddress::unpack(words[addressWord]);
  const uint32_t *refs = words + firstRef;
  const unsigned registers = form.registers();
  std::array<uint32_t, 128> taint{};
  if (form.shape == MoveShape::L32x32b && !form.packed)
    loadRows(w, memory, refs, registers, base, taint);
  else
    loadCells(w, memory, refs, form, base, taint);
  const bool tracks = w.cta->checks(Check::X4);
  uint32_t any = 0;
  for (unsigned r = 0; r < registers; ++r) {
    any |= taint[r];
    w.setTaint(refs[r], fullMask, tracks ? taint[r] : 0);
  }
  // Loading what nobody wrote is no mistake: half of the lanes, a tail of columns, a load that was
  // moved ahead of the condition it depends on. Using it is one (X4).
  if (any != 0)
    rememberUninitialised(origin, form, base, taint);
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

/// Registers on their way to tensor memory.
struct StoreData {
  std::vector<uint32_t> values; ///< 32 by register
  std::vector<uint32_t> taint;  ///< by register
};

StoreData takeRegisters(const Warp &w, const uint32_t *words) {
  const unsigned registers = formOf(words).registers();
  StoreData data;
  data.values.resize(size_t{registers} * 32);
  data.taint.resize(registers);
  for (unsigned r = 0; r < registers; ++r) {
    std::memcpy(&data.values[size_t{r} * 32], w.cells<uint32_t>(words[firstRef + r]), 128);
    data.taint[r] = w.taintOf(words[firstRef + r]);
  }
  return data;
}

void store(Cta &cta, const MoveForm &form, TensorAddress base, const StoreData &data) {
  TensorMemory &memory = tensorCoreOf(cta).memory;
  for (unsigned t = 0; t < 32; ++t)
    for (unsigned r = 0; r < data.taint.size(); ++r) {
      const TensorAddress cell = form.cellOf(t, r);
      uint32_t *to = memory.row(base.lane + cell.lane) + base.column + cell.column;
      uint8_t *states = memory.states(base.lane + cell.lane) + base.column + cell.column;
      const uint32_t value = data.values[size_t{r} * 32 + t];
      const uint8_t state =
          (data.taint[r] >> t) & 1 ? TensorMemory::tainted : TensorMemory::initialised;
      to[0] = value;
      states[0] = state;
      if (form.packed) {
        to[0] = value & 0xFFFF;
        to[1] = value >> 16;
        states[1] = state;
      }
    }
}

//===----------------------------------------------------------------------===//
// Issue
//===----------------------------------------------------------------------===//

class LoadOp final : public AsyncOp {
public:
  LoadOp(const Origin &origin, AsyncId id, std::vector<uint32_t> words)
      : AsyncOp(origin, id), words(std::move(words)) {}
  Flow step() override { return load(origin, words.data()); }

private:
  std::vector<uint32_t> words; ///< the operand list, with the address itself in addressWord
};

class StoreOp final : public AsyncOp {
public:
  StoreOp(const Origin &origin, AsyncId id, const MoveForm &form, TensorAddress base,
          StoreData data)
      : AsyncOp(origin, id), form(form), base(base), data(std::move(data)) {}
  Flow step() override {
    store(origin.cta(), form, base, data);
    return Flow::Next;
  }

private:
  const MoveForm form;
  const TensorAddress base;
  const StoreData data;
};

/// Whether the schedule lets the operation complete when it is issued.
bool completesAtOnce(Cta &cta) {
  return cta.schedule() == ScheduleKind::Eager ||
         (cta.schedule() == ScheduleKind::Random && cta.nextRandom() % 2 == 0);
}

Flow move(Warp &w, const Op &op, uint32_t mask, bool loads) {
  if (Flow flow = wholeWarp(w, mask); flow != Flow::Next)
    return flow;
  const uint32_t *words = &w.program->lists[op.target];
  const int lane = std::countr_zero(mask);
  Origin origin = Origin::of(w, lane);
  if (checkTensorAddress(w, op, op.target, mask, "the address in tensor memory") == Flow::Trap ||
      checkUniform(w, words[addressWord], "the address in tensor memory") == Flow::Trap)
    return Flow::Trap;
  Cta &cta = *w.cta;
  TensorCore &core = tensorCoreOf(cta);
  const MoveForm form = formOf(words);
  const uint32_t address = tensorAddressBits(w, op.target, lane);
  const TensorAddress base = TensorAddress::unpack(address);
  if (checkLanes(origin, form, base) == Flow::Trap)
    return Flow::Trap;
  TensorOp record;
  record.kind = loads ? TensorOpKind::Load : TensorOpKind::Store;
  record.warp = origin.number();
  record.id = cta.order().begin(record.warp, w.pc, lane, loads ? "tcgen05.ld" : "tcgen05.st");
  Flow flow = eachRange(form, base, [&](const CellRange &range) {
    return core.enter(origin, cta, record, range, loads ? CellUse::Read : CellUse::Write,
                      loads ? "the source" : "the destination");
  });
  if (flow == Flow::Trap)
    return flow;
  const uint64_t bytes = uint64_t{form.registers()} * 128;
  if (loads) {
    cta.tally.tensorMemoryLoadBytes += bytes;
    std::vector<uint32_t> copy(words, words + firstRef + form.registers());
    copy[addressWord] = address;
    core.addLoad(w, record.id, op.target + firstRef, form.registers());
    if (completesAtOnce(cta))
      return load(origin, copy.data());
    return cta.cluster->async.issue(std::make_unique<LoadOp>(origin, record.id, std::move(copy)));
  }
  cta.tally.tensorMemoryStoreBytes += bytes;
  core.addStore(w, record.id);
  StoreData data = takeRegisters(w, words);
  if (completesAtOnce(cta)) {
    store(cta, form, base, data);
    return Flow::Next;
  }
  return cta.cluster->async.issue(
      std::make_unique<StoreOp>(origin, record.id, form, base, std::move(data)));
}

template <bool loads> Flow moveHandler(Warp &w, const Op &op, uint32_t mask) {
  return move(w, op, mask, loads);
}

/// tcgen05.wait::ld and ::st.
template <bool loads> Flow wait(Warp &w, const Op &, uint32_t mask) {
  if (mask != w.alive && w.cta->checks(Check::X1)) {
    w.need = w.alive;
    return Flow::Converge;
  }
  TensorCore &core = tensorCoreOf(*w.cta);
  return loads ? core.waitLoads(w) : core.waitStores(w);
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

std::optional<MoveShape> takeShape(Decoder &d) {
  for (std::string_view word : {"32x32b", "16x64b", "16x128b", "16x256b", "16x32bx2"})
    if (d.take(word))
      return moveShapeFromWord(word);
  d.fail("{}: the shape is missing; accepted: .32x32b, .16x64b, .16x128b, .16x256b, .16x32bx2",
         d.spelling());
  return std::nullopt;
}

bool decodeMove(Decoder &d, bool loads) {
  d.take(loads ? "ld" : "st");
  if (loads && d.has("red"))
    return d.failLater("tcgen05.ld.red (sm_101a, sm_103f and later)");
  if (!requireTensorCore(d) || !takeSyncAligned(d))
    return true;
  MoveForm form;
  std::optional<MoveShape> shape = takeShape(d);
  if (!shape)
    return true;
  form.shape = *shape;
  static constexpr uint16_t repeats[] = {1, 2, 4, 8, 16, 32, 64, 128};
  int repeat = d.takeOneOf({"x1", "x2", "x4", "x8", "x16", "x32", "x64", "x128"});
  if (repeat >= 0)
    form.repeat = repeats[repeat];
  form.packed = d.take(loads ? "pack::16b" : "unpack::16b");
  if (repeat < 0 || form.registers() == 0 || !d.take("b32"))
    return d.fail("{}: no such move; accepted: .x1 to .x128 of up to 128 registers, and .b32",
                  d.spelling());
  const bool split = form.shape == MoveShape::L16x32bx2;
  if (!d.expectOperands(2u + split))
    return true;
  // ld: registers, address, split; st: address, split, registers.
  const unsigned address = loads ? 1 : 0, immediate = loads ? 2 : 1,
                 registers = loads ? 0 : 1u + split;
  if (split)
    form.split = static_cast<uint32_t>(d.immediate(d.operand(immediate), 0, tensorColumns));
  const Operand &vector = d.operand(registers);
  if (vector.kind != Operand::Kind::Vector || vector.children.size() != form.registers())
    return d.failAt(vector.location, fmt::format("{}: this operand takes {{{} registers}}",
                                                 d.spelling(), form.registers()));
  d.op.target = appendTensorAddress(d, d.operand(address));
  d.list({static_cast<uint32_t>(form.shape), form.repeat, form.packed, form.split});
  const DataType word = *dataTypeFromWord("b32");
  for (const Operand &child : vector.children)
    d.appendList(loads ? d.destination(child, word) : d.source(child, word));
  if (loads)
    d.program().sawPendingRegisters();
  d.set(loads ? &moveHandler<true> : &moveHandler<false>, OpClass::Move);
  return true;
}

} // namespace

bool decodeTensorLoad(Decoder &d) { return decodeMove(d, true); }
bool decodeTensorStore(Decoder &d) { return decodeMove(d, false); }

bool decodeTensorWaitLoad(Decoder &d) {
  d.take("wait::ld");
  if (!requireTensorCore(d) || !takeSyncAligned(d) || !d.expectOperands(0))
    return true;
  d.program().program.tensorLoadWaits = true;
  d.set(&wait<true>, OpClass::Special);
  return true;
}

bool decodeTensorWaitStore(Decoder &d) {
  d.take("wait::st");
  if (requireTensorCore(d) && takeSyncAligned(d) && d.expectOperands(0))
    d.set(&wait<false>, OpClass::Special);
  return true;
}

} // namespace msa::ptxsim

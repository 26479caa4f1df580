//===- AsyncStoreGlobal.cpp - PTX ISA 9.7.9.12 and 9.7.13.7: st.async, red.async to global memory
//===//
//
// Release stores and reductions that land some time later, before the end of the CTA at
// the latest. Nothing signals them; whoever polls the address sees them.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/AsyncForms.h"
#include "ptxsim/isa/Families.h"

#include <bit>
#include <cstring>

namespace msa::ptxsim {

namespace {

class GlobalStore final : public AsyncOp {
public:
  GlobalStore(const Origin &origin, AsyncId id, const Op &op)
      : AsyncOp(origin, id), bytes(op.mode), reduces(op.mode2 != 0),
        reduction(static_cast<Reduction>(op.mode2 - 1)),
        type(static_cast<ReductionType>(op.count)) {}
  std::vector<std::pair<GlobalPlace, Payload>> landings;

  Flow step() override {
    for (const auto &[place, payload] : landings)
      if ((reduces ? reduceGlobal(origin, place, bytes, payload, 0, reduction, type)
                   : writeGlobal(origin, place, bytes, payload)) == Flow::Trap)
        return Flow::Trap;
    return Flow::Next;
  }

private:
  uint32_t bytes;
  bool reduces;
  Reduction reduction;
  ReductionType type;
};

/// Op::target: the address; Op::b: the value; Op::mode: its bytes; Op::mode2: 0, or 1 + reduction;
/// Op::count: the reduction's type.
Flow storeGlobal(Warp &w, const Op &op, uint32_t mask) {
  if (checkAddress(w, op, op.target, mask, "the address") == Flow::Trap ||
      w.checkTaint(w.taintOf(op.b) & mask, "a value stored to global memory", op) == Flow::Trap)
    return Flow::Trap;
  Cta &cta = *w.cta;
  Origin first = Origin::of(w, std::countr_zero(mask));
  AsyncId id =
      cta.order().begin(first.number(), w.pc, first.lane, op.mode2 ? "red.async" : "st.async");
  auto store = std::make_unique<GlobalStore>(first, id, op);
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    Origin origin = Origin::of(w, std::countr_zero(left));
    uint64_t address = addressAt(w, op.target, origin.lane);
    if (address % op.mode != 0)
      return origin.trapAlways(
          "X5", fmt::format("the address 0x{:x} must be a multiple of {}", address, op.mode));
    GlobalPlace place;
    if (resolveGlobal(origin, address, op.mode, Check::X5, "the destination", place) == Flow::Trap)
      return Flow::Trap;
    Payload payload;
    payload.resize(op.mode);
    uint64_t value =
        op.mode == 8 ? w.cells<uint64_t>(op.b)[origin.lane] : w.cells<uint32_t>(op.b)[origin.lane];
    std::memcpy(payload.bytes.data(), &value, op.mode);
    store->landings.emplace_back(place, std::move(payload));
  }
  return cta.cluster->async.issue(std::move(store));
}

/// .mmio, .release, .gpu or .sys, .global; [a], b.
bool setOperands(Decoder &d, const DataType &type) {
  if (!d.expectOperands(2))
    return true;
  d.op.target = appendAddress(d, d.operand(0), StateSpace::Global);
  d.op.b = d.source(1, type);
  d.op.mode = static_cast<uint8_t>(type.bits / 8);
  d.program().sawOrderedAccess();
  d.program().sawAccess(StateSpace::Global, type.bits / 8);
  d.set(&storeGlobal, OpClass::Global);
  d.require(87, 100, "an asynchronous store to global memory");
  return true;
}

bool takeRelease(Decoder &d) {
  d.take("mmio");
  bool release = d.take("release"), scope = d.takeOneOf({"gpu", "sys"}) >= 0;
  d.take("global");
  return (release && scope) ||
         !d.fail("{}: accepted: .shared::cluster.mbarrier::complete_tx::bytes, or .release with "
                 ".gpu or .sys to .global",
                 d.spelling());
}

} // namespace

bool decodeStoreAsyncGlobal(Decoder &d) {
  if (d.has("mbarrier::complete_tx::bytes"))
    return false;
  d.take("async");
  if (!takeRelease(d))
    return true;
  DataType type = d.takeType();
  if (!d.failed() && (type.kind == DataType::Kind::Predicate || type.bits > 64))
    return d.fail("{}: accepted: types of 8 to 64 bits", d.spelling());
  return d.failed() || setOperands(d, type);
}

bool decodeReduceAsyncGlobal(Decoder &d) {
  if (d.has("mbarrier::complete_tx::bytes"))
    return false;
  d.take("async");
  if (!takeRelease(d))
    return true;
  int op = d.takeOneOf({"add", "min", "max", "inc", "dec", "and", "or", "xor"});
  DataType type = d.takeType();
  static constexpr std::string_view names[] = {"u32", "s32", "u64", "s64"};
  int which = type.is("b32") ? static_cast<int>(ReductionType::B32) : -1;
  for (int i = 0; i < 4; ++i)
    if (type.is(names[i]))
      which = i;
  bool adds = op == 0 && which >= 0 && which < 4;
  if (op < 0 || which < 0 ||
      (!adds && (type.bits == 64 ||
                 !isLegal(static_cast<Reduction>(op), static_cast<ReductionType>(which)))))
    return d.failed() || d.fail("{}: no such reduction", d.spelling());
  d.op.mode2 = static_cast<uint8_t>(op + 1);
  d.op.count = static_cast<uint16_t>(which);
  return setOperands(d, type);
}

} // namespace msa::ptxsim

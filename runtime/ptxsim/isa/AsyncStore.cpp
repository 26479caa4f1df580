//===- AsyncStore.cpp - PTX ISA 9.7.9.12 and 9.7.13.8: st.async, red.async
//------------------------------------===//
//
// Stores and reductions into the shared memory of a CTA of the cluster, which signal
// their bytes to an mbarrier there. One operation a warp instruction: its lanes land
// together, at a time that the schedule chooses.
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

struct Landing {
  Cta *owner;
  uint32_t offset, barrier;
  uint8_t bytes[16];
  bool tainted;
};

class RemoteStore final : public AsyncOp {
public:
  RemoteStore(const Origin &origin, AsyncId id, uint32_t bytes, bool reduces, Reduction reduction,
              ReductionType type)
      : AsyncOp(origin, id), bytes(bytes), reduces(reduces), reduction(reduction), type(type) {}
  std::vector<Landing> landings;

  Flow step() override {
    for (const Landing &landing : landings) {
      if (checkAlive(origin, *landing.owner) == Flow::Trap)
        return Flow::Trap;
      const Region &shared = landing.owner->sharedRegion;
      if (reduces)
        reduceElement(reduction, type, shared.host + landing.offset, landing.bytes);
      else
        std::memcpy(shared.host + landing.offset, landing.bytes, bytes);
      if (shared.shadow && (!reduces || landing.tainted))
        std::memset(shared.shadow + landing.offset, landing.tainted ? 0 : 1, bytes);
      if (completeTxMbarrier(origin, *landing.owner, landing.barrier, bytes, id) == Flow::Trap)
        return Flow::Trap;
    }
    return Flow::Next;
  }

private:
  uint32_t bytes;
  bool reduces;
  Reduction reduction;
  ReductionType type;
};

/// Operand list: two addresses, then op.count values. Op::mode: bytes of a value; Op::mode2: 0, or
/// 1 + reduction; Op::immediate: its type.
Flow storeAsync(Warp &w, const Op &op, uint32_t mask) {
  const uint32_t *values = &w.program->lists[op.target + 2 * addressWords];
  if (w.checkTaint((addressTaint(w, op.target) | addressTaint(w, op.target + addressWords)) & mask,
                   "an address", op) == Flow::Trap)
    return Flow::Trap;
  const uint32_t bytes = uint32_t{op.mode} * op.count;
  Cta &cta = *w.cta;
  Origin first = Origin::of(w, std::countr_zero(mask));
  AsyncId id = cta.order().begin(first.number(), w.pc, first.lane,
                                 op.mode2 ? "red.async" : "st.async", Check::B6);
  auto store = std::make_unique<RemoteStore>(first, id, bytes, op.mode2 != 0,
                                             static_cast<Reduction>(op.mode2 - 1),
                                             static_cast<ReductionType>(op.immediate));
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    Origin origin = Origin::of(w, std::countr_zero(left));
    Landing landing{};
    Cta *barrierOwner = nullptr;
    if (resolveShared(origin, addressAt(w, op.target, origin.lane), true, "the destination",
                      landing.owner, landing.offset) == Flow::Trap ||
        resolveMbarrier(origin, addressAt(w, op.target + addressWords, origin.lane), true,
                        barrierOwner, landing.barrier) == Flow::Trap ||
        checkSharedExtent(origin, *landing.owner, landing.offset, bytes, Check::X5,
                          "the destination") == Flow::Trap)
      return Flow::Trap;
    if (landing.offset % bytes != 0)
      return origin.trapAlways("X5",
                               fmt::format("the destination, {}, must be a multiple of {}",
                                           describeShared(*landing.owner, landing.offset), bytes));
    if (landing.owner != barrierOwner)
      return origin.trapAlways("B5",
                               fmt::format("the destination lies in CTA {} of the cluster and "
                                           "the mbarrier in CTA {}; both must be in one",
                                           landing.owner->rank, barrierOwner->rank));
    if (checkMbarrier(origin, *landing.owner, landing.barrier, "will signal") == Flow::Trap ||
        checkMbarrierPublished(origin, *landing.owner, landing.barrier) == Flow::Trap ||
        narrowWritesShared(origin, *landing.owner, landing.offset, bytes, id, op.mode2 != 0) ==
            Flow::Trap)
      return Flow::Trap;
    for (unsigned i = 0; i < op.count; ++i) {
      uint64_t value = op.mode == 8 ? w.cells<uint64_t>(values[i])[origin.lane]
                                    : w.cells<uint32_t>(values[i])[origin.lane];
      std::memcpy(landing.bytes + i * op.mode, &value, op.mode);
      landing.tainted = landing.tainted || ((w.taintOf(values[i]) >> origin.lane) & 1);
    }
    store->landings.push_back(landing);
  }
  cta.tally.clusterBytes += bytes * static_cast<uint64_t>(std::popcount(mask));
  return cta.cluster->async.issue(std::move(store));
}

bool takeCompletion(Decoder &d) {
  d.takeOneOf({"shared::cluster", "shared::cta"});
  return d.take("mbarrier::complete_tx::bytes") ||
         !d.fail("{}: accepted: .shared::cluster.mbarrier::complete_tx::bytes", d.spelling());
}

/// [a], values, [mbarrier].
bool setOperands(Decoder &d, unsigned vector, const DataType &type) {
  if (!d.expectOperands(3))
    return false;
  d.op.target = appendAddress(d, d.operand(0), StateSpace::SharedCluster);
  appendAddress(d, d.operand(2), StateSpace::SharedCluster);
  const Operand &value = d.operand(1);
  if (vector > 1 && (value.kind != Operand::Kind::Vector || value.children.size() != vector)) {
    d.failAt(value.location,
             fmt::format("{}: this operand must be a vector of {}", d.spelling(), vector));
    return false;
  }
  for (unsigned i = 0; i < vector; ++i)
    d.list({d.source(vector > 1 ? value.children[i] : value, type)});
  d.op.count = static_cast<uint16_t>(vector);
  d.op.mode = static_cast<uint8_t>(type.bits / 8);
  d.program().sawAccess(StateSpace::Shared, type.bits / 8);
  d.set(&storeAsync, OpClass::Shared);
  return true;
}

} // namespace

bool decodeStoreAsync(Decoder &d) {
  d.take("async");
  d.takeOneOf({"weak", "cluster"});
  if (!takeCompletion(d))
    return true;
  int vector = d.takeOneOf({"v2", "v4"});
  DataType type = d.takeType();
  if (type.bits != 32 && type.bits != 64)
    return d.failed() || d.fail("{}: accepted: types of 32 and 64 bits", d.spelling());
  if (vector == 1 && type.bits == 64)
    return d.fail("{}: .v4 takes types of 32 bits", d.spelling());
  setOperands(d, vector < 0 ? 1 : vector == 0 ? 2 : 4, type);
  return true;
}

bool decodeReduceAsync(Decoder &d) {
  d.take("async");
  if (!d.take("relaxed") || !d.take("cluster"))
    return d.fail("{}: .relaxed.cluster is missing", d.spelling());
  if (!takeCompletion(d))
    return true;
  int op = d.takeOneOf({"add", "min", "max", "inc", "dec", "and", "or", "xor"});
  DataType type = d.takeType();
  static constexpr std::string_view names[] = {"u32", "s32", "u64", "s64"};
  int which = type.is("b32") ? static_cast<int>(ReductionType::B32) : -1;
  for (int i = 0; i < 4; ++i)
    if (type.is(names[i]))
      which = i;
  bool wide = type.bits == 64;
  bool adds = op == 0 && which >= 0 && which < 4;
  if (op < 0 || which < 0 || (wide && op != 0) ||
      (!adds && !isLegal(static_cast<Reduction>(op), static_cast<ReductionType>(which))))
    return d.failed() || d.fail("{}: no such reduction", d.spelling());
  d.op.mode2 = static_cast<uint8_t>(op + 1);
  d.op.immediate = which;
  setOperands(d, 1, type);
  return true;
}

} // namespace msa::ptxsim

//===- BulkCopy.cpp - PTX ISA 9.7.9.25.4 and .5: cp.async.bulk, cp.reduce.async.bulk
//--------------===//
//
// A copy has two stages: read the source, then write the destination and signal. Its
// hazards are judged when it is issued (engine/AsyncShadow.h). Copies into shared
// memory signal bytes to an mbarrier; copies out of it join the bulk group that
// their thread is filling.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/AsyncForms.h"
#include "ptxsim/isa/BulkGroups.h"
#include "ptxsim/isa/Families.h"

#include <bit>

namespace msa::ptxsim {

namespace {

/// What a bulk copy moves where; by its index in the lists (copyOf).
struct Transfer {
  bool fromGlobal = false, toGlobal = false;
  GlobalPlace global;
  uint32_t source = 0; ///< offset in the issuing CTA's shared memory
  uint32_t bytes = 0;
  /// Destinations in shared memory, each with its mbarrier.
  struct Target {
    Cta *owner, *barrierOwner;
    uint32_t offset, barrier;
  };
  std::vector<Target> targets;
  bool reduces = false, masked = false;
  Reduction reduction{};
  ReductionType type{};
  uint16_t byteMask = 0xFFFF; ///< .cp_mask: of each 16 bytes
};

class BulkCopy final : public AsyncOp {
public:
  BulkCopy(const Origin &origin, AsyncId id, Transfer transfer)
      : AsyncOp(origin, id), transfer(std::move(transfer)) {
    stages = 2;
  }
  Flow step() override { return stages == 2 ? read() : write(); }

private:
  Flow read() {
    payload.resize(transfer.bytes);
    if (transfer.fromGlobal)
      readGlobal(origin, transfer.global, transfer.bytes, payload);
    else
      readShared(origin.cta(), transfer.source, transfer.bytes, payload);
    return Flow::Next;
  }

  Flow write() {
    if (transfer.toGlobal)
      return writeOut();
    for (const Transfer::Target &target : transfer.targets) {
      if (checkAlive(origin, *target.owner) == Flow::Trap)
        return Flow::Trap;
      if (transfer.reduces)
        reduceShared(*target.owner, target.offset);
      else
        writeShared(*target.owner, target.offset, transfer.bytes, payload);
      if (completeTxMbarrier(origin, *target.barrierOwner, target.barrier, transfer.bytes, id) ==
          Flow::Trap)
        return Flow::Trap;
    }
    return Flow::Next;
  }

  void reduceShared(Cta &owner, uint32_t offset) {
    if (uint8_t *shadow = owner.sharedRegion.shadow)
      for (uint32_t i = 0; i < transfer.bytes; ++i)
        shadow[offset + i] &= payload.initialised[i];
    for (uint32_t i = 0; i < transfer.bytes; i += bytesOf(transfer.type))
      reduceElement(transfer.reduction, transfer.type, owner.sharedRegion.host + offset + i,
                    payload.bytes.data() + i);
  }

  Flow writeOut() {
    if (transfer.reduces)
      return reduceGlobal(origin, transfer.global, transfer.bytes, payload, 0, transfer.reduction,
                          transfer.type);
    if (!transfer.masked)
      return writeGlobal(origin, transfer.global, transfer.bytes, payload);
    for (uint32_t i = 0; i < transfer.bytes; ++i) {
      GlobalPlace place = {transfer.global.allocation, transfer.global.offset + i};
      if (((transfer.byteMask >> (i % 16)) & 1) &&
          writeGlobal(origin, place, 1, payload, i) == Flow::Trap)
        return Flow::Trap;
    }
    return Flow::Next;
  }

  Transfer transfer;
  Payload payload;
};

/// Words of the operand list: three addresses, then these.
enum ListWord : unsigned {
  destination = 0,
  source = addressWords,
  barrier = 2 * addressWords,
  sizeRef = 3 * addressWords,
  maskRef,
  listWords
};
/// Op::mode.
enum CopyBits : uint8_t {
  fromGlobalBit = 1,
  toGlobalBit = 2,
  multicastBit = 4,
  reduceBit = 8,
  byteMaskBit = 16,
  remoteBit = 32, ///< .shared::cluster destination
};
/// Op::count of a reduction: op in the low byte, type above.

Flow checkMultiple(const Origin &origin, uint64_t value, const char *what) {
  if (value % 16 == 0)
    return Flow::Next;
  return origin.trapAlways(
      "M1", fmt::format("{} is {}; bulk copies need multiples of 16 bytes", what, value));
}

/// Resolves the shared-memory destinations and their barriers.
Flow resolveTargets(const Origin &origin, const Op &op, const uint32_t *words, Transfer &t) {
  Warp &w = *origin.warp;
  const int lane = origin.lane;
  Cluster &cluster = *origin.cta().cluster;
  Transfer::Target first{};
  if (resolveShared(origin, addressAt(w, op.target + destination, lane), op.mode & remoteBit,
                    "the destination", first.owner, first.offset) == Flow::Trap ||
      resolveMbarrier(origin, addressAt(w, op.target + barrier, lane), op.mode & remoteBit,
                      first.barrierOwner, first.barrier) == Flow::Trap ||
      checkMultiple(origin, first.offset, "the offset of the destination") == Flow::Trap)
    return Flow::Trap;
  if (first.owner != first.barrierOwner)
    return origin.trapAlways("B5", fmt::format("the destination lies in CTA {} of the cluster and "
                                               "the mbarrier in CTA {}; both must be in one",
                                               first.owner->rank, first.barrierOwner->rank));
  if (!(op.mode & multicastBit)) {
    t.targets.push_back(first);
    return Flow::Next;
  }
  uint32_t mask = w.cells<uint32_t>(words[maskRef])[lane] & 0xFFFF;
  if (mask == 0 || mask >> cluster.ctas.size() != 0)
    return origin.trapAlways("M2", fmt::format("the CTA mask 0x{:x} names no CTA, or more than the "
                                               "{} of the cluster",
                                               mask, cluster.ctas.size()));
  forLanes(mask, [&](int rank) {
    Cta *cta = cluster.ctas[static_cast<size_t>(rank)].get();
    t.targets.push_back({cta, cta, first.offset, first.barrier});
  });
  return Flow::Next;
}

Flow issueCopy(Warp &w, const Op &op, int lane) {
  const uint32_t *words = &w.program->lists[op.target];
  Origin origin = Origin::of(w, lane);
  Cta &cta = *w.cta;
  Transfer t;
  t.fromGlobal = op.mode & fromGlobalBit;
  t.toGlobal = op.mode & toGlobalBit;
  t.bytes = w.cells<uint32_t>(words[sizeRef])[lane];
  t.reduces = op.mode & reduceBit;
  t.reduction = static_cast<Reduction>(op.count & 0xFF);
  t.type = static_cast<ReductionType>(op.count >> 8);
  t.masked = op.mode & byteMaskBit;
  if (t.masked)
    t.byteMask = static_cast<uint16_t>(w.cells<uint32_t>(words[maskRef])[lane]);
  if (checkMultiple(origin, t.bytes, "the size") == Flow::Trap)
    return Flow::Trap;
  uint64_t from = addressAt(w, op.target + source, lane),
           to = addressAt(w, op.target + destination, lane);
  Cta *self = nullptr;
  if (t.fromGlobal) {
    if (checkMultiple(origin, from, "the source address") == Flow::Trap ||
        resolveGlobal(origin, from, t.bytes, Check::X5, "the source", t.global) == Flow::Trap)
      return Flow::Trap;
  } else if (resolveShared(origin, from, false, "the source", self, t.source) == Flow::Trap ||
             checkMultiple(origin, t.source, "the offset of the source") == Flow::Trap ||
             checkSharedExtent(origin, cta, t.source, t.bytes, Check::M2, "the source") ==
                 Flow::Trap) {
    return Flow::Trap;
  }
  if (t.toGlobal) {
    if (checkMultiple(origin, to, "the destination address") == Flow::Trap ||
        resolveGlobal(origin, to, t.bytes, Check::X5, "the destination", t.global) == Flow::Trap)
      return Flow::Trap;
  } else if (resolveTargets(origin, op, words, t) == Flow::Trap) {
    return Flow::Trap;
  }
  const char *name = t.reduces ? "cp.reduce.async.bulk" : "cp.async.bulk";
  AsyncId id = cta.order().begin(origin.number(), w.pc, lane, name,
                                 t.toGlobal ? std::optional<Check>() : Check::B6);
  if (!t.fromGlobal &&
      asyncReadsShared(origin, cta, t.source, t.bytes, id, AsyncUnit::Copy) == Flow::Trap)
    return Flow::Trap;
  for (const Transfer::Target &target : t.targets)
    if (checkSharedExtent(origin, *target.owner, target.offset, t.bytes, Check::M2,
                          "the destination") == Flow::Trap ||
        checkMbarrier(origin, *target.barrierOwner, target.barrier, "will signal") == Flow::Trap ||
        checkMbarrierPublished(origin, *target.barrierOwner, target.barrier) == Flow::Trap ||
        asyncWritesShared(origin, *target.owner, target.offset, t.bytes, id) == Flow::Trap)
      return Flow::Trap;
  if (t.toGlobal)
    cta.state<BulkGroups>().join(w, lane, id);
  (t.reduces      ? cta.tally.bulkReduceBytes
   : t.fromGlobal ? cta.tally.bulkLoadBytes
   : t.toGlobal   ? cta.tally.bulkStoreBytes
                  : cta.tally.clusterBytes) += t.bytes;
  return cta.cluster->async.issue(std::make_unique<BulkCopy>(origin, id, std::move(t)));
}

Flow copyBulk(Warp &w, const Op &op, uint32_t mask) {
  const uint32_t *words = &w.program->lists[op.target];
  uint32_t tainted = addressTaint(w, op.target + source) |
                     addressTaint(w, op.target + destination) | w.taintOf(words[sizeRef]) |
                     w.taintOf(words[maskRef]);
  if (!(op.mode & toGlobalBit))
    tainted |= addressTaint(w, op.target + barrier);
  if (w.checkTaint(tainted & mask, "an operand of this copy", op) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t left = mask; left != 0; left &= left - 1)
    if (issueCopy(w, op, std::countr_zero(left)) == Flow::Trap)
      return Flow::Trap;
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

bool takeReduction(Decoder &d, bool toGlobal) {
  int op = d.takeOneOf({"add", "min", "max", "inc", "dec", "and", "or", "xor"});
  bool noFlush = d.take("noftz");
  int type = d.takeOneOf({"u32", "s32", "u64", "s64", "f16", "bf16", "f32", "f64", "b32", "b64"});
  if (op < 0 || type < 0 || !isLegal(static_cast<Reduction>(op), static_cast<ReductionType>(type)))
    return !d.fail("{}: this operation and type do not go together", d.spelling());
  // What shared memory can reduce is a part of it (9.7.9.25.4.2).
  bool narrow = type == 0 || type == 1 || (type == 2 && op == 0) || type == 8;
  if (!toGlobal && !narrow)
    return !d.fail("{}: shared memory reduces .u32, .s32, .b32 and .add.u64 only", d.spelling());
  bool half = type == 4 || type == 5;
  if (noFlush != (half && op == 0))
    return !d.fail("{}: .noftz belongs to .add.f16 and .add.bf16, which need it", d.spelling());
  d.op.count = static_cast<uint16_t>(op | type << 8);
  d.op.mode |= reduceBit;
  return true;
}

/// After "cp[.reduce].async.bulk", not tensor: one copy.
bool decodeCopy(Decoder &d, bool reduces) {
  static constexpr std::string_view spaces[] = {"shared::cluster", "shared::cta", "global"};
  auto takeSpace = [&] {
    for (int i = 0; i < 3; ++i)
      if (d.take(spaces[i]))
        return i;
    return -1;
  };
  // take() finds words anywhere, so the order of the two spaces is read from the text.
  int to = -1, from = -1;
  for (const std::string &word : d.inst.modifiers)
    for (int i = 0; i < 3; ++i)
      if (word == spaces[i])
        (to < 0 ? to : from) = i;
  takeSpace();
  takeSpace();
  bool bytes = d.take("mbarrier::complete_tx::bytes"), group = d.take("bulk_group");
  bool multicast = d.take("multicast::cluster"), policy = d.take("L2::cache_hint");
  bool masked = d.take("cp_mask");
  bool load = from == 2 && to != 2 && bytes && !group && !reduces;
  bool move = from == 1 && to == 0 && bytes && !group;
  bool store = from == 1 && to == 2 && group && !bytes;
  if ((!load && !move && !store) || (multicast && (!load || to != 0)) || (masked && !store) ||
      (masked && reduces) || (policy && move))
    return d.fail("{}: no such copy; accepted: shared <- global and shared::cluster <- shared::cta "
                  "with .mbarrier::complete_tx::bytes, global <- shared::cta with .bulk_group",
                  d.spelling());
  d.op.mode = static_cast<uint8_t>((load ? fromGlobalBit : 0) | (store ? toGlobalBit : 0) |
                                   (multicast ? multicastBit : 0) | (masked ? byteMaskBit : 0) |
                                   (to == 0 ? remoteBit : 0));
  if (reduces && !takeReduction(d, store))
    return true;
  if (!d.expectOperands(3u + !store + multicast + policy + masked))
    return true;
  StateSpace target = store     ? StateSpace::Global
                      : to == 0 ? StateSpace::SharedCluster
                                : StateSpace::Shared;
  if (d.isImmediate(d.operand(2)) && d.operand(2).bits % 16 != 0)
    return d.fail("{}: a size of {}; bulk copies need multiples of 16 bytes", d.spelling(),
                  d.operand(2).bits);
  Ref size = sourceOf(d, d.operand(2), "u32"), mask = d.constant(0, 32);
  unsigned next = 3 + !store;
  if (multicast)
    mask = sourceOf(d, d.operand(next++), "u16");
  if (policy)
    sourceOf(d, d.operand(next++), "b64");
  if (masked)
    mask = sourceOf(d, d.operand(next++), "u16");
  d.op.target = appendAddress(d, d.operand(0), target);
  appendAddress(d, d.operand(1), load ? StateSpace::Global : StateSpace::Shared);
  if (store)
    d.list({d.constant(0, 64), 0, 1});
  else
    appendAddress(d, d.operand(3), target);
  d.list({size, mask});
  if (reduces && store)
    d.program().sawOrderedAccess();
  d.program().sawAccess(StateSpace::Generic, 4);
  d.set(&copyBulk, OpClass::Copy);
  return true;
}

} // namespace

bool decodeBulkCopy(Decoder &d) {
  if (d.has("tensor"))
    return false;
  d.take("async");
  d.take("bulk");
  if (d.take("prefetch")) {
    bool level = d.take("L2"), global = d.take("global"), policy = d.take("L2::cache_hint");
    if (!level || !global || !d.expectOperands(2u + policy))
      return d.failed() || d.fail("{}: accepted: cp.async.bulk.prefetch.L2.global", d.spelling());
    appendAddress(d, d.operand(0), StateSpace::Global);
    sourceOf(d, d.operand(1), "u32");
    if (policy)
      sourceOf(d, d.operand(2), "b64");
    d.set([](Warp &, const Op &, uint32_t) { return Flow::Next; }, OpClass::Copy);
    return true;
  }
  return decodeCopy(d, false);
}

bool decodeBulkReduce(Decoder &d) {
  if (d.has("tensor"))
    return false;
  d.take("reduce");
  d.take("async");
  d.take("bulk");
  return decodeCopy(d, true);
}

} // namespace msa::ptxsim

//===- TensorCopy.cpp - PTX ISA 9.7.9.27: cp{.reduce}.async.bulk.tensor
//------------------------------===//
//
// A box of a tensor in global memory to or from shared memory (engine/TensorBox.h). What
// lies outside of the tensor is filled (loads) or skipped (stores), and counts all the
// same.
//
// Two stages: read, then write and signal. Hazards are judged at issue.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/engine/TensorBox.h"
#include "ptxsim/isa/AsyncForms.h"
#include "ptxsim/isa/BulkGroups.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/TensorProxy.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

namespace msa::ptxsim {

namespace {

struct Target {
  Cta *owner, *barrierOwner;
  uint32_t offset, barrier;
};

class TensorLoad final : public AsyncOp {
public:
  TensorLoad(const Origin &origin, AsyncId id, const TensorBox &box, std::vector<Target> targets)
      : AsyncOp(origin, id), box(box), targets(std::move(targets)) {
    stages = 2;
  }
  Flow step() override {
    if (stages == 2)
      return readBox(origin, box, payload);
    for (const Target &target : targets) {
      Cta &owner = *target.owner;
      if (checkAlive(origin, *target.owner) == Flow::Trap)
        return Flow::Trap;
      eachChunk(box, target.offset, [&](uint32_t to, size_t from, uint32_t bytes) {
        writeShared(owner, to, bytes, payload, from);
      });
      if (completeTxMbarrier(origin, *target.barrierOwner, target.barrier, box.countedBytes(),
                             id) == Flow::Trap)
        return Flow::Trap;
    }
    return Flow::Next;
  }

private:
  TensorBox box;
  std::vector<Target> targets;
  Payload payload;
};

class TensorStore final : public AsyncOp {
public:
  /// `type`: of a reduction; nothing: a copy.
  TensorStore(const Origin &origin, AsyncId id, const TensorBox &box, uint32_t source,
              Reduction reduction, std::optional<ReductionType> type)
      : AsyncOp(origin, id), box(box), source(source), reduction(reduction), type(type) {
    stages = 2;
  }
  Flow step() override {
    if (stages == 1)
      return writeBox(origin, box, payload, reduction, type);
    payload.resize(box.bytes());
    eachChunk(box, source, [&](uint32_t from, size_t to, uint32_t bytes) {
      readShared(origin.cta(), from, bytes, payload, to);
    });
    return Flow::Next;
  }

private:
  TensorBox box;
  uint32_t source;
  Reduction reduction;
  std::optional<ReductionType> type;
  Payload payload;
};

//===----------------------------------------------------------------------===//
// Issuing
//===----------------------------------------------------------------------===//

/// Words of the operand list: three addresses, the CTA mask, then coordinates.
enum ListWord : unsigned {
  mapAddress = 0,
  sharedAddress = addressWords,
  barrierAddress = 2 * addressWords,
  maskRef = 3 * addressWords,
  coordinates
};
/// Op::mode.
enum CopyBits : uint8_t {
  loadBit = 1,
  prefetchBit = 2,
  multicastBit = 4,
  reduceBit = 8,
  gatherBit = 16,
  remoteBit = 32,
  pairBit = 64, ///< .cta_group::2
};
/// Op::count: coordinates. Op::mode2: the reduction.

Flow readMap(const Origin &origin, const Op &op, TensorBox &box) {
  Warp &w = *origin.warp;
  if (loadTensorMap(origin, addressAt(w, op.target + mapAddress, origin.lane), box.map) ==
      Flow::Trap)
    return Flow::Trap;
  box.gathers = op.mode & gatherBit;
  unsigned rank = box.gathers ? 2 : op.count;
  if (box.map.rank != rank)
    return origin.trapAlways(
        "M1", fmt::format("a copy of {} dimensions with a tensor map of {}", rank, box.map.rank));
  if (box.gathers && box.map.box[1] != 1)
    return origin.trapAlways(
        "M1", fmt::format("gather4 needs a box of one row; the map's has {}", box.map.box[1]));
  const uint32_t *words = &w.program->lists[op.target + coordinates];
  for (unsigned i = 0; i < op.count; ++i)
    box.at[i] = static_cast<int32_t>(w.cells<uint32_t>(words[i])[origin.lane]);
  if (!box.measure())
    return origin.trapAlways("M2", "the box of the tensor map is larger than any shared memory");
  if (isPadded(box.map.type) && box.at[0] % 128 != 0)
    return origin.trapAlways("M1",
                             fmt::format("coordinate {} of a padded 4- or 6-bit type; needed: "
                                         "a multiple of 128",
                                         box.at[0]));
  if (bitsOf(box.map.type) == 4 && box.at[0] % 2 != 0)
    return origin.trapAlways(
        "M1", fmt::format("coordinate {} of a 4-bit type; needed: an even one", box.at[0]));
  return Flow::Next;
}

Flow checkPlace(const Origin &origin, const Cta &owner, const TensorBox &box, uint32_t offset,
                const char *what) {
  if (offset % 128 != 0)
    return origin.trapAlways("M1", fmt::format("{} is {}; a tensor copy needs a multiple of 128",
                                               what, describeShared(owner, offset)));
  return eachRange(box, offset, [&](uint32_t at, uint32_t bytes) {
    return checkSharedExtent(origin, owner, at, bytes, Check::M2, what);
  });
}

Flow resolveTargets(const Origin &origin, const Op &op, std::vector<Target> &targets) {
  Warp &w = *origin.warp;
  const int lane = origin.lane;
  Cluster &cluster = *origin.cta().cluster;
  Target first{};
  // In a pair the barrier may be the peer's even where the destination is the CTA's own.
  bool remote = op.mode & remoteBit, pair = op.mode & pairBit;
  if (resolveShared(origin, addressAt(w, op.target + sharedAddress, lane), remote,
                    "the destination", first.owner, first.offset) == Flow::Trap ||
      resolveMbarrier(origin, addressAt(w, op.target + barrierAddress, lane), remote || pair,
                      first.barrierOwner, first.barrier) == Flow::Trap)
    return Flow::Trap;
  uint32_t distance = first.owner->rank ^ first.barrierOwner->rank;
  if (!(op.mode & multicastBit)) {
    if (distance != 0 && !(pair && distance == 1))
      return origin.trapAlways(
          "B5", fmt::format("the destination lies in CTA {} of the cluster and the mbarrier in CTA "
                            "{}; accepted: the same one, or with .cta_group::2 its peer",
                            first.owner->rank, first.barrierOwner->rank));
    targets.push_back(first);
    return Flow::Next;
  }
  uint32_t mask = w.cells<uint32_t>(w.program->lists[op.target + maskRef])[lane] & 0xFFFF;
  if (mask == 0 || mask >> cluster.ctas.size() != 0)
    return origin.trapAlways("M2", fmt::format("the CTA mask 0x{:x} names no CTA, or more than the "
                                               "{} of the cluster",
                                               mask, cluster.ctas.size()));
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    auto rank = static_cast<uint32_t>(std::countr_zero(left));
    uint32_t signalled = pair ? (rank & ~1u) | (first.barrierOwner->rank & 1) : rank;
    Cta *barrier = cluster.ctaOf(signalled);
    if (!barrier)
      return origin.trapAlways("M2", fmt::format("CTA {} of the mask has no peer", rank));
    targets.push_back({cluster.ctaOf(rank), barrier, first.offset, first.barrier});
  }
  return Flow::Next;
}

/// Counters of a copy: bytes inside of the tensor, and those outside.
void countBytes(Cta &cta, const TensorBox &box, uint64_t &bytes) {
  uint64_t inside = insideBytes(box);
  bytes += inside;
  cta.tally.tmaOutsideBytes += box.countedBytes() - inside;
}

Flow issueLoad(const Origin &origin, const Op &op, const TensorBox &box) {
  Cta &cta = origin.cta();
  std::vector<Target> targets;
  if (resolveTargets(origin, op, targets) == Flow::Trap)
    return Flow::Trap;
  AsyncId id =
      cta.order().begin(origin.number(), origin.pc, origin.lane, "cp.async.bulk.tensor", Check::B6);
  for (const Target &target : targets) {
    Cta &owner = *target.owner;
    if (checkPlace(origin, owner, box, target.offset, "the destination") == Flow::Trap ||
        checkMbarrier(origin, *target.barrierOwner, target.barrier, "will signal") == Flow::Trap ||
        checkMbarrierPublished(origin, *target.barrierOwner, target.barrier) == Flow::Trap)
      return Flow::Trap;
    uint32_t tile = 0;
    if (owner.asyncShadow.enabled()) {
      TileRecord record;
      record.op = id;
      record.base = target.offset;
      record.innerBytes = box.rowBytes;
      record.rows = box.rows;
      record.elementBits = static_cast<uint8_t>(bitsOf(box.map.type));
      record.padded = isPadded(box.map.type);
      record.swizzle = static_cast<uint8_t>(box.map.swizzle);
      record.floating = box.map.type >= TensorType::F16 && box.map.type <= TensorType::TF32Ftz;
      for (unsigned d = 1; d < 5 && !box.gathers; ++d)
        record.outer[d - 1] = d < box.map.rank ? boxCount(box.map, d) : 1;
      if (box.gathers)
        record.outer[0] = box.rows;
      record.pc = origin.pc;
      owner.asyncShadow.tiles.push_back(record);
      tile = static_cast<uint32_t>(owner.asyncShadow.tiles.size());
    }
    if (eachRange(box, target.offset, [&](uint32_t at, uint32_t bytes) {
          return asyncWritesShared(origin, owner, at, bytes, id, tile);
        }) == Flow::Trap)
      return Flow::Trap;
  }
  countBytes(cta, box, cta.tally.tmaLoadBytes);
  return cta.cluster->async.issue(
      std::make_unique<TensorLoad>(origin, id, box, std::move(targets)));
}

Flow issueStore(const Origin &origin, const Op &op, const TensorBox &box) {
  Cta &cta = origin.cta();
  Cta *self = nullptr;
  uint32_t source = 0;
  if (resolveShared(origin, addressAt(*origin.warp, op.target + sharedAddress, origin.lane), false,
                    "the source", self, source) == Flow::Trap ||
      checkPlace(origin, cta, box, source, "the source") == Flow::Trap)
    return Flow::Trap;
  if (box.map.type == TensorType::U4Align16)
    return origin.trapAlways("M1", "a tensor map of type 16u4_align16b; it can be loaded only");
  const auto reduction = static_cast<Reduction>(op.mode2);
  std::optional<ReductionType> type;
  if (op.mode & reduceBit) {
    type = reductionTypeOf(box.map.type, reduction);
    if (!type)
      return origin.trapAlways("M1",
                               "there is no such reduction of the tensor map's element type; "
                               "accepted: add of 32-bit integers, u64, f32, f16, bf16; min "
                               "and max of 32- and 64-bit integers, f16, bf16; inc and dec of "
                               "u32; and, or, xor of 32- and 64-bit integers");
  }
  for (unsigned i = 0; i < op.count; ++i)
    if (box.at[i] < 0)
      return origin.trap(Check::M1, fmt::format("coordinate {} is {}; a store starts inside of the "
                                                "tensor",
                                                i, box.at[i]));
  AsyncId id = cta.order().begin(origin.number(), origin.pc, origin.lane,
                                 op.mode & reduceBit ? "cp.reduce.async.bulk.tensor"
                                                     : "cp.async.bulk.tensor");
  if (eachRange(box, source, [&](uint32_t at, uint32_t bytes) {
        return asyncReadsShared(origin, cta, at, bytes, id, AsyncUnit::Copy);
      }) == Flow::Trap)
    return Flow::Trap;
  cta.state<BulkGroups>().join(*origin.warp, origin.lane, id);
  countBytes(cta, box, type ? cta.tally.tmaReduceBytes : cta.tally.tmaStoreBytes);
  return cta.cluster->async.issue(
      std::make_unique<TensorStore>(origin, id, box, source, reduction, type));
}

Flow copyTensor(Warp &w, const Op &op, uint32_t mask) {
  uint32_t tainted = addressTaint(w, op.target + mapAddress);
  if (!(op.mode & prefetchBit))
    tainted |= addressTaint(w, op.target + sharedAddress);
  if (op.mode & loadBit)
    tainted |= addressTaint(w, op.target + barrierAddress);
  for (unsigned i = 0; i < op.count; ++i)
    tainted |= w.taintOf(w.program->lists[op.target + coordinates + i]);
  tainted |= w.taintOf(w.program->lists[op.target + maskRef]);
  if (w.checkTaint(tainted & mask, "an operand of this copy", op) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    Origin origin = Origin::of(w, std::countr_zero(left));
    TensorBox box;
    if (readMap(origin, op, box) == Flow::Trap)
      return Flow::Trap;
    if (op.mode & prefetchBit)
      continue;
    if ((op.mode & loadBit ? issueLoad(origin, op, box) : issueStore(origin, op, box)) ==
        Flow::Trap)
      return Flow::Trap;
  }
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// [map, {coordinates}]: the map's address, and the coordinates' registers.
bool takeMap(Decoder &d, const Operand &o, unsigned count, std::vector<Ref> &at) {
  if (o.kind != Operand::Kind::Address || o.children.size() != 1 ||
      o.children[0].kind != Operand::Kind::Vector)
    return !d.fail("{}: this operand must be [tensorMap, {{coordinates}}]", d.spelling());
  const Operand &list = o.children[0];
  if (list.children.size() != count)
    return !d.fail("{}: {} coordinates; needed: {}", d.spelling(), list.children.size(), count);
  for (const Operand &c : list.children)
    at.push_back(sourceOf(d, c, "s32"));
  Operand base = o;
  base.children.clear();
  // A variable by name has the address that its window gives it.
  bool global = std::ranges::any_of(d.program().module.variables, [&](const Variable &v) {
    return v.name == base.symbol && v.space == StateSpace::Global;
  });
  d.op.target = appendAddress(d, base, global ? StateSpace::Global : StateSpace::Generic);
  return true;
}

struct Form {
  bool load, store, prefetch, multicast, policy;
  StateSpace shared;
};

bool takeForm(Decoder &d, bool reduces, Form &form, unsigned &count) {
  d.take("async");
  d.take("bulk");
  form.prefetch = d.take("prefetch");
  d.take("tensor");
  int rank = d.takeOneOf({"1d", "2d", "3d", "4d", "5d"});
  if (rank < 0)
    return !d.fail("{}: the number of dimensions (.1d to .5d) is missing", d.spelling());
  for (std::string_view mode :
       {"im2col", "im2col::w", "im2col::w::128", "im2col_no_offs", "tile::scatter4"})
    if (d.has(mode))
      return !d.failLater("." + std::string(mode) + " mode");
  bool gathers = d.take("tile::gather4");
  d.take("tile");
  bool cache = d.take("L2");
  bool toCluster = d.take("shared::cluster"), shared = d.take("shared::cta"),
       global = d.take("global");
  bool bytes = d.take("mbarrier::complete_tx::bytes"), group = d.take("bulk_group");
  form.multicast = d.take("multicast::cluster");
  int pair = d.takeOneOf({"cta_group::1", "cta_group::2"});
  form.policy = d.take("L2::cache_hint");
  form.load = !form.prefetch && bytes && !group && !reduces;
  form.store = !form.prefetch && group && !bytes && shared && !toCluster;
  if (!global || cache != form.prefetch || (!form.load && !form.store && !form.prefetch) ||
      (form.load && toCluster == shared) || (gathers && (form.store || rank != 1)) ||
      (!form.load && (form.multicast || pair >= 0)) || (form.multicast && !toCluster))
    return !d.fail("{}: no such copy; accepted: shared <- global with "
                   ".mbarrier::complete_tx::bytes, global <- shared::cta with .bulk_group",
                   d.spelling());
  if (gathers && !d.require(86, 100, ".tile::gather4"))
    return false;
  if (pair >= 0 && !d.require(86, 100, ".cta_group"))
    return false;
  if (form.load && shared && !d.require(86, 90, "the destination .shared::cta"))
    return false;
  count = gathers ? 5 : static_cast<unsigned>(rank) + 1;
  form.shared = toCluster ? StateSpace::SharedCluster : StateSpace::Shared;
  d.op.mode = static_cast<uint8_t>((form.load ? loadBit : 0) | (form.prefetch ? prefetchBit : 0) |
                                   (form.multicast ? multicastBit : 0) | (reduces ? reduceBit : 0) |
                                   (gathers ? gatherBit : 0) | (toCluster ? remoteBit : 0) |
                                   (pair == 1 ? pairBit : 0));
  return true;
}

bool decodeTensor(Decoder &d, bool reduces) {
  Form form{};
  unsigned count = 0;
  if (!takeForm(d, reduces, form, count))
    return true;
  if (reduces) {
    int which = d.takeOneOf({"add", "min", "max", "inc", "dec", "and", "or", "xor"});
    if (which < 0)
      return d.fail("{}: the reduction is missing", d.spelling());
    d.op.mode2 = static_cast<uint8_t>(which);
    d.program().sawOrderedAccess();
  }
  if (!d.expectOperands((form.load ? 3u : form.store ? 2u : 1u) + form.multicast + form.policy))
    return true;
  std::vector<Ref> at;
  if (!takeMap(d, d.operand(form.load ? 1 : 0), count, at))
    return true;
  unsigned next = form.load ? 3 : form.store ? 2 : 1;
  Ref mask = form.multicast ? sourceOf(d, d.operand(next++), "u16") : d.constant(0, 32);
  if (form.policy)
    sourceOf(d, d.operand(next), "b64");
  auto filler = [&] { d.list({d.constant(0, 64), 0, 1}); };
  if (form.prefetch)
    filler();
  else
    appendAddress(d, d.operand(form.load ? 0 : 1), form.shared);
  if (form.load)
    appendAddress(d, d.operand(2),
                  form.shared == StateSpace::Shared && (d.op.mode & pairBit)
                      ? StateSpace::SharedCluster
                      : form.shared);
  else
    filler();
  d.list({mask});
  for (Ref ref : at)
    d.list({ref});
  d.op.count = static_cast<uint16_t>(count);
  if (form.store)
    d.program().program.tensorStores = true;
  d.set(&copyTensor, OpClass::Copy);
  return true;
}

} // namespace

bool decodeTensorCopy(Decoder &d) { return d.has("tensor") && decodeTensor(d, false); }

bool decodeTensorReduce(Decoder &d) {
  if (!d.has("tensor"))
    return false;
  d.take("reduce");
  return decodeTensor(d, true);
}

} // namespace msa::ptxsim

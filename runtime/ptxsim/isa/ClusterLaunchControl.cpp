//===- ClusterLaunchControl.cpp - PTX ISA 9.7.13.17: clusterlaunchcontrol
//------------------------------------===//
//
// try_cancel asks for a cluster of the grid that has not started. Here the answer is
// always "none left": grids are handed out by the simulator, and hardware may say so
// at any time too. The response is opaque: 16 bytes, of which bit 0 would say
// "cancelled".
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/AsyncForms.h"
#include "ptxsim/isa/Families.h"

#include <bit>

namespace msa::ptxsim {

namespace {

constexpr uint32_t responseBytes = 16;

struct Target {
  Cta *owner;
  uint32_t offset, barrier;
};

class CancelRequest final : public AsyncOp {
public:
  CancelRequest(const Origin &origin, AsyncId id, std::vector<Target> targets)
      : AsyncOp(origin, id), targets(std::move(targets)) {}
  Flow step() override {
    Payload refusal;
    refusal.resize(responseBytes);
    for (const Target &target : targets) {
      if (checkAlive(origin, *target.owner) == Flow::Trap)
        return Flow::Trap;
      writeShared(*target.owner, target.offset, responseBytes, refusal);
      if (completeTxMbarrier(origin, *target.owner, target.barrier, responseBytes, id) ==
          Flow::Trap)
        return Flow::Trap;
    }
    return Flow::Next;
  }

private:
  std::vector<Target> targets;
};

/// Op::mode: the response goes to all CTAs of the cluster.
Flow tryCancel(Warp &w, const Op &op, uint32_t mask) {
  if (w.checkTaint((addressTaint(w, op.target) | addressTaint(w, op.target + addressWords)) & mask,
                   "an address", op) == Flow::Trap)
    return Flow::Trap;
  Cluster &cluster = *w.cta->cluster;
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    Origin origin = Origin::of(w, std::countr_zero(left));
    Cta *owner = nullptr, *barrierOwner = nullptr;
    uint32_t offset = 0, barrier = 0;
    if (resolveShared(origin, addressAt(w, op.target, origin.lane), false, "the response", owner,
                      offset) == Flow::Trap ||
        resolveMbarrier(origin, addressAt(w, op.target + addressWords, origin.lane), false,
                        barrierOwner, barrier) == Flow::Trap)
      return Flow::Trap;
    if (offset % 16 != 0)
      return origin.trapAlways("X5", "the response needs an address that is a multiple of 16");
    AsyncId id = w.cta->order().begin(origin.number(), w.pc, origin.lane,
                                      "clusterlaunchcontrol.try_cancel", Check::B6);
    std::vector<Target> targets;
    for (auto &cta : cluster.ctas) {
      if (!op.mode && cta.get() != w.cta)
        continue;
      if (checkSharedExtent(origin, *cta, offset, responseBytes, Check::X5, "the response") ==
              Flow::Trap ||
          checkMbarrier(origin, *cta, barrier, "will signal") == Flow::Trap ||
          asyncWritesShared(origin, *cta, offset, responseBytes, id) == Flow::Trap)
        return Flow::Trap;
      targets.push_back({cta.get(), offset, barrier});
    }
    if (cluster.async.issue(std::make_unique<CancelRequest>(origin, id, std::move(targets))) ==
        Flow::Trap)
      return Flow::Trap;
  }
  return Flow::Next;
}

Flow isCanceled(Warp &w, const Op &op, uint32_t mask) {
  const uint64_t *low = w.cells<uint64_t>(op.a);
  uint32_t value = 0;
  forLanes(mask, [&](int lane) { value |= static_cast<uint32_t>(low[lane] & 1) << lane; });
  w.setPredicate(op.pdst, mask, value, w.taintOf(op.a));
  return Flow::Next;
}

/// Without a cancelled cluster the coordinates are undefined (uninitialised).
Flow firstCta(Warp &w, const Op &op, uint32_t mask) {
  for (unsigned i = 0; i < op.count; ++i) {
    Ref ref = w.program->lists[op.target + i];
    forLanes(mask, [&](int lane) { w.cells<uint32_t>(ref)[lane] = 0; });
    w.setTaint(ref, mask, fullMask);
  }
  return Flow::Next;
}

} // namespace

bool decodeClusterLaunchControl(Decoder &d) {
  DataType response = *dataTypeFromWord("b128");
  if (d.take("try_cancel")) {
    if (!d.take("async"))
      return d.fail("{}: .async is missing", d.spelling());
    StateSpace space = d.take("shared::cta") ? StateSpace::Shared : StateSpace::Generic;
    bool bytes = d.take("mbarrier::complete_tx::bytes");
    d.op.mode = d.take("multicast::cluster::all");
    if (!bytes || !d.take("b128") || !d.expectOperands(2))
      return d.failed() ||
             d.fail("{}: .mbarrier::complete_tx::bytes or .b128 is missing", d.spelling());
    d.op.target = appendAddress(d, d.operand(0), space);
    appendAddress(d, d.operand(1), space);
    d.set(&tryCancel, OpClass::Copy);
    return true;
  }
  if (!d.take("query_cancel"))
    return d.fail("{}: accepted: clusterlaunchcontrol.try_cancel and .query_cancel", d.spelling());
  if (d.take("is_canceled")) {
    if (!d.take("pred") || !d.take("b128") || !d.expectOperands(2))
      return d.failed() || d.fail("{}: accepted: .is_canceled.pred.b128", d.spelling());
    d.op.pdst = d.predicateDestination(d.operand(0));
    d.op.a = d.source(1, response);
    d.set(&isCanceled, OpClass::Special);
    return true;
  }
  bool all = d.take("get_first_ctaid");
  bool one =
      !all && d.takeOneOf({"get_first_ctaid::x", "get_first_ctaid::y", "get_first_ctaid::z"}) >= 0;
  if ((!all && !one) || (all && !d.take("v4")) || !d.take("b32") || !d.take("b128") ||
      !d.expectOperands(2))
    return d.failed() ||
           d.fail("{}: accepted: .get_first_ctaid.v4 and ::x, ::y, ::z with .b32.b128",
                  d.spelling());
  DataType word = *dataTypeFromWord("b32");
  d.source(1, response);
  std::vector<Ref> refs;
  if (one)
    refs.push_back(d.destination(0, word));
  else if (d.operand(0).kind != Operand::Kind::Vector || d.operand(0).children.size() != 4)
    return d.fail("{}: the destination must be a vector of 4", d.spelling());
  else
    for (const Operand &o : d.operand(0).children)
      if (o.kind != Operand::Kind::Sink)
        refs.push_back(d.destination(o, word));
  d.op.count = static_cast<uint16_t>(refs.size());
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  for (Ref ref : refs)
    d.list({ref});
  d.set(&firstCta, OpClass::Special);
  return true;
}

} // namespace msa::ptxsim

//===- Tcgen05Sync.cpp - PTX ISA 9.7.16.11 and .12: tcgen05.fence, tcgen05.commit
//--------------------===//
//
// A commit makes an mbarrier, or the same one in several CTAs, count an arrival when all
// mma, cp and shift that its thread has issued are complete. It waits its turn in the
// queue of the tensor core, behind whatever else was issued before.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/AsyncForms.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/Tcgen05Forms.h"

#include <algorithm>
#include <bit>

namespace msa::ptxsim {

namespace {

/// An mbarrier that a commit signals.
struct Target {
  Cta *owner;
  uint32_t offset;
};

class CommitOp final : public AsyncOp {
public:
  CommitOp(const Origin &origin, AsyncId id, std::vector<Target> targets, Knowledge knows)
      : AsyncOp(origin, id), targets(std::move(targets)), knows(std::move(knows)) {
    queue = origin.cta().rank;
  }
  Flow step() override {
    for (const Target &target : targets)
      if (asyncArriveMbarrier(origin, *target.owner, target.offset, 1, knows) == Flow::Trap)
        return Flow::Trap;
    return Flow::Next;
  }

private:
  const std::vector<Target> targets;
  const Knowledge knows; ///< of the thread at the commit, and that its operations are complete
};

/// A thread that has issued nothing commits nothing. Where others have operations that nobody has
/// committed, it was meant to be one of them (T11).
Flow checkIssuer(const Origin &origin, TensorCore &core) {
  const TensorCore::Thread &me = core.threadOf(*origin.warp, origin.lane);
  if (me.everIssued)
    return Flow::Next;
  for (const TensorCore::Thread &other : core.threads())
    if (!other.uncommitted.empty())
      return origin.trap(
          Check::T11,
          fmt::format("this thread has issued no tcgen05.mma, .cp or .shift, so the commit tracks "
                      "nothing; warp {} lane {} has issued {}, and a commit tracks only what its "
                      "own thread has issued",
                      other.warp, other.lane,
                      describeOperation(origin.cta(), other.uncommitted.back())));
  return Flow::Next;
}

/// Op::target: the mbarrier's address; Op::mode: with a CTA mask, in Op::b.
Flow issueCommit(Warp &w, const Op &op, int lane) {
  Origin origin = Origin::of(w, lane);
  Cta &cta = *w.cta;
  Cluster &cluster = *cta.cluster;
  TensorCore &core = tensorCoreOf(cta);
  Target first{};
  if (resolveMbarrier(origin, addressAt(w, op.target, lane), true, first.owner, first.offset) ==
          Flow::Trap ||
      checkIssuer(origin, core) == Flow::Trap)
    return Flow::Trap;
  std::vector<Target> targets;
  if (op.mode) {
    const uint32_t mask = w.cells<uint32_t>(op.b)[lane] & 0xFFFF;
    if (mask == 0 || mask >> cluster.ctas.size() != 0)
      return origin.trapAlways("M2", fmt::format("the CTA mask 0x{:x} names no CTA, or more than "
                                                 "the {} of the cluster",
                                                 mask, cluster.ctas.size()));
    forLanes(mask, [&](int rank) {
      targets.push_back({cluster.ctas[static_cast<size_t>(rank)].get(), first.offset});
    });
  } else {
    targets.push_back(first);
  }
  for (const Target &target : targets)
    if (checkMbarrier(origin, *target.owner, target.offset, "will signal") == Flow::Trap ||
        checkMbarrierPublished(origin, *target.owner, target.offset) == Flow::Trap)
      return Flow::Trap;
  TensorCore::Thread &thread = core.threadOf(w, lane);
  thread.uncommitted.clear();
  Order &order = cta.order();
  Knowledge knows;
  AsyncId id = order.begin(origin.number(), w.pc, lane, "tcgen05.commit");
  if (order.enabled()) {
    order.release(origin.number(), knows);
    knows.complete.merge(thread.issued);
    knows.published.merge(thread.issued);
  }
  return cluster.async.issue(
      std::make_unique<CommitOp>(origin, id, std::move(targets), std::move(knows)));
}

Flow commit(Warp &w, const Op &op, uint32_t mask) {
  if (checkAddress(w, op, op.target, mask, "the address of the mbarrier") == Flow::Trap ||
      w.checkTaint(w.taintOf(op.b) & mask, "the CTA mask", op) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t left = mask; left != 0; left &= left - 1)
    if (issueCommit(w, op, std::countr_zero(left)) == Flow::Trap)
      return Flow::Trap;
  return Flow::Next;
}

Flow fenceBefore(Warp &w, const Op &, uint32_t) {
  tensorCoreOf(*w.cta).fenceBefore(w);
  return Flow::Next;
}

Flow fenceAfter(Warp &w, const Op &, uint32_t) {
  tensorCoreOf(*w.cta).fenceAfter(w);
  return Flow::Next;
}

} // namespace

bool decodeTensorCommit(Decoder &d) {
  d.take("commit");
  if (takeCtaGroup(d) == 0 || !requireTensorCore(d))
    return true;
  const bool one = d.take("mbarrier::arrive::one"), cluster = d.take("shared::cluster");
  const bool multicast = d.take("multicast::cluster");
  if (!one || !d.take("b64"))
    return d.fail("{}: accepted: .mbarrier::arrive::one{{.shared::cluster}}{{.multicast::cluster}}"
                  ".b64",
                  d.spelling());
  if (!d.expectOperands(1u + multicast))
    return true;
  d.op.target =
      appendAddress(d, d.operand(0), cluster ? StateSpace::SharedCluster : StateSpace::Generic);
  d.op.mode = multicast;
  d.op.b = multicast ? d.source(1, *dataTypeFromWord("u16")) : d.constant(0, 32);
  d.set(&commit, OpClass::Barrier);
  return true;
}

bool decodeTensorFenceBefore(Decoder &d) {
  d.take("fence::before_thread_sync");
  if (requireTensorCore(d) && d.expectOperands(0))
    d.set(&fenceBefore, OpClass::Barrier);
  return true;
}

bool decodeTensorFenceAfter(Decoder &d) {
  d.take("fence::after_thread_sync");
  if (!requireTensorCore(d) || !d.expectOperands(0))
    return true;
  d.program().program.tensorAfterFences = true;
  d.set(&fenceAfter, OpClass::Barrier);
  return true;
}

} // namespace msa::ptxsim

//===- Fence.cpp - PTX ISA 9.7.13.4: membar, fence, fence.proxy
//---------------------------------===//
//
// Memory is sequentially consistent here; fences matter to what agents know
// (engine/Order.h). fence.proxy.async moves the frontier of the asynchronous proxy, and
// fence.mbarrier_init is what a relaxed barrier.cluster.arrive may rely on.
// fence.proxy.tensormap is in TensorMapOps.cpp.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/isa/Fence.h"

#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

namespace msa::ptxsim {

void Fences::start(Cta &cta) { warps.assign(cta.warps.size(), OfWarp()); }

const Knowledge *releasedByFence(const Warp &warp) {
  Fences *fences = warp.cta->stateIfAny<Fences>();
  return fences && fences->of(warp).hasReleased ? &fences->of(warp).released : nullptr;
}

void awaitFence(const Warp &warp, const Knowledge &completed) {
  if (!warp.cta->order().enabled())
    return;
  Fences::OfWarp &own = warp.cta->state<Fences>().of(warp);
  own.awaited.merge(completed);
  own.hasAwaited = true;
}

namespace {

/// Op::mode of a fence.
enum FenceBits : uint8_t { acquireBit = 1, releaseBit = 2 };

/// What the warp has done becomes visible to the cluster at its next barrier.cluster.arrive too,
/// even a relaxed one.
Flow threadFence(Warp &w, const Op &op, uint32_t) {
  Order &order = w.cta->order();
  w.fencedForCluster = w.fencedForCluster || (op.mode & releaseBit);
  if (!order.enabled())
    return Flow::Next;
  Fences::OfWarp &own = w.cta->state<Fences>().of(w);
  const unsigned number = w.cta->numberOf(w);
  if ((op.mode & acquireBit) && own.hasAwaited) {
    order.acquire(number, own.awaited);
    own.awaited.clear();
    own.hasAwaited = false;
  }
  if (op.mode & releaseBit) {
    order.release(number, own.released);
    own.hasReleased = true;
  }
  return Flow::Next;
}

Flow initFence(Warp &w, const Op &, uint32_t) {
  w.fencedForCluster = true;
  return Flow::Next;
}

Flow proxyFence(Warp &w, const Op &, uint32_t) {
  w.cta->order().fenceAsync(w.cta->numberOf(w));
  return Flow::Next;
}

Flow nothing(Warp &, const Op &, uint32_t) { return Flow::Next; }

/// After "fence.proxy" or "membar.proxy".
bool decodeProxyFence(Decoder &d) {
  Handler handler = &nothing;
  bool known = true;
  if (d.inst.opcode == "membar") {
    known = d.take("alias");
  } else if (d.take("async::generic")) {
    // One-sided, and restricted to the objects of one side of the cluster.
    bool acquires = d.take("acquire"), releases = !acquires && d.take("release");
    known = (acquires ? d.take("sync_restrict::shared::cluster")
                      : releases && d.take("sync_restrict::shared::cta")) &&
            d.take("cluster");
    handler = &proxyFence;
  } else if (d.take("async")) {
    // Only shared memory has a frontier here: .global publishes nothing of it.
    bool global = d.take("global");
    if (!global)
      d.takeOneOf({"shared::cta", "shared::cluster"});
    handler = global ? &nothing : &proxyFence;
  } else {
    known = d.take("alias");
  }
  if (!known)
    return d.fail(
        "{}: accepted: fence.proxy.alias, .async (.global, .shared::cta, "
        ".shared::cluster), .async::generic.acquire.sync_restrict::shared::cluster.cluster"
        " and .async::generic.release.sync_restrict::shared::cta.cluster",
        d.spelling());
  d.expectOperands(0);
  d.set(handler, OpClass::Barrier);
  return true;
}

} // namespace

bool decodeFence(Decoder &d) {
  if (d.take("proxy"))
    return decodeProxyFence(d);
  Handler handler = &threadFence;
  d.op.mode = acquireBit | releaseBit;
  if (d.take("mbarrier_init")) {
    if (!d.take("release") || !d.take("cluster"))
      return d.fail("{}: accepted: fence.mbarrier_init.release.cluster", d.spelling());
    handler = &initFence;
  } else if (d.inst.opcode == "membar") {
    if (d.takeOneOf({"cta", "gl", "sys"}) < 0)
      return d.fail("{}: accepted: membar.cta, .gl, .sys", d.spelling());
  } else {
    int semantics = d.takeOneOf({"sc", "acq_rel", "acquire", "release"});
    if (semantics >= 2)
      d.op.mode = semantics == 2 ? acquireBit : releaseBit;
    int restrict = d.takeOneOf({"sync_restrict::shared::cluster", "sync_restrict::shared::cta"});
    int scope = d.takeOneOf({"cta", "cluster", "gpu", "sys"});
    if (scope < 0)
      return d.fail("{}: the scope (.cta, .cluster, .gpu, .sys) is missing", d.spelling());
    if (restrict >= 0 && (semantics != 2 + restrict || scope != 1))
      return d.fail("{}: accepted: .acquire.sync_restrict::shared::cluster.cluster and "
                    ".release.sync_restrict::shared::cta.cluster",
                    d.spelling());
  }
  d.expectOperands(0);
  d.set(handler, OpClass::Barrier);
  return true;
}

} // namespace msa::ptxsim

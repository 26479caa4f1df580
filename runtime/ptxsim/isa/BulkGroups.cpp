#include "ptxsim/isa/BulkGroups.h"

#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

#include <algorithm>
#include <bit>

namespace msa::ptxsim {

void BulkGroups::start(Cta &cta) { threads.assign(cta.warps.size() * 32, Thread()); }

void BulkGroups::finish(Cta &cta) {
  for (size_t i = 0; i < threads.size(); ++i)
    for (const Member &member : threads[i].members)
      if (member.group == threads[i].filling && !cta.cluster->isStopped)
        Origin{&cta.warps[i / 32], cta.order().operation(member.id).pc, static_cast<int>(i % 32)}
            .trap(Check::M3, "the kernel ends, and this copy belongs to no group: "
                             "cp.async.bulk.commit_group is missing");
}

void BulkGroups::join(Warp &warp, int lane, AsyncId id) {
  Thread &thread = of(warp, lane);
  thread.members.push_back({id, thread.filling});
}

void BulkGroups::commit(Warp &warp, int lane) { ++of(warp, lane).filling; }

Flow BulkGroups::wait(Warp &warp, int lane, uint32_t open, bool readOnly) {
  Thread &thread = of(warp, lane);
  Cta &cta = *warp.cta;
  uint32_t end = thread.filling > open ? thread.filling - open : 0;
  for (const Member &member : thread.members) {
    if (member.group >= end)
      continue;
    if (cta.cluster->async.finish(member.id, readOnly ? 1 : 0) == Flow::Trap)
      return Flow::Trap;
    cta.order().learn(cta.numberOf(warp), member.id);
  }
  // After .read the writes are still to come, and a later full wait is for them too.
  std::erase_if(thread.members, [&](const Member &m) {
    return m.group < end && (!readOnly || !cta.cluster->async.isPending(m.id));
  });
  return Flow::Next;
}

namespace {

Flow commitGroup(Warp &w, const Op &, uint32_t mask) {
  BulkGroups &groups = w.cta->state<BulkGroups>();
  forLanes(mask, [&](int lane) { groups.commit(w, lane); });
  return Flow::Next;
}

/// Op::immediate: groups that may stay open; Op::mode: .read.
Flow waitGroup(Warp &w, const Op &op, uint32_t mask) {
  BulkGroups &groups = w.cta->state<BulkGroups>();
  for (uint32_t left = mask; left != 0; left &= left - 1)
    if (groups.wait(w, std::countr_zero(left), static_cast<uint32_t>(op.immediate), op.mode) ==
        Flow::Trap)
      return Flow::Trap;
  return Flow::Next;
}

} // namespace

bool decodeBulkGroup(Decoder &d) {
  d.take("async");
  d.take("bulk");
  if (d.take("commit_group")) {
    d.expectOperands(0);
    d.set(&commitGroup, OpClass::Copy);
    return true;
  }
  if (!d.take("wait_group"))
    return false;
  d.op.mode = d.take("read");
  if (d.expectOperands(1))
    d.op.immediate = static_cast<int64_t>(d.immediate(d.operand(0), 0, 1u << 20));
  d.set(&waitGroup, OpClass::Copy);
  return true;
}

} // namespace msa::ptxsim

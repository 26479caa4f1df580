//===- SelectSchedule.cpp - choose what a plan leaves open ----------------===//
//
// Applies chooseSchedule() to every op with a plan.
//
//===----------------------------------------------------------------------===//
#include "compiler/Diagnostics.h"
#include "compiler/Passes.h"
#include "compiler/ScheduleChoice.h"
#include "dialects/msa/PlanConversion.h"

namespace msa {

#define GEN_PASS_DEF_SELECTSCHEDULEPASS
#include "compiler/Passes.h.inc"

namespace {

struct SelectSchedule : impl::SelectSchedulePassBase<SelectSchedule> {
  void runOnOperation() override {
    for (ir::PlanOpInterface op : ir::planOpsIn(getOperation()))
      if (failed(schedule(op)))
        signalPassFailure();
  }

  llvm::LogicalResult schedule(ir::PlanOpInterface op) {
    if (!ir::targetOf(op))
      return op->emitOpError() << "is in no module with '" << ir::targetAttrName
                               << "', expected e.g. msa.target = \"sm_80\"";
    Expected<ScheduleChoice> choice = chooseSchedule(ir::planOf(op));
    if (!choice)
      return emitStatus(op, choice.status());
    op.setScheduleAttr(ir::scheduleAttr(&getContext(), choice->schedule));
    for (const std::string &reason : choice->reasons)
      op->emitRemark() << op->getName().stripDialect() << ": " << reason;
    return llvm::success();
  }
};

} // namespace
} // namespace msa

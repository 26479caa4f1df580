//===- Decompose.cpp - turn pipeline ops into their phases ----------------===//
//
// Tensors have the same names in every op, so a pipeline is rewritten by
// handing each phase the values of the names it asks for: the pipeline's
// operands, or what an earlier phase produced.
//
//===----------------------------------------------------------------------===//
#include "compiler/Passes.h"
#include "dialects/msa/PlanConversion.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace msa {

#define GEN_PASS_DEF_DECOMPOSEPASS
#include "compiler/Passes.h.inc"

namespace {

struct Decompose : impl::DecomposePassBase<Decompose> {
  void runOnOperation() override {
    for (ir::PlanOpInterface op : ir::planOpsIn(getOperation()))
      if (phasesOf(op.planOp()).size() > 1)
        decompose(op);
  }

  void decompose(ir::PlanOpInterface pipeline) {
    llvm::StringMap<Value> values;
    for (StringRef name : pipeline.operandNames())
      values[name] = pipeline.operandNamed(name);
    OpBuilder builder(pipeline);
    Plan plan = ir::planOf(pipeline);
    for (Op phase : phasesOf(pipeline.planOp())) {
      plan.op = phase;
      ir::PlanOpInterface op =
          ir::createPlanOp(builder, pipeline.getLoc(), plan,
                           [&](StringRef name, Type) { return values.lookup(name); });
      for (auto [result, name] : llvm::zip(op->getResults(), op.resultNames()))
        values[name] = result;
    }
    for (auto [result, name] : llvm::zip(pipeline->getResults(), pipeline.resultNames()))
      result.replaceAllUsesWith(values.lookup(name));
    pipeline->erase();
  }
};

} // namespace
} // namespace msa

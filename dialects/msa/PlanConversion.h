//===- PlanConversion.h - plans as IR, and IR as plans --------------------===//
//
// A plan becomes a module with one function that holds one op, all operands
// as arguments; an op becomes the plan that it carries. Both ways lose
// nothing: planOf(first op of moduleFromPlans({p})) == p for every legal p.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Plan.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <vector>

namespace msa::ir {

class PlanOpInterface;
class ScheduleAttr;

/// The attributes of an op that carries `plan`; the target is the module's.
mlir::NamedAttrList planAttributes(mlir::MLIRContext *context, const Plan &plan);

/// The schedule as an attribute; null when nothing is pinned.
ScheduleAttr scheduleAttr(mlir::MLIRContext *context, const Schedule &schedule);

/// The plan that an op carries. The target is that of the nearest module that names one, else the
/// plan's default (see targetOf). Attributes must be there; nothing else is checked.
Plan planOf(PlanOpInterface op);

/// `msa.target` of the nearest enclosing module, if any.
std::optional<std::string> targetOf(mlir::Operation *op);

/// Makes the op of `plan.op`: `operand` is asked for each operand by name (with its type) and
/// answers null to leave an optional one out. The plan must be legal.
PlanOpInterface
createPlanOp(mlir::OpBuilder &builder, mlir::Location loc, const Plan &plan,
             const std::function<mlir::Value(llvm::StringRef, mlir::Type)> &operand);

/// One plan: a module with its target. Several: a module that holds one such module each. Plans
/// must be legal. Loads the dialects that it needs.
mlir::OwningOpRef<mlir::ModuleOp> moduleFromPlans(mlir::MLIRContext &context,
                                                  const std::vector<Plan> &plans);

/// The ops with a plan below `root`, in the order of the text.
std::vector<PlanOpInterface> planOpsIn(mlir::Operation *root);

} // namespace msa::ir

//===- PlanConversion.cpp - plans as IR, and IR as plans ------------------===//
//
// See PlanConversion.h.
//
//===----------------------------------------------------------------------===//
#include "dialects/msa/PlanConversion.h"

#include "dialects/msa/MsaDialect.h"
#include "dialects/msa/Tensors.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace msa::ir {

ScheduleAttr scheduleAttr(MLIRContext *context, const Schedule &schedule) {
  return schedule.isAuto() ? ScheduleAttr()
                           : ScheduleAttr::get(context, schedule.route, schedule.chunk);
}

NamedAttrList planAttributes(MLIRContext *context, const Plan &plan) {
  const Heads &heads = plan.heads;
  const Precision &precision = plan.precision;
  NamedAttrList list;
  list.set("heads", HeadsAttr::get(context, heads.query, heads.kv, heads.index, heads.indexKv,
                                   plan.headDim, plan.indexDim));
  list.set("blocks", SelectionAttr::get(context, plan.blockSize, plan.topk, plan.forceFirst,
                                        plan.selectionOrder));
  list.set("precision",
           PrecisionAttr::get(context, precision.q, precision.k, precision.v, precision.indexQ,
                              precision.indexK, precision.o, precision.partial));
  list.set("kv_layout", KvLayoutAttr::get(context, plan.kvLayout.kind, plan.kvLayout.pageSize));
  if (plan.softmaxScale)
    list.set("softmax_scale", FloatAttr::get(Float64Type::get(context), *plan.softmaxScale));
  if (plan.blockMaxima)
    list.set("block_maxima", UnitAttr::get(context));
  if (plan.checked)
    list.set("checked", UnitAttr::get(context));
  if (ScheduleAttr schedule = scheduleAttr(context, plan.schedule))
    list.set("schedule", schedule);
  return list;
}

std::optional<std::string> targetOf(Operation *op) {
  for (; op; op = op->getParentOp())
    if (auto target = op->getAttrOfType<StringAttr>(targetAttrName))
      return target.str();
  return std::nullopt;
}

Plan planOf(PlanOpInterface op) {
  HeadsAttr heads = op.getHeadsAttr();
  SelectionAttr blocks = op.getBlocksAttr();
  PrecisionAttr precision = op.getPrecisionAttr();
  KvLayoutAttr layout = op.getKvLayoutAttr();
  Plan plan;
  plan.op = op.planOp();
  plan.heads = {heads.getQuery(), heads.getKv(), heads.getIndex(), heads.getIndexKv()};
  plan.headDim = heads.getHeadDim();
  plan.indexDim = heads.getIndexDim();
  plan.blockSize = blocks.getBlockSize();
  plan.topk = blocks.getTopk();
  plan.forceFirst = blocks.getForceFirst();
  plan.selectionOrder = blocks.getOrder();
  plan.precision = {precision.getQ(),      precision.getK(),      precision.getV(),
                    precision.getIndexQ(), precision.getIndexK(), precision.getO(),
                    precision.getPartial()};
  plan.kvLayout = {layout.getKind(), layout.getPageSize()};
  if (FloatAttr scale = op.getSoftmaxScaleAttr())
    plan.softmaxScale = scale.getValueAsDouble();
  plan.blockMaxima = op.getBlockMaxima();
  plan.checked = op.getChecked();
  if (ScheduleAttr schedule = op.getScheduleAttr())
    plan.schedule = {schedule.getRoute(), schedule.getChunk()};
  if (std::optional<std::string> target = targetOf(op))
    plan.target = *target;
  return plan;
}

static OperationName opNameOf(MLIRContext *context, Op op) {
  context->getOrLoadDialect<MsaDialect>();
  std::string_view word = toString(op);
  return OperationName(("msa." + StringRef(word)).str(), context);
}

/// The static part of the interface, without an op at hand.
static const PlanOpInterface::Concept &planInterface(OperationName name) {
  return *name.getInterface<PlanOpInterface>();
}

PlanOpInterface createPlanOp(OpBuilder &builder, Location loc, const Plan &plan,
                             const std::function<Value(StringRef, Type)> &operand) {
  MLIRContext *context = builder.getContext();
  OperationName name = opNameOf(context, plan.op);
  OperationState state(loc, name);
  SmallVector<int32_t> segments;
  for (StringRef tensor : planInterface(name).operandNames()) {
    TensorRule rule = tensorRule(context, plan, plan.op, tensor);
    Value value = rule.type ? operand(tensor, rule.type) : Value();
    segments.push_back(value ? 1 : 0);
    if (value)
      state.operands.push_back(value);
  }
  for (StringRef tensor : planInterface(name).resultNames())
    if (TensorRule rule = tensorRule(context, plan, plan.op, tensor); rule.type)
      state.types.push_back(rule.type);
  state.attributes = planAttributes(context, plan);
  if (name.hasTrait<OpTrait::AttrSizedOperandSegments>())
    state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(segments));
  return cast<PlanOpInterface>(builder.create(state));
}

/// Fills `module` with a function named after the op.
static void buildFunction(ModuleOp module, const Plan &plan) {
  MLIRContext *context = module.getContext();
  module->setAttr(targetAttrName, StringAttr::get(context, plan.target));
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  StringRef name(toString(plan.op));
  Location loc = module.getLoc();
  auto function = func::FuncOp::create(builder, loc, name, builder.getFunctionType({}, {}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  PlanOpInterface op = createPlanOp(builder, loc, plan, [&](StringRef tensor, Type type) -> Value {
    return entry->addArgument(type, NameLoc::get(builder.getStringAttr(tensor), loc));
  });
  func::ReturnOp::create(builder, loc, op->getResults());
  function.setFunctionType(
      builder.getFunctionType(entry->getArgumentTypes(), op->getResultTypes()));
}

OwningOpRef<ModuleOp> moduleFromPlans(MLIRContext &context, const std::vector<Plan> &plans) {
  context.loadDialect<MsaDialect, func::FuncDialect>();
  Location loc = UnknownLoc::get(&context);
  OwningOpRef<ModuleOp> root = ModuleOp::create(loc);
  if (plans.size() == 1) {
    buildFunction(*root, plans.front());
    return root;
  }
  OpBuilder builder = OpBuilder::atBlockEnd(root->getBody());
  for (const Plan &plan : plans)
    buildFunction(ModuleOp::create(builder, loc), plan);
  return root;
}

std::vector<PlanOpInterface> planOpsIn(Operation *root) {
  std::vector<PlanOpInterface> ops;
  root->walk([&](PlanOpInterface op) { ops.push_back(op); });
  return ops;
}

} // namespace msa::ir

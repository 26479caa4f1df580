//===- ConvertMsaToCuda.cpp - phases to kernels of the CUDA route ---------===//
//
// The kernel table says which specialised templates a phase is; this pass makes
// them symbols and the phase a launch of them, and proves that no op with a
// plan is left.
//
//===----------------------------------------------------------------------===//
#include "compiler/Diagnostics.h"
#include "compiler/Passes.h"
#include "dialects/msa/PlanConversion.h"
#include "program/KernelTable.h"

#include <charconv>

using namespace mlir;

namespace msa {

#define GEN_PASS_DEF_CONVERTMSATOCUDAPASS
#include "compiler/Passes.h.inc"

namespace {

StringRef roleWord(ArgRole role) {
  switch (role) {
  case ArgRole::Input:
    return "input";
  case ArgRole::Output:
    return "output";
  case ArgRole::Workspace:
    return "workspace";
  case ArgRole::Scalar:
    return "scalar";
  case ArgRole::Status:
    return "status";
  }
  return "";
}

/// One argument for a reader: "input bf16 q[tokens, 64, 128]", "scalar i32 tokens = tokens".
std::string describe(const ArgSpec &arg) {
  std::string text = roleWord(arg.role).str() + " ";
  if (arg.type == ArgType::I32)
    return text + "i32 " + arg.name + " = " + arg.value;
  if (arg.type == ArgType::F32) {
    char digits[32];
    return text + "f32 " + arg.name + " = " +
           std::string(digits, std::to_chars(digits, digits + sizeof digits, arg.f32).ptr);
  }
  text += arg.element + " " + arg.name + "[";
  for (size_t i = 0; i < arg.shape.size(); ++i)
    text += (i ? ", " : "") + arg.shape[i];
  return text + "]";
}

ArrayAttr strings(Builder &builder, const std::vector<std::string> &texts) {
  SmallVector<Attribute> attributes;
  for (const std::string &text : texts)
    attributes.push_back(builder.getStringAttr(text));
  return builder.getArrayAttr(attributes);
}

/// The kernel's attributes, its name left out.
NamedAttrList kernelAttributes(Builder &builder, const CudaKernelSpec &spec,
                               const std::string &target) {
  NamedAttrList defines, list;
  for (const auto &[name, value] : spec.defines)
    defines.set(name, builder.getStringAttr(value));
  std::vector<std::string> args;
  args.reserve(spec.args.size());
  for (const ArgSpec &arg : spec.args)
    args.push_back(describe(arg));
  list.set("phase", builder.getStringAttr(spec.phase));
  list.set("source", builder.getStringAttr(spec.source));
  list.set("entry", builder.getStringAttr(spec.entry));
  list.set("target", builder.getStringAttr(target));
  list.set("defines", defines.getDictionary(builder.getContext()));
  list.set("args", strings(builder, args));
  list.set("grid", strings(builder, spec.launch.grid));
  list.set("block", builder.getDenseI32ArrayAttr(spec.launch.block));
  list.set("dynamic_shared_bytes", builder.getI32IntegerAttr(spec.launch.dynamicSharedBytes));
  return list;
}

struct ConvertMsaToCuda : impl::ConvertMsaToCudaPassBase<ConvertMsaToCuda> {
  void runOnOperation() override {
    for (ir::PlanOpInterface op : ir::planOpsIn(getOperation()))
      if (failed(convert(op)))
        return signalPassFailure();
    for (ir::PlanOpInterface left : ir::planOpsIn(getOperation())) {
      left->emitOpError() << "is left after the conversion";
      return signalPassFailure();
    }
  }

  LogicalResult convert(ir::PlanOpInterface op) {
    Plan plan = ir::planOf(op);
    if (plan.schedule.route != Route::Cuda)
      return op->emitOpError()
             << "is not scheduled on the cuda route, run msa-select-schedule first";
    if (phasesOf(plan.op).size() > 1)
      return op->emitOpError() << "is a pipeline of phases, run msa-decompose first";
    auto module = op->getParentOfType<ModuleOp>();
    if (!module || !ir::targetOf(op))
      return op->emitOpError() << "is in no module with '" << ir::targetAttrName << "'";
    Expected<std::vector<CudaKernelSpec>> specs = cudaKernels(plan, plan.op);
    if (!specs)
      return emitStatus(op, specs.status());
    SmallVector<Attribute> kernels;
    for (const CudaKernelSpec &spec : *specs)
      kernels.push_back(FlatSymbolRefAttr::get(kernelFor(module, op.getLoc(), spec, plan.target)));
    OpBuilder builder(op);
    auto launch = ir::LaunchOp::create(builder, op.getLoc(), op->getResultTypes(),
                                       builder.getArrayAttr(kernels), op->getOperands());
    op->replaceAllUsesWith(launch);
    op->erase();
    return success();
  }

  /// The symbol of a kernel with these attributes: one that is there, or a new one at the end of
  /// the module.
  StringAttr kernelFor(ModuleOp module, Location loc, const CudaKernelSpec &spec,
                       const std::string &target) {
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    NamedAttrList attributes = kernelAttributes(builder, spec, target);
    for (auto kernel : module.getOps<ir::CudaKernelOp>()) {
      NamedAttrList present(kernel->getAttrs());
      present.erase("sym_name");
      present.erase("ptx");
      if (present.getDictionary(&getContext()) == attributes.getDictionary(&getContext()))
        return kernel.getSymNameAttr();
    }
    OperationState state(loc, ir::CudaKernelOp::getOperationName());
    state.attributes = attributes;
    state.addAttribute("sym_name", builder.getStringAttr(spec.entry));
    Operation *kernel = Operation::create(state);
    return SymbolTable(module).insert(kernel);
  }
};

} // namespace
} // namespace msa

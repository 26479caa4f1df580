//===- Driver.cpp - compile(): plans or MLIR text to programs -------------===//
//
// One context, one module: plans become IR first, so that both kinds of input
// take the same way. Each stage is run on its own, timed, and dumped. Nothing
// is printed and nothing outside the request is read.
//
//===----------------------------------------------------------------------===//
#include "compiler/Compiler.h"

#include "compiler/Diagnostics.h"
#include "compiler/Images.h"
#include "compiler/ParseModule.h"
#include "compiler/Passes.h"
#include "compiler/StageDump.h"
#include "dialects/msa/PlanConversion.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <mutex>

using namespace mlir;

namespace msa {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, OpPrintingFlags().printNameLocAsPrefix().enableDebugInfo(false));
  stream << "\n";
  return text;
}

ToolchainPaths toolchainOf(const CompileRequest &request) {
  ToolchainPaths paths;
  if (!request.cudaHome.empty())
    paths.roots.push_back(request.cudaHome);
  paths.roots.insert(paths.roots.end(), request.toolDirs.begin(), request.toolDirs.end());
  return paths;
}

/// One call of compile().
class Compilation {
public:
  explicit Compilation(const CompileRequest &request)
      : request(request), dump(request.dumpTo),
        context(registry(), MLIRContext::Threading::DISABLED) {
    context.printOpOnDiagnostic(false);
  }

  Expected<CompileResult> run();

private:
  static DialectRegistry registry() {
    DialectRegistry dialects;
    registerDialects(dialects);
    return dialects;
  }

  Status input();
  Status refuseStage() const;
  Status runStages();
  Status runStage(Stage &stage);
  Status dumpPtx();
  Status link();
  Status assemble();
  void explainKernels();

  /// Plans of the module's ops, in order.
  std::vector<Plan> plansNow() const {
    std::vector<Plan> plans;
    for (ir::PlanOpInterface op : ir::planOpsIn(*module))
      plans.push_back(ir::planOf(op));
    return plans;
  }
  void started(const std::string &what) {
    std::lock_guard lock(mutex);
    if (request.progress)
      request.progress(what);
  }
  void finished(const std::string &what, double seconds) {
    std::lock_guard lock(mutex);
    result.times.push_back({what, seconds});
  }

  const CompileRequest &request;
  StageDump dump;
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::shared_ptr<CudaFrontEnd> frontEnd;
  std::vector<Plan> requested, resolved;
  CompileResult result;
  std::mutex mutex; ///< guards result.times and the progress callback while threads run
};

Status Compilation::input() {
  Clock::time_point begin = Clock::now();
  if (!request.mlirText.empty() || request.plans.empty()) {
    std::string name = request.mlirName.empty() ? "input.mlir" : request.mlirName;
    MSA_ASSIGN_OR_RETURN(module, parseModule(context, request.mlirText, name));
  } else {
    for (const Plan &plan : request.plans)
      MSA_RETURN_IF_ERROR(checkPlan(plan));
    DiagnosticCapture diagnostics(&context);
    module = ir::moduleFromPlans(context, request.plans);
    if (failed(verify(*module)))
      return diagnostics.failure(StatusCode::Internal);
  }
  finished("parse", since(begin));
  dump.begin("input");
  return dump.enabled() ? dump.write(".mlir", textOf(*module)) : Status();
}

/// tile, nvvm and llvm are stages of the tile route only.
Status Compilation::refuseStage() const {
  const std::string &emit = request.emit;
  if (emit == "msa" || emit == "ptx" || emit == "cubin" || emit == "bundle")
    return {};
  if (emit != "tile" && emit != "nvvm" && emit != "llvm")
    return Status::invalid("unknown stage '" + emit +
                           "' (accepted: msa tile nvvm llvm ptx cubin bundle)");
  for (const Plan &plan : requested)
    if (plan.schedule.route == Route::Cuda)
      return Status::invalid(
          "the cuda route has no " + emit +
          " stage: it goes from msa to ptx by way of CUDA C++ (accepted: msa ptx cubin bundle)");
  return Status::missing("the " + emit +
                         " stage belongs to the tile route, which comes with a later issue "
                         "(accepted now: msa ptx cubin bundle)");
}

Status Compilation::runStage(Stage &stage) {
  started(stage.name);
  Clock::time_point begin = Clock::now();
  DiagnosticCapture diagnostics(&context);
  PassManager manager(&context, ModuleOp::getOperationName());
  manager.addPass(std::move(stage.pass));
  if (failed(manager.run(*module)))
    return diagnostics.failure(StatusCode::Internal);
  finished(stage.name, since(begin));
  const std::vector<std::string> &remarks = diagnostics.remarks();
  result.explanation.insert(result.explanation.end(), remarks.begin(), remarks.end());
  dump.begin(stage.name);
  return dump.enabled() ? dump.write(".mlir", textOf(*module)) : Status();
}

Status Compilation::runStages() {
  NvrtcHost host;
  host.jobs = request.jobs;
  host.frontEnd = frontEnd;
  host.started = [this](const std::string &kernel) { started("nvrtc " + kernel); };
  host.finished = [this](const std::string &kernel, double s) { finished("nvrtc " + kernel, s); };
  for (Stage &stage : cudaStages(host)) {
    MSA_RETURN_IF_ERROR(runStage(stage));
    // The choice of a schedule neither adds nor removes ops: plans keep their places.
    if (stage.name == "select-schedule")
      resolved = plansNow();
  }
  return dumpPtx();
}

Status Compilation::dumpPtx() {
  Status status;
  module->walk([&](ir::CudaKernelOp kernel) {
    if (status.ok())
      status = dump.write("-" + kernel.getSymName().str() + "-" + kernel.getTarget().str() + ".ptx",
                          *kernel.getPtx());
  });
  return status;
}

Status Compilation::link() {
  PtxTable ptx;
  module->walk([&](ir::CudaKernelOp kernel) {
    std::vector<std::pair<std::string, std::string>> defines;
    for (NamedAttribute define : kernel.getDefines())
      defines.emplace_back(define.getName().str(), cast<StringAttr>(define.getValue()).str());
    ptx[kernelKey(kernel.getSource().str(), kernel.getEntry().str(), defines,
                  kernel.getTarget().str())] = kernel.getPtx()->str();
  });
  for (size_t i = 0; i < requested.size(); ++i) {
    MSA_ASSIGN_OR_RETURN(Program program,
                         linkProgram(requested[i], resolved[i], ptx, frontEnd->version()));
    result.programs.push_back(std::move(program));
  }
  return {};
}

/// A bundle without cubins is whole (the driver assembles its PTX); a cubin cannot be done without.
Status Compilation::assemble() {
  Expected<std::shared_ptr<Assembler>> assembler = Assembler::open(toolchainOf(request));
  if (!assembler) {
    if (request.emit == "cubin" || assembler.status().code() != StatusCode::Missing)
      return assembler.status();
    result.explanation.push_back("no cubin is stored: " + assembler.status().message());
    return {};
  }
  started("assemble");
  Clock::time_point begin = Clock::now();
  AssembleHost host;
  host.jobs = request.jobs;
  host.finished = [this](const std::string &kernel, double s) {
    finished("assemble " + kernel, s);
  };
  MSA_RETURN_IF_ERROR(assembleAll(result.programs, **assembler, host));
  finished("assemble", since(begin));
  dump.begin("assemble");
  for (const Program &program : result.programs)
    for (const KernelImage &image : program.kernels)
      MSA_RETURN_IF_ERROR(
          dump.write("-" + std::string(toString(program.plan.op)) + "-" + image.entry + "-" +
                         image.target + ".cubin",
                     {reinterpret_cast<const char *>(image.cubin.data()), image.cubin.size()}));
  return {};
}

void Compilation::explainKernels() {
  auto number = [](int value) { return value < 0 ? std::string("?") : std::to_string(value); };
  for (const Program &program : result.programs)
    for (const KernelImage &image : program.kernels) {
      const Resources &r = image.resources;
      result.explanation.push_back(
          std::string(toString(program.plan.op)) + " " + image.target + ": " + image.phase + " = " +
          image.entry + ", grid " + image.launch.grid[0] + " x " + image.launch.grid[1] + " x " +
          image.launch.grid[2] + ", " + number(r.threads) + " threads, " + number(r.registers) +
          " registers, " + number(r.sharedBytes) + " + " + number(image.launch.dynamicSharedBytes) +
          " bytes shared, " + number(r.spillBytes) + " spilled, " + number(r.ptxInstructions) +
          " PTX instructions");
    }
}

Expected<CompileResult> Compilation::run() {
  MSA_RETURN_IF_ERROR(input());
  requested = plansNow();
  MSA_RETURN_IF_ERROR(refuseStage());
  if (request.emit == "msa") {
    result.ir = textOf(*module);
    return std::move(result);
  }
  if (requested.empty())
    return Status::invalid("the input holds no msa op with a plan (a stage after "
                           "convert-msa-to-cuda no longer says its plan: replay it with msa-opt)");
  // Before anything else is opened: a plan that cannot be scheduled is the clearer error.
  MSA_ASSIGN_OR_RETURN(frontEnd, CudaFrontEnd::open(toolchainOf(request)));
  MSA_RETURN_IF_ERROR(runStages());
  MSA_RETURN_IF_ERROR(link());
  if (request.emit != "ptx")
    MSA_RETURN_IF_ERROR(assemble());
  explainKernels();
  return std::move(result);
}

} // namespace

Expected<CompileResult> compile(const CompileRequest &request) {
  return Compilation(request).run();
}

} // namespace msa

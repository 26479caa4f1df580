//===- Pipelines.cpp - the routes as straight lists of stages -------------===//
//
// compile() runs the stages one by one, msa-opt as one pipeline; both take
// them from here.
//
//===----------------------------------------------------------------------===//
#include "compiler/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

namespace msa {

std::vector<Stage> cudaStages(const NvrtcHost &host) {
  std::vector<Stage> stages;
  // After it: every schedule is complete.
  stages.push_back({"select-schedule", createSelectSchedulePass()});
  // After it: every op with a plan is a phase.
  stages.push_back({"decompose", createDecomposePass()});
  // After it: no op with a plan is left; phases are launches of kernels.
  stages.push_back({"convert-msa-to-cuda", createConvertMsaToCudaPass()});
  // After it: every kernel has PTX.
  stages.push_back({"nvrtc", createNvrtcPass(host)});
  return stages;
}

void registerPassesAndPipelines(const ToolchainPaths &toolchain) {
  NvrtcHost host;
  host.toolchain = toolchain;
  mlir::registerPass([] { return createSelectSchedulePass(); });
  mlir::registerPass([] { return createDecomposePass(); });
  mlir::registerPass([] { return createConvertMsaToCudaPass(); });
  mlir::registerPass([host] { return createNvrtcPass(host); });
  mlir::PassPipelineRegistration<>("msa-cuda-pipeline",
                                   "From msa to PTX on the portable CUDA route",
                                   [host](mlir::OpPassManager &pm) {
                                     for (Stage &stage : cudaStages(host))
                                       pm.addPass(std::move(stage.pass));
                                   });
}

} // namespace msa

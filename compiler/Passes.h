//===- Passes.h - passes and pipelines of the compiler --------------------===//
//
// What msa-opt registers and compile() runs: the same passes in the same order.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "compiler/Compiler.h"
#include "compiler/CudaFrontEnd.h"

#include "dialects/msa/MsaDialect.h"

#include "mlir/Pass/Pass.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace msa {

#define GEN_PASS_DECL
#include "compiler/Passes.h.inc"

/// What msa-nvrtc needs from its host.
struct NvrtcHost {
  /// Where NVRTC is looked for when `frontEnd` is null.
  ToolchainPaths toolchain;
  std::shared_ptr<CudaFrontEnd> frontEnd;
  int jobs = 0; ///< 0: one a core
  /// Called before and after each compilation, from several threads; either may be empty.
  std::function<void(const std::string &kernel)> started;
  std::function<void(const std::string &kernel, double seconds)> finished;
};

std::unique_ptr<mlir::Pass> createNvrtcPass(NvrtcHost host);

/// A named stage of a route. The invariant that it establishes is in Passes.td.
struct Stage {
  std::string name; ///< as in dumps and times: "select-schedule"
  std::unique_ptr<mlir::Pass> pass;
};

/// The CUDA route from msa to PTX, in order.
std::vector<Stage> cudaStages(const NvrtcHost &host);

/// Registers the passes and `msa-cuda-pipeline` with MLIR's registry (process-wide, as MLIR's is).
void registerPassesAndPipelines(const ToolchainPaths &toolchain);

} // namespace msa

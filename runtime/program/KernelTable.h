//===- KernelTable.h - the kernels of the portable CUDA route -------------===//
//
// The one table that compiler and launcher read (interfaces.md section 5): for
// a plan it says which kernels each phase is, how each is specialised (source
// and defines), its arguments, its launch rule, and how a pipeline's kernels
// share a workspace. No per-kernel host code exists elsewhere.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Program.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace msa {

/// A kernel before compilation.
struct CudaKernelSpec {
  std::string phase;  ///< op word, e.g. "attention_split"
  std::string source; ///< file of templates/cuda without ".cu"
  std::string entry;  ///< `extern "C"` name
  std::vector<std::pair<std::string, std::string>> defines; ///< sorted by name
  std::vector<ArgSpec> args;
  LaunchRule launch;
};

/// The kernels of one phase for a resolved plan (`plan.op` may be a pipeline that holds it).
Expected<std::vector<CudaKernelSpec>> cudaKernels(const Plan &plan, Op phase);

/// Everything but the images: kernels in recipe order with empty ptx/cubin, workspace, recipe.
/// The phases are those of plan.op.
Expected<Program> cudaProgram(const Plan &resolved);

/// A sentence for the four words of `status` that kernels of a checked plan fill: code, head,
/// query, id (docs/kernels.md lists the codes).
std::string describeStatus(const std::array<int32_t, 4> &status);

} // namespace msa

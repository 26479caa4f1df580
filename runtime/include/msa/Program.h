//===- Program.h - kernel images and the recipe that launches them --------===//
//
// What `compile(plan)` returns. Everything here is data (strings, numbers,
// bytes) that a bundle stores and one generic launcher reads: there is no
// per-kernel host code (interfaces.md section 5).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Plan.h"

#include <cstdint>
#include <string>
#include <vector>

namespace msa {

enum class ArgType : uint8_t { Pointer, I32, F32, TensorMap };
enum class ArgRole : uint8_t { Input, Output, Workspace, Scalar, Status };

/// One kernel argument, in the kernel's parameter order.
struct ArgSpec {
  std::string name; ///< tensor name as in a case directory, or the scalar's name
  ArgType type = ArgType::Pointer;
  ArgRole role = ArgRole::Input;
  std::string element; ///< pointers: "bf16" "f16" "f32" "e4m3" "e2m1x2" "ue8m0" "i32" "u8"
  std::vector<std::string> shape; ///< pointers: extents as expressions, outermost first
  std::string value;              ///< I32: expression
  float f32 = 0;                  ///< F32: the value
  int alignment = 16;             ///< bytes that the pointer must be aligned to
};

/// The grid as expressions, and the block.
struct LaunchRule {
  std::vector<std::string> grid = {"1", "1", "1"};
  std::vector<int> block = {1, 1, 1};
  int dynamicSharedBytes = 0;
};

/// What the assembler reported; -1 where no assembler ran.
struct Resources {
  int registers = -1, sharedBytes = -1, spillBytes = -1, tensorColumns = 0;
  int threads = 0;
  int ptxInstructions = -1, sassInstructions = -1;
};

/// A compiled kernel.
struct KernelImage {
  std::string phase; ///< the op it implements, e.g. "index_scores"
  std::string entry;
  std::string target; ///< e.g. "sm_80"
  std::string ptx;
  std::vector<uint8_t> cubin; ///< empty when no assembler was available
  std::string frontEnd;       ///< e.g. "nvrtc 13.0"
  std::string assembler;      ///< e.g. "nvptxcompiler 13.0", "ptxas 13.0.88"; empty without cubin
  std::vector<ArgSpec> args;
  LaunchRule launch;
  Resources resources;
};

/// A tensor that lives in the caller's workspace; slices start on 256-byte boundaries.
struct WorkspaceSlice {
  std::string name, element;
  std::vector<std::string> shape; ///< expressions over bounds; per-slab tensors use `slab`
};

/// One launch: kernel `kernel`, when `guard` (an expression; empty = always) is true.
struct LaunchStep {
  int kernel = 0;
  std::string guard;
};

/// Steps that run in order; when `slabbed`, once for each slab of S.
struct LaunchGroup {
  bool slabbed = false;
  std::vector<LaunchStep> steps;
};

/// Kernel images, workspace, and an ordered launch recipe.
struct Program {
  Plan plan;     ///< as requested
  Plan resolved; ///< with the schedule filled in
  std::vector<KernelImage> kernels;
  std::vector<WorkspaceSlice> workspace;
  std::vector<LaunchGroup> recipe;
};

} // namespace msa

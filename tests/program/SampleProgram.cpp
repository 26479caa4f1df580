//===- SampleProgram.cpp - a small program with one of everything ---------===//
#include "SampleProgram.h"

namespace msa::test {

Program sampleProgram() {
  Program program;
  program.plan.target = "sm_80";
  program.resolved = program.plan;
  program.resolved.schedule = {Route::Cuda, 32};

  KernelImage first;
  first.phase = "index_scores";
  first.entry = "msa_index_scores";
  first.target = "sm_80";
  first.ptx = ".version 7.0\n.target sm_80\n.address_size 64\n// first\n";
  first.cubin = {0x7f, 'E', 'L', 'F', 0, 1, 2, 3};
  first.frontEnd = "nvrtc 13.0";
  first.assembler = "ptxas 13.0.88";
  first.args = {
      {.name = "index_q", .element = "bf16", .shape = {"tokens", "4", "128"}},
      {.name = "tokens", .type = ArgType::I32, .role = ArgRole::Scalar, .value = "tokens"},
      {.name = "scores", .role = ArgRole::Workspace, .element = "f32", .shape = {"4", "slab"}},
      {.name = "scale", .type = ArgType::F32, .role = ArgRole::Scalar, .f32 = 0.1f},
      {.name = "slab_begin", .type = ArgType::I32, .role = ArgRole::Scalar, .value = "slab_begin"},
      {.name = "slab", .type = ArgType::I32, .role = ArgRole::Scalar, .value = "slab"},
      {.name = "status", .role = ArgRole::Status, .element = "i32", .shape = {"4"}},
  };
  first.launch = {
      .grid = {"ceildiv(slab, 2)", "4", "1"}, .block = {128, 1, 1}, .dynamicSharedBytes = 4096};
  first.resources = {.registers = 40,
                     .sharedBytes = 4096,
                     .spillBytes = 0,
                     .threads = 128,
                     .ptxInstructions = 10,
                     .sassInstructions = 20};

  KernelImage second = first;
  second.phase = "topk_select";
  second.entry = "msa_topk_select";
  second.ptx += "// second\n";
  second.args = {
      {.name = "scores", .role = ArgRole::Workspace, .element = "f32", .shape = {"4", "slab"}},
      {.name = "items", .role = ArgRole::Workspace, .element = "i32", .shape = {"requests", "4"}},
      {.name = "o", .role = ArgRole::Output, .element = "bf16", .shape = {"tokens"}},
  };
  second.launch = {.grid = {"slab", "1", "1"}, .block = {32, 4, 1}};

  KernelImage third = second;
  third.phase = "gather_plan";
  third.entry = "msa_gather_plan";
  third.cubin.clear();
  third.assembler.clear();
  third.args = {{.name = "o",
                 .role = ArgRole::Output,
                 .element = "bf16",
                 .shape = {"tokens"},
                 .alignment = 2}};
  third.launch = {.grid = {"1", "1", "1"}, .block = {1, 1, 1}};

  program.kernels = {first, second, third};
  program.workspace = {{.name = "scores", .element = "f32", .shape = {"4", "slab"}},
                       {.name = "items", .element = "i32", .shape = {"requests", "4"}}};
  program.recipe = {{.slabbed = true, .steps = {{.kernel = 0}, {.kernel = 1}}},
                    {.slabbed = false, .steps = {{.kernel = 2, .guard = "tokens > 10"}}}};
  return program;
}

} // namespace msa::test

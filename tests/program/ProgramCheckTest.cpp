//===- ProgramCheckTest.cpp - tables that no launcher could walk ----------===//
#include "SampleProgram.h"

#include "program/KernelTable.h"
#include "program/ProgramCheck.h"

#include <catch2/catch.hpp>

#include <functional>

using namespace msa;
using msa::test::sampleProgram;

TEST_CASE("a sound program passes") { CHECK(checkProgram(sampleProgram()).message() == ""); }

TEST_CASE("each broken table is refused and named") {
  struct Case {
    std::function<void(Program &)> change;
    std::string says;
  };
  auto kernel = [](Program &p) -> KernelImage & { return p.kernels[0]; };
  const std::vector<Case> cases = {
      {[&](Program &p) { kernel(p).entry.clear(); }, "no entry name"},
      {[&](Program &p) { kernel(p).target = "sm_1"; }, "target 'sm_1' is not known"},
      {[&](Program &p) { kernel(p).launch.grid.pop_back(); }, "three extents"},
      {[&](Program &p) { kernel(p).launch.block = {1, 1}; }, "three extents"},
      {[&](Program &p) { kernel(p).launch.grid[0] = "slab +"; }, "grid: column 7"},
      {[&](Program &p) { kernel(p).launch.block = {0, 1, 1}; }, "block extent 0"},
      {[&](Program &p) { kernel(p).launch.block = {1025, 1, 1}; }, "block extent 1025"},
      {[&](Program &p) { kernel(p).launch.block = {64, 32, 1}; }, "at most 1024 threads"},
      {[&](Program &p) { kernel(p).launch.block = {1, 1, 128}; }, "z at most 64"},
      {[&](Program &p) { kernel(p).launch.dynamicSharedBytes = -1; }, "shared bytes are negative"},
      {[&](Program &p) { kernel(p).args[0].element = "bf61"; }, "did you mean 'bf16'?"},
      {[&](Program &p) { kernel(p).args[0].shape = {"tokens", "D"}; }, "unknown name 'D'"},
      {[&](Program &p) { kernel(p).args[0].shape.resize(9, "1"); }, "9 axes; at most 8"},
      {[&](Program &p) { kernel(p).args[0].alignment = 12; }, "alignment 12 is not a power of two"},
      {[&](Program &p) { kernel(p).args[0].alignment = 0; }, "alignment 0"},
      {[&](Program &p) { kernel(p).args[0].role = ArgRole::Scalar; }, "role and type"},
      {[&](Program &p) { kernel(p).args[1].role = ArgRole::Input; }, "role and type"},
      {[&](Program &p) { kernel(p).args[1].value = ""; }, "value: column 1"},
      {[&](Program &p) { kernel(p).args[3].name = "slab"; }, "two arguments are called 'slab'"},
      {[&](Program &p) { kernel(p).args[2].name = "nothing"; }, "no tensor of this name"},
      {[&](Program &p) { p.workspace[1].name = "scores"; }, "two workspace tensors are called"},
      {[&](Program &p) { p.workspace[1].element = ""; }, "workspace tensor 'items'"},
      {[&](Program &p) { p.recipe[0].steps[0].kernel = 3; }, "kernel 3; the program has 3"},
      {[&](Program &p) { p.recipe[0].steps[0].kernel = -1; }, "kernel -1"},
      {[&](Program &p) { p.recipe[0].steps[0].guard = "tokens >"; }, "guard: column 9"},
  };
  for (const Case &c : cases) {
    Program program = sampleProgram();
    c.change(program);
    Status status = checkProgram(program);
    INFO(c.says << " in " << status.message());
    CHECK(status.code() == StatusCode::InvalidInput);
    CHECK(status.message().find(c.says) != std::string::npos);
  }
}

TEST_CASE("the kernel table makes sound programs for every preset and op") {
  for (const Preset &preset : presets())
    for (int op = 0; op < static_cast<int>(Op::Decode); ++op) {
      Plan plan = preset.plan;
      plan.op = static_cast<Op>(op);
      plan.target = "sm_80";
      plan.checked = op % 2 == 0;
      plan.schedule = {Route::Cuda, 32};
      INFO(preset.name << " " << toString(plan.op));
      Expected<Program> program = cudaProgram(plan);
      REQUIRE(program.status().message() == "");
      for (KernelImage &image : program->kernels)
        image.target = plan.target;
      CHECK(checkProgram(*program).message() == "");
      CHECK_FALSE(program->kernels.empty());
    }
}

// The kernel table: every op's program hangs together, and what cannot be built is refused.
#include "KernelRunner.h"

#include "program/Launcher.h"
#include "program/ProgramCheck.h"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace msa;
using Catch::Matchers::Contains;

namespace {

Plan planFor(Op op) {
  Plan plan = *findPreset("minimax-m3");
  plan.op = op;
  plan.target = "sm_80";
  return test::resolvedPlan(plan, 32);
}

const ArgSpec *find(const KernelImage &kernel, const std::string &name) {
  auto it = std::find_if(kernel.args.begin(), kernel.args.end(),
                         [&](const ArgSpec &arg) { return arg.name == name; });
  return it == kernel.args.end() ? nullptr : &*it;
}

} // namespace

TEST_CASE("table: the program of every op is well formed") {
  Op op = GENERATE(Op::IndexScores, Op::TopkSelect, Op::GatherPlan, Op::AttentionSplit,
                   Op::AttentionCombine, Op::DenseAttention, Op::SparseAttention, Op::Prefill);
  for (const Preset &preset : presets()) {
    Plan plan = preset.plan;
    plan.op = op;
    Expected<Program> program = cudaProgram(test::resolvedPlan(plan, 32));
    INFO(preset.name << " " << toString(op) << ": " << program.status().message());
    REQUIRE(program.ok());
    CHECK(checkProgram(*program).message() == "");
    CHECK(program->kernels.size() == phasesOf(op).size());
    REQUIRE(program->recipe.size() == 1);
    CHECK(program->recipe[0].slabbed == (phasesOf(op).size() > 1));
    CHECK(program->workspace.empty() == (phasesOf(op).size() == 1));
  }
}

TEST_CASE("table: defines are sorted and the same alone and in a pipeline") {
  Plan whole = planFor(Op::Prefill);
  for (Op phase : phasesOf(Op::Prefill)) {
    auto inside = cudaKernels(whole, phase), alone = cudaKernels(planFor(phase), phase);
    REQUIRE(inside.ok());
    REQUIRE(alone.ok());
    REQUIRE(inside->size() == alone->size());
    for (size_t i = 0; i < inside->size(); ++i) {
      const CudaKernelSpec &spec = (*inside)[i];
      CHECK(spec.defines == (*alone)[i].defines);
      CHECK(std::is_sorted(spec.defines.begin(), spec.defines.end()));
      CHECK(spec.launch.grid == (*alone)[i].launch.grid);
    }
  }
}

TEST_CASE("table: intermediates belong to the caller alone, to the workspace in a pipeline") {
  auto roleIn = [](Op op, const char *phase, const char *tensor) {
    Expected<Program> program = cudaProgram(planFor(op));
    REQUIRE(program.ok());
    for (const KernelImage &kernel : program->kernels)
      if (kernel.phase == phase)
        return find(kernel, tensor)->role;
    FAIL("no phase " << phase);
    return ArgRole::Scalar;
  };
  CHECK(roleIn(Op::IndexScores, "index_scores", "scores") == ArgRole::Output);
  CHECK(roleIn(Op::Prefill, "index_scores", "scores") == ArgRole::Workspace);
  CHECK(roleIn(Op::TopkSelect, "topk_select", "scores") == ArgRole::Input);
  CHECK(roleIn(Op::Prefill, "gather_plan", "selection") == ArgRole::Workspace);
  CHECK(roleIn(Op::SparseAttention, "gather_plan", "selection") == ArgRole::Input);
  CHECK(roleIn(Op::SparseAttention, "attention_split", "plan_items") == ArgRole::Workspace);
  CHECK(roleIn(Op::AttentionSplit, "attention_split", "plan_items") == ArgRole::Input);
  CHECK(roleIn(Op::Prefill, "attention_combine", "o") == ArgRole::Output);
}

TEST_CASE("table: scales are arguments exactly where the type has them (N2, N3)") {
  Plan plan = planFor(Op::AttentionSplit);
  plan.precision.q = DType::E4M3;
  plan.precision.k = DType::NVFP4;
  plan.precision.v = DType::MXFP4;
  Expected<Program> program = cudaProgram(plan);
  REQUIRE(program.ok());
  const KernelImage &kernel = program->kernels[0];
  REQUIRE(find(kernel, "q_scale"));
  CHECK(find(kernel, "q_scale")->shape == std::vector<std::string>{"4"});
  CHECK_FALSE(find(kernel, "q_block_scale"));
  REQUIRE(find(kernel, "k_block_scale"));
  CHECK(find(kernel, "k_scale"));
  CHECK(find(kernel, "k_block_scale")->element == "e4m3");
  CHECK(find(kernel, "k_block_scale")->shape.back() == "8");
  CHECK_FALSE(find(kernel, "v_scale"));
  CHECK(find(kernel, "v_block_scale")->element == "ue8m0");
  CHECK(find(kernel, "v_block_scale")->shape.back() == "4");
  CHECK(find(kernel, "v")->element == "e2m1x2");
  CHECK(find(kernel, "v")->shape.back() == "64");

  plan.op = Op::IndexScores;
  plan.precision.indexQ = DType::E4M3;
  plan.precision.indexK = DType::NVFP4;
  program = cudaProgram(plan);
  REQUIRE(program.ok());
  CHECK(find(program->kernels[0], "index_k_block_scale"));
  CHECK_FALSE(find(program->kernels[0], "index_q_scale")); // enters no score
  CHECK_FALSE(find(program->kernels[0], "index_k_scale"));
}

TEST_CASE("table: a checked plan adds status, a contiguous one drops the page table") {
  for (Op phase : phasesOf(Op::Prefill)) {
    Plan plan = planFor(phase);
    CHECK_FALSE(find(cudaProgram(plan)->kernels[0], "status"));
    plan.checked = true;
    CHECK(find(cudaProgram(plan)->kernels[0], "status")->role == ArgRole::Status);
  }
  Plan plan = planFor(Op::AttentionSplit);
  CHECK(find(cudaProgram(plan)->kernels[0], "page_table"));
  plan.kvLayout = {KvKind::Contiguous, 0};
  CHECK_FALSE(find(cudaProgram(plan)->kernels[0], "page_table"));
  CHECK(find(cudaProgram(plan)->kernels[0], "k")->shape ==
        std::vector<std::string>{"pages", "4", "128"});
}

TEST_CASE("table: grids stay within CUDA's limits at the limits of L1") {
  Bounds bounds{.tokens = 1 << 20,
                .requests = 4,
                .maxQuery = 1 << 20,
                .maxKv = int64_t(65536) * 128,
                .maxBlocks = 65536,
                .pages = 1 << 20,
                .maxPages = 65536};
  for (int block : {16, 128, 256}) {
    Plan plan = planFor(Op::Prefill);
    plan.blockSize = block;
    plan.kvLayout.pageSize = block;
    Expected<Program> program = cudaProgram(plan);
    REQUIRE(program.ok());
    Expected<WorkspaceLayout> layout = layoutWorkspace(*program, bounds, uint64_t(8) << 30);
    INFO(layout.status().message());
    REQUIRE(layout.ok());
    bounds.slab = layout->slab;
    for (const KernelImage &kernel : program->kernels)
      for (size_t axis = 0; axis < 3; ++axis) {
        Expected<Expr> extent = Expr::parse(kernel.launch.grid[axis]);
        REQUIRE(extent.ok());
        Expected<int64_t> value = extent->evaluate(bounds);
        REQUIRE(value.ok());
        INFO(kernel.phase << " " << extent->text());
        CHECK(*value >= 1);
        CHECK(*value <= (axis == 0 ? (int64_t(1) << 31) - 1 : 65535));
      }
  }
}

TEST_CASE("table: what cannot be built is refused") {
  Plan plan = planFor(Op::Prefill);
  plan.op = Op::Decode;
  CHECK(cudaProgram(plan).status().code() == StatusCode::Missing);
  CHECK_THAT(cudaProgram(plan).status().message(), Contains("decode") && Contains("prefill"));
  CHECK(cudaKernels(plan, Op::IndexScores).status().code() == StatusCode::Missing);

  plan = planFor(Op::Prefill);
  CHECK(cudaKernels(plan, Op::DenseAttention).status().code() == StatusCode::Internal);
  plan.schedule.chunk.reset();
  CHECK_THAT(cudaProgram(plan).status().message(), Contains("schedule.chunk"));
  plan = planFor(Op::Prefill);
  plan.blockSize = 100;
  CHECK(cudaProgram(plan).status().code() == StatusCode::InvalidInput);
}

TEST_CASE("status: every code has a sentence that names head, query and id") {
  CHECK(describeStatus({0, 0, 0, 0}) == "no contract error");
  for (int code : {1, 2, 3, 4, 77})
    CHECK_THAT(describeStatus({code, 11, 222, -33}),
               Contains("11") && Contains("222") && Contains("-33"));
}

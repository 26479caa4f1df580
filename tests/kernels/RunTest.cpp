// The kernels on the simulator against the FP64 reference: every element of every phase, and
// pipelines in slabs bit for bit. Needs NVRTC; skips loudly without.
#include "TemplateCompiler.h"

#include "device/SimDevice.h"
#include "verify/RandomPlan.h"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace msa;
using namespace msa::test;

namespace {

constexpr const char *target = "sm_80";

std::shared_ptr<TemplateCompiler> openCompiler() {
  auto compiler = TemplateCompiler::open();
  if (compiler)
    return *compiler;
  WARN("SKIPPED: " << compiler.status().message());
  return nullptr;
}

std::unique_ptr<SimDevice> simulator(const char *name = target) {
  SimDeviceOptions options;
  options.target = name;
  auto device = makeSimDevice(options);
  REQUIRE(device.ok());
  return std::move(*device);
}

Plan smallPlan(Op op) {
  Plan plan;
  plan.op = op;
  plan.target = target;
  plan.heads = {4, 2, 2, 1};
  plan.headDim = plan.indexDim = 32;
  plan.blockSize = 32;
  plan.topk = 4;
  plan.kvLayout.pageSize = 16;
  return resolvedPlan(plan, 5);
}

/// Phases whose inputs a case of this op needs.
std::vector<Op> inputPhases(Op op) {
  return op == Op::AttentionSplit ? std::vector{op} : phasesOf(op);
}

} // namespace

TEST_CASE("kernels: random legal plans are right in every element", "[nvrtc][sim]") {
  auto compiler = openCompiler();
  if (!compiler)
    return;
  constexpr uint64_t seed = 20;
  for (uint64_t index = 0; index < 24; ++index) {
    verify::RandomCase random = verify::randomCase(seed, index, target, 1'500'000);
    Plan plan = resolvedPlan(random.plan, std::max(1, 512 / random.plan.gqa()));
    INFO("seed " << seed << " case " << index << ": " << verify::describe(random));
    auto made = verify::generate(plan, random.queryLens, random.kvLens, inputPhases(plan.op),
                                 random.options);
    INFO(made.status().message());
    REQUIRE(made.ok());
    auto device = simulator();
    KernelRunner runner(*device, TemplateCompiler::with(compiler));
    auto results = runner.runPhases(*made);
    INFO(results.status().message());
    REQUIRE(results.ok());
    CHECK(wrongText(*results) == "");
    // A report without a cause would be wrong; random checked plans may hold invalid ids.
    CHECK((runner.status()[0] == 0 || (plan.checked && random.options.invalidIds)));

    if (phasesOf(plan.op).size() == 1)
      continue;
    // The same op as one program in small slabs: the same bits (A4).
    std::vector<uint8_t> o = made->tensors["o"].bytes, lse = made->tensors["lse"].bytes;
    auto cap = runner.smallestCap(*made);
    REQUIRE(cap.ok());
    Status ran = runner.runWhole(*made, *cap * (1 + index % 3));
    INFO(ran.message());
    REQUIRE(ran.ok());
    CHECK(o == made->tensors["o"].bytes);
    CHECK(lse == made->tensors["lse"].bytes);
  }
}

TEST_CASE("kernels: the code for every generation of chips is right", "[nvrtc][sim]") {
  auto compiler = openCompiler();
  if (!compiler)
    return;
  for (const char *chip : {"sm_75", "sm_89", "sm_90a", "sm_100a"}) {
    Plan plan = smallPlan(Op::Prefill);
    plan.target = chip;
    plan.precision = {DType::E4M3,  DType::NVFP4, DType::MXFP4, DType::F16,
                      DType::NVFP4, DType::F16,   DType::BF16};
    auto made = verify::generate(plan, {5, 1, 9}, {130, 17, 300}, phasesOf(plan.op), {.seed = 5});
    REQUIRE(made.ok());
    auto device = simulator(chip);
    KernelRunner runner(*device, TemplateCompiler::with(compiler));
    auto results = runner.runPhases(*made);
    INFO(chip << " " << results.status().message());
    REQUIRE(results.ok());
    CHECK(wrongText(*results) == "");
  }
}

TEST_CASE("kernels: a checked build reports contract errors of the selection (A1)",
          "[nvrtc][sim]") {
  auto compiler = openCompiler();
  if (!compiler)
    return;
  struct Fault {
    int code;
    std::vector<int32_t> list; ///< head 1, token 2, whose local block is 2
    int32_t id;
  };
  Op op = GENERATE(Op::GatherPlan, Op::AttentionCombine);
  for (const Fault &fault :
       {Fault{1, {0, 3, -1, -1}, 3}, Fault{2, {2, -5, -1, -1}, -5}, Fault{3, {0, -1, 2, -1}, 2},
        Fault{0, {2, 0, 2, -1}, 0}}) { // a repeated id is no error
    Plan plan = smallPlan(op);
    plan.checked = true;
    auto made = verify::generate(plan, {4}, {96}, phasesOf(op), {.seed = 9});
    REQUIRE(made.ok());
    int32_t *row = made->tensors["selection"].as<int32_t>() +
                   verify::selectionRow(plan, made->batch.tokens(), 1, 2);
    std::copy(fault.list.begin(), fault.list.end(), row);
    auto device = simulator();
    KernelRunner runner(*device, TemplateCompiler::with(compiler));
    auto results = runner.runPhases(*made);
    INFO(toString(op) << " code " << fault.code << " " << results.status().message());
    REQUIRE(results.ok());
    CHECK(runner.status()[0] == fault.code);
    if (fault.code) {
      CHECK(runner.status()[1] == 1);
      CHECK(runner.status()[2] == 2);
      CHECK(runner.status()[3] == fault.id);
    }
  }
}

TEST_CASE("kernels: a checked build reports a page table entry that names no page (P3)",
          "[nvrtc][sim]") {
  auto compiler = openCompiler();
  if (!compiler)
    return;
  Op op = GENERATE(Op::IndexScores, Op::AttentionSplit, Op::DenseAttention);
  Plan plan = smallPlan(op);
  plan.checked = true;
  auto made = verify::generate(plan, {3}, {96}, inputPhases(op), {.seed = 3});
  REQUIRE(made.ok());
  int32_t wrong = GENERATE(-7, 1'000'000);
  made->tensors["page_table"].as<int32_t>()[0] = wrong;
  if (op == Op::AttentionSplit) // block 0, which that page holds, must be listed
    for (int64_t i = 0; i < made->tensors["selection"].count(); i += plan.topk)
      std::copy_n(std::vector<int32_t>{0, 1, 2, -1}.data(), plan.topk,
                  made->tensors["selection"].as<int32_t>() + i);
  auto device = simulator();
  KernelRunner runner(*device, TemplateCompiler::with(compiler));
  // The reference cannot follow the wrong entry: only the report counts.
  (void)runner.runWithoutCheck(*made).ok();
  CHECK(runner.status()[0] == 4);
  CHECK(runner.status()[3] == wrong);
}

TEST_CASE("kernels: long lists, many tiles and more heads than a tile", "[nvrtc][sim]") {
  auto compiler = openCompiler();
  if (!compiler)
    return;
  struct Shape {
    Heads heads;
    int block, topk, chunk;
    std::vector<int64_t> queries, keys;
  };
  for (const Shape &shape :
       {Shape{{2, 1, 1, 1}, 16, 3, 7, {150}, {150}},        // lists over many chunks and tiles
        Shape{{66, 66, 66, 1}, 16, 2, 4, {3, 2}, {40, 50}}, // 66 index heads share a key head
        Shape{{128, 1, 1, 1}, 16, 2, 3, {5}, {64}},         // G = 128
        Shape{{3, 1, 1, 1}, 256, 2, 4, {40}, {600}},        // rows that straddle tokens
        Shape{{2, 2, 2, 2}, 16, 64, 8, {9}, {1200}}}) {     // 65 blocks and k = 64
    Plan plan = smallPlan(Op::Prefill);
    plan.heads = shape.heads;
    plan.blockSize = shape.block;
    plan.topk = shape.topk;
    plan.schedule.chunk = shape.chunk;
    plan.precision.o = plan.precision.partial = DType::F32;
    auto made = verify::generate(plan, shape.queries, shape.keys, phasesOf(plan.op), {.seed = 4});
    REQUIRE(made.ok());
    auto device = simulator();
    KernelRunner runner(*device, TemplateCompiler::with(compiler));
    auto results = runner.runPhases(*made);
    INFO(canonicalJson(plan) << " " << results.status().message());
    REQUIRE(results.ok());
    CHECK(wrongText(*results) == "");
  }
}

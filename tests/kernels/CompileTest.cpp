// Every template over a spread of plans: NVRTC makes PTX that keeps the table's promises, and the
// assembler takes it. Needs NVRTC; skips loudly without.
#include "TemplateCompiler.h"

#include "compiler/Assembler.h"
#include "tools/msa-compile/Environment.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <map>
#include <sstream>

using namespace msa;
using namespace msa::test;

namespace {

size_t count(const std::string &text, const std::string &piece) {
  size_t n = 0;
  for (size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1))
    ++n;
  return n;
}

/// The worst ratio of instructions to FMAs among the loops without inner loops that hold a product:
/// the lines between a label and the branch back to it.
double instructionsPerMac(const std::string &ptx) {
  std::istringstream lines(ptx);
  std::string label, line;
  size_t instructions = 0, macs = 0;
  double worst = 0;
  while (std::getline(lines, line)) {
    if (line.starts_with("$L")) {
      label = line.substr(0, line.find(':'));
      instructions = macs = 0;
      continue;
    }
    instructions += line.ends_with(";") && line.find("\t.") == std::string::npos;
    macs += count(line, "fma.rn.f32");
    if (macs >= 32 && count(line, "bra") && count(line, label + ";"))
      worst = std::max(worst, static_cast<double>(instructions) / static_cast<double>(macs));
  }
  return worst;
}

/// Corners of L1 and L2.
std::vector<Plan> spread() {
  std::vector<Plan> plans;
  for (const Preset &preset : presets())
    plans.push_back(preset.plan);
  Plan base = plans.front();
  auto add = [&](auto change) {
    Plan plan = base;
    change(plan);
    plans.push_back(plan);
  };
  add([](Plan &p) { // the smallest of everything
    p.heads = {1, 1, 1, 1};
    p.headDim = p.indexDim = p.blockSize = 16;
    p.topk = 1;
    p.kvLayout.pageSize = 1;
  });
  add([](Plan &p) { // the largest
    p.heads = {256, 2, 2, 1};
    p.headDim = p.indexDim = p.blockSize = 256;
    p.topk = 64;
    p.forceFirst = 63;
    p.kvLayout.pageSize = 1024;
    p.selectionOrder = SelectionOrder::TokenMajor;
    p.checked = true;
  });
  add([](Plan &p) { // odd sizes, E4M3 against 4-bit
    p.heads = {9, 3, 3, 3};
    p.headDim = 208;
    p.indexDim = 48;
    p.blockSize = 112;
    p.kvLayout = {KvKind::Contiguous, 0};
    p.precision = {DType::E4M3,  DType::NVFP4, DType::E4M3, DType::F16,
                   DType::NVFP4, DType::F16,   DType::F32};
    p.blockMaxima = true;
  });
  add([](Plan &p) { // MXFP4 and FP32
    p.precision = {DType::F32,   DType::MXFP4, DType::F32, DType::E4M3,
                   DType::MXFP4, DType::F32,   DType::F32};
    p.blockSize = 160;
    p.kvLayout.pageSize = 32;
    p.topk = 33;
  });
  add([](Plan &p) { // F16 throughout
    p.precision = {DType::F16, DType::F16, DType::E4M3, DType::F16,
                   DType::F16, DType::F16, DType::BF16};
    p.headDim = 64;
    p.blockSize = 64;
  });
  return plans;
}

const std::vector<Op> phases = {Op::IndexScores,    Op::TopkSelect,       Op::GatherPlan,
                                Op::AttentionSplit, Op::AttentionCombine, Op::DenseAttention};

Expected<CudaKernelSpec> specFor(Plan plan, Op phase, const std::string &target) {
  plan.op = phase;
  plan.target = target;
  plan.blockMaxima = plan.blockMaxima && phase == Op::DenseAttention;
  MSA_ASSIGN_OR_RETURN(std::vector<CudaKernelSpec> specs,
                       cudaKernels(resolvedPlan(plan, 8), phase));
  return specs.at(0);
}

} // namespace

TEST_CASE("templates: every kernel compiles, keeps the table's promises and assembles", "[nvrtc]") {
  auto compiler = TemplateCompiler::open();
  if (!compiler) {
    WARN("SKIPPED: " << compiler.status().message());
    return;
  }
  auto assembler = Assembler::open(tools::toolchainRoots());
  if (!assembler)
    WARN("SKIPPED the assembler: " << assembler.status().message());
  const std::vector<std::string> targets = {"sm_75", "sm_80", "sm_89", "sm_90a", "sm_100a"};
  size_t index = 0;
  for (const Plan &plan : spread())
    for (Op phase : phases) {
      const std::string &target = targets[index++ % targets.size()];
      Expected<CudaKernelSpec> spec = specFor(plan, phase, target);
      INFO(toString(phase) << " " << target << " " << canonicalJson(plan) << " "
                           << spec.status().message());
      REQUIRE(spec.ok());
      Expected<std::string> ptx = (*compiler)->compile(*spec, target);
      INFO(ptx.status().message());
      REQUIRE(ptx.ok());

      CHECK(count(*ptx, ".entry " + spec->entry + "(") == 1);
      CHECK(count(*ptx, ".param .") == spec->args.size());
      CHECK(count(*ptx, fmt::format(".maxntid {}", spec->launch.block[0])) == 1);
      CHECK(count(*ptx, ".local") == 0); // no spills, no indexed arrays
      CHECK(count(*ptx, ".ftz") == 0);   // T3: denormals count
      CHECK(count(*ptx, "call") == 0);
      if (assembler) {
        auto image = (*assembler)->assemble(*ptx, spec->entry, target);
        INFO(image.status().message());
        REQUIRE(image.ok());
        CHECK(image->resources.spillBytes <= 0);
        CHECK(image->resources.sharedBytes <= 48 * 1024);
      }
    }
}

TEST_CASE("templates: the inner products cost near one instruction for a multiply-add", "[nvrtc]") {
  auto compiler = TemplateCompiler::open();
  if (!compiler) {
    WARN("SKIPPED: " << compiler.status().message());
    return;
  }
  for (Op phase : {Op::IndexScores, Op::AttentionSplit, Op::DenseAttention}) {
    Expected<CudaKernelSpec> spec = specFor(*findPreset("minimax-m3"), phase, "sm_80");
    REQUIRE(spec.ok());
    Expected<std::string> ptx = (*compiler)->compile(*spec, "sm_80");
    REQUIRE(ptx.ok());
    double worst = instructionsPerMac(*ptx);
    INFO(toString(phase));
    CHECK(worst > 1);
    CHECK(worst < 1.2);
  }
}

//===- PhasesTest.cpp - which phases run (interfaces.md section 3) --------===//
#include "tools/msa-run/Phases.h"

#include "verify/Generate.h"

#include <catch2/catch.hpp>

using namespace msa;
using namespace msa::run;
using Ops = std::vector<Op>;

namespace {

verify::Case caseOf(Op op, const Ops &generated) {
  Plan plan;
  plan.op = op;
  plan.heads = {2, 1, 1, 1};
  plan.headDim = plan.indexDim = plan.blockSize = 16;
  plan.kvLayout = {KvKind::Paged, 16};
  plan.topk = 2;
  auto c = verify::generate(plan, {2}, {40}, generated, {});
  REQUIRE(c.ok());
  return *c;
}

Ops choose(Op op, const Ops &asked, verify::Case &c) {
  auto phases = choosePhases(op, asked, c);
  REQUIRE(phases.status().message() == "");
  return *phases;
}

} // namespace

TEST_CASE("Without a selection everything runs") {
  verify::Case c = caseOf(Op::Prefill, phasesOf(Op::Prefill));
  CHECK(choose(Op::Prefill, {}, c) == phasesOf(Op::Prefill));
  CHECK(choose(Op::Prefill, {Op::IndexScores}, c) == Ops{Op::IndexScores});
}

TEST_CASE("A loaded selection ends what comes before it") {
  verify::Case c = caseOf(Op::Prefill, {Op::AttentionSplit});
  CHECK(choose(Op::Prefill, {}, c) ==
        Ops{Op::GatherPlan, Op::AttentionSplit, Op::AttentionCombine});
  CHECK(c.has("selection"));
  CHECK(choose(Op::Prefill, {Op::TopkSelect, Op::AttentionSplit}, c) ==
        Ops{Op::GatherPlan, Op::AttentionSplit});
}

TEST_CASE("A loaded selection is an output where only the selection is asked for") {
  verify::Case c = caseOf(Op::Prefill, {Op::AttentionSplit});
  CHECK(choose(Op::Prefill, {Op::IndexScores, Op::TopkSelect}, c) ==
        Ops{Op::IndexScores, Op::TopkSelect});
  CHECK_FALSE(c.has("selection"));
  verify::Case t = caseOf(Op::TopkSelect, {Op::TopkSelect, Op::GatherPlan});
  CHECK(choose(Op::TopkSelect, {}, t) == Ops{Op::TopkSelect});
}

TEST_CASE("attention_split brings its gather plan") {
  verify::Case c = caseOf(Op::SparseAttention, {Op::AttentionSplit});
  CHECK(choose(Op::SparseAttention, {Op::AttentionSplit}, c) ==
        Ops{Op::GatherPlan, Op::AttentionSplit});
  CHECK(choose(Op::AttentionSplit, {}, c) ==
        Ops{Op::AttentionSplit}); // a program of its own does it
  CHECK(choose(Op::SparseAttention, {Op::AttentionCombine}, c) == Ops{Op::AttentionCombine});
}

TEST_CASE("Phases that the op does not have are refused") {
  verify::Case c = caseOf(Op::SparseAttention, {Op::AttentionSplit});
  auto phases = choosePhases(Op::SparseAttention, {Op::TopkSelect}, c);
  CHECK(phases.status().code() == StatusCode::InvalidInput);
  CHECK(phases.status().message() ==
        "--phases topk_select: sparse_attention has no such phase; its phases: "
        "gather_plan, attention_split, attention_combine");
}

//===- ProgramsTest.cpp - choosing from a bundle --------------------------===//
#include "tools/msa-run/Programs.h"

#include <catch2/catch.hpp>

using namespace msa;
using namespace msa::run;

namespace {

Program program(Op op, const std::string &target, int topk = 16) {
  Program p;
  p.plan.op = op;
  p.plan.target = target;
  p.plan.topk = topk;
  p.resolved = p.plan;
  return p;
}

const std::filesystem::path noCompiler = "no-such-folder/msa-compile";

Expected<ProgramSet> choose(const std::vector<Program> &programs, const BundleQuery &query) {
  return chooseFromBundle(programs, query, noCompiler);
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("The newest image that the device takes is chosen") {
  std::vector<Program> all = {program(Op::Prefill, "sm_90"), program(Op::Prefill, "sm_75"),
                              program(Op::Prefill, "sm_80")};
  auto any = choose(all, {});
  REQUIRE(any.ok());
  CHECK(any->target == "sm_90");
  CHECK(any->main->plan.target == "sm_90");
  auto older = choose(all, {.target = "sm_86", .op = {}, .semantics = {}});
  REQUIRE(older.ok());
  CHECK(older->target == "sm_86");
  CHECK(older->main->plan.target == "sm_80");
  auto none =
      choose({program(Op::Prefill, "sm_90")}, {.target = "sm_80", .op = {}, .semantics = {}});
  CHECK(none.status().code() == StatusCode::InvalidInput);
  CHECK(contains(none.status().message(), "runs on sm_80; it holds sm_90"));
}

TEST_CASE("Of several ops the one asked for, or the one that contains the others") {
  std::vector<Program> all = {program(Op::TopkSelect, "sm_80"), program(Op::Prefill, "sm_80")};
  CHECK(choose(all, {})->main->plan.op == Op::Prefill);
  CHECK(choose(all, {.target = {}, .op = Op::TopkSelect, .semantics = {}})->main->plan.op ==
        Op::TopkSelect);
  auto missing = choose(all, {.target = {}, .op = Op::DenseAttention, .semantics = {}});
  CHECK(contains(missing.status().message(),
                 "no program for dense_attention; it has prefill, topk_select"));
  all.push_back(program(Op::DenseAttention, "sm_80"));
  CHECK(contains(choose(all, {}).status().message(), "--op NAME"));
  CHECK(contains(choose({all[1], program(Op::Prefill, "sm_80", 8)}, {}).status().message(),
                 "several plans"));
}

TEST_CASE("A loaded case chooses by its plan") {
  std::vector<Program> all = {program(Op::Prefill, "sm_80", 16), program(Op::Prefill, "sm_80", 8)};
  Plan plan;
  plan.topk = 8;
  CHECK(choose(all, {.target = {}, .op = {}, .semantics = plan})->main->plan.topk == 8);
  plan.op = Op::AttentionCombine; // a phase of the pipeline
  CHECK(choose(all, {.target = {}, .op = {}, .semantics = plan})->main->plan.op == Op::Prefill);
  plan.op = Op::DenseAttention;
  CHECK_FALSE(choose(all, {.target = {}, .op = {}, .semantics = plan}).ok());
  plan.topk = 9;
  CHECK(contains(choose(all, {.target = {}, .op = {}, .semantics = plan}).status().message(),
                 "differs in topk: 8 and 9"));
}

TEST_CASE("attention_split takes the bundle's gather plan, else compiles one") {
  std::vector<Program> all = {program(Op::AttentionSplit, "sm_80"),
                              program(Op::GatherPlan, "sm_80")};
  auto both = choose(all, {.target = {}, .op = Op::AttentionSplit, .semantics = {}});
  REQUIRE(both.ok());
  REQUIRE(both->gather);
  CHECK(both->gather->plan.op == Op::GatherPlan);
  all.pop_back();
  auto alone = choose(all, {});
  CHECK(alone.status().code() == StatusCode::Missing);
  CHECK(contains(alone.status().message(), "msa-compile is not there"));
}

//===- GenerateTest.cpp - what the generators promise ---------------------===//
#include "TestCase.h"

#include "verify/Compare.h"
#include "verify/RandomPlan.h"

#include <cmath>
#include <map>
#include <set>

using namespace msa;
using namespace msa::verify;

TEST_CASE("The same seed gives the same case, another seed another") {
  Plan plan = findPreset("narrow-64").ok() ? *findPreset("narrow-64") : Plan();
  GenerateOptions options;
  auto a = generate(plan, {3, 1}, {300, 70}, phasesOf(plan.op), options);
  auto b = generate(plan, {3, 1}, {300, 70}, phasesOf(plan.op), options);
  options.seed = 2;
  auto c = generate(plan, {3, 1}, {300, 70}, phasesOf(plan.op), options);
  REQUIRE((a.ok() && b.ok() && c.ok()));
  CHECK(a->tensors["k"].bytes == b->tensors["k"].bytes);
  CHECK(a->tensors["k"].bytes != c->tensors["k"].bytes);
}

TEST_CASE("P3, P4: pages are permuted; tails, spare pages and unused entries are poisoned") {
  Plan plan;
  plan.op = Op::DenseAttention;
  plan.heads = {2, 2, 2, 1};
  plan.headDim = 16;
  plan.blockSize = 32;
  plan.kvLayout = {KvKind::Paged, 16};
  auto c = generate(plan, {1, 1}, {40, 5}, {Op::DenseAttention}, {});
  REQUIRE(c.ok());
  CHECK(checkInputs(*c, {Op::DenseAttention}).ok());
  CHECK(c->tensors["k"].shape == std::vector<int64_t>{3 + 1 + 3, 2, 16, 16});
  std::set<int64_t> visible;
  for (int64_t r = 0; r < 2; ++r)
    for (int64_t j = 0; j < c->batch.kvLens[r]; ++j)
      for (int64_t h = 0; h < 2; ++h)
        visible.insert(c->kvRow(r, j, h, 2));
  CHECK(visible.size() == 90);
  for (const char *name : {"k", "v"})
    for (int64_t row = 0; row < 7 * 2 * 16; ++row)
      for (int64_t d = 0; d < 16; ++d)
        if (std::isnan(decodeBf16(c->tensors[name].as<uint16_t>()[row * 16 + d])) ==
            (visible.count(row) != 0))
          FAIL(name << " row " << row);
}

TEST_CASE("T3: copied blocks have equal scores, NaN blocks NaN") {
  Plan plan = tinyPlan(Op::IndexScores);
  plan.precision.indexK = DType::NVFP4;
  GenerateOptions options = thoroughOptions(3, false);
  auto c = generate(plan, {4}, {16 * 40}, {plan.op}, options);
  REQUIRE(c.ok());
  IndexScores s = indexScores(*c, {3, 4});
  size_t nans = 0;
  std::map<double, int> times;
  for (int b = 0; b < 39; ++b)
    std::isnan(s.score[b]) ? static_cast<void>(++nans) : static_cast<void>(++times[s.score[b]]);
  CHECK(nans > 0);
  CHECK(nans < 30);
  CHECK(times.size() + nans < 39 - 3);
}

TEST_CASE("A1: generated selections are legal unless asked otherwise") {
  Plan plan;
  plan.op = Op::AttentionSplit;
  plan.heads = {2, 2, 2, 1};
  plan.headDim = 16;
  plan.blockSize = 16;
  plan.topk = 5;
  plan.kvLayout = {KvKind::Contiguous, 0};
  GenerateOptions options;
  options.repeatedIds = true;
  options.invalidIds = GENERATE(false, true);
  auto c = generate(plan, {30}, {200}, {Op::AttentionSplit}, options);
  REQUIRE(c.ok());
  size_t errors = 0, unsorted = 0, repeated = 0;
  for (int64_t h = 0; h < 2; ++h)
    for (int64_t t = 0; t < 30; ++t) {
      const int32_t *row = c->tensors["selection"].as<int32_t>() + selectionRow(plan, 30, h, t);
      errors += contractErrors(row, 5, c->batch.localBlock(t)).size();
      unsorted += !std::is_sorted(row, row + 5);
      auto valid = validBlocks(row, 5, c->batch.localBlock(t)).size();
      repeated += static_cast<size_t>(
                      std::count_if(row, row + 5, [](int32_t id) { return id >= 0; })) > valid;
    }
  CHECK((errors > 0) == options.invalidIds);
  CHECK(unsorted > 0);
  CHECK(repeated > 0);
}

TEST_CASE("Random plans are legal and reach the corners of L1") {
  std::map<Op, int> ops;
  std::set<DType> types;
  int smallPage = 0, largePage = 0, negative = 0, slabs = 0, shortLists = 0, largeGroup = 0,
      checkedPlans = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    RandomCase r = randomCase(5, i, "sm_80");
    INFO(describe(r));
    REQUIRE(checkPlan(r.plan).message() == "");
    auto batch = Batch::create(r.plan, r.queryLens, r.kvLens);
    REQUIRE(batch.ok());
    ++ops[r.plan.op];
    for (DType t : {r.plan.precision.k, r.plan.precision.indexK, r.plan.precision.q})
      types.insert(t);
    bool paged = r.plan.kvLayout.kind == KvKind::Paged;
    smallPage += paged && r.plan.kvLayout.pageSize < r.plan.blockSize;
    largePage += paged && r.plan.kvLayout.pageSize > r.plan.blockSize;
    negative += batch->position(0) < 0;
    slabs += r.severalSlabs;
    shortLists += r.plan.topk > batch->maxBlocks;
    largeGroup += r.plan.gqa() > 64;
    checkedPlans += r.plan.checked;
  }
  CHECK(ops.size() == 8);
  CHECK(types.size() == 6);
  for (int n : {smallPage, largePage, negative, slabs, shortLists, largeGroup, checkedPlans})
    CHECK(n >= 5);
}

TEST_CASE("What the reference leaves behind passes its own check, for random plans") {
  auto index = GENERATE(range(0, 40));
  RandomCase r = randomCase(11, index, "sm_80", 300'000);
  INFO(describe(r));
  auto c = generate(r.plan, r.queryLens, r.kvLens, phasesOf(r.plan.op), r.options);
  REQUIRE(c.ok());
  REQUIRE(evaluate(*c, r.plan.op).message() == "");
  std::vector<Op> checks = phasesOf(r.plan.op);
  if (checks.size() > 1)
    checks.push_back(r.plan.op);
  for (Op phase : checks) {
    if (phase == Op::GatherPlan)
      continue;
    auto results = checkPhase(*c, phase);
    REQUIRE(results.status().message() == "");
    for (const CheckResult &result : *results) {
      INFO(result.phase << " " << result.detail);
      CHECK(result.ok());
      CHECK((result.elements > 0 || c->batch.maxBlocks == 0)); // no key anywhere: no cell of scores
    }
  }
}

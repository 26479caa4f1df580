//===- CompareTest.cpp - a check that cannot fail is a defect -------------===//
//
// A perfect result is broken in one place at a time; the check must see it.
//
//===----------------------------------------------------------------------===//
#include "TestCase.h"

#include "verify/Bounds.h"
#include "verify/Compare.h"

#include <cmath>

using namespace msa;
using namespace msa::verify;

namespace {

/// A prefill of two requests with tails, unused slots and a query without keys.
Case prefill() {
  Plan plan = *findPreset("narrow-64");
  plan.heads = {8, 2, 2, 1};
  plan.blockSize = 16;
  plan.topk = 3;
  plan.kvLayout = {KvKind::Paged, 16};
  auto c = generate(plan, {4, 2}, {100, 1}, phasesOf(plan.op), {});
  REQUIRE(c.ok());
  REQUIRE(evaluate(*c, plan.op).message() == "");
  return *c;
}

bool passes(const Case &c, Op phase, std::string *detail = nullptr) {
  auto results = checkPhase(c, phase);
  REQUIRE(results.status().message() == "");
  bool ok = true;
  for (const CheckResult &r : *results) {
    ok &= r.ok();
    if (detail && !r.ok())
      *detail = r.detail;
  }
  return ok;
}

} // namespace

TEST_CASE("V: the table") {
  CHECK(outputBound(Column::BF16, 2, 100) == Approx(1e-3 + 2e-2));
  CHECK(outputBound(Column::FP8, 2, 100) == Approx(2e-3 + 0.14 + 2.5e-4));
  CHECK(outputBound(Column::KV4, 2, 100) == Approx(3e-3 + 0.14 + 2.5e-4));
  CHECK(lseBound(Column::BF16, false, -8, 50) == Approx(5e-4 + 8e-6));
  CHECK(lseBound(Column::FP8, false, 8, 50) == Approx(2e-3 + 8e-6 + 1.5e-2));
  CHECK(lseBound(Column::KV4, false, 8, 50) == Approx(2e-3 + 8e-6));
  CHECK(lseBound(Column::KV4, true, 8, 50) == Approx(2e-3 + 8e-6 + 1.5e-2));
  CHECK(scoreBound(Column::BF16, 2) == Approx(6e-5));
  CHECK(scoreBound(Column::KV4, 2) == Approx(2e-3));
}

TEST_CASE("A perfect prefill passes every check") {
  Case c = prefill();
  for (Op phase :
       {Op::IndexScores, Op::TopkSelect, Op::AttentionSplit, Op::AttentionCombine, Op::Prefill})
    CHECK(passes(c, phase));
}

TEST_CASE("One wrong element is found and named") {
  Case c = prefill();
  std::string detail;
  SECTION("a score out of its bound") {
    c.tensors["scores"].as<float>()[1] += 0.01f;
    CHECK_FALSE(passes(c, Op::IndexScores, &detail));
    CHECK(detail.find("scores[head 0, token 0 (request 0, position 96), block 1]: got") == 0);
  }
  SECTION("a score where none belongs (I2)") {
    c.tensors["scores"].as<float>()[6] = 0;
    CHECK_FALSE(passes(c, Op::IndexScores, &detail));
    CHECK(detail.find("block 6") != std::string::npos);
  }
  SECTION("a missing score") {
    c.tensors["scores"].as<uint32_t>()[0] = poisonF32;
    CHECK_FALSE(passes(c, Op::IndexScores));
  }
  SECTION("two ids exchanged (T1)") {
    auto *ids = c.tensors["selection"].as<int32_t>();
    std::swap(ids[0], ids[1]);
    CHECK_FALSE(passes(c, Op::TopkSelect));
  }
  SECTION("a selection that ignores a score") {
    c.tensors["scores"].as<float>()[0] = 1e30f;
    c.tensors["scores"].as<float>()[1] = 1e30f;
    c.tensors["scores"].as<float>()[2] = 1e30f;
    c.tensors["selection"].as<int32_t>()[0] = 5;
    CHECK_FALSE(passes(c, Op::TopkSelect));
  }
  SECTION("a partial in an unused slot (A4)") {
    int64_t at = (4 * 2 + 0) * 3 * 4; // token 4 sees nothing
    REQUIRE(c.tensors["partial_lse"].as<uint32_t>()[at] == poisonF32);
    c.tensors["partial_lse"].as<float>()[at] = 0;
    CHECK_FALSE(passes(c, Op::AttentionSplit));
  }
  SECTION("an unwritten partial") {
    c.tensors["partial_o"].as<uint16_t>()[0] = poisonBf16;
    CHECK_FALSE(passes(c, Op::AttentionSplit));
  }
  SECTION("LSE in base 2") {
    float &lse = c.tensors["lse"].as<float>()[0];
    lse *= 1.442695f;
    CHECK_FALSE(passes(c, Op::AttentionCombine));
    CHECK_FALSE(passes(c, Op::Prefill, &detail));
    CHECK(detail.find("lse[token 0 (request 0, position 96), head 0]") == 0);
  }
  SECTION("O of a query without keys is not 0 (A2)") {
    c.tensors["o"].as<uint16_t>()[4 * 8 * 64] = 0x0001;
    CHECK_FALSE(passes(c, Op::Prefill));
  }
  SECTION("NaN") {
    c.tensors["o"].as<uint16_t>()[7] = 0x7FC0;
    CHECK_FALSE(passes(c, Op::AttentionCombine));
  }
}

TEST_CASE("I1: a NaN score is NaN, and not the poison") {
  Plan plan = tinyPlan(Op::IndexScores);
  Case c = zeroCase(plan, {1}, {33});
  for (int j = 0; j < 16; ++j)
    c.tensors["index_k"].as<float>()[j * 16] = NAN;
  REQUIRE(evaluate(c, plan.op).message() == "");
  CHECK(passes(c, Op::IndexScores));
  c.tensors["scores"].as<uint32_t>()[0] = 0xFFFFFFFF; // any NaN
  CHECK(passes(c, Op::IndexScores));
  c.tensors["scores"].as<uint32_t>()[0] = poisonF32;
  CHECK_FALSE(passes(c, Op::IndexScores));
  c.tensors["scores"].as<float>()[0] = 0;
  CHECK_FALSE(passes(c, Op::IndexScores));
}

TEST_CASE("A5: block maxima are checked, later blocks keep the poison") {
  Plan plan = tinyPlan(Op::DenseAttention);
  plan.blockMaxima = true;
  auto c = generate(plan, {2}, {40}, {plan.op}, {});
  REQUIRE(c.ok());
  REQUIRE(evaluate(*c, plan.op).message() == "");
  CHECK(passes(*c, plan.op));
  c->tensors["scores"].as<float>()[2] += 0.1f; // the local block
  CHECK_FALSE(passes(*c, plan.op));
}

TEST_CASE("Missing and misshapen tensors are errors that name them") {
  Case c = prefill();
  c.tensors.erase("o");
  CHECK(checkPhase(c, Op::Prefill).status().message() == "prefill has no output o to check");
  c = prefill();
  c.tensors["k"].shape[1] = 7;
  CHECK(checkPhase(c, Op::AttentionSplit).status().message().find("tensor k: shape") == 0);
  c = prefill();
  c.tensors["page_table"].as<int32_t>()[0] = 1000;
  CHECK(checkPhase(c, Op::IndexScores)
            .status()
            .message()
            .find("tensor page_table: entry [0, 0] is 1000") == 0);
  c = prefill();
  c.tensors["cu_seqlens_k"].as<int32_t>()[1] = 99;
  CHECK(checkPhase(c, Op::TopkSelect).status().message().find("cu_seqlens_k") != std::string::npos);
}

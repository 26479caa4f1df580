//===- AttentionTest.cpp - clauses A1 to A5, N4 and N5 by hand ------------===//
#include "TestCase.h"

#include <cmath>
#include <limits>

using namespace msa;
using namespace msa::verify;

namespace {

constexpr double minusInfinity = -std::numeric_limits<double>::infinity();

/// One query at position 20 of 21 keys (blocks 0 and 1; the local block has 5 keys). Logit of key j
/// is j * 0.1, value element 0 is j, element 1 is 1.
Case rampCase(Op op) {
  Case c = zeroCase(tinyPlan(op), {1}, {21});
  c.tensors["q"].as<float>()[0] = 1;
  for (int j = 0; j < 21; ++j) {
    c.tensors["k"].as<float>()[j * 16] = static_cast<float>(j) * 0.1f;
    c.tensors["v"].as<float>()[j * 16] = static_cast<float>(j);
    c.tensors["v"].as<float>()[j * 16 + 1] = 1;
  }
  return c;
}

struct Softmax {
  double lse, mean;
};
/// Directly over keys [begin, end).
Softmax direct(int begin, int end) {
  double sum = 0, weighted = 0;
  for (int j = begin; j < end; ++j) {
    double p = std::exp(double(static_cast<float>(j) * 0.1f));
    sum += p;
    weighted += p * j;
  }
  return {std::log(sum), weighted / sum};
}

void list(Case &c, std::vector<int32_t> ids) {
  std::copy(ids.begin(), ids.end(), c.tensors["selection"].as<int32_t>());
}

} // namespace

TEST_CASE("A1, A4: slots are ranks, whatever the order of the list") {
  Case c = rampCase(Op::AttentionSplit);
  for (auto ids : {std::vector<int32_t>{0, 1}, std::vector<int32_t>{1, 0}}) {
    list(c, ids);
    SplitPartials p = splitAttention(c, {0, 1});
    CHECK(p.lse[0] == Approx(direct(0, 16).lse).epsilon(1e-12));
    CHECK(p.o[0] == Approx(direct(0, 16).mean).epsilon(1e-6)); // P rounded to F32
    CHECK(p.lse[1] == Approx(direct(16, 21).lse).epsilon(1e-12));
    CHECK(p.o[16] == Approx(direct(16, 21).mean).epsilon(1e-6));
    CHECK(p.o[17] == Approx(1).epsilon(1e-6));
  }
  list(c, {1, 1}); // a set: one slot
  SplitPartials p = splitAttention(c, {0, 1});
  CHECK(p.used == std::vector<uint8_t>{1, 0});
  CHECK(p.lse[0] == Approx(direct(16, 21).lse).epsilon(1e-12));
  list(c, {5, 1}); // beyond the local block: ignored, and takes no slot
  CHECK(splitAttention(c, {0, 1}).used == std::vector<uint8_t>{1, 0});
}

TEST_CASE("A2: natural LSE, scale, and queries without a key") {
  Case c = rampCase(Op::DenseAttention);
  DenseAttention d = denseAttention(c, {0, 1});
  CHECK(d.rows.lse[0] == Approx(direct(0, 21).lse).epsilon(1e-12));
  CHECK(d.rows.o[0] == Approx(direct(0, 21).mean).epsilon(1e-6));
  c.plan.softmaxScale = 0.25;
  CHECK(denseAttention(c, {0, 1}).rows.lse[0] < d.rows.lse[0]);

  Case none = zeroCase(tinyPlan(Op::DenseAttention), {2}, {1}); // position -1, then 0
  std::fill_n(none.tensors["v"].as<float>(), 16, 3.0f);
  DenseAttention e = denseAttention(none, {0, 2});
  CHECK(e.rows.visible == std::vector<uint8_t>{0, 1});
  CHECK(e.rows.lse[0] == minusInfinity);
  CHECK(e.rows.o[0] == 0);
  CHECK(e.rows.lse[1] == 0);
  CHECK(e.rows.o[16] == 3);
}

TEST_CASE("A4: combine weighs by LSE, skips unused slots, and -inf weighs nothing") {
  Case c = zeroCase(tinyPlan(Op::AttentionCombine), {1}, {21});
  list(c, {0, 1});
  float *o = c.tensors["partial_o"].as<float>(), *lse = c.tensors["partial_lse"].as<float>();
  o[0] = 2;
  o[16] = 10;
  lse[0] = 0;
  lse[1] = std::log(3.0f);
  AttentionRows r = combinePartials(c, {0, 1});
  CHECK(r.o[0] == Approx(8).epsilon(1e-6));
  CHECK(r.absO[0] == Approx(8).epsilon(1e-6));
  CHECK(r.lse[0] == Approx(std::log(4.0)).epsilon(1e-6));
  lse[1] = -std::numeric_limits<float>::infinity();
  CHECK(combinePartials(c, {0, 1}).o[0] == 2);
  lse[0] = lse[1];
  CHECK(combinePartials(c, {0, 1}).visible[0] == 0);
  list(c, {0, -1});
  lse[0] = 5;
  o[16] = lse[1] = std::numeric_limits<float>::quiet_NaN(); // unused: never touched
  CHECK(combinePartials(c, {0, 1}).o[0] == 2);
  CHECK(combinePartials(c, {0, 1}).lse[0] == 5);
}

TEST_CASE("A5: block maxima are raw dots over visible keys, local block included") {
  Plan plan = tinyPlan(Op::DenseAttention);
  plan.blockMaxima = true;
  plan.softmaxScale = 0.01;
  Case c = zeroCase(plan, {2, 1}, {20, 33}); // positions 18, 19 | 32
  for (int t = 0; t < 3; ++t)
    c.tensors["q"].as<float>()[t * 16] = 1;
  for (int j = 0; j < 53; ++j)
    c.tensors["k"].as<float>()[j * 16] = static_cast<float>(j);
  DenseAttention d = denseAttention(c, {0, 3});
  CHECK(d.score[0] == 15);
  CHECK(d.score[1] == 18);
  CHECK(d.score[4] == 19);
  CHECK(d.score[8] == 52); // request 1: its keys are rows 20 to 52
  CHECK(d.scored == std::vector<uint8_t>{1, 1, 0, 1, 1, 0, 1, 1, 1});
}

TEST_CASE("N2, A3: FP32 scales multiply the product, head by head") {
  Plan plan = tinyPlan(Op::DenseAttention);
  plan.heads = {4, 2, 2, 1};
  plan.precision.q = plan.precision.k = plan.precision.v = DType::E4M3;
  Case c = zeroCase(plan, {1}, {2});
  std::fill(c.tensors["q"].bytes.begin(), c.tensors["q"].bytes.end(), uint8_t(0x38)); // 1
  for (int h = 0; h < 2; ++h) {
    c.tensors["k"].bytes[(2 + h) * 16] = 0x38; // key 1 has dot 1, key 0 has dot 0
    c.tensors["v"].bytes[h * 16] = 0x38;
  }
  auto scales = [](float a, float b) {
    Tensor t(Element::F32, {2});
    t.as<float>()[0] = a;
    t.as<float>()[1] = b;
    return t;
  };
  c.tensors["q_scale"] = scales(2, 3);
  c.tensors["k_scale"] = scales(0.5, 0.25);
  c.tensors["v_scale"] = scales(10, 20);
  DenseAttention d = denseAttention(c, {0, 1});
  for (int head = 0; head < 4; ++head) {
    double z = head < 2 ? 1.0 : 0.75, v = head < 2 ? 10 : 20;
    CHECK(d.rows.lse[head] == Approx(std::log(1 + std::exp(z))).epsilon(1e-12));
    double rounded = roundE4m3(448 * std::exp(-z)) / 448;
    CHECK(d.rows.o[head * 16] == Approx(v * rounded / (1 + std::exp(-z))).epsilon(1e-12));
  }
}

TEST_CASE("N4: P is rounded to Q's type, the sum is not") {
  Plan plan = tinyPlan(Op::AttentionSplit);
  auto round = GENERATE(DType::BF16, DType::F16, DType::E4M3);
  plan.precision.q = round;
  plan.precision.k = plan.precision.v = DType::E4M3;
  Case c = zeroCase(plan, {1}, {2});
  if (round == DType::E4M3)
    c.tensors["q"].bytes[0] = 0x38;
  else
    c.tensors["q"].as<uint16_t>()[0] = round == DType::BF16 ? 0x3F80 : 0x3C00;
  c.tensors["k"].bytes[0] = encodeE4m3(-0.3125);
  c.tensors["v"].bytes[0] = 0x38;
  list(c, {0, -1});
  double p = std::exp(-0.3125);
  double rounded = round == DType::E4M3 ? roundE4m3(448 * p) / 448 : roundTo(round, p);
  REQUIRE(rounded != p);
  SplitPartials s = splitAttention(c, {0, 1});
  CHECK(s.o[0] == Approx(rounded / (1 + p)).epsilon(1e-13));
  CHECK(s.absO[0] == Approx(p / (1 + p)).epsilon(1e-13));
  CHECK(s.lse[0] == Approx(std::log(1 + p)).epsilon(1e-13));
}

TEST_CASE("N5: K and V of 4 bits go through E4M3 beside an E4M3 Q only") {
  Plan plan = tinyPlan(Op::DenseAttention);
  plan.precision.q = DType::E4M3;
  plan.precision.k = plan.precision.v = DType::NVFP4;
  Case c = zeroCase(plan, {1}, {1});
  Tensor block(Element::U8, {1, 1, 1});
  block.bytes[0] = encodeE4m3(1.125);
  c.tensors["v_block_scale"] = block;
  c.tensors["v"].bytes[0] = 0x50; // element 1: 3 * 1.125 -> 3.5
  CHECK(denseAttention(c, {0, 1}).rows.o[1] == 3.5);
  c.tensors["v_block_scale"].bytes[0] = encodeE4m3(208);
  CHECK(denseAttention(c, {0, 1}).rows.o[1] == 448);
  c.plan.precision.q = DType::F32;
  c.tensors["q"] = Tensor(Element::F32, {1, 1, 16});
  CHECK(denseAttention(c, {0, 1}).rows.o[1] == 624);
}

TEST_CASE("V: the column is that of the narrowest operand of the phase") {
  Plan plan;
  CHECK(columnOf(plan, Op::AttentionSplit) == Column::BF16);
  plan.precision.indexK = DType::NVFP4;
  CHECK(columnOf(plan, Op::AttentionSplit) == Column::BF16);
  CHECK(columnOf(plan, Op::IndexScores) == Column::KV4);
  plan.precision.k = DType::E4M3;
  CHECK(columnOf(plan, Op::Prefill) == Column::FP8);
  plan.precision.v = DType::MXFP4;
  CHECK(columnOf(plan, Op::DenseAttention) == Column::KV4);
  CHECK(columnOf(plan, Op::AttentionCombine) == Column::BF16);
  CHECK(columnOf(plan, Op::TopkSelect) == Column::BF16);
}

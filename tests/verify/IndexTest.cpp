//===- IndexTest.cpp - clauses I1, I2, P1, P2 by hand ---------------------===//
#include "TestCase.h"

#include <cmath>

using namespace msa;
using namespace msa::verify;

namespace {

/// 3 query tokens at positions 35, 36, 37 of 38 keys: local block 2. Element 0 of key j is j.
Case rampCase() {
  Case c = zeroCase(tinyPlan(Op::IndexScores), {3}, {38});
  for (int t = 0; t < 3; ++t)
    c.tensors["index_q"].as<float>()[t * 16] = t == 1 ? -2.0f : 1.0f;
  for (int j = 0; j < 38; ++j)
    c.tensors["index_k"].as<float>()[j * 16] = static_cast<float>(j);
  return c;
}

} // namespace

TEST_CASE("P1, P2: positions and local blocks") {
  Plan plan = tinyPlan(Op::IndexScores);
  auto batch = Batch::create(plan, {3, 1, 4}, {38, 0, 2});
  REQUIRE(batch.ok());
  CHECK(batch->tokens() == 8);
  CHECK(batch->maxBlocks == 3);
  CHECK(batch->position(0) == 35);
  CHECK(batch->localBlock(2) == 2);
  CHECK(batch->position(3) == -1);
  CHECK(batch->localBlock(3) == -1);
  CHECK(batch->position(4) == -2);
  CHECK(batch->localBlock(5) == -1);
  CHECK(batch->localBlock(6) == 0);
}

TEST_CASE("Bad lengths are refused with their request") {
  Plan plan = tinyPlan(Op::IndexScores);
  CHECK(Batch::create(plan, {}, {}).status().code() == StatusCode::InvalidInput);
  CHECK(Batch::create(plan, {1}, {1, 2}).status().message().find("kv_lens 2") != std::string::npos);
  CHECK_FALSE(Batch::create(plan, {-1}, {4}).ok());
  CHECK_FALSE(Batch::create(plan, {0, 0}, {4, 4}).ok());
  auto many = Batch::create(plan, {1}, {65536 * 16 + 1});
  CHECK(many.status().message().find("65537 blocks") != std::string::npos);
  CHECK(Batch::create(plan, {1}, {65536 * 16}).ok());
  CHECK_FALSE(Batch::create(plan, {1, 1}, {1, int64_t(1) << 31}).ok());
}

TEST_CASE("I1: the score is the maximum raw dot; I2: only blocks before the local one") {
  Case c = rampCase();
  IndexScores s = indexScores(c, {0, 3});
  CHECK(s.score[0] == 15);
  CHECK(s.score[1] == 31);
  CHECK(s.score[3] == 0); // -2 * 0 is the maximum
  CHECK(s.score[4] == -32);
  CHECK(s.absDot[4] == 62);
  CHECK(s.scored == std::vector<uint8_t>{1, 1, 0, 1, 1, 0, 1, 1, 0});
  IndexScores part = indexScores(c, {1, 2});
  CHECK(part.score[1] == -32);
}

TEST_CASE("I1: NaN dots lose; a block of NaN is NaN") {
  Case c = rampCase();
  float *keys = c.tensors["index_k"].as<float>();
  keys[15 * 16 + 3] = NAN; // key 15; the query's element 3 is 0, and 0 * NaN is NaN
  for (int j = 16; j < 32; ++j)
    keys[j * 16] = NAN;
  IndexScores s = indexScores(c, {0, 3});
  CHECK(s.score[0] == 14);
  CHECK(s.absDot[0] == 14);
  CHECK(std::isnan(s.score[1]));
  CHECK(s.scored[1] == 1);
}

TEST_CASE("I1: index query heads share their key head") {
  Plan plan = tinyPlan(Op::IndexScores);
  plan.heads = {4, 4, 4, 2};
  Case c = zeroCase(plan, {1}, {17});
  for (int h = 0; h < 4; ++h)
    c.tensors["index_q"].as<float>()[h * 16] = 1;
  for (int j = 0; j < 17; ++j)
    for (int n = 0; n < 2; ++n)
      c.tensors["index_k"].as<float>()[(j * 2 + n) * 16] = static_cast<float>(100 * n + j);
  IndexScores s = indexScores(c, {0, 1});
  CHECK(s.score[0 * 2] == 15);
  CHECK(s.score[1 * 2] == 15);
  CHECK(s.score[2 * 2] == 115);
  CHECK(s.score[3 * 2] == 115);
}

TEST_CASE("N2: no FP32 scale enters a score; N5: 4-bit keys beside E4M3 go through E4M3") {
  Plan plan = tinyPlan(Op::IndexScores);
  plan.precision.indexQ = DType::E4M3;
  plan.precision.indexK = DType::NVFP4;
  Case c = zeroCase(plan, {1}, {17});
  c.tensors["index_q"].bytes[0] = 0x38; // 1
  Tensor scale(Element::F32, {1});
  scale.as<float>()[0] = 7;
  c.tensors["index_q_scale"] = scale;
  c.tensors["index_k_scale"] = scale;
  Tensor block(Element::U8, {17, 1, 1});
  std::fill(block.bytes.begin(), block.bytes.end(), encodeE4m3(1.125));
  c.tensors["index_k_block_scale"] = block;
  c.tensors["index_k"].bytes[0] = 0x05; // 3 * 1.125 = 3.375, which E4M3 rounds to 3.5 (even)
  CHECK(indexScores(c, {0, 1}).score[0] == 3.5);
  c.tensors["index_k_block_scale"].bytes[0] = encodeE4m3(448);
  CHECK(indexScores(c, {0, 1}).score[0] == 448); // saturates
  c.plan.precision.indexQ = DType::BF16;
  c.tensors["index_q"] = Tensor(Element::U16, {1, 1, 16});
  c.tensors["index_q"].as<uint16_t>()[0] = 0x3F80;
  CHECK(indexScores(c, {0, 1}).score[0] == 1344);
  c.tensors.erase("index_k_block_scale"); // absent = 1
  CHECK(indexScores(c, {0, 1}).score[0] == 3);
}

TEST_CASE("N3: MXFP4 has UE8M0 scales of 32 elements") {
  Plan plan = tinyPlan(Op::IndexScores);
  plan.indexDim = 32;
  plan.precision.indexK = DType::MXFP4;
  Case c = zeroCase(plan, {1}, {17});
  c.tensors["index_q"].as<float>()[31] = 1;
  c.tensors["index_k"].bytes[2 * 16 + 15] = 0x90; // key 2, element 31: -0.5
  c.tensors["index_k"].bytes[3 * 16 + 15] = 0x30; // key 3, element 31: 1.5
  Tensor block(Element::U8, {17, 1, 1});
  std::fill(block.bytes.begin(), block.bytes.end(), uint8_t(127));
  block.bytes[3] = 130;
  c.tensors["index_k_block_scale"] = block;
  CHECK(indexScores(c, {0, 1}).score[0] == 12);
  c.tensors["index_k_block_scale"].bytes[3] = 255; // NaN: the key loses
  CHECK(indexScores(c, {0, 1}).score[0] == 0);
}

//===- CheckPlanTest.cpp - one broken plan for every rule -----------------===//
//
// Each case changes a legal plan in one place. The message must name the
// clause, the key and the value, and what is legal.
//
//===----------------------------------------------------------------------===//
#include "msa/Plan.h"

#include <catch2/catch.hpp>

#include <functional>
#include <limits>

using namespace msa;

namespace {

struct Case {
  std::string name;
  std::function<void(Plan &)> change;
  std::vector<std::string> says; ///< parts of the message
};

const std::vector<Case> illegal = {
    {"no query heads", [](Plan &p) { p.heads.query = 0; }, {"L1", "heads.query = 0", "1 or more"}},
    {"no kv heads", [](Plan &p) { p.heads.kv = 0; }, {"L1", "heads.kv = 0", "1 or more"}},
    {"negative kv", [](Plan &p) { p.heads.kv = -4; }, {"L1", "heads.kv = -4"}},
    {"no index heads", [](Plan &p) { p.heads.index = 0; }, {"L1", "heads.index = 0"}},
    {"no index keys", [](Plan &p) { p.heads.indexKv = 0; }, {"L1", "heads.index_kv = 0"}},
    {"G is fractional",
     [](Plan &p) { p.heads.query = 65; },
     {"L1", "heads.query = 65", "heads.kv = 4", "1..128"}},
    {"fewer query than kv heads", [](Plan &p) { p.heads.query = 2; }, {"L1", "heads.query = 2"}},
    {"G too large",
     [](Plan &p) { p.heads = {.query = 129, .kv = 1, .index = 1, .indexKv = 1}; },
     {"L1", "G = 129", "1..128"}},
    {"index differs from kv",
     [](Plan &p) { p.heads.index = 2; },
     {"L1", "heads.index = 2", "legal: 4"}},
    {"index_kv does not divide",
     [](Plan &p) { p.heads.indexKv = 3; },
     {"L1", "heads.index_kv = 3", "a divisor of 4"}},
    {"index_kv larger", [](Plan &p) { p.heads.indexKv = 8; }, {"L1", "heads.index_kv = 8"}},
    {"D no multiple of 16",
     [](Plan &p) { p.headDim = 72; },
     {"L1", "head_dim = 72", "multiple of 16 in 16..256"}},
    {"D zero", [](Plan &p) { p.headDim = 0; }, {"L1", "head_dim = 0"}},
    {"D too large", [](Plan &p) { p.headDim = 272; }, {"L1", "head_dim = 272"}},
    {"D_idx no multiple of 16",
     [](Plan &p) { p.indexDim = 24; },
     {"L1", "index_dim = 24", "multiple of 16 in 16..256"}},
    {"D_idx too large", [](Plan &p) { p.indexDim = 512; }, {"L1", "index_dim = 512"}},
    {"B no multiple of 16",
     [](Plan &p) { p.blockSize = 100; },
     {"L1", "block_size = 100", "multiple of 16 in 16..256"}},
    {"B too small", [](Plan &p) { p.blockSize = 8; }, {"L1", "block_size = 8"}},
    {"B too large", [](Plan &p) { p.blockSize = 512; }, {"L1", "block_size = 512"}},
    {"k zero", [](Plan &p) { p.topk = 0; }, {"L1", "topk = 0", "1..64"}},
    {"k too large", [](Plan &p) { p.topk = 65; }, {"L1", "topk = 65", "1..64"}},
    {"force_first negative",
     [](Plan &p) { p.forceFirst = -1; },
     {"L1", "force_first = -1", "0..15"}},
    {"force_first takes the local place",
     [](Plan &p) { p.forceFirst = 16; },
     {"L1", "force_first = 16", "0..15"}},
    {"page neither divides nor is a multiple",
     [](Plan &p) { p.kvLayout.pageSize = 96; },
     {"L1", "kv_layout.page_size = 96", "block_size = 128"}},
    {"page zero", [](Plan &p) { p.kvLayout.pageSize = 0; }, {"L1", "kv_layout.page_size = 0"}},
    {"contiguous with pages",
     [](Plan &p) { p.kvLayout.kind = KvKind::Contiguous; },
     {"P3", "kv_layout.page_size = 128", "contiguous", "legal: 0"}},
    {"q of 4 bits",
     [](Plan &p) { p.precision.q = DType::NVFP4; },
     {"L2", "precision.q = nvfp4", "bf16, f16, f32, e4m3"}},
    {"index_q of 4 bits",
     [](Plan &p) { p.precision.indexQ = DType::MXFP4; },
     {"L2", "precision.index_q = mxfp4", "bf16, f16, f32, e4m3"}},
    {"o of 8 bits",
     [](Plan &p) { p.precision.o = DType::E4M3; },
     {"L2", "precision.o = e4m3", "bf16, f16, f32"}},
    {"partial f16",
     [](Plan &p) { p.precision.partial = DType::F16; },
     {"L2", "precision.partial = f16", "f32, bf16"}},
    {"partial of 8 bits",
     [](Plan &p) { p.precision.partial = DType::E4M3; },
     {"L2", "precision.partial = e4m3"}},
    {"k differs from q",
     [](Plan &p) { p.precision.k = DType::F16; },
     {"L2", "precision.k = f16", "precision.q = bf16", "bf16, e4m3, nvfp4, mxfp4"}},
    {"v differs from q",
     [](Plan &p) { p.precision.v = DType::F32; },
     {"L2", "precision.v = f32", "precision.q = bf16"}},
    {"index_k differs from index_q",
     [](Plan &p) { p.precision.indexK = DType::F32; },
     {"L2", "precision.index_k = f32", "precision.index_q = bf16"}},
    {"e4m3 q with 16-bit k",
     [](Plan &p) { p.precision.q = DType::E4M3; },
     {"L2", "precision.k = bf16", "precision.q = e4m3", "legal: e4m3, nvfp4, mxfp4"}},
    {"mxfp4 k with D 48",
     [](Plan &p) {
       p.headDim = 48;
       p.precision.k = DType::MXFP4;
     },
     {"L2", "precision.k = mxfp4", "head_dim = 48", "divisible by 32"}},
    {"mxfp4 v with D 48",
     [](Plan &p) {
       p.headDim = 48;
       p.precision.v = DType::MXFP4;
     },
     {"L2", "precision.v = mxfp4", "head_dim = 48"}},
    {"mxfp4 index_k with D_idx 80",
     [](Plan &p) {
       p.indexDim = 80;
       p.precision.indexK = DType::MXFP4;
     },
     {"L2", "precision.index_k = mxfp4", "index_dim = 80"}},
    {"scale zero", [](Plan &p) { p.softmaxScale = 0.0; }, {"A2", "softmax_scale = 0"}},
    {"scale negative", [](Plan &p) { p.softmaxScale = -0.5; }, {"A2", "softmax_scale = -0.5"}},
    {"scale not finite",
     [](Plan &p) { p.softmaxScale = std::numeric_limits<double>::infinity(); },
     {"A2", "softmax_scale = inf"}},
    {"scale not a number",
     [](Plan &p) { p.softmaxScale = std::numeric_limits<double>::quiet_NaN(); },
     {"A2", "softmax_scale = nan"}},
    {"scale overflows FP32", [](Plan &p) { p.softmaxScale = 1e39; }, {"A2", "1e+39", "3.4e38"}},
    {"scale underflows FP32", [](Plan &p) { p.softmaxScale = 1e-50; }, {"A2", "1e-50"}},
    {"block maxima of a sparse op",
     [](Plan &p) { p.blockMaxima = true; },
     {"A5", "block_maxima = true", "op = prefill", "dense_attention"}},
    {"chunk zero", [](Plan &p) { p.schedule.chunk = 0; }, {"schedule.chunk = 0", "1..65536"}},
    {"chunk too large", [](Plan &p) { p.schedule.chunk = 65537; }, {"schedule.chunk = 65537"}},
    {"target unknown",
     [](Plan &p) { p.target = "sm_90x"; },
     {"target = 'sm_90x'", "did you mean 'sm_90'?", "sm_75", "sm_121a"}},
    {"target empty", [](Plan &p) { p.target = ""; }, {"target = ''", "accepted: sm_75"}},
};

const std::vector<Case> legal = {
    {"G 1", [](Plan &p) { p.heads.query = 4; }, {}},
    {"G 128", [](Plan &p) { p.heads.query = 512; }, {}},
    {"G 5", [](Plan &p) { p.heads.query = 20; }, {}},
    {"own index keys", [](Plan &p) { p.heads.indexKv = 4; }, {}},
    {"half the index keys", [](Plan &p) { p.heads.indexKv = 2; }, {}},
    {"smallest",
     [](Plan &p) {
       p.headDim = p.indexDim = p.blockSize = 16;
       p.topk = 1;
     },
     {}},
    {"largest",
     [](Plan &p) {
       p.headDim = p.indexDim = p.blockSize = 256;
       p.topk = 64;
       p.forceFirst = 63;
     },
     {}},
    {"page of one token", [](Plan &p) { p.kvLayout.pageSize = 1; }, {}},
    {"page larger than B", [](Plan &p) { p.kvLayout.pageSize = 512; }, {}},
    {"odd page", [](Plan &p) { p.blockSize = 48, p.kvLayout.pageSize = 3 * 48; }, {}},
    {"contiguous", [](Plan &p) { p.kvLayout = {KvKind::Contiguous, 0}; }, {}},
    {"e4m3 everywhere",
     [](Plan &p) {
       Precision &t = p.precision;
       t.q = t.k = t.v = t.indexQ = t.indexK = DType::E4M3;
     },
     {}},
    {"4-bit kv of two kinds",
     [](Plan &p) { p.precision.k = DType::NVFP4, p.precision.v = DType::MXFP4; },
     {}},
    {"nvfp4 with D 48", [](Plan &p) { p.headDim = 48, p.precision.k = DType::NVFP4; }, {}},
    {"f32 in, bf16 out",
     [](Plan &p) { p.precision.q = p.precision.k = p.precision.v = DType::F32; },
     {}},
    {"index types of their own",
     [](Plan &p) { p.precision.indexQ = DType::F16, p.precision.indexK = DType::F16; },
     {}},
    {"f32 partial", [](Plan &p) { p.precision.partial = DType::F32; }, {}},
    {"block maxima of dense attention",
     [](Plan &p) { p.op = Op::DenseAttention, p.blockMaxima = true; },
     {}},
    {"own scale", [](Plan &p) { p.softmaxScale = 3e38; }, {}},
    {"pinned schedule", [](Plan &p) { p.schedule = {Route::Tile, 65536}; }, {}},
};

} // namespace

TEST_CASE("every rule refuses what breaks it") {
  for (const Case &c : illegal) {
    INFO(c.name);
    Plan plan;
    REQUIRE(checkPlan(plan).ok());
    c.change(plan);
    Status status = checkPlan(plan);
    CHECK(status.code() == StatusCode::InvalidInput);
    INFO(status.message());
    for (const std::string &part : c.says)
      CHECK(status.message().find(part) != std::string::npos);
  }
}

TEST_CASE("the ends of every range are legal") {
  for (const Case &c : legal) {
    INFO(c.name);
    Plan plan;
    c.change(plan);
    CHECK(checkPlan(plan).message() == "");
  }
}

TEST_CASE("a 16-bit key type is legal exactly with its query type") {
  DType q = GENERATE(DType::BF16, DType::F16, DType::F32, DType::E4M3);
  DType k = GENERATE(DType::BF16, DType::F16, DType::F32, DType::E4M3, DType::NVFP4, DType::MXFP4);
  Plan plan;
  plan.precision.q = q;
  plan.precision.k = plan.precision.v = k;
  CHECK(checkPlan(plan).ok() == (bitsOf(k) < 16 || k == q));
  plan = {};
  plan.precision.indexQ = q;
  plan.precision.indexK = k;
  CHECK(checkPlan(plan).ok() == (bitsOf(k) < 16 || k == q));
}

TEST_CASE("decode is named, and not available yet") {
  Plan plan;
  plan.op = Op::Decode;
  Status status = checkPlan(plan);
  CHECK(status.code() == StatusCode::Missing);
  CHECK(status.message().find("decode") != std::string::npos);
}

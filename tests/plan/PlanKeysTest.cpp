//===- PlanKeysTest.cpp - dotted keys of --set ----------------------------===//
#include "msa/Plan.h"

#include <catch2/catch.hpp>

using namespace msa;

namespace {

Plan with(std::string_view key, std::string_view value) {
  Plan plan;
  Status status = setPlanKey(plan, key, value);
  INFO(key << "=" << value << ": " << status.message());
  CHECK(status.ok());
  return plan;
}

void checkRefused(std::string_view key, std::string_view value,
                  const std::vector<std::string> &says) {
  Plan plan;
  Status status = setPlanKey(plan, key, value);
  INFO(status.message());
  CHECK(status.code() == StatusCode::InvalidInput);
  for (const std::string &part : says)
    CHECK(status.message().find(part) != std::string::npos);
  CHECK(plan == Plan());
}

} // namespace

TEST_CASE("every key of the canonical form can be set") {
  CHECK(with("op", "topk_select").op == Op::TopkSelect);
  CHECK(with("heads.query", "32").heads.query == 32);
  CHECK(with("heads.kv", "8").heads.kv == 8);
  CHECK(with("heads.index", "8").heads.index == 8);
  CHECK(with("heads.index_kv", "2").heads.indexKv == 2);
  CHECK(with("head_dim", "64").headDim == 64);
  CHECK(with("index_dim", "64").indexDim == 64);
  CHECK(with("block_size", "64").blockSize == 64);
  CHECK(with("topk", "-8").topk == -8);
  CHECK(with("force_first", "2").forceFirst == 2);
  CHECK(with("precision.q", "f32").precision.q == DType::F32);
  CHECK(with("precision.k", "nvfp4").precision.k == DType::NVFP4);
  CHECK(with("precision.v", "mxfp4").precision.v == DType::MXFP4);
  CHECK(with("precision.index_q", "f16").precision.indexQ == DType::F16);
  CHECK(with("precision.index_k", "e4m3").precision.indexK == DType::E4M3);
  CHECK(with("precision.o", "f16").precision.o == DType::F16);
  CHECK(with("precision.partial", "f32").precision.partial == DType::F32);
  CHECK(with("kv_layout.page_size", "64").kvLayout.pageSize == 64);
  CHECK(with("selection_order", "token_major").selectionOrder == SelectionOrder::TokenMajor);
  CHECK(with("softmax_scale", "0.125").softmaxScale == 0.125);
  CHECK(with("softmax_scale", "1").softmaxScale == 1.0);
  CHECK_FALSE(with("softmax_scale", "null").softmaxScale);
  CHECK(with("block_maxima", "true").blockMaxima);
  CHECK(with("checked", "true").checked);
  CHECK(with("target", "sm_80").target == "sm_80");
  CHECK(with("schedule.route", "cuda").schedule.route == Route::Cuda);
  CHECK(with("schedule.chunk", "64").schedule.chunk == 64);
}

TEST_CASE("auto unpins the schedule") {
  Plan plan;
  plan.schedule = {Route::Cuda, 64};
  REQUIRE(setPlanKey(plan, "schedule.route", "auto").ok());
  CHECK(plan.schedule == Schedule{std::nullopt, 64});
  REQUIRE(setPlanKey(plan, "schedule.chunk", "auto").ok());
  CHECK(plan.schedule.isAuto());
  plan.schedule = {Route::Cuda, 64};
  REQUIRE(setPlanKey(plan, "schedule", "auto").ok());
  CHECK(plan.schedule.isAuto());
}

TEST_CASE("a change of the layout's kind brings the page size along") {
  Plan plan;
  plan.blockSize = 64;
  REQUIRE(setPlanKey(plan, "kv_layout.kind", "contiguous").ok());
  CHECK(plan.kvLayout == KvLayout{KvKind::Contiguous, 0});
  CHECK(checkPlan(plan).ok());
  REQUIRE(setPlanKey(plan, "kv_layout.kind", "paged").ok());
  CHECK(plan.kvLayout == KvLayout{KvKind::Paged, 64});
  plan.kvLayout.pageSize = 16;
  REQUIRE(setPlanKey(plan, "kv_layout.kind", "paged").ok());
  CHECK(plan.kvLayout.pageSize == 16);
}

TEST_CASE("wrong keys and values are refused and change nothing") {
  checkRefused("topk", "many", {"topk = 'many'", "expected an integer"});
  checkRefused("topk", "", {"topk = ''", "expected an integer"});
  checkRefused("topk", "16.5", {"topk = '16.5'", "expected an integer"});
  checkRefused("topk", "16 ", {"topk = '16 '"});
  checkRefused("topk", "0x10", {"topk = '0x10'"});
  checkRefused("topk", "4294967296", {"out of range"});
  checkRefused("topk", "99999999999999999999", {"out of range"});
  checkRefused("checked", "yes", {"checked = 'yes'", "expected true or false"});
  checkRefused("softmax_scale", "inf", {"softmax_scale = 'inf'", "expected a number"});
  checkRefused("softmax_scale", "fast", {"expected a number"});
  checkRefused("precision.q", "fp8", {"precision.q = 'fp8'", "e4m3"});
  checkRefused("schedule", "{}", {"schedule: expected auto"});
  checkRefused("heads", "4", {"'heads' is a group", "heads.query", "heads.index_kv"});
  checkRefused("query", "4", {"unknown key 'query'", "did you mean 'heads.query'?"});
  checkRefused("heads.qwery", "4", {"did you mean 'heads.query'?"});
  checkRefused("schema", "1", {"unknown key 'schema'"});
  checkRefused("", "1", {"unknown key ''"});
  checkRefused(std::string(5000, 'x'), "1", {"unknown key", "..."});
}

//===- ScheduleChoiceTest.cpp - what the compiler chooses -----------------===//
#include "compiler/ScheduleChoice.h"

#include <catch2/catch.hpp>

using namespace msa;

TEST_CASE("an open schedule is filled, each choice with its reason") {
  Expected<ScheduleChoice> choice = chooseSchedule(Plan());
  REQUIRE(choice.ok());
  CHECK(choice->schedule.route == Route::Cuda);
  CHECK(choice->schedule.chunk == 32);
  REQUIRE(choice->reasons.size() == 2);
  CHECK(choice->reasons[0].find("route = cuda") == 0);
  CHECK(choice->reasons[1].find("chunk = 32") == 0);
}

TEST_CASE("a pinned field is kept and needs no reason") {
  Plan plan;
  plan.schedule = {Route::Cuda, 7};
  Expected<ScheduleChoice> choice = chooseSchedule(plan);
  REQUIRE(choice.ok());
  CHECK(choice->schedule == plan.schedule);
  CHECK(choice->reasons.empty());
}

TEST_CASE("route auto is open") {
  Plan plan;
  plan.schedule.route = Route::Auto;
  CHECK(chooseSchedule(plan)->schedule.route == Route::Cuda);
}

TEST_CASE("only ops that walk a gather plan get a chunk") {
  Plan plan;
  plan.op = GENERATE(Op::IndexScores, Op::TopkSelect, Op::AttentionCombine, Op::DenseAttention);
  CHECK_FALSE(usesChunk(plan.op));
  CHECK_FALSE(chooseSchedule(plan)->schedule.chunk);
}

TEST_CASE("phases of one pipeline agree on the chunk") {
  Plan plan;
  plan.heads.query = plan.heads.kv * GENERATE(1, 3, 16, 128);
  std::optional<int> chunk = chooseSchedule(plan)->schedule.chunk;
  REQUIRE(chunk.value_or(0) >= 1);
  for (Op op : {Op::GatherPlan, Op::AttentionSplit, Op::SparseAttention}) {
    plan.op = op;
    CHECK(usesChunk(op));
    CHECK(chooseSchedule(plan)->schedule.chunk == chunk);
  }
}

TEST_CASE("the tile route is named as missing") {
  Plan plan;
  plan.schedule.route = Route::Tile;
  Status status = chooseSchedule(plan).status();
  CHECK(status.code() == StatusCode::Missing);
  CHECK(status.message().find("the tile route comes with a later issue") != std::string::npos);
}

//===- PresetsTest.cpp - the named plans ----------------------------------===//
#include "msa/Plan.h"

#include <catch2/catch.hpp>

#include <cmath>

using namespace msa;

TEST_CASE("every preset is legal for every op") {
  for (const Preset &preset : presets())
    for (Op op : {Op::IndexScores, Op::TopkSelect, Op::GatherPlan, Op::AttentionSplit,
                  Op::AttentionCombine, Op::DenseAttention, Op::SparseAttention, Op::Prefill}) {
      Plan plan = preset.plan;
      plan.op = op;
      INFO(preset.name);
      CHECK(checkPlan(plan).message() == "");
      CHECK(!preset.summary.empty());
    }
}

TEST_CASE("the presets are those of the interface") {
  CHECK(presets().size() == 5);
  CHECK(*findPreset("minimax-m3") == Plan());
  CHECK(findPreset("minimax-m3-tp2")->heads == Heads{32, 2, 2, 1});
  CHECK(findPreset("minimax-m3-tp4")->heads == Heads{16, 1, 1, 1});
  Plan narrow = *findPreset("narrow-64");
  CHECK(narrow.heads == Heads{32, 8, 8, 1});
  CHECK(narrow.headDim == 64);
  CHECK(narrow.blockSize == 64);
  CHECK(narrow.topk == 8);
  Plan odd = *findPreset("odd-192");
  CHECK(odd.heads == Heads{20, 4, 4, 1});
  CHECK(odd.gqa() == 5);
  CHECK(odd.headDim == 192);
  CHECK(odd.blockSize == 64);
  CHECK(odd.topk == 12);
  CHECK(odd.kvLayout == KvLayout{KvKind::Contiguous, 0});
}

TEST_CASE("an unknown preset lists the names and suggests the nearest") {
  Status status = findPreset("minimax-m4").status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK(status.message().find("did you mean 'minimax-m3'?") != std::string::npos);
  CHECK(status.message().find("odd-192") != std::string::npos);
}

TEST_CASE("the default scale is 1/sqrt(D)") {
  Plan plan;
  CHECK(plan.scale() == static_cast<float>(1 / std::sqrt(128.0)));
  plan.softmaxScale = 0.1;
  CHECK(plan.scale() == 0.1f);
}

TEST_CASE("pipelines are their phases in launch order") {
  CHECK(phasesOf(Op::Prefill) == std::vector<Op>{Op::IndexScores, Op::TopkSelect, Op::GatherPlan,
                                                 Op::AttentionSplit, Op::AttentionCombine});
  CHECK(phasesOf(Op::SparseAttention) ==
        std::vector<Op>{Op::GatherPlan, Op::AttentionSplit, Op::AttentionCombine});
  CHECK(phasesOf(Op::DenseAttention) == std::vector<Op>{Op::DenseAttention});
}

TEST_CASE("every enumerator has a word that parses back") {
  for (int i = 0; i < 9; ++i)
    CHECK(parseOp(toString(static_cast<Op>(i))) == static_cast<Op>(i));
  for (int i = 0; i < 6; ++i)
    CHECK(parseDType(toString(static_cast<DType>(i))) == static_cast<DType>(i));
  for (int i = 0; i < 3; ++i)
    CHECK(parseRoute(toString(static_cast<Route>(i))) == static_cast<Route>(i));
  for (int i = 0; i < 2; ++i) {
    CHECK(parseKvKind(toString(static_cast<KvKind>(i))) == static_cast<KvKind>(i));
    CHECK(parseSelectionOrder(toString(static_cast<SelectionOrder>(i))) ==
          static_cast<SelectionOrder>(i));
  }
  CHECK_FALSE(parseOp("Prefill"));
  CHECK_FALSE(parseDType(""));
}

TEST_CASE("types know their bits and scale blocks") {
  CHECK(bitsOf(DType::F32) == 32);
  CHECK(bitsOf(DType::BF16) == 16);
  CHECK(bitsOf(DType::F16) == 16);
  CHECK(bitsOf(DType::E4M3) == 8);
  CHECK(bitsOf(DType::NVFP4) == 4);
  CHECK(bitsOf(DType::MXFP4) == 4);
  CHECK(scaleBlockOf(DType::NVFP4) == 16);
  CHECK(scaleBlockOf(DType::MXFP4) == 32);
  CHECK(scaleBlockOf(DType::E4M3) == 0);
}

//===- SelectTest.cpp - clauses T1 to T4 and the reading side of A1 -------===//
#include "TestCase.h"

#include <limits>

using namespace msa;
using namespace msa::verify;
using Ids = std::vector<int32_t>;

namespace {
constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
} // namespace

TEST_CASE("T1: ascending ids, then -1") {
  const float scores[] = {1, 5, 3, 4, notANumber};
  CHECK(selectBlocks(scores, 4, 3, 0) == Ids{1, 3, 4});
  CHECK(selectBlocks(scores, 1, 4, 0) == Ids{0, 1, -1, -1});
  CHECK(selectBlocks(scores, 0, 2, 0) == Ids{0, -1});
  CHECK(selectBlocks(nullptr, -1, 2, 0) == Ids{-1, -1});
}

TEST_CASE("T2: the local block and the first blocks are forced") {
  const float scores[] = {-9, -8, 5, 6, 7, -99};
  CHECK(selectBlocks(scores, 5, 1, 0) == Ids{5});
  CHECK(selectBlocks(scores, 5, 3, 1) == Ids{0, 4, 5});
  CHECK(selectBlocks(scores, 5, 3, 2) == Ids{0, 1, 5});
  CHECK(selectBlocks(scores, 1, 4, 3) == Ids{0, 1, -1, -1}); // fewer blocks than are forced
}

TEST_CASE("T3: exact FP32 order, ties to the lower id, NaN below -infinity") {
  const float ties[] = {2, 3, 3, 3, 0};
  CHECK(selectBlocks(ties, 4, 3, 0) == Ids{1, 2, 4});
  const float zeros[] = {-0.0f, 0.0f, -0.0f, 0};
  CHECK(selectBlocks(zeros, 3, 2, 0) == Ids{0, 3});
  const float nans[] = {notANumber, -infinity, notANumber, 0};
  CHECK(selectBlocks(nans, 3, 2, 0) == Ids{1, 3});
  CHECK(selectBlocks(nans, 3, 3, 0) == Ids{0, 1, 3});
  const float close[] = {1.0f, std::nextafter(1.0f, 2.0f), 1.0f, 0};
  CHECK(selectBlocks(close, 3, 2, 0) == Ids{1, 3});
  const float tiny[] = {1e-45f, 0, -1e-45f, 0};
  CHECK(selectBlocks(tiny, 3, 3, 0) == Ids{0, 1, 3});
}

TEST_CASE("T2: the local block's own score is never read") {
  const float scores[] = {1, 2, infinity};
  CHECK(selectBlocks(scores, 1, 1, 0) == Ids{1});
}

TEST_CASE("T4: both layouts") {
  Plan plan;
  plan.heads = {8, 4, 4, 1};
  plan.topk = 3;
  plan.selectionOrder = SelectionOrder::HeadMajor;
  CHECK(selectionRow(plan, 10, 2, 5) == (2 * 10 + 5) * 3);
  plan.selectionOrder = SelectionOrder::TokenMajor;
  CHECK(selectionRow(plan, 10, 2, 5) == (5 * 4 + 2) * 3);
}

TEST_CASE("A1: a list is a set; invalid entries are ignored and named") {
  const int32_t row[] = {7, 2, 2, -1, 5, 9, -3, 0};
  CHECK(validBlocks(row, 8, 7) == Ids{0, 2, 5, 7});
  CHECK(validBlocks(row, 8, -1).empty());
  auto errors = contractErrors(row, 8, 7);
  REQUIRE(errors.size() == 4);
  CHECK(errors[0] == std::make_pair(ContractError::GapBeforeValid, 5));
  CHECK(errors[1] == std::make_pair(ContractError::BeyondLocal, 9));
  CHECK(errors[2] == std::make_pair(ContractError::BelowMinusOne, -3));
  CHECK(errors[3] == std::make_pair(ContractError::GapBeforeValid, 0));
  const int32_t good[] = {3, 1, -1, -1};
  CHECK(contractErrors(good, 4, 3).empty());
}

//===- GatherTest.cpp - the gather plan's arrays by hand ------------------===//
#include "TestCase.h"

#include "verify/Compare.h"

using namespace msa;
using namespace msa::verify;
using Ints = std::vector<int32_t>;

namespace {

/// Two requests: tokens 0..2 at positions 30..32 of 33 keys (local blocks 1, 1, 2), token 3 at
/// position 4 of 5 keys.
Case twoRequests() {
  Plan plan = tinyPlan(Op::GatherPlan);
  Case c = zeroCase(plan, {3, 1}, {33, 5});
  const Ints ids = {1, 0, 1, -1, 2, 0, 0, 3}; // the 3 is beyond token 3's local block
  std::copy(ids.begin(), ids.end(), c.tensors["selection"].as<int32_t>());
  return c;
}

constexpr int32_t nothing = GatherPlan::unwritten;

} // namespace

TEST_CASE("A1: lists of (token, slot) for each block") {
  Case c = twoRequests();
  GatherPlan plan = gatherPlan(c, {0, 4}, 2);
  CHECK(plan.offsets == Ints{0, 2, 4, 5, 6, 7, 7, 7});
  // Token 0 lists {0, 1}: slots 0 and 1. Token 1 lists {1}. Token 2 lists {0, 2}. Token 3 lists
  // {0}.
  CHECK(plan.entries == Ints{0, 4, 1, 2, 5, nothing, 6, nothing});
  CHECK(plan.itemCount == 2 * 4 + 8 / 2 + 1);
  Ints expected(13 * 4, 0);
  auto item = [&](size_t i, Ints fields) {
    std::copy(fields.begin(), fields.end(), expected.begin() + i * 4);
  };
  item(0, {0, 0, 0, 2});
  item(1, {0, 1, 2, 2});
  item(2, {0, 2, 4, 1});
  item(4 + 3, {1, 0, 6, 1}); // r * (max_blocks + 1) + first * k / chunk
  CHECK(plan.items == expected);
}

TEST_CASE("A slab counts tokens from its own begin") {
  Case c = twoRequests();
  GatherPlan plan = gatherPlan(c, {2, 4}, 1);
  CHECK(plan.offsets == Ints{0, 1, 1, 2, 2, 3, 3, 3});
  CHECK(plan.entries == Ints{0, 1, 2, nothing});
  GatherPlan early = gatherPlan(c, {0, 2}, 8);
  CHECK(early.offsets == Ints{0, 1, 3, 3, 4, 4, 4, 4}); // request 1 lies behind the slab
  CHECK(early.entries == Ints{0, 1, 2, nothing});
}

TEST_CASE("Long lists are cut into chunks") {
  Plan plan = tinyPlan(Op::GatherPlan);
  plan.topk = 1;
  Case c = zeroCase(plan, {5}, {5});
  std::fill_n(c.tensors["selection"].as<int32_t>(), 5, 0);
  GatherPlan g = gatherPlan(c, {0, 5}, 2);
  CHECK(g.entries == Ints{0, 1, 2, 3, 4});
  CHECK(std::vector<int32_t>(g.items.begin(), g.items.begin() + 16) ==
        Ints{0, 0, 0, 2, 0, 0, 2, 2, 0, 0, 4, 1, 0, 0, 0, 0});
}

TEST_CASE("Every array is compared") {
  Case c = twoRequests();
  GatherPlan plan = gatherPlan(c, {0, 4}, 2);
  auto check = [&] {
    return checkGatherPlan(
        c, {0, 4}, 2,
        {plan.offsets.data(), plan.entries.data(), plan.items.data(), plan.itemCount});
  };
  CHECK(check().ok());
  auto breaks = [&](int32_t &cell) {
    int32_t kept = cell;
    cell = kept + 1;
    bool wrong = !check().ok();
    cell = kept;
    return wrong;
  };
  CHECK(breaks(plan.offsets[7]));
  CHECK(breaks(plan.entries[0]));
  CHECK(breaks(plan.entries[5])); // belongs to no list
  CHECK(breaks(plan.items[13 * 4 - 1]));
  CHECK(check().ok());
}

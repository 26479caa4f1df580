//===- BruteForceTest.cpp - reference against brute force, random plans ---===//
#include "BruteForce.h"

#include "verify/Bounds.h"
#include "verify/RandomPlan.h"

#include <fmt/format.h>

using namespace msa;
using namespace msa::verify;

namespace {

/// The relative error that rounding P may cause: nothing for F32.
double roundingOf(DType q) {
  return q == DType::E4M3 ? 7e-2 : q == DType::BF16 ? 4e-3 : q == DType::F16 ? 5e-4 : 1e-7;
}

/// What probabilities below the type's normal range may add up to.
double underflowOf(DType q) { return q == DType::E4M3 ? 1e-3 : q == DType::F16 ? 2e-5 : 1e-9; }

/// A small random case of an op.
Case smallCase(Op op, uint64_t index) {
  for (uint64_t i = index * 1000;; ++i) {
    RandomCase r = randomCase(77, i, "sm_80", 60'000);
    if (r.plan.op != op)
      continue;
    auto c = generate(r.plan, r.queryLens, r.kvLens, phasesOf(op), r.options);
    REQUIRE(c.ok());
    INFO(describe(r));
    REQUIRE(checkInputs(*c, phasesOf(op)).message() == "");
    return *c;
  }
}

void compareRow(const brute::Row &expected, const Case &c, double o, double lse, int64_t d) {
  double r = roundingOf(c.plan.precision.q);
  CHECK(std::fabs(o - double(expected.o[d])) <=
        underflowOf(c.plan.precision.q) + r * double(expected.absO[d]));
  if (d == 0 && std::isfinite(lse))
    CHECK(std::fabs(lse - double(expected.lse)) <= 1e-9 * (1 + std::fabs(lse)));
}

} // namespace

TEST_CASE("I1, I2: index scores against brute force") {
  auto index = GENERATE(range(0, 12));
  Case c = smallCase(Op::IndexScores, index);
  IndexScores s = indexScores(c, {0, c.batch.tokens()});
  for (int64_t h = 0; h < c.plan.heads.index; ++h)
    for (int64_t t = 0; t < c.batch.tokens(); ++t)
      for (int64_t b = 0; b < c.batch.maxBlocks; ++b) {
        int64_t at = (h * c.batch.tokens() + t) * c.batch.maxBlocks + b;
        int64_t pos = brute::positionOf(c, t);
        bool before = pos >= 0 && b < pos / c.plan.blockSize;
        REQUIRE(bool(s.scored[at]) == before);
        if (!before)
          continue;
        auto expected = static_cast<double>(brute::score(c, h, t, b));
        REQUIRE(std::isnan(expected) == std::isnan(s.score[at]));
        if (!std::isnan(expected))
          REQUIRE(std::fabs(s.score[at] - expected) <= 1e-12 * s.absDot[at]);
      }
}

TEST_CASE("A1 to A4: sparse attention and its partials against brute force") {
  auto index = GENERATE(range(0, 16));
  Case c = smallCase(Op::SparseAttention, index);
  const Plan &p = c.plan;
  TokenRange all{0, c.batch.tokens()};
  SplitPartials partials = splitAttention(c, all);
  AttentionRows rows = sparseAttention(c, all, partials);
  for (int64_t t = 0; t < all.end; ++t)
    for (int64_t head = 0; head < p.heads.query; ++head) {
      int64_t h = head / p.gqa(), g = head % p.gqa(), row = t * p.heads.query + head;
      std::set<int64_t> ids = brute::listed(c, h, t);
      brute::Row whole = brute::attend(c, t, head, &ids);
      REQUIRE(bool(rows.visible[row]) == !ids.empty());
      if (std::isfinite(double(whole.lse)))
        CHECK(std::fabs(rows.lse[row] - double(whole.lse)) <=
              1e-9 * (1 + std::fabs(rows.lse[row])));
      for (int64_t d = 0; d < p.headDim; ++d)
        if (double bound = underflowOf(p.precision.q) +
                           (roundingOf(p.precision.q) + 4e-3) * double(whole.absO[d]);
            !(std::fabs(rows.o[row * p.headDim + d] - double(whole.o[d])) <= bound))
          FAIL(fmt::format("token {} head {} d {}", t, head, d));
      int64_t slot = 0;
      for (int64_t id : ids) {
        std::set<int64_t> one = {id};
        brute::Row part = brute::attend(c, t, head, &one);
        int64_t place = ((t * p.heads.kv + h) * p.topk + slot++) * p.gqa() + g;
        for (int64_t d = 0; d < p.headDim; d += 5)
          compareRow(part, c, partials.o[place * p.headDim + d], partials.lse[place], d);
      }
      for (; slot < p.topk; ++slot)
        REQUIRE_FALSE(partials.used[(t * p.heads.kv + h) * p.topk + slot]);
    }
}

TEST_CASE("A5: dense attention and block maxima against brute force") {
  auto index = GENERATE(range(0, 12));
  Case c = smallCase(Op::DenseAttention, index);
  const Plan &p = c.plan;
  TokenRange all{0, c.batch.tokens()};
  DenseAttention dense = denseAttention(c, all);
  for (int64_t t = 0; t < all.end; ++t)
    for (int64_t head = 0; head < p.heads.query; ++head) {
      int64_t row = t * p.heads.query + head;
      brute::Row expected = brute::attend(c, t, head, nullptr);
      REQUIRE(bool(dense.rows.visible[row]) == (brute::positionOf(c, t) >= 0));
      for (int64_t d = 0; d < p.headDim; ++d)
        compareRow(expected, c, dense.rows.o[row * p.headDim + d], dense.rows.lse[row], d);
    }
}

TEST_CASE("Ranges of tokens give what the whole gives") {
  Case c = smallCase(Op::SparseAttention, 40);
  TokenRange all{0, c.batch.tokens()};
  SplitPartials whole = splitAttention(c, all);
  int64_t middle = all.end / 2;
  SplitPartials first = splitAttention(c, {0, middle}),
                second = splitAttention(c, {middle, all.end});
  first.o.insert(first.o.end(), second.o.begin(), second.o.end());
  first.used.insert(first.used.end(), second.used.begin(), second.used.end());
  CHECK(first.o == whole.o);
  CHECK(first.used == whole.used);
}

//===- RandomPlan.cpp - legal plans, lengths and options from a seed ------===//
#include "verify/RandomPlan.h"

#include "verify/Random.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace msa::verify {
namespace {

/// A multiple of 16 up to 256; the usual sizes half of the time.
int dimension(Random &rng) {
  return rng.chance(0.5) ? rng.pick({32, 64, 128}) : 16 * static_cast<int>(rng.between(1, 16));
}

Op randomOp(Random &rng) {
  return rng.pick({Op::Prefill, Op::Prefill, Op::Prefill, Op::Prefill, Op::SparseAttention,
                   Op::SparseAttention, Op::IndexScores, Op::TopkSelect, Op::GatherPlan,
                   Op::AttentionSplit, Op::AttentionSplit, Op::AttentionCombine, Op::DenseAttention,
                   Op::DenseAttention});
}

DType keyType(DType query, int dim, Random &rng) {
  std::vector<DType> legal = {DType::E4M3, DType::NVFP4};
  if (query != DType::E4M3) {
    legal.push_back(query);
    legal.push_back(query);
  }
  if (dim % 32 == 0)
    legal.push_back(DType::MXFP4);
  return legal[static_cast<size_t>(rng.below(static_cast<int64_t>(legal.size())))];
}

Precision randomPrecision(const Plan &plan, Random &rng) {
  Precision p;
  if (rng.chance(0.2))
    return p; // all BF16
  auto query = [&] {
    return rng.pick({DType::BF16, DType::BF16, DType::F16, DType::F32, DType::E4M3});
  };
  p.q = query();
  p.k = keyType(p.q, plan.headDim, rng);
  p.v = keyType(p.q, plan.headDim, rng);
  p.indexQ = query();
  p.indexK = keyType(p.indexQ, plan.indexDim, rng);
  p.o = rng.pick({DType::BF16, DType::F16, DType::F32});
  p.partial = rng.pick({DType::BF16, DType::F32});
  return p;
}

/// Page sizes below, equal to and above the block size (P3).
KvLayout randomLayout(int block, Random &rng) {
  if (rng.chance(0.3))
    return {KvKind::Contiguous, 0};
  int64_t kind = rng.below(3);
  if (kind == 0)
    return {KvKind::Paged, block};
  if (kind == 1)
    return {KvKind::Paged, block * static_cast<int>(rng.between(2, 4))};
  std::vector<int> divisors;
  for (int size = 1; size < block; ++size)
    if (block % size == 0)
      divisors.push_back(size);
  return {KvKind::Paged,
          divisors[static_cast<size_t>(rng.below(static_cast<int64_t>(divisors.size())))]};
}

Plan randomPlan(const std::string &target, Random &rng) {
  Plan plan;
  plan.op = randomOp(rng);
  plan.target = target;
  int kv = static_cast<int>(rng.between(1, 4));
  int gqa = rng.chance(0.6) ? rng.pick({1, 2, 4, 8, 16}) : static_cast<int>(rng.between(1, 128));
  plan.heads = {kv * gqa, kv, kv, 1};
  while (rng.chance(0.5)) {
    int heads = static_cast<int>(rng.between(1, kv));
    if (kv % heads == 0)
      plan.heads.indexKv = heads;
  }
  plan.headDim = dimension(rng);
  plan.indexDim = dimension(rng);
  plan.blockSize =
      rng.chance(0.5) ? rng.pick({16, 32, 64, 128}) : 16 * static_cast<int>(rng.between(1, 16));
  plan.topk =
      rng.chance(0.6) ? static_cast<int>(rng.between(1, 8)) : static_cast<int>(rng.between(1, 64));
  plan.forceFirst = rng.chance(0.5) ? 0 : static_cast<int>(rng.below(plan.topk));
  plan.precision = randomPrecision(plan, rng);
  plan.kvLayout = randomLayout(plan.blockSize, rng);
  plan.selectionOrder = rng.pick({SelectionOrder::HeadMajor, SelectionOrder::TokenMajor});
  if (rng.chance(0.3))
    plan.softmaxScale = 0.02 + 0.2 * rng.uniform();
  plan.blockMaxima = plan.op == Op::DenseAttention && rng.chance(0.5);
  plan.checked = rng.chance(0.25);
  if (rng.chance(0.3))
    plan.schedule.chunk = static_cast<int>(rng.between(1, 40));
  return plan;
}

/// Multiply-adds that a call costs, about.
int64_t estimateWork(const Plan &plan, const std::vector<int64_t> &queries,
                     const std::vector<int64_t> &keys) {
  int64_t work = 0;
  for (Op phase : phasesOf(plan.op))
    for (size_t r = 0; r < queries.size(); ++r) {
      int64_t visible = std::min<int64_t>(keys[r], int64_t(plan.topk) * plan.blockSize);
      switch (phase) {
      case Op::IndexScores:
        work += queries[r] * plan.heads.index * keys[r] * plan.indexDim;
        break;
      case Op::AttentionSplit:
        work += 2 * queries[r] * plan.heads.query * visible * plan.headDim;
        break;
      case Op::DenseAttention:
        work += 2 * queries[r] * plan.heads.query * keys[r] * plan.headDim;
        break;
      case Op::AttentionCombine:
        work += queries[r] * plan.heads.query * plan.topk * plan.headDim;
        break;
      case Op::TopkSelect:
      case Op::GatherPlan:
        work += queries[r] * plan.heads.index * (keys[r] / plan.blockSize + plan.topk) * 16;
        break;
      default:
        break;
      }
    }
  return work;
}

/// Ragged requests: one token, no keys, fewer keys than queries (negative positions), whole blocks,
/// and lengths that leave a tail.
void randomLengths(const Plan &plan, Random &rng, std::vector<int64_t> &queries,
                   std::vector<int64_t> &keys) {
  int64_t requests = rng.chance(0.3) ? 1 : rng.between(2, 6);
  int64_t blocks =
      rng.chance(0.3) ? plan.topk + 2 : rng.between(1, 12); // k above and below the visible blocks
  for (int64_t r = 0; r < requests; ++r) {
    int64_t q = rng.chance(0.35) ? 1 : rng.between(1, 24);
    int64_t l = rng.between(1, blocks) * plan.blockSize + rng.between(0, plan.blockSize - 1);
    if (rng.chance(0.15))
      l -= l % plan.blockSize;
    if (rng.chance(0.1))
      l = rng.between(0, q); // some or all positions are negative
    if (rng.chance(0.05) && requests > 1 && r > 0)
      q = 0;
    queries.push_back(q);
    keys.push_back(l);
  }
}

/// Halves the largest length until the work fits.
void reduce(const Plan &plan, int64_t budget, std::vector<int64_t> &queries,
            std::vector<int64_t> &keys) {
  while (estimateWork(plan, queries, keys) > budget) {
    auto q = std::max_element(queries.begin(), queries.end());
    auto l = std::max_element(keys.begin(), keys.end());
    if (*q > 2)
      *q /= 2;
    else if (*l > 2 * plan.blockSize)
      *l -= *l / 2 / plan.blockSize * plan.blockSize;
    else if (queries.size() > 1) {
      queries.pop_back();
      keys.pop_back();
    } else
      return;
  }
}

GenerateOptions randomOptions(const Plan &plan, Random &rng) {
  GenerateOptions options;
  options.seed = rng.next();
  options.sparePages = rng.between(0, 5);
  options.extraColumns = rng.between(0, 3);
  options.wildTableEntries = rng.chance(0.7);
  options.scales = rng.chance(0.8);
  options.perHeadScales = rng.chance(0.5);
  options.saturating = rng.chance(0.3);
  options.nanIndexKeys = rng.chance(0.4);
  options.copiedBlocks = rng.chance(0.4);
  options.equalScores = rng.chance(0.3);
  options.denormalScores = rng.chance(0.15);
  options.specialScores = rng.chance(0.7);
  options.largeLogits = rng.chance(0.2);
  options.repeatedIds = rng.chance(0.5);
  options.invalidIds = rng.chance(0.4);
  return options;
}

} // namespace

RandomCase randomCase(uint64_t seed, uint64_t index, const std::string &target, int64_t budget) {
  Random rng(seed * 0xA24BAED4963EE407ull + index);
  RandomCase result;
  do {
    // Heads and block sizes are drawn again when a single token would cost too much.
    result = {};
    result.plan = randomPlan(target, rng);
    randomLengths(result.plan, rng, result.queryLens, result.kvLens);
    reduce(result.plan, budget, result.queryLens, result.kvLens);
    result.work = estimateWork(result.plan, result.queryLens, result.kvLens);
    int64_t tokens = 0;
    for (int64_t q : result.queryLens)
      tokens += q;
    if (tokens == 0)
      result.queryLens[0] = 1;
  } while (result.work > 2 * budget || !checkPlan(result.plan));
  result.options = randomOptions(result.plan, rng);
  result.severalSlabs = phasesOf(result.plan.op).size() > 1 && rng.chance(0.6);
  return result;
}

std::string describe(const RandomCase &c) {
  const Plan &p = c.plan;
  const Precision &t = p.precision;
  std::string layout = p.kvLayout.kind == KvKind::Paged
                           ? fmt::format("pages of {}", p.kvLayout.pageSize)
                           : std::string("contiguous");
  return fmt::format("{} heads {}/{} (index_kv {}) D {}/{} B {} k {} force {} q {} k {} v {} iq {} "
                     "ik {} o {} partial {} {} {}{}{} q=[{}] kv=[{}]",
                     toString(p.op), p.heads.query, p.heads.kv, p.heads.indexKv, p.headDim,
                     p.indexDim, p.blockSize, p.topk, p.forceFirst, toString(t.q), toString(t.k),
                     toString(t.v), toString(t.indexQ), toString(t.indexK), toString(t.o),
                     toString(t.partial), layout, toString(p.selectionOrder),
                     p.checked ? " checked" : "", c.severalSlabs ? " slabs" : "",
                     fmt::join(c.queryLens, ","), fmt::join(c.kvLens, ","));
}

} // namespace msa::verify

//===- ReferenceCombine.cpp - weighing partials by their LSE (clause A4) --===//
#include "verify/Formats.h"
#include "verify/Parallel.h"
#include "verify/Reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace msa::verify {
namespace {

constexpr double minusInfinity = -std::numeric_limits<double>::infinity();

/// The slots of one (token, query head): where to find each used slot's numbers.
struct SlotReader {
  std::function<bool(int64_t slot)> used;
  std::function<double(int64_t slot)> lse, absLogit;
  std::function<double(int64_t slot, int d)> o, absO, sumAbsV;
};

AttentionRows makeRows(int64_t rows, int dim, bool wantsAbsV) {
  AttentionRows result;
  result.o.resize(rows * dim);
  result.absO.resize(rows * dim);
  result.sumAbsV.resize(wantsAbsV ? rows * dim : 0);
  result.lse.assign(rows, minusInfinity);
  result.absLogit.resize(rows);
  result.visible.resize(rows);
  return result;
}

/// O = sum_s exp(LSE_s - LSE) O_s over the used slots; LSE = log sum_s exp(LSE_s).
void combineRow(const SlotReader &slots, int64_t slotCount, int dim, int64_t row,
                AttentionRows &out) {
  double max = minusInfinity;
  for (int64_t s = 0; s < slotCount; ++s)
    if (slots.used(s))
      max = std::max(max, slots.lse(s));
  if (max == minusInfinity)
    return; // nothing weighs anything: O = 0, LSE = -inf (A2)
  double sum = 0;
  for (int64_t s = 0; s < slotCount; ++s)
    if (slots.used(s))
      sum += std::exp(slots.lse(s) - max);
  out.visible[row] = 1;
  out.lse[row] = max + std::log(sum);
  for (int64_t s = 0; s < slotCount; ++s) {
    if (!slots.used(s) || slots.lse(s) == minusInfinity)
      continue;
    double weight = std::exp(slots.lse(s) - max) / sum;
    out.absLogit[row] = std::max(out.absLogit[row], slots.absLogit(s));
    for (int d = 0; d < dim; ++d) {
      out.o[row * dim + d] += weight * slots.o(s, d);
      out.absO[row * dim + d] += weight * slots.absO(s, d);
      if (!out.sumAbsV.empty())
        out.sumAbsV[row * dim + d] += slots.sumAbsV(s, d);
    }
  }
}

} // namespace

AttentionRows combinePartials(const Case &c, TokenRange range) {
  const Plan &plan = c.plan;
  const int64_t heads = plan.heads.kv, gqa = plan.gqa(), k = plan.topk;
  const int dim = plan.headDim;
  const Tensor &partialO = c.tensors.at("partial_o");
  const float *partialLse = c.tensors.at("partial_lse").as<float>();
  const int32_t *selection = c.tensors.at("selection").as<int32_t>();
  bool bf16 = plan.precision.partial == DType::BF16;
  AttentionRows result = makeRows(range.size() * plan.heads.query, dim, false);
  parallelFor(range.size() * heads, [&](int64_t i) {
    int64_t t = range.begin + i / heads, h = i % heads;
    auto ids = validBlocks(selection + selectionRow(plan, c.batch.tokens(), h, t), plan.topk,
                           c.batch.localBlock(t));
    for (int64_t g = 0; g < gqa; ++g) {
      auto place = [&](int64_t slot) { return ((t * heads + h) * k + slot) * gqa + g; };
      auto value = [&](int64_t slot, int d) {
        int64_t at = place(slot) * dim + d;
        return bf16 ? decodeBf16(partialO.as<uint16_t>()[at]) : double(partialO.as<float>()[at]);
      };
      SlotReader slots;
      slots.used = [&](int64_t slot) { return slot < static_cast<int64_t>(ids.size()); };
      slots.lse = [&](int64_t slot) { return double(partialLse[place(slot)]); };
      slots.absLogit = [](int64_t) { return 0.0; };
      slots.o = value;
      slots.absO = [&](int64_t slot, int d) { return std::fabs(value(slot, d)); };
      slots.sumAbsV = [](int64_t, int) { return 0.0; };
      int64_t row = (t - range.begin) * plan.heads.query + h * gqa + g;
      combineRow(slots, k, dim, row, result);
    }
  });
  return result;
}

AttentionRows sparseAttention(const Case &c, TokenRange range, const SplitPartials &partials) {
  const Plan &plan = c.plan;
  const int64_t heads = plan.heads.kv, gqa = plan.gqa(), k = plan.topk;
  const int dim = plan.headDim;
  AttentionRows result = makeRows(range.size() * plan.heads.query, dim, !partials.sumAbsV.empty());
  parallelFor(range.size() * heads, [&](int64_t i) {
    for (int64_t g = 0; g < gqa; ++g) {
      auto place = [&](int64_t slot) { return (i * k + slot) * gqa + g; };
      SlotReader slots;
      slots.used = [&](int64_t slot) { return partials.used[i * k + slot] != 0; };
      slots.lse = [&](int64_t slot) { return partials.lse[place(slot)]; };
      slots.absLogit = [&](int64_t slot) { return partials.absLogit[place(slot)]; };
      slots.o = [&](int64_t slot, int d) {
        return roundTo(plan.precision.partial, partials.o[place(slot) * dim + d]);
      };
      slots.absO = [&](int64_t slot, int d) { return partials.absO[place(slot) * dim + d]; };
      slots.sumAbsV = [&](int64_t slot, int d) { return partials.sumAbsV[place(slot) * dim + d]; };
      combineRow(slots, k, dim, i * gqa + g, result);
    }
  });
  return result;
}

AttentionRows sparseAttention(const Case &c, TokenRange range) {
  return sparseAttention(c, range, splitAttention(c, range));
}

} // namespace msa::verify

//===- ReferenceSplit.cpp - partials of the listed blocks (A1 to A4) ------===//
#include "verify/BlockAttention.h"
#include "verify/Parallel.h"
#include "verify/Reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace msa::verify {
namespace {

/// One listed block of one request and KV head, with the (token, slot) pairs that listed it.
struct WorkItem {
  int64_t request, head, block;
  std::vector<std::pair<int64_t, int64_t>> listed;
};

/// Inverts the selection of the range, so that each block's keys are decoded once.
std::vector<WorkItem> listWork(const Case &c, TokenRange range, std::vector<uint8_t> &used) {
  const Plan &plan = c.plan;
  const int64_t heads = plan.heads.kv, k = plan.topk;
  const int32_t *selection = c.tensors.at("selection").as<int32_t>();
  std::vector<WorkItem> work;
  for (int64_t h = 0; h < heads; ++h) {
    std::vector<int64_t> itemOf; // by block, of the request in hand
    int64_t request = -1;
    for (int64_t t = range.begin; t < range.end; ++t) {
      if (c.batch.requestOf[t] != request) {
        request = c.batch.requestOf[t];
        itemOf.assign(c.batch.maxBlocks, -1);
      }
      auto ids = validBlocks(selection + selectionRow(plan, c.batch.tokens(), h, t), plan.topk,
                             c.batch.localBlock(t));
      for (size_t slot = 0; slot < ids.size(); ++slot) {
        int64_t &item = itemOf[ids[slot]];
        if (item < 0) {
          item = static_cast<int64_t>(work.size());
          work.push_back({request, h, ids[slot], {}});
        }
        work[item].listed.emplace_back(t, slot);
        used[((t - range.begin) * heads + h) * k + static_cast<int64_t>(slot)] = 1;
      }
    }
  }
  return work;
}

/// Writes one row of partials (clause A4: normalised, V's scale included).
void storeRow(const BlockSums &sums, double valueScale, double logitScale, int64_t row, int dim,
              SplitPartials &result) {
  for (int d = 0; d < dim; ++d) {
    result.o[row * dim + d] = sums.o[d] / sums.sum * valueScale;
    result.absO[row * dim + d] = sums.absO[d] / sums.sum * valueScale;
    if (!sums.absV.empty())
      result.sumAbsV[row * dim + d] = sums.absV[d] * valueScale;
  }
  result.lse[row] = sums.max + std::log(sums.sum);
  result.absLogit[row] = logitScale * sums.maxAbsDot;
}

} // namespace

SplitPartials splitAttention(const Case &c, TokenRange range) {
  const Plan &plan = c.plan;
  const int64_t heads = plan.heads.kv, k = plan.topk, gqa = plan.gqa();
  const int dim = plan.headDim;
  AttentionOperands operands(c);
  SplitPartials result;
  auto rows = static_cast<size_t>(range.size() * heads * k * gqa);
  result.o.resize(rows * dim);
  result.absO.resize(rows * dim);
  result.sumAbsV.resize(operands.wantsAbsV ? rows * dim : 0);
  result.lse.assign(rows, -std::numeric_limits<double>::infinity());
  result.absLogit.resize(rows);
  result.used.resize(static_cast<size_t>(range.size() * heads * k));
  std::vector<WorkItem> work = listWork(c, range, result.used);
  parallelFor(static_cast<int64_t>(work.size()), [&](int64_t i) {
    const WorkItem &item = work[i];
    KvBlock block(operands, item.request, item.block, item.head);
    double logitScale = operands.logitScale(item.head);
    std::vector<double> query(dim), logits;
    BlockSums sums;
    for (auto [token, slot] : item.listed) {
      int64_t visible = block.visible(c.batch.position(token));
      for (int64_t g = 0; g < gqa; ++g) {
        operands.q.decode(token * plan.heads.query + item.head * gqa + g, query.data());
        attendBlock(operands, block, query.data(), logitScale, visible, logits, sums);
        int64_t row = (((token - range.begin) * heads + item.head) * k + slot) * gqa + g;
        storeRow(sums, operands.v.scale(item.head), logitScale, row, dim, result);
      }
    }
  });
  return result;
}

} // namespace msa::verify

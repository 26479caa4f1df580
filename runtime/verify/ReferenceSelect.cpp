//===- ReferenceSelect.cpp - selection, its readers, and the gather plan --===//
//
// Clauses T1 to T4 and A1, and the layout of docs/kernels.md. Everything here
// is exact.
//
//===----------------------------------------------------------------------===//
#include "verify/Reference.h"

#include <algorithm>
#include <cmath>

namespace msa::verify {

std::vector<int32_t> selectBlocks(const float *scores, int64_t local, int topk, int forceFirst) {
  std::vector<int32_t> ids(topk, -1);
  if (local < 0)
    return ids;
  std::vector<int32_t> chosen, others;
  for (int64_t b = 0; b <= local; ++b)
    (b == local || b < forceFirst ? chosen : others).push_back(static_cast<int32_t>(b));
  // T3: higher score first, NaN below everything, equal scores by id. -0 == +0 by comparison.
  auto before = [&](int32_t a, int32_t b) {
    float x = scores[a], y = scores[b];
    bool nanX = std::isnan(x), nanY = std::isnan(y);
    if (nanX != nanY)
      return nanY;
    if (!nanX && x != y)
      return x > y;
    return a < b;
  };
  size_t places = std::min(others.size(), static_cast<size_t>(topk) - chosen.size());
  std::partial_sort(others.begin(), others.begin() + places, others.end(), before);
  chosen.insert(chosen.end(), others.begin(), others.begin() + places);
  std::sort(chosen.begin(), chosen.end());
  std::copy(chosen.begin(), chosen.end(), ids.begin());
  return ids;
}

int64_t selectionRow(const Plan &plan, int64_t tokens, int64_t head, int64_t token) {
  return (plan.selectionOrder == SelectionOrder::HeadMajor ? head * tokens + token
                                                           : token * plan.heads.index + head) *
         plan.topk;
}

std::vector<int32_t> validBlocks(const int32_t *row, int topk, int64_t local) {
  std::vector<int32_t> ids;
  for (int i = 0; i < topk; ++i)
    if (row[i] >= 0 && row[i] <= local)
      ids.push_back(row[i]);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::vector<std::pair<ContractError, int32_t>> contractErrors(const int32_t *row, int topk,
                                                              int64_t local) {
  std::vector<std::pair<ContractError, int32_t>> errors;
  bool gap = false;
  for (int i = 0; i < topk; ++i) {
    if (row[i] < -1)
      errors.emplace_back(ContractError::BelowMinusOne, row[i]);
    else if (row[i] > local && row[i] != -1)
      errors.emplace_back(ContractError::BeyondLocal, row[i]);
    else if (row[i] >= 0 && gap)
      errors.emplace_back(ContractError::GapBeforeValid, row[i]);
    gap |= row[i] == -1;
  }
  return errors;
}

GatherPlan gatherPlan(const Case &c, TokenRange slab, int chunk) {
  const Plan &plan = c.plan;
  const Batch &batch = c.batch;
  const int64_t heads = plan.heads.kv, k = plan.topk, lists = batch.maxBlocks + 1;
  const int64_t requests = batch.requests(), segment = slab.size() * k;
  GatherPlan result;
  result.itemCount = requests * lists + segment / chunk + 1;
  result.offsets.assign(heads * requests * lists, 0);
  result.entries.assign(heads * segment, GatherPlan::unwritten);
  result.items.assign(heads * result.itemCount * 4, 0);
  const int32_t *selection = c.tensors.at("selection").as<int32_t>();
  auto clip = [&](int64_t token) {
    return std::clamp<int64_t>(token - slab.begin, 0, slab.size());
  };
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t r = 0; r < requests; ++r) {
      int64_t first = clip(batch.cuQ[r]), last = clip(batch.cuQ[r + 1]);
      std::vector<std::vector<int32_t>> byBlock(batch.maxBlocks);
      for (int64_t t = first; t < last; ++t) {
        int64_t token = slab.begin + t;
        auto ids = validBlocks(selection + selectionRow(plan, batch.tokens(), h, token), plan.topk,
                               batch.localBlock(token));
        for (size_t slot = 0; slot < ids.size(); ++slot)
          byBlock[ids[slot]].push_back(static_cast<int32_t>(t * k + static_cast<int64_t>(slot)));
      }
      int32_t *offsets = result.offsets.data() + (h * requests + r) * lists;
      int64_t at = first * k;
      int64_t item = h * result.itemCount + r * lists + first * k / chunk;
      offsets[0] = static_cast<int32_t>(at);
      for (int64_t b = 0; b < batch.maxBlocks; ++b) {
        auto size = static_cast<int64_t>(byBlock[b].size());
        std::copy(byBlock[b].begin(), byBlock[b].end(), result.entries.begin() + h * segment + at);
        for (int64_t begin = 0; begin < size; begin += chunk) {
          int32_t *fields = result.items.data() + item++ * 4;
          fields[0] = static_cast<int32_t>(r);
          fields[1] = static_cast<int32_t>(b);
          fields[2] = static_cast<int32_t>(at + begin);
          fields[3] = static_cast<int32_t>(std::min<int64_t>(chunk, size - begin));
        }
        at += size;
        offsets[b + 1] = static_cast<int32_t>(at);
      }
    }
  return result;
}

} // namespace msa::verify

//===- ReferenceIndex.cpp - index scores (clauses I1, I2) -----------------===//
#include "verify/Dot.h"
#include "verify/Operand.h"
#include "verify/Parallel.h"
#include "verify/Reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace msa::verify {
namespace {

/// The maximum of one query row over the complete block `keys` (clause I1). NaN dots lose.
void scoreBlock(const double *query, const double *keys, int64_t count, int dim, double &score,
                double &absDot) {
  score = std::numeric_limits<double>::quiet_NaN();
  absDot = 0;
  for (int64_t j = 0; j < count; ++j) {
    Dot dot = dotAbs(query, keys + j * dim, dim);
    if (std::isnan(dot.value))
      continue;
    if (!(score >= dot.value))
      score = dot.value;
    absDot = std::max(absDot, dot.magnitude);
  }
}

} // namespace

IndexScores indexScores(const Case &c, TokenRange range) {
  const Plan &plan = c.plan;
  const int64_t heads = plan.heads.index, blocks = c.batch.maxBlocks;
  const int dim = plan.indexDim, block = plan.blockSize;
  Operand q(c, "index_q", plan.precision.indexQ, dim, plan.precision.indexQ);
  Operand k(c, "index_k", plan.precision.indexK, dim, plan.precision.indexQ);
  IndexScores result;
  size_t cells = static_cast<size_t>(heads * range.size() * blocks);
  result.score.resize(cells);
  result.absDot.resize(cells);
  result.scored.resize(cells);

  // One item is a block of one key head: its keys are decoded once for all of the range's queries.
  const int64_t keyHeads = plan.heads.indexKv, perKey = heads / keyHeads;
  const int64_t requests = c.batch.requests();
  parallelFor(requests * keyHeads * blocks, [&](int64_t item) {
    int64_t b = item % blocks, keyHead = item / blocks % keyHeads, r = item / blocks / keyHeads;
    int64_t first = std::max<int64_t>(c.batch.cuQ[r], range.begin);
    int64_t last = std::min<int64_t>(c.batch.cuQ[r + 1], range.end);
    while (first < last && c.batch.localBlock(first) <= b) // I2: only b < local has a score
      ++first;
    if (first >= last)
      return;
    std::vector<double> keys(static_cast<size_t>(block) * dim), query(dim);
    for (int j = 0; j < block; ++j)
      k.decode(c.kvRow(r, b * block + j, keyHead, keyHeads), keys.data() + int64_t(j) * dim);
    for (int64_t t = first; t < last; ++t)
      for (int64_t h = keyHead * perKey; h < (keyHead + 1) * perKey; ++h) {
        q.decode(t * heads + h, query.data());
        int64_t cell = (h * range.size() + t - range.begin) * blocks + b;
        scoreBlock(query.data(), keys.data(), block, dim, result.score[cell], result.absDot[cell]);
        result.scored[cell] = 1;
      }
  });
  return result;
}

} // namespace msa::verify

//===- BlockAttention.cpp - softmax over one block's keys, in FP64 --------===//
#include "verify/BlockAttention.h"

#include "verify/Dot.h"
#include "verify/Formats.h"

#include <algorithm>
#include <cmath>

namespace msa::verify {

AttentionOperands::AttentionOperands(const Case &c)
    : source(c), q(c, "q", c.plan.precision.q, c.plan.headDim, c.plan.precision.q),
      k(c, "k", c.plan.precision.k, c.plan.headDim, c.plan.precision.q),
      v(c, "v", c.plan.precision.v, c.plan.headDim, c.plan.precision.q),
      probability(c.plan.precision.q), softmaxScale(c.plan.scale()),
      wantsAbsV(columnOf(c.plan, Op::AttentionSplit) != Column::BF16) {}

KvBlock::KvBlock(const AttentionOperands &operands, int64_t request, int64_t block, int64_t head)
    : begin(block * operands.source.plan.blockSize), dim(operands.source.plan.headDim) {
  const Case &c = operands.source;
  // Rows at positions >= L_r may hold anything and are never read (P4).
  count = std::clamp<int64_t>(c.batch.kvLens[request] - begin, 0, c.plan.blockSize);
  keys.resize(static_cast<size_t>(count * dim));
  values.resize(static_cast<size_t>(count * dim));
  for (int64_t j = 0; j < count; ++j) {
    int64_t row = c.kvRow(request, begin + j, head, c.plan.heads.kv);
    operands.k.decode(row, keys.data() + j * dim);
    operands.v.decode(row, values.data() + j * dim);
  }
}

int64_t KvBlock::visible(int64_t position) const {
  return std::clamp<int64_t>(position - begin + 1, 0, count);
}

namespace {

/// N4: P as the second product takes it. E4M3 holds 448 * p; the factor cancels against the sum's.
double roundProbability(DType type, double p) {
  return type == DType::E4M3 ? roundE4m3(448.0 * p) / 448.0 : roundTo(type, p);
}

} // namespace

void attendBlock(const AttentionOperands &operands, const KvBlock &block, const double *query,
                 double logitScale, int64_t visible, std::vector<double> &logits, BlockSums &sums) {
  const int dim = operands.source.plan.headDim;
  logits.resize(static_cast<size_t>(visible));
  sums.maxDot = -HUGE_VAL;
  sums.maxAbsDot = 0;
  for (int64_t j = 0; j < visible; ++j) {
    Dot dot = dotAbs(query, block.key(j), dim);
    logits[j] = dot.value;
    sums.maxDot = std::max(sums.maxDot, dot.value);
    sums.maxAbsDot = std::max(sums.maxAbsDot, dot.magnitude);
  }
  sums.max = sums.maxDot * logitScale; // scales are positive
  sums.sum = 0;
  sums.o.assign(dim, 0);
  sums.absO.assign(dim, 0);
  sums.absV.assign(operands.wantsAbsV ? dim : 0, 0);
  for (int64_t j = 0; j < visible; ++j) {
    double p = std::exp(logits[j] * logitScale - sums.max);
    double rounded = roundProbability(operands.probability, p);
    sums.sum += p; // the row sum is over unrounded values (N4)
    const double *value = block.value(j);
    double *o = sums.o.data(), *absO = sums.absO.data();
    for (int d = 0; d < dim; ++d) {
      o[d] += rounded * value[d];
      absO[d] += p * std::fabs(value[d]);
    }
    if (operands.wantsAbsV)
      for (int d = 0; d < dim; ++d)
        sums.absV[d] += std::fabs(value[d]);
  }
}

} // namespace msa::verify

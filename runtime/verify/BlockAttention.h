//===- BlockAttention.h - softmax over one block's keys, in FP64 ----------===//
//
// The step that split and dense attention share: one query row against the
// visible keys of one block (clauses A2, A3, N4, N5, P4).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "verify/Operand.h"
#include "verify/Reference.h"

#include <vector>

namespace msa::verify {

/// Q, K and V of a case, decoded as the products see them.
struct AttentionOperands {
  explicit AttentionOperands(const Case &);
  const Case &source;
  Operand q, k, v;
  DType probability; ///< P is rounded to this type (clause N4)
  double softmaxScale;
  bool wantsAbsV; ///< columns FP8 and KV4 bound by sum |v_j|
  /// The factor on the raw dot of one KV head (clauses A2, N2).
  double logitScale(int64_t head) const { return softmaxScale * q.scale(head) * k.scale(head); }
};

/// The K and V rows of one block of one KV head below the request's length.
class KvBlock {
public:
  KvBlock(const AttentionOperands &, int64_t request, int64_t block, int64_t head);
  const double *key(int64_t j) const { return keys.data() + j * dim; }
  const double *value(int64_t j) const { return values.data() + j * dim; }
  /// Keys of the block that a query at `position` sees (clauses P1, P2).
  int64_t visible(int64_t position) const;

private:
  int64_t begin, count;
  int dim;
  std::vector<double> keys, values;
};

/// Unnormalised sums relative to the block's maximum `max` (of the scaled logits).
struct BlockSums {
  double max = 0, sum = 0;
  double maxDot = 0, maxAbsDot = 0;  ///< raw: no scale
  std::vector<double> o, absO, absV; ///< sum p~ v, sum p |v|, sum |v|: V's FP32 scale left out
};

/// Fills `sums` for the first `visible` (at least one) keys.
void attendBlock(const AttentionOperands &, const KvBlock &, const double *query, double logitScale,
                 int64_t visible, std::vector<double> &logits, BlockSums &sums);

} // namespace msa::verify

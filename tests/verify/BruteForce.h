//===- BruteForce.h - the semantics once more, as slowly as possible ------===//
//
// A second writing of clauses P, I and A in another shape: key by key over
// positions, long double, no blocks of work, no ranges, no running maxima, no
// rounding of P. What the reference and this disagree about beyond clause V's
// bounds is a mistake in one of them.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "TestCase.h"

#include <cmath>
#include <set>

namespace msa::verify::brute {

/// Element d of (token or key row, head) of a tensor, N3 and N5 included, FP32 scale left out.
inline long double element(const Case &c, const std::string &name, DType type, DType partner,
                           int64_t row, int64_t dim, int64_t d) {
  const Tensor &t = c.tensors.at(name);
  int64_t at = row * dim + d;
  switch (type) {
  case DType::BF16:
    return decodeBf16(t.as<uint16_t>()[at]);
  case DType::F16:
    return decodeF16(t.as<uint16_t>()[at]);
  case DType::F32:
    return t.as<float>()[at];
  case DType::E4M3:
    return decodeE4m3(t.bytes[at]);
  default:
    break;
  }
  uint8_t nibble = d % 2 ? t.bytes[at / 2] >> 4 : t.bytes[at / 2] & 15;
  int64_t group = type == DType::NVFP4 ? 16 : 32;
  double scale = 1;
  if (const Tensor *s = c.find(name + "_block_scale"))
    scale =
        type == DType::NVFP4 ? decodeE4m3(s->bytes[at / group]) : decodeUe8m0(s->bytes[at / group]);
  double value = decodeE2m1(nibble) * scale;
  return partner == DType::E4M3 ? roundE4m3(value) : value;
}

inline int64_t row(const Case &c, int64_t r, int64_t j, int64_t h, int64_t heads) {
  if (!c.paged())
    return (c.tensors.at("cu_seqlens_k").as<int32_t>()[r] + j) * heads + h;
  int64_t p = c.plan.kvLayout.pageSize;
  const Tensor &table = c.tensors.at("page_table");
  return (int64_t(table.as<int32_t>()[r * table.shape[1] + j / p]) * heads + h) * p + j % p;
}

inline long double fp32Scale(const Case &c, const std::string &name, int64_t h) {
  const Tensor *s = c.find(name + "_scale");
  return !s ? 1.0L : s->as<float>()[s->count() == 1 ? 0 : h];
}

inline int requestOf(const Case &c, int64_t token) {
  int r = 0;
  while (c.tensors.at("cu_seqlens_q").as<int32_t>()[r + 1] <= token)
    ++r;
  return r;
}

inline int64_t positionOf(const Case &c, int64_t token) {
  const int32_t *q = c.tensors.at("cu_seqlens_q").as<int32_t>();
  const int32_t *k = c.tensors.at("cu_seqlens_k").as<int32_t>();
  int r = requestOf(c, token);
  return (k[r + 1] - k[r]) - (q[r + 1] - q[r]) + (token - q[r]);
}

/// score[h, token, b] for b < local (I1).
inline long double score(const Case &c, int64_t h, int64_t token, int64_t b) {
  const Plan &p = c.plan;
  int64_t n = p.heads.indexKv, kh = h / (p.heads.index / n), dim = p.indexDim;
  long double best = NAN;
  for (int64_t j = b * p.blockSize; j < (b + 1) * p.blockSize; ++j) {
    long double dot = 0;
    for (int64_t d = 0; d < dim; ++d)
      dot += element(c, "index_q", p.precision.indexQ, p.precision.indexQ,
                     token * p.heads.index + h, dim, d) *
             element(c, "index_k", p.precision.indexK, p.precision.indexQ,
                     row(c, requestOf(c, token), j, kh, n), dim, d);
    if (!std::isnan(dot) && !(best >= dot))
      best = dot;
  }
  return best;
}

struct Row {
  std::vector<long double> o, absO;
  long double lse = -HUGE_VALL;
};

/// Attention of (token, head) over the visible keys of `blocks` (all blocks when null), P exact.
inline Row attend(const Case &c, int64_t token, int64_t head, const std::set<int64_t> *blocks) {
  const Plan &p = c.plan;
  int64_t dim = p.headDim, kv = p.heads.kv, h = head / p.gqa();
  int r = requestOf(c, token);
  long double scale =
      static_cast<long double>(p.scale()) * fp32Scale(c, "q", h) * fp32Scale(c, "k", h);
  std::vector<std::pair<int64_t, long double>> logits;
  long double max = -HUGE_VALL, sum = 0;
  for (int64_t j = 0; j <= positionOf(c, token); ++j) {
    if (blocks && !blocks->count(j / p.blockSize))
      continue;
    long double dot = 0;
    for (int64_t d = 0; d < dim; ++d)
      dot += element(c, "q", p.precision.q, p.precision.q, token * p.heads.query + head, dim, d) *
             element(c, "k", p.precision.k, p.precision.q, row(c, r, j, h, kv), dim, d);
    logits.emplace_back(j, dot * scale);
    max = std::max(max, dot * scale);
  }
  Row result;
  result.o.assign(dim, 0);
  result.absO.assign(dim, 0);
  for (auto &[j, z] : logits)
    sum += std::exp(z - max);
  for (auto &[j, z] : logits)
    for (int64_t d = 0; d < dim; ++d) {
      long double v = element(c, "v", p.precision.v, p.precision.q, row(c, r, j, h, kv), dim, d) *
                      fp32Scale(c, "v", h);
      result.o[d] += std::exp(z - max) / sum * v;
      result.absO[d] += std::exp(z - max) / sum * std::fabs(v);
    }
  if (!logits.empty())
    result.lse = max + std::log(sum);
  return result;
}

/// The valid ids of (kv head, token) as a set (A1).
inline std::set<int64_t> listed(const Case &c, int64_t h, int64_t token) {
  const Plan &p = c.plan;
  std::set<int64_t> ids;
  int64_t pos = positionOf(c, token);
  for (int64_t i = 0; i < p.topk; ++i) {
    int64_t at = p.selectionOrder == SelectionOrder::HeadMajor
                     ? (h * c.batch.tokens() + token) * p.topk + i
                     : (token * p.heads.index + h) * p.topk + i;
    int64_t id = c.tensors.at("selection").as<int32_t>()[at];
    if (id >= 0 && pos >= 0 && id <= pos / p.blockSize)
      ids.insert(id);
  }
  return ids;
}

} // namespace msa::verify::brute

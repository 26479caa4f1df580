//===- CheckPlan.cpp - every rule of L1, L2 and A2 that needs no lengths --===//
//
// The one place of these rules: programs, the dialect's verifiers and bundles
// call it. A message is "<clause>: <key> = <value> <what is wrong>; legal: ...".
//
//===----------------------------------------------------------------------===//
#include "msa/Plan.h"

#include "plan/TargetTable.h"
#include "support/NearestWord.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace msa {
namespace {

constexpr int mostGroupHeads = 128;
constexpr int mostDim = 256, dimStep = 16;
constexpr int mostBlock = 256, blockStep = 16;
constexpr int mostTopk = 64;
constexpr int mostChunk = 65536;

template <typename... Args> Status broken(fmt::format_string<Args...> text, Args &&...args) {
  return Status::invalid(fmt::format(text, std::forward<Args>(args)...));
}

/// L1: G = Hq/Hkv in 1..128; one index head a KV head; index_kv divides index.
Status checkHeads(const Heads &h) {
  struct Count {
    std::string_view key;
    int value;
  };
  for (Count c : std::array<Count, 4>{{{"heads.query", h.query},
                                       {"heads.kv", h.kv},
                                       {"heads.index", h.index},
                                       {"heads.index_kv", h.indexKv}}})
    if (c.value < 1)
      return broken("L1: {} = {} is too small; legal: 1 or more", c.key, c.value);
  if (h.query % h.kv != 0)
    return broken("L1: heads.query = {} is not a multiple of heads.kv = {}; legal: G = query / kv "
                  "a whole number in 1..{}",
                  h.query, h.kv, mostGroupHeads);
  if (h.query / h.kv > mostGroupHeads)
    return broken("L1: heads.query = {} over heads.kv = {} is G = {}; legal: G in 1..{}", h.query,
                  h.kv, h.query / h.kv, mostGroupHeads);
  if (h.index != h.kv)
    return broken("L1: heads.index = {} differs from heads.kv; legal: {} (one index query head a "
                  "KV head)",
                  h.index, h.kv);
  if (h.index % h.indexKv != 0)
    return broken("L1: heads.index_kv = {} does not divide heads.index; legal: a divisor of {}",
                  h.indexKv, h.index);
  return {};
}

Status checkMultiple(std::string_view key, int value, int step, int most) {
  if (value < step || value > most || value % step != 0)
    return broken("L1: {} = {} is not supported; legal: a multiple of {} in {}..{}", key, value,
                  step, step, most);
  return {};
}

/// L1: D, D_idx, B, k, force_first.
Status checkSizes(const Plan &p) {
  MSA_RETURN_IF_ERROR(checkMultiple("head_dim", p.headDim, dimStep, mostDim));
  MSA_RETURN_IF_ERROR(checkMultiple("index_dim", p.indexDim, dimStep, mostDim));
  MSA_RETURN_IF_ERROR(checkMultiple("block_size", p.blockSize, blockStep, mostBlock));
  if (p.topk < 1 || p.topk > mostTopk)
    return broken("L1: topk = {} is not supported; legal: 1..{}", p.topk, mostTopk);
  if (p.forceFirst < 0 || p.forceFirst >= p.topk)
    return broken("L1: force_first = {} does not leave the local block its place; legal: 0..{} "
                  "(topk - 1)",
                  p.forceFirst, p.topk - 1);
  return {};
}

/// L1, P3: the page size divides B, or B divides it; contiguous KV has none.
Status checkLayout(const Plan &p) {
  int page = p.kvLayout.pageSize;
  if (p.kvLayout.kind == KvKind::Contiguous) {
    if (page != 0)
      return broken("P3: kv_layout.page_size = {} with kind contiguous; legal: 0, or kind paged",
                    page);
    return {};
  }
  if (page < 1)
    return broken("L1: kv_layout.page_size = {} is too small; legal: a divisor or a multiple of "
                  "block_size = {}",
                  page, p.blockSize);
  if (p.blockSize % page != 0 && page % p.blockSize != 0)
    return broken("L1: kv_layout.page_size = {} neither divides block_size = {} nor is a multiple "
                  "of it; legal: one of the two",
                  page, p.blockSize);
  return {};
}

std::string words(const std::vector<DType> &types) {
  std::vector<std::string_view> list;
  list.reserve(types.size());
  for (DType type : types)
    list.push_back(toString(type));
  return fmt::format("{}", fmt::join(list, ", "));
}

Status checkOneOf(std::string_view key, DType type, const std::vector<DType> &legal) {
  if (std::find(legal.begin(), legal.end(), type) == legal.end())
    return broken("L2: precision.{} = {} is not supported; legal: {}", key, toString(type),
                  words(legal));
  return {};
}

/// L2: a 16- or 32-bit operand on the key side has the query side's type.
Status checkPair(std::string_view key, DType type, std::string_view queryKey, DType queryType) {
  if (bitsOf(type) < 16 || type == queryType)
    return {};
  std::vector<DType> legal = {DType::E4M3, DType::NVFP4, DType::MXFP4};
  if (bitsOf(queryType) >= 16)
    legal.insert(legal.begin(), queryType);
  return broken("L2: precision.{} = {} differs from precision.{} = {}; legal: {}", key,
                toString(type), queryKey, toString(queryType), words(legal));
}

/// L2: MXFP4 has one scale for 32 elements.
Status checkScaleBlocks(std::string_view key, DType type, std::string_view dimKey, int dim) {
  if (type == DType::MXFP4 && dim % scaleBlockOf(type) != 0)
    return broken("L2: precision.{} = mxfp4 with {} = {}; legal: a {} divisible by {}", key, dimKey,
                  dim, dimKey, scaleBlockOf(type));
  return {};
}

Status checkTypes(const Plan &plan) {
  const Precision &p = plan.precision;
  const std::vector<DType> query = {DType::BF16, DType::F16, DType::F32, DType::E4M3};
  const std::vector<DType> output = {DType::BF16, DType::F16, DType::F32};
  const std::vector<DType> partial = {DType::F32, DType::BF16};
  MSA_RETURN_IF_ERROR(checkOneOf("q", p.q, query));
  MSA_RETURN_IF_ERROR(checkOneOf("index_q", p.indexQ, query));
  MSA_RETURN_IF_ERROR(checkOneOf("o", p.o, output));
  MSA_RETURN_IF_ERROR(checkOneOf("partial", p.partial, partial));
  MSA_RETURN_IF_ERROR(checkPair("k", p.k, "q", p.q));
  MSA_RETURN_IF_ERROR(checkPair("v", p.v, "q", p.q));
  MSA_RETURN_IF_ERROR(checkPair("index_k", p.indexK, "index_q", p.indexQ));
  MSA_RETURN_IF_ERROR(checkScaleBlocks("k", p.k, "head_dim", plan.headDim));
  MSA_RETURN_IF_ERROR(checkScaleBlocks("v", p.v, "head_dim", plan.headDim));
  return checkScaleBlocks("index_k", p.indexK, "index_dim", plan.indexDim);
}

/// A2, A5 and what the compiler lets a user pin.
Status checkOptions(const Plan &p) {
  float scale = p.scale();
  if (!std::isfinite(scale) || scale <= 0)
    return broken("A2: softmax_scale = {} is not finite and positive in FP32; legal: null for "
                  "1/sqrt(head_dim), or a number from 1.4e-45 to 3.4e38",
                  p.softmaxScale.value_or(0));
  if (p.blockMaxima && p.op != Op::DenseAttention)
    return broken("A5: block_maxima = true with op = {}; legal: op = dense_attention, or false",
                  toString(p.op));
  if (p.schedule.chunk && (*p.schedule.chunk < 1 || *p.schedule.chunk > mostChunk))
    return broken("schedule.chunk = {} is not supported; legal: 1..{}, or auto", *p.schedule.chunk,
                  mostChunk);
  return {};
}

Status checkTarget(const std::string &name) {
  if (findTarget(name))
    return {};
  std::vector<std::string_view> names;
  for (const Target &target : targets())
    names.push_back(target.name);
  return Status::invalid("target = " + quoteText(name) + " is not known" + suggestion(name, names));
}

} // namespace

Status checkPlan(const Plan &plan) {
  if (plan.op == Op::Decode)
    return Status::missing("op = decode is not available in this version; a prefill with query "
                           "lengths of 1 computes the same");
  MSA_RETURN_IF_ERROR(checkHeads(plan.heads));
  MSA_RETURN_IF_ERROR(checkSizes(plan));
  MSA_RETURN_IF_ERROR(checkLayout(plan));
  MSA_RETURN_IF_ERROR(checkTypes(plan));
  MSA_RETURN_IF_ERROR(checkOptions(plan));
  return checkTarget(plan.target);
}

} // namespace msa

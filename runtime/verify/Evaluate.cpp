//===- Evaluate.cpp - what a perfect kernel would leave behind ------------===//
#include "verify/Formats.h"
#include "verify/Reference.h"

#include <fmt/format.h>

namespace msa::verify {
namespace {

/// Writes `value` as element `at` of a BF16, F16 or F32 tensor.
void store(Tensor &tensor, DType type, int64_t at, double value) {
  if (type == DType::BF16)
    tensor.as<uint16_t>()[at] = encodeBf16(value);
  else if (type == DType::F16)
    tensor.as<uint16_t>()[at] = encodeF16(value);
  else
    tensor.as<uint32_t>()[at] = encodeF32(value);
}

void storeRows(Case &c, const AttentionRows &rows) {
  Tensor &o = c.tensors.at("o");
  for (size_t i = 0; i < rows.o.size(); ++i)
    store(o, c.plan.precision.o, static_cast<int64_t>(i), rows.o[i]);
  for (size_t i = 0; i < rows.lse.size(); ++i)
    c.tensors.at("lse").as<uint32_t>()[i] = encodeF32(rows.lse[i]);
}

void storeScores(Case &c, const std::vector<double> &score, const std::vector<uint8_t> &scored) {
  auto *out = c.tensors.at("scores").as<uint32_t>();
  for (size_t i = 0; i < score.size(); ++i)
    if (scored[i])
      out[i] = encodeF32(score[i]);
}

void storeSelection(Case &c) {
  const Plan &plan = c.plan;
  const Batch &batch = c.batch;
  const float *scores = c.tensors.at("scores").as<float>();
  auto *out = c.tensors.at("selection").as<int32_t>();
  for (int64_t h = 0; h < plan.heads.index; ++h)
    for (int64_t t = 0; t < batch.tokens(); ++t) {
      auto ids = selectBlocks(scores + (h * batch.tokens() + t) * batch.maxBlocks,
                              batch.localBlock(t), plan.topk, plan.forceFirst);
      std::copy(ids.begin(), ids.end(), out + selectionRow(plan, batch.tokens(), h, t));
    }
}

void storePartials(Case &c, const SplitPartials &partials) {
  const int64_t gqa = c.plan.gqa(), dim = c.plan.headDim;
  Tensor &o = c.tensors.at("partial_o");
  auto *lse = c.tensors.at("partial_lse").as<uint32_t>();
  for (int64_t row = 0; row < static_cast<int64_t>(partials.lse.size()); ++row) {
    if (!partials.used[row / gqa])
      continue;
    lse[row] = encodeF32(partials.lse[row]);
    for (int64_t d = 0; d < dim; ++d)
      store(o, c.plan.precision.partial, row * dim + d, partials.o[row * dim + d]);
  }
}

} // namespace

Column columnOf(const Plan &plan, Op phase) {
  const Precision &p = plan.precision;
  std::vector<DType> operands;
  if (phase == Op::IndexScores)
    operands = {p.indexQ, p.indexK};
  else if (phase == Op::AttentionSplit || phase == Op::DenseAttention ||
           phase == Op::SparseAttention || phase == Op::Prefill)
    operands = {p.q, p.k, p.v};
  Column column = Column::BF16;
  for (DType type : operands) {
    if (bitsOf(type) == 4)
      return Column::KV4;
    if (type == DType::E4M3)
      column = Column::FP8;
  }
  return column;
}

Status evaluate(Case &c, Op op) {
  TokenRange all{0, c.batch.tokens()};
  for (Op phase : phasesOf(op)) {
    MSA_RETURN_IF_ERROR(checkInputs(c, {phase}));
    for (const TensorSpec &spec : tensorsOf(c.plan, c.batch, phase))
      if (spec.part == Part::Output) {
        Tensor tensor(spec.element, spec.shape);
        tensor.poison(spec.f16);
        c.tensors[spec.name] = std::move(tensor);
      }
    switch (phase) {
    case Op::IndexScores: {
      IndexScores scores = indexScores(c, all);
      storeScores(c, scores.score, scores.scored);
      break;
    }
    case Op::TopkSelect:
      storeSelection(c);
      break;
    case Op::GatherPlan:
      break;
    case Op::AttentionSplit:
      storePartials(c, splitAttention(c, all));
      break;
    case Op::AttentionCombine:
      storeRows(c, combinePartials(c, all));
      break;
    case Op::DenseAttention: {
      DenseAttention dense = denseAttention(c, all);
      storeRows(c, dense.rows);
      if (c.plan.blockMaxima)
        storeScores(c, dense.score, dense.scored);
      break;
    }
    case Op::SparseAttention:
    case Op::Prefill:
    case Op::Decode:
      return Status::invalid(fmt::format("{} has no reference", toString(phase)));
    }
  }
  return {};
}

} // namespace msa::verify

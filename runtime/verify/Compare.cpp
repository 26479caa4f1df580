//===- Compare.cpp - every element against its bound (clause V) -----------===//
#include "verify/Compare.h"

#include "verify/Bounds.h"
#include "verify/Formats.h"
#include "verify/Tally.h"

#include <algorithm>
#include <fmt/format.h>

namespace msa::verify {
namespace {

/// Tokens for which the reference's arrays stay below about 100 MB.
int64_t tokensPerRange(int64_t cellsPerToken) {
  constexpr int64_t mostCells = 4'000'000;
  return std::max<int64_t>(1, mostCells / std::max<int64_t>(1, cellsPerToken));
}

template <typename Body> void forRanges(const Case &c, int64_t cellsPerToken, const Body &body) {
  int64_t step = tokensPerRange(cellsPerToken);
  for (int64_t begin = 0; begin < c.batch.tokens(); begin += step)
    body(TokenRange{begin, std::min(c.batch.tokens(), begin + step)});
}

std::string tokenText(const Case &c, int64_t token) {
  return fmt::format("token {} (request {}, position {})", token, c.batch.requestOf[token],
                     c.batch.position(token));
}

/// Reads element `at` of an output tensor as a number.
double load(const Tensor &tensor, DType type, int64_t at) {
  if (type == DType::BF16)
    return decodeBf16(tensor.as<uint16_t>()[at]);
  if (type == DType::F16)
    return decodeF16(tensor.as<uint16_t>()[at]);
  return tensor.as<float>()[at];
}

Tally tallyFor(const Case &c, Op phase, const char *tensor, const char *clause) {
  return Tally(std::string(toString(phase)), tensor, clause, c.tensors.at(tensor).shape);
}

/// Scores of [heads, range, blocks] (I1, I2 and A5).
void compareScores(const Case &c, TokenRange range, int64_t heads, const std::vector<double> &score,
                   const std::vector<double> &absDot, const std::vector<uint8_t> &scored,
                   Column column, Tally &tally) {
  const int64_t blocks = c.batch.maxBlocks;
  const Tensor &got = c.tensors.at("scores");
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t t = range.begin; t < range.end; ++t)
      for (int64_t b = 0; b < blocks; ++b) {
        int64_t cell = (h * range.size() + t - range.begin) * blocks + b;
        int64_t at = (h * c.batch.tokens() + t) * blocks + b;
        auto where = [&] { return fmt::format("[head {}, {}, block {}]", h, tokenText(c, t), b); };
        if (!scored[cell])
          tally.poison(got.as<uint32_t>()[at], poisonF32, where);
        else if (std::isnan(score[cell]))
          tally.notANumber(got.as<uint32_t>()[at], where);
        else
          tally.number(got.as<float>()[at], score[cell], scoreBound(column, absDot[cell]), where);
      }
}

std::vector<CheckResult> checkScores(const Case &c) {
  Tally tally = tallyFor(c, Op::IndexScores, "scores", "V: score (I1, I2)");
  const int64_t heads = c.plan.heads.index;
  Column column = columnOf(c.plan, Op::IndexScores);
  forRanges(c, heads * c.batch.maxBlocks, [&](TokenRange range) {
    IndexScores expected = indexScores(c, range);
    compareScores(c, range, heads, expected.score, expected.absDot, expected.scored, column, tally);
  });
  return {tally.take()};
}

std::vector<CheckResult> checkSelection(const Case &c) {
  const Plan &plan = c.plan;
  const int64_t tokens = c.batch.tokens(), blocks = c.batch.maxBlocks;
  Tally tally = tallyFor(c, Op::TopkSelect, "selection", "V: selection (T1-T4)");
  const float *scores = c.tensors.at("scores").as<float>();
  const int32_t *got = c.tensors.at("selection").as<int32_t>();
  for (int64_t h = 0; h < plan.heads.index; ++h)
    for (int64_t t = 0; t < tokens; ++t) {
      auto expected = selectBlocks(scores + (h * tokens + t) * blocks, c.batch.localBlock(t),
                                   plan.topk, plan.forceFirst);
      const int32_t *row = got + selectionRow(plan, tokens, h, t);
      for (int i = 0; i < plan.topk; ++i)
        tally.integer(row[i], expected[i], [&] {
          return fmt::format("[head {}, {}, place {}]", h, tokenText(c, t), i);
        });
    }
  return {tally.take()};
}

std::vector<CheckResult> checkSplit(const Case &c) {
  const Plan &plan = c.plan;
  const int64_t heads = plan.heads.kv, k = plan.topk, gqa = plan.gqa(), dim = plan.headDim;
  Column column = columnOf(plan, Op::AttentionSplit);
  bool fp8Q = plan.precision.q == DType::E4M3, bf16 = plan.precision.partial == DType::BF16;
  Tally tallyO = tallyFor(c, Op::AttentionSplit, "partial_o", "V: partial O (A1-A4)");
  Tally tallyLse = tallyFor(c, Op::AttentionSplit, "partial_lse", "V: LSE (A2, A4)");
  const Tensor &gotO = c.tensors.at("partial_o"), &gotLse = c.tensors.at("partial_lse");
  auto bitsO = [&](int64_t at) {
    return bf16 ? uint32_t(gotO.as<uint16_t>()[at]) : gotO.as<uint32_t>()[at];
  };
  forRanges(c, heads * k * gqa * dim, [&](TokenRange range) {
    SplitPartials expected = splitAttention(c, range);
    for (int64_t row = 0; row < static_cast<int64_t>(expected.lse.size()); ++row) {
      int64_t at = row + range.begin * heads * k * gqa;
      int64_t d = 0;
      auto where = [&] {
        int64_t g = at % gqa, slot = at / gqa % k, h = at / gqa / k % heads;
        return fmt::format("[{}, kv head {}, slot {}, g {}{}]", tokenText(c, at / gqa / k / heads),
                           h, slot, g, d < 0 ? "" : fmt::format(", d {}", d));
      };
      bool used = expected.used[row / gqa];
      for (d = 0; d < dim; ++d) {
        int64_t element = row * dim + d;
        if (used)
          tallyO.number(load(gotO, plan.precision.partial, at * dim + d), expected.o[element],
                        outputBound(column, expected.absO[element],
                                    expected.sumAbsV.empty() ? 0 : expected.sumAbsV[element]),
                        where);
        else
          tallyO.poison(bitsO(at * dim + d), bf16 ? poisonBf16 : poisonF32, where);
      }
      d = -1;
      if (used)
        tallyLse.number(gotLse.as<float>()[at], expected.lse[row],
                        lseBound(column, fp8Q, expected.lse[row], expected.absLogit[row]), where);
      else
        tallyLse.poison(gotLse.as<uint32_t>()[at], poisonF32, where);
    }
  });
  return {tallyO.take(), tallyLse.take()};
}

/// O and LSE of [range, Hq] rows.
void compareRows(const Case &c, TokenRange range, const AttentionRows &expected, Column column,
                 bool fp8Q, Tally &tallyO, Tally &tallyLse) {
  const int64_t heads = c.plan.heads.query, dim = c.plan.headDim;
  const Tensor &gotO = c.tensors.at("o"), &gotLse = c.tensors.at("lse");
  for (int64_t row = 0; row < static_cast<int64_t>(expected.lse.size()); ++row) {
    int64_t at = row + range.begin * heads, d = 0;
    bool visible = expected.visible[row];
    auto where = [&] {
      return fmt::format("[{}, head {}{}]", tokenText(c, at / heads), at % heads,
                         d < 0 ? "" : fmt::format(", d {}", d));
    };
    for (d = 0; d < dim; ++d) {
      int64_t element = row * dim + d;
      double sumAbsV = expected.sumAbsV.empty() ? 0 : expected.sumAbsV[element];
      // No visible key: exactly 0 and -inf (A2).
      tallyO.number(load(gotO, c.plan.precision.o, at * dim + d), expected.o[element],
                    visible ? outputBound(column, expected.absO[element], sumAbsV) : 0, where);
    }
    d = -1;
    tallyLse.number(gotLse.as<float>()[at], expected.lse[row],
                    visible ? lseBound(column, fp8Q, expected.lse[row], expected.absLogit[row]) : 0,
                    where);
  }
}

std::vector<CheckResult> checkCombine(const Case &c) {
  Tally tallyO = tallyFor(c, Op::AttentionCombine, "o", "V: O (A4)");
  Tally tallyLse = tallyFor(c, Op::AttentionCombine, "lse", "V: LSE (A4)");
  forRanges(c, c.plan.heads.query * c.plan.headDim, [&](TokenRange range) {
    compareRows(c, range, combinePartials(c, range), Column::BF16, false, tallyO, tallyLse);
  });
  return {tallyO.take(), tallyLse.take()};
}

std::vector<CheckResult> checkWhole(const Case &c, Op op) {
  const Plan &plan = c.plan;
  Tally tallyO = tallyFor(c, op, "o", "V: O (A1-A4)"),
        tallyLse = tallyFor(c, op, "lse", "V: LSE (A2)");
  Column column = columnOf(plan, op);
  forRanges(c, int64_t(plan.heads.query) * plan.topk * plan.headDim, [&](TokenRange range) {
    compareRows(c, range, sparseAttention(c, range), column, plan.precision.q == DType::E4M3,
                tallyO, tallyLse);
  });
  return {tallyO.take(), tallyLse.take()};
}

std::vector<CheckResult> checkDense(const Case &c) {
  const Plan &plan = c.plan;
  Column column = columnOf(plan, Op::DenseAttention);
  bool maxima = plan.blockMaxima;
  Tally tallyO = tallyFor(c, Op::DenseAttention, "o", "V: O (A2, A5)");
  Tally tallyLse = tallyFor(c, Op::DenseAttention, "lse", "V: LSE (A2, A5)");
  Tally tallyScores = tallyFor(c, Op::DenseAttention, maxima ? "scores" : "lse", "V: score (A5)");
  int64_t cells = plan.heads.query * (plan.headDim + (maxima ? c.batch.maxBlocks : 0));
  forRanges(c, cells, [&](TokenRange range) {
    DenseAttention expected = denseAttention(c, range);
    compareRows(c, range, expected.rows, column, plan.precision.q == DType::E4M3, tallyO, tallyLse);
    if (maxima)
      compareScores(c, range, plan.heads.query, expected.score, expected.absDot, expected.scored,
                    column, tallyScores);
  });
  std::vector<CheckResult> results = {tallyO.take(), tallyLse.take()};
  if (maxima)
    results.push_back(tallyScores.take());
  return results;
}

/// Every output that the check reads is there with its shape.
Status checkOutputs(const Case &c, Op op) {
  for (Op phase : phasesOf(op))
    for (const TensorSpec &spec : tensorsOf(c.plan, c.batch, phase)) {
      bool result = spec.name == "o" || spec.name == "lse";
      if (spec.part != Part::Output || (op != phase && !result))
        continue;
      const Tensor *tensor = c.find(spec.name);
      if (!tensor)
        return Status::invalid(
            fmt::format("{} has no output {} to check", toString(op), spec.name));
      MSA_RETURN_IF_ERROR(checkTensor(spec, *tensor));
    }
  return {};
}

} // namespace

Expected<std::vector<CheckResult>> checkPhase(const Case &c, Op phase) {
  MSA_RETURN_IF_ERROR(checkOutputs(c, phase));
  bool whole = phase == Op::SparseAttention || phase == Op::Prefill;
  MSA_RETURN_IF_ERROR(checkInputs(c, {whole ? Op::AttentionSplit : phase}));
  switch (phase) {
  case Op::IndexScores:
    return checkScores(c);
  case Op::TopkSelect:
    return checkSelection(c);
  case Op::AttentionSplit:
    return checkSplit(c);
  case Op::AttentionCombine:
    return checkCombine(c);
  case Op::DenseAttention:
    return checkDense(c);
  case Op::SparseAttention:
  case Op::Prefill:
    return checkWhole(c, phase);
  case Op::GatherPlan:
  case Op::Decode:
    break;
  }
  return Status::invalid(fmt::format("{} has no tensors to check", toString(phase)));
}

CheckResult merge(const std::vector<CheckResult> &results) {
  CheckResult total;
  for (const CheckResult &r : results) {
    bool first = total.phase.empty();
    bool tells = first || (total.wrong == 0 && (r.wrong > 0 || r.worst > total.worst));
    if (first) {
      total.phase = r.phase;
      total.tensor = r.tensor;
      total.clause = r.clause;
      total.shape = r.shape;
    }
    if (tells)
      total.detail = r.detail;
    total.elements += r.elements;
    total.wrong += r.wrong;
    total.worst = std::max(total.worst, r.worst);
  }
  return total;
}

} // namespace msa::verify

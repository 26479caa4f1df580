//===- Reference.h - the semantics in FP64, clause by clause --------------===//
//
// What every kernel is compared with. Each function names the clause that it
// is written from. Sums are FP64; the roundings of N4, N5 and A4 are modelled
// (P to the operand type of the second product relative to the block's maximum,
// 4-bit operands through E4M3 beside an E4M3 Q). Inputs must have passed
// checkInputs. Work over tokens is given as a range, so that callers bound the
// memory; ranges run on all host cores.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "verify/Case.h"

#include <cstdint>
#include <vector>

namespace msa::verify {

/// Query tokens [begin, end) of the batch.
struct TokenRange {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
};

/// Index scores (clauses I1, I2), [Hidx, range, max_blocks].
struct IndexScores {
  std::vector<double> score;   ///< NaN where every dot of the block is NaN
  std::vector<double> absDot;  ///< max over the block's keys of sum_d |q_d k_d|, NaN dots left out
  std::vector<uint8_t> scored; ///< 0: no score, the cell keeps the poison (I2)
};
IndexScores indexScores(const Case &, TokenRange);

/// Exact top-k of one row (clauses T1 to T3): `scores[0, local)` are the kernel's own scores. The
/// result has k entries: ascending ids, then -1. local = -1: nothing is visible.
std::vector<int32_t> selectBlocks(const float *scores, int64_t local, int topk, int forceFirst);

/// Index of entry (head, token, 0) of a selection (clause T4).
int64_t selectionRow(const Plan &, int64_t tokens, int64_t head, int64_t token);

/// The valid ids of one selection row, distinct and ascending: the index in the result is the slot
/// (clause A1).
std::vector<int32_t> validBlocks(const int32_t *row, int topk, int64_t local);

/// A contract error of clause A1 in one row.
enum class ContractError : uint8_t { None, BeyondLocal, BelowMinusOne, GapBeforeValid };
/// Every kind of contract error that a row holds, with the offending id.
std::vector<std::pair<ContractError, int32_t>> contractErrors(const int32_t *row, int topk,
                                                              int64_t local);

/// The gather plan's arrays for the slab [begin, end) (docs/kernels.md). Cells that belong to no
/// list hold `unwritten`.
struct GatherPlan {
  static constexpr int32_t unwritten = static_cast<int32_t>(0x7FC0DEAD);
  std::vector<int32_t> offsets; ///< [Hkv, R, max_blocks + 1]
  std::vector<int32_t> entries; ///< [Hkv, slab * k]
  std::vector<int32_t> items;   ///< [Hkv, itemCount, 4]
  int64_t itemCount = 0;
};
GatherPlan gatherPlan(const Case &, TokenRange slab, int chunk);

/// Partials (clauses A1 to A4, N4, N5) of a token range, [range, Hkv, k, G(, D)].
struct SplitPartials {
  std::vector<double> o;    ///< normalised, V's scale included, not rounded to the storage type
  std::vector<double> absO; ///< sum_j p_j |v_j|
  std::vector<double>
      sumAbsV;             ///< sum over the slot's visible keys of |v_j|; only in columns FP8, KV4
  std::vector<double> lse; ///< natural log
  std::vector<double> absLogit; ///< scale * max_j sum_d |q_d k_d|
  std::vector<uint8_t> used;    ///< [range, Hkv, k]: 0 where the slot has no block
};
SplitPartials splitAttention(const Case &, TokenRange);

/// One output row of attention per (token, query head), with what its bounds need.
struct AttentionRows {
  std::vector<double> o, absO, sumAbsV; ///< [range, Hq, D]
  std::vector<double> lse, absLogit;    ///< [range, Hq]
  std::vector<uint8_t> visible; ///< [range, Hq]: 0 where no key is visible: O = 0, LSE = -inf
};
/// Combine (clause A4) of the case's own partial_o and partial_lse.
AttentionRows combinePartials(const Case &, TokenRange);
/// Sparse attention as a whole (A1 to A4): combine of the reference's partials, each rounded to
/// the plan's partial type.
AttentionRows sparseAttention(const Case &, TokenRange);
AttentionRows sparseAttention(const Case &, TokenRange, const SplitPartials &);

/// Dense attention (clause A5), with the block maxima when the plan asks for them.
struct DenseAttention {
  AttentionRows rows;
  std::vector<double> score, absDot; ///< [Hq, range, max_blocks]
  std::vector<uint8_t> scored;       ///< 0: the cell keeps the poison
};
DenseAttention denseAttention(const Case &, TokenRange);

/// The column of clause V for the operands of a phase.
enum class Column : uint8_t { BF16, FP8, KV4 };
Column columnOf(const Plan &, Op phase);

/// Runs a phase: writes its output tensors into the case, rounded to their types, cells that no
/// clause defines poisoned. Pipelines run phase by phase (the gather plan is skipped). What a
/// perfect kernel would leave behind; tests start from it.
Status evaluate(Case &, Op op);

} // namespace msa::verify

//===- Generate.h - seeded inputs for a plan and lengths ------------------===//
//
// Values of a sensible scale, and around them everything that the clauses allow
// and a kernel may trip over: pages in random order, spare pages and block tails
// full of NaN, unused page table entries, selections in any order.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "verify/Case.h"

#include <cstdint>
#include <vector>

namespace msa::verify {

/// What to put in besides ordinary values. Everything is legal input.
struct GenerateOptions {
  uint64_t seed = 1;
  int64_t sparePages = 3;       ///< physical pages that no table entry names, full of NaN
  int64_t extraColumns = 1;     ///< page table columns past the longest request
  bool wildTableEntries = true; ///< unused entries hold any number, else -1
  bool scales = true;           ///< FP32 scales are there (N2, N3); else absent = 1
  bool perHeadScales = false;   ///< FP32 scales of shape [heads] instead of [1]
  bool saturating = false;      ///< NVFP4 block scales up to 448, so that N5 saturates beside E4M3
  bool nanIndexKeys = false;    ///< some index key rows, and some whole blocks, are NaN (I1)
  bool copiedBlocks = false;    ///< a third of the index key blocks equal an earlier one (T3)
  bool equalScores = false;     ///< index values from {-1, -0, +0, 1}: many equal scores (T3)
  bool denormalScores = false;  ///< index dots of about 1e-40, when the type allows it
  bool specialScores = false;   ///< loaded scores hold NaN, infinities, -0, denormals, equal values
  bool largeLogits = false;     ///< logits of about +-60 instead of +-3
  bool repeatedIds = false;     ///< selections list ids twice (A1)
  bool invalidIds = false;      ///< ids beyond the local block, below -1, and -1 before valid ones
};

/// The oddities that a careful user wants in every run: all of them but those that take range away
/// from the values or that only an unchecked kernel (`checked` false) accepts silently.
GenerateOptions thoroughOptions(uint64_t seed, bool checked);

/// The inputs that `phases`, run in this order, need from outside. Fails when L1 excludes the
/// lengths.
Expected<Case> generate(const Plan &, std::vector<int64_t> queryLens, std::vector<int64_t> kvLens,
                        const std::vector<Op> &phases, const GenerateOptions &);

/// Adds to a case the inputs of `phases` that it does not have yet.
void generateMissing(Case &, const std::vector<Op> &phases, const GenerateOptions &);

} // namespace msa::verify

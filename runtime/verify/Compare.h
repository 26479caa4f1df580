//===- Compare.h - every element against its bound (clause V) -------------===//
//
// One check for each output of each phase. A phase is checked on the inputs that
// it really had (a combine on the kernel's own partials, a selection on the
// kernel's own scores), and a pipeline's result against the reference of the
// whole op besides.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "verify/Case.h"
#include "verify/Reference.h"

#include <string>
#include <vector>

namespace msa::verify {

/// The outcome for one tensor.
struct CheckResult {
  std::string phase;  ///< op word
  std::string tensor; ///< "partial_o"
  std::string clause; ///< "V: O (A2, A4)"
  std::vector<int64_t> shape;
  int64_t elements = 0; ///< compared
  int64_t wrong = 0;    ///< elements outside their bound
  double worst = 0;     ///< largest error / bound; infinity where no bound allows the error
  /// The first wrong element, or the worst one: "o[token 3 (request 0, position 12), head 5, d 7]:
  /// got 1.5, expected 1.25, error 0.25, bound 0.01".
  std::string detail;
  bool ok() const { return wrong == 0; }
};

/// Checks the outputs of one phase; the case holds its inputs and outputs. Memory is bounded
/// whatever the number of tokens. Pipelines (`sparse_attention`, `prefill`) check o and lse against
/// the whole op, given the case's selection. gather_plan has arrays of its own: checkGatherPlan.
Expected<std::vector<CheckResult>> checkPhase(const Case &, Op phase);

/// The gather plan's arrays of one slab, exactly as docs/kernels.md lays them out.
struct GatherArrays {
  const int32_t *offsets, *entries, *items;
  int64_t itemCount;
};
CheckResult checkGatherPlan(const Case &, TokenRange slab, int chunk, const GatherArrays &);

/// The worst of several results that check the same tensor (slabs).
CheckResult merge(const std::vector<CheckResult> &);

} // namespace msa::verify

//===- RandomPlan.h - legal plans, lengths and options from a seed --------===//
//
// Samples the whole of L1 and L2, every op, lengths that are ragged, single,
// zero and shorter than their queries, and inputs with every oddity that the
// clauses allow; sized so that a case takes about a second on the simulator.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "verify/Generate.h"

#include <string>
#include <vector>

namespace msa::verify {

/// One case of a run over random plans; made by (seed, index) alone.
struct RandomCase {
  Plan plan;
  std::vector<int64_t> queryLens, kvLens;
  GenerateOptions options;
  /// The workspace cap is to be set so that a pipeline runs in several slabs of S.
  bool severalSlabs = false;
  /// Multiply-adds of the op, an estimate.
  int64_t work = 0;
};

/// `target` goes into the plan; `budget` bounds `work`.
RandomCase randomCase(uint64_t seed, uint64_t index, const std::string &target,
                      int64_t budget = 12'000'000);

/// One line that says what the case is.
std::string describe(const RandomCase &);

} // namespace msa::verify

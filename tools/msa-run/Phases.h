//===- Phases.h - which phases of an op run -------------------------------===//
#pragma once

#include "verify/Case.h"

#include <vector>

namespace msa::run {

/// Refuses phases that `op` does not have, naming those it has.
Status checkPhaseNames(Op op, const std::vector<Op> &asked);

/// The phases of `op` that run, in order: those asked for (all when empty), but
/// - none before a selection that was loaded (interfaces.md section 3), unless only such phases
///   were asked for, and
/// - the gather plan whenever attention_split runs in a pipeline: a case holds no plan arrays.
/// Outputs of phases that run are removed from the case.
Expected<std::vector<Op>> choosePhases(Op op, const std::vector<Op> &asked, verify::Case &);

} // namespace msa::run

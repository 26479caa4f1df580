//===- Counting.h - what a grid's counts say -----------------------------------===//
//
// CTAs count executions op by op (Tally); everything that is known per op - class,
// opcode - is added up here, once, when the grid has ended.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cta.h"

namespace msa::ptxsim {

/// `detailed`: with counters, else instruction counts only.
Counters toCounters(const Program &, const Tally &, bool detailed);

} // namespace msa::ptxsim

//===- Mma.h - executing mma.sync -------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Warp.h"

namespace msa::ptxsim {

/// Runs a decoded mma.sync. Op::count: number of the plan. Program::lists from Op::target on: the
/// registers of D, A, B and C; with block scaling then scale-a-data, byte-id-a, thread-id-a and the
/// same of B.
Flow multiplyMatrices(Warp &, const Op &, uint32_t mask);

} // namespace msa::ptxsim

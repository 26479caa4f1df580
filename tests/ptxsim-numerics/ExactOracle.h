//===- ExactOracle.h - exact products, one element at a time ---------------===//
#pragma once

#include "ptxsim/numerics/BlockScale.h"
#include "ptxsim/numerics/Mma.h"

namespace oracle {

/// What gemmExact computes.
void exactProduct(const msa::ptxsim::numerics::ExactRule &, msa::ptxsim::numerics::GemmSize,
                  const float *a, const float *b, float *d);

/// One element of what gemmScaledExact computes: `k` operands, `blocks` codes of factors each.
/// `typeA` and `typeB` decide where subnormals begin.
float exactScaledElement(int k, msa::ptxsim::numerics::SmallFloat typeA,
                         msa::ptxsim::numerics::SmallFloat typeB, const float *row,
                         const float *column, msa::ptxsim::numerics::ScaleFormat, int blocks,
                         const uint8_t *rowFactors, const uint8_t *columnFactors, float addend);

} // namespace oracle

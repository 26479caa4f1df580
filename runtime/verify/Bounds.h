//===- Bounds.h - the table of clause V -----------------------------------===//
//
// Row by row and column by column; every argument is what the table multiplies.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "verify/Reference.h"

#include <cmath>

namespace msa::verify {

/// O and partial O: a + r * sum_j p_j |v_j|, and in columns FP8 and KV4 2.5e-6 * sum |v_j| over the
/// visible listed keys.
inline double outputBound(Column column, double sumPAbsV, double sumAbsV) {
  switch (column) {
  case Column::BF16:
    return 1e-3 + 1e-2 * sumPAbsV;
  case Column::FP8:
    return 2e-3 + 7e-2 * sumPAbsV + 2.5e-6 * sumAbsV;
  case Column::KV4:
    break;
  }
  return 3e-3 + 7e-2 * sumPAbsV + 2.5e-6 * sumAbsV;
}

/// LSE: a + 1e-6 |LSE|, and in column FP8, and in KV4 with an FP8 Q, 3e-4 * scale * max_j sum_d
/// |q_d k_d| (`absLogit`).
inline double lseBound(Column column, bool fp8Q, double lse, double absLogit) {
  double a = column == Column::BF16 ? 5e-4 : 2e-3;
  bool extra = column == Column::FP8 || (column == Column::KV4 && fp8Q);
  return a + 1e-6 * std::fabs(lse) + (extra ? 3e-4 * absLogit : 0);
}

/// Scores: 1e-37 + r * max over the block's keys of sum_d |q_d k_d|.
inline double scoreBound(Column column, double absDot) {
  return 1e-37 + (column == Column::BF16 ? 3e-5 : 1e-3) * absDot;
}

} // namespace msa::verify

//===- Dot.h - the inner product with the magnitude that its bound needs --===//
#pragma once

#include <cmath>

namespace msa::verify {

/// sum_d a_d b_d and sum_d |a_d b_d|.
struct Dot {
  double value = 0, magnitude = 0;
};

/// `n` is a multiple of 8 (L1: dimensions are multiples of 16). Eight running sums let the compiler
/// use vector registers without reassociating anything itself.
inline Dot dotAbs(const double *a, const double *b, int n) {
  double sum[8] = {}, magnitude[8] = {};
  for (int i = 0; i < n; i += 8)
    for (int u = 0; u < 8; ++u) {
      double product = a[i + u] * b[i + u];
      sum[u] += product;
      magnitude[u] += std::fabs(product);
    }
  Dot dot;
  for (int u = 0; u < 8; ++u) {
    dot.value += sum[u];
    dot.magnitude += magnitude[u];
  }
  return dot;
}

} // namespace msa::verify

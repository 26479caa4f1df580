//===- Mma.cpp - fast, integer, bit and f64 matrix products ---------------===//
//
// The loops run k outermost within a row, so that the columns of D are the
// vector: no reduction order is left to the compiler.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Mma.h"

#include "ptxsim/numerics/DirectedRounding.h"

#include <algorithm>
#include <bit>

#if defined(__x86_64__) && defined(__linux__)
#define MSA_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define MSA_CLONES
#endif

namespace msa::ptxsim::numerics {

/// Rows x columns of D that stay in registers over the whole of k: enough independent sums to hide
/// the latency of an addition, few enough for 16 AVX2 registers.
template <int Rows, int Columns>
[[gnu::always_inline]] inline void gemmBlock(int k, int strideA, int stride, const float *a,
                                             const float *b, float *d) {
  float sums[Rows][Columns];
  for (int row = 0; row < Rows; ++row)
    for (int col = 0; col < Columns; ++col)
      sums[row][col] = d[row * stride + col];
  for (int inner = 0; inner < k; ++inner) {
    const float *right = b + inner * stride;
    for (int row = 0; row < Rows; ++row) {
      const float left = a[row * strideA + inner];
      for (int col = 0; col < Columns; ++col)
        sums[row][col] += left * right[col];
    }
  }
  for (int row = 0; row < Rows; ++row)
    for (int col = 0; col < Columns; ++col)
      d[row * stride + col] = canonical(sums[row][col]);
}

/// Columns [0, Columns) of all rows.
template <int Columns>
[[gnu::always_inline]] inline void gemmStrip(int m, int k, int stride, const float *a,
                                             const float *b, float *d) {
  int row = 0;
  for (; row + 4 <= m; row += 4)
    gemmBlock<4, Columns>(k, k, stride, a + row * k, b, d + row * stride);
  for (; row < m; ++row)
    gemmBlock<1, Columns>(k, k, stride, a + row * k, b, d + row * stride);
}

MSA_CLONES static void gemmColumns(GemmSize size, const float *a, const float *b, float *d) {
  int col = 0;
  for (; col + 16 <= size.n; col += 16)
    gemmStrip<16>(size.m, size.k, size.n, a, b + col, d + col);
  for (; col + 8 <= size.n; col += 8)
    gemmStrip<8>(size.m, size.k, size.n, a, b + col, d + col);
  for (; col < size.n; ++col)
    gemmStrip<1>(size.m, size.k, size.n, a, b + col, d + col);
}

void gemmFast(GemmSize size, const float *a, const float *b, float *d) {
  gemmColumns(size, a, b, d);
}

void gemmInteger(GemmSize size, const int32_t *a, const int32_t *b, int32_t *d, bool satfinite) {
  for (int row = 0; row < size.m; ++row)
    for (int col = 0; col < size.n; ++col) {
      int64_t sum = d[row * size.n + col];
      for (int inner = 0; inner < size.k; ++inner)
        sum += static_cast<int64_t>(a[row * size.k + inner]) * b[inner * size.n + col];
      if (satfinite)
        sum = std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX);
      d[row * size.n + col] = static_cast<int32_t>(static_cast<uint32_t>(sum));
    }
}

void gemmBits(int m, int n, int words, const uint32_t *a, const uint32_t *b, int32_t *d,
              bool isXor) {
  for (int row = 0; row < m; ++row)
    for (int col = 0; col < n; ++col) {
      auto sum = static_cast<uint32_t>(d[row * n + col]);
      for (int word = 0; word < words; ++word) {
        uint32_t left = a[row * words + word], right = b[col * words + word];
        sum += static_cast<uint32_t>(std::popcount(isXor ? left ^ right : left & right));
      }
      d[row * n + col] = static_cast<int32_t>(sum);
    }
}

void gemmF64(GemmSize size, const double *a, const double *b, double *d, Rounding mode) {
  for (int row = 0; row < size.m; ++row)
    for (int col = 0; col < size.n; ++col) {
      double sum = d[row * size.n + col];
      for (int inner = 0; inner < size.k; ++inner)
        sum = fmaF64(a[row * size.k + inner], b[inner * size.n + col], sum, mode);
      d[row * size.n + col] = sum;
    }
}

} // namespace msa::ptxsim::numerics

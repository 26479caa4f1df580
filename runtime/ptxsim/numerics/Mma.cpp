//===- Mma.cpp - fast, integer, bit and f64 matrix products ---------------===//
//
// The loops run k outermost within a row, so that the columns of D are the
// vector: no reduction order is left to the compiler.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Mma.h"

#include "ptxsim/numerics/Clones.h"
#include "ptxsim/numerics/DirectedRounding.h"
#include "ptxsim/numerics/MmaElement.h"

#include <algorithm>
#include <bit>

namespace msa::ptxsim::numerics {
namespace {

/// What becomes of an element of D and the products that are added to it.
struct Canonical {
  static float start(float d) { return d; }
  static float finish(float, float sum) { return canonical(sum); }
};
struct Wrapping {
  static uint32_t start(int32_t d) { return static_cast<uint32_t>(d); }
  static int32_t finish(int32_t, uint32_t sum) { return static_cast<int32_t>(sum); }
};
struct Saturating {
  static int32_t start(int32_t) { return 0; }
  static int32_t finish(int32_t d, int32_t sum) {
    return static_cast<int32_t>(std::clamp<int64_t>(int64_t{d} + sum, INT32_MIN, INT32_MAX));
  }
};

/// Rows x columns of D that stay in registers over the whole of k: enough independent sums to hide
/// the latency of an addition, few enough for 16 AVX2 registers.
template <class Sums, int Rows, int Columns, class T>
[[gnu::always_inline]] inline void gemmBlock(int k, Strides stride, const T *a, const T *b, T *d) {
  using Sum = decltype(Sums::start(T()));
  Sum sums[Rows][Columns];
  for (int row = 0; row < Rows; ++row)
    for (int col = 0; col < Columns; ++col)
      sums[row][col] = Sums::start(d[row * stride.d + col]);
  for (int inner = 0; inner < k; ++inner) {
    const T *right = b + inner * stride.b;
    for (int row = 0; row < Rows; ++row) {
      const auto left = static_cast<Sum>(a[row * stride.a + inner]);
      for (int col = 0; col < Columns; ++col)
        sums[row][col] += left * static_cast<Sum>(right[col]);
    }
  }
  for (int row = 0; row < Rows; ++row)
    for (int col = 0; col < Columns; ++col)
      d[row * stride.d + col] = Sums::finish(d[row * stride.d + col], sums[row][col]);
}

/// Columns [0, Columns) of all rows.
template <class Sums, int Columns, class T>
[[gnu::always_inline]] inline void gemmStrip(GemmSize size, Strides stride, const T *a, const T *b,
                                             T *d) {
  int row = 0;
  for (; row + 4 <= size.m; row += 4)
    gemmBlock<Sums, 4, Columns>(size.k, stride, a + row * stride.a, b, d + row * stride.d);
  for (; row < size.m; ++row)
    gemmBlock<Sums, 1, Columns>(size.k, stride, a + row * stride.a, b, d + row * stride.d);
}

template <class Sums, class T>
[[gnu::always_inline]] inline void gemmColumns(GemmSize size, Strides stride, const T *a,
                                               const T *b, T *d) {
  int col = 0;
  for (; col + 16 <= size.n; col += 16)
    gemmStrip<Sums, 16>(size, stride, a, b + col, d + col);
  for (; col + 8 <= size.n; col += 8)
    gemmStrip<Sums, 8>(size, stride, a, b + col, d + col);
  for (; col < size.n; ++col)
    gemmStrip<Sums, 1>(size, stride, a, b + col, d + col);
}

MSA_CLONES void floatColumns(GemmSize size, Strides stride, const float *a, const float *b,
                             float *d) {
  gemmColumns<Canonical>(size, stride, a, b, d);
}
MSA_CLONES void wrappingColumns(GemmSize size, const int32_t *a, const int32_t *b, int32_t *d) {
  gemmColumns<Wrapping>(size, {size.k, size.n, size.n}, a, b, d);
}
MSA_CLONES void saturatingColumns(GemmSize size, const int32_t *a, const int32_t *b, int32_t *d) {
  gemmColumns<Saturating>(size, {size.k, size.n, size.n}, a, b, d);
}

} // namespace

void gemmStrided(GemmSize size, Strides stride, const float *a, const float *b, float *d) {
  floatColumns(size, stride, a, b, d);
}

void gemmFast(GemmSize size, const float *a, const float *b, float *d) {
  floatColumns(size, {size.k, size.n, size.n}, a, b, d);
}

void gemmInteger(GemmSize size, const int32_t *a, const int32_t *b, int32_t *d, bool satfinite) {
  if (satfinite)
    saturatingColumns(size, a, b, d);
  else
    wrappingColumns(size, a, b, d);
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

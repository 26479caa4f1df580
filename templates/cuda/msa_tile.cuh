//===- msa_tile.cuh - staging and register-blocked products ---------------===//
//
// The two products of attention and the one of the index branch, on FP32 tiles
// in shared memory. A warp owns 16 rows x 8N columns: lane (r, c) = (lane / 8,
// lane % 8) has rows r + 4i, i < 4, and N columns, so that four steps of the
// sum cost 4 + N 16-byte shared loads for 16 N FMAs. Sums are FP32 and run in
// ascending order (A3, A4).
//
// Loops that are not hot carry "unroll 1", here and in the kernels: half the
// PTX, and a fifth less time in NVRTC.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa_types.cuh"

__device__ inline int warpId() { return threadIdx.x / 32; }
__device__ inline int laneId() { return threadIdx.x % 32; }

__device__ constexpr int smaller(int a, int b) { return a < b ? a : b; }
__device__ constexpr int larger(int a, int b) { return a > b ? a : b; }
__device__ constexpr int ceilDiv(int a, int b) { return (a + b - 1) / b; }

/// Rows rounded up to what the row groups of a tile take together.
__device__ inline int wholeGroups(int rows) { return (rows + 15) / 16 * 16; }

/// Copies columns [first, first + Columns) of `count` rows to shared memory as FP32, `Stride`
/// floats a row. `rows` holds row indices; a negative one gives zeros, as do columns beyond Width.
/// Each of `Threads` threads keeps to its eight columns.
template <int Type, int Operand, int Width, int Columns, int Stride, int Threads>
__device__ inline void stageRows(float *to, const I64 *rows, int count, const void *data,
                                 const U8 *scales, int first) {
  constexpr int vectors = Columns / 8, step = Threads / vectors;
  static_assert(Threads % vectors == 0, "threads must share out a row's vectors evenly");
  int column = threadIdx.x % vectors * 8, row = threadIdx.x / vectors;
  bool exists = Width % Columns == 0 || first + column < Width;
  to += row * Stride + column;
#pragma unroll 1
  for (; row < count; row += step, to += step * Stride) {
    I64 index = rows[row];
    Float8 x = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    if (index >= 0 && exists)
      x = load8<Type, Operand>(data, scales, index * Width + (first + column));
    ((float4 *)to)[0] = x.low;
    ((float4 *)to)[1] = x.high;
  }
}

/// Row stride of a tile whose rows are `Depth` floats that dot() reads: eight lanes then read
/// eight rows without bank conflicts.
__device__ constexpr int paddedDepth(int depth) { return depth + 4; }

template <int N> __device__ inline void clear(float (&sum)[4][N]) {
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int n = 0; n < N; ++n)
      sum[i][n] = 0;
}

/// sum[i][n] += dot(row r + 4i of a, row c + 8n of b) over Depth columns. `a` and `b` point to the
/// warp's first rows.
template <int N, int Depth>
__device__ inline void dot(float (&sum)[4][N], const float *a, const float *b) {
  constexpr int stride = paddedDepth(Depth);
  a += laneId() / 8 * stride;
  b += laneId() % 8 * stride;
  const float *end = a + Depth;
#pragma unroll 1
  for (; a != end; a += 4, b += 4) {
    float4 x[4];
#pragma unroll
    for (int i = 0; i < 4; ++i)
      x[i] = *(const float4 *)(a + i * 4 * stride);
#pragma unroll
    for (int n = 0; n < N; ++n) {
      float4 y = *(const float4 *)(b + n * 8 * stride);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        sum[i][n] = fmaf(x[i].x, y.x, sum[i][n]);
        sum[i][n] = fmaf(x[i].y, y.y, sum[i][n]);
        sum[i][n] = fmaf(x[i].z, y.z, sum[i][n]);
        sum[i][n] = fmaf(x[i].w, y.w, sum[i][n]);
      }
    }
  }
}

/// The first of the four adjacent columns that sum[.][4m .. 4m+3] of accumulate() belong to.
__device__ inline int laneColumn(int m) { return m * 32 + laneId() % 8 * 4; }

template <int N>
__device__ inline void accumulateRow(float (&sum)[4][N], const float (&x)[4], const float *row) {
#pragma unroll
  for (int m = 0; m < N / 4; ++m) {
    float4 y = *(const float4 *)(row + m * 32);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      sum[i][4 * m + 0] = fmaf(x[i], y.x, sum[i][4 * m + 0]);
      sum[i][4 * m + 1] = fmaf(x[i], y.y, sum[i][4 * m + 1]);
      sum[i][4 * m + 2] = fmaf(x[i], y.z, sum[i][4 * m + 2]);
      sum[i][4 * m + 3] = fmaf(x[i], y.w, sum[i][4 * m + 3]);
    }
  }
}

/// sum[i][4m + e] += sum over j < Depth of p[row r + 4i][j] * v[j][laneColumn(m) + e]. `p` points
/// to the warp's first row at column 0 of the sum, `v` to the warp's first column.
template <int N, int Depth, int StrideP, int StrideV>
__device__ inline void accumulate(float (&sum)[4][N], const float *p, const float *v) {
  p += laneId() / 8 * StrideP;
  v += laneColumn(0);
  const float *end = p + Depth;
#pragma unroll 1
  for (; p != end; p += 4, v += 4 * StrideV) {
    float4 x[4];
#pragma unroll
    for (int i = 0; i < 4; ++i)
      x[i] = *(const float4 *)(p + i * 4 * StrideP);
    accumulateRow<N>(sum, {x[0].x, x[1].x, x[2].x, x[3].x}, v);
    accumulateRow<N>(sum, {x[0].y, x[1].y, x[2].y, x[3].y}, v + StrideV);
    accumulateRow<N>(sum, {x[0].z, x[1].z, x[2].z, x[3].z}, v + 2 * StrideV);
    accumulateRow<N>(sum, {x[0].w, x[1].w, x[2].w, x[3].w}, v + 3 * StrideV);
  }
}

__device__ inline float warpMax(float x) {
#pragma unroll
  for (int step = 16; step; step /= 2)
    x = fmaxf(x, __shfl_xor_sync(~0u, x, step));
  return x;
}

__device__ inline float warpSum(float x) {
#pragma unroll
  for (int step = 16; step; step /= 2)
    x += __shfl_xor_sync(~0u, x, step);
  return x;
}

//===- msa_attention.cuh - one tile of exact attention --------------------===//
//
// What attention_split and dense_attention share: 32 query rows against a span
// of whole blocks, logits and P in shared memory. A CTA has four warps: two row
// groups of 16 times two column groups. All FP32 factors (softmax_scale, q and
// k scales) multiply the FP32 dot; V's multiplies the result (A3, N2).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa_paging.cuh"
#include "msa_tile.cuh"

constexpr int threads = 128;
constexpr int tileRows = 32;
constexpr int gqa = MSA_HEADS_QUERY / MSA_HEADS_KV;
constexpr float log2e = 1.44269504f;

__device__ inline float minusInfinity() { return __uint_as_float(0xff800000u); }

/// p as operand of the second product (N4): FP32 Q keeps it, E4M3 Q takes E4M3(448 p).
__device__ inline float roundedP(float p) {
  return roundTo<MSA_Q_TYPE>(MSA_Q_TYPE == E4M3 ? 448.0f * p : p);
}
/// The factor that roundedP() leaves in the second product.
constexpr float pFactor = MSA_Q_TYPE == E4M3 ? 448.0f : 1.0f;

__device__ inline float4 times(float4 x, float factor) {
  return {x.x * factor, x.y * factor, x.z * factor, x.w * factor};
}

// The operands of a kernel and their scales, where the plan's types have them. An FP32 scale is an
// array of one entry a KV head (N2, N3).
#if MSA_Q_TYPE == 3
#define MSA_Q_SCALE_PARAMETER const float *__restrict__ qScale,
#define MSA_Q_SCALE(head) qScale[head]
#else
#define MSA_Q_SCALE_PARAMETER
#define MSA_Q_SCALE(head) 1.0f
#endif
#if MSA_K_TYPE == 3 || MSA_K_TYPE == 4
#define MSA_K_SCALE_PARAMETER const float *__restrict__ kScale,
#define MSA_K_SCALE(head) kScale[head]
#else
#define MSA_K_SCALE_PARAMETER
#define MSA_K_SCALE(head) 1.0f
#endif
#if MSA_V_TYPE == 3 || MSA_V_TYPE == 4
#define MSA_V_SCALE_PARAMETER const float *__restrict__ vScale,
#define MSA_V_SCALE(head) vScale[head]
#else
#define MSA_V_SCALE_PARAMETER
#define MSA_V_SCALE(head) 1.0f
#endif
#if MSA_K_TYPE >= 4
#define MSA_K_BLOCK_SCALE_PARAMETER const U8 *__restrict__ kBlockScale,
#define MSA_K_BLOCK_SCALE kBlockScale
#else
#define MSA_K_BLOCK_SCALE_PARAMETER
#define MSA_K_BLOCK_SCALE nullptr
#endif
#if MSA_V_TYPE >= 4
#define MSA_V_BLOCK_SCALE_PARAMETER const U8 *__restrict__ vBlockScale,
#define MSA_V_BLOCK_SCALE vBlockScale
#else
#define MSA_V_BLOCK_SCALE_PARAMETER
#define MSA_V_BLOCK_SCALE nullptr
#endif
#define MSA_OPERAND_PARAMETERS                                                                     \
  const void *__restrict__ q, MSA_Q_SCALE_PARAMETER const void *__restrict__ k,                    \
      MSA_K_SCALE_PARAMETER MSA_K_BLOCK_SCALE_PARAMETER const void *__restrict__ v,                \
      MSA_V_SCALE_PARAMETER MSA_V_BLOCK_SCALE_PARAMETER const int *__restrict__ cuQ,               \
      const int *__restrict__ cuK, MSA_PAGE_TABLE_PARAMETER
/// An initialiser of Operands from these parameters.
#define MSA_OPERANDS(head)                                                                         \
  {q,                                                                                              \
   k,                                                                                              \
   v,                                                                                              \
   MSA_K_BLOCK_SCALE,                                                                              \
   MSA_V_BLOCK_SCALE,                                                                              \
   softmaxScale * MSA_Q_SCALE(head) * MSA_K_SCALE(head),                                           \
   MSA_V_SCALE(head)}

/// The operands and this KV head's factors.
struct Operands {
  const void *q, *k, *v;
  const U8 *kScales, *vScales; ///< block scales of 4-bit types
  float logitFactor;           ///< softmax_scale * q_scale * k_scale
  float valueFactor;           ///< v_scale

  /// exp(factor * (dot - maximum)), by exp2 of a base-2 logit.
  __device__ float weight(float dot, float maximum) const {
    return exp2f((dot - maximum) * logitFactor * log2e);
  }
};

/// The work of one CTA on a span of `Span` keys; aligned for its 16-byte accesses.
template <int Span> struct alignas(16) Tile {
  static constexpr int logitStride = Span + 4;
  /// Columns of head_dim, and keys of V, staged at once.
  static constexpr int depth = MSA_D % 32 == 0 && Span <= 128 ? 32 : 16;
  static constexpr int valueDepth = Span % 32 == 0 && Span <= 128 ? 32 : 16;
  static constexpr int depthStride = paddedDepth(depth);
  /// Columns a lane owns in each product, and columns that the two column groups cover.
  static constexpr int keysPerLane = Span >= 128 ? 8 : 4;
  static constexpr int keyTile = 16 * keysPerLane;
  static constexpr int valuesPerLane = MSA_D >= 128 ? 8 : 4;
  static constexpr int valueTile = 16 * valuesPerLane;
  static constexpr int valueTiles = ceilDiv(MSA_D, valueTile);
  static constexpr int paddedSpan = ceilDiv(Span, keyTile) * keyTile;

  float logits[tileRows * logitStride]; ///< raw dots, then P
  union {
    struct {
      float queries[tileRows * depthStride];
      float keys[keyTile * depthStride];
    } stage;
    float values[valueDepth * valueTile];
  };
  I64 keyRow[paddedSpan];
  I64 queryRow[tileRows];
  int lastKey[tileRows];     ///< last visible key of a row, counted from the span's first
  float rowFactor[tileRows]; ///< a factor on a row's sum of P V

  __device__ static int rowBase() { return warpId() % 2 * 16; }
  __device__ static int columnGroup() { return warpId() / 2; }

  /// Finds the rows of keys [firstKey, firstKey + Span) of a request; the padding has none.
  __device__ void findKeys(const KeyRows &rows, const Request &request, int head, int firstKey) {
#pragma unroll 1
    for (int j = threadIdx.x; j < paddedSpan; j += threads)
      keyRow[j] = j < Span ? rows(request, MSA_HEADS_KV, head, firstKey + j) : -1;
  }

  /// logits[row][key] = dot(q, k), raw, for the first `rows` rows.
  __device__ void computeDots(const Operands &in, int rows) {
    for (int first = 0; first < Span; first += keyTile) {
      int column = columnGroup() * 8 * keysPerLane;
      bool busy = rowBase() < rows && first + column < Span;
      float dots[4][keysPerLane];
      clear(dots);
      for (int d = 0; d < MSA_D; d += depth) {
        __syncthreads();
        stageRows<MSA_Q_TYPE, MSA_Q_TYPE, MSA_D, depth, depthStride, threads>(
            stage.queries, queryRow, wholeGroups(rows), in.q, nullptr, d);
        stageRows<MSA_K_TYPE, MSA_Q_TYPE, MSA_D, depth, depthStride, threads>(
            stage.keys, keyRow + first, keyTile, in.k, in.kScales, d);
        __syncthreads();
        if (busy)
          dot<keysPerLane, depth>(dots, stage.queries + rowBase() * depthStride,
                                  stage.keys + column * depthStride);
      }
      int key = first + column + laneId() % 8;
      float *out = logits + (rowBase() + laneId() / 8) * logitStride + key;
#pragma unroll
      for (int n = 0; n < keysPerLane; ++n)
        if (busy && key + 8 * n < Span)
#pragma unroll
          for (int i = 0; i < 4; ++i)
            out[i * 4 * logitStride + 8 * n] = dots[i][n];
    }
    __syncthreads();
  }

  /// The largest visible dot of keys [first, last] of a row; -inf when there is none. Warp-wide.
  __device__ float largestDot(int row, int first, int last) const {
    float best = minusInfinity();
    for (int j = first + laneId(); j <= last; j += 32)
      best = fmaxf(best, logits[row * logitStride + j]);
    return warpMax(best);
  }

  /// Replaces a row of dots by P relative to `top`, zero where the row may not look; returns the
  /// sum of the unrounded weights. Warp-wide.
  __device__ float exponentiate(const Operands &in, int row, float top) {
    float total = 0;
    for (int j = laneId(); j < Span; j += 32) {
      float &cell = logits[row * logitStride + j];
      float p = j <= lastKey[row] ? in.weight(cell, top) : 0;
      total += p;
      cell = roundedP(p);
    }
    return warpSum(total);
  }

  /// out += P V over the span for one tile of columns. Rows of V that are no keys count as zero
  /// (P4).
  __device__ void addValues(const Operands &in, int rows, int tile,
                            float (&out)[4][valuesPerLane]) {
    int column = columnGroup() * 8 * valuesPerLane;
    bool busy = rowBase() < rows && tile * valueTile + column < MSA_D;
    for (int j = 0; j < Span; j += valueDepth) {
      __syncthreads();
      stageRows<MSA_V_TYPE, MSA_Q_TYPE, MSA_D, valueTile, valueTile, threads>(
          values, keyRow + j, valueDepth, in.v, in.vScales, tile * valueTile);
      __syncthreads();
      if (busy)
        accumulate<valuesPerLane, valueDepth, logitStride, valueTile>(
            out, logits + rowBase() * logitStride + j, values + column);
    }
  }

  /// Multiplies each row of a tile of columns by its factor; rows beyond `rows` are no one's.
  __device__ static void scaleRows(float (&out)[4][valuesPerLane], const float *factor, int rows) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      int row = rowBase() + laneId() / 8 + 4 * i;
      float x = row < rows ? factor[row] : 0;
#pragma unroll
      for (int n = 0; n < valuesPerLane; ++n)
        out[i][n] *= x;
    }
  }

  /// Calls store(row, column, four values) for each quadruple of a tile of columns that exists.
  template <typename Store>
  __device__ static void forEachQuad(int rows, int tile, const float (&out)[4][valuesPerLane],
                                     const Store &store) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      int row = rowBase() + laneId() / 8 + 4 * i;
#pragma unroll
      for (int m = 0; m < valuesPerLane / 4; ++m) {
        int column = tile * valueTile + columnGroup() * 8 * valuesPerLane + laneColumn(m);
        if (row < rows && column < MSA_D)
          store(row, column,
                float4{out[i][4 * m], out[i][4 * m + 1], out[i][4 * m + 2], out[i][4 * m + 3]});
      }
    }
  }
};

//===- index_scores.cu - block maxima of the index branch (clauses I1, I2) ===//
//
// score[h, q, b] = max over the keys of block b of dot(index_q[q, h], index_k),
// for every block before the query's own. A CTA takes a tile of query tokens
// with all the heads that share one key head (rows), and one span of whole
// blocks (columns): keys are converted once and serve every row.
//
// Grid: (token tiles, spans, key heads); spans beyond the grid are strided over.
//
//===----------------------------------------------------------------------===//
#include "msa_paging.cuh"
#include "msa_tile.cuh"

constexpr int threads = 256;
constexpr int sharing = MSA_HEADS_INDEX / MSA_HEADS_INDEX_KV; ///< query heads of a key head
constexpr int blocksPerSpan = MSA_B < 128 ? 128 / MSA_B : 1;
constexpr int spanKeys = blocksPerSpan * MSA_B;
/// Rows of a tile and keys of a span, padded to what eight warps of 16 x 64 cover.
constexpr int tileRows = MSA_TILE_ROWS, tileTokens = MSA_TILE_TOKENS;
constexpr int tileKeys = threads / 32 * 16 / tileRows * 64;
static_assert(spanKeys <= tileKeys, "the warps must cover a span");
constexpr int depth = MSA_D_INDEX % 32 == 0 ? 32 : 16;
constexpr int depthStride = paddedDepth(depth);
constexpr int dotStride = tileKeys + 4;

struct alignas(16) Shared {
  union {
    struct {
      float queries[tileRows * depthStride];
      float keys[tileKeys * depthStride];
    } stage;
    float dots[tileRows * dotStride];
  };
  I64 queryRow[tileRows], keyRow[tileKeys];
};

/// Dots of rows [0, rows) with the span's keys, into shared.dots.
__device__ inline void computeDots(Shared &shared, int rows, const void *queries, const void *keys,
                                   const U8 *keyScales) {
  constexpr int rowGroups = tileRows / 16;
  int rowBase = warpId() % rowGroups * 16, keyBase = warpId() / rowGroups * 64;
  bool busy = rowBase < rows && keyBase < spanKeys;
  float sum[4][8];
  clear(sum);
  for (int d = 0; d < MSA_D_INDEX; d += depth) {
    __syncthreads();
    stageRows<MSA_INDEX_Q_TYPE, MSA_INDEX_Q_TYPE, MSA_D_INDEX, depth, depthStride, threads>(
        shared.stage.queries, shared.queryRow, wholeGroups(rows), queries, nullptr, d);
    stageRows<MSA_INDEX_K_TYPE, MSA_INDEX_Q_TYPE, MSA_D_INDEX, depth, depthStride, threads>(
        shared.stage.keys, shared.keyRow, tileKeys, keys, keyScales, d);
    __syncthreads();
    if (busy)
      dot<8, depth>(sum, shared.stage.queries + rowBase * depthStride,
                    shared.stage.keys + keyBase * depthStride);
  }
  __syncthreads();
  float *out = shared.dots + (rowBase + laneId() / 8) * dotStride + keyBase + laneId() % 8;
  if (busy)
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
      for (int n = 0; n < 8; ++n)
        out[i * 4 * dotStride + n * 8] = sum[i][n];
  __syncthreads();
}

/// The largest dot of one row and block; NaN loses against any number (I1).
__device__ inline float blockMaximum(const float *dots) {
  float best = __uint_as_float(0x7fffffffu);
#pragma unroll 1
  for (int j = 0; j < MSA_B; j += 4) {
    float4 x = *(const float4 *)(dots + j);
    best = fmaxf(best, fmaxf(fmaxf(x.x, x.y), fmaxf(x.z, x.w)));
  }
  return best;
}

#if MSA_INDEX_K_TYPE == 4 || MSA_INDEX_K_TYPE == 5
#define MSA_KEY_SCALES_PARAMETER const U8 *__restrict__ keyScales,
#define MSA_KEY_SCALES keyScales
#else
#define MSA_KEY_SCALES_PARAMETER
#define MSA_KEY_SCALES nullptr
#endif

extern "C" __global__ void __launch_bounds__(threads, 1)
    msa_index_scores(const void *__restrict__ queries, const void *__restrict__ keys,
                     MSA_KEY_SCALES_PARAMETER const int *__restrict__ cuQ,
                     const int *__restrict__ cuK,
                     MSA_PAGE_TABLE_PARAMETER float *__restrict__ scores,
                     MSA_STATUS_PARAMETER int requests, int maxPages, int pages, int scoreStride,
                     int slabBegin, int slab) {
  __shared__ Shared shared;
  KeyRows keyRows = {MSA_PAGE_TABLE, maxPages, MSA_STATUS, pages};
  int keyHead = blockIdx.z, firstHead = keyHead * sharing;
  int begin = blockIdx.x * tileTokens, end = min(slab, begin + tileTokens);

  // A tile may hold the tokens of several requests: one segment each.
  for (int segmentEnd; begin < end; begin = segmentEnd) {
    Request request = requestOf(cuQ, cuK, requests, slabBegin + begin);
    segmentEnd = min(end, request.endQuery - slabBegin);
    if (segmentEnd <= begin)
      break;
    int rowsInAll = (segmentEnd - begin) * sharing;
    int blocks = localBlock(request.position(slabBegin + segmentEnd - 1)); // scored by any (I2)

    for (int first = blockIdx.y * blocksPerSpan; first < blocks;
         first += gridDim.y * blocksPerSpan) {
      __syncthreads();
#pragma unroll 1
      for (int j = threadIdx.x; j < tileKeys; j += threads)
        shared.keyRow[j] =
            j < spanKeys ? keyRows(request, MSA_HEADS_INDEX_KV, keyHead, first * MSA_B + j) : -1;

      for (int row0 = 0; row0 < rowsInAll; row0 += tileRows) {
        int rows = min(tileRows, rowsInAll - row0);
        __syncthreads();
#pragma unroll 1
        for (int i = threadIdx.x; i < tileRows; i += threads)
          shared.queryRow[i] =
              i < rows ? (I64)(slabBegin + begin + (row0 + i) / sharing) * MSA_HEADS_INDEX +
                             firstHead + (row0 + i) % sharing
                       : -1;
        computeDots(shared, rows, queries, keys, MSA_KEY_SCALES);

#pragma unroll 1
        for (int i = threadIdx.x; i < rows * blocksPerSpan; i += threads) {
          int row = i / blocksPerSpan, block = i % blocksPerSpan;
          int token = begin + (row0 + row) / sharing, head = firstHead + (row0 + row) % sharing;
          if (first + block < localBlock(request.position(slabBegin + token)))
            scores[((I64)head * slab + token) * scoreStride + first + block] =
                blockMaximum(shared.dots + row * dotStride + block * MSA_B);
        }
      }
    }
  }
}

//===- dense_attention.cu - attention over every visible block (A5) -------===//
//
// A CTA owns a tile of query rows (tokens times the G heads of one KV head) and
// walks the keys in spans of whole blocks with a running maximum. With
// MSA_BLOCK_MAXIMA it also writes each block's largest raw dot.
//
// Grid: (token tiles x head tiles, KV heads).
//
//===----------------------------------------------------------------------===//
#include "msa_attention.cuh"

constexpr int blocksPerSpan = MSA_B < 128 ? 128 / MSA_B : 1;
constexpr int spanKeys = blocksPerSpan * MSA_B;
/// Heads and tokens of a tile: with more than 32 heads a group is cut into head tiles.
constexpr int tileHeads = smaller(gqa, tileRows);
constexpr int headTiles = ceilDiv(gqa, tileHeads);
constexpr int tileTokens = tileRows / tileHeads;

using SpanTile = Tile<spanKeys>;

/// Running state of a row: its maximum dot and the sum of weights relative to it.
struct RowState {
  float maximum[tileRows], sum[tileRows];
};

/// Writes the largest visible dot of each block of the span (A5). Warp-wide.
__device__ inline void writeMaxima(const SpanTile &tile, int row, int firstBlock, float *scores) {
  for (int b = 0; b < blocksPerSpan; ++b) {
    int first = b * MSA_B, last = min(tile.lastKey[row], first + MSA_B - 1);
    float top = tile.largestDot(row, first, last);
    if (laneId() == 0 && first <= last)
      scores[firstBlock + b] = top;
  }
}

/// Dots to P for every row, and each row's factor on what was summed before.
__device__ inline void onlineSoftmax(SpanTile &tile, RowState &state, const Operands &in,
                                     int rows) {
#pragma unroll 1
  for (int row = warpId(); row < rows; row += threads / 32) {
    float before = state.maximum[row];
    float top = fmaxf(before, tile.largestDot(row, 0, min(tile.lastKey[row], spanKeys - 1)));
    float sum = tile.exponentiate(in, row, top);
    if (laneId() == 0) {
      // -inf: nothing was summed yet. Nothing visible so far: nothing to correct.
      float correction = before == minusInfinity() ? 0 : in.weight(before, top);
      tile.rowFactor[row] = correction;
      state.sum[row] = state.sum[row] * correction + sum;
      state.maximum[row] = top;
    }
    __syncwarp();
  }
  __syncthreads();
}

extern "C" __global__ void __launch_bounds__(threads, 1)
    msa_dense_attention(MSA_OPERAND_PARAMETERS void *__restrict__ o, float *__restrict__ lse,
#if MSA_BLOCK_MAXIMA
                        float *__restrict__ scores,
#endif
                        MSA_STATUS_PARAMETER float softmaxScale, int requests, int maxBlocks,
                        int maxPages, int pages, int tokens) {
  __shared__ SpanTile tile;
  __shared__ RowState state;
  int head = blockIdx.y, firstGroup = blockIdx.x % headTiles * tileHeads;
  int heads = min(tileHeads, gqa - firstGroup);
  int begin = blockIdx.x / headTiles * tileTokens, end = min(tokens, begin + tileTokens);
  Operands in = MSA_OPERANDS(head);
  KeyRows keyRows = {MSA_PAGE_TABLE, maxPages, MSA_STATUS, pages};

  // A tile may hold the tokens of several requests: one segment each.
  for (int segmentEnd; begin < end; begin = segmentEnd) {
    Request request = requestOf(cuQ, cuK, requests, begin);
    segmentEnd = min(end, request.endQuery);
    if (segmentEnd <= begin)
      break;
    int rows = (segmentEnd - begin) * heads;
    auto headOf = [&](int row) { return head * gqa + firstGroup + row % heads; };
    auto tokenOf = [&](int row) { return begin + row / heads; };
    __syncthreads();
#pragma unroll 1
    for (int i = threadIdx.x; i < tileRows; i += threads) {
      tile.queryRow[i] = i < rows ? (I64)tokenOf(i) * MSA_HEADS_QUERY + headOf(i) : -1;
      state.maximum[i] = minusInfinity();
      state.sum[i] = 0;
    }

    float out[SpanTile::valueTiles][4][SpanTile::valuesPerLane];
#pragma unroll
    for (int c = 0; c < SpanTile::valueTiles; ++c)
      clear(out[c]);
    int lastPosition = request.position(segmentEnd - 1);
    for (int firstKey = 0; firstKey <= lastPosition; firstKey += spanKeys) {
      __syncthreads();
      tile.findKeys(keyRows, request, head, firstKey);
#pragma unroll 1
      for (int i = threadIdx.x; i < rows; i += threads)
        tile.lastKey[i] = request.position(tokenOf(i)) - firstKey;
      tile.computeDots(in, rows);
#if MSA_BLOCK_MAXIMA
#pragma unroll 1
      for (int row = warpId(); row < rows; row += threads / 32)
        writeMaxima(tile, row, firstKey / MSA_B,
                    scores + ((I64)headOf(row) * tokens + tokenOf(row)) * maxBlocks);
#endif
      onlineSoftmax(tile, state, in, rows);
#pragma unroll
      for (int c = 0; c < SpanTile::valueTiles; ++c) {
        SpanTile::scaleRows(out[c], tile.rowFactor, rows);
        tile.addValues(in, rows, c, out[c]);
      }
    }

    __syncthreads();
#pragma unroll 1
    for (int i = threadIdx.x; i < rows; i += threads) {
      float sum = state.sum[i]; // zero: no visible key (A2)
      tile.rowFactor[i] = sum == 0 ? 0 : in.valueFactor / (pFactor * sum);
      lse[tile.queryRow[i]] =
          sum == 0 ? minusInfinity() : state.maximum[i] * in.logitFactor + logf(sum);
    }
    __syncthreads();
#pragma unroll
    for (int c = 0; c < SpanTile::valueTiles; ++c)
      SpanTile::forEachQuad(rows, c, out[c], [&](int row, int column, float4 x) {
        store4<MSA_O_TYPE>(o, tile.queryRow[row] * MSA_D + column, times(x, tile.rowFactor[row]));
      });
  }
}

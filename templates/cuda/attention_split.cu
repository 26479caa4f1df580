//===- attention_split.cu - partial attention, one block a CTA (A1 to A4) --===//
//
// One CTA takes one item of the gather plan: a block of one KV head and up to
// MSA_CHUNK entries of its list. All G heads of the entries are rows; 32 rows at
// a time meet the block. A row's softmax is local to the block: it writes a
// normalised partial O (V's scale included) and its LSE to the entry's slot.
//
// Grid: (items, KV heads).
//
//===----------------------------------------------------------------------===//
#include "msa_attention.cuh"

using BlockTile = Tile<MSA_B>;

extern "C" __global__ void __launch_bounds__(threads, 1)
    msa_attention_split(MSA_OPERAND_PARAMETERS const int *__restrict__ planEntries,
                        const int4 *__restrict__ planItems, void *__restrict__ partialO,
                        float *__restrict__ partialLse, MSA_STATUS_PARAMETER float softmaxScale,
                        int maxPages, int pages, int items, int slabBegin, int slab) {
  __shared__ BlockTile tile;
  __shared__ I64 partialRow[tileRows]; ///< index of a row's partial O and LSE
  int head = blockIdx.y;
  int4 item = planItems[(I64)head * items + blockIdx.x];
  int count = item.w;
  if (count == 0)
    return;
  Operands in = MSA_OPERANDS(head);
  KeyRows keyRows = {MSA_PAGE_TABLE, maxPages, MSA_STATUS, pages};
  Request request = requestAt(cuQ, cuK, item.x);
  int firstKey = item.y * MSA_B, rowsInAll = count * gqa;
  const int *entries = planEntries + (I64)head * slab * MSA_K + item.z;
  tile.findKeys(keyRows, request, head, firstKey);

  for (int row0 = 0; row0 < rowsInAll; row0 += tileRows) {
    int rows = min(tileRows, rowsInAll - row0);
    __syncthreads();
#pragma unroll 1
    for (int i = threadIdx.x; i < tileRows; i += threads) {
      tile.queryRow[i] = -1;
      if (i >= rows)
        continue;
      int entry = entries[(row0 + i) / gqa], group = (row0 + i) % gqa;
      int token = entry / MSA_K, slot = entry % MSA_K;
      tile.queryRow[i] = (I64)(slabBegin + token) * MSA_HEADS_QUERY + head * gqa + group;
      tile.lastKey[i] = request.position(slabBegin + token) - firstKey;
      partialRow[i] = (((I64)token * MSA_HEADS_KV + head) * MSA_K + slot) * gqa + group;
    }
    tile.computeDots(in, rows);

#pragma unroll 1
    for (int row = warpId(); row < rows; row += threads / 32) {
      float top = tile.largestDot(row, 0, min(tile.lastKey[row], MSA_B - 1));
      float sum = tile.exponentiate(in, row, top);
      if (laneId() == 0) {
        tile.rowFactor[row] = in.valueFactor / (pFactor * sum);
        partialLse[partialRow[row]] = top * in.logitFactor + logf(sum);
      }
    }
    for (int columns = 0; columns < BlockTile::valueTiles; ++columns) {
      float out[4][BlockTile::valuesPerLane];
      clear(out);
      tile.addValues(in, rows, columns, out);
      BlockTile::forEachQuad(rows, columns, out, [&](int row, int column, float4 x) {
        store4<MSA_PARTIAL_TYPE>(partialO, partialRow[row] * MSA_D + column,
                                 times(x, tile.rowFactor[row]));
      });
    }
  }
}

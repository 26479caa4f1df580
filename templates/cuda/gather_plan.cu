//===- gather_plan.cu - the selection turned into lists of queries --------===//
//
// For each (head, request, block) the list of query tokens that selected it, as
// CSR, and the work items that attention_split walks: at most MSA_CHUNK entries
// of one list each. An entry is token * k + slot, the slot as A1 says; lists
// ascend, whatever the timing. One CTA owns one (request, head), so nothing
// crosses CTAs. docs/kernels.md describes the arrays.
//
// Grid: (requests, heads).
//
//===----------------------------------------------------------------------===//
#include "msa_paging.cuh"
#include "msa_tile.cuh"

constexpr int threads = 256;
constexpr int tileTokens = 32;

constexpr int noBlock = 0x7fffffff;

/// A tile of tokens: each list as read, the same with everything that does not count replaced by
/// noBlock, then its distinct valid ids ascending (the index is the slot) and their number.
struct Tile {
  int raw[tileTokens][MSA_K];
  int valid[tileTokens][MSA_K];
  int sorted[tileTokens][MSA_K];
  int count[tileTokens];
};

/// One CTA's share of the selection: tokens [begin, end) of the slab, one head.
struct Lists {
  const int *selection;
  Request request;
  int head, begin, end, slabBegin, selectionBegin, selectionTokens;
  int *status;

  /// Loads tokens [first, first + tileTokens) of the slab, cut at `end`; returns how many.
  __device__ int load(Tile &tile, int first) const {
    int tokens = min(tileTokens, end - first);
    __syncthreads();
#pragma unroll 1
    for (int i = threadIdx.x; i < tokens * MSA_K; i += threads) {
      int token = slabBegin + first + i / MSA_K;
      I64 row = selectionRow(head, token - selectionBegin, MSA_HEADS_KV, selectionTokens);
      tile.raw[i / MSA_K][i % MSA_K] = selection[row * MSA_K + i % MSA_K];
    }
#pragma unroll 1
    for (int i = threadIdx.x; i < tokens; i += threads)
      tile.count[i] = 0;
    __syncthreads();
#pragma unroll 1
    for (int i = threadIdx.x; i < tokens * MSA_K; i += threads) {
      int row = i / MSA_K, slot = i % MSA_K, token = slabBegin + first + row;
      const int *ids = tile.raw[row];
      int local = localBlock(request.position(token));
#if MSA_CHECKED
      checkId(status, ids, slot, local, head, token);
#endif
      tile.valid[row][slot] = isFirstValid(ids, slot, local) ? ids[slot] : noBlock;
    }
    __syncthreads();
#pragma unroll 1
    for (int i = threadIdx.x; i < tokens * MSA_K; i += threads) {
      const int *ids = tile.valid[i / MSA_K];
      int id = ids[i % MSA_K], slot = 0;
      if (id == noBlock)
        continue;
#pragma unroll 4
      for (int other = 0; other < MSA_K; ++other)
        slot += ids[other] < id;
      tile.sorted[i / MSA_K][slot] = id;
      atomicAdd(&tile.count[i / MSA_K], 1);
    }
    __syncthreads();
    return tokens;
  }
};

/// How many tokens of the tile before `token` selected `block`.
__device__ inline int earlierTokens(const Tile &tile, int token, int block) {
  int earlier = 0;
#pragma unroll 1
  for (int t = 0; t < token; ++t) {
    int low = 0, high = tile.count[t];
    while (low < high) {
      int middle = (low + high) / 2;
      if (tile.sorted[t][middle] < block)
        low = middle + 1;
      else
        high = middle;
    }
    earlier += low < tile.count[t] && tile.sorted[t][low] == block;
  }
  return earlier;
}

/// Sum of `x` over the threads before this one; `total` gets the sum over all.
__device__ inline U64 exclusiveSum(U64 x, U64 &total) {
  __shared__ U64 warpTotal[threads / 32];
  U64 sum = x;
#pragma unroll 1
  for (int step = 1; step < 32; step *= 2) {
    U64 other = __shfl_up_sync(~0u, sum, step);
    if (laneId() >= step)
      sum += other;
  }
  if (laneId() == 31)
    warpTotal[warpId()] = sum;
  __syncthreads();
  U64 before = 0;
  total = 0;
#pragma unroll 1
  for (int w = 0; w < threads / 32; ++w) {
    if (w < warpId())
      before += warpTotal[w];
    total += warpTotal[w];
  }
  __syncthreads();
  return before + sum - x;
}

/// Turns the counts in offsets[b + 1] into the begin of list b, and writes the items of every list
/// at items[0...]; returns how many items there are.
__device__ inline int layOut(int *offsets, int maxBlocks, int base, int request, int4 *items) {
  U64 done = 0; // items in the high word, entries in the low word
#pragma unroll 1
  for (int first = 0; first < maxBlocks; first += threads) {
    int block = first + threadIdx.x;
    U32 count = block < maxBlocks ? offsets[block + 1] : 0;
    U64 total,
        here = done + exclusiveSum((U64)((count + MSA_CHUNK - 1) / MSA_CHUNK) << 32 | count, total);
    int begin = base + (int)(U32)here;
    int4 *out = items + (here >> 32);
    if (block < maxBlocks)
      offsets[block + 1] = begin;
#pragma unroll 1
    for (U32 i = 0; i < count; i += MSA_CHUNK)
      *out++ = {request, block, begin + (int)i, (int)min(count - i, (U32)MSA_CHUNK)};
    done += total;
  }
  __syncthreads();
  return (int)(done >> 32);
}

extern "C" __global__ void __launch_bounds__(threads, 1)
    msa_gather_plan(const int *__restrict__ selection, const int *__restrict__ cuQ,
                    const int *__restrict__ cuK, int *planOffsets, int *planEntries,
                    int4 *planItems, MSA_STATUS_PARAMETER int requests, int maxBlocks, int items,
                    int slabBegin, int slab, int selectionBegin, int selectionTokens) {
  __shared__ Tile tile;
  int head = blockIdx.y, index = blockIdx.x;
  Request request = requestAt(cuQ, cuK, index);
  int begin = min(max(request.firstQuery - slabBegin, 0), slab);
  int end = min(max(request.endQuery - slabBegin, 0), slab);
  Lists lists = {selection,      request,         head,      begin, end, slabBegin,
                 selectionBegin, selectionTokens, MSA_STATUS};
  int *offsets = planOffsets + ((I64)head * requests + index) * (maxBlocks + 1);
  int *entries = planEntries + (I64)head * slab * MSA_K;
  int4 *allItems = planItems + (I64)head * items;
  int firstItem = index * (maxBlocks + 1) + begin * MSA_K / MSA_CHUNK;
  int endItem =
      index + 1 == requests ? items : (index + 1) * (maxBlocks + 1) + end * MSA_K / MSA_CHUNK;

  // offsets[b + 1] is the length of list b, then its begin, then (every entry stored) its end: the
  // first pass counts, the second stores.
#pragma unroll 1
  for (int b = threadIdx.x; b <= maxBlocks; b += threads)
    offsets[b] = b == 0 ? begin * MSA_K : 0;
  for (int pass = 0; pass < 2; ++pass) {
    for (int first = begin; first < end; first += tileTokens) {
      int tokens = lists.load(tile, first);
#pragma unroll 1
      for (int i = threadIdx.x; pass == 1 && i < tokens * MSA_K; i += threads) {
        int row = i / MSA_K, slot = i % MSA_K, block = tile.sorted[row][slot];
        if (slot < tile.count[row])
          entries[offsets[block + 1] + earlierTokens(tile, row, block)] =
              (first + row) * MSA_K + slot;
      }
      __syncthreads();
#pragma unroll 1
      for (int i = threadIdx.x; i < tokens * MSA_K; i += threads)
        if (i % MSA_K < tile.count[i / MSA_K])
          atomicAdd(&offsets[tile.sorted[i / MSA_K][i % MSA_K] + 1], 1);
    }
    __syncthreads();
    if (pass == 1)
      break;
    int used = layOut(offsets, maxBlocks, begin * MSA_K, index, allItems + firstItem);
#pragma unroll 1
    for (int i = firstItem + used + threadIdx.x; i < endItem; i += threads)
      allItems[i] = {0, 0, 0, 0};
  }
}

//===- topk_select.cu - exact top-k of block scores (clauses T1 to T4) ----===//
//
// One warp a row (head, query token). A score becomes a 64-bit rank: the high
// word orders floats exactly as T3 does, the low word prefers lower ids. The
// best ranks live sorted across the lanes (two a lane above 32); a vector of 32
// candidates is rejected by one comparison with the last of them.
//
// Grid: (rows / 4, heads); 4 warps a CTA.
//
//===----------------------------------------------------------------------===//
#include "msa_paging.cuh"
#include "msa_tile.cuh"

constexpr int rowsPerCta = 4;
/// Places that scores decide: neither the local block's nor the forced ones (T2).
constexpr int places = MSA_K - 1 - MSA_FORCE_FIRST;
constexpr bool wide = places > 32;

/// Equal scores: the lower id is preferred. Its own inverse.
__device__ inline U32 preference(U32 id) { return ~id; }

/// Order of T3: a larger number ranks higher. -0 equals +0, NaN is lowest; integers only, so
/// denormals count.
__device__ inline U64 rankOf(float score, int id) {
  U32 u = __float_as_uint(score);
  if (u == 0x80000000u)
    u = 0;
  U32 order = u & 0x80000000u ? ~u : u | 0x80000000u;
  if (isNan(score))
    order = 0;
  return (U64)order << 32 | preference(id);
}

__device__ inline int idOf(U64 rank) { return (int)preference((U32)rank); }

/// The best ranks so far, descending: place p in lane p % 32; 0 is an empty place.
struct Best {
  U64 low = 0, high = 0;

  __device__ U64 at(int place) const {
    U64 fromLow = __shfl_sync(~0u, low, place % 32);
    if (!wide)
      return fromLow;
    U64 fromHigh = __shfl_sync(~0u, high, place % 32);
    return place < 32 ? fromLow : fromHigh;
  }

  /// Puts `rank` in its place and drops the last.
  __device__ void insert(U64 rank) {
    int lane = laneId();
    int place = __popc(__ballot_sync(~0u, low > rank));
    if (wide) {
      place += __popc(__ballot_sync(~0u, high > rank));
      U64 above = __shfl_up_sync(~0u, high, 1), carried = __shfl_sync(~0u, low, 31);
      if (32 + lane > place)
        high = lane == 0 ? carried : above;
      else if (32 + lane == place)
        high = rank;
    }
    U64 above = __shfl_up_sync(~0u, low, 1);
    if (lane > place)
      low = above;
    else if (lane == place)
      low = rank;
  }
};

/// The `places` best of candidates [MSA_FORCE_FIRST, local).
__device__ inline Best chooseBest(const float *scores, int local) {
  Best best;
  U64 last = 0;
  for (int base = MSA_FORCE_FIRST; base < local; base += 32) {
    int id = base + laneId();
    U64 rank = id < local ? rankOf(scores[id], id) : 0;
    U32 better = __ballot_sync(~0u, rank > last);
    while (better) {
      U64 candidate = __shfl_sync(~0u, rank, __ffs(better) - 1);
      better &= better - 1;
      if (candidate > last) {
        best.insert(candidate);
        last = best.at(places - 1);
      }
    }
  }
  return best;
}

/// Writes one half of the chosen ids to their ascending places after the forced ones.
__device__ inline void writeAscending(const Best &best, U64 mine, bool used, int *out) {
  int id = idOf(mine), smallerIds = 0;
#pragma unroll 1
  for (int place = 0; place < places; ++place)
    smallerIds += idOf(best.at(place)) < id;
  if (used)
    out[MSA_FORCE_FIRST + smallerIds] = id;
}

extern "C" __global__ void __launch_bounds__(32 * rowsPerCta, 1)
    msa_topk_select(const float *__restrict__ scores, const int *__restrict__ cuQ,
                    const int *__restrict__ cuK, int *__restrict__ selection,
                    MSA_STATUS_PARAMETER int requests, int scoreStride, int slabBegin, int slab,
                    int selectionBegin, int selectionTokens) {
  int row = blockIdx.x * rowsPerCta + warpId(), head = blockIdx.y, lane = laneId();
  if (row >= slab)
    return;
  int token = slabBegin + row;
  int local = localBlock(requestOf(cuQ, cuK, requests, token).position(token));
  int *out = selection +
             selectionRow(head, token - selectionBegin, MSA_HEADS_INDEX, selectionTokens) * MSA_K;

  if (local < MSA_K) { // every visible block is chosen (T1)
#pragma unroll 1
    for (int slot = lane; slot < MSA_K; slot += 32)
      out[slot] = slot <= local ? slot : -1;
    return;
  }
#pragma unroll 1
  for (int slot = lane; slot < MSA_FORCE_FIRST; slot += 32)
    out[slot] = slot;
  if (lane == 0)
    out[MSA_K - 1] = local;
  if (places > 0) {
    Best best = chooseBest(scores + ((I64)head * slab + row) * scoreStride, local);
    writeAscending(best, best.low, lane < places, out);
    if (wide)
      writeAscending(best, best.high, 32 + lane < places, out);
  }
}

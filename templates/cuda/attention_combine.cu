//===- attention_combine.cu - partials of a query merged (clause A4) ------===//
//
// O = sum over the used slots of exp(LSE_s - LSE) * partial O, in ascending
// slots and FP32. A list with n distinct valid ids uses slots 0 to n - 1 (A1);
// the others, and slots whose LSE is -inf, are not read into the sum.
//
// Grid: (tokens of the slab, KV heads); a warp a query head.
//
//===----------------------------------------------------------------------===//
#include "msa_paging.cuh"
#include "msa_tile.cuh"

constexpr int threads = 128;
constexpr int gqa = MSA_HEADS_QUERY / MSA_HEADS_KV;
constexpr float log2e = 1.44269504f;

/// exp(lse - top); slot `lane` and slot 32 + `lane` of a row in one warp.
struct Weights {
  float low, high;

  __device__ float at(int slot) const {
    float fromLow = __shfl_sync(~0u, low, slot % 32);
    if (MSA_K <= 32)
      return fromLow;
    float fromHigh = __shfl_sync(~0u, high, slot % 32);
    return slot < 32 ? fromLow : fromHigh;
  }
};

extern "C" __global__ void __launch_bounds__(threads, 1)
    msa_attention_combine(const void *__restrict__ partialO, const float *__restrict__ partialLse,
                          const int *__restrict__ selection, const int *__restrict__ cuQ,
                          const int *__restrict__ cuK, void *__restrict__ o,
                          float *__restrict__ lse, MSA_STATUS_PARAMETER int requests, int slabBegin,
                          int slab, int selectionBegin, int selectionTokens) {
  __shared__ int ids[MSA_K];
  int row = blockIdx.x, token = slabBegin + row, head = blockIdx.y, lane = laneId();
  const int *list =
      selection + selectionRow(head, token - selectionBegin, MSA_HEADS_KV, selectionTokens) * MSA_K;
  for (int slot = threadIdx.x; slot < MSA_K; slot += threads)
    ids[slot] = list[slot];
  int local = localBlock(requestOf(cuQ, cuK, requests, token).position(token));
  __syncthreads();
  int used = __syncthreads_count(threadIdx.x < MSA_K && isFirstValid(ids, threadIdx.x, local));
#if MSA_CHECKED
  if (threadIdx.x < MSA_K)
    checkId(status, ids, threadIdx.x, local, head, token);
#endif

  const float minusInfinity = __uint_as_float(0xff800000u);
  for (int group = warpId(); group < gqa; group += threads / 32) {
    I64 slots = ((I64)row * MSA_HEADS_KV + head) * MSA_K;
    float low = lane < used ? partialLse[(slots + lane) * gqa + group] : minusInfinity;
    float high = 32 + lane < used ? partialLse[(slots + 32 + lane) * gqa + group] : minusInfinity;
    float top = warpMax(fmaxf(low, high));
    // Nothing to weigh: every weight is zero, and so is O.
    float base = top == minusInfinity ? 0 : top;
    Weights weights = {exp2f((low - base) * log2e), exp2f((high - base) * log2e)};
    float sum = warpSum(weights.low + weights.high);
    float scale = sum == 0 ? 0 : 1 / sum;
    I64 query = (I64)token * MSA_HEADS_QUERY + head * gqa + group;
    if (lane == 0)
      lse[query] = top + logf(sum);

#pragma unroll 1
    for (int column = lane * 4; column - lane * 4 < MSA_D; column += 128) {
      float4 total = {0, 0, 0, 0};
      for (int slot = 0; slot < used; ++slot) {
        float weight = weights.at(slot) * scale;
        if (weight == 0 || column >= MSA_D)
          continue; // never multiplied by zero: such a partial may hold anything
        float4 x =
            load4<MSA_PARTIAL_TYPE>(partialO, ((slots + slot) * gqa + group) * MSA_D + column);
        total.x = fmaf(weight, x.x, total.x);
        total.y = fmaf(weight, x.y, total.y);
        total.z = fmaf(weight, x.z, total.z);
        total.w = fmaf(weight, x.w, total.w);
      }
      if (column < MSA_D)
        store4<MSA_O_TYPE>(o, query * MSA_D + column, total);
    }
  }
}

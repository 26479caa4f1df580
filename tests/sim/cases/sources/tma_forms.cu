// Boxes of one to five dimensions in every swizzle, partly outside, to both CTAs of a pair; stores and reductions of them.
#include "common.cuh"

struct alignas(64) Map { char bytes[128]; };
#define LOAD(rank, coords, ...)                                                                                                    \
  asm volatile("cp.async.bulk.tensor." #rank "d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster.L2::cache_hint [%0], [%1, " coords "], [%2], %3, %4;" \
               ::"r"(to), "l"(map), "r"(bar), "h"(static_cast<uint16_t>(3)), "l"(policy), __VA_ARGS__ : "memory")

__device__ __forceinline__ void load(int which, const Map *map, uint32_t to, uint32_t bar, uint64_t policy) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
  if (which == 0)
    LOAD(1, "{%5}", "r"(90));
  else if (which == 1)
    LOAD(2, "{%5, %6}", "r"(-8), "r"(3));
  else if (which == 2)
    LOAD(3, "{%5, %6, %7}", "r"(0), "r"(-1), "r"(2));
  else if (which == 3)
    LOAD(4, "{%5, %6, %7, %8}", "r"(16), "r"(1), "r"(-2), "r"(1));
  else
    LOAD(5, "{%5, %6, %7, %8, %9}", "r"(0), "r"(1), "r"(0), "r"(-1), "r"(1));
}

__device__ __forceinline__ uint32_t bytesOf(int which) { return which == 0 ? 128 : which == 1 ? 256 : which == 2 ? 768 : which == 3 ? 1536 : 384; }

#define REDUCE(op, row)                                                                                                            \
  asm volatile("cp.reduce.async.bulk.tensor.2d.global.shared::cta." #op ".tile.bulk_group [%0, {%1, %2}], [%3];" ::"l"(&words), "r"(0), "r"(row), "r"(from) : "memory")

extern "C" __global__ void __cluster_dims__(2, 1, 1) __launch_bounds__(64)
    tma_forms(const __grid_constant__ Map loads0, const __grid_constant__ Map loads1, const __grid_constant__ Map loads2, const __grid_constant__ Map loads3,
              const __grid_constant__ Map loads4, const __grid_constant__ Map store3, const __grid_constant__ Map words, uint32_t *raw) {
  extern __shared__ __align__(1024) uint32_t buffer[];
  __shared__ uint64_t bar64;
  uint32_t bar = shared(&bar64), t = threadIdx.x, me = rank(), parity = 0;
  if (t == 0) {
    init(bar, 1);
    fenceInit();
  }
  clusterArrive();
  clusterWait();
  uint64_t policy;
  asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
  const Map *maps[] = {&loads0, &loads1, &loads2, &loads3, &loads4};
#pragma unroll
  for (int which = 0; which < 5; ++which) {
    if (t == 0)
      expect(bar, bytesOf(which));
    clusterArrive(); // both expect before anything comes, and have read what was there
    clusterWait();
    if (t == 0 && me == which % 2)
      load(which, maps[which], shared(buffer), bar, policy);
    wait(bar, parity);
    parity ^= 1;
    for (uint32_t i = t; i < bytesOf(which) / 4; i += 64)
      raw[(me * 5 + which) * 384 + i] = buffer[i];
    if (which == 3 && t == 0 && me == 1) { // the box as it landed, two rows before the end: clipped
      asm volatile("cp.async.bulk.tensor.4d.global.shared::cta.tile.bulk_group [%0, {%1, %2, %3, %4}], [%5];" ::"l"(&store3), "r"(8), "r"(2), "r"(0), "r"(1), "r"(shared(buffer)) : "memory");
      commitBulk();
      waitBulkRead();
    }
    __syncthreads();
  }
  for (uint32_t i = t; i < 32; i += 64)
    buffer[i] = 3 * i + 40 * me;
  fenceAsync();
  __syncthreads();
  if (t == 0) {
    uint32_t from = shared(buffer);
    REDUCE(add, 0);
    REDUCE(min, 1);
    REDUCE(max, 2);
    REDUCE(and, 3);
    REDUCE(or, 4);
    REDUCE(xor, 5);
    commitBulk();
    waitBulk();
  }
  clusterArrive();
  clusterWait();
}

// A producer warp, two consumer warps, two stages: bulk copies and cp.async on one mbarrier; bulk reductions of the result.
#include "common.cuh"

constexpr uint32_t tile = 128, stages = 2;

extern "C" __global__ void __launch_bounds__(96) bulk_pipeline(const float *a, const float *b, float *sum, int *least, uint32_t tiles) {
  __shared__ alignas(128) float left[stages][tile], right[stages][tile], result[tile];
  __shared__ alignas(16) int lowest[tile];
  __shared__ uint64_t bars[2 * stages];
  uint32_t full = shared(bars), empty = full + 8 * stages, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (threadIdx.x == 0) {
    for (uint32_t s = 0; s < stages; ++s)
      init(full + 8 * s, 1 + 32), init(empty + 8 * s, 2);
    fenceInit();
  }
  __syncthreads();
  a += blockIdx.x * tiles * tile, b += blockIdx.x * tiles * tile;
  if (warp == 0) {
    uint64_t policy;
    asm volatile("createpolicy.fractional.L2::evict_last.b64 %0, 0.5;" : "=l"(policy));
    if (lane == 0)
      asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(a), "r"(tile * 4) : "memory");
    for (uint32_t i = 0; i < tiles; ++i) {
      uint32_t s = i % stages, bar = full + 8 * s;
      wait(empty + 8 * s, (i / stages & 1) ^ 1);
      if (lane == 0) {
        expect(bar, tile * 4);
        asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, [%3], %4;" ::"r"(shared(left[s])),
                     "l"(a + i * tile), "r"(tile * 4), "r"(bar), "l"(policy)
                     : "memory");
      }
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared(right[s] + 4 * lane)), "l"(b + i * tile + 4 * lane) : "memory");
      asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(bar) : "memory");
    }
    asm volatile("cp.async.wait_all;" ::: "memory");
    return;
  }
  uint32_t at = threadIdx.x - 32;
  float low = 0, high = 0;
  int least0 = 1 << 20, least1 = 1 << 20;
  for (uint32_t i = 0; i < tiles; ++i) {
    uint32_t s = i % stages, parity = i / stages & 1;
    wait(full + 8 * s, parity);
    float x = left[s][at] * right[s][at], y = left[s][at + 64] * right[s][at + 64];
    low += x, high += y;
    least0 = min(least0, static_cast<int>(x)), least1 = min(least1, static_cast<int>(y));
    __syncwarp();
    if (lane == 0)
      arrive(empty + 8 * s);
  }
  result[at] = low, result[at + 64] = high;
  lowest[at] = least0, lowest[at + 64] = least1;
  fenceAsync();
  asm volatile("bar.sync 1, 64;" ::: "memory");
  if (warp == 1) {
    uint32_t pick;
    asm volatile("{\n\t.reg .pred p;\n\telect.sync _|p, 0xffffffff;\n\tselp.u32 %0, 1, 0, p;\n\t}" : "=r"(pick));
    if (pick) {
      asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%0], [%1], %2;" ::"l"(sum), "r"(shared(result)), "r"(tile * 4) : "memory");
      commitBulk();
      asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.min.s32 [%0], [%1], %2;" ::"l"(least), "r"(shared(lowest)), "r"(tile * 4) : "memory");
      commitBulk();
      waitBulk();
    }
  }
}

// Four CTAs of a cluster pass data on: st.async to the next one, a bulk copy to the one after, red.async to the first.
#include "common.cuh"

extern "C" __global__ void __cluster_dims__(4, 1, 1) __launch_bounds__(64) async_store(const uint32_t *in, uint32_t *out, uint32_t *sums) {
  __shared__ alignas(16) uint32_t box[256], half[256], far[256], total[8];
  __shared__ uint64_t bars[3];
  uint32_t t = threadIdx.x, me = rank(), near = shared(bars), pushed = near + 8, added = near + 16;
  if (t < 8)
    total[t] = 1000;
  if (t == 0) {
    init(near, 1), init(pushed, 1), init(added, 1);
    fenceInit();
    expect(near, 1024), expect(pushed, 1024);
    if (me == 0)
      expect(added, 4 * 64 * 4);
  }
  clusterArrive();
  const uint32_t *mine = in + (blockIdx.x / 4 * 4 + me) * 256 + 4 * t;
  uint32_t a = mine[0], b = mine[1], c = mine[2], d = mine[3];
  clusterWait();

  uint32_t next = (me + 1) % 4;
  asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [%0], {%1, %2, %3, %4}, [%5];" ::"r"(mapa(shared(box) + 16 * t, next)),
               "r"(a), "r"(b), "r"(c), "r"(d), "r"(mapa(near, next))
               : "memory");
  asm volatile("red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%0], %1, [%2];" ::"r"(mapa(shared(total) + 4 * (t % 8), 0)),
               "r"(a & 255), "r"(mapa(added, 0))
               : "memory");
  wait(near, 0);
  for (int i = 0; i < 4; ++i)
    half[64 * i + t] = 2 * box[64 * i + t] + me;
  fenceAsync();
  __syncthreads();
  if (t == 0) {
    uint32_t to = (me + 2) % 4;
    asm volatile("cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(mapa(shared(far), to)),
                 "r"(shared(half)), "r"(1024), "r"(mapa(pushed, to))
                 : "memory");
  }
  wait(pushed, 0);
  for (int i = 0; i < 4; ++i)
    out[(blockIdx.x / 4 * 4 + me) * 256 + 64 * i + t] = far[64 * i + t] + half[64 * i + t];
  if (me == 0) {
    wait(added, 0);
    if (t < 8)
      sums[blockIdx.x / 4 * 8 + t] = total[t];
  }
  clusterArrive();
  clusterWait(); // nobody ends while somebody may still read its memory
}

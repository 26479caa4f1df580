#include "Seeds.h"

namespace msa::fuzz {
namespace {

constexpr const char *head = R"(
.address_size 64
.visible .entry k(.param .u64 in, .param .u64 out, .param .align 64 .b8 map[128])
)";

constexpr const char *start = R"(
{
.reg .pred %p<8>; .reg .b32 %r<24>; .reg .b64 %d<12>; .reg .f32 %f<8>; .reg .b128 %q;
.shared .align 1024 .b8 s[5120]; .shared .align 8 .b64 bar[4]; .shared .b32 slot;
ld.param.u64 %d1, [in];
ld.param.u64 %d2, [out];
mov.b64 %d3, map;
cvta.param.u64 %d3, %d3;
mov.u32 %r1, %tid.x;
mov.u32 %r2, bar;
mov.u32 %r3, s;
setp.ne.u32 %p1, %r1, 0;
mul.wide.u32 %d4, %r1, 4;
add.s64 %d5, %d2, %d4;
shl.b32 %r4, %r1, 2;
add.u32 %r5, %r3, %r4;
@%p1 bra READY;
mbarrier.init.shared::cta.b64 [%r2], 1;
mbarrier.init.shared::cta.b64 [%r2+8], 1;
fence.mbarrier_init.release.cluster;
fence.proxy.async.shared::cta;
READY:
bar.sync 0;
)";

struct Seed {
  const char *target, *directives, *body;
};

constexpr Seed seeds[] = {
    // Bulk copies in and out, a reduction.
    {"sm_90a", ".reqntid 32, 1, 1", R"(
@%p1 bra WAIT;
mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 512;
cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%d1], 512, [%r2];
WAIT:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2], 0;
@!%p2 bra WAIT;
ld.shared.u32 %r6, [%r5];
add.u32 %r6, %r6, 1;
st.shared.u32 [%r5], %r6;
fence.proxy.async.shared::cta;
bar.sync 0;
@%p1 bra END;
cp.async.bulk.global.shared::cta.bulk_group [%d2], [%r3], 512;
cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 [%d2+512], [%r3], 16;
cp.async.bulk.commit_group;
cp.async.bulk.wait_group.read 0;
cp.async.bulk.prefetch.L2.global [%d1], 16;
END:
)"},
    // A tensor copy in, out, and added to memory; states and counts of barriers.
    {"sm_90a", ".reqntid 32, 1, 1", R"(
@%p1 bra WAIT;
prefetch.param.tensormap [map];
mov.u32 %r7, 8;
mov.u32 %r8, -4;
mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%r2], 256;
cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%d3, {%r7, %r8}], [%r2];
mbarrier.arrive.shared::cta.b64 %d6, [%r2];
mbarrier.pending_count.b64 %r9, %d6;
WAIT:
mbarrier.test_wait.parity.shared::cta.b64 %p2, [%r2], 0;
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2], 0;
@!%p2 bra WAIT;
ld.shared.v2.u32 {%r10, %r11}, [%r3+248];
st.global.v2.u32 [%d2], {%r10, %r11};
bar.sync 0;
@%p1 bra END;
mov.u32 %r8, 0;
cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%d3, {%r7, %r8}], [%r3];
cp.async.bulk.commit_group;
cp.async.bulk.wait_group 0;
cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.bulk_group [%d3, {%r7, %r8}], [%r3];
cp.async.bulk.commit_group;
cp.async.bulk.wait_group.read 0;
mbarrier.inval.shared::cta.b64 [%r2];
END:
)"},
    // A cluster: distributed shared memory, remote stores and arrivals, multicast.
    {"sm_90a", ".reqntid 32, 1, 1 .reqnctapercluster 2, 1, 1", R"(
mov.u32 %r6, %cluster_ctarank;
xor.b32 %r7, %r6, 1;
mapa.shared::cluster.u32 %r8, %r3, %r7;
mapa.shared::cluster.u32 %r9, %r2, %r7;
barrier.cluster.arrive.release.aligned;
barrier.cluster.wait.acquire.aligned;
@%p1 bra WAIT;
mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 8;
st.async.shared::cluster.mbarrier::complete_tx::bytes.b32 [%r8], %r6, [%r9];
st.async.shared::cluster.mbarrier::complete_tx::bytes.b32 [%r8+16], %r7, [%r9];
mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2+8], 64;
setp.ne.u32 %p3, %r6, 0;
@%p3 bra WAIT;
cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%r3+64], [%d1], 64, [%r2+8], 3;
WAIT:
mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p2, [%r2], 0;
@!%p2 bra WAIT;
WAIT2:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2+8], 0, 1000;
@!%p2 bra WAIT2;
ld.shared.u32 %r10, [%r3];
ld.shared.u32 %r11, [%r3+64];
add.u32 %r10, %r10, %r11;
setp.ne.u32 %p4, %r6, 0;
@%p4 bra DONE;
st.global.u32 [%d5], %r10;
DONE:
barrier.cluster.arrive.aligned;
barrier.cluster.wait.aligned;
)"},
    // wgmma.
    {"sm_90a", ".reqntid 128, 1, 1", R"(
@%p1 bra WAIT;
mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 2304;
cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%d1], 2304, [%r2];
WAIT:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2], 0;
@!%p2 bra WAIT;
shr.u32 %r6, %r3, 4;
or.b32 %r6, %r6, 524288;
mov.b64 %d6, {%r6, 16};
add.u32 %r7, %r6, 128;
mov.b64 %d7, {%r7, 16};
mov.f32 %f0, 0f00000000;
mov.f32 %f1, %f0;
mov.f32 %f2, %f0;
mov.f32 %f3, %f0;
setp.ne.u32 %p3, %r3, -1;
wgmma.fence.sync.aligned;
wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1, %f2, %f3}, %d6, %d7, %p3, 1, 1, 0, 0;
wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1, %f2, %f3}, %d6, %d7, %p3, 1, -1, 0, 0;
wgmma.commit_group.sync.aligned;
wgmma.wait_group.sync.aligned 0;
st.global.f32 [%d5], %f0;
)"},
    // tcgen05: allocation, store, product, load.
    {"sm_100a", ".reqntid 128, 1, 1", R"(
setp.ge.u32 %p3, %r1, 32;
mov.u32 %r12, slot;
@%p3 bra ALLOCATED;
tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%r12], 32;
tcgen05.relinquish_alloc_permit.cta_group::1.sync.aligned;
ALLOCATED:
bar.sync 0;
ld.shared.u32 %r13, [slot];
shl.b32 %r14, %r1, 16;
and.b32 %r14, %r14, 6291456;
add.u32 %r14, %r14, %r13;
tcgen05.st.sync.aligned.32x32b.x2.b32 [%r14+16], {%r1, %r4};
tcgen05.wait::st.sync.aligned;
@%p1 bra WAIT;
mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 4352;
cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%d1], 4352, [%r2];
LANDED:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2], 0;
@!%p2 bra LANDED;
shr.u32 %r6, %r3, 4;
or.b32 %r6, %r6, 524288;
mov.b64 %d6, {%r6, 16400};
add.u32 %r7, %r6, 256;
mov.b64 %d7, {%r7, 16400};
mov.b32 %r8, 0x08020010;
setp.eq.u32 %p4, %r3, -1;
tcgen05.mma.cta_group::1.kind::f16 [%r13], %d6, %d7, %r8, %p4;
tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [%r2+8];
WAIT:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2+8], 0;
@!%p2 bra WAIT;
tcgen05.fence::after_thread_sync;
tcgen05.ld.sync.aligned.32x32b.x2.b32 {%r9, %r10}, [%r14];
tcgen05.ld.sync.aligned.32x32b.x2.b32 {%r11, %r16}, [%r14+16];
tcgen05.wait::ld.sync.aligned;
add.u32 %r9, %r9, %r11;
st.global.u32 [%d5], %r9;
tcgen05.fence::before_thread_sync;
bar.sync 0;
@%p3 bra END;
tcgen05.fence::after_thread_sync;
tcgen05.dealloc.cta_group::1.sync.aligned.b32 %r13, 32;
END:
)"},
    // Block scaling: scale factors by tcgen05.cp.
    {"sm_100a", ".reqntid 128, 1, 1", R"(
setp.ge.u32 %p3, %r1, 32;
mov.u32 %r12, slot;
@%p3 bra ALLOCATED;
tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%r12], 64;
ALLOCATED:
mov.b32 %r15, 0x7f7f7f7f;
st.shared.u32 [%r5+4352], %r15;
fence.proxy.async.shared::cta;
bar.sync 0;
ld.shared.u32 %r13, [slot];
@%p1 bra WAIT;
mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 4352;
cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%d1], 4352, [%r2];
LANDED:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2], 0;
@!%p2 bra LANDED;
shr.u32 %r6, %r3, 4;
or.b32 %r6, %r6, 524288;
mov.b64 %d6, {%r6, 16400};
add.u32 %r7, %r6, 256;
mov.b64 %d7, {%r7, 16400};
add.u32 %r16, %r6, 272;
mov.b64 %d8, {%r16, 16392};
add.u32 %r17, %r13, 32;
add.u32 %r18, %r13, 36;
tcgen05.cp.cta_group::1.32x128b.warpx4 [%r17], %d8;
tcgen05.cp.cta_group::1.32x128b.warpx4 [%r18], %d8;
mov.b32 %r8, 0x08820000;
setp.eq.u32 %p4, %r3, -1;
tcgen05.mma.cta_group::1.kind::mxf8f6f4.block_scale [%r13], %d6, %d7, %r8, [%r17], [%r18], %p4;
tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [%r2+8];
WAIT:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2+8], 0;
@!%p2 bra WAIT;
tcgen05.fence::after_thread_sync;
shl.b32 %r14, %r1, 16;
and.b32 %r14, %r14, 6291456;
add.u32 %r14, %r14, %r13;
tcgen05.ld.sync.aligned.16x64b.x1.b32 {%r9}, [%r14];
tcgen05.wait::ld.sync.aligned;
st.global.u32 [%d5], %r9;
tcgen05.fence::before_thread_sync;
bar.sync 0;
@%p3 bra END;
tcgen05.fence::after_thread_sync;
tcgen05.dealloc.cta_group::1.sync.aligned.b32 %r13, 64;
tcgen05.relinquish_alloc_permit.cta_group::1.sync.aligned;
END:
)"},
    // cp.async with an mbarrier, remote reduction, launch control, register pool, bulk zeros.
    {"sm_100a", ".reqntid 128, 1, 1 .maxnreg 64", R"(
griddepcontrol.wait;
setmaxnreg.dec.sync.aligned.u32 40;
@%p1 bra COPY;
mbarrier.init.shared::cta.b64 [%r2+16], 128;
mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 16;
clusterlaunchcontrol.try_cancel.async.shared::cta.mbarrier::complete_tx::bytes.b128 [%r3+4096], [%r2];
mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2+8], 4;
mapa.shared::cluster.u32 %r8, %r3, 0;
mapa.shared::cluster.u32 %r9, %r2, 0;
st.shared.u32 [%r3+2048], 5;
red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r8+2048], %r4, [%r9+8];
COPY:
bar.sync 0;
add.s64 %d6, %d1, %d4;
cp.async.ca.shared.global [%r5], [%d6], 4;
cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%r2+16];
WAIT:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2+16], 0;
@!%p2 bra WAIT;
WAIT2:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2], 0;
@!%p2 bra WAIT2;
WAIT3:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2+8], 0;
@!%p2 bra WAIT3;
ld.shared.b128 %q, [%r3+4096];
clusterlaunchcontrol.query_cancel.is_canceled.pred.b128 %p4, %q;
ld.shared.u32 %r6, [%r5];
ld.shared.u32 %r7, [%r3+2048];
@%p4 add.u32 %r6, %r6, 1;
add.u32 %r6, %r6, %r7;
st.global.u32 [%d5], %r6;
griddepcontrol.launch_dependents;
)"},
    // A tensor map changed by the kernel.
    {"sm_90a", ".reqntid 32, 1, 1", R"(
setp.ge.u32 %p3, %r1, 16;
@%p3 bra COPIED;
mul.wide.u32 %d6, %r1, 8;
mov.b64 %d7, map;
cvta.param.u64 %d8, %d7;
add.s64 %d8, %d8, %d6;
ld.u64 %d9, [%d8];
shl.b32 %r6, %r1, 3;
add.u32 %r6, %r6, %r3;
st.shared.u64 [%r6], %d9;
COPIED:
bar.sync 0;
@%p1 bra PUT;
tensormap.replace.tile.global_address.shared::cta.b1024.b64 [%r3], %d1;
tensormap.replace.tile.box_dim.shared::cta.b1024.b32 [%r3], 1, 4;
tensormap.replace.tile.global_dim.shared::cta.b1024.b32 [%r3], 0, 32;
PUT:
bar.warp.sync -1;
add.s64 %d10, %d2, 4096;
tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu.sync.aligned [%d10], [%r3], 128;
@%p1 bra END;
fence.proxy.tensormap::generic.acquire.gpu [%d10], 128;
mov.u32 %r7, 0;
mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 128;
cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r3+1024], [%d10, {%r7, %r7}], [%r2];
WAIT:
mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2], 0;
@!%p2 bra WAIT;
ld.shared.u32 %r8, [%r3+1024];
st.global.u32 [%d2], %r8;
END:
)"},
};

} // namespace

std::vector<std::string> asyncSeeds() {
  std::vector<std::string> texts;
  for (const Seed &seed : seeds)
    texts.push_back(std::string(".version 8.8\n.target ") + seed.target + head + seed.directives +
                    start + seed.body + "ret;\n}\n");
  return texts;
}

std::vector<std::string> asyncWords() {
  return {".shared::cta",
          ".shared::cluster",
          ".global",
          ".multicast::cluster",
          ".cta_group::1",
          ".cta_group::2",
          ".relaxed",
          ".release",
          ".acquire",
          ".cluster",
          ".noComplete",
          ".kind::f16",
          ".kind::tf32",
          ".kind::f8f6f4",
          ".kind::i8",
          ".kind::mxf4nvf4",
          ".block_scale",
          ".scale_vec::2X",
          ".block16",
          ".tile::gather4",
          ".1d",
          ".2d",
          ".3d",
          ".5d",
          ".x1",
          ".x2",
          ".x64",
          ".x128",
          ".16x256b",
          ".16x32bx2",
          ".pack::16b",
          ".warpx4",
          ".128x256b",
          ".64x128b",
          ".warpx2::02_13",
          ".b8x16.b4x16_p64",
          ".read",
          ".m64n16k16",
          ".m64n256k16",
          ".m64n8k32",
          ".e4m3",
          ".bf16",
          ".tf32",
          ".s8",
          ".satfinite",
          ".expect_tx",
          ".parity",
          "[%r2+8]",
          "[%r3+16]",
          "[%d3, {%r7, %r8}]",
          "[%d3, {%r7}]",
          "%d6",
          "%p4",
          "-1",
          "0",
          "1",
          "2",
          "16",
          "1024",
          "1048575",
          "1048576",
          "0xffffffff",
          "bar.sync 0;\n",
          "fence.proxy.async;\n",
          "tcgen05.wait::st.sync.aligned;\n",
          "wgmma.wait_group.sync.aligned 0;\n"};
}

} // namespace msa::fuzz

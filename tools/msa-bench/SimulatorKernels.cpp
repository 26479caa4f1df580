//===- SimulatorKernels.cpp - PTX that msa-bench runs -----------------------===//
#include "SimulatorKernels.h"

#include <fmt/format.h>

namespace msa::bench {
namespace {

/// A module with one kernel whose registers are declared generously.
std::string moduleOf(const char *target, const std::string &directives, const std::string &body) {
  return fmt::format(R"(.version 8.8
.target {}
.address_size 64
.visible .entry loop(.param .u64 out, .param .u32 count) {} {{
  .reg .pred %p<4>;
  .reg .b32 %r<40>;
  .reg .f32 %f<160>;
  .reg .b64 %d<12>;
  .shared .align 1024 .b8 tiles[49152];
  .shared .align 8 .b64 bar;
  .shared .b32 slot;
  ld.param.u64 %d1, [out];
  ld.param.u32 %r1, [count];
  mov.u32 %r2, %tid.x;
  mul.wide.u32 %d2, %r2, 4;
  add.s64 %d2, %d1, %d2;
  mov.u32 %r3, tiles;
  mov.u32 %r4, 0;
{}
  ret;
}}
)",
                     target, directives, body);
}

/// Fills `tiles` with f16 values between 1 and 2 and of both signs, 128 threads.
constexpr const char *fillTiles = R"(
  shl.b32 %r5, %r2, 2;
FILL:
  mad.lo.u32 %r6, %r5, 0x9E3779B1, 0x85EBCA6B;
  and.b32 %r6, %r6, 0x83FF83FF;
  or.b32 %r6, %r6, 0x3C003C00;
  add.u32 %r7, %r3, %r5;
  st.shared.u32 [%r7], %r6;
  add.u32 %r5, %r5, 512;
  setp.lt.u32 %p1, %r5, 49152;
  @%p1 bra FILL;
  fence.proxy.async.shared::cta;
  bar.sync 0;
  shr.u32 %r8, %r3, 4;
  or.b32 %r8, %r8, 524288;
)";

std::string list(const char *prefix, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format("{}{}{}", i ? ", " : "", prefix, i);
  return text;
}

LoopKernel warpProducts() {
  std::string body;
  for (int i = 0; i < 32; ++i)
    body += fmt::format("  mov.f32 %f{}, 0f00000000;\n", i);
  for (int i = 10; i < 16; ++i)
    body += fmt::format("  mad.lo.u32 %r{0}, %r2, 0x9E3779B1, {0};\n  and.b32 %r{0}, %r{0}, "
                        "0x83FF83FF;\n  or.b32 %r{0}, %r{0}, 0x3C003C00;\n",
                        i);
  body += "LOOP:\n";
  for (int i = 0; i < 8; ++i) {
    std::string sums =
        fmt::format("{{%f{}, %f{}, %f{}, %f{}}}", 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3);
    body += fmt::format("  mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {0}, {{%r10, %r11, "
                        "%r12, %r13}}, {{%r14, %r15}}, {0};\n",
                        sums);
  }
  body += R"(
  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p1, %r4, %r1;
  @%p1 bra LOOP;
  st.global.f32 [%d2], %f0;
)";
  return {"mma.sync m16n8k16 f16", moduleOf("sm_80", ".reqntid 128, 1, 1", body), "loop", 128,
          uint64_t{4} * 8 * 16 * 8 * 16};
}

LoopKernel warpgroupProducts() {
  std::string sums = list("%f", 128), body = fillTiles;
  for (int i = 0; i < 128; ++i)
    body += fmt::format("  mov.f32 %f{}, 0f00000000;\n", i);
  body += "  mov.b64 %d4, {%r8, 16};\n  add.u32 %r9, %r8, 1024;\n  mov.b64 %d5, {%r9, 16};\n"
          "  setp.ne.u32 %p2, %r3, -1;\nLOOP:\n  wgmma.fence.sync.aligned;\n";
  // Four steps of K: A advances by 64 rows of 32 bytes, B by 256.
  for (int step = 0; step < 4; ++step)
    body += fmt::format("  add.s64 %d6, %d4, {};\n  add.s64 %d7, %d5, {};\n"
                        "  wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {{{}}}, %d6, %d7, "
                        "%p2, 1, 1, 0, 0;\n",
                        step * 128, step * 512, sums);
  body += R"(
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p1, %r4, %r1;
  @%p1 bra LOOP;
  st.global.f32 [%d2], %f0;
)";
  return {"wgmma m64n256k16 f16", moduleOf("sm_90a", ".reqntid 128, 1, 1", body), "loop", 128,
          uint64_t{4} * 64 * 256 * 16};
}

LoopKernel tensorMemoryProducts() {
  std::string body = fillTiles;
  body += R"(
  setp.ge.u32 %p3, %r2, 32;
  @%p3 bra ALLOCATED;
  mov.u32 %r20, slot;
  tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%r20], 256;
  tcgen05.relinquish_alloc_permit.cta_group::1.sync.aligned;
ALLOCATED:
  setp.ne.u32 %p2, %r2, 0;
  mov.u32 %r21, bar;
  @%p2 bra READY;
  mbarrier.init.shared::cta.b64 [%r21], 1;
  fence.proxy.async.shared::cta;
READY:
  bar.sync 0;
  ld.shared.u32 %r22, [slot];
  mov.b64 %d4, {%r8, 16400};
  add.u32 %r9, %r8, 1024;
  mov.b64 %d5, {%r9, 16400};
  mov.b32 %r23, 0x08400010;
LOOP:
  @%p2 bra WAIT;
)";
  for (int step = 0; step < 4; ++step)
    body += fmt::format("  setp.ne.u32 %p1, %r4, {};\n  add.s64 %d6, %d4, {};\n  add.s64 %d7, %d5, "
                        "{};\n  tcgen05.mma.cta_group::1.kind::f16 [%r22], %d6, %d7, %r23, %p1;\n",
                        step == 0 ? 0 : -1, step * 256, step * 512);
  body += R"(
  tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [%r21];
WAIT:
  and.b32 %r24, %r4, 1;
TRY:
  mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r21], %r24;
  @!%p1 bra TRY;
  bar.sync 0;
  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p1, %r4, %r1;
  @%p1 bra LOOP;
  tcgen05.fence::after_thread_sync;
  shl.b32 %r25, %r2, 16;
  and.b32 %r25, %r25, 6291456;
  add.u32 %r25, %r25, %r22;
  tcgen05.ld.sync.aligned.32x32b.x1.b32 {%r26}, [%r25];
  tcgen05.wait::ld.sync.aligned;
  st.global.u32 [%d2], %r26;
  tcgen05.fence::before_thread_sync;
  bar.sync 0;
  @%p3 bra END;
  tcgen05.fence::after_thread_sync;
  tcgen05.dealloc.cta_group::1.sync.aligned.b32 %r22, 256;
END:
)";
  return {"tcgen05.mma 128x256x16 f16", moduleOf("sm_100a", ".reqntid 128, 1, 1", body), "loop",
          128, uint64_t{4} * 128 * 256 * 16};
}

} // namespace

LoopKernel computeLoop() {
  return {"compute loop", moduleOf("sm_80", "", R"(
  mov.u32 %r5, %ctaid.x;
  mov.u32 %r6, %ntid.x;
  mad.lo.s32 %r7, %r5, %r6, %r2;
  cvt.rn.f32.u32 %f1, %r7;
  mov.f32 %f2, 0f3F800000;
  mov.f32 %f3, 0f3F000000;
LOOP:
  fma.rn.f32 %f1, %f1, %f3, %f2;
  fma.rn.f32 %f2, %f2, %f3, %f1;
  add.s32 %r7, %r7, 12345;
  shl.b32 %r8, %r7, 7;
  xor.b32 %r7, %r7, %r8;
  fma.rn.f32 %f4, %f1, %f2, %f3;
  setp.gt.f32 %p1, %f4, %f1;
  selp.f32 %f2, %f4, %f3, %p1;
  add.f32 %f1, %f1, %f4;
  mul.f32 %f1, %f1, %f3;
  add.s32 %r4, %r4, 1;
  setp.lt.u32 %p2, %r4, %r1;
  @%p2 bra LOOP;
  cvt.rzi.u32.f32 %r9, %f1;
  xor.b32 %r10, %r7, %r9;
  mul.wide.u32 %d3, %r6, 4;
  mul.wide.u32 %d4, %r5, 4;
  mul.lo.u64 %d3, %d4, %d3;
  shr.u64 %d3, %d3, 2;
  add.s64 %d2, %d2, %d3;
  st.global.u32 [%d2], %r10;
)"),
          "loop", 256, 0};
}

LoopKernel memoryLoop() {
  return {"memory loop", moduleOf("sm_80", "", R"(
  mov.u32 %r5, %ctaid.x;
  mov.u32 %r6, %ntid.x;
  mul.wide.u32 %d3, %r6, 4;
  mul.wide.u32 %d4, %r5, 4;
  mul.lo.u64 %d3, %d4, %d3;
  shr.u64 %d3, %d3, 2;
  add.s64 %d2, %d2, %d3;
  shl.b32 %r7, %r2, 2;
  add.u32 %r7, %r7, %r3;
  xor.b32 %r8, %r2, 255;
  shl.b32 %r8, %r8, 2;
  add.u32 %r8, %r8, %r3;
  st.global.u32 [%d2], %r2;
LOOP:
  ld.global.u32 %r9, [%d2];
  st.shared.u32 [%r7], %r9;
  bar.sync 0;
  ld.shared.u32 %r10, [%r8];
  ld.shared.u32 %r11, [%r7];
  add.u32 %r9, %r10, %r11;
  st.global.u32 [%d2], %r9;
  bar.sync 0;
  add.s32 %r4, %r4, 1;
  setp.lt.u32 %p2, %r4, %r1;
  @%p2 bra LOOP;
)"),
          "loop", 256, 0};
}

std::vector<LoopKernel> matrixLoops() {
  return {warpProducts(), warpgroupProducts(), tensorMemoryProducts()};
}

} // namespace msa::bench

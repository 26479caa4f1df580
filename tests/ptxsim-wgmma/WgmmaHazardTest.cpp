// W1 to W4, D1, D2, D6, X1 and the proxy rules: the smallest kernel with the mistake, and its
// correct twin, which must be clean under every schedule.
#include "Harness.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {

// A at offset 0 (64 rows x 32 bytes, no swizzle: LBO 1024, SBO 128), B at 2048 (LBO 128, SBO 256).
constexpr const char *zero =
    "mov.u32 %r200, tile; shl.b32 %r201, %tid_x, 5; add.u32 %r202, %r200, %r201; mov.b32 %r203, 0; "
    "st.shared.v4.b32 [%r202], {%r203, %r203, %r203, %r203}; "
    "st.shared.v4.b32 [%r202+16], {%r203, %r203, %r203, %r203}; ";
constexpr const char *publish = "fence.proxy.async.shared::cta; bar.sync 0; ";
constexpr const char *descriptors =
    "mov.b64 %d0, 0x0000000800400000; mov.b64 %d1, 0x0000001000080080; ";
constexpr const char *clear =
    "mov.f32 %f0, 0f00000000; mov.f32 %f1, %f0; mov.f32 %f2, %f0; mov.f32 %f3, %f0; "
    "mov.f32 %f4, %f0; mov.f32 %f5, %f0; mov.f32 %f6, %f0; mov.f32 %f7, %f0; "
    "mov.b32 %r0, 0; mov.b32 %r1, 0; mov.b32 %r2, 0; mov.b32 %r3, 0; ";
constexpr const char *fence = "wgmma.fence.sync.aligned; ";
constexpr const char *product = "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 "
                                "{%f0, %f1, %f2, %f3}, %d0, %d1, 1, 1, 1, 0, 0; ";
constexpr const char *fromRegisters =
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 "
    "{%f0, %f1, %f2, %f3}, {%r0, %r1, %r2, %r3}, %d1, 1, 1, 1, 0; ";
constexpr const char *wider = "wgmma.mma_async.sync.aligned.m64n16k16.f32.f16.f16 "
                              "{%f0, %f1, %f2, %f3, %f4, %f5, %f6, %f7}, %d0, %d1, 1, 1, 1, 0, 0; ";
constexpr const char *commit = "wgmma.commit_group.sync.aligned; ";
constexpr const char *wait = "wgmma.wait_group.sync.aligned 0; ";
constexpr const char *use = "add.f32 %f10, %f0, %f3; ";

std::string join(std::initializer_list<std::string> parts) {
  std::string text;
  for (const std::string &part : parts)
    text += part + "\n";
  return text;
}

WgmmaKernel kernel(std::string body, uint32_t threads = 128) {
  WgmmaKernel k;
  k.declarations = ".shared .align 1024 .b8 tile[8192];";
  k.body = std::move(body);
  k.threads = threads;
  return k;
}

/// All of a kernel but what comes after the operands are ready.
std::string ready(const std::string &rest) {
  return join({zero, publish, descriptors, clear, rest});
}

struct Pair {
  const char *what, *id;
  std::string wrong, right;
};

} // namespace

TEST_CASE("wgmma hazards and their correct twins") {
  const std::string change = "add.f32 %f1, %f0, 0f3F800000; ", mend = fence;
  const std::string warp =
      "shr.u32 %r10, %tid_x, 5; and.b32 %r10, %r10, 3; cvt.u64.u32 %d5, %r10; ";
  const Pair pairs[] = {
      {"no fence before the first", "W1", ready(join({product, commit, wait, use})),
       ready(join({fence, product, commit, wait, use}))},
      {"accumulator changed behind the fence", "W1",
       ready(join({fence, change, product, commit, wait, use})),
       ready(join({change, fence, product, commit, wait, use}))},
      {"accumulator read between two, no fence", "W1",
       ready(join({fence, product, commit, wait, use, product, commit, wait, use})),
       ready(join({fence, product, commit, wait, use, fence, product, commit, wait, use}))},
      {"a register of A changed behind the fence", "W1",
       ready(join({fence, "add.u32 %r2, %r3, %r1;", fromRegisters, commit, wait, use})),
       ready(join({"add.u32 %r2, %r3, %r1;", fence, fromRegisters, commit, wait, use}))},
      {"a change that a move brings in behind the fence", "W1",
       ready(join({"mov.f32 %f20, %f0;", fence, "add.f32 %f20, %f20, %f20; mov.f32 %f2, %f20;",
                   product, commit, wait, use})),
       ready(join({"mov.f32 %f20, %f0; add.f32 %f20, %f20, %f20;", fence, "mov.f32 %f2, %f20;",
                   product, commit, wait, use}))},
      {"accumulator read before the wait", "W2", ready(join({fence, product, commit, use, wait})),
       ready(join({fence, product, commit, wait, use}))},
      {"accumulator read while the newest group is open", "W2",
       ready(join({fence, product, commit, "wgmma.wait_group.sync.aligned 1;", use, wait})),
       ready(
           join({fence, product, commit, commit, "wgmma.wait_group.sync.aligned 1;", use, wait}))},
      {"a register of A written before the wait", "W2",
       ready(join({fence, fromRegisters, commit, "add.u32 %r1, %r3, 1;", wait, use})),
       ready(join({fence, fromRegisters, commit, wait, "add.u32 %r1, %r3, 1;", use}))},
      {"D of one is A of the next, not waited for", "W2",
       ready(join({fence,
                   "wgmma.mma_async.sync.aligned.m64n8k16.f16.f16.f16 {%r0, %r1}, %d0, %d1, "
                   "1, 1, 1, 0, 0;",
                   fromRegisters, commit, wait, use})),
       ready(join({fence,
                   "wgmma.mma_async.sync.aligned.m64n8k16.f16.f16.f16 {%r0, %r1}, %d0, %d1, "
                   "1, 1, 1, 0, 0;",
                   commit, wait, fence, fromRegisters, commit, wait, use}))},
      {"wait without commit", "W3", ready(join({fence, product, wait, use})),
       ready(join({fence, product, commit, wait, use}))},
      {"exit without wait", "W3", ready(join({fence, product, commit})),
       ready(join({fence, product, commit, wait}))},
      {"exit without commit", "W3",
       ready(join({fence, product, commit, product, "wgmma.wait_group.sync.aligned 0;"})),
       ready(join({fence, product, commit, product, commit, wait}))},
      {"another shape on the same accumulator", "W4",
       ready(join({fence, product, wider, commit, wait, use})),
       ready(join({fence, product, commit, wait, fence, wider, commit, wait, use}))},
      {"fixed bits of a descriptor", "D1",
       ready(join({"or.b64 %d0, %d0, 0x0000400000000000;", fence, product, commit, wait})),
       ready(join({fence, product, commit, wait}))},
      {"matrix base offset", "D1",
       ready(join({"or.b64 %d1, %d1, 0x0002000000000000;", fence, product, commit, wait})),
       ready(join({fence, product, commit, wait}))},
      {"A reaches behind shared memory", "D2",
       ready(join({"add.s64 %d0, %d0, 385;", fence, product, commit, wait})), // 6160 + 2048 > 8192
       join({zero,
             "st.shared.v4.b32 [%r202+4096], {%r203, %r203, %r203, %r203};"
             "st.shared.v4.b32 [%r202+4112], {%r203, %r203, %r203, %r203};",
             publish, descriptors, clear, "add.s64 %d0, %d0, 256;", fence, product, commit, wait})},
      {"descriptors of the warps differ", "D6",
       ready(join({warp, "add.s64 %d1, %d1, %d5;", fence, product, commit, wait})),
       ready(join({fence, product, commit, wait}))},
      {"descriptors of the lanes differ", "D6",
       ready(join({"and.b32 %r10, %tid_x, 1; cvt.u64.u32 %d5, %r10; add.s64 %d1, %d1, %d5;", fence,
                   product, commit, wait})),
       ready(join({fence, product, commit, wait}))},
      {"scale-d of the warps differs", "D6",
       ready(join({warp, "setp.eq.u32 %p1, %r10, 2;", fence,
                   "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1, %f2, %f3}, %d0, "
                   "%d1, %p1, 1, 1, 0, 0;",
                   commit, wait})),
       ready(join({warp, "setp.ne.u32 %p1, %r10, 7;", fence,
                   "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1, %f2, %f3}, %d0, "
                   "%d1, %p1, 1, 1, 0, 0;",
                   commit, wait}))},
      {"one warp executes another wgmma", "X1",
       ready(join({warp, fence, "setp.eq.u32 %p1, %r10, 1; @%p1 bra OTHER;", product,
                   "bra.uni DONE;", "OTHER:", product, "DONE:", commit, wait})),
       ready(join({warp, fence, product, commit, wait}))},
      {"stores without a proxy fence", "P1",
       join({zero, "bar.sync 0;", descriptors, clear, fence, product, commit, wait}),
       ready(join({fence, product, commit, wait}))},
      {"stores of other warps without a barrier", "P5",
       join({zero, "fence.proxy.async.shared::cta;", descriptors, clear, fence, product, commit,
             wait}),
       ready(join({fence, product, commit, wait}))},
      {"an operand overwritten before the wait", "P2",
       ready(join({fence, product, commit, "bar.sync 0; st.shared.b32 [%r202], %r203;", wait})),
       ready(join({fence, product, commit, wait, "bar.sync 0; st.shared.b32 [%r202], %r203;"}))},
  };
  for (const Pair &pair : pairs) {
    INFO(pair.what);
    CHECK(idOf(kernel(pair.wrong)) == pair.id);
    CHECK(idOf(kernel(pair.right)) == "");
  }
}

TEST_CASE("wgmma belongs to whole warpgroups") {
  const std::string body = ready(join({fence, product, commit, wait}));
  CHECK(idOf(kernel(body, 128)) == "");
  CHECK(idOf(kernel(body, 64)) == "X1");
  // One of the warps never comes: the others wait for it in vain.
  WgmmaRun ran = run(kernel(ready(
      join({"setp.gt.u32 %p1, %tid_x, 95; @%p1 bra END;", fence, product, commit, wait, "END:"}))));
  CHECK(ran.id == "X2");
  CHECK_THAT(ran.text, Catch::Contains("other warps of its warpgroup"));
}

TEST_CASE("a wait covers all four warps") {
  // Thread 0 alone tells thread 127 that the operands are free, as CUTLASS does: the wait of one
  // warp has to mean that the tensor core is done for all of them.
  std::string body =
      join({"mov.u32 %r210, bar; setp.eq.u32 %p9, %tid_x, 0; setp.eq.u32 %p8, %tid_x, 128;",
            "@%p9 mbarrier.init.shared::cta.b64 [%r210], 1;",
            "setp.lt.u32 %p7, %tid_x, 128;",
            "@!%p7 bra PREPARED;",
            zero,
            "fence.proxy.async.shared::cta;",
            "PREPARED:",
            "bar.sync 0;",
            "@!%p7 bra PRODUCER;",
            descriptors,
            clear,
            fence,
            product,
            commit,
            wait,
            "@%p9 mbarrier.arrive.shared::cta.b64 _, [%r210];",
            "bra.uni END;",
            "PRODUCER:",
            "AGAIN: mbarrier.try_wait.parity.shared::cta.b64 %p6, [%r210], 0; @!%p6 bra AGAIN;",
            "mov.b32 %r203, 0; mov.u32 %r202, tile; st.shared.b32 [%r202+2048], %r203;",
            "END:"});
  WgmmaKernel k = kernel(body, 160);
  k.declarations += " .shared .align 8 .b64 bar;";
  CHECK(idOf(k) == "");
}

TEST_CASE("uninitialised rows of A taint their rows of D") {
  // Rows 32 to 63 of A are never written; warps 0 and 1 may store their rows, warps 2 and 3 not.
  // A at 4096 - 512: rows 0-31 of both chunks are inside the 4096 bytes that `zero` writes.
  WgmmaKernel k = kernel("");
  k.buffers = {std::vector<uint8_t>(512)};
  const std::string place = "mov.b64 %d0, 0x00000008004000E0;"; // start 3584, LBO 1024
  auto with = [&](const char *limit) {
    k.body = join({zero, publish, place, "mov.b64 %d1, 0x0000001000080000;", clear,
                   // chunk 1 lies at 4608: initialise its first 512 bytes too.
                   "shl.b32 %r204, %tid_x, 2; add.u32 %r204, %r204, %r200; "
                   "st.shared.b32 [%r204+4608], %r203;",
                   publish, fence, product, commit, wait,
                   fmt::format("setp.lt.u32 %p1, %tid_x, {};", limit),
                   "mul.wide.u32 %a0, %tid_x, 4; add.s64 %a0, %a0, %rd_0;",
                   "@%p1 st.global.f32 [%a0], %f0;"});
    return idOf(k);
  };
  CHECK(with("64") == "");
  CHECK(with("65") == "X4");
}

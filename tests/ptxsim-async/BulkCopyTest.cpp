// cp.async.bulk and cp.reduce.async.bulk in all directions; bulk groups; st.bulk.
#include "Schedules.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
const std::string own = "mov.u32 %r61, tile; shl.b32 %r60, %tid_x, 2; add.u32 %r61, %r61, %r60;\n";
const std::string expect = "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 128;\n";
/// Every thread's word of the tile goes to buffer 1, at `offset` bytes.
std::string out(int offset = 0) {
  return fmt::format("ld.shared.u32 %r59, [%r61]; st.global.u32 [%a0+{}], %r59;\n", offset);
}
const std::string group = "@%p1 cp.async.bulk.commit_group; @%p1 cp.async.bulk.wait_group 0;\n";
} // namespace

TEST_CASE("Global to shared memory") {
  for (const char *form :
       {"shared::cta.global.mbarrier::complete_tx::bytes [tile], [%rd_0+64], 128, [bar];",
        "shared::cluster.global.mbarrier::complete_tx::bytes [tile], [%rd_0+64], %r50, [bar];",
        "shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [tile], [%rd_0+64], "
        "128, "
        "[bar], %d9;",
        "shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [tile], "
        "[%rd_0+64], "
        "128, [bar], 1;"}) {
    auto words = result(asyncKernel(own + initBar(1) +
                                    "mov.u32 %r50, 128; mov.b64 %d9, 0; @%p1 "
                                    "cp.async.bulk.prefetch.L2.global [%rd_0], 128;" +
                                    expect + "@%p1 cp.async.bulk." + form + waitFor("W") + out()),
                        1);
    for (uint32_t t = 0; t < 32; ++t)
      CHECK(words[t] == 16 + t);
  }
}

TEST_CASE("Multicast lands at the same place of each CTA, with its bytes") {
  // Each of two CTAs loads half of the tile for both.
  auto words =
      result(asyncKernel(own + initBar(1) + expect + meet +
                             "mov.u32 %r1, tile; mad.lo.u32 %r1, %r62, 64, %r1; mul.wide.u32 %d1, "
                             "%r62, 64; add.s64 %d1, %d1, %rd_0; mov.b16 %h1, 3; @%p1 "
                             "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes."
                             "multicast::cluster [%r1], [%d1], 64, [bar], %h1;" +
                             waitFor("W") + "mul.wide.u32 %d2, %r62, 128; add.s64 %a0, %a0, %d2;" +
                             out() + meet,
                         32, 2),
             1);
  for (uint32_t t = 0; t < 64; ++t)
    CHECK(words[t] == t % 32);
}

TEST_CASE("Shared memory to that of another CTA") {
  auto words = result(
      asyncKernel(
          own + initBar(1) + expect +
              "mad.lo.u32 %r1, %r62, 100, %tid_x; st.shared.u32 [%r61+512], %r1; "
              "fence.proxy.async.shared::cta;" +
              meet +
              "xor.b32 %r2, %r62, 1; mov.u32 %r3, tile; mapa.shared::cluster.u32 %r4, %r3, "
              "%r2; mov.u32 %r5, bar; mapa.shared::cluster.u32 %r6, %r5, %r2; add.u32 %r7, "
              "%r3, 512; @%p1 "
              "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%r4], "
              "[%r7], 128, [%r6];" +
              waitFor("W") + "mul.wide.u32 %d2, %r62, 128; add.s64 %a0, %a0, %d2;" + out() + meet,
          32, 2),
      1);
  for (uint32_t t = 0; t < 64; ++t)
    CHECK(words[t] == (t < 32 ? 100 : 0) + t % 32);
}

TEST_CASE("Shared to global memory, with and without a byte mask") {
  const std::string fill = own + "add.u32 %r1, %tid_x, 0x01010100; st.shared.u32 [%r61], %r1; "
                                 "fence.proxy.async.shared::cta; bar.sync 0; mov.b64 %d9, 0;";
  auto plain = result(asyncKernel(fill +
                                  "@%p1 cp.async.bulk.global.shared::cta.bulk_group."
                                  "L2::cache_hint [%rd_1+16], [tile], 128, %d9;" +
                                  group),
                      1);
  CHECK(plain[3] == 0);
  for (uint32_t t = 0; t < 32; ++t)
    CHECK(plain[4 + t] == 0x01010100 + t);
  // Bytes 0, 4 and 8 to 15 of each 16.
  auto masked = result(asyncKernel(fill +
                                   "@%p1 cp.async.bulk.global.shared::cta.bulk_group.cp_mask "
                                   "[%rd_1], [tile], 128, 0xFF11;" +
                                   group),
                       1);
  for (uint32_t t = 0; t < 32; ++t)
    CHECK(masked[t] == (t % 4 < 2 ? t : 0x01010100 + t));
}

TEST_CASE("wait_group counts groups, the oldest first") {
  // Three stores in three groups, of which one is waited for; then its source is used again.
  auto words = result(
      asyncKernel(own +
                  "st.shared.u32 [%r61], 1; st.shared.u32 [%r61+128], 2; st.shared.u32 "
                  "[%r61+256], 3; fence.proxy.async; bar.sync 0; @!%p1 bra SKIP;"
                  "cp.async.bulk.global.shared::cta.bulk_group [%rd_1], [tile], 128; "
                  "cp.async.bulk.commit_group;"
                  "cp.async.bulk.global.shared::cta.bulk_group [%rd_1+128], [tile+128], 128; "
                  "cp.async.bulk.commit_group;"
                  "cp.async.bulk.global.shared::cta.bulk_group [%rd_1+256], [tile+256], 128; "
                  "cp.async.bulk.commit_group; cp.async.bulk.wait_group.read 2; SKIP: bar.sync "
                  "0; st.shared.u32 [%r61], 9; @%p1 cp.async.bulk.wait_group 0;"),
      1);
  for (uint32_t t = 0; t < 96; ++t)
    CHECK(words[t] == 1 + t / 32);
}

namespace {
struct Reduction {
  const char *form;
  uint32_t before, value, after;
};
} // namespace

TEST_CASE("Reductions into global memory") {
  const Reduction table[] = {
      {"add.u32", 7, 0xFFFFFFFF, 6},
      {"add.s32", 7, 0xFFFFFFF8, 0xFFFFFFFF},
      {"min.u32", 7, 0xFFFFFFFF, 7},
      {"min.s32", 7, 0xFFFFFFFF, 0xFFFFFFFF},
      {"max.u32", 7, 0xFFFFFFFF, 0xFFFFFFFF},
      {"max.s32", 7, 0xFFFFFFFF, 7},
      {"inc.u32", 7, 7, 0},
      {"inc.u32", 7, 8, 8},
      {"dec.u32", 0, 5, 5},
      {"dec.u32", 9, 5, 5},
      {"dec.u32", 5, 5, 4},
      {"and.b32", 0xF0F0, 0xFF00, 0xF000},
      {"or.b32", 0xF0F0, 0xFF00, 0xFFF0},
      {"xor.b32", 0xF0F0, 0xFF00, 0x0FF0},
      {"add.f32", 0x3F800000, 0x40000000, 0x40400000},
      {"add.f32", 0x00000001, 0x00000001, 0},                // subnormals are flushed
      {"add.noftz.f16", 0x3C003C00, 0x40003C00, 0x42004000}, // 1+1 = 2, 1+2 = 3
      {"min.f16", 0x3C004000, 0x40003C00, 0x3C003C00},
      {"max.bf16", 0x3F804000, 0x40003F80, 0x40004000},
      {"add.noftz.bf16", 0x3F803F80, 0x3F804000, 0x40004040},
      {"add.u64", 0xFFFFFFFF, 0xFFFFFFFF, 0}, // word 0 of pairs: see below
  };
  for (const Reduction &r : table) {
    INFO(r.form);
    const bool wide = std::string(r.form) == "add.u64";
    Kernel k = asyncKernel(own +
                           fmt::format("mov.b32 %r1, {}; st.shared.u32 [%r61], %r1; "
                                       "fence.proxy.async; bar.sync 0; @%p1 "
                                       "cp.reduce.async.bulk.global.shared::cta.bulk_group.{} "
                                       "[%rd_1], [tile], 128;",
                                       r.value, r.form) +
                           group);
    k.buffers[1].words = words(32, r.before);
    auto out = result(k, 1);
    for (uint32_t t = 0; t < out.size(); ++t) {
      // 2^64 - 1 + 2^64 - 1 = ...FFFFFFFE
      CHECK(out[t] == (wide ? (t % 2 ? 0xFFFFFFFF : 0xFFFFFFFE) : r.after));
    }
  }
}

TEST_CASE("Reductions into shared memory of a cluster, both CTAs into one") {
  const Reduction table[] = {{"add.u32", 1, 10, 21}, {"min.s32", 5, 0xFFFFFFFE, 0xFFFFFFFE},
                             {"max.u32", 5, 9, 9},   {"or.b32", 1, 6, 7},
                             {"xor.b32", 5, 3, 5},   {"inc.u32", 1, 50, 3},
                             {"dec.u32", 9, 50, 7},  {"and.b32", 7, 6, 6}};
  for (const Reduction &r : table) {
    INFO(r.form);
    auto words =
        result(asyncKernel(
                   own + initBar(1) +
                       fmt::format("mov.b32 %r1, {}; st.shared.u32 [%r61], %r1; mov.b32 %r2, {}; "
                                   "st.shared.u32 [%r61+512], %r2; fence.proxy.async; setp.eq.u32 "
                                   "%p3, %r62, 0; and.pred %p4, %p3, %p1; @%p4 "
                                   "mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 256;",
                                   r.before, r.value) +
                       meet +
                       "mov.u32 %r3, tile; mapa.shared::cluster.u32 %r4, %r3, 0; mov.u32 %r5, bar; "
                       "mapa.shared::cluster.u32 %r6, %r5, 0; add.u32 %r7, %r3, 512; @%p1 "
                       "cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::"
                       "bytes." +
                       r.form + " [%r4], [%r7], 128, [%r6]; @!%p3 bra END;" + waitFor("W") + out() +
                       "END:" + meet,
                   32, 2),
               1);
    for (uint32_t t = 0; t < 32; ++t)
      CHECK(words[t] == r.after);
  }
}

TEST_CASE("st.bulk zeroes") {
  for (const char *form : {"st.bulk.weak.shared::cta [tile+8], 48, 0;", "st.bulk [%d5], %d6, 0;"}) {
    auto words = result(asyncKernel(own +
                                    "st.shared.u32 [%r61], 3; bar.sync 0; mov.u32 %r1, tile; "
                                    "add.u32 %r1, %r1, 8; cvt.u64.u32 %d4, %r1; "
                                    "cvta.shared.u64 %d5, %d4; mov.b64 %d6, 48; @%p1 " +
                                    form + " bar.sync 0;" + out()),
                        1);
    for (uint32_t t = 0; t < 32; ++t)
      CHECK(words[t] == (t >= 2 && t < 14 ? 0 : 3));
  }
}

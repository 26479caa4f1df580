// st.async and red.async, to the cluster and to global memory.
#include "Schedules.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
/// %r10, %r11: tile and bar of CTA 0; %p3: this is CTA 0. Afterwards CTA 0 waits and stores its
/// tile.
std::string toFirst(uint32_t bytes, const std::string &body) {
  return initBar(1) +
         fmt::format(
             "mov.u32 %r61, tile; shl.b32 %r60, %tid_x, 2; add.u32 %r61, %r61, %r60; mov.b32 "
             "%r1, 3; st.shared.u32 [%r61], %r1; setp.eq.u32 %p3, %r62, 0; and.pred %p4, "
             "%p3, %p1; @%p4 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], {};",
             bytes) +
         meet +
         "mov.u32 %r2, tile; mapa.shared::cluster.u32 %r10, %r2, 0; mov.u32 %r3, bar; "
         "mapa.shared::cluster.u32 %r11, %r3, 0;" +
         body + "@!%p3 bra END;" + waitFor("W") +
         "ld.shared.u32 %r59, [%r61]; st.global.u32 [%a0], %r59; END:" + meet;
}
const std::string prefix = "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.";
} // namespace

TEST_CASE("st.async of neighbouring words by all CTAs of a cluster") {
  // Word 4 i + rank of the tile is written by thread i of CTA `rank`.
  auto out =
      result(asyncKernel(toFirst(128, "mad.lo.u32 %r20, %tid_x, 16, %r10; shl.b32 %r21, %r62, "
                                      "2; add.u32 %r20, %r20, %r21; mad.lo.u32 %r22, %r62, "
                                      "100, %tid_x; setp.lt.u32 %p5, %tid_x, 8; @%p5 " +
                                          prefix + "u32 [%r20], %r22, [%r11];"),
                         32, 4),
             1);
  for (uint32_t t = 0; t < 32; ++t)
    CHECK(out[t] == t % 4 * 100 + t / 4);
}

TEST_CASE("st.async of vectors and wide types") {
  struct Row {
    const char *form;
    uint32_t bytes;
    std::vector<uint32_t> words;
  };
  const Row rows[] = {
      {"b32 [%r10], %r20, [%r11];", 4, {11}},
      {"f32 [%r10], %f1, [%r11];", 4, {0x3F800000}},
      {"v2.s32 [%r10], {%r20, %r21}, [%r11];", 8, {11, 12}},
      {"v4.u32 [%r10+16], {%r20, %r21, %r22, %r23}, [%r11];", 16, {3, 3, 3, 3, 11, 12, 13, 14}},
      {"b64 [%r10], %d20, [%r11];", 8, {15, 16}},
      {"v2.u64 [%r10], {%d20, %d21}, [%r11];", 16, {15, 16, 17, 18}},
  };
  for (const Row &row : rows) {
    INFO(row.form);
    auto out = result(
        asyncKernel(
            toFirst(row.bytes,
                    "mov.b32 %r20, 11; mov.b32 %r21, 12; mov.b32 %r22, 13; mov.b32 %r23, 14; "
                    "mov.b64 %d20, 0x100000000F; mov.b64 %d21, 0x1200000011; mov.f32 %f1, "
                    "0f3F800000; setp.eq.u32 %p5, %r62, 1; and.pred %p5, %p5, %p1; @%p5 " +
                        prefix + row.form),
            32, 2),
        1);
    for (uint32_t t = 0; t < 32; ++t)
      CHECK(out[t] == (t < row.words.size() ? row.words[t] : 3));
  }
}

TEST_CASE("red.async of all CTAs to one word") {
  struct Row {
    const char *form;
    uint32_t after; ///< from 3, with 8 from each of three CTAs
  };
  for (const Row &row : {Row{"add.u32", 27},
                         {"min.s32", 3},
                         {"max.u32", 8},
                         {"inc.u32", 6},
                         {"dec.u32", 0},
                         {"and.b32", 0},
                         {"or.b32", 11},
                         {"xor.b32", 11}}) {
    INFO(row.form);
    auto out = result(
        asyncKernel(toFirst(12, "setp.ne.u32 %p5, %r62, 0; and.pred %p5, %p5, %p1; @%p5 "
                                "red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::"
                                "bytes." +
                                    std::string(row.form) + " [%r10+4], 8, [%r11];"),
                    32, 4),
        1);
    for (uint32_t t = 0; t < 32; ++t)
      CHECK(out[t] == (t == 1 ? row.after : 3));
  }
}

TEST_CASE("Stores and reductions to global memory land some time") {
  auto out = result(asyncKernel("st.async.release.gpu.global.u32 [%a0], %tid_x; "
                                "st.async.mmio.release.sys.global.b64 [%rd_1+512], 0x700000005; "
                                "red.async.release.sys.global.add.u32 [%rd_1+256], 2; "
                                "red.async.release.gpu.global.max.s32 [%rd_1+260], %tid_x; "
                                "red.async.release.gpu.add.u64 [%rd_1+264], 1;"),
                    1);
  for (uint32_t t = 0; t < 32; ++t)
    CHECK(out[t] == t);
  CHECK(out[64] == 64);
  CHECK(out[65] == 31);
  CHECK(out[66] == 32);
  CHECK(out[128] == 5);
  CHECK(out[129] == 7);
}

TEST_CASE("A warp polls for an asynchronous store") {
  auto out =
      result(asyncKernel("@%p1 st.async.release.gpu.global.u32 [%rd_1+4], 9; "
                         "L: ld.acquire.gpu.global.u32 %r1, [%rd_1+4]; setp.ne.u32 %p3, %r1, "
                         "9; @%p3 bra L; @%p1 st.global.u32 [%rd_1], %r1;"),
             1);
  CHECK(out[0] == 9);
}

TEST_CASE("Remote stores that nobody waits for, and a read of a neighbour") {
  // Word 1 may still be on its way, word 0 is plain: reading word 0 is right, word 1 is not.
  for (int word : {0, 1}) {
    Kernel k = asyncKernel(
        initBar(1) +
            "mov.u32 %r61, tile; @%p1 st.shared.u32 [tile], 5; setp.eq.u32 %p3, %r62, 0; "
            "and.pred %p4, %p3, %p1; @%p4 mbarrier.arrive.expect_tx.shared::cta.b64 _, "
            "[bar], 4;" +
            meet +
            "mapa.shared::cluster.u32 %r10, %r61, 0; mov.u32 %r3, bar; mapa.shared::cluster.u32 "
            "%r11, %r3, 0; setp.eq.u32 %p5, %r62, 1; and.pred %p5, %p5, %p1; @%p5 " +
            prefix + "u32 [%r10+4], 7, [%r11];" + meet +
            fmt::format("@%p4 ld.shared.u32 %r5, [tile+{}]; @%p4 st.global.u32 [%rd_1], %r5; @!%p3 "
                        "bra END;",
                        4 * word) +
            waitFor("W") + "END:" + meet,
        32, 2);
    EverySchedule all = runAll(k);
    CHECK(all.ran.id() == (word ? "P7" : ""));
    CHECK(all.agree);
  }
}

TEST_CASE("multimem on one device") {
  Kernel k = asyncKernel(
      "multimem.st.release.gpu.global.u32 [%a0], %tid_x; bar.sync 0; @!%p1 bra END; "
      "multimem.red.relaxed.sys.global.add.u32 [%rd_1+4], 40; multimem.red.global.max.s32 "
      "[%rd_1+8], -1; multimem.st.v2.f16x2 [%rd_1+256], {%r30, %r31}; "
      "multimem.red.add.v2.f16x2 [%rd_1+256], {%r31, %r31}; "
      "multimem.ld_reduce.acquire.gpu.global.add.u32 %r1, [%rd_1+12]; st.global.u32 [%rd_1+512], "
      "%r1; "
      "multimem.ld_reduce.weak.add.acc::f32.v4.f16x2 {%r1, %r2, %r3, %r4}, [%rd_1+16]; "
      "st.global.u32 "
      "[%rd_1+516], %r3; END:");
  k.body = "mov.b32 %r30, 0x3C003C00; mov.b32 %r31, 0x40003C00;" + k.body;
  auto out = result(k, 1);
  CHECK(out[1] == 41);
  CHECK(out[2] == 2);
  CHECK(out[64] == 0x42004000);
  CHECK(out[65] == 0x44004000);
  CHECK(out[128] == 3);
  CHECK(out[129] == 6);
}

// mbarrier in all its forms, and cp.async.mbarrier.arrive.
#include "Schedules.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
/// `body` leaves values in %r1, %r2, ... of thread 0; the first `count` of them.
std::vector<uint32_t> values(const std::string &body, unsigned count, uint32_t threads = 32) {
  std::string stores;
  for (unsigned i = 0; i < count; ++i)
    stores += "@%p1 st.global.u32 [%rd_1+" + std::to_string(4 * i) + "], %r" +
              std::to_string(i + 1) + ";";
  auto out = result(asyncKernel(body + stores, threads), 1);
  out.resize(count);
  return out;
}
using V = std::vector<uint32_t>;
} // namespace

TEST_CASE("Arrivals count, states tell phases, pending_count is that before the arrival") {
  CHECK(
      values(
          initBar(4) +
              "@!%p1 bra END;"
              "mbarrier.arrive.noComplete.shared.b64 %d1, [bar], 2;"
              "mbarrier.pending_count.b64 %r1, %d1;"
              "mbarrier.arrive.noComplete.release.cta.shared::cta.b64 %d2, [bar], 1;"
              "mbarrier.pending_count.b64 %r2, %d2;"
              "mbarrier.test_wait.shared.b64 %p2, [bar], %d1; selp.u32 %r3, 1, 0, %p2;"
              "mbarrier.test_wait.parity.shared.b64 %p2, [bar], 0; selp.u32 %r4, 1, 0, %p2;"
              "mbarrier.test_wait.parity.shared.b64 %p2, [bar], 1; selp.u32 %r5, 1, 0, %p2;"
              "mbarrier.arrive.shared.b64 %d3, [bar];"
              "mbarrier.test_wait.acquire.cta.shared.b64 %p2, [bar], %d3; selp.u32 %r6, 1, 0, %p2;"
              "mbarrier.test_wait.parity.shared.b64 %p2, [bar], 0; selp.u32 %r7, 1, 0, %p2;"
              "mbarrier.test_wait.parity.shared.b64 %p2, [bar], 1; selp.u32 %r8, 1, 0, %p2;"
              "END:",
          8) == V{4, 2, 0, 0, 1, 1, 1, 0});
}

TEST_CASE("Drops lower the arrivals of later phases") {
  // 3 expected: a drop and two arrivals end phase 0; two arrivals end phase 1, a drop and one phase
  // 2, one arrival phase 3.
  CHECK(values(initBar(3) +
                   "@!%p1 bra END; mov.b32 %r1, 0;"
                   "mbarrier.arrive_drop.shared::cta.b64 %d1, [bar];"
                   "mbarrier.arrive.shared::cta.b64 _, [bar], 2;" +
                   waitFor("W0", 0) + "mbarrier.arrive.release.cta.shared::cta.b64 _, [bar], 2;" +
                   waitFor("W1", 1) +
                   "mbarrier.arrive_drop.release.cluster.shared::cta.b64 _, [bar], 1; "
                   "mbarrier.arrive.b64 _, [bar];" +
                   waitFor("W2", 0) + "mbarrier.arrive.shared::cta.b64 _, [bar];" +
                   waitFor("W3", 1) + "mov.b32 %r1, 7; END:",
               1) == V{7});
}

TEST_CASE("Bytes hold a phase open") {
  CHECK(values(initBar(1) +
                   "@!%p1 bra END;"
                   "mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [bar], 32;"
                   "mbarrier.arrive.expect_tx.shared::cta.b64 %d1, [bar], 16;"
                   "mbarrier.test_wait.shared.b64 %p2, [bar], %d1; selp.u32 %r1, 1, 0, %p2;"
                   "mbarrier.complete_tx.shared::cta.b64 [bar], 40;"
                   "mbarrier.test_wait.shared.b64 %p2, [bar], %d1; selp.u32 %r2, 1, 0, %p2;"
                   "mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 [bar], 8;"
                   "mbarrier.test_wait.shared.b64 %p2, [bar], %d1; selp.u32 %r3, 1, 0, %p2;"
                   // Bytes may come before they are expected.
                   "mbarrier.complete_tx.shared::cta.b64 [bar], 8;"
                   "mbarrier.arrive_drop.expect_tx.shared::cta.b64 %d1, [bar], 8;"
                   "mbarrier.test_wait.shared.b64 %p2, [bar], %d1; selp.u32 %r4, 1, 0, %p2; END:",
               4) == V{0, 0, 1, 1});
}

TEST_CASE("Generic addresses and address registers") {
  CHECK(values("mov.u32 %r10, bar; cvt.u64.u32 %d10, %r10; cvta.shared.u64 %d11, %d10; @!%p1 bra "
               "END; mbarrier.init.b64 [%d11], 1; mbarrier.arrive.b64 %d1, [%d11]; "
               "mbarrier.try_wait.b64 %p2, [%d11], %d1, 0x989680; selp.u32 %r1, 1, 0, %p2; "
               "mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r10], 0; selp.u32 %r2, 1, 0, %p2; "
               "mbarrier.inval.b64 [%d11]; mbarrier.init.shared.b64 [%r10], 5; "
               "mbarrier.arrive.noComplete.b64 %d1, [%d11], 1; mbarrier.pending_count.b64 %r3, "
               "%d1; END:",
               3) == V{1, 1, 5});
}

TEST_CASE("A waiting warp sleeps until others have arrived") {
  // Warps 1 to 3 write, warp 0 adds up; then the other way round, four phases.
  std::string body =
      initBar(96) +
      "@%p1 mbarrier.init.shared::cta.b64 [second], 32; bar.sync 0;"
      "shl.b32 %r10, %tid_x, 2; mov.u32 %r11, tile; add.u32 %r11, %r11, %r10; mov.b32 "
      "%r20, 0; mov.b32 %r21, 0; setp.lt.u32 %p3, %tid_x, 32; @%p3 bra FIRST;"
      "LOOP: add.u32 %r12, %tid_x, %r20; st.shared.u32 [%r11], %r12; "
      "mbarrier.arrive.shared.b64 _, [bar]; and.b32 %r13, %r20, 1;"
      "W1: mbarrier.try_wait.parity.shared.b64 %p2, [second], %r13; @!%p2 bra W1;"
      "add.u32 %r20, %r20, 1; setp.lt.u32 %p4, %r20, 4; @%p4 bra LOOP; bra END;"
      "FIRST: and.b32 %r13, %r20, 1;"
      "W0: mbarrier.try_wait.parity.shared.b64 %p2, [bar], %r13; @!%p2 bra W0;"
      "ld.shared.u32 %r14, [%r11+128]; ld.shared.u32 %r15, [%r11+256]; ld.shared.u32 "
      "%r16, [%r11+384]; add.u32 %r21, %r21, %r14; add.u32 %r21, %r21, %r15; add.u32 "
      "%r21, %r21, %r16; mbarrier.arrive.shared.b64 _, [second];"
      "add.u32 %r20, %r20, 1; setp.lt.u32 %p4, %r20, 4; @%p4 bra FIRST;"
      "st.global.u32 [%a0], %r21; END:";
  auto out = result(asyncKernel(body, 128), 1);
  // Thread t: sum over 4 rounds i of (t+32+i) + (t+64+i) + (t+96+i) = 12 t + 768 + 18.
  for (uint32_t t = 0; t < 32; ++t)
    CHECK(out[t] == 12 * t + 786);
}

TEST_CASE("Other CTAs arrive at a barrier of CTA 0") {
  std::string body =
      "setp.eq.u32 %p3, %r62, 0; and.pred %p4, %p3, %p1; @%p4 mbarrier.init.shared.b64 "
      "[bar], 128; @%p4 fence.mbarrier_init.release.cluster;" +
      std::string(meet) +
      "mov.u32 %r1, bar; mapa.shared::cluster.u32 %r2, %r1, 0; "
      "mov.u32 %r3, tile; mapa.shared::cluster.u32 %r4, %r3, 0; mad.lo.u32 %r5, %r62, "
      "128, %r4; shl.b32 %r6, %tid_x, 2; add.u32 %r5, %r5, %r6; shl.b32 %r7, %r62, 8; "
      "add.u32 %r7, %r7, %tid_x; st.shared::cluster.u32 [%r5], %r7; "
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r2]; @!%p3 bra END;"
      "W: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p2, [bar], 0; @!%p2 "
      "bra W; add.u32 %r8, %r3, %r6; ld.shared.u32 %r9, [%r8+384]; st.global.u32 [%a0], "
      "%r9; END:" +
      meet;
  auto out = result(asyncKernel(body, 32, 4), 1);
  for (uint32_t t = 0; t < 32; ++t)
    CHECK(out[t] == 3 * 256 + t);
}

TEST_CASE("cp.async.mbarrier.arrive arrives when the copies have landed") {
  auto body = [](const char *form, int count, const char *extra) {
    return initBar(count) +
           "mov.u32 %r1, tile; shl.b32 %r2, %tid_x, 2; add.u32 %r1, %r1, %r2; add.s64 %d1, %rd_0, "
           "%off; cp.async.ca.shared.global [%r1], [%d1], 4; " +
           form + extra + waitFor("W") +
           "xor.b32 %r3, %r2, 124; mov.u32 %r4, tile; add.u32 %r4, %r4, %r3; ld.shared.u32 %r5, "
           "[%r4]; st.global.u32 [%a0], %r5;";
  };
  for (auto &text : {body("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [bar];", 32, ""),
                     body("cp.async.mbarrier.arrive.shared.b64 [bar];", 32,
                          "mbarrier.arrive.shared.b64 _, [bar];")}) {
    auto out = result(asyncKernel(text), 1);
    for (uint32_t t = 0; t < 32; ++t)
      CHECK(out[t] == 31 - t);
  }
}

TEST_CASE("Only the CTA's own barriers can be waited for") {
  for (int rank : {0, 1}) {
    std::string body = initBar(1) + "@%p1 mbarrier.arrive.shared.b64 _, [bar];" + meet +
                       "mov.u32 %r1, bar; xor.b32 %r2, %r62, " + std::to_string(rank) +
                       "; mapa.shared::cluster.u32 %r3, %r1, %r2; W: "
                       "mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r3], 0; @!%p2 bra W;" +
                       meet;
    EverySchedule all = runAll(asyncKernel(body, 32, 2));
    CHECK(all.agree);
    CHECK(all.ran.id() == (rank ? "B5" : ""));
  }
}

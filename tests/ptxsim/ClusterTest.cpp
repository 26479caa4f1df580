// Clusters: CTAs that meet at barrier.cluster and reach each other's shared memory.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Kernel kernel(std::string body, uint32_t ctas = 8, uint32_t cluster = 4) {
  Kernel k;
  k.body = "mov.u32 %r40, %ctaid.x; mov.u32 %r41, %ntid.x; mad.lo.u32 %r42, %r40, %r41, %tid_x; "
           "mul.wide.u32 %d40, %r42, 4; add.s64 %a0, %rd_0, %d40; mov.u32 %r1, tile; shl.b32 %r2, "
           "%tid_x, 2; add.u32 %r3, %r1, %r2; mov.u32 %r4, %cluster_ctarank; "
           "mov.u32 %r5, %cluster_nctarank;\n" +
           std::move(body) + "\nret;";
  k.declarations = ".shared .align 16 .b8 before[64]; .shared .align 16 .b8 tile[256];";
  k.buffers = {{"out", words(size_t{ctas} * 64)}};
  k.launch.grid = {ctas, 1, 1};
  k.launch.block = {64, 1, 1};
  k.launch.cluster = {cluster, 1, 1};
  return k;
}
constexpr const char *meet = "barrier.cluster.arrive; barrier.cluster.wait;";
/// Writes its thread numbers, meets, reads those of the next CTA of the cluster.
std::string neighbour(const char *load) {
  return std::string("st.shared.u32 [%r3], %r42;") + meet +
         "add.u32 %r6, %r4, 1; rem.u32 %r6, %r6, %r5;" + load + meet + "st.global.u32 [%a0], %r8;";
}
} // namespace

TEST_CASE("a CTA reads the shared memory of its neighbour in the cluster") {
  for (const char *load :
       {"mapa.shared::cluster.u32 %r7, %r3, %r6; ld.shared::cluster.u32 %r8, [%r7];",
        "cvt.u64.u32 %d1, %r3; cvta.shared.u64 %d1, %d1; mapa.u64 %d2, %d1, %r6; ld.u32 %r8, "
        "[%d2];"}) {
    Kernel k = kernel(neighbour(load));
    for (ScheduleKind schedule : {ScheduleKind::Eager, ScheduleKind::Lazy, ScheduleKind::Random})
      for (unsigned threads : {1u, 3u}) {
        k.options.schedule = schedule;
        k.options.threads = threads;
        Ran ran = run(k);
        REQUIRE(ran.text() == "");
        for (uint32_t i = 0; i < 512; ++i) {
          uint32_t cta = i / 64, next = cta / 4 * 4 + (cta + 1) % 4;
          CHECK(ran.buffers[0][i] == next * 64 + i % 64);
        }
      }
  }
}

TEST_CASE("ranks, counts and the rank of an address") {
  Ran ran =
      run(kernel("mov.u32 %r6, %clusterid.x; mov.u32 %r7, %nclusterid.x; mov.u32 %r8, 3; "
                 "mapa.shared::cluster.u32 %r9, %r3, %r8; getctarank.shared::cluster.u32 %r9, %r9; "
                 "getctarank.shared::cluster.u32 %r10, %r3; mad.lo.u32 %r11, %r6, 10, %r7; "
                 "mad.lo.u32 %r11, %r11, 10, %r9; mad.lo.u32 %r11, %r11, 10, %r10; "
                 "mad.lo.u32 %r11, %r11, 10, %r4; mad.lo.u32 %r11, %r11, 10, %r5; "
                 "st.global.u32 [%a0], %r11;"));
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[0][0] == 23004);
  CHECK(ran.buffers[0][6 * 64] == 123224);
}

TEST_CASE("atomics on another CTA's shared memory") {
  Ran ran = run(
      kernel(std::string("setp.lt.u32 %p1, %tid_x, 32; mov.u32 %r9, 0; setp.eq.u32 %p2, %tid_x, 0; "
                         "@%p2 st.shared.u32 [%r1], %r9;") +
             meet +
             "mov.u32 %r6, 0; mapa.shared::cluster.u32 %r7, %r1, %r6; "
             "atom.shared::cluster.add.u32 %r8, [%r7], 1;" +
             meet + "ld.shared::cluster.u32 %r8, [%r7]; st.global.u32 [%a0], %r8;" + meet));
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[0] == words(512, 256));
}

TEST_CASE("a shared address of another CTA is out of bounds for .shared") {
  CHECK(
      run(kernel("mov.u32 %r6, 1; mapa.shared::cluster.u32 %r7, %r3, %r6; setp.eq.u32 %p1, %r4, 0; "
                 "@%p1 st.shared.u32 [%r7], %r6;"))
          .id() == "X5");
  CHECK(run(kernel("mov.u32 %r6, 7; mapa.shared::cluster.u32 %r7, %r3, %r6; "
                   "ld.shared::cluster.u32 %r8, [%r7];"))
            .id() == "X5");
}

TEST_CASE("a CTA that leaves while another reads its shared memory") {
  Ran ran =
      run(kernel(std::string("st.shared.u32 [%r3], %r42;") + meet +
                 "setp.eq.u32 %p1, %r4, 0; @%p1 exit; mov.u32 %r6, 0; "
                 "mapa.shared::cluster.u32 %r7, %r3, %r6; ld.shared::cluster.u32 %r8, [%r7];"));
  CHECK(ran.id() == "B6");
}

TEST_CASE("misuse of barrier.cluster") {
  CHECK(run(kernel("barrier.cluster.wait;")).id() == "X2");
  CHECK(run(kernel("barrier.cluster.arrive; barrier.cluster.arrive;")).id() == "X2");
  CHECK(run(kernel("setp.lt.u32 %p1, %tid_x, 8; @%p1 barrier.cluster.arrive.aligned; "
                   "bar.sync 0;"))
            .id() == "X1");
  // One CTA waits at its own barrier for the one that waits for it.
  CHECK(
      run(kernel(
              "setp.lt.u32 %p1, %tid_x, 32; setp.eq.u32 %p2, %r4, 1; @%p2 bra A;"
              "barrier.cluster.arrive; barrier.cluster.wait; bra E;\nA: @%p1 bar.sync 3, 64;\nE:"))
          .id() == "X2");
}

TEST_CASE("threads that have exited do not hold up barrier.cluster") {
  CHECK(run(kernel(std::string("setp.eq.u32 %p1, %r4, 2; @%p1 exit;") + meet)).text() == "");
}

TEST_CASE("cluster shapes that do not fit") {
  using msa::StatusCode;
  CHECK(run(kernel("", 8, 3)).status.code() == StatusCode::InvalidInput);
  CHECK(run(kernel("", 32, 32)).status.code() == StatusCode::InvalidInput);
  Kernel old = kernel("", 8, 2);
  old.body = "ret;";
  old.target = "sm_80";
  CHECK(run(old).status.code() == StatusCode::InvalidInput);
}

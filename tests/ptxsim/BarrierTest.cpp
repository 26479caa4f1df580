// bar, barrier: who waits for whom.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Kernel kernel(std::string body, uint32_t threads) {
  Kernel k;
  k.body = std::move(body);
  k.declarations = ".shared .align 4 .b32 tile[1024];";
  k.buffers = {{"out", words(threads)}};
  k.launch.block = {threads, 1, 1};
  return k;
}
constexpr ScheduleKind schedules[] = {ScheduleKind::Eager, ScheduleKind::Lazy,
                                      ScheduleKind::Random};
} // namespace

TEST_CASE("a barrier orders shared memory between warps") {
  Kernel k = kernel(R"(
    mov.u32 %r1, tile; shl.b32 %r2, %tid_x, 2; add.u32 %r3, %r1, %r2;
    mul.lo.u32 %r4, %tid_x, 3; st.shared.u32 [%r3], %r4;
    bar.sync 0;
    mov.u32 %r5, 255; sub.u32 %r5, %r5, %tid_x; shl.b32 %r5, %r5, 2; add.u32 %r5, %r5, %r1;
    ld.shared.u32 %r6, [%r5];
    add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r6; ret;)",
                    256);
  for (ScheduleKind schedule : schedules)
    for (uint64_t seed = 0; seed < 3; ++seed) {
      k.options.schedule = schedule;
      k.options.seed = seed;
      Ran ran = run(k);
      REQUIRE(ran.text() == "");
      for (uint32_t i = 0; i < 256; ++i)
        CHECK(ran.buffers[0][i] == (255 - i) * 3);
    }
}

TEST_CASE("a producer signals with bar.arrive, consumers wait on a named barrier") {
  Kernel k = kernel(R"(
    mov.u32 %r1, tile; setp.lt.u32 %p1, %tid_x, 32; @!%p1 bra CONSUMER;
    shl.b32 %r2, %tid_x, 2; add.u32 %r2, %r2, %r1; st.shared.u32 [%r2], %tid_x;
    bar.arrive 1, 64; bra END;
  CONSUMER: bar.sync 1, 64;
    sub.u32 %r3, 63, %tid_x; shl.b32 %r3, %r3, 2; add.u32 %r3, %r3, %r1; ld.shared.u32 %r4, [%r3];
    add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r4;
  END: ret;)",
                    64);
  for (ScheduleKind schedule : schedules) {
    k.options.schedule = schedule;
    Ran ran = run(k);
    REQUIRE(ran.text() == "");
    for (uint32_t i = 32; i < 64; ++i)
      CHECK(ran.buffers[0][i] == 63 - i);
  }
}

TEST_CASE("barrier.red counts and combines predicates of all threads") {
  Ran ran = run(kernel(R"(
    setp.lt.u32 %p1, %tid_x, 40;
    bar.red.popc.u32 %r1, 0, %p1;
    barrier.red.or.pred %p2, 1, !%p1;
    barrier.red.and.pred %p3, 2, %p1;
    selp.u32 %r2, 1000, 0, %p2; selp.u32 %r3, 100000, 0, %p3;
    add.u32 %r1, %r1, %r2; add.u32 %r1, %r1, %r3;
    add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r1; ret;)",
                       96));
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[0] == words(96, 1040));
}

TEST_CASE("a barrier number and count from registers") {
  Ran ran = run(kernel(R"(
    shr.u32 %r1, %tid_x, 6; add.u32 %r1, %r1, 3; mov.u32 %r2, 64; barrier.sync %r1, %r2;
    add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r1; ret;)",
                       128));
  REQUIRE(ran.text() == "");
}

TEST_CASE("an aligned barrier inside of a divergent branch is X1 and says who is missing") {
  Ran ran = run(
      kernel("setp.lt.u32 %p1, %tid_x, 16; @!%p1 bra END; bar.sync 0;\nEND: bar.sync 1; ret;", 32));
  CHECK(ran.id() == "X1");
  CHECK(ran.text().find("0xffff0000") != std::string::npos);
}

TEST_CASE("warps that wait for different barriers are a deadlock that lists them") {
  Ran ran = run(kernel(
      "setp.lt.u32 %p1, %tid_x, 32; @%p1 bra A; bar.sync 1, 64; ret;\nA: bar.sync 2, 64; ret;",
      64));
  CHECK(ran.id() == "X2");
  CHECK(ran.text().find("barrier 1") != std::string::npos);
  CHECK(ran.text().find("barrier 2") != std::string::npos);
}

TEST_CASE("misuse of a barrier is X2") {
  CHECK(run(kernel("bar.sync 0, 33; ret;", 64)).id() == "X2");
  CHECK(run(kernel("bar.sync 0, 128; ret;", 64)).id() == "X2");
  CHECK(run(kernel("mov.u32 %r1, 16; barrier.sync %r1; ret;", 64)).id() == "X2");
  CHECK(run(kernel("setp.lt.u32 %p1, %tid_x, 32; @%p1 bra A; bar.sync 0, 64; ret;\nA: bar.sync 0, "
                   "96; ret;",
                   96))
            .id() == "X2");
  CHECK(run(kernel("bar.arrive 1, 64; bar.arrive 1, 64; ret;", 64)).id() == "X2");
}

TEST_CASE("lanes that give different barrier numbers are X1") {
  CHECK(run(kernel("and.b32 %r1, %tid_x, 1; bar.sync %r1; ret;", 32)).id() == "X1");
}

TEST_CASE("an endless loop ends with the instruction budget") {
  Kernel k = kernel("L: bra L;", 32);
  k.options.instructionBudget = 10000;
  Ran ran = run(k);
  CHECK(ran.id() == "budget");
  CHECK(ran.result.counters.warpInstructions == 10000);
}

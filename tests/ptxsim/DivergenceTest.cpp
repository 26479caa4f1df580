// Branches that split a warp, and where its threads meet again.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Kernel kernel(std::string body, size_t n = 32) {
  Kernel k;
  k.body = std::move(body);
  k.buffers = {{"out", words(n)}};
  k.launch.block = {static_cast<uint32_t>(n), 1, 1};
  return k;
}
} // namespace

TEST_CASE("nested branches give each thread its own path and meet again") {
  Kernel k = kernel(R"(
    mov.u32 %r1, 0;
    setp.lt.u32 %p1, %tid_x, 16;
    @!%p1 bra ELSE;
    and.b32 %r2, %tid_x, 1; setp.eq.u32 %p2, %r2, 0;
    @%p2 bra EVEN;
    add.u32 %r1, %r1, 1; bra.uni INNER;
  EVEN: add.u32 %r1, %r1, 2;
  INNER: add.u32 %r1, %r1, 10; bra.uni JOIN;
  ELSE: add.u32 %r1, %r1, 5;
  JOIN: activemask.b32 %r3; popc.b32 %r3, %r3; mul.lo.u32 %r3, %r3, 1000; add.u32 %r1, %r1, %r3;
    add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r1; ret;)");
  for (ScheduleKind schedule : {ScheduleKind::Eager, ScheduleKind::Lazy, ScheduleKind::Random}) {
    k.options.schedule = schedule;
    Ran ran = run(k);
    REQUIRE(ran.text() == "");
    for (uint32_t i = 0; i < 32; ++i)
      CHECK(ran.buffers[0][i] == 32000 + (i >= 16 ? 5u : i % 2 ? 11u : 12u));
  }
}

TEST_CASE("a loop whose threads leave at different times") {
  Ran ran = run(kernel(R"(
    mov.u32 %r1, 0; mov.u32 %r2, 0;
  LOOP: setp.ge.u32 %p1, %r2, %tid_x; @%p1 bra DONE;
    add.u32 %r1, %r1, %r2; add.u32 %r2, %r2, 1; bra LOOP;
  DONE: activemask.b32 %r3; setp.eq.u32 %p2, %r3, 0xffffffff; @!%p2 trap;
    add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r1; ret;)"));
  REQUIRE(ran.text() == "");
  for (uint32_t i = 0; i < 32; ++i)
    CHECK(ran.buffers[0][i] == (i == 0 ? 0 : i * (i - 1) / 2));
}

TEST_CASE("threads that exit early do not hold up the others") {
  Ran ran = run(kernel(R"(
    setp.gt.u32 %p1, %tid_x, 7; @%p1 exit;
    bar.sync 0;
    shfl.sync.idx.b32 %r1, %tid_x, 3, 31, 0xff;
    add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r1; ret;)",
                       64));
  REQUIRE(ran.text() == "");
  for (uint32_t i = 0; i < 64; ++i)
    CHECK(ran.buffers[0][i] == (i < 8 ? 3u : 0u));
}

TEST_CASE("a lock that lanes of one warp take in turn makes progress") {
  Kernel k = kernel(R"(
    mov.u32 %r9, 0;
  TRY: atom.global.cas.b32 %r1, [%rd_0], 0, 1;
    setp.ne.u32 %p1, %r1, 0; @%p1 bra TRY;
    ld.volatile.global.u32 %r2, [%rd_0+4]; add.u32 %r2, %r2, 1; st.volatile.global.u32 [%rd_0+4], %r2;
    membar.gl; atom.global.exch.b32 %r3, [%rd_0], 0;
    ret;)",
                    64);
  for (ScheduleKind schedule : {ScheduleKind::Eager, ScheduleKind::Lazy, ScheduleKind::Random}) {
    k.options.schedule = schedule;
    k.options.instructionBudget = 20'000'000;
    Ran ran = run(k);
    REQUIRE(ran.text() == "");
    CHECK(ran.buffers[0][1] == 64);
  }
}

TEST_CASE("lanes of one warp that hand over a value by spinning") {
  Kernel k = kernel(R"(
    setp.eq.u32 %p1, %tid_x, 0; @%p1 bra PRODUCER;
  SPIN: ld.volatile.global.u32 %r1, [%rd_0]; setp.eq.u32 %p2, %r1, 0; @%p2 bra SPIN;
    bra.uni END;
  PRODUCER: mov.u32 %r1, 7; st.volatile.global.u32 [%rd_0], %r1;
  END: add.s64 %a0, %rd_0, %off; setp.ne.u32 %p3, %tid_x, 0; @%p3 st.global.u32 [%a0], %r1; ret;)");
  k.options.instructionBudget = 10'000'000;
  for (ScheduleKind schedule : {ScheduleKind::Eager, ScheduleKind::Lazy, ScheduleKind::Random}) {
    k.options.schedule = schedule;
    Ran ran = run(k);
    REQUIRE(ran.text() == "");
    CHECK(ran.buffers[0] == words(32, 7));
  }
}

TEST_CASE("brx.idx sends each thread to its own target") {
  Ran ran = run(kernel(R"(
    and.b32 %r1, %tid_x, 3;
    ts: .branchtargets L0, L1, L2, L1;
    brx.idx %r1, ts;
  L0: mov.u32 %r2, 100; bra END;
  L1: mov.u32 %r2, 200; bra END;
  L2: mov.u32 %r2, 300;
  END: add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r2; ret;)"));
  REQUIRE(ran.text() == "");
  constexpr uint32_t want[] = {100, 200, 300, 200};
  for (uint32_t i = 0; i < 32; ++i)
    CHECK(ran.buffers[0][i] == want[i % 4]);
}

TEST_CASE("brx.idx with an index beyond its list is a trap") {
  CHECK(run(kernel("ts: .branchtargets L0, L1;\n brx.idx %tid_x, ts;\nL0: ret;\nL1: ret;")).id() ==
        "X9");
}

TEST_CASE("__syncwarp in both arms of a branch pairs the arms") {
  Ran ran = run(kernel(R"(
    setp.lt.u32 %p1, %tid_x, 16; @%p1 bra A;
    bar.warp.sync 0xffff0000; mov.u32 %r1, 2; bra END;
  A: bar.warp.sync 0x0000ffff; mov.u32 %r1, 1;
  END: add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r1; ret;)"));
  REQUIRE(ran.text() == "");
  for (uint32_t i = 0; i < 32; ++i)
    CHECK(ran.buffers[0][i] == (i < 16 ? 1u : 2u));
}

TEST_CASE("a full-mask shuffle that not all threads reach is named") {
  Ran ran = run(kernel(R"(
    setp.lt.u32 %p1, %tid_x, 16; @!%p1 bra END;
    shfl.sync.idx.b32 %r1, %tid_x, 0, 31, 0xffffffff;
  END: bar.sync 0; ret;)"));
  CHECK((ran.id() == "X7" || ran.id() == "X1"));
  CHECK(ran.text().find("0xffff0000") != std::string::npos);
}

TEST_CASE("a member mask without the executing lane") {
  CHECK(run(kernel("shfl.sync.idx.b32 %r1, %tid_x, 0, 31, 0x1; ret;")).id() == "X7");
}

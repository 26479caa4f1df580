// Many CTAs: the same result for any number of host threads.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Kernel kernel(std::string body, uint32_t ctas, size_t outWords) {
  Kernel k;
  k.body = "mov.u32 %r40, %ctaid.x; mov.u32 %r41, %ntid.x; mad.lo.u32 %r42, %r40, %r41, %tid_x; "
           "mul.wide.u32 %d40, %r42, 4; add.s64 %a0, %rd_0, %d40;\n" +
           std::move(body) + "\nret;";
  k.buffers = {{"out", words(outWords)}, {"sync", words(64)}};
  k.launch.grid = {ctas, 1, 1};
  return k;
}
constexpr unsigned threadCounts[] = {1, 2, 5};
} // namespace

TEST_CASE("independent CTAs on any number of threads") {
  Kernel k = kernel("mul.lo.u32 %r1, %r42, 7; st.global.u32 [%a0], %r1;", 50, 1600);
  std::vector<std::vector<uint32_t>> first;
  for (unsigned threads : threadCounts) {
    k.options.threads = threads;
    Ran ran = run(k);
    REQUIRE(ran.text() == "");
    CHECK(ran.result.counters.threadInstructions == 50 * 32 * 12);
    if (first.empty())
      first = ran.buffers;
    CHECK(ran.buffers == first);
    CHECK(ran.buffers[0][1599] == 1599 * 7);
  }
}

TEST_CASE("the lowest CTA that traps is reported, whatever the number of threads") {
  Kernel k = kernel("setp.ge.u32 %p1, %r40, 17; @%p1 trap; st.global.u32 [%a0], %r40;", 200, 6400);
  for (unsigned threads : threadCounts) {
    k.options.threads = threads;
    Ran ran = run(k);
    CHECK(ran.id() == "trap");
    CHECK(ran.result.trap.cta == std::array<uint32_t, 3>{17, 0, 0});
    CHECK(ran.result.counters.warpInstructions == 11);
  }
}

TEST_CASE("integer reductions of all CTAs add up") {
  Kernel k = kernel("red.global.add.u32 [%rd_1], 1; red.global.max.u32 [%rd_1+4], %r42;", 64, 2048);
  for (unsigned threads : threadCounts) {
    k.options.threads = threads;
    Ran ran = run(k);
    REQUIRE(ran.text() == "");
    CHECK(ran.buffers[1][0] == 2048);
    CHECK(ran.buffers[1][1] == 2047);
  }
}

TEST_CASE("tickets drawn from an atomic go to CTAs in order") {
  Kernel k = kernel("setp.ne.u32 %p1, %tid_x, 0; @%p1 exit; atom.global.add.u32 %r1, [%rd_1], 1; "
                    "st.global.u32 [%a0], %r1;",
                    40, 1280);
  for (unsigned threads : threadCounts) {
    k.options.threads = threads;
    Ran ran = run(k);
    REQUIRE(ran.text() == "");
    for (uint32_t i = 0; i < 40; ++i)
      CHECK(ran.buffers[0][i * 32] == i);
  }
}

TEST_CASE("a grid-wide barrier: CTAs that wait for all others run side by side") {
  Kernel k = kernel(R"(
    st.global.u32 [%a0], %r40; bar.sync 0; setp.ne.u32 %p1, %tid_x, 0; @%p1 bra WAIT;
    membar.gl; atom.add.release.gpu.global.u32 %r1, [%rd_1], 1;
  SPIN: ld.acquire.gpu.global.u32 %r2, [%rd_1]; setp.lt.u32 %p2, %r2, 24; @%p2 bra SPIN;
  WAIT: bar.sync 0;
    mov.u32 %r3, 23; sub.u32 %r3, %r3, %r40; mad.lo.u32 %r3, %r3, 32, %tid_x; mul.wide.u32 %d1, %r3, 4; add.s64 %d1, %rd_0, %d1;
    ld.volatile.global.u32 %r4, [%d1]; add.s64 %d2, %a0, 3072; st.global.u32 [%d2], %r4;)",
                    24, 1536);
  for (ScheduleKind schedule : {ScheduleKind::Eager, ScheduleKind::Lazy, ScheduleKind::Random}) {
    k.options.schedule = schedule;
    k.options.instructionBudget = 50'000'000;
    Ran ran = run(k);
    REQUIRE(ran.text() == "");
    for (uint32_t i = 0; i < 24; ++i)
      CHECK(ran.buffers[0][768 + i * 32 + 5] == 23 - i);
  }
}

TEST_CASE("decoupled look-back: each CTA waits for the one before it") {
  Kernel k = kernel(R"(
    setp.ne.u32 %p1, %tid_x, 0; @%p1 exit;
    mul.wide.u32 %d1, %r40, 4; add.s64 %d1, %rd_1, %d1; mov.u32 %r1, 0; setp.eq.u32 %p2, %r40, 0; @%p2 bra ADD;
  SPIN: ld.acquire.gpu.global.u32 %r1, [%d1+-4]; setp.eq.u32 %p3, %r1, 0; @%p3 bra SPIN;
  ADD: add.u32 %r2, %r1, %r40; add.u32 %r2, %r2, 1; st.release.gpu.global.u32 [%d1], %r2;)",
                    60, 2);
  Ran ran = run(k);
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[1][59] == 60 * 61 / 2);
}

TEST_CASE("special registers of a three-dimensional launch") {
  Kernel k;
  k.body = R"(
    mov.u32 %r1, %tid.y; mov.u32 %r2, %tid.z; mov.u32 %r3, %ctaid.y; mov.u32 %r4, %nctaid.y; mov.u32 %r5, %warpid; mov.u32 %r6, %laneid;
    mad.lo.u32 %r7, %r2, 10, %r1; mad.lo.u32 %r7, %r7, 10, %tid_x; mad.lo.u32 %r7, %r7, 10, %r3; mad.lo.u32 %r7, %r7, 10, %r4;
    mad.lo.u32 %r8, %r5, 32, %r6; mul.wide.u32 %d1, %r8, 4; add.s64 %d1, %rd_0, %d1; setp.eq.u32 %p1, %r3, 1; @%p1 st.global.u32 [%d1], %r7; ret;)";
  k.buffers = {{"out", words(64)}};
  k.launch.block = {4, 4, 3};
  k.launch.grid = {1, 2, 1};
  Ran ran = run(k);
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[0][47] == 23312);
  CHECK(ran.buffers[0][6] == 1212);
}

TEST_CASE("bad launches are told apart from bad kernels") {
  Kernel k = kernel("", 1, 32);
  auto code = [&](auto change) {
    Kernel changed = k;
    change(changed);
    return run(changed).status.code();
  };
  using msa::StatusCode;
  CHECK(code([](Kernel &c) { c.launch.block = {1025, 1, 1}; }) == StatusCode::InvalidInput);
  CHECK(code([](Kernel &c) { c.launch.block = {32, 64, 1}; }) == StatusCode::InvalidInput);
  CHECK(code([](Kernel &c) { c.launch.grid = {0, 1, 1}; }) == StatusCode::InvalidInput);
  CHECK(code([](Kernel &c) { c.launch.dynamicSharedBytes = 300000; }) == StatusCode::InvalidInput);
  CHECK(code([](Kernel &c) { c.launch.cluster = {2, 1, 1}; }) == StatusCode::InvalidInput);
  CHECK(code([](Kernel &c) { c.options.disabledChecks = {"X99"}; }) == StatusCode::InvalidInput);
  CHECK(code([](Kernel &c) { c.options.disabledChecks = {"T3", "all"}; }) == StatusCode::Ok);
}

TEST_CASE("two CTAs that write different values to one word") {
  Kernel k =
      kernel("setp.lt.u32 %p1, %r40, 5; @%p1 exit; st.global.u32 [%rd_1+8], %r40;", 40, 1280);
  std::string first;
  for (unsigned threads : threadCounts) {
    k.options.threads = threads;
    Ran ran = run(k);
    CHECK(ran.id() == "P5");
    CHECK(ran.result.trap.cta == std::array<uint32_t, 3>{39, 0, 0});
    CHECK(ran.text().find("CTA (5,0,0) writes too") != std::string::npos);
    CHECK(ran.text().find("offset 8 of buffer 'sync'") != std::string::npos);
    if (first.empty())
      first = ran.text();
    CHECK(ran.text() == first);
  }
  k.options.disabledChecks = {"P5"};
  CHECK(run(k).text() == "");
}

TEST_CASE("a CTA that reads what another one writes, in either order") {
  for (const char *reader : {"0", "19"}) {
    Kernel k = kernel(std::string("setp.eq.u32 %p1, %r40, ") + reader +
                          "; @%p1 ld.global.u32 %r1, [%rd_0+1024];"
                          "@!%p1 st.global.u32 [%a0], %r40;",
                      20, 640);
    for (unsigned threads : threadCounts) {
      k.options.threads = threads;
      Ran ran = run(k);
      CHECK(ran.id() == "P5");
      CHECK(ran.text().find(std::string("CTA (") + reader + ",0,0) reads too") !=
            std::string::npos);
    }
  }
}

TEST_CASE("CTAs that write the same value, and neighbours in one word, do not race") {
  CHECK(run(kernel("mov.u32 %r1, 3; st.global.u32 [%rd_1], %r1;", 20, 2)).text() == "");
  CHECK(run(kernel("cvt.u64.u32 %d1, %r40; add.s64 %d1, %rd_1, %d1; cvt.u16.u32 %h1, %r40; "
                   "st.global.u8 [%d1], %h1;",
                   20, 2))
            .text() == "");
}

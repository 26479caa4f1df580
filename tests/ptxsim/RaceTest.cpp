// P5: data races in shared memory.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Kernel kernel(std::string body, uint32_t threads = 64) {
  Kernel k;
  k.body = "mov.u32 %r1, tile; shl.b32 %r2, %tid_x, 2; add.u32 %r3, %r1, %r2;\n" + std::move(body) +
           "\nret;";
  k.declarations = ".shared .align 4 .b32 tile[1024];";
  k.buffers = {{"out", words(threads)}};
  k.launch.block = {threads, 1, 1};
  return k;
}
} // namespace

TEST_CASE("a read of what another warp wrote without a barrier") {
  Kernel k = kernel("st.shared.u32 [%r1+512], %r1; bar.sync 0; st.shared.u32 [%r3], %tid_x; "
                    "xor.b32 %r4, %r3, 128; "
                    "setp.ge.u32 %p1, %tid_x, 32; @%p1 ld.shared.u32 %r5, [%r4];");
  Ran ran = run(k);
  CHECK(ran.id() == "P5");
  CHECK(ran.text().find("'tile'") != std::string::npos);
  // Whichever of the two comes second is blamed and names the other.
  CHECK(ran.text().find(ran.result.trap.warp == 0 ? "by warp 1" : "by warp 0") !=
        std::string::npos);
  k.options.disabledChecks = {"P5"};
  CHECK(run(k).text() == "");
}

TEST_CASE("a write over what another warp read without a barrier") {
  CHECK(run(kernel("setp.lt.u32 %p1, %tid_x, 32; @%p1 st.shared.u32 [%r3], %tid_x; bar.sync 0; "
                   "ld.shared.u32 %r5, [%r1]; @!%p1 st.shared.u32 [%r1], %tid_x;"))
            .id() == "P5");
}

TEST_CASE("two warps write different values to one place") {
  CHECK(run(kernel("st.shared.u32 [%r1], %tid_x;")).id() == "P5");
}

TEST_CASE("two warps that write the same value harm nobody") {
  CHECK(
      run(kernel("mov.u32 %r5, 9; st.shared.u32 [%r1], %r5; bar.sync 0; ld.shared.u32 %r6, [%r1];"))
          .text() == "");
}

TEST_CASE("a barrier between the accesses makes them good") {
  CHECK(run(kernel("st.shared.u32 [%r3], %tid_x; bar.sync 0; xor.b32 %r4, %r3, 128; ld.shared.u32 "
                   "%r5, [%r4]; "
                   "bar.sync 0; st.shared.u32 [%r4], %r5;"))
            .text() == "");
}

TEST_CASE("a barrier of other warps does not help") {
  CHECK(
      run(kernel(
              "setp.lt.u32 %p1, %tid_x, 32; @%p1 st.shared.u32 [%r1], %tid_x; @%p1 bar.sync 1, 32;"
              "@!%p1 bar.sync 2, 32; @!%p1 ld.shared.u32 %r5, [%r1];"))
          .id() == "P5");
}

TEST_CASE("order passes through a chain of named barriers") {
  // warp 0 -> barrier 1 -> warp 1 -> barrier 2 -> warp 2.
  Kernel k = kernel(R"(
    shr.u32 %r5, %tid_x, 5; setp.eq.u32 %p0, %r5, 0; setp.eq.u32 %p1, %r5, 1; setp.eq.u32 %p2, %r5, 2;
    @%p0 st.shared.u32 [%r3], %tid_x;
    @%p0 bar.sync 1, 64; @%p1 bar.sync 1, 64;
    @%p1 bar.sync 2, 64; @%p2 bar.sync 2, 64;
    @%p2 ld.shared.u32 %r6, [%r1];)",
                    96);
  CHECK(run(k).text() == "");
}

TEST_CASE("bytes of one word belong to different warps") {
  CHECK(run(kernel("cvt.u16.u32 %h1, %tid_x; shr.u32 %r5, %tid_x, 5; add.u32 %r6, %r1, %r5; "
                   "st.shared.u8 [%r6], %h1;"))
            .text() == "");
}

TEST_CASE("atomics are exempt and do not race with each other") {
  CHECK(run(kernel("setp.eq.u32 %p1, %tid_x, 0; mov.u32 %r5, 0; @%p1 st.shared.u32 [%r1], %r5; "
                   "bar.sync 0; "
                   "atom.shared.add.u32 %r6, [%r1], 1; bar.sync 0; ld.shared.u32 %r7, [%r1];"
                   "add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r7;"))
            .buffers.at(0) == words(64, 64));
}

TEST_CASE("a flag written and read with volatile accesses orders what it guards") {
  Kernel k = kernel(R"(
    setp.eq.u32 %p3, %tid_x, 0; mov.u32 %r9, 0; @%p3 st.shared.u32 [%r1+2048], %r9; bar.sync 0;
    setp.lt.u32 %p1, %tid_x, 32; @!%p1 bra CONSUMER;
    st.shared.u32 [%r3], %tid_x; membar.cta; mov.u32 %r5, 1; @%p3 st.volatile.shared.u32 [%r1+2048], %r5; bra END;
  CONSUMER: ld.volatile.shared.u32 %r6, [%r1+2048]; setp.eq.u32 %p2, %r6, 0; @%p2 bra CONSUMER;
    membar.cta; ld.shared.u32 %r7, [%r3+-128]; add.s64 %a0, %rd_0, %off; st.global.u32 [%a0], %r7;
  END: )");
  k.options.instructionBudget = 1'000'000;
  for (ScheduleKind schedule : {ScheduleKind::Eager, ScheduleKind::Lazy, ScheduleKind::Random}) {
    k.options.schedule = schedule;
    Ran ran = run(k);
    REQUIRE(ran.text() == "");
    for (uint32_t i = 32; i < 64; ++i)
      CHECK(ran.buffers[0][i] == i - 32);
  }
}

// X4: uninitialised values may be moved about, but not decide or reach anything.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Kernel kernel(std::string body, Initial in = Initial::Uninitialised) {
  Kernel k;
  k.body = "add.s64 %a0, %rd_0, %off; add.s64 %a1, %rd_1, %off;\n" + std::move(body) + "\nret;";
  k.declarations = ".shared .align 16 .b8 tile[2048];";
  k.buffers = {{"out", words(64)}, {"in", words(64), in}};
  return k;
}
} // namespace

TEST_CASE("an uninitialised register stored to global memory") {
  Ran ran = run(kernel("st.global.u32 [%a0], %r20;"));
  CHECK(ran.id() == "X4");
  CHECK(ran.result.trap.lane == 0);
}

TEST_CASE("taint flows through arithmetic, shuffles and shared memory") {
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; add.u32 %r2, %r1, 1; cvt.rn.f32.u32 %f1, %r2; "
                   "st.global.f32 [%a0], %f1;"))
            .id() == "X4");
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; shfl.sync.bfly.b32 %r2, %r1, 1, 31, -1; "
                   "st.global.u32 [%a0], %r2;"))
            .id() == "X4");
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; mov.u32 %r2, tile; st.shared.u32 [%r2], %r1; "
                   "ld.shared.u32 %r3, [%r2]; st.global.u32 [%a0], %r3;"))
            .id() == "X4");
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; mov.b64 %d1, {%r1, %tid_x}; mov.b64 {%r2, %r3}, %d1; "
                   "st.global.u32 [%a0], %r2;"))
            .id() == "X4");
}

TEST_CASE("the trap says where the value was read") {
  Ran ran = run(
      kernel("\n\nld.global.u32 %r1, [%a1+8];\nadd.u32 %r2, %r1, 1;\nst.global.u32 [%a0], %r2;"));
  CHECK(ran.id() == "X4");
  CHECK(ran.text().find("line 15, lane 0, offset 8 of buffer 'in'") != std::string::npos);
}

TEST_CASE("only the lanes that are uninitialised are blamed") {
  Ran ran =
      run(kernel("setp.ne.u32 %p1, %tid_x, 9; @%p1 mov.u32 %r1, 1; st.global.u32 [%a0], %r1;"));
  CHECK(ran.id() == "X4");
  CHECK(ran.result.trap.lane == 9);
}

TEST_CASE("moving uninitialised values about is no error") {
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; add.u32 %r2, %r1, %r1; mov.u32 %r3, tile; "
                   "st.shared.u32 [%r3], %r2;"))
            .text() == "");
}

TEST_CASE("a branch, a guard and an address decided by an uninitialised value") {
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; setp.eq.u32 %p1, %r1, 0; @%p1 bra L;\nL: add.u32 "
                   "%r1, %r1, 1;"))
            .id() == "X4");
  CHECK(
      run(kernel("ld.global.u32 %r1, [%a1]; setp.eq.u32 %p1, %r1, 0; @%p1 mov.u32 %r2, 1;")).id() ==
      "X4");
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; mul.wide.u32 %d1, %r1, 4; add.s64 %d2, %rd_0, %d1; "
                   "st.global.u32 [%d2], 1;"))
            .id() == "X4");
}

TEST_CASE("a selection takes the taint of what it chose") {
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; setp.lt.u32 %p1, %tid_x, 99; selp.u32 %r2, 5, %r1, "
                   "%p1; st.global.u32 [%a0], %r2;"))
            .text() == "");
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; setp.lt.u32 %p1, %tid_x, 31; selp.u32 %r2, 5, %r1, "
                   "%p1; st.global.u32 [%a0], %r2;"))
            .result.trap.lane == 31);
}

TEST_CASE("a false operand of a conjunction decides alone") {
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; setp.eq.u32 %p1, %r1, 0; setp.gt.u32 %p2, %tid_x, "
                   "99; and.pred %p3, %p2, %p1; @%p3 bra L;\nL:"))
            .text() == "");
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; setp.gt.u32 %p2, %tid_x, 99; setp.eq.and.u32 %p3, "
                   "%r1, 0, %p2; @%p3 bra L;\nL:"))
            .text() == "");
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; setp.eq.u32 %p1, %r1, 0; setp.lt.u32 %p2, %tid_x, "
                   "99; and.pred %p3, %p2, %p1; @%p3 bra L;\nL:"))
            .id() == "X4");
}

TEST_CASE("zeroed and poisoned buffers are initialised") {
  CHECK(run(kernel("ld.global.u32 %r1, [%a1]; st.global.u32 [%a0], %r1;", Initial::Zero)).text() ==
        "");
  Ran ran = run(kernel("ld.global.u32 %r1, [%a1]; st.global.u32 [%a0], %r1;", Initial::Poison));
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[0][5] == 0x7FC0DEAD);
}

TEST_CASE("a kernel may initialise a buffer and read it again") {
  Ran ran = run(
      kernel("st.global.u32 [%a1], %tid_x; ld.global.u32 %r1, [%a1]; st.global.u32 [%a0], %r1;"));
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[0][31] == 31);
}

TEST_CASE("one element of a vector load may be uninitialised") {
  Kernel k = kernel("mov.u32 %r1, tile; shl.b32 %r2, %tid_x, 3; add.u32 %r1, %r1, %r2; "
                    "st.shared.u32 [%r1], %tid_x; "
                    "ld.shared.v2.u32 {%r3, %r4}, [%r1]; st.global.u32 [%a0], %r3;");
  CHECK(run(k).text() == "");
  k.body.replace(k.body.find("[%a0], %r3"), 10, "[%a0], %r4");
  CHECK(run(k).id() == "X4");
}

TEST_CASE("an mma taints the rows and columns of uninitialised operands only") {
  // Rows 8..15 of A live in registers 1 and 3.
  std::string mma = "mov.u32 %r1, 0x3C003C00; mov.f32 %f1, 0f00000000;"
                    "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f2, %f3, %f4, %f5}, {%r1, "
                    "%r9, %r1, %r9}, {%r1, %r1}, {%f1, %f1, %f1, %f1};";
  Ran ran = run(kernel(mma + "st.global.f32 [%a0], %f2;"));
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[0][0] == 0x41800000); // 16
  CHECK(run(kernel(mma + "st.global.f32 [%a0], %f4;")).id() == "X4");
}

TEST_CASE("local memory starts uninitialised in every thread") {
  CHECK(run(kernel(".local .align 4 .b8 here[16]; mov.u64 %d1, here; ld.local.u32 %r1, [%d1+4]; "
                   "st.global.u32 [%a0], %r1;"))
            .id() == "X4");
  Ran ran =
      run(kernel(".local .align 4 .b8 here[16]; mov.u64 %d1, here; cvta.local.u64 %d2, %d1; st.u32 "
                 "[%d2+4], %tid_x; ld.local.u32 %r1, [here+4]; st.global.u32 [%a0], %r1;"));
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[0][17] == 17);
}

TEST_CASE("with X4 off an uninitialised value is zero, on every run") {
  Kernel k = kernel("st.global.u32 [%a0], %r20;");
  k.options.disabledChecks = {"X4"};
  Ran ran = run(k);
  CHECK(ran.text() == "");
  CHECK(ran.buffers[0] == words(64));
}

// cp.async: when the bytes are there, and what a missing wait looks like.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Kernel kernel(std::string body) {
  Kernel k;
  k.body = "add.s64 %a0, %rd_0, %off; add.s64 %a1, %rd_1, %off; mov.u32 %r1, tile; shl.b32 %r2, "
           "%tid_x, 2; add.u32 %r3, %r1, %r2;\n" +
           std::move(body) + "\nret;";
  k.declarations = ".shared .align 16 .b8 tile[2048];";
  k.buffers = {{"out", words(64)}, {"in", counting(64)}};
  k.launch.block = {64, 1, 1};
  return k;
}
constexpr ScheduleKind schedules[] = {ScheduleKind::Eager, ScheduleKind::Lazy,
                                      ScheduleKind::Random};
} // namespace

TEST_CASE("a copy that is waited for, by any schedule") {
  Kernel k = kernel("cp.async.ca.shared.global [%r3], [%a1], 4; cp.async.commit_group; "
                    "cp.async.wait_group 0; bar.sync 0;"
                    "xor.b32 %r4, %r3, 128; ld.shared.u32 %r5, [%r4]; st.global.u32 [%a0], %r5;");
  for (ScheduleKind schedule : schedules) {
    k.options.schedule = schedule;
    Ran ran = run(k);
    REQUIRE(ran.text() == "");
    for (uint32_t i = 0; i < 64; ++i)
      CHECK(ran.buffers[0][i] == (i ^ 32));
  }
}

TEST_CASE("a missing wait is P2 in every schedule and names the copy") {
  Kernel k = kernel("cp.async.ca.shared.global [%r3], [%a1], 4; cp.async.commit_group; bar.sync 0; "
                    "ld.shared.u32 %r5, [%r3]; st.global.u32 [%a0], %r5;");
  for (ScheduleKind schedule : schedules) {
    k.options.schedule = schedule;
    Ran ran = run(k);
    CHECK(ran.id() == "P2");
    CHECK(ran.text().find("cp.async") != std::string::npos);
  }
}

TEST_CASE("wait_group leaves the newest groups open") {
  std::string body = "cp.async.ca.shared.global [%r3], [%a1], 4; cp.async.commit_group;"
                     "cp.async.ca.shared.global [%r3+1024], [%a1], 4; cp.async.commit_group; "
                     "cp.async.wait_group 1; bar.sync 0;";
  CHECK(run(kernel(body + "ld.shared.u32 %r5, [%r3]; st.global.u32 [%a0], %r5;")).text() == "");
  CHECK(run(kernel(body + "ld.shared.u32 %r5, [%r3+1024]; st.global.u32 [%a0], %r5;")).id() ==
        "P2");
  CHECK(run(kernel(body +
                   "cp.async.wait_all; ld.shared.u32 %r5, [%r3+1024]; st.global.u32 [%a0], %r5;"))
            .text() == "");
}

TEST_CASE("a short source is filled with zeros, an empty one is not read") {
  Ran ran = run(kernel("shl.b32 %r2, %tid_x, 4; add.u32 %r3, %r1, %r2; setp.lt.u32 %p1, %tid_x, 8; "
                       "selp.u32 %r4, 4, 0, %p1;"
                       "mov.u64 %d1, 0; selp.b64 %d2, %rd_1, %d1, %p1;"
                       "cp.async.cg.shared.global [%r3], [%d2], 16, %r4; cp.async.wait_all;"
                       "ld.shared.v4.u32 {%r5, %r6, %r7, %r8}, [%r3]; add.u32 %r5, %r5, %r6; "
                       "add.u32 %r5, %r5, %r8; st.global.u32 [%a0], %r5;"));
  CHECK(ran.text() == "");
}

TEST_CASE("ignore-src copies zeros") {
  Ran ran =
      run(kernel("setp.ge.u32 %p1, %tid_x, 8; cp.async.ca.shared.global [%r3], [%a1], 4, %p1; "
                 "cp.async.wait_all; ld.shared.u32 %r5, [%r3]; st.global.u32 [%a0], %r5;"));
  REQUIRE(ran.text() == "");
  for (uint32_t i = 0; i < 64; ++i)
    CHECK(ran.buffers[0][i] == (i < 8 ? i : 0));
}

TEST_CASE("bad copies") {
  CHECK(run(kernel("cp.async.ca.shared.global [%r3+2], [%a1], 4;")).id() == "X5");
  CHECK(run(kernel("cp.async.ca.shared.global [%r3], [%a1+256], 4;")).id() == "X5");
  CHECK(run(kernel("cp.async.ca.shared.global [%r3+2048], [%a1], 4;")).id() == "X5");
  CHECK(run(kernel("cp.async.cg.shared.global [%r3], [%a1], 4;")).status.code() ==
        msa::StatusCode::InvalidInput);
}

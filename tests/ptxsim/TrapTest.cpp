// What a trap says.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

TEST_CASE("a trap names module, line, source line, CTA, warp, lane and instruction") {
  Kernel k;
  k.declarations = ".file 1 \"kernel.cu\"";
  k.body = "\n.loc 1 42 7\nsetp.ge.u32 %p1, %tid_x, 37;\n.loc 1 43 3\n@%p1 st.global.u32 "
           "[%rd_0+400], %tid_x;\nret;";
  k.buffers = {{"out", words(16)}};
  k.launch.block = {64, 1, 1};
  k.launch.grid = {1, 3, 1};
  Ran ran = run(k);
  const Trap &trap = ran.result.trap;
  CHECK(trap.id == "X5");
  CHECK(trap.file == "test.ptx");
  CHECK(trap.location.line == 15);
  CHECK(trap.sourceLine == "kernel.cu:43");
  CHECK(trap.warp == 1);
  CHECK(trap.lane == 5);
  CHECK(trap.text() ==
        "test.ptx:15:6 (kernel.cu:43): [X5] CTA (0,0,0) warp 1 lane 5: " + trap.message);
  CHECK(trap.message.find("st.global.u32: writes 4 bytes at") == 0);
}

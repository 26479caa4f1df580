// X5, X6: accesses outside of everything, and misaligned ones.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Kernel kernel(std::string body) {
  Kernel k;
  k.body = "add.s64 %a0, %rd_0, %off;\n" + std::move(body) + "\nret;";
  k.declarations = ".shared .align 16 .b8 tile[256]; .const .align 4 .b32 table[4] = {1, 2, 3, 4};";
  k.buffers = {{"out", words(32)}, {"next", words(32)}};
  return k;
}
bool has(const Ran &ran, const std::string &text) {
  return ran.text().find(text) != std::string::npos;
}
} // namespace

TEST_CASE("a store behind a buffer names it and how far off") {
  Ran ran = run(kernel("st.global.u32 [%a0+4], 1;"));
  CHECK(ran.id() == "X5");
  CHECK(ran.result.trap.lane == 31);
  CHECK(has(ran, "buffer 'out' (128 bytes): offset 128, 4 bytes past its end"));
}

TEST_CASE("an access that straddles the end of a buffer") {
  CHECK(has(run(kernel(
                "st.global.v2.u32 [%rd_0+120], {%tid_x, %tid_x}; ld.global.u64 %d1, [%rd_0+128];")),
            "offset 128, 8 bytes past"));
  CHECK(run(kernel("ld.global.u8 %r1, [%rd_0+127];")).text() == "");
  CHECK(run(kernel("ld.global.u8 %r1, [%rd_0+128];")).id() == "X5");
  CHECK(has(run(kernel("ld.global.u8 %r1, [%rd_0+-1];")), "1 bytes before its start"));
}

TEST_CASE("null and wild pointers") {
  CHECK(has(run(kernel("mov.u64 %d1, 0; ld.global.u32 %r1, [%d1+16];")), "null pointer"));
  CHECK(run(kernel("mov.u64 %d1, 0xffffffffffffff00; ld.global.u32 %r1, [%d1];")).id() == "X5");
  CHECK(run(kernel("mov.u64 %d1, 0x123456789abc0; ld.u32 %r1, [%d1];")).id() == "X5");
}

TEST_CASE("misaligned accesses") {
  Ran ran = run(kernel("ld.global.u32 %r1, [%a0+2];"));
  CHECK(ran.id() == "X5");
  CHECK(has(ran, "multiple of 4"));
  CHECK(run(kernel("ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd_0+8];")).id() == "X5");
  CHECK(run(kernel("ld.global.v2.u32 {%r1, %r2}, [%rd_0+8];")).text() == "");
  CHECK(has(run(kernel("mov.u32 %r1, tile; ld.shared.u64 %d1, [%r1+4];")), "shared"));
}

TEST_CASE("shared memory ends where its variables end") {
  Ran ran = run(kernel("mov.u32 %r1, tile; st.shared.u32 [%r1+256], 1;"));
  CHECK(ran.id() == "X5");
  CHECK(has(ran, "'tile'"));
  CHECK(run(kernel("mov.u32 %r1, tile; st.shared.u32 [%r1+252], 1;")).text() == "");
}

TEST_CASE("local memory and parameters are X6") {
  CHECK(run(kernel(".local .b32 here[4]; mov.u64 %d1, here; ld.local.u32 %r1, [%d1+16];")).id() ==
        "X6");
  CHECK(run(kernel("ld.param.u64 %d1, [p1+8];")).id() == "X6");
}

TEST_CASE("constant memory is read-only, readable and bounded") {
  CHECK(run(kernel("mov.u64 %d1, table; cvta.const.u64 %d2, %d1; st.u32 [%d2], 1;")).id() == "X5");
  CHECK(run(kernel("mov.u64 %d1, table; ld.const.u32 %r1, [%d1+64];")).id() == "X5");
  Ran ran =
      run(kernel("ld.const.u32 %r1, [table+8]; mov.u64 %d1, table; cvta.const.u64 %d2, %d1; ld.u32 "
                 "%r2, [%d2+12]; mad.lo.u32 %r1, %r1, 10, %r2; st.global.u32 [%a0], %r1;"));
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[0] == words(32, 34));
}

TEST_CASE("generic addresses of several spaces in one instruction") {
  Ran ran = run(kernel(R"(
    mov.u64 %d1, tile; cvta.shared.u64 %d2, %d1; add.s64 %d2, %d2, %off;
    setp.lt.u32 %p1, %tid_x, 16; selp.b64 %d3, %d2, %a0, %p1;
    st.u32 [%d3], %tid_x; ld.u32 %r1, [%d3]; add.u32 %r1, %r1, 1;
    isspacep.shared %p2, %d3; selp.u32 %r2, 100, 0, %p2; add.u32 %r1, %r1, %r2;
    st.global.u32 [%a0], %r1;)"));
  REQUIRE(ran.text() == "");
  for (uint32_t i = 0; i < 32; ++i)
    CHECK(ran.buffers[0][i] == i + 1 + (i < 16 ? 100 : 0));
}

TEST_CASE("with X5 off a wrong store is dropped and the others are made") {
  Kernel k = kernel("st.global.u32 [%a0+4], 7;");
  k.options.disabledChecks = {"X5"};
  Ran ran = run(k);
  CHECK(ran.text() == "");
  CHECK(ran.buffers[0][31] == 7);
  CHECK(ran.buffers[1] == words(32));
}

// Functions: parameters, divergence inside of calls, module variables.
#include "Harness.h"

#include "ptxsim/Parser.h"

#include <catch2/catch.hpp>

#include <cstring>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Kernel kernel(std::string declarations, std::string body) {
  Kernel k;
  k.declarations = std::move(declarations);
  k.body = "add.s64 %a0, %rd_0, %off;\n" + std::move(body) + "\nst.global.u32 [%a0], %r1; ret;";
  k.buffers = {{"out", words(32)}};
  return k;
}
constexpr const char *collatz = R"(
.func (.param .b32 result) steps(.param .b32 start) {
  .reg .b32 %x, %n, %odd; .reg .pred %p;
  ld.param.b32 %x, [start]; mov.u32 %n, 0;
L: setp.le.u32 %p, %x, 1; @%p bra D;
  add.u32 %n, %n, 1; and.b32 %odd, %x, 1; setp.eq.u32 %p, %odd, 1; @%p bra O;
  shr.u32 %x, %x, 1; bra L;
O: mad.lo.u32 %x, %x, 3, 1; bra L;
D: st.param.b32 [result], %n; ret;
})";
uint32_t steps(uint32_t x) {
  uint32_t n = 0;
  for (; x > 1; ++n)
    x = x & 1 ? 3 * x + 1 : x / 2;
  return n;
}
} // namespace

TEST_CASE("a function with loops of different lengths in every lane") {
  Ran ran = run(kernel(collatz, "{ .param .b32 a; .param .b32 r; st.param.b32 [a], %tid_x; "
                                "call.uni (r), steps, (a); ld.param.b32 %r1, [r]; }"
                                "activemask.b32 %r2; setp.ne.u32 %p1, %r2, -1; @%p1 trap;"));
  REQUIRE(ran.text() == "");
  for (uint32_t i = 0; i < 32; ++i)
    CHECK(ran.buffers[0][i] == steps(i));
}

TEST_CASE("a call under a guard") {
  Ran ran = run(kernel(
      collatz, "mov.u32 %r1, 77; setp.lt.u32 %p1, %tid_x, 9; @!%p1 bra E; { .param .b32 a; .param "
               ".b32 r; st.param.b32 [a], 27; call (r), steps, (a); ld.param.b32 %r1, [r]; }\nE:"));
  REQUIRE(ran.text() == "");
  for (uint32_t i = 0; i < 32; ++i)
    CHECK(ran.buffers[0][i] == (i < 9 ? 111u : 77u));
}

TEST_CASE("lanes that return early wait behind the call") {
  Ran ran = run(
      kernel(".func (.param .b32 r) early(.param .b32 a) { .reg .b32 %x; .reg .pred %p; "
             "ld.param.b32 %x, [a]; st.param.b32 [r], %x; setp.lt.u32 %p, %x, 5; @%p ret; add.u32 "
             "%x, %x, 100; st.param.b32 [r], %x; ret; }",
             "{ .param .b32 a; .param .b32 q; st.param.b32 [a], %tid_x; call (q), early, (a); "
             "ld.param.b32 %r1, [q]; } activemask.b32 %r2; setp.ne.u32 %p1, %r2, -1; @%p1 trap;"));
  REQUIRE(ran.text() == "");
  CHECK(ran.buffers[0][4] == 4);
  CHECK(ran.buffers[0][5] == 105);
}

TEST_CASE("registers of a function are uninitialised at each call") {
  Ran ran = run(kernel(
      ".func (.param .b32 r) leak(.param .b32 a) { .reg .b32 %x, %y; .reg .pred %p; ld.param.b32 "
      "%x, [a]; setp.eq.u32 %p, %x, 0; @%p mov.u32 %y, 1; st.param.b32 [r], %y; ret; }",
      "{ .param .b32 a; .param .b32 q; st.param.b32 [a], 0; call (q), leak, (a); ld.param.b32 %r1, "
      "[q]; }"
      "{ .param .b32 a; .param .b32 q; st.param.b32 [a], 1; call (q), leak, (a); ld.param.b32 %r1, "
      "[q]; }"));
  CHECK(ran.id() == "X4");
}

TEST_CASE("assert and printf end the run by name") {
  CHECK(run(kernel(".extern .func __assertfail(.param .b64 a);",
                   "setp.eq.u32 %p1, %tid_x, 3; @!%p1 bra E; { .param .b64 a; st.param.b64 [a], 0; "
                   "call __assertfail, (a); }\nE: mov.u32 %r1, 0;"))
            .result.trap.lane == 3);
  CHECK(run(kernel(".extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);",
                   "{ .param .b64 a; .param .b64 b; .param .b32 q; st.param.b64 [a], 0; "
                   "st.param.b64 [b], 0; call (q), vprintf, (a, b); ld.param.b32 %r1, [q]; }"))
            .text()
            .find("printf") != std::string::npos);
}

TEST_CASE("variables of the module keep their values from launch to launch") {
  Kernel k =
      kernel(".global .align 4 .u32 counter = 5; .global .align 8 .u64 where = generic(counter);",
             "ld.global.u64 %d1, [where]; setp.eq.u32 %p1, %tid_x, 0; @%p1 atom.global.add.u32 "
             "%r2, [%d1], 1; bar.warp.sync -1; ld.global.u32 %r1, [counter];");
  auto module = parseModule(moduleText(k), "test.ptx");
  REQUIRE(module.ok());
  auto executable = Executable::create(std::make_shared<Module>(std::move(*module)), "test.ptx");
  REQUIRE(executable.ok());
  GlobalMemory memory, other;
  auto out = memory.allocate(128, Initial::Zero, "out"),
       out2 = other.allocate(128, Initial::Zero, "out");
  for (uint32_t round = 1; round <= 3; ++round) {
    LaunchConfig launch{{1, 1, 1}, {32, 1, 1}, {1, 1, 1}, 0, std::vector<uint8_t>(8)};
    std::memcpy(launch.parameters.data(), &*out, 8);
    auto result = (*executable)->run("kernel", launch, memory, {});
    REQUIRE((result.ok() && !result->trapped));
    uint32_t value = 0;
    REQUIRE(memory.read({reinterpret_cast<uint8_t *>(&value), 4}, *out).ok());
    CHECK(value == 5 + round);
  }
}

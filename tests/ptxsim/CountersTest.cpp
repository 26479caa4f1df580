// Counters: instructions by class, bytes, sectors, bank conflicts.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Counters count(std::string body) {
  Kernel k;
  k.body = "add.s64 %a0, %rd_0, %off;\n" + std::move(body) + "\nret;";
  k.declarations = ".shared .align 16 .b8 tile[8192];";
  k.buffers = {{"out", words(4096)}};
  k.options.counters = true;
  Ran ran = run(k);
  REQUIRE(ran.text() == "");
  return ran.result.counters;
}
/// Extra wavefronts of an access at lane * stride.
uint64_t conflicts(uint32_t stride, const char *access) {
  return count("mov.u32 %r1, tile; mad.lo.u32 %r1, %tid_x, " + std::to_string(stride) +
               ", %r1; mov.u32 %r4, 0;" + access)
      .sharedBankConflicts;
}
} // namespace

TEST_CASE("bank conflicts of 4-, 8- and 16-byte accesses") {
  CHECK(conflicts(4, "st.shared.u32 [%r1], %r4;") == 0);
  CHECK(conflicts(8, "st.shared.u32 [%r1], %r4;") == 1);
  CHECK(conflicts(128, "st.shared.u32 [%r1], %r4;") == 31);
  CHECK(conflicts(132, "st.shared.u32 [%r1], %r4;") == 0);
  CHECK(conflicts(0, "ld.shared.u32 %r2, [%r1];") == 0);
  CHECK(conflicts(8, "st.shared.v2.u32 [%r1], {%r4, %r4};") == 0);
  CHECK(conflicts(16, "st.shared.v2.u32 [%r1], {%r4, %r4};") == 2);
  CHECK(conflicts(16, "st.shared.v4.u32 [%r1], {%r4, %r4, %r4, %r4};") == 0);
}

TEST_CASE("global bytes and sectors") {
  Counters c = count("ld.global.u32 %r1, [%a0]; mul.lo.u64 %d1, %off, 32; add.s64 %d1, %rd_0, %d1; "
                     "ld.global.u32 %r2, [%d1];");
  CHECK(c.globalLoadBytes == 256);
  CHECK(c.globalRequests == 2);
  CHECK(c.globalSectors == 4 + 32);
  CHECK(c.globalStoreBytes == 0);
}

TEST_CASE("classes, active lanes, tensor work") {
  Counters c = count("setp.lt.u32 %p1, %tid_x, 10; @%p1 add.f32 %f1, %f1, %f1; mov.u32 %r1, 0; "
                     "mov.f32 %f2, 0f00000000; "
                     "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f4,%f5,%f6,%f7}, "
                     "{%r1,%r1}, {%r1}, {%f2,%f2,%f2,%f2}; bar.sync 0;");
  CHECK(c.byClass.at("float") == 10);
  CHECK(c.byClass.at("matrix") == 32);
  CHECK(c.tensorFlops == 2 * 16 * 8 * 8);
  CHECK(c.barrierWaits == 1);
}

TEST_CASE("roles are warps that execute the same code; kinds of products") {
  Kernel k;
  // Warps 0 and 2 go one way, 1 and 3 the other.
  k.body = "shr.u32 %r1, %tid_x, 5; and.b32 %r1, %r1, 1; setp.ne.u32 %p1, %r1, 0; mov.u32 %r2, 0; "
           "mov.f32 %f1, 0f00000000; @%p1 bra ODD;\n"
           "EVEN: add.u32 %r2, %r2, 1; xor.b32 %r3, %r2, 5; and.b32 %r3, %r3, 7; not.b32 %r3, %r3; "
           "shl.b32 %r3, %r3, 1; setp.lt.u32 %p2, %r2, 20; @%p2 bra EVEN; bra END;\n"
           "ODD: mov.u32 %r3, 0; mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
           "{%f4,%f5,%f6,%f7}, {%r3,%r3,%r3,%r3}, {%r3,%r3}, {%f1,%f1,%f1,%f1}; "
           "add.f32 %f4, %f4, %f5; add.f32 %f6, %f6, %f7; add.f32 %f4, %f4, %f6; "
           "mul.f32 %f4, %f4, %f4;\nEND: ret;";
  k.launch.block = {128, 1, 1};
  k.launch.grid = {3, 1, 1};
  k.options.counters = true;
  Ran ran = run(k);
  REQUIRE(ran.text() == "");
  const Counters &c = ran.result.counters;
  REQUIRE(c.roles.size() == 2);
  CHECK(c.roles[0].warps == std::vector<uint32_t>{0, 2});
  CHECK(c.roles[0].does.empty());
  CHECK(c.roles[1].warps == std::vector<uint32_t>{1, 3});
  CHECK(c.roles[1].does == std::vector<std::string>{"mma"});
  CHECK(c.roles[1].byClass.at("matrix") == 3 * 2 * 32);
  CHECK(c.roles[0].threadInstructions + c.roles[1].threadInstructions == c.threadInstructions);
  CHECK(c.roles[0].warpInstructions + c.roles[1].warpInstructions == c.warpInstructions);
  CHECK(c.flopsByKind.at("tf32") == c.tensorFlops);
  CHECK(c.tensorFlops == 3ull * 2 * 2 * 16 * 8 * 8);
}

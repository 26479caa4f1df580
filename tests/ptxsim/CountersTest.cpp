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

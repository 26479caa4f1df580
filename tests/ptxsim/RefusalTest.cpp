// X9: what cannot be executed is refused by name, line and column, before anything runs.
#include "Harness.h"

#include "ptxsim/OpcodeTable.h"

#include <catch2/catch.hpp>

#include <set>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Ran refuse(std::string body, std::string target = "sm_90", std::string version = "8.8") {
  Kernel k;
  k.body = "\n" + std::move(body) + "\nret;";
  k.target = std::move(target);
  k.version = std::move(version);
  return run(k);
}
bool has(const Ran &ran, const std::string &text) {
  return ran.status.message().find(text) != std::string::npos;
}
} // namespace

TEST_CASE("an unknown instruction") {
  Ran ran = refuse("mull.lo.u32 %r1, %r2, %r3;");
  CHECK(ran.status.code() == msa::StatusCode::InvalidInput);
  CHECK(has(ran, "test.ptx:11:1: mull: unknown instruction"));
}

TEST_CASE("an unknown modifier, type or operand") {
  CHECK(has(refuse("add.wrong.u32 %r1, %r2, %r3;"), "'.wrong'"));
  CHECK(has(refuse("add.sat.u32 %r1, %r2, %r3;"), ".sat"));
  CHECK(has(refuse("mul.u32 %r1, %r2, %r3;"), ".lo, .hi or .wide"));
  CHECK(has(refuse("add.u32 %r1, %r2;"), "2 operands"));
  CHECK(has(refuse("add.u32 %r1, %r2, %d3;"), "64 bits"));
  CHECK(has(refuse("add.u64 %d1, %d2, %p3;"), "pred"));
  CHECK(has(refuse("div.f32 %f1, %f2, %f3;"), "rounding"));
  CHECK(has(refuse("setp.lt.b32 %p1, %r2, %r3;"), "comparison"));
  CHECK(has(refuse("ld.global.acquire.u32 %r1, [%d1];"), "scope"));
  CHECK(has(refuse("st.const.u32 [%d1], %r1;"), "read-only"));
  CHECK(has(refuse("mma.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32 {%f1,%f2,%f3,%f4}, "
                   "{%r1,%r2,%r3,%r4}, {%r1,%r2}, {%f1,%f2,%f3,%f4};"),
            "no product"));
  CHECK(has(refuse("bar.sync;"), "operands"));
  // No address has 128 bits.
  CHECK(
      has(refuse(".shared .b32 word; clusterlaunchcontrol.query_cancel.is_canceled.pred.b128 %p1, "
                 "word;",
                 "sm_100a"),
          "'word' is not accepted here"));
}

TEST_CASE("the module's version and target are too low") {
  CHECK(has(refuse("redux.sync.add.u32 %r1, %r2, -1;", "sm_75", "7.0"), "sm_80"));
  CHECK(has(refuse("cvt.rn.satfinite.e4m3x2.f32 %h1, %f1, %f2;", "sm_80", "8.1"), "sm_89"));
  CHECK(has(refuse("elect.sync %r1|%p1, -1;", "sm_90", "7.8"), "PTX 8.0"));
}

TEST_CASE("instructions of later parts say so and have another code") {
  for (const char *body : {"wmma.load.a.sync.aligned.row.m16n16k16.f16 {%r1, %r2, %r3, %r4, %r5, "
                           "%r6, %r7, %r8}, [%d1];"}) {
    Ran ran = refuse(body);
    CHECK(ran.status.code() == msa::StatusCode::Missing);
    CHECK(has(ran, "wmma fragments"));
  }
}

TEST_CASE("recursion and calls without a body") {
  Kernel k;
  k.declarations = ".func f() { call f; ret; }\n.extern .func g();";
  k.body = "call f; ret;";
  CHECK(has(run(k), "calls itself"));
  k.body = "call g; ret;";
  CHECK(has(run(k), "no body"));
}

TEST_CASE("the table of opcodes is whole") {
  std::set<std::string_view> names;
  for (const OpcodeInfo &info : opcodeTable()) {
    CHECK(!info.section.empty());
    CHECK(info.ptxVersion >= 10);
    names.insert(info.name);
  }
  for (const char *name : {"add", "ld", "mma", "cp.async", "tcgen05.mma", "shfl", "cvt"})
    CHECK(names.count(name) == 1);
}

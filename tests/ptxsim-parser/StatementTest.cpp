//===- StatementTest.cpp - instructions and operands ------------------------===//
#include "Helpers.h"

using namespace msa::ptxsim;
using Kind = Operand::Kind;
using Words = std::vector<std::string>;

static Instruction one(const std::string &text) {
  Module module = parseBody(text);
  REQUIRE(module.functions[0].body.size() == 1);
  return module.functions[0].body[0];
}

TEST_CASE("opcode, modifiers, location") {
  Instruction i = one("  cp.async.bulk.tensor.4d.global.shared::cta.bulk_group .L2::cache_hint "
                      "[map, {%r1, %r2, %r3, %r4}], [%r5], %rd1;");
  CHECK(i.opcode == "cp");
  CHECK(i.modifiers == Words{"async", "bulk", "tensor", "4d", "global", "shared::cta", "bulk_group",
                             "L2::cache_hint"});
  CHECK(i.location.line == 6);
  CHECK(i.location.column == 3);
  REQUIRE(i.operands.size() == 3);
  CHECK(i.operands[0].kind == Kind::Address);
  CHECK(i.operands[0].symbol == "map");
  REQUIRE(i.operands[0].children.size() == 1);
  CHECK(i.operands[0].children[0].kind == Kind::Vector);
  CHECK(i.operands[0].children[0].children.size() == 4);
}

TEST_CASE("guards") {
  Module module = parseBody("@%p1 ret; @!%p2 ret; ret;");
  auto &body = module.functions[0].body;
  auto &registers = module.functions[0].registers;
  CHECK(registers[body[0].guard].name == "%p1");
  CHECK_FALSE(body[0].guardNegated);
  CHECK(registers[body[1].guard].name == "%p2");
  CHECK(body[1].guardNegated);
  CHECK(body[2].guard == Operand::noIndex);
}

TEST_CASE("immediates") {
  Instruction i = one("foo 5, -5, 0x10, 0f3F800000, 1.5, 2+3, -(4), WARP_SZ, 7U, -1.0;");
  using Immediate = Operand::ImmediateKind;
  struct Expect {
    Immediate kind;
    uint64_t bits;
  };
  const Expect expect[] = {{Immediate::Integer, 5},           {Immediate::Integer, ~0ull - 4},
                           {Immediate::Integer, 16},          {Immediate::F32, 0x3f800000},
                           {Immediate::F64, 0x3ff8ull << 48}, {Immediate::Integer, 5},
                           {Immediate::Integer, ~0ull - 3},   {Immediate::Integer, 32},
                           {Immediate::Integer, 7},           {Immediate::F64, 0xbff0ull << 48}};
  REQUIRE(i.operands.size() == std::size(expect));
  for (size_t k = 0; k < std::size(expect); ++k) {
    CAPTURE(k);
    CHECK(i.operands[k].kind == Kind::Immediate);
    CHECK(i.operands[k].immediate == expect[k].kind);
    CHECK(i.operands[k].bits == expect[k].bits);
  }
}

TEST_CASE("addresses") {
  Instruction i = one("foo [%rd1], [%rd1+4], [%rd1+-4], [ %rd1 + 0 ], [arg], [map+8+8], [4096], "
                      "[arg+-(2)], [%r1, %r2];");
  const int64_t offsets[] = {0, 4, -4, 0, 0, 16, 4096, -2, 0};
  REQUIRE(i.operands.size() == std::size(offsets));
  for (size_t k = 0; k < std::size(offsets); ++k) {
    CAPTURE(k);
    CHECK(i.operands[k].kind == Kind::Address);
    CHECK(i.operands[k].offset == offsets[k]);
    bool hasRegister = k < 4 || k == 8;
    CHECK((i.operands[k].index != Operand::noIndex) == hasRegister);
  }
  CHECK(i.operands[4].symbol == "arg");
  CHECK(i.operands[6].symbol.empty());
  CHECK(i.operands[8].children.size() == 1);
}

TEST_CASE("vectors, pairs, sinks, negated predicates") {
  Instruction i = one("foo {%r1, _, 3}, %r1|%p1, _|%p2, !%p3, {%r1};");
  REQUIRE(i.operands.size() == 5);
  CHECK(i.operands[0].children[0].kind == Kind::Register);
  CHECK(i.operands[0].children[1].kind == Kind::Sink);
  CHECK(i.operands[0].children[2].bits == 3);
  CHECK(i.operands[1].kind == Kind::Pair);
  CHECK(i.operands[2].children[0].kind == Kind::Sink);
  CHECK(i.operands[2].children[1].kind == Kind::Register);
  CHECK(i.operands[3].negated);
  CHECK(i.operands[4].children.size() == 1);
}

TEST_CASE("a vector follows the opcode without a blank") {
  Instruction i = one("tcgen05.ld.sync.aligned.32x32b.x2.b32{%r1, %r2},[%r3];");
  CHECK(i.modifiers.back() == "b32");
  CHECK(i.operands.size() == 2);
}

TEST_CASE("special registers") {
  Instruction i =
      one("foo %tid.x, %ctaid.z, %laneid, %clock64, %envreg31, %pm3, %cluster_ctarank, %tid;");
  CHECK(i.operands[0].special.name == "%tid");
  CHECK(i.operands[0].special.component == 'x');
  CHECK(i.operands[1].special.component == 'z');
  CHECK(i.operands[2].special.component == 0);
  for (const Operand &operand : i.operands)
    CHECK(operand.kind == Kind::Special);
}

TEST_CASE("symbols and array elements") {
  Module module = parseOk(
      ".global .u32 a[4]; .func f() { ret; }\n.visible .entry k() {.reg .b64 d;\n"
      "mov.u64 d, a; mov.u64 d, a+4; mov.u64 d, a[2]; ld.global.u32 d, a[3]; mov.u64 d, f;}");
  auto &body = module.functions[1].body;
  CHECK(body[0].operands[1].kind == Kind::Symbol);
  CHECK(body[1].operands[1].offset == 4);
  CHECK(body[2].operands[1].kind == Kind::Symbol);
  CHECK(body[2].operands[1].offset == 8);
  CHECK(body[3].operands[1].kind == Kind::Address);
  CHECK(body[3].operands[1].offset == 12);
  CHECK(body[3].operands[1].symbol == "a");
  CHECK(body[4].operands[1].symbol == "f");
}

TEST_CASE("vector registers") {
  Module module =
      parseBody(".reg .v4 .f32 v; ld.v4.f32 v, [%rd1]; mov.f32 %f1, v.z; mov.f32 v.r, %f1;");
  auto &body = module.functions[0].body;
  REQUIRE(body[0].operands[0].kind == Kind::Vector);
  CHECK(body[0].operands[0].children.size() == 4);
  CHECK(registerName(module, body[0].operands[0].children[3]) == "v.w");
  CHECK(registerName(module, body[1].operands[1]) == "v.z");
  CHECK(registerName(module, body[2].operands[0]) == "v.x");
}

TEST_CASE("calls have a target, results and arguments") {
  Module module =
      parseOk(".func (.param .b32 r) f (.param .b64 x, .param .b32 y) { ret; } .func g() { ret; }\n"
              ".visible .entry k() { .reg .b64 p; .reg .b32 q; .param .b32 res; .param .b64 a;\n"
              "call.uni (res), f, (a, 5); call g; call g, ();\n"
              "pr: .callprototype (.param .b32 _) _ (.param .b64 _) .noreturn;\n"
              "call (q), p, (a), pr;\nts: .calltargets g; call p, ts; }");
  auto &body = module.functions[2].body;
  REQUIRE(body.size() == 5);
  for (const Instruction &call : body)
    REQUIRE(call.operands.size() == 3);
  CHECK(body[0].operands[0].symbol == "f");
  CHECK(body[0].operands[1].children[0].symbol == "res");
  CHECK(body[0].operands[2].children.size() == 2);
  CHECK(body[1].operands[2].children.empty());
  CHECK(body[3].operands[0].kind == Kind::Register);
  CHECK(body[3].operands[1].children[0].kind == Kind::Register);
  CHECK(body[4].operands[1].children.empty());
}

TEST_CASE("branches and branch tables") {
  Module module = parseBody(
      "L0: bra.uni END;\nts: .branchtargets L0, END, L1;\n"
      "brx.idx %r1, ts; brx.idx.uni %r2, later;\nL1: ret;\nlater: .branchtargets L1; END:");
  const Function &f = module.functions[0];
  REQUIRE(f.body.size() == 4);
  CHECK(f.body[0].operands[0].kind == Kind::Label);
  CHECK(f.body[0].operands[0].index == 4); // behind the last instruction
  CHECK(f.body[1].operands[1].index == 0);
  CHECK(f.body[2].operands[1].index == 1);
  CHECK(f.branchTargets == std::vector<std::vector<uint32_t>>{{0, 4, 3}, {3}});
  REQUIRE(f.labels.size() == 3);
  CHECK(f.labels[0] == std::pair<uint32_t, std::string>{0, "L0"});
}

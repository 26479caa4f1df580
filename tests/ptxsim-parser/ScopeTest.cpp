//===- ScopeTest.cpp - blocks: registers, labels, variables -----------------===//
#include "Helpers.h"

using namespace msa::ptxsim;

TEST_CASE("only the registers that are named exist") {
  Module module = parseOk(".visible .entry k() { .reg .b32 %r<4000000000>; mov.b32 %r3999999999, "
                          "%r7; mov.b32 %r7, 1; }");
  const Function &f = module.functions[0];
  REQUIRE(f.registers.size() == 2);
  CHECK(f.registers[0].name == "%r3999999999");
  CHECK(f.registers[1].name == "%r7");
  CHECK(f.body[1].operands[0].index == 1);
}

TEST_CASE("a block's register hides the outer one and is gone afterwards") {
  Module module =
      parseOk(".visible .entry k() { .reg .b32 a; mov.b32 a, 1;\n"
              "{ .reg .pred a; @a ret; }\n{ .reg .b64 a; mov.b64 a, 1; }\nmov.b32 a, 2; }");
  const Function &f = module.functions[0];
  CHECK(f.registers.size() == 3);
  CHECK(f.registers[f.body[0].operands[0].index].type == Type::B32);
  CHECK(f.registers[f.body[1].guard].type == Type::Pred);
  CHECK(f.registers[f.body[2].operands[0].index].type == Type::B64);
  CHECK(f.body[3].operands[0].index == f.body[0].operands[0].index);
}

TEST_CASE("an inner numbered declaration hides only its own range") {
  Module module = parseOk(
      ".visible .entry k() { .reg .b32 %r<9>; .reg .b64 x; mov.b32 %r1, 0; mov.b32 %r5, 0;\n"
      "{ .reg .b64 %r<3>; mov.b64 %r1, 0; mov.b32 %r5, 0; { .reg .f32 %r1; mov.f32 %r1, 0; } } "
      "mov.b32 %r1, 0; }");
  const Function &f = module.functions[0];
  auto index = [&](size_t i) { return f.body[i].operands[0].index; };
  CHECK(f.registers[index(2)].type == Type::B64);
  CHECK(index(3) == index(1));
  CHECK(f.registers[index(4)].type == Type::F32);
  CHECK(index(5) == index(0));
}

TEST_CASE("a number may follow a prefix that ends in digits") {
  Module module = parseOk(
      ".visible .entry k() { .reg .b32 r1<5>; .reg .b64 q<5>; mov.b32 r14, 0; mov.b64 q4, 0; }");
  CHECK(module.functions[0].registers[0].name == "r14");
}

TEST_CASE("labels are local to their block") {
  Module module = parseOk(".visible .entry k() { .reg .pred p;\n"
                          "L: @p bra L;\n"
                          "{ @p bra L; L: @p bra OUT; }\n"
                          "{ @p bra L; { @p bra L; } }\n"
                          "OUT: ret; }");
  const Function &f = module.functions[0];
  auto target = [&](size_t i) { return f.body[i].operands[0].index; };
  CHECK(target(0) == 0);
  CHECK(target(1) == 2); // the block's own, declared behind the use
  CHECK(target(2) == 5);
  CHECK(target(3) == 0);
  CHECK(target(4) == 0);
}

TEST_CASE("the nearest block that declares a label has it, also behind the use") {
  Module module = parseOk(".visible .entry k() { .reg .pred p;\n"
                          "L: @p bra L;\n"
                          "{ { @p bra L; } ret; L: ret; }\nret; }");
  CHECK(module.functions[0].body[1].operands[0].index == 3);
}

TEST_CASE("an inner range hides an outer single register") {
  Module module =
      parseOk(".visible .entry k() { .reg .f32 %r1; { .reg .b64 %r<3>; mov.b64 %r1, 0; } }");
  const Function &f = module.functions[0];
  CHECK(f.registers[f.body[0].operands[0].index].type == Type::B64);
}

TEST_CASE("variables of blocks get unique names") {
  Module module = parseOk(
      ".func f(.param .b32 x) { ret; }\n.visible .entry k(.param .b32 p) { .reg .b32 %r<2>;\n"
      "{ .param .b32 p; st.param.b32 [p], %r0; call f, (p); }\n"
      "{ .param .b32 q; st.param.b32 [q+0], %r0; }\n"
      "{ .param .b32 q; st.param.b32 [q+0], %r0; }\n"
      "ld.param.b32 %r1, [p]; .global .u32 g = 7; ld.global.u32 %r1, [g]; }");
  const Function &k = module.functions[1];
  REQUIRE(k.variables.size() == 3);
  CHECK(k.variables[0].name == "p@2");
  CHECK(k.variables[1].name == "q");
  CHECK(k.variables[2].name == "q@2");
  CHECK(k.body[0].operands[0].symbol == "p@2");
  CHECK(k.body[1].operands[2].children[0].symbol == "p@2");
  CHECK(k.body[3].operands[0].symbol == "q@2");
  CHECK(k.body[4].operands[1].symbol == "p");
  REQUIRE(module.variables.size() == 1);
  CHECK(k.body[5].operands[1].symbol == module.variables[0].name);
}

TEST_CASE("names of one function are not those of another") {
  Module module = parseOk(".func f() { .reg .b32 a; L: mov.b32 a, 1; ret; }\n"
                          ".func g() { .reg .b64 a; L: mov.b64 a, 1; bra L; }");
  CHECK(module.functions[1].registers[0].type == Type::B64);
  CHECK(module.functions[1].body[1].operands[0].index == 0);
}

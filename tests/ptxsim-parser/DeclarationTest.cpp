//===- DeclarationTest.cpp - variables, initialisers, functions -------------===//
#include "Helpers.h"

#include <cstring>

using namespace msa;
using namespace msa::ptxsim;
using Bytes = std::vector<uint8_t>;

TEST_CASE("the header") {
  Module module = parseOk("");
  CHECK(module.version == "9.0");
  CHECK(module.target == "sm_90a");
  CHECK(module.addressSize == 64);
  Expected<Module> options =
      parseModule(".version 8.0\n.target sm_80, debug, texmode_independent\n", "t");
  REQUIRE(options.ok());
  CHECK(options->targetOptions == std::vector<std::string>{"debug", "texmode_independent"});
}

TEST_CASE("variables: space, type, alignment, size") {
  Module module = parseOk(".extern .shared .align 16 .b8 smem[];\n"
                          ".global .u32 a, b[3];\n"
                          ".const .align 64 .b8 c[2][3];\n"
                          ".weak .global .v4 .f32 v[2];\n"
                          ".visible .global .attribute(.managed) .align 8 .b64 m;\n"
                          ".global .b128 wide;");
  REQUIRE(module.variables.size() == 7);
  const Variable &smem = module.variables[0];
  CHECK(smem.space == StateSpace::Shared);
  CHECK(smem.external);
  CHECK(smem.bytes == 0);
  CHECK(smem.align == 16);
  CHECK(module.variables[1].bytes == 4);
  CHECK(module.variables[2].bytes == 12);
  CHECK(module.variables[2].align == 4);
  CHECK(module.variables[3].bytes == 6);
  CHECK(module.variables[3].align == 64);
  CHECK(module.variables[4].bytes == 32);
  CHECK(module.variables[4].align == 16);
  CHECK(module.variables[4].weak);
  CHECK(module.variables[5].type == Type::B64);
  CHECK(module.variables[6].bytes == 16);
}

TEST_CASE("initialisers") {
  Module module = parseOk(".global .u32 a[4] = {1, -2};\n"
                          ".global .b8 m[2][3] = {{1,2},{3}};\n"
                          ".global .u16 open[] = {0x102, 3};\n"
                          ".global .f32 f = 1.5;\n"
                          ".global .f64 d[2] = {0d3FF0000000000000, 2};\n"
                          ".global .f32 g[2] = {0f40000000, -1.0};\n"
                          ".global .u8 cut = 300;\n"
                          ".global .b8 rows[][2] = {{1,2},{3,4},{5}};\n"
                          ".global .v2 .u8 pair = {1,2};\n"
                          ".global .u32 none;");
  auto &v = module.variables;
  CHECK(v[0].initial == Bytes{1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff});
  CHECK(v[0].bytes == 16);
  CHECK(v[1].initial == Bytes{1, 2, 0, 3});
  CHECK(v[1].bytes == 6);
  CHECK(v[2].initial == Bytes{2, 1, 3, 0});
  CHECK(v[2].bytes == 4);
  CHECK(v[3].initial == Bytes{0, 0, 0xc0, 0x3f});
  double doubles[2];
  REQUIRE(v[4].initial.size() == 16);
  std::memcpy(doubles, v[4].initial.data(), 16);
  CHECK(doubles[0] == 1.0);
  CHECK(doubles[1] == 2.0);
  float floats[2];
  std::memcpy(floats, v[5].initial.data(), 8);
  CHECK(floats[0] == 2.0f);
  CHECK(floats[1] == -1.0f);
  CHECK(v[6].initial == Bytes{44});
  CHECK(v[7].bytes == 6);
  CHECK(v[7].initial == Bytes{1, 2, 3, 4, 5});
  CHECK(v[8].initial == Bytes{1, 2});
  CHECK(v[9].initial.empty());
}

TEST_CASE("constant expressions") {
  struct Case {
    const char *text;
    uint64_t value;
  };
  auto c = GENERATE(Case{"1+2*3", 7}, Case{"(1+2)*3", 9}, Case{"10-3-2", 5},
                    Case{"-7/2", ~0ull - 2}, Case{"-7 % 4", ~0ull - 2}, Case{"1<<4|3", 19},
                    Case{"7&3^1", 2}, Case{"1<2", 1}, Case{"2<=1", 0}, Case{"-1<0U", 0},
                    Case{"-1>>1", ~0ull}, Case{"(.u64)-1>>63", 1}, Case{"1<<64", 0},
                    Case{"0?1:2", 2}, Case{"1?2:0?3:4", 2}, Case{"!5", 0}, Case{"!0+1", 2},
                    Case{"~0", ~0ull}, Case{"1&&0||1", 1}, Case{"3==3", 1}, Case{"3!=3", 0},
                    Case{"WARP_SZ*2", 64}, Case{"1.5<2.0", 1}, Case{"0x8000000000000000/-1", 0},
                    Case{"(.s64)0x8000000000000000/-1", 1ull << 63}, Case{"- - 3", 3});
  CAPTURE(c.text);
  Module module = parseOk(std::string(".global .u64 x = ") + c.text + ";");
  uint64_t value;
  std::memcpy(&value, module.variables[0].initial.data(), 8);
  CHECK(value == c.value);
}

TEST_CASE("addresses in initialisers are relocations") {
  Module module = parseOk(".global .u32 a[4];\n.func f() { ret; }\n"
                          ".global .u64 p[3] = {a, generic(a)+4, a+-8};\n"
                          ".global .align 8 .u64 q = f;\n"
                          ".global .u8 b[4] = {1, 0xff(a), 0xff00(a+4), 0xff000000(generic(a))};");
  auto &p = module.variables[1].relocations;
  REQUIRE(p.size() == 3);
  CHECK(p[0].symbol == "a");
  CHECK_FALSE(p[0].generic);
  CHECK(p[0].width == 8);
  CHECK(p[1].offset == 8);
  CHECK(p[1].generic);
  CHECK(p[1].addend == 4);
  CHECK(p[2].addend == -8);
  CHECK(module.variables[2].relocations[0].symbol == "f");
  auto &b = module.variables[3].relocations;
  REQUIRE(b.size() == 3);
  CHECK(b[0].width == 1);
  CHECK(b[0].shift == 0);
  CHECK(b[1].shift == 8);
  CHECK(b[1].addend == 4);
  CHECK(b[2].shift == 24);
  CHECK(b[2].generic);
}

TEST_CASE("kernels: parameters and directives") {
  Module module = parseOk(
      ".visible .entry k(.param .u64 .ptr .global .align 16 a, .param .align 64 .b8 m[128],\n"
      " .param .f32 s) .maxntid 128, 2 .minnctapersm 3 .maxnreg 96\n"
      ".reqnctapercluster 2, 1, 1 .explicitcluster .maxclusterrank 8 .pragma \"nounroll\"; { ret; "
      "}\n"
      ".entry plain { ret; }");
  const Function *k = module.findFunction("k");
  REQUIRE(k);
  CHECK(k->entry);
  CHECK_FALSE(k->declaration);
  REQUIRE(k->parameters.size() == 3);
  CHECK(k->parameters[0].align == 8); // .align behind .ptr is the pointee's
  CHECK(k->parameters[0].bytes == 8);
  CHECK(k->parameters[1].align == 64);
  CHECK(k->parameters[1].bytes == 128);
  CHECK(k->parameters[2].type == Type::F32);
  CHECK(k->maxThreads == std::array<uint32_t, 3>{128, 2, 1});
  CHECK(k->requiredThreads == std::array<uint32_t, 3>{0, 0, 0});
  CHECK(k->requiredCluster == std::array<uint32_t, 3>{2, 1, 1});
  CHECK(k->explicitCluster);
  CHECK(k->maxRegisters == 96);
  CHECK(k->minCtas == 3);
  CHECK(module.findFunction("plain")->parameters.empty());
  CHECK(module.findFunction("absent") == nullptr);
}

TEST_CASE("a declaration and a body are one function") {
  Module module =
      parseOk(".func (.param .b32 r) f (.param .b64 x);\n"
              ".visible .entry k() { .reg .b64 a; .param .b32 r; call (r), f, (a); ret; }\n"
              ".func (.param .b32 r) f (.param .b64 x) { ret; }\n"
              ".extern .func ext (.param .b32 n, .param .b8 rest[]);");
  REQUIRE(module.functions.size() == 3);
  CHECK(module.functions[0].name == "f");
  CHECK_FALSE(module.functions[0].declaration);
  CHECK(module.functions[0].body.size() == 1);
  CHECK(module.functions[2].declaration);
  CHECK(module.functions[2].parameters[1].bytes == 0);
}

TEST_CASE("register parameters are registers of the same name") {
  Module module = parseOk(".func (.reg .b32 out) f (.reg .b32 in) { mov.b32 out, in; ret; }");
  const Function &f = module.functions[0];
  CHECK(f.parameters[0].space == StateSpace::Reg);
  CHECK(f.results[0].name == "out");
  CHECK(registerName(module, f.body[0].operands[0]) == "out");
  CHECK(registerName(module, f.body[0].operands[1]) == "in");
}

TEST_CASE("an alias is what it stands for") {
  Module module = parseOk(".func g(.param .b32 x); .func h(.param .b32 x) { ret; }\n"
                          ".visible .entry k() { call g, (5); ret; }\n.alias g, h;");
  CHECK(module.findFunction("k")->body[0].operands[0].symbol == "h");
  CHECK(module.findFunction("g")->declaration);
}

TEST_CASE("an extern variable may be declared again and defined") {
  Module module = parseOk(".extern .global .u32 x; .extern .global .u32 x; .global .u32 x = 5;\n"
                          ".extern .shared .b8 s[]; .extern .shared .b8 s[];");
  REQUIRE(module.variables.size() == 2);
  CHECK_FALSE(module.variables[0].external);
  CHECK(module.variables[0].initial == Bytes{5, 0, 0, 0});
}

TEST_CASE("files and debug sections") {
  Module module =
      parseOk(".file 2 \"b.cu\"\n.file 1 \"a.cu\", 123, 456\n"
              ".section .debug_str\n{\n$L__info: .b8 1, 2\n.b32 .debug_abbrev\n { } \x01 }\n"
              ".visible .entry k() {\n.loc 1 7 3\nret;\n"
              ".loc 2 9 1, function_name $L__info+5, inlined_at 1 8 2\nret; }");
  REQUIRE(module.sourceFiles.size() == 3);
  CHECK(module.sourceFiles[1] == "a.cu");
  CHECK(module.functions[0].body[0].sourceLine == 7);
  CHECK(module.functions[0].body[1].sourceFile == 2);
  CHECK(module.functions[0].body[1].sourceLine == 9);
}

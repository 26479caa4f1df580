//===- ErrorTest.cpp - located messages for wrong PTX ------------------------===//
//
// Each row: a text, the place that the message must point at, and words that it
// must hold. The fragment begins on line 4.
//
//===----------------------------------------------------------------------===//
#include "Helpers.h"

using namespace msa;
using namespace msa::ptxsim;

namespace {
struct Row {
  const char *text, *place, *words;
};

/// The same for statements of a kernel; the body begins on line 5.
const char *const kernelHead =
    ".visible .entry k(.param .u64 arg) { .reg .b32 %r<9>; .reg .b64 a; .reg .pred %p<2>;\n";
} // namespace

static void check(const std::string &text, const Row &row) {
  std::string message = parseError(text);
  CAPTURE(row.text);
  CAPTURE(message);
  CHECK(message.find(std::string("t.ptx:") + row.place + ": ") == 0);
  CHECK(message.find(row.words) != std::string::npos);
}

TEST_CASE("errors at module level") {
  auto row = GENERATE(
      Row{".entri k() { ret; }", "4:1", "did you mean '.entry'"},
      Row{".reg .b32 x;", "4:1", "inside a function"}, Row{"ret;", "4:1", "module-level directive"},
      Row{".global .f99 x;", "4:9", "expected a type"}, Row{".global x;", "4:9", "expected a type"},
      Row{".global .u32 .u64 x;", "4:14", "second type"},
      Row{".global .pred x;", "4:9", ".pred in memory"},
      Row{".global .align 3 .u32 x;", "4:16", "power of two"},
      Row{".global .align 0 .u32 x;", "4:16", "power of two"},
      Row{".global .align 1073741824 .u32 x;", "4:16", "up to 65536"},
      Row{".global .u32 x[2] = {1,2,3};", "4:26", "more than 2 values"},
      Row{".global .u32 x[];", "4:14", "no size"},
      Row{".global .u32 x[-1];", "4:15", "not a count"},
      Row{".global .u8 x[0x7fffffffffffffff][8];", "4:13", "larger than"},
      Row{".global .u64 x[2000000000000];", "4:14", "larger than"},
      Row{".shared .u32 x = 5;", "4:16", "initialiser in .shared"},
      Row{".global .f16 x = 1.0;", "4:18", "accepted: .b8 to .b64"},
      Row{".global .u8 x = 1.0;", "4:17", "floating-point value"},
      Row{".global .u32 x = y;", "4:18", "undeclared variable or function 'y'"},
      Row{".global .u32 abc; .global .u64 y = abd;", "4:36", "did you mean 'abc'"},
      Row{".global .u32 a; .global .u8 y = a;", "4:33", "32- and 64-bit integer"},
      Row{".global .u32 a; .global .u8 y = 0xf0(a);", "4:37", "a mask of 0xf0"},
      Row{".global .u32 x; .global .u32 x;", "4:30", "declared twice"},
      Row{".extern .global .u32 x; .global .u64 x;", "4:38", "declared twice"},
      Row{".global .u32 x = 1/0;", "4:19", "division by zero"},
      Row{".global .u32 x = 1.0&2.0;", "4:21", "+ - * /"},
      Row{".global .u32 x = ~1.0;", "4:18", "floating-point constant"},
      Row{".global .f32 x = -0f3F800000;", "4:18", "before a floating-point"},
      Row{".global .u32 x", "4:15", "the end of the text"},
      Row{".global .u32 x = 08;", "4:18", "malformed number"},
      Row{".extern .file 1 \"a\"", "4:9", "after a linkage directive"},
      Row{".file 70000 \"a\"", "4:7", "at most 65535"},
      Row{".section .debug_str { .b8 1", "4:10", "no closing '}'"},
      Row{".pragma nounroll;", "4:9", "a string"},
      Row{".alias f, g;", "4:8", "undeclared function 'f'"},
      Row{".func f() { ret; } .func g() { ret; } .alias f, g;", "4:46", "cannot be an alias"},
      Row{".extern .func f() { ret; }", "4:15", "has a body"},
      Row{".func f() { ret; } .func f() { ret; }", "4:26", "two bodies"},
      Row{".func f(.param .b32 x); .func f(.param .b64 x) { ret; }", "4:31", "other parameters"},
      Row{".global .u32 f; .func f() { ret; }", "4:23", "declared twice"},
      Row{".entry k(.reg .b32 x) { ret; }", "4:10", "'.param'"},
      Row{".entry k(.param .b8 x[]) { ret; }", "4:21", "no size"},
      Row{".entry k(.param .b8 x[40000]) { ret; }", "4:21", "at most 32764"},
      Row{".entry k(.param .texref x) { ret; }", "4:17", "not supported"},
      Row{".entry k() .maxntid 0 { ret; }", "4:23", "is 0"},
      Row{".entry k() .maxntid 1,2,3,4 { ret; }", "4:27", "three numbers"},
      Row{".entry k() .maxreg 5 { ret; }", "4:20", "did you mean '.maxnreg'"},
      Row{".entry k() ret; ", "4:12", "'{' or ';'"}, Row{"/* never closed", "4:1", "no '*/'"},
      Row{"\x80", "4:1", "ASCII"});
  check(row.text, row);
}

TEST_CASE("errors in a kernel") {
  auto row = GENERATE(
      Row{"mov.b32 %r9, 1; }", "5:9", "outside of '%r<9>', declared at line 4"},
      Row{"mov.b32 %q1, 1; }", "5:9", "undeclared register, variable or function '%q1'"},
      Row{"mov.b32 %r1, argh; }", "5:14", "did you mean 'arg'"},
      Row{"mov.b32 %r1, %tidd; }", "5:14", "did you mean '%tid'"},
      Row{"mov.b32 %r1, %tid.q; }", "5:18", "unknown component '.q'"},
      Row{"mov.b32 %r1.x, 1; }", "5:12", "not a vector"},
      Row{"@%r1 ret; }", "5:2", "the guard '%r1' is a register of type .b32; accepted: .pred"},
      Row{"@%p5 ret; }", "5:2", "outside of '%p<2>'"}, Row{"@arg ret; }", "5:2", "not a register"},
      Row{"@%p1 }", "5:6", "an instruction after the guard"},
      Row{"foo !%r1; }", "5:6", "only a predicate"},
      Row{"bra L0; L1: ret; }", "5:5", "undeclared label 'L0'; did you mean 'L1'?"},
      Row{"bra 5; }", "5:5", "a label"}, Row{"bra a; }", "5:5", "undeclared label 'a'"},
      Row{"{ L: ret; } bra L; }", "5:17", "undeclared label 'L'"},
      Row{"L: ret; L: ret; }", "5:9", "declared twice"},
      Row{"brx.idx %r1, ts; }", "5:14", "undeclared .branchtargets list 'ts'"},
      Row{"ts: .branchtargets L0; ret; }", "5:20", "undeclared label 'L0'"},
      Row{"mov.b32 %r1, L; L: ret; }", "5:14", "undeclared register"},
      Row{"L: mov.b32 %r1, L; }", "5:17", "is a label"},
      Row{".reg .b32 a; }", "5:11", "declared twice in this scope; first at line 4"},
      Row{".reg .b32 %r<3>; }", "5:11", "declared twice"},
      Row{".reg .bf16 h; }", "5:6", "a register type"},
      Row{".reg .v2 .b32 v<3>; }", "5:15", "single vector registers"},
      Row{".shered .b32 x; }", "5:1", "did you mean '.shared'"},
      Row{"add.s32 %r1, %r2 %r3; }", "5:18", "found '%r3'; expected ';' after an instruction"},
      Row{"add.s32 %r1, , %r3; }", "5:14", "an operand"},
      Row{"ld.b32 %r1, [a-4]; }", "5:15", "'+-' and the offset"},
      Row{"ld.b32 %r1, [a+%r1]; }", "5:16", "a constant after '+'"},
      Row{"ld.b32 %r1, [a+1.5]; }", "5:16", "floating-point offset"},
      Row{"ld.b32 %r1, [%p1]; }", "5:14", "is a predicate"},
      Row{"ld.b32 %r1, [%tid.x]; }", "5:14", "not an address"},
      Row{"ld.b32 %r1, [a; }", "5:15", "expected ']'"},
      Row{"ld.b32 %r1, [a, [a]]; }", "5:17", "in an address"},
      Row{"foo {%r1, %r2; }", "5:14", "expected '}'"},
      Row{"foo {{{%r1}}}; }", "5:7", "a vector inside a vector"},
      Row{"foo %r1|5; }", "5:9", "a predicate or '_'"},
      Row{"call nothing; }", "5:6", "undeclared register, variable or function 'nothing'"},
      Row{"call a; }", "5:6", "an indirect call without a prototype"},
      Row{"call a, pr; }", "5:9", "undeclared .callprototype or .calltargets 'pr'"},
      Row{"call k; }", "5:6", "is a kernel"}, Row{"call arg; }", "5:6", "not a function"},
      Row{".loc 1 2; }", "5:9", "a column"},
      Row{"ret; ", "6:1", "the text ends inside 'k'; the block opened at line 4"},
      Row{"{ ret; ", "6:1", "the block opened at line 5, column 1"},
      Row{"ret; ; }", "5:6", "an empty statement"}, Row{"] }", "5:1", "an instruction, a label"});
  check(kernelHead + std::string(row.text) + "\n", row);
}

TEST_CASE("a call passes what the function takes") {
  std::string head = ".func (.param .b32 r) f (.param .b32 x) { ret; }\n";
  CHECK(parseError(head + ".entry k() { call (_), f, (1, 2); }")
            .find("t.ptx:5:14: this call of 'f' has 2 arguments, the function has 1") == 0);
  CHECK(parseError(head + ".entry k() { call f, (1); }")
            .find("t.ptx:5:14: this call of 'f' has 0 results, the function has 1") == 0);
}

TEST_CASE("version, target and address size") {
  struct Header {
    const char *text, *words;
  };
  auto row = GENERATE(
      Header{"", "t:1:1: found the end of the text; expected '.version"},
      Header{".target sm_80\n", "t:1:1: found '.target'; expected '.version"},
      Header{".version 8\n", "t:1:10: found '8'; expected a PTX version"},
      Header{".version 12.0\n", "t:1:10: .version 12.0 is not supported"},
      Header{".version 5.0\n", "t:1:10: .version 5.0 is not supported"},
      Header{".version 8.0\n.entry", "t:2:1: found '.entry'; expected '.target'"},
      Header{".version 8.0\n.target sm_91\n", "t:2:9: unknown target 'sm_91'; accepted: sm_50"},
      Header{".version 7.8\n.target sm_90a\n", "t:2:9: .target sm_90a needs .version 8.0 or later"},
      Header{".version 8.0\n.target sm_80, debugg\n", "t:2:16: unknown target option"},
      Header{".version 8.0\n.target sm_80\n.address_size 32\n", "t:3:15: .address_size 32"});
  CAPTURE(row.text);
  Expected<Module> module = parseModule(row.text, "t");
  REQUIRE_FALSE(module.ok());
  CHECK(module.status().message().find(row.words) == 0);
}

TEST_CASE("the version that introduces a target has it") {
  CHECK(parseModule(".version 8.0\n.target sm_90a\n", "t").ok());
  CHECK(parseModule(".version 6.3\n.target sm_75\n", "t").ok());
  CHECK(parseModule(".version 9.1\n.target sm_100a\n", "t").ok());
  CHECK_FALSE(parseModule(".version 8.5\n.target sm_100a\n", "t").ok());
}

TEST_CASE("depth and memory are bounded") {
  std::string deep(100000, '{');
  CHECK(parseError(".entry k() " + deep).find("nests more than 64 deep") != std::string::npos);
  CHECK(parseError(".global .u32 x = " + std::string(100000, '(')).find("nests more than 64") !=
        std::string::npos);
  CHECK(parseError(".global .u32 x = " + std::string(100000, '-') + "1;")
            .find("nests more than 64") != std::string::npos);
  std::string ternaries;
  for (int i = 0; i < 100000; ++i)
    ternaries += "1?";
  CHECK(parseError(".global .u32 x = " + ternaries).find("nests more than 64") !=
        std::string::npos);
  CHECK(parseError(".global .u8 x" + std::string(100000, '[')).find("expected a constant") !=
        std::string::npos);
  std::string dimensions;
  for (int i = 0; i < 20; ++i)
    dimensions += "[1]";
  CHECK(parseError(".global .u8 x" + dimensions + ";").find("more than 8 dimensions") !=
        std::string::npos);
  std::string sparse;
  for (int i = 0; i < 10; ++i)
    sparse += ".global .b8 x" + std::to_string(i) + "[2][60000000] = {{1},{1}};\n";
  CHECK(parseError(sparse).find("span more than") != std::string::npos);
  CHECK(parseError(".entry k() { .local .b8 a[400000]; .local .b8 b[400000]; ret; }")
            .find("accepted: at most 524288") != std::string::npos);
}

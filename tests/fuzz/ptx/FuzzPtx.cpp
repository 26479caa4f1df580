//===- FuzzPtx.cpp - mutated PTX text for the parser ----------------------===//
//
// The seeds are small modules that between them use every production of the
// grammar; the dictionary holds what opens, closes or sizes something.
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "ptxsim/Parser.h"

namespace {

const char *const head = ".version 9.0\n.target sm_90a\n.address_size 64\n";

const char *const bodies[] = {
    // Variables, initialisers, relocations.
    R"(.extern .shared .align 16 .b8 smem[];
.global .align 4 .u32 a[4] = {1, 0x2U, 3+4*(5-2), 1?2:3};
.global .b8 m[2][3] = {{1,2},{3}};
.global .u64 p[] = {generic(a)+4, a+-8};
.global .u8 q[3] = {0xff(a), 0xff00(a), 0xff0000(a+4)};
.const .f32 f = 1.5; .global .v4 .f32 v = {1.0, 2.0, 0f3F800000, 0d3FF0000000000000};
.weak .global .attribute(.managed) .b64 w; .common .global .b32 c;
)",
    // Functions, calls, prototypes, aliases.
    R"(.extern .func (.param .b32 r) ext (.param .b64 x, .param .align 8 .b8 s[16]);
.func (.reg .b32 r) f (.reg .b32 a) .noreturn { add.u32 r, a, 1; ret; }
.func g(.param .b32 x); .func h(.param .b32 x) { ret; } .alias g, h;
.visible .entry k(.param .u64 .ptr .global .align 16 a, .param .f32 b)
.reqntid 32, 1, 1 .minnctapersm 2 .maxnreg 64 {
 .reg .b32 %r<9>; .reg .b64 %rd<4>; .reg .pred %p<3>;
 { .param .b32 r0; .param .b64 p0; st.param.b64 [p0+0], %rd1; call.uni (r0), f, (%r1); ld.param.b32 %r2, [r0]; }
 pr: .callprototype (.param .b32 _) _ (.param .b64 _, .param .b8 _[]);
 call (%r1), %rd1, (%rd2), pr;
 call g, (5);
 ret; }
)",
    // Control flow, labels, blocks, branch tables, debug information.
    R"(.file 1 "k.cu", 12, 34
.visible .entry k() .maxntid 128 .explicitcluster .reqnctapercluster 2, 1, 1 {
 .reg .pred %p<2>; .reg .b32 %r<3>;
 .loc 1 3 4, function_name $L__info+3, inlined_at 1 2 3
 setp.lt.and.s32 %p0|%p1, %r0, WARP_SZ, !%p1;
 ts: .branchtargets L0, L1;
 brx.idx %r0, ts;
L0: @!%p1 bra.uni L1; { .reg .b32 t; mov.u32 t, %tid.x; bra L0; L0: }
 .pragma "nounroll";
L1: exit; }
.section .debug_str { .b8 1, 2 info: .b32 .debug_abbrev }
)",
    // Operands.
    R"(.visible .entry k(.param .align 64 .b8 map[128]) {
 .reg .b64 %d<9>; .reg .b32 %r<99>; .reg .pred p; .reg .f32 %f<4>; .reg .v4 .f32 v; .shared .b32 s[8];
 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%d1, {%r2, %r3}], [%r4+-8], %d2;
 ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r0,%r1,%r2,_}, [%r3+16];
 shfl.sync.idx.b32 %r1|p, %r2, -1, 0x1f, -(3); elect.sync _|p, ~0;
 ld.shared.u32 %r1, s[3]; mov.u64 %d1, map; ld.param.u64 %d2, [map+8];
 mov.f32 v.x, 1e-3; st.v4.f32 [%d1], v; mov.b32 %r1, (.s64)-1>>3; ld.global.u32 %r1, [4096];
 tcgen05.ld.sync.aligned.16x32bx2.x1.b32{%r1},[%r2], 1; }
)"};

} // namespace

int main(int argc, char **argv) {
  msa::fuzz::Target target;
  target.name = "fuzz-ptx";
  for (const char *body : bodies)
    target.seeds.push_back(std::string(head) + body);
  target.dictionary = {"{",
                       "}",
                       "(",
                       ")",
                       "[",
                       "]",
                       "<4000000000>",
                       "{{{{{{{{",
                       "((((((((",
                       "]]",
                       "[1000000000000]",
                       "/*",
                       "*/",
                       "\"",
                       ".align 1073741824 ",
                       ".reg .b32 %x<7>;",
                       ".local .b8 z[524288];",
                       "%r98",
                       ".version 9.0\n",
                       "ret;",
                       "L0:",
                       "bra L0;",
                       "call f;",
                       "!",
                       "-",
                       "|p",
                       "1.5",
                       "0f3F800000",
                       ".global .b8 big[2][60000000] = {{1},{1}};",
                       "_",
                       "generic(a)",
                       ".branchtargets L0;",
                       "@p ",
                       ".v4 ",
                       "?1:2",
                       "<<70",
                       "/0",
                       "%(-1)",
                       "0x8000000000000000"};
  target.run = [](std::string_view text) {
    return msa::ptxsim::parseModule(text, "fuzz.ptx").ok();
  };
  // A seed that is refused tests nothing behind its first error.
  for (const std::string &seed : target.seeds)
    if (auto parsed = msa::ptxsim::parseModule(seed, "seed.ptx"); !parsed.ok()) {
      std::fprintf(stderr, "%s\n%s\n", seed.c_str(), parsed.status().message().c_str());
      return 1;
    }
  return msa::fuzz::runFuzz(target, argc, argv);
}

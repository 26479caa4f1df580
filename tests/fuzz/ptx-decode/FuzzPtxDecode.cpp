//===- FuzzPtxDecode.cpp - mutated instructions, decoded and run ------------===//
//
// A seed is one instruction (or a few); the module around it is added after
// the mutation. Most mutated text is refused by the parser, so inputs that begin
// with '#' are read another way: each byte chooses an opcode of the simulator's
// table, a modifier or an operand, which always parses.
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "ptxsim/OpcodeTable.h"
#include "ptxsim/Parser.h"
#include "ptxsim/Simulator.h"

namespace {

const char *const head = R"(.version 9.0
.target sm_100a
.address_size 64
.extern .shared .align 16 .b8 smem[];
.global .u32 g[4];
.const .u32 c[4] = {1, 2};
.func (.param .b32 r) f (.param .b64 x) { ret; }
.visible .entry k(.param .u64 arg, .param .align 64 .b8 map[128]) {
.reg .b16 %rs<32>; .reg .b32 %r<32>; .reg .b64 %rd<32>; .reg .b128 %q<4>; .reg .f32 %f<32>; .reg .f64 %fd<32>; .reg .pred %p<8>;
.local .align 16 .b8 depot[64]; .shared .align 16 .b8 tile[1024]; .param .b32 out; .param .b64 in;
)";

const char *const seeds[] = {
    "add.s32 %r1, %r2, 5;",
    "add.cc.u32 %r1, %r2, %r3; addc.u32 %r4, %r5, 0;",
    "mad.lo.s32 %r1, %r2, %r3, %r4;",
    "mul.wide.u32 %rd1, %r1, 4;",
    "div.s64 %rd1, %rd2, %rd3;",
    "rem.u32 %r1, %r2, 0;",
    "add.rn.ftz.f32 %f1, %f2, 0f3F800000;",
    "fma.rn.f32 %f1, %f2, %f3, %f4;",
    "div.full.f32 %f1, %f2, %f3;",
    "sqrt.rn.f64 %fd1, %fd2;",
    "ex2.approx.ftz.f32 %f1, %f2;",
    "fma.rn.bf16x2 %r1, %r2, %r3, %r4;",
    "add.f16x2 %r1, %r2, %r3;",
    "max.NaN.f32 %f1, %f2, %f3;",
    "fma.rn.f32x2 %rd1, %rd2, %rd3, %rd4;",
    "setp.lt.and.s32 %p1|%p2, %r1, %r2, !%p3;",
    "set.gt.u32.f32 %r1, %f1, %f2;",
    "selp.b32 %r1, %r2, 7, %p1;",
    "slct.u32.s32 %r1, %r2, %r3, %r4;",
    "lop3.b32 %r1, %r2, %r3, %r4, 0x96;",
    "shf.l.wrap.b32 %r1, %r2, %r3, %r4;",
    "prmt.b32 %r1, %r2, %r3, 0x5410;",
    "bfe.u32 %r1, %r2, 3, 4;",
    "bfi.b32 %r1, %r2, %r3, 4, 5;",
    "popc.b64 %r1, %rd1;",
    "brev.b32 %r1, %r2;",
    "bfind.shiftamt.s32 %r1, %r2;",
    "dp4a.s32.u32 %r1, %r2, %r3, %r4;",
    "cvt.rn.f16x2.f32 %r1, %f1, %f2;",
    "cvt.rn.satfinite.e4m3x2.f32 %rs1, %f1, %f2;",
    "cvt.rzi.s32.f32 %r1, %f1;",
    "cvt.u64.u32 %rd1, %r1;",
    "cvt.rn.bf16.f32 %rs1, %f1;",
    "cvt.rn.f16x2.e5m2x2 %r1, %rs1;",
    "cvta.to.global.u64 %rd1, %rd2;",
    "mov.b64 {%r1, %r2}, %rd1;",
    "mov.u64 %rd1, tile;",
    "mov.u32 %r1, %tid.x;",
    "mov.b32 %r1, {%rs1, %rs2};",
    "ld.param.u64 %rd1, [arg];",
    "ld.global.nc.v4.f32 {%f1,%f2,%f3,%f4}, [%rd1+16];",
    "ld.shared.v2.u32 {%r1, %r2}, [tile+8];",
    "st.global.L1::no_allocate.b32 [%rd1], %r1;",
    "ld.local.u8 %r1, [depot+3];",
    "ld.const.u32 %r1, [c+4];",
    "ld.relaxed.gpu.global.u32 %r1, [g];",
    "st.release.sys.global.u32 [g], 1;",
    "atom.global.add.f32 %f1, [%rd1], %f2;",
    "atom.shared.cas.b32 %r1, [tile], %r2, %r3;",
    "red.global.gpu.relaxed.add.u64 [%rd1], %rd2;",
    "atom.global.v4.f32.add {%f1,%f2,%f3,%f4}, [%rd1], {%f1,%f2,%f3,%f4};",
    "shfl.sync.bfly.b32 %r1|%p1, %r2, 16, 31, -1;",
    "vote.sync.ballot.b32 %r1, %p1, -1;",
    "match.all.sync.b32 %r1|%p1, %r2, -1;",
    "redux.sync.max.s32 %r1, %r2, -1;",
    "elect.sync _|%p1, -1;",
    "activemask.b32 %r1;",
    "bar.sync 1, 64;",
    "barrier.cta.red.popc.aligned.u32 %r1, 0, %p1;",
    "bar.warp.sync -1;",
    "membar.gl;",
    "fence.acq_rel.gpu;",
    "cp.async.cg.shared.global [%r1], [%rd1], 16, %r2;",
    "cp.async.commit_group; cp.async.wait_group 0;",
    "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%r1,%r2,%r3,%r4}, [%r5];",
    "mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16 {%r1,%r2}, {%r3,%r4}, {%r5}, {%r1,%r2};",
    "stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r1], {%r2};",
    "mbarrier.init.shared.b64 [tile], 1;",
    "wgmma.fence.sync.aligned;",
    "prefetch.global.L2 [%rd1];",
    "isspacep.shared %p1, %rd1;",
    "nanosleep.u32 5;",
    "trap;",
    "exit;",
    "call (out), f, (in);",
    "@%p1 bra END;",
    "ts: .branchtargets END; brx.idx %r1, ts;",
    "mapa.u64 %rd1, %rd2, %r1;",
    "barrier.cluster.arrive.aligned;",
    "tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%r1], 32;",
    "clusterlaunchcontrol.query_cancel.is_canceled.pred.b128 %p1, %q1;",
    "createpolicy.fractional.L2::evict_last.b64 %rd1, 1.0;",
    "testp.finite.f32 %p1, %f1;"};

const char *const modifiers[] = {"u8",
                                 "u16",
                                 "u32",
                                 "u64",
                                 "s8",
                                 "s16",
                                 "s32",
                                 "s64",
                                 "b8",
                                 "b16",
                                 "b32",
                                 "b64",
                                 "b128",
                                 "f16",
                                 "f32",
                                 "f64",
                                 "f16x2",
                                 "bf16",
                                 "bf16x2",
                                 "f32x2",
                                 "tf32",
                                 "e4m3x2",
                                 "e5m2x2",
                                 "e2m1x2",
                                 "pred",
                                 "rn",
                                 "rz",
                                 "rm",
                                 "rp",
                                 "rna",
                                 "rni",
                                 "rzi",
                                 "ftz",
                                 "sat",
                                 "satfinite",
                                 "relu",
                                 "approx",
                                 "full",
                                 "wide",
                                 "lo",
                                 "hi",
                                 "cc",
                                 "lt",
                                 "eq",
                                 "NaN",
                                 "and",
                                 "or",
                                 "xor",
                                 "add",
                                 "min",
                                 "max",
                                 "inc",
                                 "exch",
                                 "cas",
                                 "popc",
                                 "global",
                                 "shared",
                                 "local",
                                 "param",
                                 "const",
                                 "shared::cta",
                                 "shared::cluster",
                                 "to",
                                 "v2",
                                 "v4",
                                 "v8",
                                 "nc",
                                 "relaxed",
                                 "acquire",
                                 "release",
                                 "acq_rel",
                                 "volatile",
                                 "weak",
                                 "gpu",
                                 "cta",
                                 "sys",
                                 "cluster",
                                 "sync",
                                 "aligned",
                                 "warp",
                                 "arrive",
                                 "red",
                                 "bfly",
                                 "idx",
                                 "down",
                                 "up",
                                 "ballot",
                                 "any",
                                 "all",
                                 "uni",
                                 "m8n8",
                                 "m16n8k16",
                                 "m16n8k8",
                                 "x1",
                                 "x2",
                                 "x4",
                                 "trans",
                                 "row",
                                 "col",
                                 "cg",
                                 "ca",
                                 "async",
                                 "commit_group",
                                 "wait_group",
                                 "l",
                                 "r",
                                 "wrap",
                                 "clamp",
                                 "L1::no_allocate",
                                 "L2::128B",
                                 "L2::cache_hint"};

const char *const operands[] = {"%r1",
                                "%r2",
                                "%rd1",
                                "%rd2",
                                "%rs1",
                                "%rs2",
                                "%f1",
                                "%f2",
                                "%fd1",
                                "%fd2",
                                "%q1",
                                "%p1",
                                "!%p2",
                                "%r1|%p1",
                                "_|%p1",
                                "_",
                                "0",
                                "-1",
                                "5",
                                "16",
                                "0x96",
                                "0f3F800000",
                                "0d3FF0000000000000",
                                "1.5",
                                "%tid.x",
                                "%laneid",
                                "%clock64",
                                "tile",
                                "f",
                                "g",
                                "g+4",
                                "[%rd1]",
                                "[%r1+4]",
                                "[tile]",
                                "[g+8]",
                                "[arg]",
                                "[c]",
                                "[depot]",
                                "[map, {%r1, %r2}]",
                                "{%r1}",
                                "{%r1, %r2}",
                                "{%r1, %r2, %r3, %r4}",
                                "{%f1, %f2}",
                                "{%f1, %f2, %f3, %f4}",
                                "{%rs1, %rs2}",
                                "{%rd1, %rd2}",
                                "{_, %r1}",
                                "{%rd1, %rd2, %rd3, %rd4}",
                                "out",
                                "in"};

/// One to three instructions chosen by the bytes.
std::string instructionsOf(std::string_view bytes,
                           const std::vector<msa::ptxsim::OpcodeInfo> &opcodes) {
  size_t at = 0;
  auto pick = [&](size_t count) {
    return at < bytes.size() ? static_cast<uint8_t>(bytes[at++]) % count : 0;
  };
  std::string text;
  for (size_t left = 1 + pick(3); left > 0; --left) {
    text += opcodes[(pick(256) * 256 + pick(256)) % opcodes.size()].name;
    for (size_t n = pick(6); n > 0; --n)
      text += std::string(".") + modifiers[pick(std::size(modifiers))];
    for (size_t n = pick(6), i = 0; i < n; ++i)
      text += std::string(i ? ", " : " ") + operands[pick(std::size(operands))];
    text += ";\n";
  }
  return text;
}

/// Whatever the instruction does (a trap, mostly), the simulator must survive it.
bool runOnce(msa::ptxsim::Executable &executable) {
  using namespace msa::ptxsim;
  GlobalMemory memory;
  auto buffer = memory.allocate(256, Initial::Zero, "buffer");
  LaunchConfig config;
  config.block = {48, 1, 1};
  config.dynamicSharedBytes = 64;
  config.parameters.resize(192);
  if (buffer.ok())
    std::memcpy(config.parameters.data(), &*buffer, 8);
  RunOptions options;
  options.threads = 1;
  options.instructionBudget = 200;
  options.counters = true;
  return executable.run("k", config, memory, options).ok();
}

} // namespace

int main(int argc, char **argv) {
  using namespace msa::ptxsim;
  msa::fuzz::Target target;
  target.name = "fuzz-ptx-decode";
  target.seeds.assign(std::begin(seeds), std::end(seeds));
  for (unsigned i = 0; i < 100; ++i) {
    std::mt19937_64 random(i);
    std::string choices = "#";
    for (unsigned k = 0; k < 24; ++k)
      choices += static_cast<char>(random());
    target.seeds.push_back(choices);
  }
  std::vector<OpcodeInfo> opcodes = opcodeTable();
  target.dictionary = {".u32",       ".b64",
                       ".f32",       ".v4",
                       ".v8",        ".s8",
                       ".ftz",       ".sat",
                       ".rn",        ".shared",
                       ".global",    ".sync",
                       ".aligned",   ".b128",
                       ".bf16x2",    "%r1",
                       "%rd1",       "%p1",
                       "{%r1, %r2}", "_",
                       "[%rd1]",     "[map, {%r1, %r2}]",
                       "%tid.x",     "%laneid",
                       "|%p2",       "!%p1",
                       ", ",         "-1",
                       "0f7FC00000", "tile",
                       "f",          "arg",
                       "END"};
  target.run = [&](std::string_view text) {
    std::string body =
        text.starts_with('#') ? instructionsOf(text.substr(1), opcodes) : std::string(text);
    std::string module = head + body + "\nEND: ret; }\n";
    auto parsed = parseModule(module, "fuzz.ptx");
    if (!parsed.ok())
      return false;
    auto executable =
        Executable::create(std::make_shared<const Module>(std::move(*parsed)), "fuzz.ptx");
    return executable.ok() && runOnce(**executable);
  };
  return msa::fuzz::runFuzz(target, argc, argv);
}

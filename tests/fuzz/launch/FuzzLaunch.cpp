//===- FuzzLaunch.cpp - mutated launch files, run ---------------------------===//
//
// Parses a launch specification, checks it against a kernel that copies a box of a
// tensor map, and, where it is small and opens no file, runs it with a budget, as
// `msa-sim run` does. Every refusal begins with the file's name and says which key.
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "Launch.h"

#include "ptxsim/Parser.h"

namespace {

const char *const seeds[] = {
    R"({"entry": "k", "grid": [4,4,1], "block": [128,1,1], "cluster": [2,1,1], "dynamic_shared_bytes": 65536,
 "buffers": {"a": {"file": "a.npy"}, "c": {"bytes": 65536, "fill": "poison", "dtype": "bf16", "save": {"file": "c.npy", "dtype": "<f4", "shape": [128,128]}}},
 "params": [{"buffer": "a", "offset": 8}, {"s32": -7}, {"u64": 1}, {"f32": 1.5}, {"bytes": "00ff"}]})",
    R"({"entry": "k", "grid": [1], "block": [32], "buffers": {"a": {"bytes": 65536, "fill": "uninitialised"}},
 "tensor_maps": {"t": {"buffer": "a", "offset": 0, "type": "bf16", "shape": [128,256], "strides_bytes": [256], "box": [64,128], "element_strides": [1,1],
   "swizzle": "128B", "interleave": "none", "oob_fill": "zero"}},
 "params": [{"bytes": "0000000000000000ff", "patch": [{"at": 0, "buffer": "a", "offset": 16}]}, {"tensor_map": "t"}, {"u32": 1}, {"s64": -1}, {"f64": 2}]})",
    // This one fits the kernel and runs.
    R"({"entry": "k", "grid": [2], "block": [32], "dynamic_shared_bytes": 4096,
 "buffers": {"a": {"bytes": 4096}, "b": {"bytes": 256, "fill": "poison", "save": {"file": "b.npy", "dtype": "<u4", "shape": [64]}}},
 "tensor_maps": {"t": {"buffer": "a", "offset": 16, "type": "f16", "shape": [32,16], "strides_bytes": [64], "box": [16,8], "element_strides": [1,1],
   "swizzle": "32B", "oob_fill": "nan"}},
 "params": [{"buffer": "b"}, {"u32": 256}, {"tensor_map": "t"}, {"f32": 1.5}, {"bytes": "00000000000000000000000000000000", "patch": [{"at": 8, "buffer": "b", "offset": 128}]}]})"};

const char *const kernel = R"(.version 8.8
.target sm_90a
.address_size 64
.extern .shared .align 16 .b8 dynamic[];
.entry k(.param .u64 a, .param .u32 bytes, .param .align 64 .b8 t[128], .param .f32 d,
         .param .align 8 .b8 e[16]) {
  .reg .pred %p<4>; .reg .b32 %r<12>; .reg .b64 %d<6>; .shared .align 8 .b64 bar;
  ld.param.u64 %d1, [a];
  ld.param.u32 %r1, [bytes];
  ld.param.u64 %d3, [e+8];
  mov.b64 %d2, t;
  cvta.param.u64 %d2, %d2;
  mov.u32 %r2, dynamic;
  add.u32 %r2, %r2, 1023;
  and.b32 %r2, %r2, -1024;
  mov.u32 %r3, bar;
  mov.u32 %r4, %tid.x;
  mov.u32 %r5, %ctaid.x;
  setp.ne.u32 %p1, %r4, 0;
  @%p1 bra WAIT;
  mbarrier.init.shared::cta.b64 [%r3], 1;
  fence.proxy.async.shared::cta;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r3], %r1;
  cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r2], [%d2, {%r5, %r5}], [%r3];
WAIT:
  bar.sync 0;
SPIN:
  mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r3], 0;
  @!%p2 bra SPIN;
  ld.shared.u32 %r6, [%r2];
  @%p1 bra END;
  setp.ne.u32 %p3, %r5, 0;
  @%p3 bra END;
  st.global.u32 [%d1], %r6;
  st.global.u32 [%d3], %r6;
END:
  ret;
}
)";

using namespace msa;

/// No files, few bytes, few threads.
bool isSmall(const sim::LaunchSpec &spec) {
  constexpr uint64_t mostBytes = 1 << 18, mostThreads = 512;
  uint64_t bytes = spec.config.dynamicSharedBytes;
  for (const sim::BufferSpec &buffer : spec.buffers) {
    if (!buffer.file.empty() || buffer.bytes > mostBytes)
      return false;
    bytes += buffer.bytes;
  }
  double threads = 1;
  for (size_t i = 0; i < 3; ++i)
    threads *= double(spec.config.grid[i]) * spec.config.block[i];
  return bytes <= mostBytes && threads <= mostThreads;
}

void requireLocated(const Status &status, std::string_view text) {
  if (status.ok() || status.message().starts_with("fuzz.json: "))
    return;
  std::fprintf(stderr, "no location in: %s\nof this input:\n%.*s\n", status.message().c_str(),
               static_cast<int>(text.size()), text.data());
  std::abort();
}

class Runner {
public:
  bool prepare() {
    auto parsed = ptxsim::parseModule(kernel, "kernel");
    if (!parsed.ok())
      return false;
    module = std::make_shared<const ptxsim::Module>(std::move(*parsed));
    auto made = ptxsim::Executable::create(module, "kernel");
    if (made.ok())
      executable = *made;
    return made.ok();
  }

  /// True if the text is a launch specification; `ranRight`: it ran to its end.
  bool run(std::string_view text, bool &ranRight) {
    auto spec = sim::parseLaunchSpec(text, "fuzz.json");
    requireLocated(spec.status(), text);
    if (!spec.ok())
      return false;
    Status fits = sim::checkParameters(*spec, module->functions[0]);
    requireLocated(fits, text);
    if (!fits.ok() || !isSmall(*spec))
      return true;
    ptxsim::GlobalMemory memory;
    auto launch = sim::prepareLaunch(*spec, "/nonexistent", module->functions[0], memory);
    requireLocated(launch.status(), text);
    if (!launch.ok())
      return true;
    ptxsim::RunOptions options;
    options.threads = 1;
    options.instructionBudget = 400;
    auto result = executable->run("k", launch->config, memory, options);
    ranRight = result.ok() && !result->trapped;
    return true;
  }

private:
  std::shared_ptr<const ptxsim::Module> module;
  std::shared_ptr<ptxsim::Executable> executable;
};

} // namespace

int main(int argc, char **argv) {
  fuzz::Target target;
  target.name = "fuzz-launch";
  target.lines = true;
  target.seeds.assign(std::begin(seeds), std::end(seeds));
  target.dictionary = {"{",
                       "}",
                       "[",
                       "]",
                       "\"",
                       ",",
                       ":",
                       "null",
                       "true",
                       "[[[[[[[[",
                       "1e999",
                       "\\u0000",
                       "18446744073709551615",
                       "\"bytes\": ",
                       "\"file\": ",
                       "\"patch\": [",
                       "\"tensor_map\": \"t\"",
                       "\"save\": {",
                       "\"shape\": [4294967296,4294967296]",
                       "\"cluster\": [0,1,1]",
                       "-1",
                       "u8",
                       "16u4_align16b",
                       "16u6_align16b",
                       "128B_atom_32B",
                       "64B",
                       "32",
                       "128",
                       "uninitialised",
                       "256"};
  Runner runner;
  if (!runner.prepare())
    return 1;
  bool ranRight = false;
  for (const std::string &seed : target.seeds)
    if (!runner.run(seed, ranRight)) {
      std::fprintf(stderr, "a seed is refused:\n%s\n", seed.c_str());
      return 1;
    }
  if (!ranRight) {
    std::fprintf(stderr, "the last seed does not run\n");
    return 1;
  }
  target.run = [&](std::string_view text) { return runner.run(text, ranRight); };
  return fuzz::runFuzz(target, argc, argv);
}

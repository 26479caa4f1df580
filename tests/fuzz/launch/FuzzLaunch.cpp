//===- FuzzLaunch.cpp - mutated launch files -------------------------------===//
//
// Parses a launch specification and checks it against a kernel, as `msa-sim
// run` does before it opens any other file.
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "LaunchSpec.h"
#include "ptxsim/Parser.h"

namespace {

const char *const seeds[] = {
    R"({"entry": "k", "grid": [4,4,1], "block": [128,1,1], "cluster": [2,1,1], "dynamic_shared_bytes": 65536,
 "buffers": {"a": {"file": "a.npy"}, "c": {"bytes": 65536, "fill": "poison", "dtype": "bf16", "save": {"file": "c.npy", "dtype": "<f4", "shape": [128,128]}}},
 "params": [{"buffer": "a", "offset": 8}, {"s32": -7}, {"u64": 1}, {"f32": 1.5}, {"bytes": "00ff"}]})",
    R"({"entry": "k", "grid": [1], "block": [32], "buffers": {"a": {"bytes": 65536, "fill": "uninitialised"}},
 "tensor_maps": {"t": {"buffer": "a", "offset": 0, "type": "bf16", "shape": [128,256], "strides_bytes": [256], "box": [64,128], "element_strides": [1,1],
   "swizzle": "128B", "interleave": "none", "oob_fill": "zero"}},
 "params": [{"bytes": "0000000000000000ff", "patch": [{"at": 0, "buffer": "a", "offset": 16}]}, {"tensor_map": "t"}, {"u32": 1}, {"s64": -1}, {"f64": 2}]})"};

const char *const kernel = ".version 8.0\n.target sm_80\n.entry k(.param .u64 a, .param .u32 b, "
                           ".param .b64 c, .param .f32 d,"
                           " .param .b8 e[2]) { ret; }";

} // namespace

int main(int argc, char **argv) {
  msa::fuzz::Target target;
  target.name = "fuzz-launch";
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
                       "\"u8\"",
                       "\"16u4_align16b\""};
  auto function = msa::ptxsim::parseModule(kernel, "kernel");
  if (!function.ok())
    return 1;
  target.run = [&](std::string_view text) {
    auto spec = msa::sim::parseLaunchSpec(text, "fuzz.json");
    if (!spec.ok())
      return false;
    // Whether it fits the kernel is not the question: only that asking is safe.
    (void)msa::sim::checkParameters(*spec, function->functions[0]).ok();
    return true;
  };
  for (const std::string &seed : target.seeds)
    if (auto spec = msa::sim::parseLaunchSpec(seed, "seed.json"); !spec.ok()) {
      std::fprintf(stderr, "%s\n", spec.status().message().c_str());
      return 1;
    }
  return msa::fuzz::runFuzz(target, argc, argv);
}

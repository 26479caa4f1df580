//===- LaunchSpecTest.cpp - launch files that are right ---------------------===//
#include "Launch.h"

#include "ptxsim/Parser.h"
#include "support/Npy.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <filesystem>

#include <unistd.h>

using namespace msa;
using namespace msa::sim;
using Bytes = std::vector<uint8_t>;

namespace {

LaunchSpec parseOk(const std::string &text) {
  Expected<LaunchSpec> spec = parseLaunchSpec(text, "l.json");
  INFO(spec.status().message());
  REQUIRE(spec.ok());
  return std::move(*spec);
}

ptxsim::Function kernel(const std::string &parameters) {
  auto module = ptxsim::parseModule(
      ".version 8.0\n.target sm_80\n.entry k(" + parameters + ") { ret; }", "k.ptx");
  INFO(module.status().message());
  REQUIRE(module.ok());
  return module->functions[0];
}

/// A folder that is gone after the test.
struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "msa-sim-test-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()));
    path = pattern;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

} // namespace

TEST_CASE("the example of the documentation") {
  LaunchSpec spec = parseOk(
      R"({"entry": "matmul", "grid": [4,4,1], "block": [128,1,1], "cluster": [1,1,1], "dynamic_shared_bytes": 65536,
    "buffers": {"a": {"file": "a.npy"}, "c": {"bytes": 65536, "fill": "poison", "save": {"file": "c.npy", "dtype": "<f4", "shape": [128,128]}}},
    "tensor_maps": {"ta": {"buffer": "a", "offset": 0, "type": "bf16", "shape": [256,256], "strides_bytes": [512], "box": [64,128],
                    "element_strides": [1,1], "swizzle": "128B", "interleave": "none", "oob_fill": "zero"}},
    "params": [{"buffer": "a", "offset": 0}, {"s32": 7}, {"u64": 1}, {"f32": 1.5}, {"bytes": "00ff"}, {"tensor_map": "ta"}]})");
  CHECK(spec.entry == "matmul");
  CHECK(spec.config.grid == std::array<uint32_t, 3>{4, 4, 1});
  CHECK(spec.config.block == std::array<uint32_t, 3>{128, 1, 1});
  CHECK(spec.config.dynamicSharedBytes == 65536);
  REQUIRE(spec.buffers.size() == 2);
  CHECK(spec.findBuffer("a")->file == "a.npy");
  CHECK(spec.findBuffer("c")->fill == ptxsim::Initial::Poison);
  CHECK(spec.findBuffer("c")->save->shape == std::vector<int64_t>{128, 128});
  CHECK(spec.findBuffer("d") == nullptr);
  REQUIRE(spec.tensorMaps.size() == 1);
  CHECK(spec.tensorMaps[0].extent == 256 * 512);
  REQUIRE(spec.parameters.size() == 6);
  CHECK(spec.parameters[1].bytes == Bytes{7, 0, 0, 0});
  CHECK(spec.parameters[3].bytes == Bytes{0, 0, 0xc0, 0x3f});
  CHECK(spec.parameters[4].bytes == Bytes{0, 0xff});
}

TEST_CASE("what is left out has a default") {
  LaunchSpec spec = parseOk(R"({"entry": "k", "grid": [7], "buffers": {"z": {"bytes": 0}}})");
  CHECK(spec.config.grid == std::array<uint32_t, 3>{7, 1, 1});
  CHECK(spec.config.block == std::array<uint32_t, 3>{1, 1, 1});
  CHECK(spec.config.cluster == std::array<uint32_t, 3>{1, 1, 1});
  CHECK(spec.buffers[0].fill == ptxsim::Initial::Zero);
  CHECK(spec.parameters.empty());
}

TEST_CASE("scalars keep their bits") {
  LaunchSpec spec =
      parseOk(R"({"entry": "k", "params": [{"s32": -2147483648}, {"u32": 4294967295}, {"s64": -1},
    {"u64": 18446744073709551615}, {"f32": -0.0}, {"f64": 0.1}, {"f32": 3}]})");
  CHECK(spec.parameters[0].bytes == Bytes{0, 0, 0, 0x80});
  CHECK(spec.parameters[1].bytes == Bytes{0xff, 0xff, 0xff, 0xff});
  CHECK(spec.parameters[2].bytes == Bytes(8, 0xff));
  CHECK(spec.parameters[3].bytes == Bytes(8, 0xff));
  CHECK(spec.parameters[4].bytes == Bytes{0, 0, 0, 0x80});
  double tenth;
  std::memcpy(&tenth, spec.parameters[5].bytes.data(), 8);
  CHECK(tenth == 0.1);
  CHECK(spec.parameters[6].bytes == Bytes{0, 0, 0x40, 0x40});
}

TEST_CASE("parameters are checked against the kernel") {
  LaunchSpec spec = parseOk(
      R"({"entry": "k", "buffers": {"a": {"bytes": 16}}, "params": [{"buffer": "a"}, {"buffer": "a"}, {"s32": 1},
    {"f32": 1}, {"u64": 0}, {"bytes": "00112233"}]})");
  CHECK(checkParameters(spec, kernel(".param .u64 a, .param .align 8 .b8 b[8], .param .u32 c, "
                                     ".param .f32 d, .param .b64 e, "
                                     ".param .align 4 .b8 f[4]"))
            .ok());
  CHECK(checkParameters(spec, kernel(".param .b64 a, .param .b64 b, .param .b32 c, .param .b32 d, "
                                     ".param .align 8 .b8 e[8], "
                                     ".param .f32 f"))
            .ok());
  CHECK_FALSE(checkParameters(spec, kernel(".param .u64 a")).ok());
  auto misfit = [&](const char *parameters) {
    return checkParameters(spec, kernel(parameters)).message();
  };
  CHECK(misfit(".param .u32 a, .param .u64 b, .param .u32 c, .param .f32 d, .param .b64 e, .param "
               ".b32 f") == "l.json: params[0] = {\"buffer\":\"a\"} does not fit '.u32 a': it has "
                            "8 bytes, the kernel takes 4");
  CHECK(misfit(".param .f64 a, .param .u64 b, .param .u32 c, .param .f32 d, .param .b64 e, .param "
               ".b32 f")
            .find("something else") != std::string::npos);
  CHECK(misfit(".param .u64 a, .param .u64 b, .param .f32 c, .param .f32 d, .param .b64 e, .param "
               ".b32 f")
            .find("params[2]") != std::string::npos);
  CHECK(misfit(".param .u64 a, .param .u64 b, .param .u32 c, .param .u32 d, .param .b64 e, .param "
               ".b32 f")
            .find("params[3]") != std::string::npos);
}

TEST_CASE("a launch reads, packs, patches and saves") {
  TemporaryFolder folder;
  NpyArray input{"<i4", {4}, {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0}};
  REQUIRE(writeNpy(folder.path / "in.npy", input).ok());
  LaunchSpec spec = parseOk(R"({"entry": "k", "buffers": {
      "in": {"file": "in.npy", "save": {"file": "out.npy", "dtype": "<u2", "shape": [2, 4]}},
      "p": {"bytes": 8, "fill": "poison", "save": {"file": "p.npy", "dtype": "|u1", "shape": [8]}},
      "h": {"bytes": 5, "fill": "poison", "dtype": "bf16", "save": {"file": "h.npy", "dtype": "|u1", "shape": [5]}}},
    "params": [{"s32": 9}, {"buffer": "in", "offset": 4}, {"bytes": "01020304050607080900000000000000aa", "patch": [{"at": 8, "buffer": "p", "offset": 7}]}]})");
  ptxsim::Function k = kernel(".param .u32 n, .param .u64 in, .param .align 16 .b8 s[17]");
  REQUIRE(checkParameters(spec, k).ok());
  ptxsim::GlobalMemory memory;
  Expected<PreparedLaunch> launch = prepareLaunch(spec, folder.path, k, memory);
  INFO(launch.status().message());
  REQUIRE(launch.ok());
  const Bytes &block = launch->config.parameters;
  REQUIRE(block.size() == 16 + 17);
  CHECK(block[0] == 9);
  uint64_t address;
  std::memcpy(&address, &block[8], 8);
  CHECK(address == launch->buffers.at("in").address + 4);
  CHECK(address % 256 == 4);
  CHECK(block[16] == 1);
  std::memcpy(&address, &block[24], 8);
  CHECK(address == launch->buffers.at("p").address + 7);
  CHECK(block[32] == 0xaa);

  auto saved = saveOutputs(spec, *launch, folder.path, memory);
  REQUIRE(saved.ok());
  CHECK(saved->size() == 3);
  auto out = readNpy(folder.path / "out.npy");
  REQUIRE(out.ok());
  CHECK(out->dtype == "<u2");
  CHECK(out->shape == std::vector<int64_t>{2, 4});
  CHECK(out->data == input.data);
  CHECK(readNpy(folder.path / "p.npy")->data ==
        Bytes{0xad, 0xde, 0xc0, 0x7f, 0xad, 0xde, 0xc0, 0x7f});
  CHECK(readNpy(folder.path / "h.npy")->data == Bytes{0xc0, 0x7f, 0xc0, 0x7f, 0xc0});
}

TEST_CASE("sizes that only files tell are checked when they are read") {
  TemporaryFolder folder;
  REQUIRE(writeNpy(folder.path / "in.npy", NpyArray{"|u1", {4}, {1, 2, 3, 4}}).ok());
  ptxsim::Function k = kernel(".param .u64 in");
  auto message = [&](const std::string &text) {
    LaunchSpec spec = parseOk(text);
    ptxsim::GlobalMemory memory;
    Expected<PreparedLaunch> launch = prepareLaunch(spec, folder.path, k, memory);
    REQUIRE_FALSE(launch.ok());
    return std::pair(launch.status().exitCode(), launch.status().message());
  };
  auto [code, text] = message(
      R"({"entry": "k", "buffers": {"a": {"file": "in.npy"}}, "params": [{"buffer": "a", "offset": 4}]})");
  CHECK(code == 2);
  CHECK(text == "l.json: params[0]: offset 4 is outside of buffer 'a' of 4 bytes");
  text =
      message(
          R"({"entry": "k", "buffers": {"a": {"file": "in.npy", "save": {"file": "o.npy", "dtype": "<u2", "shape": [3]}}},
                     "params": [{"buffer": "a"}]})")
          .second;
  CHECK(text.find("takes 6 bytes, in.npy has 4") != std::string::npos);
  CHECK(
      message(
          R"({"entry": "k", "buffers": {"a": {"file": "none.npy"}}, "params": [{"buffer": "a"}]})")
          .first == 2);
  // A tensor that its file is too small for.
  CHECK(message(
            R"({"entry": "k", "buffers": {"a": {"file": "in.npy"}}, "params": [{"buffer": "a"}],
    "tensor_maps": {"t": {"buffer": "a", "type": "u8", "shape": [16], "strides_bytes": [], "box": [16]}}})")
            .first == 2);
}

//===- DifferentialTest.cpp - random programs, host against simulator -----===//
//
// One source, three compilers: the host's answers are right by construction, so
// any difference is the simulator's (or a compiler's). Covers what nvcc and LLVM
// emit for scalar code: every integer width, FP32 and FP64, divergence in nested
// loops and switches, calls, local arrays.
//
//===----------------------------------------------------------------------===//
#define CATCH_CONFIG_MAIN
#include "HostPrograms.h"

#include "ptxsim/Parser.h"
#include "ptxsim/Simulator.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

using namespace msa::ptxsim;

namespace {

constexpr size_t threads = 256;

/// Four words a thread: integers of every size, and two moderate floats.
std::vector<uint64_t> inputs() {
  std::mt19937_64 generator(3);
  std::vector<uint64_t> words(threads * 4);
  for (uint64_t &word : words) {
    word = generator();
    if (generator() % 3 == 0)
      word >>= generator() % 64;
    if (generator() % 5 == 0)
      word = 0 - word;
  }
  auto moderate = [&] {
    auto value = static_cast<float>(static_cast<int>(generator() % 4001) - 2000);
    return uint64_t{std::bit_cast<uint32_t>(value / static_cast<float>(1 << (generator() % 8)))};
  };
  for (size_t i = 0; i < threads; ++i)
    words[i * 4 + 3] = moderate() | (moderate() << 32);
  return words;
}

/// Runs one kernel; the number of wrong threads, with the first described in `what`.
size_t wrongThreads(Executable &executable, size_t index, const std::vector<uint64_t> &words,
                    std::string &what) {
  GlobalMemory memory;
  auto in = memory.allocate(words.size() * 8, Initial::Poison, "in");
  auto out = memory.allocate(threads * 8, Initial::Poison, "out");
  REQUIRE((in.ok() && out.ok()));
  REQUIRE(
      memory.write(*in, {reinterpret_cast<const uint8_t *>(words.data()), words.size() * 8}).ok());
  LaunchConfig config;
  config.grid = {threads / 128, 1, 1};
  config.block = {128, 1, 1};
  config.parameters.resize(16);
  std::memcpy(config.parameters.data(), &*in, 8);
  std::memcpy(config.parameters.data() + 8, &*out, 8);
  auto result = executable.run("kernel" + std::to_string(index), config, memory, {});
  if (!result || result->trapped) {
    what = result ? result->trap.text() : result.status().message();
    return threads;
  }
  std::vector<uint64_t> got(threads);
  REQUIRE(memory.read({reinterpret_cast<uint8_t *>(got.data()), threads * 8}, *out).ok());
  size_t wrong = 0;
  for (size_t i = 0; i < threads; ++i) {
    uint64_t want = hostPrograms()[index](&words[i * 4]);
    if (got[i] != want && wrong++ == 0)
      what = "thread " + std::to_string(i);
  }
  return wrong;
}

/// Compiles the kernels by `command` and runs them all.
void check(const std::string &compiler, const std::string &options, const std::string &name) {
  std::string ptx = MSA_WORK_DIR "/" + name + ".ptx";
  std::string command = "'" + compiler + "' " + options + " -I'" MSA_WORK_DIR "' -o '" + ptx +
                        "' '" MSA_SOURCE_FOLDER "/Kernels.cu' >'" + ptx + ".log' 2>&1";
  if (compiler.empty() || std::system(command.c_str()) != 0) {
    WARN("SKIPPED: " << name << ": compiler not found, or it cannot compile CUDA here");
    return;
  }
  std::ostringstream text;
  text << std::ifstream(ptx).rdbuf();
  auto module = parseModule(text.str(), name + ".ptx");
  INFO(module.status().message());
  REQUIRE(module.ok());
  auto executable =
      Executable::create(std::make_shared<const Module>(std::move(*module)), name + ".ptx");
  INFO(executable.status().message());
  REQUIRE(executable.ok());
  std::vector<uint64_t> words = inputs();
  for (size_t index = 0; index < hostPrograms().size(); ++index) {
    std::string what;
    size_t wrong = wrongThreads(**executable, index, words, what);
    INFO(name << ": kernel " << index << ": " << what);
    CHECK(wrong == 0);
  }
}

const std::string clangOptions =
    "-x cuda --cuda-device-only -nocudainc -nocudalib --cuda-gpu-arch=sm_80 "
    "--cuda-feature=+ptx80 --cuda-path=/nonexistent -S -w -ffp-contract=off -fwrapv ";

} // namespace

TEST_CASE("random programs by nvcc", "[nvcc]") {
  check(MSA_NVCC, "-w -arch=sm_80 -fmad=false -ptx", "nvcc");
}
TEST_CASE("random programs by nvcc -G", "[nvcc]") {
  check(MSA_NVCC, "-w -arch=sm_75 -fmad=false -G -ptx", "nvcc-debug");
}
TEST_CASE("random programs by clang", "[clang]") {
  check(MSA_CLANG, clangOptions + "-O2", "clang");
}
TEST_CASE("random programs by clang -O0", "[clang]") {
  check(MSA_CLANG, clangOptions + "-O0", "clang-O0");
}

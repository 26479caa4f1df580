//===- MathLibraryTest.cpp - CUDA's math library on the simulator ---------===//
//
// A large body of PTX that somebody else wrote, with answers that the host's
// libm knows. nvcc compiles MathLibrary.cu when the test runs; without nvcc the
// test says so and passes.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/Parser.h"
#include "ptxsim/Simulator.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

using namespace msa;
using namespace msa::ptxsim;

namespace {

constexpr size_t count = 4096;

/// Compiles the kernels; null when nvcc is not there.
std::shared_ptr<Executable> compileKernels() {
  if (std::string(MSA_NVCC).empty())
    return nullptr;
  std::string ptx = MSA_WORK_DIR "/math-library.ptx";
  std::string command = "'" MSA_NVCC "' -arch=sm_80 -ptx -o '" + ptx +
                        "' '" MSA_CASES_DIR "/MathLibrary.cu' 2>'" + ptx + ".log'";
  if (std::system(command.c_str()) != 0)
    return nullptr;
  std::ostringstream text;
  text << std::ifstream(ptx).rdbuf();
  auto module = parseModule(text.str(), "math-library.ptx");
  INFO(module.status().message());
  REQUIRE(module.ok());
  auto executable =
      Executable::create(std::make_shared<const Module>(std::move(*module)), "math-library.ptx");
  INFO(executable.status().message());
  REQUIRE(executable.ok());
  return *executable;
}

/// Ordinary, large, tiny and special arguments.
template <typename T> T argument(std::mt19937_64 &generator) {
  double unit = static_cast<double>(generator() >> 11) * 0x1p-53;
  int range = sizeof(T) == 4 ? 100 : 300;
  switch (generator() % 6) {
  case 0:
    return static_cast<T>(std::ldexp(unit + 0.5, static_cast<int>(generator() % 40) - 20) *
                          (generator() & 1 ? 1 : -1));
  case 1:
    return static_cast<T>(static_cast<int>(generator() % 41) - 20);
  case 2:
    return static_cast<T>(unit);
  case 3: {
    constexpr T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN(),
                least = std::numeric_limits<T>::denorm_min();
    constexpr T special[] = {0, T(-0.0), inf, -inf, nan, least, -3 * least, 1, -1, T(1e30)};
    return special[generator() % 10];
  }
  case 4:
    return static_cast<T>((unit - 0.5) * 200);
  default:
    return static_cast<T>(
        std::ldexp(1 + unit, static_cast<int>(generator() % (2 * range)) - range));
  }
}

/// Distance in units of the last place of `want`; huge when one is special and the other is not it.
template <typename T> double ulps(T got, T want) {
  if (want != want)
    return got != got ? 0 : 1e30;
  if (got == want)
    return 0;
  if (std::isinf(want) || got != got || std::isinf(got))
    return 1e30;
  int digits = std::numeric_limits<T>::digits;
  int exponent = want == 0 ? -100000 : std::ilogb(want) - digits + 1;
  exponent = std::max(exponent, std::numeric_limits<T>::min_exponent - digits);
  return std::ldexp(std::fabs(static_cast<double>(got) - static_cast<double>(want)), -exponent);
}

template <typename T, typename Host>
void compare(Executable &executable, const std::string &name, double accepted, Host host) {
  std::mt19937_64 generator(5);
  std::vector<T> inputs[2], output(count);
  for (auto &input : inputs)
    for (size_t i = 0; i < count; ++i)
      input.push_back(argument<T>(generator));
  GlobalMemory memory;
  size_t bytes = count * sizeof(T);
  uint64_t addresses[3];
  for (int i = 0; i < 3; ++i) {
    auto address = memory.allocate(bytes, Initial::Poison, "array");
    REQUIRE(address.ok());
    addresses[i] = *address;
    if (i < 2)
      REQUIRE(memory.write(*address, {reinterpret_cast<const uint8_t *>(inputs[i].data()), bytes})
                  .ok());
  }
  LaunchConfig config;
  config.grid = {count / 128, 1, 1};
  config.block = {128, 1, 1};
  config.parameters.resize(sizeof addresses);
  std::memcpy(config.parameters.data(), addresses, sizeof addresses);
  auto result = executable.run("kernel_" + name, config, memory, {});
  INFO(name << " " << result.status().message());
  REQUIRE(result.ok());
  INFO(result->trap.text());
  REQUIRE_FALSE(result->trapped);
  REQUIRE(memory.read({reinterpret_cast<uint8_t *>(output.data()), bytes}, addresses[2]).ok());
  double worst = 0;
  std::string where;
  for (size_t i = 0; i < count; ++i) {
    T want = host(inputs[0][i], inputs[1][i]);
    double error = ulps(output[i], want);
    if (error > worst) {
      worst = error;
      where = fmt::format("{}({}, {}): got {}, want {}", name, inputs[0][i], inputs[1][i],
                          output[i], want);
    }
  }
  INFO(where);
  CHECK(worst <= accepted);
}

} // namespace

TEST_CASE("the functions of CUDA's math library are right", "[run][nvcc]") {
  std::shared_ptr<Executable> executable = compileKernels();
  if (!executable) {
    WARN("SKIPPED: nvcc not found or without a host compiler (CUDA toolkit, or -DMSA_NVCC=PATH)");
    return;
  }
#define F1(name, accepted)                                                                         \
  compare<float>(*executable, #name, accepted, [](float x, float) { return ::name(x); });
#define F2(name, accepted)                                                                         \
  compare<float>(*executable, #name, accepted, [](float x, float y) { return ::name(x, y); });
#define D1(name, accepted)                                                                         \
  compare<double>(*executable, #name, accepted, [](double x, double) { return ::name(x); });
#define D2(name, accepted)                                                                         \
  compare<double>(*executable, #name, accepted, [](double x, double y) { return ::name(x, y); });
#include "MathFunctions.def"
}

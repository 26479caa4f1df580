#include "Harness.h"

#include "ptxsim/Parser.h"

#include <fmt/format.h>

#include <cstring>
#include <numeric>

namespace msa::ptxsim::test {

std::vector<uint32_t> words(size_t n, uint32_t value) { return std::vector<uint32_t>(n, value); }

std::vector<uint32_t> counting(size_t n) {
  std::vector<uint32_t> result(n);
  std::iota(result.begin(), result.end(), 0u);
  return result;
}

std::string moduleText(const Kernel &kernel) {
  std::string parameters, loads;
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    parameters += fmt::format("{}.param .u64 p{}", i ? ", " : "", i);
    loads += fmt::format("  .reg .b64 %rd_{0}; ld.param.u64 %rd_{0}, [p{0}];\n", i);
  }
  for (size_t i = 0; i < kernel.maps.size(); ++i) {
    parameters += fmt::format("{}.param .align 64 .b8 m{}[128]", parameters.empty() ? "" : ", ", i);
    loads += fmt::format("  .reg .b64 %map_{0}; mov.b64 %map_{0}, m{0}; cvta.param.u64 %map_{0}, "
                         "%map_{0};\n",
                         i);
  }
  return fmt::format(".version {}\n.target {}\n.address_size 64\n{}\n"
                     ".visible .entry kernel({}) {}\n{{\n"
                     "  .reg .pred %p<32>; .reg .b16 %h<32>; .reg .b32 %r<64>; .reg .b64 %d<64>;\n"
                     "  .reg .f32 %f<32>; .reg .b32 %tid_x; .reg .b64 %off, %a<8>;\n{}"
                     "  mov.u32 %tid_x, %tid.x; mul.wide.u32 %off, %tid_x, 4;\n{}\n}}\n",
                     kernel.version, kernel.target, kernel.declarations, parameters,
                     kernel.directives, loads, kernel.body);
}

Ran run(const Kernel &kernel) {
  Ran ran;
  auto module = parseModule(moduleText(kernel), "test.ptx");
  if (!module) {
    ran.status = module.status();
    return ran;
  }
  auto executable = Executable::create(std::make_shared<Module>(std::move(*module)), "test.ptx");
  if (!executable) {
    ran.status = executable.status();
    return ran;
  }
  GlobalMemory memory;
  LaunchConfig launch = kernel.launch;
  std::vector<uint64_t> addresses;
  for (const Buffer &buffer : kernel.buffers) {
    auto address = memory.allocate(buffer.words.size() * 4, buffer.initial, buffer.name);
    if (!address) {
      ran.status = address.status();
      return ran;
    }
    addresses.push_back(*address);
    if (buffer.filled && buffer.initial == Initial::Zero)
      ran.status = memory.write(*address, {reinterpret_cast<const uint8_t *>(buffer.words.data()),
                                           buffer.words.size() * 4});
  }
  launch.parameters.resize(addresses.size() * 8);
  std::memcpy(launch.parameters.data(), addresses.data(), launch.parameters.size());
  for (const Map &map : kernel.maps) {
    TensorMap full = map.map;
    full.address = addresses[map.buffer];
    TensorMapBytes bytes = encodeTensorMap(full);
    launch.parameters.resize((launch.parameters.size() + 63) / 64 * 64);
    launch.parameters.insert(launch.parameters.end(), bytes.begin(), bytes.end());
  }
  auto result = (*executable)->run("kernel", launch, memory, kernel.options);
  if (!result) {
    ran.status = result.status();
    return ran;
  }
  ran.result = *result;
  for (size_t i = 0; i < addresses.size(); ++i) {
    std::vector<uint32_t> words(kernel.buffers[i].words.size());
    ran.status =
        memory.read({reinterpret_cast<uint8_t *>(words.data()), words.size() * 4}, addresses[i]);
    ran.buffers.push_back(std::move(words));
  }
  return ran;
}

} // namespace msa::ptxsim::test

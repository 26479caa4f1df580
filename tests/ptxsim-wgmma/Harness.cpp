#include "Harness.h"

#include "ptxsim/Parser.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>

namespace msa::ptxsim::test {

namespace {

std::string moduleText(const WgmmaKernel &kernel) {
  std::string parameters, loads;
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    parameters += fmt::format("{}.param .u64 p{}", i ? ", " : "", i);
    loads += fmt::format("  .reg .b64 %rd_{0}; ld.param.u64 %rd_{0}, [p{0}];\n", i);
  }
  if (kernel.map) {
    parameters += fmt::format("{}.param .align 64 .b8 map[128]", parameters.empty() ? "" : ", ");
    loads += "  .reg .b64 %map; mov.u64 %map, map; cvta.param.u64 %map, %map;\n";
  }
  return fmt::format(
      ".version 8.4\n.target sm_90a\n.address_size 64\n{}\n"
      ".visible .entry kernel({})\n{{\n"
      "  .reg .pred %p<16>; .reg .b32 %r<256>; .reg .b64 %d<32>; .reg .f32 %f<256>;\n"
      "  .reg .b32 %tid_x; .reg .b64 %a<16>;\n{}"
      "  mov.u32 %tid_x, %tid.x;\n{}\n  ret;\n}}\n",
      kernel.declarations, parameters, loads, kernel.body);
}

} // namespace

WgmmaRun run(const WgmmaKernel &kernel) {
  WgmmaRun result;
  auto refuse = [&](const Status &status) {
    result.id = "refused";
    result.text = status.message();
    return result;
  };
  auto module = parseModule(moduleText(kernel), "test.ptx");
  if (!module)
    return refuse(module.status());
  auto executable = Executable::create(std::make_shared<Module>(std::move(*module)), "test.ptx");
  if (!executable)
    return refuse(executable.status());
  GlobalMemory memory;
  LaunchConfig launch;
  launch.block = {kernel.threads, 1, 1};
  std::vector<uint64_t> addresses;
  for (size_t i = 0; i < kernel.buffers.size(); ++i) {
    auto address = memory.allocate(kernel.buffers[i].size(), Initial::Zero, fmt::format("b{}", i));
    if (!address)
      return refuse(address.status());
    addresses.push_back(*address);
    if (Status status = memory.write(*address, kernel.buffers[i]); !status.ok())
      return refuse(status);
  }
  launch.parameters.resize(addresses.size() * 8);
  if (!addresses.empty())
    std::memcpy(launch.parameters.data(), addresses.data(), launch.parameters.size());
  if (kernel.map) {
    TensorMap map = *kernel.map;
    map.address = addresses[0];
    TensorMapBytes bytes = encodeTensorMap(map);
    launch.parameters.resize((launch.parameters.size() + 63) / 64 * 64);
    launch.parameters.insert(launch.parameters.end(), bytes.begin(), bytes.end());
  }
  auto ran = (*executable)->run("kernel", launch, memory, kernel.options);
  if (!ran)
    return refuse(ran.status());
  if (ran->trapped) {
    result.id = ran->trap.id;
    result.text = ran->trap.text();
  }
  for (size_t i = 0; i < addresses.size(); ++i) {
    std::vector<uint8_t> bytes(kernel.buffers[i].size());
    if (Status status = memory.read(bytes, addresses[i]); !status.ok())
      return refuse(status);
    result.buffers.push_back(std::move(bytes));
  }
  return result;
}

std::vector<RunOptions> allSchedules() {
  std::vector<RunOptions> all(5);
  all[1].schedule = ScheduleKind::Lazy;
  for (size_t i = 2; i < all.size(); ++i) {
    all[i].schedule = ScheduleKind::Random;
    all[i].seed = i - 1;
  }
  return all;
}

std::string idOf(WgmmaKernel kernel) {
  std::optional<std::string> first;
  for (const RunOptions &options : allSchedules()) {
    kernel.options = options;
    WgmmaRun ran = run(kernel);
    std::string id = ran.id == "refused" ? ran.text : ran.id;
    if (!first)
      first = id;
    if (id != *first)
      return fmt::format("? {} and {}", *first, id);
  }
  return *first;
}

} // namespace msa::ptxsim::test

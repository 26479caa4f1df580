#include "Harness.h"

#include "ptxsim/Parser.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <optional>

namespace msa::ptxsim::test {

namespace {

std::string moduleText(const TmaKernel &k) {
  std::string parameters, loads;
  auto separate = [&] { return parameters.empty() ? "" : ", "; };
  for (size_t i = 0; i < k.buffers.size(); ++i) {
    parameters += fmt::format("{}.param .u64 p{}", separate(), i);
    loads += fmt::format("  .reg .b64 %rd_{0}; ld.param.u64 %rd_{0}, [p{0}];\n", i);
  }
  for (size_t i = 0; i < k.maps.size(); ++i) {
    parameters += fmt::format("{}.param .align 64 .b8 map{}[128]", separate(), i);
    loads += fmt::format(
        "  .reg .b64 %map_{0}; mov.u64 %map_{0}, map{0}; cvta.param.u64 %map_{0}, %map_{0};\n", i);
  }
  return fmt::format(
      ".version {}\n.target {}\n.address_size 64\n"
      ".shared .align 1024 .b8 tile[{}];\n.shared .align 8 .b64 full;\n{}\n"
      ".visible .entry kernel({}) {}\n{{\n"
      "  .reg .pred %p<16>; .reg .pred %first; .reg .b32 %r<64>; .reg .b64 %d<32>;\n"
      "  .reg .b16 %h<8>; .reg .b32 %tid_x;\n{}"
      "  mov.u32 %tid_x, %tid.x;\n  setp.eq.u32 %first, %tid_x, 0;\n{}\n  ret;\n}}\n",
      k.version, k.target, k.tileBytes, k.declarations, parameters,
      k.cluster > 1 ? fmt::format(".reqnctapercluster {}, 1, 1", k.cluster) : "", loads, k.body);
}

} // namespace

TmaRun run(const TmaKernel &kernel) {
  TmaRun result;
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
  launch.grid = {kernel.ctas, 1, 1};
  launch.cluster = {kernel.cluster, 1, 1};
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
  for (const MapOver &over : kernel.maps) {
    TensorMap map = over.map;
    map.address += addresses[over.buffer];
    TensorMapBytes bytes = encodeTensorMap(map);
    launch.parameters.resize((launch.parameters.size() + 63) / 64 * 64);
    launch.parameters.insert(launch.parameters.end(), bytes.begin(), bytes.end());
  }
  auto ran = (*executable)->run("kernel", launch, memory, kernel.options);
  if (!ran)
    return refuse(ran.status());
  result.counters = ran->counters;
  if (ran->trapped) {
    result.id = ran->trap.id;
    result.text = ran->trap.text();
  }
  for (size_t i = 0; i < addresses.size(); ++i) {
    Bytes bytes(kernel.buffers[i].size());
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

std::string idOf(TmaKernel kernel) {
  std::optional<std::string> first;
  for (const RunOptions &options : allSchedules()) {
    kernel.options = options;
    TmaRun ran = run(kernel);
    std::string id = ran.id == "refused" ? "refused: " + ran.text : ran.id;
    if (!first)
      first = id;
    if (id != *first)
      return fmt::format("? {} and {}: {}", *first, id, ran.text);
  }
  return *first;
}

//===----------------------------------------------------------------------===//
// Parts of kernels
//===----------------------------------------------------------------------===//

std::string initBarrier() {
  return "@%first mbarrier.init.shared::cta.b64 [full], 1;\n"
         "@%first fence.mbarrier_init.release.cluster;\nfence.proxy.async.shared::cta;\n"
         "bar.sync 0;\n";
}

std::string loadAndWait(uint32_t bytes, const std::string &copies) {
  return fmt::format("@!%first bra WAIT;\n"
                     "mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], {};\n{}\n"
                     "WAIT:\nmbarrier.try_wait.parity.shared::cta.b64 %p1, [full], 0;\n"
                     "@!%p1 bra WAIT;\n",
                     bytes, copies);
}

static std::string copyLoop(const std::string &label, const std::string &address, uint32_t bytes,
                            bool in) {
  return fmt::format(
      "shl.b32 %r20, %tid_x, 2; mov.u32 %r21, tile; mov.u32 %r23, %ntid.x; shl.b32 %r23, %r23, 2;\n"
      "{0}:\nsetp.ge.u32 %p2, %r20, {1};\n@%p2 bra {0}_END;\n"
      "cvt.u64.u32 %d20, %r20; add.u64 %d20, %d20, {2}; add.u32 %r22, %r21, %r20;\n{3}\n"
      "add.u32 %r20, %r20, %r23;\nbra {0};\n{0}_END:\n",
      label, bytes, address,
      in ? "ld.global.b32 %r24, [%d20]; st.shared.b32 [%r22], %r24;"
         : "ld.shared.b32 %r24, [%r22]; st.global.b32 [%d20], %r24;");
}

std::string copyOut(const std::string &address, uint32_t bytes) {
  return copyLoop("OUT", address, bytes, false);
}

std::string copyIn(const std::string &address, uint32_t bytes) {
  return copyLoop("IN", address, bytes, true) + "fence.proxy.async.shared::cta;\nbar.sync 0;\n";
}

std::string storeAndWait(const std::string &stores) {
  return fmt::format("@!%first bra DONE;\n{}\ncp.async.bulk.commit_group;\n"
                     "cp.async.bulk.wait_group 0;\nDONE:\n",
                     stores);
}

Bytes noise(size_t n, uint32_t seed) {
  Bytes bytes(n);
  uint32_t x = seed * 2654435761u + 12345;
  for (uint8_t &b : bytes) {
    x = x * 1664525u + 1013904223u;
    b = static_cast<uint8_t>(x >> 24);
  }
  return bytes;
}

} // namespace msa::ptxsim::test

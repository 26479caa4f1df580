#include "Harness.h"

#include "ptxsim/Parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace msa::ptxsim::test {

std::vector<RunOptions> allSchedules() {
  std::vector<RunOptions> all(5);
  all[0].schedule = ScheduleKind::Eager;
  all[1].schedule = ScheduleKind::Lazy;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    all[seed + 1].schedule = ScheduleKind::Random;
    all[seed + 1].seed = seed;
  }
  return all;
}

namespace {

/// Runs `text` with these buffers as parameters; the last one comes back in `dump`.
TensorRun launch(const std::string &text, const std::vector<std::vector<uint32_t>> &buffers,
                 LaunchConfig config, const RunOptions &options) {
  TensorRun out;
  auto refuse = [&](const Status &status) {
    out.id = "refused";
    out.text = status.message();
    return out;
  };
  auto module = parseModule(text, "test.ptx");
  if (!module)
    return refuse(module.status());
  auto executable = Executable::create(std::make_shared<Module>(std::move(*module)), "test.ptx");
  if (!executable)
    return refuse(executable.status());
  GlobalMemory memory;
  std::vector<uint64_t> addresses;
  for (const std::vector<uint32_t> &words : buffers) {
    auto address = memory.allocate(std::max<size_t>(words.size(), 1) * 4, Initial::Zero, "b");
    if (!address)
      return refuse(address.status());
    addresses.push_back(*address);
    if (Status status = memory.write(
            *address, {reinterpret_cast<const uint8_t *>(words.data()), words.size() * 4});
        !status.ok())
      return refuse(status);
  }
  config.parameters.resize(addresses.size() * 8);
  std::memcpy(config.parameters.data(), addresses.data(), config.parameters.size());
  auto result = (*executable)->run("kernel", config, memory, options);
  if (!result)
    return refuse(result.status());
  if (result->trapped) {
    out.id = result->trap.id;
    out.text = result->trap.text();
  }
  out.dump.resize(buffers.back().size());
  if (Status status = memory.read(
          {reinterpret_cast<uint8_t *>(out.dump.data()), out.dump.size() * 4}, addresses.back());
      !status.ok())
    return refuse(status);
  return out;
}

std::string moduleOf(const TensorKernel &kernel) {
  const unsigned columns = static_cast<unsigned>(kernel.image.columns.size()),
                 dumped = static_cast<unsigned>(kernel.dump.size());
  std::string stores, loads;
  for (unsigned i = 0; i < columns; ++i)
    stores += fmt::format("  ld.global.b32 %r1, [%a1+{}]; tcgen05.st.sync.aligned.32x32b.x1.b32 "
                          "[%lane+{}], {{%r1}};\n",
                          4 * i, kernel.image.columns[i]);
  for (unsigned i = 0; i < dumped; ++i)
    loads += fmt::format("  tcgen05.ld.sync.aligned.32x32b.x1.b32 {{%r1}}, [%lane+{}]; "
                         "st.global.b32 [%a2+{}], %r1;\n",
                         kernel.dump[i], 4 * i);
  std::string text = R"(.version 9.0
.target sm_100a
.address_size 64
.visible .entry kernel(.param .u64 p0, .param .u64 p1, .param .u64 p2) {
  .reg .pred %p<8>; .reg .b32 %r<64>; .reg .b64 %d<16>; .reg .b64 %a<8>; .reg .b16 %h<2>;
  .reg .b32 %taddr, %lane, %tid_x, %rank, %i, %flat;
  .shared .align 1024 .b8 smem[@SHARED@];
  .shared .align 8 .b64 bar; .shared .b32 slot;
  mov.u32 %tid_x, %tid.x; mov.u32 %rank, %cluster_ctarank;
  ld.param.u64 %a0, [p0]; ld.param.u64 %a1, [p1]; ld.param.u64 %a2, [p2];
  setp.lt.u32 %p1, %tid_x, 32;
  @%p1 tcgen05.alloc.cta_group::@G@.sync.aligned.shared::cta.b32 [slot], 512;
  setp.eq.u32 %p2, %tid_x, 0;
  @%p2 mbarrier.init.shared::cta.b64 [bar], 1;
  fence.mbarrier_init.release.cluster;
  mad.lo.u32 %flat, %rank, 128, %tid_x;
  mul.wide.u32 %a3, %rank, @SHARED@; add.u64 %a0, %a0, %a3;
  mul.wide.u32 %a3, %flat, @IMAGE@; add.u64 %a1, %a1, %a3;
  mul.wide.u32 %a3, %flat, @DUMP@; add.u64 %a2, %a2, %a3;
  shl.b32 %i, %tid_x, 2;
fill:
  setp.ge.u32 %p3, %i, @SHARED@; @%p3 bra filled;
  cvt.u64.u32 %a4, %i; add.u64 %a4, %a0, %a4; ld.global.b32 %r1, [%a4];
  mov.u32 %r2, smem; add.u32 %r2, %r2, %i; st.shared.b32 [%r2], %r1;
  add.u32 %i, %i, 512; bra fill;
filled:
  fence.proxy.async; bar.sync 0;
  ld.shared.b32 %taddr, [slot];
  and.b32 %lane, %tid_x, 96; shl.b32 %lane, %lane, 16; add.u32 %lane, %lane, %taddr;
@STORES@  tcgen05.wait::st.sync.aligned;
  barrier.cluster.arrive; barrier.cluster.wait;
  setp.ne.u32 %p3, %flat, 0; @%p3 bra waits;
@BODY@
  @COMMIT@
waits:
  mbarrier.try_wait.parity.shared::cta.b64 %p4, [bar], 0; @!%p4 bra waits;
@LOADS@  tcgen05.wait::ld.sync.aligned;
  barrier.cluster.arrive; barrier.cluster.wait;
  @%p1 tcgen05.dealloc.cta_group::@G@.sync.aligned.b32 %taddr, 512;
  ret;
}
)";
  auto replace = [&](std::string_view key, const std::string &value) {
    for (size_t at = text.find(key); at != std::string::npos; at = text.find(key))
      text.replace(at, key.size(), value);
  };
  replace("@COMMIT@",
          kernel.group == 1
              ? "tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [bar];"
              : "mov.u16 %h1, 3; tcgen05.commit.cta_group::2.mbarrier::arrive::one.shared::cluster"
                ".multicast::cluster.b64 [bar], %h1;");
  replace("@BODY@", kernel.body);
  replace("@STORES@", stores);
  replace("@LOADS@", loads);
  replace("@SHARED@", fmt::format("{}", std::max(kernel.sharedBytes, 16u)));
  replace("@IMAGE@", fmt::format("{}", 4 * columns));
  replace("@DUMP@", fmt::format("{}", 4 * dumped));
  replace("@G@", fmt::format("{}", kernel.group));
  return text;
}

} // namespace

TensorRun run(const TensorKernel &kernel) {
  std::vector<std::vector<uint32_t>> buffers(3);
  buffers[0].resize(size_t{kernel.group} * std::max(kernel.sharedBytes, 16u) / 4);
  std::memcpy(buffers[0].data(), kernel.shared.data(), kernel.shared.size());
  buffers[1] = kernel.image.words;
  buffers[2].resize(size_t{kernel.group} * 128 * kernel.dump.size());
  LaunchConfig config{{kernel.group, 1, 1}, {128, 1, 1}, {kernel.group, 1, 1}, 0, {}};
  return launch(moduleOf(kernel), buffers, config, kernel.options);
}

TensorRun run(const PlainKernel &kernel, const RunOptions &options) {
  std::string text = fmt::format(
      ".version 9.0\n.target sm_100a\n.address_size 64\n{}\n"
      ".visible .entry kernel(.param .u64 p0)\n{{\n"
      "  .reg .pred %p<16>; .reg .b32 %r<256>; .reg .b64 %d<32>; .reg .b16 %h<8>;\n"
      "  .reg .b32 %tid_x, %taddr, %warp, %lane; .reg .b64 %buf;\n"
      "  ld.param.u64 %buf, [p0]; mov.u32 %tid_x, %tid.x; shr.u32 %warp, %tid_x, 5;\n{}\n"
      "  ret;\n}}\n",
      kernel.declarations, kernel.body);
  LaunchConfig config{
      {kernel.clusters, 1, 1}, {kernel.threads, 1, 1}, {kernel.clusters, 1, 1}, 0, {}};
  return launch(text, {std::vector<uint32_t>(16384)}, config, options);
}

std::string idOf(const PlainKernel &kernel) {
  std::string id;
  bool first = true;
  for (const RunOptions &options : allSchedules()) {
    std::string found = run(kernel, options).id;
    if (!first && found != id)
      return "? " + id + " " + found;
    id = found;
    first = false;
  }
  return id;
}

std::string textOf(const PlainKernel &kernel) {
  for (const RunOptions &options : allSchedules())
    if (TensorRun ran = run(kernel, options); !ran.id.empty())
      return ran.text;
  return "";
}

} // namespace msa::ptxsim::test

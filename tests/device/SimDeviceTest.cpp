//===- SimDeviceTest.cpp - the simulator behind the device interface ------===//
//
// What any device must do (memory, loading, launching) and what only this one
// tells (traps, counters). Kernels are a few lines of PTX.
//
//===----------------------------------------------------------------------===//
#include "device/FindDevice.h"

#include "program/Launcher.h"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstring>

using namespace msa;

namespace {

/// out[i] = in[i] + addend for i < n, one thread an element.
constexpr const char *addPtx = R"(
.version 7.0
.target sm_80
.address_size 64
.visible .entry add(.param .u64 in, .param .u64 out, .param .u32 n, .param .u32 addend)
{
  .reg .pred %p<2>;
  .reg .b32 %r<8>;
  .reg .b64 %rd<8>;
  ld.param.u64 %rd1, [in];
  ld.param.u64 %rd2, [out];
  ld.param.u32 %r1, [n];
  ld.param.u32 %r2, [addend];
  mov.u32 %r3, %ctaid.x;
  mov.u32 %r4, %ntid.x;
  mov.u32 %r5, %tid.x;
  mad.lo.s32 %r6, %r3, %r4, %r5;
  setp.ge.s32 %p1, %r6, %r1;
  @%p1 bra DONE;
  mul.wide.s32 %rd3, %r6, 4;
  add.s64 %rd4, %rd1, %rd3;
  add.s64 %rd5, %rd2, %rd3;
  ld.global.u32 %r7, [%rd4];
  add.s32 %r7, %r7, %r2;
  st.global.u32 [%rd5], %r7;
DONE:
  ret;
}
)";

KernelImage addImage() {
  KernelImage image;
  image.phase = "add";
  image.entry = "add";
  image.target = "sm_80";
  image.ptx = addPtx;
  image.args = {
      {.name = "in", .role = ArgRole::Input, .element = "i32", .shape = {"tokens"}},
      {.name = "out", .role = ArgRole::Output, .element = "i32", .shape = {"tokens"}},
      {.name = "n", .type = ArgType::I32, .role = ArgRole::Scalar, .value = "tokens"},
      {.name = "addend", .type = ArgType::I32, .role = ArgRole::Scalar, .value = "requests"},
  };
  image.launch = {.grid = {"ceildiv(tokens, 32)", "1", "1"}, .block = {32, 1, 1}};
  return image;
}

std::unique_ptr<SimDevice> device(SimDeviceOptions options = {}) {
  if (options.run.threads == 0)
    options.run.threads = 1;
  options.target = options.target == "sm_100a" ? "sm_80" : options.target;
  Expected<std::unique_ptr<SimDevice>> made = makeSimDevice(options);
  REQUIRE(made.status().message() == "");
  return std::move(*made);
}

DevicePtr allocated(Device &d, uint64_t bytes, Fill fill) {
  Expected<DevicePtr> address = d.allocate(bytes, fill, "test buffer");
  REQUIRE(address.status().message() == "");
  CHECK(*address % 256 == 0);
  return *address;
}

std::vector<uint32_t> words(Device &d, DevicePtr address, size_t count) {
  std::vector<uint32_t> out(count);
  REQUIRE(d.download({reinterpret_cast<uint8_t *>(out.data()), count * 4}, address).message() ==
          "");
  return out;
}

std::vector<uint8_t> parameters(uint64_t in, uint64_t out, uint32_t n, uint32_t addend) {
  std::vector<uint8_t> block(24);
  std::memcpy(block.data(), &in, 8);
  std::memcpy(block.data() + 8, &out, 8);
  std::memcpy(block.data() + 16, &n, 4);
  std::memcpy(block.data() + 20, &addend, 4);
  return block;
}

} // namespace

TEST_CASE("memory reads as it was filled and keeps what is uploaded") {
  auto d = device();
  CHECK(words(*d, allocated(*d, 16, Fill::Zero), 4) == std::vector<uint32_t>(4, 0));
  CHECK(words(*d, allocated(*d, 16, Fill::Poison), 4) == std::vector<uint32_t>(4, 0x7FC0DEAD));
  DevicePtr buffer = allocated(*d, 16, Fill::Uninitialised);
  std::vector<uint8_t> data = {1, 2, 3, 4, 5, 6, 7, 8};
  REQUIRE(d->upload(buffer + 4, data).ok());
  CHECK(words(*d, buffer + 4, 2) == std::vector<uint32_t>{0x04030201, 0x08070605});
  CHECK(d->synchronise().ok());
}

TEST_CASE("empty tensors have an address, and null is released") {
  auto d = device();
  DevicePtr a = allocated(*d, 0, Fill::Zero), b = allocated(*d, 0, Fill::Zero);
  CHECK(a != 0);
  CHECK(a != b);
  CHECK(d->upload(a, {}).ok());
  CHECK(d->release(a).ok());
  CHECK(d->release(0).ok());
}

TEST_CASE("memory that is not ours is refused") {
  auto d = device();
  DevicePtr buffer = allocated(*d, 16, Fill::Zero);
  std::vector<uint8_t> data(17);
  CHECK_FALSE(d->upload(buffer, data).ok());
  CHECK_FALSE(d->download(data, buffer).ok());
  CHECK_FALSE(d->upload(0, data).ok());
  REQUIRE(d->release(buffer).ok());
  CHECK_FALSE(d->release(buffer).ok());
  CHECK_FALSE(d->download(std::span(data).first(4), buffer).ok());
}

TEST_CASE("a kernel runs and its result is read") {
  auto d = device({.run = {.counters = true}});
  constexpr uint32_t n = 70;
  DevicePtr in = allocated(*d, n * 4, Fill::Zero), out = allocated(*d, n * 4, Fill::Poison);
  std::vector<uint32_t> values(n);
  for (uint32_t i = 0; i < n; ++i)
    values[i] = i * i;
  REQUIRE(d->upload(in, {reinterpret_cast<uint8_t *>(values.data()), n * 4}).ok());
  Expected<DeviceKernel *> kernel = d->load(addImage());
  REQUIRE(kernel.status().message() == "");
  REQUIRE(d->launch(*kernel, {.grid = {3, 1, 1}, .block = {32, 1, 1}}, parameters(in, out, n, 5))
              .message() == "");
  std::vector<uint32_t> result = words(*d, out, n);
  for (uint32_t i = 0; i < n; ++i)
    CHECK(result[i] == i * i + 5);
  CHECK(d->lastTrap() == nullptr);
  CHECK(d->lastCounters().threadInstructions > n * 10);
  CHECK(d->lastCounters().globalLoadBytes == n * 4);
  CHECK(d->lastCounters().globalStoreBytes == n * 4);
  // Sums are kept by kernel.
  REQUIRE(
      d->launch(*kernel, {.grid = {3, 1, 1}, .block = {32, 1, 1}}, parameters(in, out, n, 5)).ok());
  REQUIRE(d->countersByKernel().size() == 1);
  CHECK(d->countersByKernel().at("add").threadInstructions ==
        2 * d->lastCounters().threadInstructions);
}

TEST_CASE("what a kernel does wrong is a failed check with a place") {
  auto d = device();
  DevicePtr buffer = allocated(*d, 64, Fill::Zero);
  Expected<DeviceKernel *> kernel = d->load(addImage());
  REQUIRE(kernel.ok());
  Status status = d->launch(*kernel, {.grid = {1, 1, 1}, .block = {32, 1, 1}},
                            parameters(buffer, buffer, 32, 0));
  CHECK(status.code() == StatusCode::CheckFailed);
  INFO(status.message());
  CHECK(status.message().find("add.ptx:") != std::string::npos);
  CHECK(status.message().find("test buffer") != std::string::npos);
  REQUIRE(d->lastTrap() != nullptr);
  CHECK(d->lastTrap()->location.line > 0);
  // The device lives on.
  CHECK(d->launch(*kernel, {.grid = {1, 1, 1}, .block = {32, 1, 1}},
                  parameters(buffer, buffer, 16, 0))
            .message() == "");
  CHECK(d->lastTrap() == nullptr);
}

TEST_CASE("checks can be switched off") {
  auto d = device({.run = {.disabledChecks = {"all"}}});
  DevicePtr in = allocated(*d, 128, Fill::Uninitialised), out = allocated(*d, 128, Fill::Poison);
  Expected<DeviceKernel *> kernel = d->load(addImage());
  REQUIRE(kernel.ok());
  CHECK(d->launch(*kernel, {.grid = {1, 1, 1}, .block = {32, 1, 1}}, parameters(in, out, 32, 0))
            .message() == "");
}

TEST_CASE("a bad launch is the caller's fault") {
  auto d = device();
  Expected<DeviceKernel *> kernel = d->load(addImage());
  REQUIRE(kernel.ok());
  std::vector<uint8_t> block = parameters(0, 0, 0, 0);
  CHECK(d->launch(*kernel, {.grid = {1, 1, 1}, .block = {2048, 1, 1}}, block).code() ==
        StatusCode::InvalidInput);
  block.resize(8);
  CHECK(d->launch(*kernel, {.grid = {1, 1, 1}, .block = {32, 1, 1}}, block).code() ==
        StatusCode::InvalidInput);
  CHECK(d->launch(nullptr, {}, block).code() == StatusCode::Internal);
}

TEST_CASE("images that cannot run are refused in words") {
  auto d = device();
  KernelImage image = addImage();
  image.entry = "subtract";
  CHECK(d->load(image).status().message() == "the PTX has no entry 'subtract'; its entries: add");
  image = addImage();
  image.ptx.clear();
  CHECK(d->load(image).status().message().find("no PTX") != std::string::npos);
  image = addImage();
  image.target = "sm_90a";
  CHECK(d->load(image).status().code() == StatusCode::Missing);
  image = addImage();
  image.ptx += "not ptx";
  Status status = d->load(image).status();
  INFO(status.message());
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK(status.message().find("add.ptx:") == 0);
}

TEST_CASE("one text is parsed once") {
  auto d = device();
  KernelImage image = addImage();
  for (int i = 0; i < 20000; ++i)
    image.ptx += "// a long comment that takes a parser some time to pass\n";
  auto start = std::chrono::steady_clock::now();
  REQUIRE(d->load(image).ok());
  auto first = std::chrono::steady_clock::now() - start;
  start = std::chrono::steady_clock::now();
  Expected<DeviceKernel *> again = d->load(image);
  auto second = std::chrono::steady_clock::now() - start;
  REQUIRE(again.ok());
  CHECK(second < first);
}

TEST_CASE("the launcher runs a program on the simulator") {
  auto d = device();
  auto program = std::make_shared<Program>();
  program->kernels = {addImage()};
  program->recipe = {{.steps = {{.kernel = 0}}}};
  Bounds bounds = {.tokens = 100, .requests = 7};
  DevicePtr in = allocated(*d, 400, Fill::Zero), out = allocated(*d, 400, Fill::Poison);
  Expected<std::unique_ptr<LoadedProgram>> loaded = LoadedProgram::load(program, *d);
  REQUIRE(loaded.status().message() == "");
  Expected<WorkspaceLayout> layout = layoutWorkspace(*program, bounds);
  REQUIRE(layout.ok());
  CHECK(layout->bytes == 0);
  REQUIRE((*loaded)->launch({{"in", in}, {"out", out}}, 0, *layout, bounds).message() == "");
  CHECK(words(*d, out, 100) == std::vector<uint32_t>(100, 7));
}

TEST_CASE("a simulator has the numbers of its target") {
  Expected<std::unique_ptr<SimDevice>> d = makeSimDevice({.target = "sm_80"});
  REQUIRE(d.ok());
  CHECK((*d)->target() == "sm_80");
  CHECK((*d)->name() == "sim");
  CHECK((*d)->smCount() == 108);
  CHECK((*makeSimDevice({.target = "sm_80", .smCount = 3}))->smCount() == 3);
  CHECK(makeSimDevice({.target = "sm_81"}).status().message().find("did you mean 'sm_80'?") !=
        std::string::npos);
  CHECK_FALSE(makeSimDevice({.target = "sm_80", .smCount = -1}).ok());
}

TEST_CASE("devices by their words") {
  Expected<std::unique_ptr<Device>> sim = findDevice("sim", {.target = "sm_80"});
  REQUIRE(sim.ok());
  CHECK((*sim)->target() == "sm_80");
  for (const char *word : {"cuda", "cuda:0", "cuda:12"}) {
    Status status = findDevice(word).status();
    CHECK(status.code() == StatusCode::Missing);
    CHECK(status.message().find("comes with the runtime issue") != std::string::npos);
  }
  for (const char *word : {"", "gpu", "simm", "cuda:", "cuda:x", "cuda:-1", "cudas", "sim:0"}) {
    Status status = findDevice(word).status();
    INFO(word);
    CHECK(status.code() == StatusCode::InvalidInput);
    CHECK(status.message().find("sim, cuda") != std::string::npos);
  }
}

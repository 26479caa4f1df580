//===- LauncherTest.cpp - what reaches a device ---------------------------===//
//
// A device that records instead of running: kernels, grids, parameter bytes.
//
//===----------------------------------------------------------------------===//
#include "SampleProgram.h"

#include "program/Launcher.h"

#include <catch2/catch.hpp>

#include <cstring>

using namespace msa;
using msa::test::sampleProgram;

namespace {

struct RecordingKernel : DeviceKernel {
  std::string entry;
};

struct Recorded {
  std::string entry;
  LaunchDims dims;
  std::vector<uint8_t> parameters;
  template <typename T> T at(size_t offset) const {
    T value;
    REQUIRE(offset + sizeof value <= parameters.size());
    std::memcpy(&value, parameters.data() + offset, sizeof value);
    return value;
  }
};

class RecordingDevice : public Device {
public:
  std::string name() const override { return "recorder"; }
  std::string target() const override { return chip; }
  int64_t smCount() const override { return 1; }
  Expected<DevicePtr> allocate(uint64_t, Fill, const std::string &) override {
    ++allocations;
    return DevicePtr(256);
  }
  Status release(DevicePtr) override { return {}; }
  Status upload(DevicePtr, std::span<const uint8_t>) override { return {}; }
  Status download(std::span<uint8_t>, DevicePtr) override {
    ++downloads;
    return {};
  }
  Expected<DeviceKernel *> load(const KernelImage &image) override {
    if (image.entry == refusedEntry)
      return Status::invalid("bad image");
    kernels.push_back(std::make_unique<RecordingKernel>());
    kernels.back()->entry = image.entry;
    return kernels.back().get();
  }
  Status launch(DeviceKernel *kernel, const LaunchDims &dims,
                std::span<const uint8_t> parameters) override {
    launches.push_back({static_cast<RecordingKernel *>(kernel)->entry,
                        dims,
                        {parameters.begin(), parameters.end()}});
    return launches.size() == failingLaunch ? Status::checkFailed("trap") : Status();
  }
  Status synchronise() override { return {}; }

  std::string chip = "sm_80", refusedEntry;
  size_t failingLaunch = 0;
  int allocations = 0, downloads = 0;
  std::vector<Recorded> launches;
  std::vector<std::unique_ptr<RecordingKernel>> kernels;
};

/// A loaded sample and what its launch takes.
struct Fixture {
  RecordingDevice device;
  std::shared_ptr<Program> program = std::make_shared<Program>(sampleProgram());
  std::map<std::string, DevicePtr> tensors = {
      {"index_q", 0x100000000}, {"o", 0x2000}, {"status", 0x3000}};
  DevicePtr workspace = 0x100000;
  Bounds bounds = {.tokens = 25, .requests = 3};
  WorkspaceLayout layout;
  std::vector<std::string> phases;
  LaunchObserver observer;

  Status run(uint64_t cap = defaultWorkspaceCap) {
    Expected<WorkspaceLayout> made = layoutWorkspace(*program, bounds, cap);
    if (!made.ok())
      return made.status();
    layout = *made;
    return launch();
  }
  Status launch() {
    Expected<std::unique_ptr<LoadedProgram>> loaded = LoadedProgram::load(program, device);
    if (!loaded.ok())
      return loaded.status();
    return (*loaded)->launch(tensors, workspace, layout, bounds, phases, observer);
  }
  void checkRefused(std::string_view says, StatusCode code = StatusCode::InvalidInput) {
    Status status = run();
    INFO(status.message());
    CHECK(status.code() == code);
    CHECK(status.message().find(says) != std::string::npos);
    CHECK(device.launches.empty());
  }
};

} // namespace

TEST_CASE("parameters are packed by the PTX ABI") {
  Fixture f;
  REQUIRE(f.run().message() == "");
  REQUIRE(f.device.launches.size() == 3);
  const Recorded &first = f.device.launches[0];
  CHECK(first.entry == "msa_index_scores");
  CHECK(first.at<uint64_t>(0) == 0x100000000); // index_q
  CHECK(first.at<int32_t>(8) == 25);           // tokens
  CHECK(first.at<uint64_t>(16) == 0x100000);   // scores, on its own 8-byte boundary
  CHECK(first.at<float>(24) == 0.1f);
  CHECK(first.at<int32_t>(28) == 0);       // slab_begin
  CHECK(first.at<int32_t>(32) == 25);      // slab
  CHECK(first.at<uint64_t>(40) == 0x3000); // status
  CHECK(first.parameters.size() == 48);
  CHECK(first.dims.grid == std::array<uint32_t, 3>{13, 4, 1});
  CHECK(first.dims.block == std::array<uint32_t, 3>{128, 1, 1});
  CHECK(first.dims.dynamicSharedBytes == 4096);
  const Recorded &second = f.device.launches[1];
  CHECK(second.at<uint64_t>(8) == 0x100000 + f.layout.tensors[1].offset);
  CHECK(second.dims.block == std::array<uint32_t, 3>{32, 4, 1});
  CHECK(f.device.launches[2].entry == "msa_gather_plan");
  // A launch allocates nothing and reads nothing back.
  CHECK(f.device.allocations == 0);
  CHECK(f.device.downloads == 0);
}

TEST_CASE("a slabbed group runs once a slab, the last one short") {
  Fixture f;
  REQUIRE(f.run(256 + 256).message() == ""); // 16 tokens of 16 bytes
  CHECK(f.layout.slab == 16);
  REQUIRE(f.device.launches.size() == 5);
  std::vector<std::string> order;
  for (const Recorded &launch : f.device.launches)
    order.push_back(launch.entry);
  CHECK(order == std::vector<std::string>{"msa_index_scores", "msa_topk_select", "msa_index_scores",
                                          "msa_topk_select", "msa_gather_plan"});
  CHECK(f.device.launches[0].at<int32_t>(28) == 0);
  CHECK(f.device.launches[0].at<int32_t>(32) == 16);
  CHECK(f.device.launches[2].at<int32_t>(28) == 16);
  CHECK(f.device.launches[2].at<int32_t>(32) == 9);
  CHECK(f.device.launches[2].dims.grid[0] == 5);
  CHECK(f.device.launches[3].dims.grid[0] == 9);
}

TEST_CASE("a group without slabs sees the whole call") {
  Fixture f;
  f.program->recipe[0].slabbed = false;
  REQUIRE(f.run().ok());
  CHECK(f.device.launches[0].at<int32_t>(28) == 0);
  CHECK(f.device.launches[0].at<int32_t>(32) == 25);
}

TEST_CASE("a guard that is false skips its step") {
  Fixture f;
  f.bounds.tokens = 10;
  REQUIRE(f.run().ok());
  CHECK(f.device.launches.size() == 2);
}

TEST_CASE("an empty call and an empty grid launch nothing") {
  Fixture f;
  f.bounds.tokens = 0;
  REQUIRE(f.run().ok());
  CHECK(f.device.launches.empty());
  f.bounds.tokens = 25;
  f.program->kernels[0].launch.grid[1] = "max_blocks";
  REQUIRE(f.run().ok());
  REQUIRE(f.device.launches.size() == 2);
  CHECK(f.device.launches[0].entry == "msa_topk_select");
}

TEST_CASE("phases restrict the steps") {
  Fixture f;
  f.phases = {"topk_select"};
  REQUIRE(f.run().ok());
  REQUIRE(f.device.launches.size() == 1);
  CHECK(f.device.launches[0].entry == "msa_topk_select");
  f.device.launches.clear();
  f.phases = {"topk_selekt"};
  f.checkRefused("no phase 'topk_selekt'; did you mean 'topk_select'?");
}

TEST_CASE("a tensor of a phase that does not run need not be given") {
  Fixture f;
  f.phases = {"gather_plan"};
  f.tensors = {{"o", 2}};
  CHECK(f.run().message() == "");
}

TEST_CASE("missing, null and misaligned tensors are named") {
  Fixture f;
  f.tensors.erase("index_q");
  f.checkRefused("index_scores: argument 'index_q': the kernel takes this tensor");
  f.tensors["index_q"] = 0;
  f.checkRefused("argument 'index_q': its address is null, and it has 25600 bytes");
  f.tensors["index_q"] = 0x1008;
  f.checkRefused("argument 'index_q': address 0x1008 is not aligned to 16 bytes");
  f.tensors["index_q"] = 0x1000;
  f.workspace = 0;
  f.checkRefused("argument 'scores': its address is null");
  f.workspace = 0x100000;
  CHECK(f.run().ok());
}

TEST_CASE("a tensor that only the last kernel misses is told before the first one runs") {
  Fixture f;
  f.program->kernels[2].args[0].name = "lse";
  f.checkRefused("gather_plan: argument 'lse': the kernel takes this tensor");
}

TEST_CASE("null is fine for a tensor without elements") {
  Fixture f;
  f.program->kernels[0].args[0].shape = {"tokens", "pages"};
  f.tensors["index_q"] = 0;
  CHECK(f.run().message() == "");
}

TEST_CASE("values that do not fit are refused") {
  Fixture f;
  f.program->kernels[0].args[1].value = "tokens * 2147483648";
  f.checkRefused("argument 'tokens': tokens * 2147483648 is 53687091200");
  f.program->kernels[0].args[1].value = "tokens / (requests - 3)";
  f.checkRefused("division of 25 by zero");
  f.program->kernels[0].args[1].value = "tokens";
  f.program->kernels[0].launch.grid[1] = "65536";
  f.checkRefused("grid extent y = 65536 is 65536; legal: 0..65535");
  f.program->kernels[0].launch.grid[1] = "requests - 4";
  f.checkRefused("grid extent y = requests - 4 is -1");
  f.program->kernels[0].launch.grid[1] = "1";
  f.bounds.maxBlocks = 65537;
  f.checkRefused("L1: max_blocks");
}

TEST_CASE("a layout of other bounds is refused") {
  Fixture f;
  f.layout = *layoutWorkspace(*f.program, {.tokens = 25, .requests = 2});
  f.bounds.requests = 50;
  Status status = f.launch();
  CHECK(status.message().find("workspace tensor 'items' needs 800 bytes") != std::string::npos);
  f.layout = {};
  CHECK(f.launch().message().find("not of this program") != std::string::npos);
  CHECK(f.device.launches.empty());
}

TEST_CASE("images for another chip are missing here") {
  Fixture f;
  f.device.chip = "sm_75";
  f.checkRefused("the image is for sm_80 and the device recorder takes sm_75", StatusCode::Missing);
  f.device.chip = "sm_90a";
  CHECK(f.run().ok());
}

TEST_CASE("what the device refuses names the kernel") {
  Fixture f;
  f.device.refusedEntry = "msa_topk_select";
  f.checkRefused("topk_select (msa_topk_select): bad image");
}

TEST_CASE("a trap ends the launch and names the phase") {
  Fixture f;
  f.device.failingLaunch = 2;
  Status status = f.run();
  CHECK(status.code() == StatusCode::CheckFailed);
  CHECK(status.message() == "topk_select: trap");
  CHECK(f.device.launches.size() == 2);
}

TEST_CASE("tensor maps are refused in a sentence") {
  Fixture f;
  f.program->kernels[0].args[0].type = ArgType::TensorMap;
  f.checkRefused("argument 'index_q' is a tensor map", StatusCode::Missing);
}

TEST_CASE("observers see each step and can end the launch") {
  Fixture f;
  std::vector<std::string> seen;
  f.observer.before = [&](const StepEvent &event) {
    seen.push_back("before " + event.kernel->phase + " " + std::to_string(event.slabBegin));
    return Status();
  };
  f.observer.after = [&](const StepEvent &event) {
    CHECK(event.seconds >= 0);
    seen.push_back("after " + event.kernel->phase + " " + std::to_string(event.slab));
    return seen.size() == 6 ? Status::checkFailed("enough") : Status();
  };
  Status status = f.run(512);
  CHECK(status.message() == "index_scores: enough");
  CHECK(seen == std::vector<std::string>{"before index_scores 0", "after index_scores 16",
                                         "before topk_select 0", "after topk_select 16",
                                         "before index_scores 16", "after index_scores 9"});
}

//===- SimDevice.h - the PTX simulator as a device ------------------------===//
//
// Runs an image's PTX (never its cubin) on the CPU. What the simulator finds
// wrong with a kernel comes back as StatusCode::CheckFailed with the trap's
// text; counters are kept for each kernel.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Device.h"
#include "ptxsim/Simulator.h"

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace msa {

struct SimDeviceOptions {
  std::string target = "sm_100a"; ///< images that run on this chip are taken
  /// Schedule, seed, checks, MMA mode, counters, host threads, instruction budget. `smCount` is set
  /// by the device.
  ptxsim::RunOptions run;
  int64_t smCount = 0; ///< 0 = that of the target's common part
};

class SimDevice : public Device {
public:
  std::string name() const override { return "sim"; }
  std::string target() const override { return options.target; }
  int64_t smCount() const override { return options.run.smCount; }

  Expected<DevicePtr> allocate(uint64_t bytes, Fill, const std::string &label) override;
  Status release(DevicePtr) override;
  Status upload(DevicePtr destination, std::span<const uint8_t> source) override;
  Status download(std::span<uint8_t> destination, DevicePtr source) override;

  /// Parses and decodes the PTX, once for all images of the same text.
  Expected<DeviceKernel *> load(const KernelImage &) override;
  Status launch(DeviceKernel *, const LaunchDims &, std::span<const uint8_t> parameters) override;
  Status synchronise() override { return {}; }

  /// What the last launch did; a launch that trapped has counted up to the trap.
  const ptxsim::Counters &lastCounters() const { return last; }
  /// Sums over all launches, by entry name.
  const std::map<std::string, ptxsim::Counters> &countersByKernel() const { return sums; }
  /// The trap of the last launch, or null when it ended well.
  const ptxsim::Trap *lastTrap() const { return trapped ? &trap : nullptr; }

private:
  friend Expected<std::unique_ptr<SimDevice>> makeSimDevice(const SimDeviceOptions &);
  explicit SimDevice(SimDeviceOptions o) : options(std::move(o)) {}
  Expected<std::shared_ptr<ptxsim::Executable>> executableOf(const KernelImage &);

  SimDeviceOptions options;
  ptxsim::GlobalMemory memory;
  std::unordered_map<std::string, std::shared_ptr<ptxsim::Executable>> executables; ///< by PTX text
  std::vector<std::unique_ptr<DeviceKernel>> kernels;
  ptxsim::Counters last;
  std::map<std::string, ptxsim::Counters> sums;
  ptxsim::Trap trap;
  bool trapped = false;
};

/// Fails for an unknown target.
Expected<std::unique_ptr<SimDevice>> makeSimDevice(const SimDeviceOptions & = {});

} // namespace msa

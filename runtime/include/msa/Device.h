//===- Device.h - where an image runs -------------------------------------===//
//
// One interface over the GPU driver and the PTX simulator, so that the
// generic launcher and its tests are written once.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Program.h"
#include "msa/Status.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace msa {

/// A device address. 0 is null.
using DevicePtr = uint64_t;

/// A loaded kernel; owned by its device, valid as long as the device. Each device derives its own.
class DeviceKernel {
public:
  virtual ~DeviceKernel() = default;
};

struct LaunchDims {
  std::array<uint32_t, 3> grid = {1, 1, 1}, block = {1, 1, 1};
  uint32_t dynamicSharedBytes = 0;
};

/// How a fresh allocation reads before it is written.
enum class Fill : uint8_t {
  Zero,
  Poison,        ///< 0x7FC0DEAD words
  Uninitialised, ///< on the simulator a read that matters is a trap
};

class Device {
public:
  virtual ~Device() = default;
  virtual std::string name() const = 0;
  /// The target whose images it takes, e.g. "sm_80"; compatibility is TargetTable's question.
  virtual std::string target() const = 0;
  virtual int64_t smCount() const = 0;

  /// Memory on a 256-byte boundary; `label` names it in diagnostics.
  virtual Expected<DevicePtr> allocate(uint64_t bytes, Fill fill, const std::string &label) = 0;
  virtual Status release(DevicePtr) = 0;
  virtual Status upload(DevicePtr destination, std::span<const uint8_t> source) = 0;
  virtual Status download(std::span<uint8_t> destination, DevicePtr source) = 0;

  /// Loads PTX or cubin; errors are located in the PTX where possible.
  virtual Expected<DeviceKernel *> load(const KernelImage &) = 0;
  /// `parameters` is the packed parameter block in the PTX ABI (each value naturally aligned).
  /// On the simulator it returns when the grid has ended; a trap is StatusCode::CheckFailed.
  virtual Status launch(DeviceKernel *, const LaunchDims &,
                        std::span<const uint8_t> parameters) = 0;
  virtual Status synchronise() = 0;
};

} // namespace msa

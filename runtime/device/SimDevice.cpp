//===- SimDevice.cpp - the PTX simulator as a device ----------------------===//
//
// See SimDevice.h.
//
//===----------------------------------------------------------------------===//
#include "device/SimDevice.h"

#include "plan/TargetTable.h"
#include "ptxsim/Parser.h"
#include "support/NearestWord.h"

#include <fmt/format.h>

namespace msa {
namespace {

struct SimKernel : DeviceKernel {
  std::shared_ptr<ptxsim::Executable> executable;
  std::string entry, phase;
};

ptxsim::Initial initialOf(Fill fill) {
  switch (fill) {
  case Fill::Zero:
    return ptxsim::Initial::Zero;
  case Fill::Poison:
    return ptxsim::Initial::Poison;
  case Fill::Uninitialised:
    break;
  }
  return ptxsim::Initial::Uninitialised;
}

std::string entryList(const ptxsim::Module &module) {
  std::string list;
  for (const ptxsim::Function &function : module.functions)
    if (function.entry)
      list += (list.empty() ? "" : ", ") + function.name;
  return list.empty() ? "none" : list;
}

} // namespace

Expected<std::unique_ptr<SimDevice>> makeSimDevice(const SimDeviceOptions &options) {
  const Target *target = findTarget(options.target);
  if (!target) {
    std::vector<std::string_view> names;
    for (const Target &t : targets())
      names.push_back(t.name);
    return Status::invalid("target " + quoteText(options.target) + " is not known" +
                           suggestion(options.target, names));
  }
  SimDeviceOptions own = options;
  if (own.smCount < 0 || own.smCount > 65535)
    return Status::invalid(
        fmt::format("{} SMs; legal: 1..65535, or 0 for {}", own.smCount, target->smCount));
  own.run.smCount = static_cast<uint32_t>(own.smCount == 0 ? target->smCount : own.smCount);
  return std::unique_ptr<SimDevice>(new SimDevice(std::move(own)));
}

Expected<DevicePtr> SimDevice::allocate(uint64_t bytes, Fill fill, const std::string &label) {
  // An empty tensor has an address too, as cudaMalloc's callers would give it.
  return memory.allocate(bytes == 0 ? 1 : bytes, initialOf(fill), label);
}

Status SimDevice::release(DevicePtr address) {
  return address == 0 ? Status() : memory.release(address);
}

Status SimDevice::upload(DevicePtr destination, std::span<const uint8_t> source) {
  return source.empty() ? Status() : memory.write(destination, source);
}

Status SimDevice::download(std::span<uint8_t> destination, DevicePtr source) {
  return destination.empty() ? Status() : memory.read(destination, source);
}

Expected<std::shared_ptr<ptxsim::Executable>> SimDevice::executableOf(const KernelImage &image) {
  if (auto found = executables.find(image.ptx); found != executables.end())
    return found->second;
  std::string name = image.phase + ".ptx";
  MSA_ASSIGN_OR_RETURN(ptxsim::Module module, ptxsim::parseModule(image.ptx, name));
  MSA_ASSIGN_OR_RETURN(
      std::shared_ptr<ptxsim::Executable> executable,
      ptxsim::Executable::create(std::make_shared<ptxsim::Module>(std::move(module)), name));
  executables.emplace(image.ptx, executable);
  return executable;
}

Expected<DeviceKernel *> SimDevice::load(const KernelImage &image) {
  const Target *made = findTarget(image.target), *here = findTarget(options.target);
  if (!made || !runsOn(*made, *here))
    return Status::missing(fmt::format("the image is for {} and the simulator runs as {}",
                                       image.target, options.target));
  if (image.ptx.empty())
    return Status::invalid("the image has no PTX, which the simulator runs");
  MSA_ASSIGN_OR_RETURN(std::shared_ptr<ptxsim::Executable> executable, executableOf(image));
  const ptxsim::Function *function = executable->module().findFunction(image.entry);
  if (!function || !function->entry || function->declaration)
    return Status::invalid(fmt::format("the PTX has no entry {}; its entries: {}",
                                       quoteText(image.entry), entryList(executable->module())));
  auto kernel = std::make_unique<SimKernel>();
  kernel->executable = std::move(executable);
  kernel->entry = image.entry;
  kernel->phase = image.phase;
  kernels.push_back(std::move(kernel));
  return kernels.back().get();
}

Status SimDevice::launch(DeviceKernel *handle, const LaunchDims &dims,
                         std::span<const uint8_t> parameters) {
  auto *kernel = dynamic_cast<SimKernel *>(handle);
  if (!kernel)
    return Status::internal("the kernel was not loaded by this device");
  ptxsim::LaunchConfig config{.grid = dims.grid,
                              .block = dims.block,
                              .dynamicSharedBytes = dims.dynamicSharedBytes,
                              .parameters = {parameters.begin(), parameters.end()}};
  trapped = false;
  last = {};
  MSA_ASSIGN_OR_RETURN(ptxsim::Executable::Result result,
                       kernel->executable->run(kernel->entry, config, memory, options.run));
  last = result.counters;
  sums[kernel->entry].add(last);
  if (!result.trapped)
    return {};
  trapped = true;
  trap = std::move(result.trap);
  return Status::checkFailed(trap.text());
}

} // namespace msa

//===- Launch.cpp - a launch specification with its files and memory -------===//
#include "Launch.h"

#include "support/Npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace msa::sim {
namespace {

/// Repeats a short pattern over an allocation, a block at a time.
Status fillPattern(ptxsim::GlobalMemory &memory, const PreparedLaunch::Allocation &to,
                   const std::vector<uint8_t> &pattern) {
  constexpr uint64_t blockBytes = 1 << 20; // a multiple of every pattern
  std::vector<uint8_t> block(std::min(to.bytes, blockBytes));
  for (size_t i = 0; i < block.size(); ++i)
    block[i] = pattern[i % pattern.size()];
  for (uint64_t at = 0; at < to.bytes; at += block.size()) {
    uint64_t count = std::min<uint64_t>(block.size(), to.bytes - at);
    MSA_RETURN_IF_ERROR(memory.write(to.address + at, std::span(block).first(count)));
  }
  return {};
}

Status checkSavedSize(const BufferSpec &buffer, uint64_t bytes) {
  if (!buffer.save || buffer.save->bytes <= bytes)
    return {};
  return Status::invalid(
      fmt::format("buffers.'{}'.save: shape [{}] of {} takes {} bytes, {} has {}", buffer.name,
                  fmt::join(buffer.save->shape, ", "), buffer.save->dtype, buffer.save->bytes,
                  buffer.file, bytes));
}

Expected<PreparedLaunch::Allocation> makeBuffer(const BufferSpec &buffer,
                                                const std::filesystem::path &folder,
                                                ptxsim::GlobalMemory &memory) {
  PreparedLaunch::Allocation made;
  if (buffer.file.empty()) {
    made.bytes = buffer.bytes;
    MSA_ASSIGN_OR_RETURN(made.address, memory.allocate(made.bytes, buffer.fill, buffer.name));
    if (!buffer.pattern.empty())
      MSA_RETURN_IF_ERROR(fillPattern(memory, made, buffer.pattern));
    return made;
  }
  MSA_ASSIGN_OR_RETURN(NpyArray array, readNpy(folder / buffer.file));
  made.bytes = array.data.size();
  MSA_RETURN_IF_ERROR(checkSavedSize(buffer, made.bytes));
  MSA_ASSIGN_OR_RETURN(made.address,
                       memory.allocate(made.bytes, ptxsim::Initial::Zero, buffer.name));
  if (made.bytes > 0)
    MSA_RETURN_IF_ERROR(memory.write(made.address, array.data));
  return made;
}

/// The address of a byte of a buffer; the offset is checked against the real size.
Expected<uint64_t> addressOf(const PreparedLaunch &launch, const std::string &buffer,
                             uint64_t offset, const std::string &path) {
  const PreparedLaunch::Allocation &allocation = launch.buffers.at(buffer);
  if (offset != 0 && offset >= allocation.bytes)
    return Status::invalid(fmt::format("{}: offset {} is outside of buffer '{}' of {} bytes", path,
                                       offset, buffer, allocation.bytes));
  return allocation.address + offset;
}

void putAddress(std::vector<uint8_t> &out, size_t at, uint64_t address) {
  for (size_t i = 0; i < 8; ++i)
    out[at + i] = static_cast<uint8_t>(address >> (8 * i));
}

/// The bytes of one parameter.
Expected<std::vector<uint8_t>> valueOf(const ParameterSpec &given, const PreparedLaunch &launch,
                                       const std::string &path) {
  std::vector<uint8_t> bytes = given.bytes;
  if (given.kind == ParameterSpec::Kind::TensorMap)
    bytes = launch.tensorMaps.at(given.tensorMap);
  if (given.kind == ParameterSpec::Kind::Buffer) {
    bytes.resize(8);
    MSA_ASSIGN_OR_RETURN(uint64_t address, addressOf(launch, given.buffer, given.offset, path));
    putAddress(bytes, 0, address);
  }
  for (size_t i = 0; i < given.patches.size(); ++i) {
    const PatchSpec &patch = given.patches[i];
    if (!patch.tensorMap.empty()) {
      const std::vector<uint8_t> &map = launch.tensorMaps.at(patch.tensorMap);
      std::copy(map.begin(), map.end(), bytes.begin() + static_cast<std::ptrdiff_t>(patch.at));
      continue;
    }
    MSA_ASSIGN_OR_RETURN(uint64_t address, addressOf(launch, patch.buffer, patch.offset,
                                                     fmt::format("{}.patch[{}]", path, i)));
    putAddress(bytes, patch.at, address);
  }
  return bytes;
}

/// Every parameter at its natural place (PTX ISA 5.1.6.1).
Status packParameters(const LaunchSpec &spec, const ptxsim::Function &kernel,
                      PreparedLaunch &launch) {
  std::vector<uint8_t> &block = launch.config.parameters;
  for (size_t i = 0; i < spec.parameters.size(); ++i) {
    MSA_ASSIGN_OR_RETURN(std::vector<uint8_t> value,
                         valueOf(spec.parameters[i], launch, fmt::format("params[{}]", i)));
    size_t align = kernel.parameters[i].align;
    block.resize((block.size() + align - 1) / align * align);
    block.insert(block.end(), value.begin(), value.end());
  }
  return {};
}

/// The simulator's encoding of each map (ptxsim/TensorMap.h).
Status encodeTensorMaps(const LaunchSpec &spec, PreparedLaunch &launch) {
  for (const TensorMapSpec &map : spec.tensorMaps) {
    const PreparedLaunch::Allocation &buffer = launch.buffers.at(map.buffer);
    if (map.extent > buffer.bytes)
      return Status::invalid(
          fmt::format("tensor_maps.'{}': the tensor ends at byte {} of buffer '{}', which has {}",
                      map.name, map.extent, map.buffer, buffer.bytes));
    ptxsim::TensorMap encoded = map.fields;
    encoded.address = buffer.address + map.offset;
    ptxsim::TensorMapBytes bytes = ptxsim::encodeTensorMap(encoded);
    launch.tensorMaps[map.name].assign(bytes.begin(), bytes.end());
  }
  return {};
}

Expected<PreparedLaunch> prepare(const LaunchSpec &spec, const std::filesystem::path &folder,
                                 const ptxsim::Function &kernel, ptxsim::GlobalMemory &memory) {
  PreparedLaunch launch;
  launch.config = spec.config;
  for (const BufferSpec &buffer : spec.buffers) {
    MSA_ASSIGN_OR_RETURN(PreparedLaunch::Allocation made, makeBuffer(buffer, folder, memory));
    launch.buffers.emplace(buffer.name, made);
  }
  MSA_RETURN_IF_ERROR(encodeTensorMaps(spec, launch));
  MSA_RETURN_IF_ERROR(packParameters(spec, kernel, launch));
  return launch;
}

} // namespace

Expected<PreparedLaunch> prepareLaunch(const LaunchSpec &spec, const std::filesystem::path &folder,
                                       const ptxsim::Function &kernel,
                                       ptxsim::GlobalMemory &memory) {
  Expected<PreparedLaunch> launch = prepare(spec, folder, kernel, memory);
  return launch.ok() ? std::move(launch) : launch.status().in(spec.name);
}

Expected<std::vector<std::filesystem::path>> saveOutputs(const LaunchSpec &spec,
                                                         const PreparedLaunch &launch,
                                                         const std::filesystem::path &folder,
                                                         const ptxsim::GlobalMemory &memory) {
  std::vector<std::filesystem::path> written;
  for (const BufferSpec &buffer : spec.buffers) {
    if (!buffer.save)
      continue;
    NpyArray array{buffer.save->dtype, buffer.save->shape, {}};
    array.data.resize(buffer.save->bytes);
    if (!array.data.empty())
      MSA_RETURN_IF_ERROR(memory.read(array.data, launch.buffers.at(buffer.name).address));
    std::filesystem::path path = folder / buffer.save->file;
    MSA_RETURN_IF_ERROR(writeNpy(path, array));
    written.push_back(std::move(path));
  }
  return written;
}

} // namespace msa::sim

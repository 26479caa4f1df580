//===- Launch.h - a launch specification with its files and memory ---------===//
//
// From a parsed specification to a launch: reads the .npy inputs, allocates and
// fills global memory, packs the parameter block; afterwards reads the outputs
// back and writes them. Sizes that only files tell are checked here.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "LaunchSpec.h"

#include <filesystem>
#include <map>

namespace msa::sim {

/// What a launch needs and a save uses.
struct PreparedLaunch {
  ptxsim::LaunchConfig config; ///< with parameters
  struct Allocation {
    uint64_t address = 0, bytes = 0;
  };
  std::map<std::string, Allocation> buffers;
  std::map<std::string, std::vector<uint8_t>> tensorMaps; ///< encoded, 128 bytes each
};

/// Allocates and fills. Paths are relative to `folder`. Call checkParameters() before.
Expected<PreparedLaunch> prepareLaunch(const LaunchSpec &, const std::filesystem::path &folder,
                                       const ptxsim::Function &, ptxsim::GlobalMemory &);

/// Writes every buffer that has `save`, relative to `folder`; returns the files written.
Expected<std::vector<std::filesystem::path>> saveOutputs(const LaunchSpec &, const PreparedLaunch &,
                                                         const std::filesystem::path &folder,
                                                         const ptxsim::GlobalMemory &);

} // namespace msa::sim

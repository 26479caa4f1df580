//===- Environment.h - the environment variables of the programs ----------===//
//
// The only place that reads the environment. Libraries get what they need as
// plain values. The table below is also what `--help` prints.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "compiler/Toolchain.h"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace msa::tools {

struct EnvironmentVariable {
  std::string_view name, meaning;
};

/// Every variable that a program of ours reads.
std::span<const EnvironmentVariable> environmentVariables();
/// The table as lines "  NAME  meaning", for --help.
std::string environmentHelp();

/// The folder of the running program, links resolved; empty when the system cannot tell.
std::filesystem::path programFolder();

/// Where NVRTC and the assemblers are looked for: $CUDA_HOME, the toolkit of the nvcc on $PATH,
/// cuda-wheels beside the program's bin/ (tools/fetch-cuda-wheels), and the build folder itself,
/// whose lib/ holds libmsa-nvptxcompiler.so. Nothing is opened.
ToolchainPaths toolchainRoots();
/// The toolkit among those (CUDA_HOME, else nvcc's), or an empty path.
std::filesystem::path cudaToolkit();

/// $MSA_CACHE_DIR, else $XDG_CACHE_HOME/msa, else $HOME/.cache/msa; nothing when none is set.
std::optional<std::filesystem::path> cacheFolder();

} // namespace msa::tools

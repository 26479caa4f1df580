//===- Environment.cpp - the environment variables of the programs --------===//
#include "Environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <system_error>
#include <unistd.h>

namespace fs = std::filesystem;

namespace msa::tools {
namespace {

enum Row : size_t { CudaHome, Path, CacheDir, XdgCacheHome, Home, rowCount };

constexpr std::array<EnvironmentVariable, rowCount> table = {{
    {.name = "CUDA_HOME", .meaning = "CUDA toolkit with NVRTC and an assembler, looked at first"},
    {.name = "PATH", .meaning = "an nvcc found here names the toolkit when CUDA_HOME is not set"},
    {.name = "MSA_CACHE_DIR", .meaning = "folder of compiled programs"},
    {.name = "XDG_CACHE_HOME", .meaning = "its msa/ is the cache when MSA_CACHE_DIR is not set"},
    {.name = "HOME", .meaning = "its .cache/msa/ is the cache when neither is set"},
}};

/// The variable's value; an empty one counts as not set.
std::optional<std::string> read(Row row) {
  const char *value = std::getenv(std::string(table[row].name).c_str());
  return value && *value ? std::optional<std::string>(value) : std::nullopt;
}

} // namespace

std::span<const EnvironmentVariable> environmentVariables() { return table; }

std::string environmentHelp() {
  size_t width = 0;
  for (const EnvironmentVariable &row : table)
    width = std::max(width, row.name.size());
  std::string lines;
  for (const EnvironmentVariable &row : table)
    lines += fmt::format("  {:<{}}  {}\n", row.name, width, row.meaning);
  return lines;
}

fs::path programFolder() {
  std::error_code error;
  fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path() : program.parent_path();
}

fs::path cudaToolkit() {
  if (auto home = read(CudaHome))
    return *home;
  std::string path = read(Path).value_or("");
  for (size_t begin = 0; begin < path.size();) {
    size_t end = std::min(path.find(':', begin), path.size());
    fs::path nvcc = fs::path(path.substr(begin, end - begin)) / "nvcc";
    std::error_code error;
    if (nvcc.is_absolute() && ::access(nvcc.c_str(), X_OK) == 0) {
      fs::path real = fs::canonical(nvcc, error);
      if (!error)
        return real.parent_path().parent_path();
    }
    begin = end + 1;
  }
  return {};
}

ToolchainPaths toolchainRoots() {
  ToolchainPaths paths;
  if (fs::path toolkit = cudaToolkit(); !toolkit.empty())
    paths.roots.push_back(toolkit);
  if (fs::path build = programFolder().parent_path(); !build.empty()) {
    paths.roots.push_back(build / "cuda-wheels");
    paths.roots.push_back(build);
  }
  return paths;
}

std::optional<fs::path> cacheFolder() {
  if (auto folder = read(CacheDir))
    return *folder;
  if (auto folder = read(XdgCacheHome))
    return fs::path(*folder) / "msa";
  if (auto folder = read(Home))
    return fs::path(*folder) / ".cache" / "msa";
  return std::nullopt;
}

} // namespace msa::tools

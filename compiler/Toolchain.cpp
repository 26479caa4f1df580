//===- Toolchain.cpp - where NVIDIA's compilers are looked for ------------===//
#include "compiler/Toolchain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <dlfcn.h>
#include <system_error>
#include <unistd.h>

namespace fs = std::filesystem;

namespace msa {
namespace {

constexpr std::array<std::string_view, 4> libraryPlaces = {"lib64", "lib", "nvidia/cu13/lib",
                                                           "targets/x86_64-linux/lib"};
constexpr std::array<std::string_view, 2> programPlaces = {"bin", "nvidia/cu13/bin"};

template <size_t N>
std::vector<fs::path> existingFolders(const ToolchainPaths &paths,
                                      const std::array<std::string_view, N> &places) {
  std::vector<fs::path> folders;
  for (const fs::path &root : paths.roots)
    for (std::string_view place : places) {
      std::error_code error;
      fs::path folder = root / place;
      if (!root.empty() && fs::is_directory(folder, error))
        folders.push_back(std::move(folder));
    }
  return folders;
}

/// The number after "<name>." in a file name ("libnvrtc.so.13" is 13, "libnvrtc.so.13.0.88" too);
/// -1 when `file` is no version of `name`.
int versionSuffix(std::string_view file, std::string_view name) {
  if (file.size() <= name.size() + 1 || !file.starts_with(name) || file[name.size()] != '.')
    return -1;
  std::string_view digits = file.substr(name.size() + 1);
  int version = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), version);
  return version;
}

} // namespace

std::vector<fs::path> libraryFolders(const ToolchainPaths &paths) {
  return existingFolders(paths, libraryPlaces);
}

std::vector<fs::path> programFolders(const ToolchainPaths &paths) {
  return existingFolders(paths, programPlaces);
}

std::optional<fs::path> findLibrary(const ToolchainPaths &paths, std::string_view name) {
  std::error_code error;
  for (const fs::path &folder : libraryFolders(paths)) {
    if (fs::exists(folder / name, error))
      return folder / name;
    int best = -1;
    fs::path found;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      std::string file = it->path().filename().string();
      int version = versionSuffix(file, name);
      // Of equal versions the shorter name: the SONAME that other libraries ask for.
      if (version > best ||
          (version == best && best >= 0 && file.size() < found.filename().string().size())) {
        best = version;
        found = it->path();
      }
    }
    if (best >= 0)
      return found;
  }
  return std::nullopt;
}

std::optional<fs::path> findProgram(const ToolchainPaths &paths, std::string_view name) {
  std::error_code error;
  for (const fs::path &folder : programFolders(paths)) {
    fs::path file = folder / name;
    if (fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0)
      return file;
  }
  return std::nullopt;
}

Status missingTool(std::string_view what, const ToolchainPaths &paths, std::string_view aptPackage,
                   std::string_view wheel) {
  std::string searched;
  for (const fs::path &root : paths.roots)
    if (!root.empty())
      searched += fmt::format("{}{}", searched.empty() ? "" : ", ", root.string());
  return Status::missing(
      fmt::format("{} not found (searched: {}); install CUDA {} and set CUDA_HOME: 'apt-get "
                  "install {}' from NVIDIA's Debian repository, or 'tools/fetch-cuda-wheels "
                  "<build folder>', which installs {}=={} from PyPI",
                  what, searched.empty() ? "no folders were given" : searched,
                  pinnedCudaVersion.substr(0, pinnedCudaVersion.rfind('.')), aptPackage, wheel,
                  pinnedCudaVersion));
}

Expected<SharedLibrary> SharedLibrary::open(const fs::path &path) {
  // RTLD_LAZY: these libraries are 100 MB and few of their functions are called.
  if (void *handle = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL))
    return SharedLibrary(handle, path);
  const char *why = ::dlerror();
  return Status::missing(fmt::format("cannot open {}: {}", path.string(), why ? why : "no reason"));
}

void *SharedLibrary::address(const char *name) const { return ::dlsym(handle, name); }

} // namespace msa

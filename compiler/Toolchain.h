//===- Toolchain.h - where NVIDIA's compilers are looked for --------------===//
//
// CUDA is never linked and never required: NVRTC and the assemblers are opened
// from folders that the program names. A root is a CUDA toolkit, a folder that
// pip installed NVIDIA's wheels into, or our own build or install folder (whose
// lib/ holds libmsa-nvptxcompiler.so). No environment variable is read here and
// nothing outside the roots is searched.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace msa {

/// Folders in order of preference. A root that does not exist is skipped.
struct ToolchainPaths {
  std::vector<std::filesystem::path> roots;
};

/// The release that the messages ask for and `tools/fetch-cuda-wheels` installs.
inline constexpr std::string_view pinnedCudaVersion = "13.0.88";

/// Folders that may hold shared libraries below a root: lib64, lib, targets/x86_64-linux/lib, and
/// those of the wheels (nvidia/cu13/lib); only existing ones.
std::vector<std::filesystem::path> libraryFolders(const ToolchainPaths &);
/// Folders that may hold programs below the roots: bin, nvidia/cu13/bin; only existing ones.
std::vector<std::filesystem::path> programFolders(const ToolchainPaths &);

/// The library of this name ("libnvrtc.so") in the first folder that has it: the plain name, else
/// the highest SONAME ("libnvrtc.so.13" before "libnvrtc.so.12"; wheels ship nothing else).
std::optional<std::filesystem::path> findLibrary(const ToolchainPaths &, std::string_view name);
/// An executable of this name in the first folder that has it.
std::optional<std::filesystem::path> findProgram(const ToolchainPaths &, std::string_view name);

/// StatusCode::Missing: "<what> not found", the folders searched, and what to install: the Debian
/// package of NVIDIA's repository, the pinned wheel, or tools/fetch-cuda-wheels.
Status missingTool(std::string_view what, const ToolchainPaths &, std::string_view aptPackage,
                   std::string_view wheel);

/// A shared library opened with dlopen; closed never, because CUDA libraries keep threads and
/// at-exit handlers. Copies share the handle.
class SharedLibrary {
public:
  /// Missing, with dlerror's text, when it cannot be opened.
  static Expected<SharedLibrary> open(const std::filesystem::path &);
  /// The function of this name, or null.
  template <typename Fn> Fn *find(const char *name) const {
    return reinterpret_cast<Fn *>(address(name));
  }
  const std::filesystem::path &path() const { return file; }

private:
  SharedLibrary(void *h, std::filesystem::path p) : handle(h), file(std::move(p)) {}
  void *address(const char *name) const;
  void *handle;
  std::filesystem::path file;
};

} // namespace msa

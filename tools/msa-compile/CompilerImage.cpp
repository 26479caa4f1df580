//===- CompilerImage.cpp - libmsa-compiler.so, opened on a miss -----------===//
#include "CompilerImage.h"

#include "compiler/Toolchain.h"

#include <fmt/format.h>

#include <chrono>

namespace fs = std::filesystem;

namespace msa::tools {

Expected<CompileResult> compileByImage(const fs::path &programFolder, const CompileRequest &request,
                                       double &openSeconds) {
  auto start = std::chrono::steady_clock::now();
  fs::path file = programFolder.parent_path() / "lib" / compilerLibraryName;
  std::error_code error;
  if (!fs::exists(file, error))
    return Status::missing(fmt::format("{} not found: this build has no compiler; build with "
                                       "LLVM/MLIR 22 (tools/quickstart installs it) and "
                                       "MSA_BUILD_COMPILER=ON",
                                       file.string()));
  MSA_ASSIGN_OR_RETURN(SharedLibrary library, SharedLibrary::open(file));
  CompilerEntry *entry = library.find<CompilerEntry>(compilerEntryName);
  if (!entry)
    return Status::internal(
        fmt::format("{} has no {}; it is not from this build", file.string(), compilerEntryName));
  openSeconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Expected<CompileResult> result = Status::internal("the compiler gave no result");
  entry(request, result);
  return result;
}

} // namespace msa::tools

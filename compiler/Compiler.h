//===- Compiler.h - the door between msa-compile and the compiler image ---===//
//
// `msa-compile` is a small program; a cache miss opens `libmsa-compiler.so`,
// one statically linked image of MLIR, LLVM and our passes, and calls the two
// functions below. Plain structs; no MLIR types.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Program.h"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace msa {

struct StageTime {
  std::string stage; ///< "parse", "select-schedule", "nvrtc index_scores", "assemble ..."
  double seconds;
};

struct CompileRequest {
  /// One of: plans (each with its target), or MLIR text.
  std::vector<Plan> plans;
  std::string mlirText, mlirName;
  std::string emit = "bundle";  ///< msa tile nvvm llvm ptx cubin bundle
  std::filesystem::path dumpTo; ///< numbered stage files; empty = none
  bool explain = false, timing = false;
  int jobs = 0;                   ///< 0 = one a core
  std::filesystem::path cudaHome; ///< where NVRTC and assemblers are looked for first; may be empty
  std::vector<std::filesystem::path> toolDirs; ///< further folders (wheels) with lib/ include/ bin/
  std::function<void(const std::string &)>
      progress; ///< one line for each started stage; may be empty
};

struct CompileResult {
  std::vector<Program> programs; ///< ptx, cubin, bundle
  std::string ir;                ///< msa, tile, nvvm, llvm: one module
  std::vector<std::string> explanation;
  std::vector<StageTime> times;
};

/// Compiles; the entry point of the compiler image is `extern "C" msaCompilerEntry`.
Expected<CompileResult> compile(const CompileRequest &);

/// The type of `msaCompilerEntry`, which replaces `result`. Both sides come from one build, so C++
/// types may cross; exceptions may not.
using CompilerEntry = void(const CompileRequest &request, Expected<CompileResult> &result);
inline constexpr const char *compilerEntryName = "msaCompilerEntry";
inline constexpr const char *compilerLibraryName =
    "libmsa-compiler.so"; ///< in ../lib of the programs

} // namespace msa

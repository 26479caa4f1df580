//===- CompilerImage.h - libmsa-compiler.so, opened on a miss -------------===//
#pragma once

#include "compiler/Compiler.h"

#include <filesystem>

namespace msa::tools {

/// Opens the compiler image beside the program (../lib) and compiles. Missing when this build has
/// none. The image stays open for the life of the process.
Expected<CompileResult> compileByImage(const std::filesystem::path &programFolder,
                                       const CompileRequest &, double &openSeconds);

} // namespace msa::tools

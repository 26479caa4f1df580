//===- Fingerprint.h - which compiler made it -----------------------------===//
//
// One string for everything from source to IR that changes what a plan compiles
// to: templates, kernel table, passes, tables, versions of libraries. The build
// generates its definition, so that the runtime can name it without running
// the compiler.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <string_view>

namespace msa {

/// Hex digits; equal fingerprints compile a plan to the same program.
std::string_view compilerFingerprint();

} // namespace msa

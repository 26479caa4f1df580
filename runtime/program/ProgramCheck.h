//===- ProgramCheck.h - what every program's tables must hold -------------===//
//
// A program is data, and a bundle's data may come from a stranger. Whoever
// passes this check can be walked by the launcher without further questions.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Program.h"
#include "msa/Status.h"

#include <string_view>

namespace msa {

/// Bytes of one element of an ArgSpec or WorkspaceSlice ("bf16" 2, "e2m1x2" 1, ...), or 0 when the
/// word is unknown.
int elementBytes(std::string_view element);

/// Expressions parse, indices are in range, blocks are launchable, workspace arguments have a
/// slice, names are unique. The message names the kernel and the argument.
Status checkProgram(const Program &);

} // namespace msa

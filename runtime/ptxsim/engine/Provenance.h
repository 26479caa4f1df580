//===- Provenance.h - which parameters a kernel writes through -------------------------------===//
//
// The race check between CTAs costs time and memory for every access to a buffer
// that it watches, and only buffers that the grid writes can race. Which
// those are has to be known before the grid starts, so that the answer does not
// depend on timing: a flow-insensitive walk from `ld.param` to the addresses of
// stores. It may name too many parameters, never too few.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Module.h"

#include <cstdint>
#include <vector>

namespace msa::ptxsim {

/// Bit i: the 8-byte word i of the parameter block may be (part of) an address that is written.
using ParameterSet = uint64_t;
/// An address that came out of memory, or from a parameter beyond the 61st word: anything.
inline constexpr ParameterSet anyBuffer = 1ull << 63;
/// A variable of the module.
inline constexpr ParameterSet moduleVariable = 1ull << 62;
inline constexpr unsigned trackedWords = 62;

/// `functions`: the entry first, then all that it calls.
ParameterSet writtenParameters(const Module &, const std::vector<const Function *> &functions);

} // namespace msa::ptxsim

//===- SampleProgram.h - a small program with one of everything -----------===//
#pragma once

#include "msa/Program.h"

namespace msa::test {

/// Two kernels in a slabbed group and one behind a guard: every argument type that a launch takes,
/// two workspace tensors, a cubin that two kernels share. `plan.target` is sm_80.
Program sampleProgram();

} // namespace msa::test

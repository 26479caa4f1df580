//===- Commands.h - what msa-sim does --------------------------------------===//
#pragma once

#include "Options.h"

namespace msa::sim {

/// Each prints its result on standard output, all else on standard error, and returns the exit
/// code. A Status is a failure that the caller reports.
Expected<int> runCommand(const Options &);
Expected<int> lintCommand(const Options &);
Expected<int> coverageCommand(const Options &);

} // namespace msa::sim

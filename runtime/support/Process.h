//===- Process.h - runs a program and waits for it ------------------------===//
//
// The runtime starts msa-compile, and the compiler may start ptxas. A child
// gets an argument vector (no shell), nothing on standard input, and none of
// our open files. Assumes POSIX.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace msa {

struct ProcessOptions {
  bool captureOutput = true; ///< else the child writes to our standard output
  bool captureErrors = true; ///< else the child writes to our standard error
  /// More captured bytes than this are an error, and the child is killed.
  uint64_t outputLimit = uint64_t(256) << 20;
};

struct ProcessResult {
  int exitCode = 0;   ///< when signal is 0
  int signal = 0;     ///< the signal that ended the child, or 0
  std::string output; ///< standard output, when captured
  std::string errors; ///< standard error, when captured
  bool ok() const { return exitCode == 0 && signal == 0; }
};

/// Runs `arguments[0]` (looked up in the search path when it has no slash) to its end. What the
/// child answers is the result; Missing when the program is not there, Internal when the system
/// refuses.
Expected<ProcessResult> runProcess(const std::vector<std::string> &arguments,
                                   const ProcessOptions &options = {});

} // namespace msa

//===- Options.h - msa-sim's command line ----------------------------------===//
#pragma once

#include "msa/Status.h"
#include "ptxsim/Simulator.h"

#include <optional>
#include <string>

namespace msa::sim {

struct Options {
  enum class Command : uint8_t { Run, Lint, Coverage };
  Command command = Command::Run;
  bool quiet = false, json = false;
  std::string ptxFile;    ///< run, lint
  std::string launchFile; ///< run
  std::string saveFolder; ///< run; empty: beside the launch file
  ptxsim::RunOptions run;
  std::string target; ///< coverage; empty: all
};

/// What the command line asks for: options, or a text to print and an exit code (help, version,
/// bad usage).
struct ParsedLine {
  std::optional<Options> options;
  std::string text;
  int exitCode = 0;
};

/// Never throws. `text` of bad usage goes to standard error.
ParsedLine parseCommandLine(int argc, const char *const *argv);

} // namespace msa::sim

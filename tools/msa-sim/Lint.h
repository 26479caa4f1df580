//===- Lint.h - what PTX text alone shows ----------------------------------===//
//
// Mistakes that need no run: what ptxas would refuse or silently ignore, and
// what a launch could never do. Each finding names the rule.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Module.h"

#include <string>
#include <vector>

namespace msa::sim {

struct Finding {
  bool error = true; ///< false: a warning, which does not fail
  std::string rule;  ///< "maxnreg", "barrier", ...
  std::string message;
  ptxsim::SourceLocation location;
};

/// Every finding, in the order of the text.
std::vector<Finding> lintModule(const ptxsim::Module &);

} // namespace msa::sim

//===- Lint.h - what PTX text alone shows ----------------------------------===//
//
// Mistakes that need no run: what ptxas would refuse or silently ignore, and
// what a launch could never do. Each finding names the rule.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Module.h"

#include <string>
#include <string_view>
#include <vector>

namespace msa::sim {

class LintFlow;

/// An error is wrong in every run that gets there; a warning is wrong unless something that the
/// text does not show makes it right; a note explains what the simulator will or will not check.
enum class Severity : uint8_t { Error, Warning, Note };
std::string_view toString(Severity);

struct Finding {
  Severity severity = Severity::Error;
  std::string rule; ///< "maxnreg", "barrier", ...
  std::string message;
  ptxsim::SourceLocation location;
};

/// Where rules put what they find.
class Findings {
public:
  void add(Severity severity, std::string_view rule, ptxsim::SourceLocation at,
           std::string message) {
    list.push_back({severity, std::string(rule), std::move(message), at});
  }
  std::vector<Finding> list;
};

/// Every finding, in the order of the text. Only errors fail.
std::vector<Finding> lintModule(const ptxsim::Module &);

// ---- groups of rules, each in a file of its own -------------------------------------------------
/// Target, PTX version and architecture-specific features of every instruction (LintTarget.cpp).
void lintTargets(const ptxsim::Module &, Findings &);
/// False for instructions of other architectures: `name` as in the opcode table ("wgmma"),
/// `target` "sm_100a".
bool existsOn(std::string_view name, std::string_view target);
/// Tensor memory and tcgen05 (LintTensor.cpp).
void lintTensor(const ptxsim::Function &, const LintFlow &, Findings &);
/// Fences and waits of asynchronous units (LintAsync.cpp).
void lintAsync(const ptxsim::Function &, const LintFlow &, Findings &);

} // namespace msa::sim

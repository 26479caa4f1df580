//===- Runner.h - one case from programs to checked outputs ---------------===//
#pragma once

#include "Session.h"

#include <optional>
#include <string>
#include <vector>

namespace msa::run {

/// How to run and check.
struct RunSettings {
  uint64_t workspaceCap = defaultWorkspaceCap;
  bool check = false, counters = false;
  /// Sets the cap so that the call takes about three slabs, when the program can be slabbed.
  bool severalSlabs = false;
  Session::ProgressFn progress = [](const std::string &) {};
};

/// All that a run found out, for tables and JSON.
struct RunReport {
  SessionResult session;
  std::vector<verify::CheckResult> checks; ///< in the order of phases
  double checkSeconds = 0;
  /// Ok; CheckFailed with the trap's, contract error's or first wrong element's text; or why it
  /// could not run.
  Status status;
};

/// Runs `phases` of the programs on the case and checks each. The case has its inputs; outputs are
/// added to it.
RunReport runCase(const ProgramSet &, verify::Case &, const std::vector<Op> &phases,
                  const RunSettings &);

/// The checks of phases that ran: each phase on its own inputs, and o and lse of a pipeline
/// besides.
Expected<std::vector<verify::CheckResult>> checkRun(const verify::Case &,
                                                    const std::vector<Op> &phases,
                                                    const SessionResult &,
                                                    const Session::ProgressFn &progress);

} // namespace msa::run

//===- Campaign.h - all mutants of some cases -------------------------------===//
//
// Runs the clean kernel under every schedule, then every mutant until one
// schedule catches it. A mutant's outputs are compared with those of the clean
// run under the same schedule, bit for bit: a clean run is deterministic.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Mutants.h"
#include "Trial.h"

#include <functional>
#include <map>
#include <set>

namespace msa::mutation {

struct CampaignOptions {
  std::vector<Schedule> schedules;
  std::set<std::string> kinds; ///< empty = all
  size_t limit = 0;            ///< mutants of a case, spread evenly; 0 = all
  size_t perKind = 0;          ///< mutants of a kind in a case, spread evenly; 0 = all
  unsigned jobs = 2;
  unsigned seconds = 60; ///< of a run
  bool quiet = false;
};

/// Unreached: the launch never executes the instruction; such a mutant says nothing.
enum class Verdict : uint8_t { Trapped, WrongOutput, Refused, Unreached, Survived, Hung, Crashed };

struct Result {
  std::string kernel;
  Mutant mutant;
  Verdict verdict = Verdict::Survived;
  std::string by;       ///< a trap's id, "output", a signal
  std::string schedule; ///< that caught it
  std::string message;
  double seconds = 0; ///< all runs together
};

struct CampaignResult {
  std::vector<Result> results;
  std::map<std::string, std::string> skipped; ///< case: why
};

Expected<CampaignResult> runCampaign(const std::vector<Case> &, const CampaignOptions &);

} // namespace msa::mutation

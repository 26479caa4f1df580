//===- Report.h - what a campaign found --------------------------------------===//
//
// The table by kind, the survivors, and the list of those that are known.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Campaign.h"

#include <filesystem>
#include <string>
#include <vector>

namespace msa::mutation {

/// A line of the survivors file: `kernel line kind reason`, where line may be `*`. A reason that
/// begins with "equivalent" says that the mutant is no mistake.
struct KnownSurvivor {
  std::string kernel, line, kind, reason;
};
Expected<std::vector<KnownSurvivor>> readSurvivors(const std::filesystem::path &);

struct Summary {
  size_t mutants = 0; ///< that decode, and that the launch reaches
  size_t caught = 0, refused = 0, unreached = 0, survived = 0;
  size_t equivalent = 0;                                  ///< of the survivors
  std::vector<const Result *> unlisted, listed, findings; ///< findings: hangs and crashes
  double share() const;                                   ///< caught, of `mutants`
  double shareOfMistakes() const;                         ///< of those that are not equivalent
};
Summary summarise(const CampaignResult &, const std::vector<KnownSurvivor> &);

std::string toTable(const CampaignResult &, const Summary &);
std::string toJson(const CampaignResult &, const Summary &);

} // namespace msa::mutation

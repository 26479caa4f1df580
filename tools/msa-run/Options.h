//===- Options.h - msa-run's command line ---------------------------------===//
#pragma once

#include "msa/Plan.h"
#include "msa/Status.h"

#include "program/Launcher.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace msa::run {

/// What the command line asks for, split and checked as far as words go.
struct Options {
  // Where the program comes from.
  std::filesystem::path bundle, planFile;
  std::string preset;
  std::vector<std::pair<std::string, std::string>> settings; ///< --set, --route, --op
  std::string target; ///< empty = the plan's, or the bundle's best
  std::optional<Op> op;
  std::optional<Route> route;

  // Where the lengths and inputs come from.
  std::filesystem::path workload, load;
  std::string caseId;
  std::optional<int64_t> scale;
  std::optional<std::pair<int64_t, int64_t>> fit;
  std::vector<int64_t> queryLens, kvLens;
  uint64_t seed = 1;

  // What to do.
  std::string device = "sim";
  std::vector<Op> phases; ///< empty = all
  uint64_t workspaceCap = defaultWorkspaceCap;
  bool check = false, counters = false, quiet = false, json = false;
  std::filesystem::path save;
};

/// Options, or text that answers the command line (help, version).
struct ParsedOptions {
  Options options;
  std::optional<std::string> text;
};
Expected<ParsedOptions> parseOptions(std::vector<std::string> arguments);

} // namespace msa::run

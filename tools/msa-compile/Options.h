//===- Options.h - msa-compile's command line -----------------------------===//
#pragma once

#include "msa/Plan.h"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace msa::tools {

/// The command line, checked for shape but not for meaning.
struct Options {
  std::string preset;
  std::filesystem::path planFile, inputFile;
  std::vector<std::pair<std::string, std::string>> settings; ///< --set, --route, in order
  std::vector<std::string> targets, ops;
  std::string emit = "bundle";
  std::filesystem::path output; ///< empty: standard output
  std::filesystem::path dumpTo;
  bool explain = false, timing = false, listPresets = false, printPlan = false;
  bool noCache = false, quiet = false, json = false;
  int jobs = 0;
};

/// What to do after parsing: go on, or print `text` on standard output and end well.
struct ParsedOptions {
  Options options;
  std::optional<std::string> text; ///< --help, --version
};

/// Parses the arguments after the program's name. InvalidInput says which one, why, and suggests.
Expected<ParsedOptions> parseOptions(std::vector<std::string> arguments);

/// One plan for each op and target asked for, settings applied and checked.
Expected<std::vector<Plan>> plansFrom(const Options &);

/// Whether --emit's form is kernel images or a bundle, and not IR.
bool emitsImages(const std::string &emit);

} // namespace msa::tools

//===- Report.h - what msa-compile says when it is done -------------------===//
#pragma once

#include "compiler/Compiler.h"

#include "Options.h"

#include <string>
#include <vector>

namespace msa::tools {

/// All that a run found out, for the tables and for --json.
struct Outcome {
  Status status;
  std::vector<Program> programs;
  std::vector<bool> fromCache; ///< for each program
  std::string ir;              ///< when IR was emitted to standard output
  std::vector<std::string> explanation;
  std::vector<StageTime> times; ///< in order; stages may overlap, so they need not add up
  double seconds = 0;           ///< the whole process, from main
};

/// Tables for people: images with their resources, then what --explain and --timing ask for.
std::string reportText(const Options &, const Outcome &);
/// One JSON document, newline at the end; also describes failures.
std::string reportJson(const Options &, const Outcome &);
/// The preset list as a table or as JSON.
std::string presetsText();
std::string presetsJson();

} // namespace msa::tools

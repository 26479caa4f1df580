//===- Report.h - what msa-run says when it is done -----------------------===//
#pragma once

#include "Runner.h"

#include <string>

namespace msa::run {

/// What a report is about.
struct ReportContext {
  const ProgramSet *programs = nullptr; ///< null when there was no run
  const verify::Case *input = nullptr;
  bool counters = false, checked = false;
  double seconds = 0; ///< the whole process
};

/// The table of phases, and the counters when asked for.
std::string reportText(const RunReport &, const ReportContext &);
/// One JSON document, newline at the end; also describes failures.
std::string reportJson(const RunReport &, const ReportContext &);

} // namespace msa::run

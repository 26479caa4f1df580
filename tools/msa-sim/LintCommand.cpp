//===- LintCommand.cpp - msa-sim lint --------------------------------------===//
#include "Commands.h"
#include "Lint.h"

#include "ptxsim/Parser.h"
#include "support/File.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using nlohmann::ordered_json;

namespace msa::sim {

Expected<int> lintCommand(const Options &options) {
  MSA_ASSIGN_OR_RETURN(std::string text, readTextFile(options.ptxFile));
  MSA_ASSIGN_OR_RETURN(ptxsim::Module parsed, ptxsim::parseModule(text, options.ptxFile));
  auto module = std::make_shared<const ptxsim::Module>(std::move(parsed));
  std::vector<Finding> findings = lintModule(*module);
  auto count = [&](Severity severity) {
    return std::count_if(findings.begin(), findings.end(),
                         [&](const Finding &finding) { return finding.severity == severity; });
  };
  const auto errors = count(Severity::Error), warnings = count(Severity::Warning);
  // Decoding finds instructions that do not exist (X9) or cannot be run yet.
  Status decoded = ptxsim::Executable::create(module, options.ptxFile).status();

  ordered_json rows = ordered_json::array();
  for (const Finding &finding : findings) {
    std::string_view kind = toString(finding.severity);
    if (options.json)
      rows.push_back({{"kind", kind},
                      {"rule", finding.rule},
                      {"line", finding.location.line},
                      {"column", finding.location.column},
                      {"message", finding.message}});
    else if (finding.severity == Severity::Error || !options.quiet)
      fmt::print("{}:{}:{}: {} [{}]: {}\n", options.ptxFile, finding.location.line,
                 finding.location.column, kind, finding.rule, finding.message);
  }
  if (options.json)
    fmt::print("{}\n", ordered_json{{"findings", rows},
                                    {"errors", errors},
                                    {"warnings", warnings},
                                    {"decoded", decoded.ok()}}
                           .dump(2, ' ', true, ordered_json::error_handler_t::replace));
  if (!decoded.ok())
    return decoded;
  if (!options.json && !options.quiet)
    fmt::print("{}: {} error{}, {} warning{}\n", options.ptxFile, errors, errors == 1 ? "" : "s",
               warnings, warnings == 1 ? "" : "s");
  return errors ? 1 : 0;
}

} // namespace msa::sim

//===- CoverageCommand.cpp - msa-sim coverage ------------------------------===//
#include "Commands.h"

#include "ptxsim/OpcodeTable.h"
#include "support/NearestWord.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>

using nlohmann::ordered_json;

namespace msa::sim {
namespace {

/// "sm_90a" is 90.
Expected<uint32_t> smVersionOf(std::string_view target) {
  uint32_t version = 0;
  std::string_view digits = target.starts_with("sm_") ? target.substr(3) : "";
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  std::string_view rest(end, digits.data() + digits.size() - end);
  if (digits.empty() || problem != std::errc() || (!rest.empty() && rest != "a" && rest != "f"))
    return Status::invalid(fmt::format(
        "--target {}: not a target; accepted: sm_75, sm_80, sm_90a, sm_100a and the like",
        quoteText(target)));
  return version;
}

} // namespace

Expected<int> coverageCommand(const Options &options) {
  uint32_t newest = ~0u;
  if (!options.target.empty()) {
    MSA_ASSIGN_OR_RETURN(newest, smVersionOf(options.target));
  }
  ordered_json rows = ordered_json::array();
  size_t executable = 0, listed = 0;
  if (!options.json && !options.quiet)
    fmt::print("{:<34} {:<28} {:<12} {:>5} {:>6}  {}\n", "instruction", "family", "PTX ISA", "PTX",
               "sm", "runs");
  for (const ptxsim::OpcodeInfo &row : ptxsim::opcodeTable()) {
    if (row.smVersion > newest)
      continue;
    ++listed;
    executable += row.executable;
    if (options.json)
      rows.push_back({{"name", row.name},
                      {"family", row.family},
                      {"section", row.section},
                      {"ptx", row.ptxVersion},
                      {"sm", row.smVersion},
                      {"executable", row.executable}});
    else
      fmt::print("{:<34} {:<28} {:<12} {:>3}.{} {:>6}  {}\n", row.name, row.family, row.section,
                 row.ptxVersion / 10, row.ptxVersion % 10, row.smVersion,
                 row.executable ? "yes" : "not yet");
  }
  if (options.json)
    fmt::print("{}\n", ordered_json{{"instructions", rows}, {"executable", executable}}.dump(2));
  else if (!options.quiet)
    fmt::print("{} of {} run\n", executable, listed);
  return 0;
}

} // namespace msa::sim

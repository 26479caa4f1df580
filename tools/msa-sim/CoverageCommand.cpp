//===- CoverageCommand.cpp - msa-sim coverage ------------------------------===//
#include "Commands.h"
#include "Lint.h"

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

/// Forms of instructions that run otherwise, and which are refused by name, with line and column.
struct Refused {
  std::string_view form, instructions;
};
constexpr Refused refused[] = {
    {".sp (2:4 sparsity)", "mma, wgmma.mma_async, tcgen05.mma"},
    {".ws", "tcgen05.mma"},
    {"K = 96", "tcgen05.mma, kinds mxf4 and mxf4nvf4 (sm_103a)"},
    {"im2col modes", "cp.async.bulk.tensor and its prefetch, reduce and store"},
    {"tile::scatter4", "cp.async.bulk.tensor"},
    {".rs (stochastic rounding)", "cvt"},
};

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
    if (row.smVersion > newest || (!options.target.empty() && !existsOn(row.name, options.target)))
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
  if (options.json) {
    ordered_json forms = ordered_json::array();
    for (const Refused &row : refused)
      forms.push_back({{"form", row.form}, {"instructions", row.instructions}});
    fmt::print("{}\n", ordered_json{{"target", options.target},
                                    {"instructions", rows},
                                    {"executable", executable},
                                    {"refused_forms", forms}}
                           .dump(2));
  } else if (!options.quiet) {
    fmt::print("{} of {} run\n\nrefused by name, with line and column:\n", executable, listed);
    for (const Refused &row : refused)
      fmt::print("  {:<26} {}\n", row.form, row.instructions);
  }
  return 0;
}

} // namespace msa::sim

//===- Report.cpp - what a campaign found -------------------------------------===//
#include "Report.h"

#include "support/File.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace msa::mutation {
namespace {

const char *toString(Verdict verdict) {
  switch (verdict) {
  case Verdict::Trapped:
    return "trapped";
  case Verdict::WrongOutput:
    return "wrong-output";
  case Verdict::Refused:
    return "refused";
  case Verdict::Unreached:
    return "unreached";
  case Verdict::Survived:
    return "survived";
  case Verdict::Hung:
    return "hung";
  case Verdict::Crashed:
    return "crashed";
  }
  return "";
}

struct Row {
  size_t mutants = 0, caught = 0, refused = 0, unreached = 0, survived = 0;
  std::map<std::string, size_t> by;
};

std::string listOf(const std::map<std::string, size_t> &by) {
  std::vector<std::pair<size_t, std::string>> sorted;
  for (const auto &[id, count] : by)
    sorted.emplace_back(count, id);
  std::sort(sorted.rbegin(), sorted.rend());
  std::string text;
  for (const auto &[count, id] : sorted)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", id, count);
  return text;
}

std::string placeOf(const Result &result) {
  return fmt::format("{}:{} {} `{}`", result.kernel, result.mutant.line, result.mutant.kind,
                     result.mutant.instruction);
}

const KnownSurvivor *findKnown(const std::vector<KnownSurvivor> &known, const Result &result) {
  for (const KnownSurvivor &one : known)
    if (one.kernel == result.kernel && one.kind == result.mutant.kind &&
        (one.line == "*" || one.line == std::to_string(result.mutant.line)))
      return &one;
  return nullptr;
}

} // namespace

Expected<std::vector<KnownSurvivor>> readSurvivors(const std::filesystem::path &path) {
  MSA_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  std::vector<KnownSurvivor> known;
  std::istringstream lines(text);
  std::string line;
  for (size_t number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line[0] == '#')
      continue;
    KnownSurvivor one;
    std::istringstream words(line);
    words >> one.kernel >> one.line >> one.kind;
    std::getline(words >> std::ws, one.reason);
    if (one.reason.empty() ||
        (one.line != "*" && one.line.find_first_not_of("0123456789") != std::string::npos))
      return Status::invalid(fmt::format("{}:{}: '{}'; accepted: kernel, line or *, kind, reason",
                                         path.string(), number, line));
    known.push_back(std::move(one));
  }
  return known;
}

double Summary::share() const {
  return mutants ? static_cast<double>(caught) / static_cast<double>(mutants) : 1;
}

double Summary::shareOfMistakes() const {
  size_t mistakes = mutants - equivalent;
  return mistakes ? static_cast<double>(caught) / static_cast<double>(mistakes) : 1;
}

Summary summarise(const CampaignResult &campaign, const std::vector<KnownSurvivor> &known) {
  Summary summary;
  for (const Result &result : campaign.results) {
    if (result.verdict == Verdict::Refused) {
      ++summary.refused;
      continue;
    }
    if (result.verdict == Verdict::Unreached) {
      ++summary.unreached;
      continue;
    }
    ++summary.mutants;
    if (result.verdict == Verdict::Hung || result.verdict == Verdict::Crashed)
      summary.findings.push_back(&result);
    if (result.verdict == Verdict::Trapped || result.verdict == Verdict::WrongOutput)
      ++summary.caught;
    if (result.verdict != Verdict::Survived)
      continue;
    ++summary.survived;
    const KnownSurvivor *listed = findKnown(known, result);
    (listed ? summary.listed : summary.unlisted).push_back(&result);
    if (listed && listed->reason.starts_with("equivalent"))
      ++summary.equivalent;
  }
  return summary;
}

std::string toTable(const CampaignResult &campaign, const Summary &summary) {
  std::map<std::string, Row> rows;
  for (const Result &result : campaign.results) {
    Row &row = rows[result.mutant.kind];
    if (result.verdict == Verdict::Refused) {
      ++row.refused;
      continue;
    }
    if (result.verdict == Verdict::Unreached) {
      ++row.unreached;
      continue;
    }
    ++row.mutants;
    if (result.verdict == Verdict::Survived) {
      ++row.survived;
      continue;
    }
    row.caught += result.verdict == Verdict::Trapped || result.verdict == Verdict::WrongOutput;
    ++row.by[result.by];
  }
  std::string text = fmt::format("{:<18} {:>7} {:>7} {:>8} {:>7} {:>9}  {}\n", "kind", "mutants",
                                 "caught", "survived", "refused", "unreached", "by");
  for (const auto &[kind, row] : rows)
    text += fmt::format("{:<18} {:>7} {:>7} {:>8} {:>7} {:>9}  {}\n", kind, row.mutants, row.caught,
                        row.survived, row.refused, row.unreached, listOf(row.by));
  text += fmt::format(
      "{:<18} {:>7} {:>7} {:>8} {:>7} {:>9}  {:.2f} % caught, {:.2f} % of those that are "
      "not known to be equivalent\n",
      "all", summary.mutants, summary.caught, summary.survived, summary.refused, summary.unreached,
      100 * summary.share(), 100 * summary.shareOfMistakes());
  for (const auto &[name, reason] : campaign.skipped)
    text += fmt::format("skipped {}: {}\n", name, reason.substr(0, reason.find('\n')));
  for (const Result *result : summary.findings)
    text += fmt::format("FINDING {} {} under {}\n", placeOf(*result), result->by, result->schedule);
  for (const Result *result : summary.unlisted)
    text += fmt::format("survivor {}\n", placeOf(*result));
  return text;
}

std::string toJson(const CampaignResult &campaign, const Summary &summary) {
  nlohmann::ordered_json out = {{"mutants", summary.mutants},   {"caught", summary.caught},
                                {"survived", summary.survived}, {"equivalent", summary.equivalent},
                                {"refused", summary.refused},   {"unreached", summary.unreached},
                                {"share", summary.share()},     {"skipped", campaign.skipped}};
  out["results"] = nlohmann::ordered_json::array();
  for (const Result &result : campaign.results)
    out["results"].push_back({{"kernel", result.kernel},
                              {"line", result.mutant.line},
                              {"kind", result.mutant.kind},
                              {"instruction", result.mutant.instruction},
                              {"verdict", toString(result.verdict)},
                              {"by", result.by},
                              {"schedule", result.schedule},
                              {"message", result.message},
                              {"seconds", result.seconds}});
  return out.dump(1, ' ', true, nlohmann::json::error_handler_t::replace);
}

} // namespace msa::mutation

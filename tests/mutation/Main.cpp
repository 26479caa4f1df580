//===- Main.cpp - msa-mutate: are the simulator's checks worth something? ----===//
//
// Breaks kernels that are right, one synchronisation at a time, and counts
// what the simulator notices. Exit codes: 0; 1 = a survivor that nobody has
// explained, a crash, or too small a share; 2 = a wrong argument.
//
//===----------------------------------------------------------------------===//
#include "Report.h"

#include "support/File.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <exception>

using namespace msa;
using namespace msa::mutation;

namespace {

struct Options {
  std::vector<std::string> folders, kernels, kinds;
  std::string ptxRoot, schedules = "eager,lazy,random:1,random:2,random:3,random:4", survivors;
  double least = 0;
  bool json = false, list = false;
  CampaignOptions campaign;
};

/// kernel.ptx of the case directory, or of the same name under --ptx.
Expected<Case> readCase(const std::string &folder, const std::string &ptxRoot) {
  Case one;
  one.folder = folder;
  one.name = std::filesystem::weakly_canonical(one.folder).filename().string();
  std::filesystem::path ptx = one.folder / "kernel.ptx";
  std::error_code problem;
  if (!ptxRoot.empty() && !std::filesystem::exists(ptx, problem))
    ptx = std::filesystem::path(ptxRoot) / one.name / "kernel.ptx";
  MSA_ASSIGN_OR_RETURN(one.text, readTextFile(ptx));
  return one;
}

Expected<std::vector<Case>> readCases(const Options &options) {
  std::vector<Case> cases;
  for (const std::string &folder : options.folders) {
    MSA_ASSIGN_OR_RETURN(Case one, readCase(folder, options.ptxRoot));
    if (options.kernels.empty() || std::find(options.kernels.begin(), options.kernels.end(),
                                             one.name) != options.kernels.end())
      cases.push_back(std::move(one));
  }
  return cases;
}

Expected<int> listMutants(const std::vector<Case> &cases) {
  for (const Case &one : cases) {
    MSA_ASSIGN_OR_RETURN(std::vector<Mutant> mutants, mutantsOf(one.text, one.name));
    for (const Mutant &mutant : mutants)
      fmt::print("{}:{} {} `{}`\n", one.name, mutant.line, mutant.kind, mutant.instruction);
  }
  return 0;
}

Expected<int> run(Options &options) {
  MSA_ASSIGN_OR_RETURN(std::vector<Case> cases, readCases(options));
  if (options.list)
    return listMutants(cases);
  for (const std::string &word : CLI::detail::split(options.schedules, ',')) {
    MSA_ASSIGN_OR_RETURN(Schedule schedule, parseSchedule(word));
    options.campaign.schedules.push_back(std::move(schedule));
  }
  options.campaign.kinds.insert(options.kinds.begin(), options.kinds.end());
  std::vector<KnownSurvivor> known;
  if (!options.survivors.empty()) {
    MSA_ASSIGN_OR_RETURN(known, readSurvivors(options.survivors));
  }
  MSA_ASSIGN_OR_RETURN(CampaignResult result, runCampaign(cases, options.campaign));
  Summary summary = summarise(result, known);
  fmt::print("{}", options.json ? toJson(result, summary) + "\n" : toTable(result, summary));
  bool unexplained = !options.survivors.empty() && !summary.unlisted.empty();
  return unexplained || !summary.findings.empty() || summary.share() < options.least ? 1 : 0;
}

} // namespace

int main(int argc, char **argv) {
  try {
    Options options;
    CLI::App app("Breaks PTX kernels, one mistake at a time, and counts what the simulator finds.",
                 "msa-mutate");
    app.add_option("folders", options.folders, "case directories (launch.json and inputs)")
        ->required();
    app.add_option("--ptx", options.ptxRoot, "folder with NAME/kernel.ptx of the cases");
    app.add_option("--kernel", options.kernels, "only these cases");
    app.add_option("--kind", options.kinds, "only these kinds of mutations");
    app.add_option("--limit", options.campaign.limit, "mutants of a case, spread evenly");
    app.add_option("--per-kind", options.campaign.perKind, "mutants of a kind in a case");
    app.add_option("--schedules", options.schedules, "eager, lazy, random:SEED")
        ->capture_default_str();
    app.add_option("--jobs", options.campaign.jobs, "processes")->capture_default_str();
    app.add_option("--seconds", options.campaign.seconds, "processor time of a run")
        ->capture_default_str();
    app.add_option("--survivors", options.survivors, "known survivors: kernel line kind reason");
    app.add_option("--least", options.least, "share that must be caught, 0 to 1");
    app.add_flag("--json", options.json, "every mutant as JSON");
    app.add_flag("--list", options.list, "only list the mutants");
    app.add_flag("--quiet", options.campaign.quiet, "no progress");
    CLI11_PARSE(app, argc, argv);
    Expected<int> code = run(options);
    if (code.ok())
      return *code;
    fmt::print(stderr, "msa-mutate: {}\n", code.status().message());
    return code.status().exitCode();
  } catch (const std::exception &error) {
    fmt::print(stderr, "msa-mutate: {}\n", error.what());
    return 4;
  }
}

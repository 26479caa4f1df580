//===- Options.cpp - msa-sim's command line --------------------------------===//
//
// CLI11 splits the arguments and prints the help; values are checked here, so
// that messages say what would be accepted. Its exceptions end in this file.
//
//===----------------------------------------------------------------------===//
#include "Options.h"

#include "Version.h"

#include "ptxsim/engine/Checks.h"
#include "support/NearestWord.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace msa::sim {
namespace {

constexpr const char *examples =
    R"(Runs PTX on the CPU and reports what a GPU would not: races, uninitialised reads, bad addresses.

Examples:
  msa-sim run kernel.ptx --launch launch.json                  run one grid; outputs beside launch.json
  msa-sim run kernel.ptx --launch launch.json --save out --counters
  msa-sim run kernel.ptx --launch launch.json --schedule random --seed 7
  msa-sim run kernel.ptx --launch launch.json --checks none    as fast as it goes
  msa-sim run kernel.ptx --launch launch.json --checks X4,X5   these checks only
  msa-sim run kernel.ptx --launch launch.json --budget 1000000 end a kernel that spins for ever
  msa-sim lint kernel.ptx                                      what can be said without running
  msa-sim coverage --target sm_80                              the instructions that run

A launch file, in short (docs/simulator.md has all of it; paths are relative to the file):
  {"entry": "scale", "grid": [4,1,1], "block": [128,1,1],
   "buffers": {"x": {"file": "x.npy"},
               "y": {"bytes": 2048, "fill": "poison", "save": {"file": "y.npy", "dtype": "<f4", "shape": [512]}}},
   "params": [{"buffer": "x"}, {"buffer": "y"}, {"s32": 512}, {"f32": 1.5}]})";

constexpr const char *footer =
    "Exit codes: 0 done; 1 the kernel trapped, or lint found an error; 2 bad usage or input;\n"
    "3 something is missing here (it says what); 4 our bug.";

/// Options as words of the command line.
struct RawWords {
  std::string schedule = "eager", checks = "all", mma = "auto";
};

void declareRun(CLI::App &run, Options &options, RawWords &raw) {
  run.add_option("FILE", options.ptxFile, "PTX text")->required();
  run.add_option("--launch", options.launchFile, "Launch specification, JSON")
      ->required()
      ->type_name("SPEC.json");
  run.add_option("--schedule", raw.schedule,
                 "Order of warps and asynchronous units: eager (default), lazy or random")
      ->type_name("S");
  run.add_option("--seed", options.run.seed, "Seed of --schedule random")->type_name("N");
  run.add_option("--checks", raw.checks, "all (default), none, or a list of ids such as X4,P5")
      ->type_name("IDS");
  run.add_option("--mma", raw.mma,
                 "Sums of matrix products: fast (FP32 order), exact (as the hardware's), or auto "
                 "(default): exact where an operand is FP8 on sm_90, else fast")
      ->type_name("M");
  run.add_option("--budget", options.run.instructionBudget,
                 "Warp instructions that a CTA may execute before the run ends as a trap; 0 "
                 "(default): no limit")
      ->type_name("N");
  run.add_option("--threads", options.run.threads,
                 "Host threads; 0 (default): one a core. The result does not depend on it")
      ->type_name("N");
  run.add_flag("--counters", options.run.counters,
               "Count instructions by class and role, bytes by space, sectors, bank conflicts, "
               "tensor FLOPs, waits");
  run.add_option("--save", options.saveFolder,
                 "Write the outputs here instead of beside the launch file")
      ->type_name("DIR");
}

Status readChecks(const std::string &text, ptxsim::RunOptions &run) {
  if (text == "all")
    return {};
  if (text == "none") {
    run.disabledChecks = {"all"};
    return {};
  }
  std::vector<std::string> wanted = CLI::detail::split(text, ',');
  for (const std::string &id : wanted)
    if (Expected<ptxsim::CheckSet> known = ptxsim::CheckSet::create({id});
        !known.ok() || id == "all")
      return Status::invalid(fmt::format("--checks {}: unknown check {}; accepted: all, none, or "
                                         "ids such as X4,P5 (docs/simulator.md)",
                                         quoteText(text), quoteText(id)));
  for (unsigned i = 0; i <= static_cast<unsigned>(ptxsim::checkCount) - 1; ++i) {
    std::string id(ptxsim::toString(static_cast<ptxsim::Check>(i)));
    if (std::find(wanted.begin(), wanted.end(), id) == wanted.end())
      run.disabledChecks.push_back(id);
  }
  return {};
}

Status readWords(const RawWords &raw, ptxsim::RunOptions &run) {
  using ptxsim::ScheduleKind;
  if (raw.schedule == "eager" || raw.schedule == "lazy" || raw.schedule == "random")
    run.schedule = raw.schedule == "eager"  ? ScheduleKind::Eager
                   : raw.schedule == "lazy" ? ScheduleKind::Lazy
                                            : ScheduleKind::Random;
  else
    return Status::invalid(fmt::format("--schedule {}{}", quoteText(raw.schedule),
                                       suggestion(raw.schedule, {"eager", "lazy", "random"})));
  using ptxsim::MmaMode;
  if (raw.mma != "fast" && raw.mma != "exact" && raw.mma != "auto")
    return Status::invalid(fmt::format("--mma {}{}", quoteText(raw.mma),
                                       suggestion(raw.mma, {"fast", "exact", "auto"})));
  run.mma = raw.mma == "fast" ? MmaMode::Fast : raw.mma == "exact" ? MmaMode::Exact : MmaMode::Auto;
  constexpr unsigned mostThreads = 1024;
  if (run.threads > mostThreads)
    return Status::invalid(
        fmt::format("--threads {}; accepted: 0 (one a core) to {}", run.threads, mostThreads));
  return readChecks(raw.checks, run);
}

ParsedLine badUsage(const std::string &message) {
  return {std::nullopt,
          fmt::format("msa-sim: {}\nmsa-sim --help shows examples and every option\n", message), 2};
}

ParsedLine parse(int argc, const char *const *argv) {
  Options options;
  RawWords raw;
  CLI::App app(examples, "msa-sim");
  app.get_formatter()->column_width(28);
  app.footer(footer);
  app.fallthrough();
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "Print this help");
  app.set_version_flag("--version", std::string("msa-sim ") + tools::versionText,
                       "Print the version");
  app.add_flag("--quiet", options.quiet, "Errors only");
  app.add_flag("--json", options.json, "One JSON document on standard output");
  CLI::App *run = app.add_subcommand("run", "Run one grid of a PTX kernel");
  declareRun(*run, options, raw);
  CLI::App *lint = app.add_subcommand("lint", "Check PTX without running it");
  lint->add_option("FILE", options.ptxFile, "PTX text")->required();
  CLI::App *coverage =
      app.add_subcommand("coverage", "List the instructions that the simulator executes");
  coverage->add_option("--target", options.target, "Only those that this target has, e.g. sm_80")
      ->type_name("T");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) { // --help, --version
    std::ostringstream out, err;
    app.exit(success, out, err);
    return {std::nullopt, out.str(), 0};
  } catch (const CLI::ParseError &error) {
    return badUsage(error.what());
  }
  options.command = run->parsed()    ? Options::Command::Run
                    : lint->parsed() ? Options::Command::Lint
                                     : Options::Command::Coverage;
  if (Status status = readWords(raw, options.run); !status.ok())
    return badUsage(status.message());
  return {std::move(options), "", 0};
}

} // namespace

ParsedLine parseCommandLine(int argc, const char *const *argv) {
  try {
    return parse(argc, argv);
  } catch (const std::exception &error) {
    return badUsage(error.what());
  }
}

} // namespace msa::sim

//===- RandomPlans.cpp - msa-random-plans ---------------------------------===//
//
// Runs random legal plans through msa-compile and the simulator and compares
// every element with the reference. A case depends on (--seed, index) alone, so
// `--only I` repeats one. The next plan compiles while one is simulated.
//
//   msa-random-plans --count 300 --seed 7        msa-random-plans --seed 7 --only 41 --save case/
//
// Exit codes are those of the programs: 0 all right, 1 a case failed, 2 bad
// usage, 3 something is missing here (then nothing was tested), 4 our bug.
//
//===----------------------------------------------------------------------===//
#include "support/Progress.h"
#include "tools/msa-run/Phases.h"
#include "tools/msa-run/Runner.h"
#include "verify/CaseDir.h"
#include "verify/RandomPlan.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <future>

namespace msa::run {
namespace {

struct Settings {
  uint64_t count = 40, seed = 1;
  int64_t only = -1, budget = 12'000'000;
  std::string target = "sm_80", compiler, save;
  bool quiet = false, verbose = false;
};

/// Every contract error (A1) in the case's selection, as a checked kernel would report it.
std::vector<std::array<int32_t, 4>> errorsOf(const verify::Case &c) {
  std::vector<std::array<int32_t, 4>> all;
  const verify::Tensor *selection = c.find("selection");
  if (!selection)
    return all;
  for (int64_t h = 0; h < c.plan.heads.index; ++h)
    for (int64_t t = 0; t < c.batch.tokens(); ++t)
      for (auto [kind, id] : verify::contractErrors(
               selection->as<int32_t>() + verify::selectionRow(c.plan, c.batch.tokens(), h, t),
               c.plan.topk, c.batch.localBlock(t)))
        all.push_back(
            {static_cast<int32_t>(kind), static_cast<int32_t>(h), static_cast<int32_t>(t), id});
  return all;
}

/// Whether this case's kernels look at the ids: they must then report a contract error, and a real
/// one (the first of a race may be any).
Status checkStatus(const verify::Case &c, const RunReport &report, bool callerSelection) {
  auto errors = callerSelection ? errorsOf(c) : std::vector<std::array<int32_t, 4>>();
  const std::array<int32_t, 4> &got = report.session.status;
  if (errors.empty() && got[0] == 0)
    return {};
  if (std::find(errors.begin(), errors.end(), got) != errors.end())
    return {};
  return Status::checkFailed(fmt::format("status is [{}], and the selection has {} contract errors",
                                         fmt::join(got, ", "), errors.size()));
}

Status runOne(const verify::RandomCase &random, const ProgramSet &programs,
              const Settings &settings) {
  MSA_ASSIGN_OR_RETURN(verify::Case c,
                       verify::generate(random.plan, random.queryLens, random.kvLens,
                                        phasesOf(random.plan.op), random.options));
  MSA_RETURN_IF_ERROR(verify::checkInputs(c, phasesOf(random.plan.op)));
  bool callerSelection = c.has("selection");
  RunSettings run;
  run.check = true;
  run.severalSlabs = random.severalSlabs;
  RunReport report = runCase(programs, c, phasesOf(random.plan.op), run);
  if (!settings.save.empty())
    MSA_RETURN_IF_ERROR(verify::saveCase(settings.save, c));
  if (report.session.phases.empty())
    return report.status; // it did not run to its end
  for (const verify::CheckResult &check : report.checks)
    if (!check.ok())
      return Status::checkFailed(fmt::format("{}: {} of {} elements wrong ({}): {}", check.phase,
                                             check.wrong, check.elements, check.clause,
                                             check.detail));
  if (random.plan.checked)
    return checkStatus(c, report, callerSelection);
  return report.status;
}

int runAll(const Settings &settings) {
  std::filesystem::path compiler =
      settings.compiler.empty() ? compilerPath() : std::filesystem::path(settings.compiler);
  uint64_t begin = settings.only >= 0 ? static_cast<uint64_t>(settings.only) : 0;
  uint64_t end = settings.only >= 0 ? begin + 1 : settings.count;
  fmt::print("random plans: --seed {} --count {} --target {} --budget {}\n", settings.seed,
             settings.count, settings.target, settings.budget);
  std::fflush(stdout);
  auto start = std::chrono::steady_clock::now();
  auto compile = [&](uint64_t i) {
    return std::async(std::launch::async, [&, i] {
      return programsFor(
          compiler, verify::randomCase(settings.seed, i, settings.target, settings.budget).plan);
    });
  };
  Progress progress("random plans", end - begin, {.quiet = settings.quiet});
  uint64_t failed = 0;
  std::future<Expected<ProgramSet>> next = compile(begin);
  for (uint64_t i = begin; i < end; ++i) {
    Expected<ProgramSet> programs = next.get();
    if (i + 1 < end)
      next = compile(i + 1);
    verify::RandomCase random =
        verify::randomCase(settings.seed, i, settings.target, settings.budget);
    if (settings.verbose) {
      fmt::print("{}: {}\n", i, verify::describe(random));
      std::fflush(stdout);
    }
    Status status = programs ? runOne(random, *programs, settings) : programs.status();
    progress.advance(1, fmt::format("case {}", i));
    if (status.code() == StatusCode::Missing) {
      if (next.valid())
        next.wait();
      fmt::print(stderr, "msa-random-plans: {}\n", status.message());
      return status.exitCode();
    }
    if (!status.ok()) {
      ++failed;
      fmt::print("FAILED --seed {} --only {}: {}\n  {}\n", settings.seed, i,
                 verify::describe(random), status.message());
      std::fflush(stdout);
    }
  }
  progress.finish();
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("random plans: {} of {} right, seed {}, {:.1f} s\n", end - begin - failed, end - begin,
             settings.seed, seconds);
  return failed ? 1 : 0;
}

int mainOf(int argc, char **argv) {
  Settings settings;
  CLI::App app("Random legal plans through compiler, simulator and reference", "msa-random-plans");
  app.add_option("--count", settings.count, "Cases to run");
  app.add_option("--seed", settings.seed, "Seed of the cases");
  app.add_option("--only", settings.only, "Run this case alone");
  app.add_option("--budget", settings.budget, "Multiply-adds of a case, about");
  app.add_option("--target", settings.target, "Target to compile for and to simulate");
  app.add_option("--compiler", settings.compiler,
                 "Path of msa-compile (default: beside this program, or in ../bin)");
  app.add_option("--save", settings.save, "Write the case directory (of the last case)");
  app.add_flag("--quiet", settings.quiet, "No progress");
  app.add_flag("--verbose", settings.verbose, "Describe every case");
  CLI11_PARSE(app, argc, argv);
  return runAll(settings);
}

} // namespace
} // namespace msa::run

int main(int argc, char **argv) {
  try {
    return msa::run::mainOf(argc, argv);
  } catch (const std::exception &error) {
    fmt::print(stderr, "msa-random-plans: {}\n", error.what());
    return 4;
  }
}

//===- Main.cpp - msa-run -------------------------------------------------===//
//
// Lengths and inputs, a program, a run, a check. Results go to standard output,
// everything that is said to the other stream.
//
//===----------------------------------------------------------------------===//
#include "Options.h"
#include "Phases.h"
#include "Report.h"

#include "device/FindDevice.h"
#include "plan/TargetTable.h"
#include "program/Bundle.h"
#include "support/File.h"
#include "support/NearestWord.h"
#include "support/Progress.h"
#include "verify/CaseDir.h"
#include "verify/Generate.h"
#include "verify/Workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>

namespace msa::run {
namespace {

using Clock = std::chrono::steady_clock;

/// One call of the program.
class Run {
public:
  explicit Run(Options o) : options(std::move(o)) {}
  int run();

private:
  Status work();
  Status prepare();
  Expected<Plan> planOfCommandLine() const;
  Status choosePrograms();
  Expected<verify::WorkloadCase> lengths(const Plan &) const;
  Status makeCase();
  Status saveRun() const;
  void say(const std::string &text) const {
    if (!options.quiet)
      fmt::print(stderr, "msa-run: {}\n", text);
  }

  const Options options;
  const Clock::time_point start = Clock::now();
  std::optional<verify::CaseHeader> header; ///< of --load
  ProgramSet programs;
  verify::Case input;
  std::vector<Op> phases;
  RunReport report;
  bool ran = false;
};

/// The plan that --preset, --plan or --load, then --set, --op and --target ask for.
Expected<Plan> Run::planOfCommandLine() const {
  Plan plan;
  bool own = !options.preset.empty() || !options.planFile.empty();
  if (!options.preset.empty()) {
    MSA_ASSIGN_OR_RETURN(plan, findPreset(options.preset));
  } else if (!options.planFile.empty()) {
    MSA_ASSIGN_OR_RETURN(std::string text, readTextFile(options.planFile));
    Expected<Plan> parsed = parsePlanJson(text);
    if (!parsed)
      return parsed.status().in(options.planFile.string());
    plan = *parsed;
  } else {
    plan = header->plan;
  }
  if (header)
    plan.op = header->plan.op;
  for (const auto &[key, value] : options.settings)
    MSA_RETURN_IF_ERROR(setPlanKey(plan, key, value).in("--set " + key));
  plan.op = options.op.value_or(plan.op);
  if (!options.target.empty())
    plan.target = options.target;
  if (own && header)
    if (std::string difference = verify::semanticDifference(plan, header->plan, false);
        !difference.empty())
      return Status::invalid(fmt::format("--load {}: the plan and case.json differ in {}",
                                         options.load.string(), difference));
  MSA_RETURN_IF_ERROR(checkPlan(plan));
  return plan;
}

Status Run::choosePrograms() {
  if (options.bundle.empty()) {
    MSA_ASSIGN_OR_RETURN(Plan plan, planOfCommandLine());
    // Before the compiler starts.
    MSA_RETURN_IF_ERROR(lengths(plan).status());
    MSA_RETURN_IF_ERROR(checkPhaseNames(plan.op, options.phases));
    MSA_ASSIGN_OR_RETURN(programs, programsFor(compilerPath(), plan));
    return {};
  }
  MSA_ASSIGN_OR_RETURN(std::vector<Program> all, readBundle(options.bundle));
  BundleQuery query;
  query.target = options.target;
  query.op = options.op;
  if (header)
    query.semantics = header->plan;
  MSA_ASSIGN_OR_RETURN(programs, chooseFromBundle(all, query, compilerPath()));
  std::optional<Route> made = programs.main->resolved.schedule.route;
  if (options.route == Route::Tile && made != Route::Tile)
    return Status::missing("--route tile: this version has no tensor-core kernels yet; the "
                           "bundle's program is of route cuda");
  return {};
}

Expected<verify::WorkloadCase> Run::lengths(const Plan &plan) const {
  verify::WorkloadCase c;
  if (header) {
    c.queryLens = header->queryLens;
    c.kvLens = header->kvLens;
  } else if (options.workload.empty()) {
    c.queryLens = options.queryLens;
    c.kvLens = options.kvLens;
  } else {
    MSA_ASSIGN_OR_RETURN(std::vector<verify::WorkloadCase> cases,
                         verify::loadWorkload(options.workload));
    MSA_ASSIGN_OR_RETURN(c, verify::findCase(cases, options.caseId));
    if (options.fit) {
      MSA_ASSIGN_OR_RETURN(c, verify::fit(c, options.fit->first, options.fit->second, plan));
    } else if (options.scale) {
      MSA_ASSIGN_OR_RETURN(c, verify::scale(c, *options.scale, plan));
    }
  }
  MSA_RETURN_IF_ERROR(verify::Batch::create(plan, c.queryLens, c.kvLens).status());
  return c;
}

/// The case with the inputs of the phases that run, and those phases.
Status Run::makeCase() {
  Plan plan = programs.main->plan;
  Op programOp = plan.op;
  std::vector<Op> asked = options.phases;
  if (header) {
    // A program may hold more phases than the case's op.
    plan.op = options.op.value_or(header->plan.op);
    if (std::any_of(options.settings.begin(), options.settings.end(),
                    [](const auto &s) { return s.first == "op"; }))
      plan.op = programOp;
    if (asked.empty() && plan.op != programOp)
      asked = phasesOf(plan.op);
    std::vector<std::string> ignored;
    MSA_ASSIGN_OR_RETURN(input, verify::loadCase(options.load, plan, &ignored));
    if (!ignored.empty())
      say(fmt::format("--load {}: {} belongs to no tensor and is ignored", options.load.string(),
                      fmt::join(ignored, ", ")));
    MSA_ASSIGN_OR_RETURN(phases, choosePhases(programOp, asked, input));
  } else {
    MSA_ASSIGN_OR_RETURN(verify::WorkloadCase c, lengths(plan));
    input.plan = plan;
    MSA_ASSIGN_OR_RETURN(input.batch, verify::Batch::create(plan, c.queryLens, c.kvLens));
    MSA_ASSIGN_OR_RETURN(phases, choosePhases(programOp, asked, input));
    verify::generateMissing(input, phases, verify::thoroughOptions(options.seed, plan.checked));
  }
  if (phases.empty())
    return Status::invalid("no phase is left to run: the selection is loaded, and --phases names "
                           "only phases before it");
  Status inputs = verify::checkInputs(input, phases);
  return header ? inputs.in("--load " + options.load.string()) : inputs;
}

/// Inputs and outputs of the phases that ran.
Status Run::saveRun() const {
  verify::Case saved;
  saved.plan = input.plan;
  saved.batch = input.batch;
  for (Op phase : phases)
    for (const verify::TensorSpec &spec : verify::tensorsOf(input.plan, input.batch, phase))
      if (const verify::Tensor *tensor = input.find(spec.name))
        saved.tensors[spec.name] = *tensor;
  return verify::saveCase(options.save, saved);
}

Status Run::prepare() {
  if (options.device != "sim")
    MSA_RETURN_IF_ERROR(findDevice(options.device).status());
  if (!options.target.empty() && !findTarget(options.target)) {
    std::vector<std::string_view> names;
    for (const Target &target : targets())
      names.push_back(target.name);
    return Status::invalid(fmt::format("--target {} is not known{}", quoteText(options.target),
                                       suggestion(options.target, names)));
  }
  if (!options.load.empty()) {
    MSA_ASSIGN_OR_RETURN(header, verify::loadCaseHeader(options.load));
  }
  return {};
}

Status Run::work() {
  MSA_RETURN_IF_ERROR(prepare());
  Progress progress("msa-run", 0, {.quiet = options.quiet});
  progress.note(options.bundle.empty() ? "compile" : "read the bundle");
  MSA_RETURN_IF_ERROR(choosePrograms());
  progress.note("inputs");
  MSA_RETURN_IF_ERROR(makeCase());
  RunSettings settings;
  settings.workspaceCap = options.workspaceCap;
  settings.check = options.check;
  settings.counters = options.counters;
  settings.progress = [&](const std::string &what) { progress.advance(1, what); };
  ran = true;
  report = runCase(programs, input, phases, settings);
  if (!options.save.empty() && !report.session.phases.empty()) {
    progress.note("save");
    Status saved = saveRun();
    if (report.status.ok())
      report.status = saved;
  }
  return report.status;
}

int Run::run() {
  report.status = work();
  ReportContext context;
  context.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  context.counters = options.counters;
  context.checked = options.check && ran;
  if (ran) {
    context.programs = &programs;
    context.input = &input;
  }
  if (options.json)
    fmt::print("{}", reportJson(report, context));
  else if (!report.session.phases.empty() && !options.quiet)
    fmt::print("{}", reportText(report, context));
  if (!report.status.ok())
    fmt::print(stderr, "msa-run: {}\n", report.status.message());
  if (report.status.code() == StatusCode::Internal)
    fmt::print(stderr,
               "msa-run: this is a bug of ours; please report it with the command line, and "
               "with a case directory (--save) if there is one\n");
  if (std::fflush(stdout) != 0 && report.status.ok()) {
    fmt::print(stderr, "msa-run: cannot write to standard output\n");
    return static_cast<int>(StatusCode::InvalidInput);
  }
  return report.status.exitCode();
}

int mainOf(int argc, char **argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  Expected<ParsedOptions> parsed = parseOptions(std::move(arguments));
  if (!parsed) {
    fmt::print(stderr, "msa-run: {}\n", parsed.status().message());
    if (json) {
      RunReport report;
      report.status = parsed.status();
      fmt::print("{}", reportJson(report, {}));
    }
    return parsed.status().exitCode();
  }
  if (parsed->text) {
    fmt::print("{}", *parsed->text);
    return 0;
  }
  return Run(std::move(parsed->options)).run();
}

} // namespace
} // namespace msa::run

int main(int argc, char **argv) {
  try {
    return msa::run::mainOf(argc, argv);
  } catch (const std::exception &error) {
    fmt::print(stderr,
               "msa-run: {} (a bug of ours, or too little memory; please report it with the "
               "command line)\n",
               error.what());
    return static_cast<int>(msa::StatusCode::Internal);
  }
}

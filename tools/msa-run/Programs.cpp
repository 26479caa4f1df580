//===- Programs.cpp - from a bundle or a plan to a program ----------------===//
#include "Programs.h"

#include "plan/TargetTable.h"
#include "program/Bundle.h"
#include "support/File.h"
#include "support/Process.h"
#include "verify/CaseDir.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace fs = std::filesystem;

namespace msa::run {
namespace {

/// A folder for the plan and the bundle, removed at the end.
class TemporaryFolder {
public:
  static Expected<TemporaryFolder> create() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "msa-run-XXXXXX").string();
    if (error || !::mkdtemp(name.data()))
      return Status::missing("cannot make a temporary folder: " + (error ? error.message() : name));
    return TemporaryFolder(name);
  }
  TemporaryFolder(TemporaryFolder &&other) noexcept : path(std::move(other.path)) {
    other.path.clear();
  }
  ~TemporaryFolder() {
    std::error_code error;
    if (!path.empty())
      fs::remove_all(path, error);
  }
  fs::path path;

private:
  explicit TemporaryFolder(fs::path p) : path(std::move(p)) {}
};

StatusCode codeOf(const ProcessResult &result) {
  if (result.signal == 0 && result.exitCode >= 1 && result.exitCode <= 3)
    return static_cast<StatusCode>(result.exitCode);
  return StatusCode::Internal;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  return text;
}

} // namespace

fs::path compilerPath() {
  std::error_code error;
  fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path &candidate :
       {folder / "msa-compile", folder.parent_path() / "bin" / "msa-compile"})
    if (fs::exists(candidate, error))
      return candidate;
  return folder / "msa-compile";
}

Expected<std::vector<Program>> compilePlan(const fs::path &compiler, const Plan &plan,
                                           const std::vector<Op> &ops) {
  std::error_code error;
  if (!fs::exists(compiler, error))
    return Status::missing(fmt::format(
        "{} is not there, and a plan must be compiled before it runs; build it, or give a "
        "prebuilt --bundle",
        compiler.string()));
  MSA_ASSIGN_OR_RETURN(TemporaryFolder folder, TemporaryFolder::create());
  fs::path planFile = folder.path / "plan.json", bundle = folder.path / "program.msab";
  MSA_RETURN_IF_ERROR(writeFileAtomic(planFile, canonicalJson(plan)));
  std::vector<std::string> command = {compiler.string(), "--plan", planFile.string(), "--emit",
                                      "bundle",          "-o",     bundle.string(),   "--quiet"};
  for (Op op : ops) {
    command.emplace_back("--op");
    command.emplace_back(toString(op));
  }
  MSA_ASSIGN_OR_RETURN(ProcessResult result, runProcess(command));
  if (!result.ok())
    return Status(codeOf(result),
                  fmt::format("{}{}", trimmed(result.errors),
                              result.signal
                                  ? fmt::format(" (msa-compile ended by signal {})", result.signal)
                                  : ""));
  return readBundle(bundle);
}

Expected<ProgramSet> programsFor(const fs::path &compiler, const Plan &plan) {
  std::vector<Op> ops = {plan.op};
  if (plan.op == Op::AttentionSplit)
    ops.push_back(Op::GatherPlan);
  MSA_ASSIGN_OR_RETURN(std::vector<Program> programs, compilePlan(compiler, plan, ops));
  ProgramSet set;
  set.target = plan.target;
  for (Program &program : programs) {
    auto shared = std::make_shared<const Program>(std::move(program));
    (shared->plan.op == plan.op ? set.main : set.gather) = shared;
  }
  if (!set.main || (ops.size() > 1 && !set.gather))
    return Status::internal("msa-compile's bundle lacks a program that was asked for");
  return set;
}

namespace {

/// Whether every phase of `inner` is a phase of `outer`.
bool contains(Op outer, Op inner) {
  std::vector<Op> all = phasesOf(outer);
  for (Op phase : phasesOf(inner))
    if (std::find(all.begin(), all.end(), phase) == all.end())
      return false;
  return true;
}

std::string opNames(const std::vector<const Program *> &programs) {
  std::set<std::string_view> names;
  for (const Program *p : programs)
    names.insert(toString(p->plan.op));
  return fmt::format("{}", fmt::join(names, ", "));
}

/// The newest target of the programs, in the order of the target table.
std::string newestTarget(const std::vector<Program> &programs) {
  std::string newest;
  for (const Target &target : targets())
    for (const Program &p : programs)
      if (p.plan.target == target.name)
        newest = std::string(target.name);
  return newest;
}

/// Those that run on `device` and were made for the newest such target.
std::vector<const Program *> forDevice(const std::vector<Program> &programs, const Target &device) {
  std::vector<const Program *> best;
  for (const Target &target : targets()) {
    if (!runsOn(target, device))
      continue;
    std::vector<const Program *> made;
    for (const Program &p : programs)
      if (p.plan.target == target.name)
        made.push_back(&p);
    if (!made.empty())
      best = std::move(made);
  }
  return best;
}

Status narrowBySemantics(std::vector<const Program *> &programs, const Plan &semantics) {
  std::string difference;
  std::vector<const Program *> same;
  for (const Program *p : programs) {
    std::string d = verify::semanticDifference(p->plan, semantics, false);
    if (d.empty())
      same.push_back(p);
    else
      difference = d;
  }
  if (same.empty())
    return Status::invalid(fmt::format(
        "no program of the bundle has the case's plan; the last one differs in {}", difference));
  programs = std::move(same);
  return {};
}

/// The program of the op asked for; without one, that whose phases contain all others'.
Expected<const Program *> chooseOp(const std::vector<const Program *> &programs,
                                   std::optional<Op> op, bool mayContain) {
  if (op) {
    for (const Program *p : programs)
      if (p->plan.op == *op)
        return p;
    for (const Program *p : programs)
      if (mayContain && contains(p->plan.op, *op))
        return p;
    return Status::invalid(fmt::format("the bundle has no program for {}; it has {}", toString(*op),
                                       opNames(programs)));
  }
  for (const Program *p : programs) {
    auto inside = [&](const Program *other) { return contains(p->plan.op, other->plan.op); };
    auto same = [&](const Program *other) { return p->plan.op == other->plan.op; };
    if (!std::all_of(programs.begin(), programs.end(), inside))
      continue;
    if (std::count_if(programs.begin(), programs.end(), same) > 1)
      return Status::invalid(fmt::format("the bundle has several plans for {}; --load chooses by "
                                         "the case's plan",
                                         toString(p->plan.op)));
    return p;
  }
  return Status::invalid(
      fmt::format("the bundle has programs for {}; say which with --op NAME", opNames(programs)));
}

} // namespace

Expected<ProgramSet> chooseFromBundle(const std::vector<Program> &programs,
                                      const BundleQuery &query, const fs::path &compiler) {
  std::string deviceTarget = query.target.empty() ? newestTarget(programs) : query.target;
  const Target *device = findTarget(deviceTarget);
  if (!device)
    return Status::invalid(fmt::format("target {} is not known",
                                       deviceTarget.empty() ? "of the bundle" : deviceTarget));
  std::vector<const Program *> fitting = forDevice(programs, *device);
  if (fitting.empty()) {
    std::set<std::string> names;
    for (const Program &p : programs)
      names.insert(p.plan.target);
    return Status::invalid(fmt::format("no program of the bundle runs on {}; it holds {}",
                                       deviceTarget, fmt::join(names, ", ")));
  }
  if (query.semantics)
    MSA_RETURN_IF_ERROR(narrowBySemantics(fitting, *query.semantics));
  std::optional<Op> op = query.op;
  if (!op && query.semantics)
    op = query.semantics->op;
  MSA_ASSIGN_OR_RETURN(const Program *chosen, chooseOp(fitting, op, query.semantics.has_value()));
  ProgramSet set;
  set.target = deviceTarget;
  set.main = std::make_shared<const Program>(*chosen);
  if (chosen->plan.op != Op::AttentionSplit)
    return set;
  for (const Program *p : fitting) {
    Plan plan = p->plan;
    plan.op = chosen->plan.op;
    if (p->plan.op == Op::GatherPlan && plan == chosen->plan)
      set.gather = std::make_shared<const Program>(*p);
  }
  if (!set.gather) {
    Plan plan = chosen->resolved; // pins the chunk
    plan.op = Op::GatherPlan;
    MSA_ASSIGN_OR_RETURN(std::vector<Program> made, compilePlan(compiler, plan, {}));
    if (made.size() != 1)
      return Status::internal("msa-compile's bundle lacks the gather plan");
    set.gather = std::make_shared<const Program>(std::move(made.front()));
  }
  return set;
}

} // namespace msa::run

//===- Runner.cpp - one case from programs to checked outputs -------------===//
#include "Runner.h"

#include "program/KernelTable.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace msa::run {
namespace {

/// The gather plan of every slab, as one result.
verify::CheckResult checkGathers(const verify::Case &c, const SessionResult &session) {
  std::vector<verify::CheckResult> results;
  const int64_t heads = c.plan.heads.kv;
  for (const GatherRun &run : session.gathers)
    results.push_back(
        verify::checkGatherPlan(c, run.slab, session.chunk,
                                {run.offsets.data(), run.entries.data(), run.items.data(),
                                 static_cast<int64_t>(run.items.size()) / (4 * heads)}));
  return verify::merge(results);
}

/// A cap under which a slab is a third of the tokens; `cap` when there is none.
uint64_t capForThirds(const Program &program, const Bounds &bounds, uint64_t cap) {
  int64_t wanted = std::max<int64_t>(1, bounds.tokens / 3);
  Expected<WorkspaceLayout> whole = layoutWorkspace(program, bounds, cap);
  if (!whole)
    return cap;
  uint64_t low = 1, high = whole->bytes; // the slab grows with the cap
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    Expected<WorkspaceLayout> trial = layoutWorkspace(program, bounds, middle);
    if (trial.ok() && trial->slab >= wanted)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

Status firstFailure(const std::vector<verify::CheckResult> &checks) {
  for (const verify::CheckResult &check : checks)
    if (!check.ok())
      return Status::checkFailed(fmt::format("{}: {} of {} elements wrong ({}): {}", check.phase,
                                             check.wrong, check.elements, check.clause,
                                             check.detail));
  return {};
}

} // namespace

Expected<std::vector<verify::CheckResult>> checkRun(const verify::Case &c,
                                                    const std::vector<Op> &phases,
                                                    const SessionResult &session,
                                                    const Session::ProgressFn &progress) {
  std::vector<verify::CheckResult> checks;
  auto add = [&](Op op) -> Status {
    progress(fmt::format("check {}", toString(op)));
    MSA_ASSIGN_OR_RETURN(std::vector<verify::CheckResult> results, verify::checkPhase(c, op));
    checks.insert(checks.end(), results.begin(), results.end());
    return {};
  };
  bool gathered = !session.gathers.empty();
  for (Op phase : phases) {
    if (gathered && (phase == Op::GatherPlan || phase == Op::AttentionSplit)) {
      checks.push_back(checkGathers(c, session));
      gathered = false;
    }
    if (phase != Op::GatherPlan)
      MSA_RETURN_IF_ERROR(add(phase));
  }
  auto ran = [&](Op phase) {
    return std::find(phases.begin(), phases.end(), phase) != phases.end();
  };
  if (phasesOf(c.plan.op).size() > 1 && ran(Op::AttentionSplit) && ran(Op::AttentionCombine))
    MSA_RETURN_IF_ERROR(add(c.plan.op));
  return checks;
}

RunReport runCase(const ProgramSet &programs, verify::Case &c, const std::vector<Op> &phases,
                  const RunSettings &settings) {
  RunReport report;
  SimDeviceOptions options;
  options.target = programs.target;
  options.run.counters = settings.counters;
  Expected<std::unique_ptr<SimDevice>> device = makeSimDevice(options);
  if (!device) {
    report.status = device.status();
    return report;
  }
  uint64_t cap = settings.workspaceCap;
  if (settings.severalSlabs)
    cap = capForThirds(*programs.main, c.bounds((*device)->smCount()), cap);
  Session session(**device, c, cap, settings.progress);
  Expected<SessionResult> result = session.run(programs, phases);
  if (!result) {
    report.status = result.status();
    return report;
  }
  report.session = std::move(*result);
  if (report.session.status[0] != 0)
    report.status = Status::checkFailed("contract error reported by a checked kernel: " +
                                        describeStatus(report.session.status));
  if (!settings.check)
    return report;
  auto start = std::chrono::steady_clock::now();
  Expected<std::vector<verify::CheckResult>> checks =
      checkRun(c, phases, report.session, settings.progress);
  report.checkSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (checks)
    report.checks = std::move(*checks);
  if (report.status.ok())
    report.status = checks ? firstFailure(report.checks) : checks.status();
  return report;
}

} // namespace msa::run

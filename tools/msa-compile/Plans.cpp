//===- Plans.cpp - from the command line to checked plans -----------------===//
#include "Options.h"

#include "plan/TargetTable.h"
#include "support/File.h"

#include <fmt/format.h>

namespace msa::tools {
namespace {

Expected<Plan> basePlan(const Options &options) {
  if (!options.preset.empty())
    return findPreset(options.preset);
  MSA_ASSIGN_OR_RETURN(std::string text, readTextFile(options.planFile));
  Expected<Plan> plan = parsePlanJson(text);
  if (!plan.ok())
    return plan.status().in(options.planFile.string());
  return plan;
}

/// What the interface names and this version does not make: exit 3, with a sentence that says so.
Status checkMade(const Plan &plan, const std::string &emit) {
  if (plan.op == Op::Decode)
    return Status::missing("op decode: this version has no decode kernels yet; prefill with query "
                           "lengths of 1 gives the same result");
  if (plan.schedule.route == Route::Tile)
    return Status::missing("route tile: this version has no tensor-core kernels yet; --route cuda "
                           "serves every legal plan");
  if (emit == "tile" || emit == "nvvm" || emit == "llvm")
    return Status::missing(fmt::format("--emit {}: a stage of the tile route, which this version "
                                       "does not have yet; --emit msa, ptx, cubin and bundle work",
                                       emit));
  return {};
}

} // namespace

Expected<std::vector<Plan>> plansFrom(const Options &options) {
  MSA_ASSIGN_OR_RETURN(Plan base, basePlan(options));
  for (const auto &[key, value] : options.settings)
    MSA_RETURN_IF_ERROR(setPlanKey(base, key, value).in("--set " + key));

  std::vector<Op> ops;
  for (const std::string &word : options.ops) {
    Plan probe;
    MSA_RETURN_IF_ERROR(setPlanKey(probe, "op", word).in("--op"));
    if (std::find(ops.begin(), ops.end(), probe.op) == ops.end())
      ops.push_back(probe.op);
  }
  if (ops.empty())
    ops.push_back(base.op);
  std::vector<std::string> targets = options.targets;
  if (targets.empty())
    targets.push_back(base.target);

  std::vector<Plan> plans;
  for (Op op : ops)
    for (const std::string &target : targets) {
      Plan plan = base;
      plan.op = op;
      plan.target = target;
      MSA_RETURN_IF_ERROR(checkMade(plan, options.emit));
      MSA_RETURN_IF_ERROR(checkPlan(plan));
      plans.push_back(std::move(plan));
    }
  return plans;
}

} // namespace msa::tools

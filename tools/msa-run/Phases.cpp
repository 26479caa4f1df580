//===- Phases.cpp - which phases of an op run -----------------------------===//
#include "Phases.h"

#include <algorithm>
#include <fmt/format.h>

namespace msa::run {
namespace {

bool holds(const std::vector<Op> &phases, Op phase) {
  return std::find(phases.begin(), phases.end(), phase) != phases.end();
}

/// Phases that make a selection.
bool beforeSelection(Op phase) { return phase == Op::IndexScores || phase == Op::TopkSelect; }

} // namespace

Status checkPhaseNames(Op op, const std::vector<Op> &asked) {
  std::vector<Op> all = phasesOf(op);
  std::vector<std::string_view> names;
  for (Op phase : all)
    names.push_back(toString(phase));
  for (Op phase : asked)
    if (!holds(all, phase))
      return Status::invalid(fmt::format("--phases {}: {} has no such phase; its phases: {}",
                                         toString(phase), toString(op), fmt::join(names, ", ")));
  return {};
}

Expected<std::vector<Op>> choosePhases(Op op, const std::vector<Op> &asked, verify::Case &c) {
  MSA_RETURN_IF_ERROR(checkPhaseNames(op, asked));
  std::vector<Op> all = phasesOf(op), run;
  for (Op phase : all)
    if (asked.empty() || holds(asked, phase))
      run.push_back(phase);
  bool reads =
      std::any_of(run.begin(), run.end(), [](Op phase) { return !beforeSelection(phase); });
  if (reads && c.has("selection"))
    std::erase_if(run, beforeSelection);
  if (holds(run, Op::AttentionSplit) && !holds(run, Op::GatherPlan) && holds(all, Op::GatherPlan))
    run.insert(std::find(run.begin(), run.end(), Op::AttentionSplit), Op::GatherPlan);
  for (Op phase : run)
    for (const verify::TensorSpec &spec : verify::tensorsOf(c.plan, c.batch, phase))
      if (spec.part == verify::Part::Output)
        c.tensors.erase(spec.name);
  return run;
}

} // namespace msa::run

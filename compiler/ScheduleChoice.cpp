//===- ScheduleChoice.cpp - what the compiler chooses for a plan ----------===//
//
// See ScheduleChoice.h.
//
//===----------------------------------------------------------------------===//
#include "compiler/ScheduleChoice.h"

#include <algorithm>

namespace msa {
namespace {

/// Query rows that one split CTA should work on: enough that the block's K and V, which it reads
/// once, are few bytes beside its queries, and few enough that popular blocks make many CTAs.
constexpr int rowsPerChunk = 512;

} // namespace

bool usesChunk(Op op) {
  std::vector<Op> phases = phasesOf(op);
  return std::find(phases.begin(), phases.end(), Op::GatherPlan) != phases.end() ||
         std::find(phases.begin(), phases.end(), Op::AttentionSplit) != phases.end();
}

Expected<ScheduleChoice> chooseSchedule(const Plan &plan) {
  ScheduleChoice choice{plan.schedule, {}};
  Route route = plan.schedule.route.value_or(Route::Auto);
  if (route == Route::Tile)
    return Status::missing(
        "schedule.route is pinned to tile, but the tile route comes with a later "
        "issue; accepted now: auto, cuda");
  if (plan.op == Op::Decode)
    return Status::missing("op decode comes with a later issue");
  if (route == Route::Auto) {
    choice.schedule.route = Route::Cuda;
    choice.reasons.push_back("route = cuda: the portable templates serve every legal plan, and the "
                             "tile route comes with a later issue");
  }
  if (usesChunk(plan.op) && !plan.schedule.chunk) {
    int gqa = plan.gqa();
    choice.schedule.chunk = std::max(1, rowsPerChunk / gqa);
    choice.reasons.push_back("chunk = " + std::to_string(*choice.schedule.chunk) + ": about " +
                             std::to_string(rowsPerChunk) + " rows of " + std::to_string(gqa) +
                             " heads a query for each reading of a block's keys and values");
  }
  return choice;
}

} // namespace msa

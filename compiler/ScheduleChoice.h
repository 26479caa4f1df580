//===- ScheduleChoice.h - what the compiler chooses for a plan, and why ---===//
//
// The decision of msa-select-schedule as a plain function, so that it is tested
// apart from IR. A field that the plan pins is kept.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Plan.h"

#include <string>
#include <vector>

namespace msa {

/// A complete schedule, and a sentence for each field that was not pinned.
struct ScheduleChoice {
  Schedule schedule;
  std::vector<std::string> reasons;
};

/// Whether the op walks a gather plan, so that `schedule.chunk` means something.
bool usesChunk(Op op);

/// Missing (exit code 3) when the plan pins what does not exist yet. The plan must be legal.
Expected<ScheduleChoice> chooseSchedule(const Plan &plan);

} // namespace msa

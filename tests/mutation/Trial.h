//===- Trial.h - runs one text of a case ------------------------------------===//
//
// A case directory's launch with another PTX text, under one schedule after
// the other. Every trial is a process of its own: a simulator that crashes or
// hangs on a mutant is a finding, not the end. Assumes POSIX.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"
#include "ptxsim/Simulator.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace msa::mutation {

struct Case {
  std::string name;
  std::filesystem::path folder; ///< holds launch.json and its inputs
  std::string text;             ///< the PTX
};

struct Schedule {
  std::string name; ///< "eager", "random:3"
  ptxsim::ScheduleKind kind = ptxsim::ScheduleKind::Eager;
  uint64_t seed = 0;
};
Expected<Schedule> parseSchedule(const std::string &);

/// How a run ended.
enum class Ending : uint8_t {
  Done,    ///< ran to its end; `digest` tells the outputs
  Trap,    ///< `id`
  Refused, ///< the text does not decode, or the launch does not fit it
  Hang,    ///< the simulator did not end in time: a finding
  Crash,   ///< of the simulator: a finding
};

struct Outcome {
  Ending ending = Ending::Crash;
  std::string id;      ///< of a trap; the signal of a crash
  std::string message; ///< of a trap or refusal, shortened
  uint64_t digest = 0; ///< of all saved outputs
  uint64_t instructionsPerCta = 0;
  double seconds = 0;
};

struct TrialLimits {
  uint64_t instructionBudget = 0; ///< warp instructions a CTA may execute; 0 = unlimited
  unsigned seconds = 60;          ///< processor time
};

/// One run in this process.
Outcome runHere(const Case &, const std::string &text, const Schedule &, uint64_t budget);

/// A run in a process of its own. Start it, and ask for its end when the process has ended.
class Trial {
public:
  static Expected<Trial> start(const Case &, const std::string &text, const Schedule &,
                               const TrialLimits &);
  int process() const { return child; }
  /// Reads what the process left; `status` is waitpid's.
  Outcome finish(int status);

private:
  int child = -1, pipe = -1;
};

} // namespace msa::mutation

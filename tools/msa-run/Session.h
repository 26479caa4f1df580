//===- Session.h - runs a case on the simulator and keeps what it made ----===//
//
// Allocates and uploads the tensors of a program from its argument table,
// launches it, and copies intermediates out of the workspace slab by slab, so
// that they can be checked and saved. Every output and every workspace tensor
// is poisoned before it is written.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Programs.h"

#include "device/SimDevice.h"
#include "program/Launcher.h"
#include "verify/Compare.h"

#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace msa::run {

/// What one phase did, over all slabs.
struct PhaseRun {
  Op phase = Op::IndexScores;
  double seconds = 0;
  int launches = 0;
  ptxsim::Counters counters;
};

/// The gather plan's arrays of one slab, as the kernel left them.
struct GatherRun {
  verify::TokenRange slab;
  std::vector<int32_t> offsets, entries, items;
};

/// What a run left besides the tensors of its case.
struct SessionResult {
  std::vector<PhaseRun> phases;
  std::vector<GatherRun> gathers;
  int chunk = 1;
  int64_t slab = 0; ///< tokens a slab of the last program
  uint64_t workspaceBytes = 0;
  std::array<int32_t, 4> status = {}; ///< of a checked plan; all zero = no contract error
};

/// One run. The referenced objects must outlive it.
class Session {
public:
  using ProgressFn = std::function<void(const std::string &)>;
  /// `progress` is told of each launch. The cap is that of Launcher.h.
  Session(SimDevice &device, verify::Case &c, uint64_t workspaceCap, ProgressFn progress)
      : device(device), c(c), workspaceCap(workspaceCap), progress(std::move(progress)),
        bounds(c.bounds(device.smCount())) {}

  /// Runs `phases` on the case's inputs (which passed checkInputs); outputs and intermediates
  /// become tensors of the case. A trap is StatusCode::CheckFailed.
  Expected<SessionResult> run(const ProgramSet &, const std::vector<Op> &phases);

private:
  struct Running; ///< the program in hand

  Status runProgram(const std::shared_ptr<const Program> &, const std::vector<Op> &phases);
  Status bindTensors(const Running &);
  Status uploadArgument(const ArgSpec &, uint64_t bytes, DevicePtr);
  Status poison(DevicePtr, uint64_t bytes, const std::string &element);
  Status beginSlab(const Running &, int64_t begin, int64_t size);
  Status afterStep(const Running &, const StepEvent &);
  Status keepGather(const Running &, const StepEvent &);
  Status copySlice(const Running &, const WorkspaceSlice &, int64_t begin, int64_t size,
                   bool toDevice);
  Status collectOutputs(const Running &);
  PhaseRun &phaseRun(Op);

  SimDevice &device;
  verify::Case &c;
  uint64_t workspaceCap;
  ProgressFn progress;
  Bounds bounds;
  std::map<std::string, DevicePtr> tensors; ///< by name; plan arrays pass between programs here
  SessionResult result;
};

} // namespace msa::run

//===- Launcher.h - one generic launcher for every program ----------------===//
//
// Binds tensors by name to kernel arguments from the program's tables, picks
// the slab that keeps the workspace under its cap, and walks the recipe. It
// allocates nothing on the device and reads nothing back.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Device.h"
#include "msa/Expr.h"
#include "msa/Program.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace msa {

/// Whether a host may ask for these numbers: none negative, lengths below 2^31 tokens, at most
/// 65,536 blocks a request (clause L1).
Status checkBounds(const Bounds &);

/// A tensor of the workspace with its place for the slab in hand.
struct WorkspaceTensor {
  std::string name;
  uint64_t offset = 0, bytes = 0;
};

struct WorkspaceLayout {
  int64_t slab = 0;   ///< tokens a slab: the largest that fits the cap, at least 1
  uint64_t bytes = 0; ///< whole workspace
  std::vector<WorkspaceTensor> tensors;
};

inline constexpr uint64_t defaultWorkspaceCap = uint64_t(1) << 30;

/// Lays the workspace out for these bounds; fails with the smallest cap that would do when even a
/// slab of one token does not fit.
Expected<WorkspaceLayout> layoutWorkspace(const Program &, const Bounds &,
                                          uint64_t cap = defaultWorkspaceCap);

/// What a step is about to run or has run.
struct StepEvent {
  const KernelImage *kernel;
  int64_t slabBegin, slab;
  double seconds; ///< host seconds of the launch; after-step only
};

/// Hooks for tools; either may be empty. A failure ends the launch.
struct LaunchObserver {
  std::function<Status(const StepEvent &)> before, after;
};

/// A program whose kernels are loaded on a device. One thread at a time may launch it.
class LoadedProgram {
public:
  /// Loads every kernel and parses every expression. Missing when the device cannot run an image.
  static Expected<std::unique_ptr<LoadedProgram>> load(std::shared_ptr<const Program>, Device &);
  ~LoadedProgram();
  /// `tensors` gives the address of each Input, Output and Status argument by name; a missing, null
  /// or misaligned one is an error that names it, before any kernel runs (null is accepted for a
  /// tensor without elements). `workspace` has layout.bytes bytes. `phases` (empty = all) restricts
  /// the steps that run. A group that is not slabbed runs once with slab_begin = 0 and slab =
  /// tokens; a step whose grid is empty is not launched.
  Status launch(const std::map<std::string, DevicePtr> &tensors, DevicePtr workspace,
                const WorkspaceLayout &layout, const Bounds &,
                const std::vector<std::string> &phases = {}, const LaunchObserver & = {});
  const Program &program() const;

private:
  struct State; ///< kernel handles and parsed expressions
  explicit LoadedProgram(std::unique_ptr<State>);
  std::unique_ptr<State> state;
};

} // namespace msa

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

/// A tensor of the workspace with its place for the slab in hand.
struct WorkspaceTensor {
  std::string name;
  uint64_t offset = 0, bytes = 0;
};

struct WorkspaceLayout {
  int64_t slab = 0;     ///< tokens a slab: the largest that fits the cap, at least 1
  uint64_t bytes = 0;   ///< whole workspace
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

/// A program whose kernels are loaded on a device.
class LoadedProgram {
public:
  static Expected<std::unique_ptr<LoadedProgram>> load(std::shared_ptr<const Program>, Device &);
  /// `tensors` gives the address of each Input, Output and Status argument by name; a missing one is
  /// an error that names it. `workspace` has layout.bytes bytes. `phases` (empty = all) restricts
  /// the steps that run.
  Status launch(const std::map<std::string, DevicePtr> &tensors, DevicePtr workspace,
                const WorkspaceLayout &layout, const Bounds &,
                const std::vector<std::string> &phases = {}, const LaunchObserver & = {});
  const Program &program() const { return *image; }

private:
  struct Prepared; ///< parsed expressions and kernel handles, one for each kernel
  LoadedProgram(std::shared_ptr<const Program>, Device &);
  std::shared_ptr<const Program> image;
  Device &device;
  std::vector<std::shared_ptr<Prepared>> kernels;
};

} // namespace msa

//===- Launcher.cpp - one generic launcher for every program --------------===//
//
// See Launcher.h. `load` parses all text once; `launch` evaluates expressions,
// packs each kernel's parameters by the PTX ABI (every value at its natural
// alignment, in order) and hands them to the device.
//
//===----------------------------------------------------------------------===//
#include "program/Launcher.h"

#include "plan/TargetTable.h"
#include "program/ProgramCheck.h"
#include "program/Workspace.h"
#include "support/NearestWord.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <optional>
#include <set>

namespace msa {
namespace {

/// The largest grid that CUDA accepts.
constexpr std::array<int64_t, 3> mostCtas = {(int64_t(1) << 31) - 1, 65535, 65535};

struct PreparedArg {
  const ArgSpec *spec;
  std::optional<Expr> value; ///< I32
  TensorSize size;           ///< pointers
};

struct PreparedKernel {
  const KernelImage *image;
  DeviceKernel *handle = nullptr;
  std::vector<Expr> grid;
  std::vector<PreparedArg> args;
};

struct PreparedStep {
  const PreparedKernel *kernel;
  std::optional<Expr> guard;
};

struct PreparedGroup {
  bool slabbed;
  std::vector<PreparedStep> steps;
};

/// Appends values at their natural alignment.
class ParameterBlock {
public:
  template <typename T> void append(T value) {
    bytes.resize((bytes.size() + sizeof(T) - 1) / sizeof(T) * sizeof(T) + sizeof(T));
    std::memcpy(bytes.data() + bytes.size() - sizeof(T), &value, sizeof(T));
  }
  std::vector<uint8_t> bytes;
};

Expected<PreparedKernel> prepare(const KernelImage &image, Device &device) {
  const Target *made = findTarget(image.target), *here = findTarget(device.target());
  if (!made || !here || !runsOn(*made, *here))
    return Status::missing(
        fmt::format("the image is for {} and the device {} takes {}; compile for --target {}",
                    image.target, device.name(), device.target(), device.target()));
  PreparedKernel kernel{.image = &image};
  for (const std::string &text : image.launch.grid) {
    MSA_ASSIGN_OR_RETURN(Expr extent, Expr::parse(text));
    kernel.grid.push_back(std::move(extent));
  }
  for (const ArgSpec &spec : image.args) {
    PreparedArg arg{.spec = &spec};
    if (spec.type == ArgType::TensorMap)
      return Status::missing(fmt::format(
          "argument '{}' is a tensor map, which this version does not encode", spec.name));
    if (spec.type == ArgType::I32) {
      MSA_ASSIGN_OR_RETURN(arg.value, Expr::parse(spec.value));
    } else if (spec.type == ArgType::Pointer) {
      MSA_ASSIGN_OR_RETURN(arg.size, TensorSize::parse(spec.name, spec.element, spec.shape));
    }
    kernel.args.push_back(std::move(arg));
  }
  MSA_ASSIGN_OR_RETURN(kernel.handle, device.load(image));
  return kernel;
}

/// What one launch call works with.
struct Call {
  const std::map<std::string, DevicePtr> &tensors;
  DevicePtr workspace;
  const WorkspaceLayout &layout;
  Bounds bounds;
};

Expected<DevicePtr> addressOf(const PreparedArg &arg, const Call &call) {
  const ArgSpec &spec = *arg.spec;
  DevicePtr address = 0;
  if (spec.role == ArgRole::Workspace) {
    auto found = std::find_if(call.layout.tensors.begin(), call.layout.tensors.end(),
                              [&](const WorkspaceTensor &t) { return t.name == spec.name; });
    if (found == call.layout.tensors.end())
      return Status::invalid("the workspace layout has no tensor of this name; lay it out for this "
                             "program");
    address = call.workspace == 0 ? 0 : call.workspace + found->offset;
  } else {
    auto found = call.tensors.find(spec.name);
    if (found == call.tensors.end())
      return Status::invalid("the kernel takes this tensor, and none was given");
    address = found->second;
  }
  if (address == 0) {
    MSA_ASSIGN_OR_RETURN(uint64_t bytes, arg.size.bytes(call.bounds));
    if (bytes > 0)
      return Status::invalid(fmt::format("its address is null, and it has {} bytes", bytes));
  }
  if (address % static_cast<uint64_t>(spec.alignment) != 0)
    return Status::invalid(
        fmt::format("address {:#x} is not aligned to {} bytes", address, spec.alignment));
  return address;
}

Status append(const PreparedArg &arg, const Call &call, ParameterBlock &block) {
  switch (arg.spec->type) {
  case ArgType::F32:
    block.append(arg.spec->f32);
    return {};
  case ArgType::I32: {
    MSA_ASSIGN_OR_RETURN(int64_t value, arg.value->evaluate(call.bounds));
    if (!std::in_range<int32_t>(value))
      return Status::invalid(
          fmt::format("{} is {}, which does not fit 32 bits", arg.value->text(), value));
    block.append(static_cast<int32_t>(value));
    return {};
  }
  case ArgType::Pointer:
  case ArgType::TensorMap: {
    MSA_ASSIGN_OR_RETURN(DevicePtr address, addressOf(arg, call));
    block.append(address);
    return {};
  }
  }
  return {};
}

/// Fills the grid; false when it is empty.
Expected<bool> dimensions(const PreparedKernel &kernel, const Bounds &bounds, LaunchDims &dims) {
  bool empty = false;
  for (size_t i = 0; i < 3; ++i) {
    MSA_ASSIGN_OR_RETURN(int64_t extent, kernel.grid[i].evaluate(bounds));
    if (extent < 0 || extent > mostCtas[i])
      return Status::invalid(fmt::format("grid extent {} = {} is {}; legal: 0..{}", "xyz"[i],
                                         kernel.grid[i].text(), extent, mostCtas[i]));
    empty |= extent == 0;
    dims.grid[i] = static_cast<uint32_t>(extent);
    dims.block[i] = static_cast<uint32_t>(kernel.image->launch.block[i]);
  }
  dims.dynamicSharedBytes = static_cast<uint32_t>(kernel.image->launch.dynamicSharedBytes);
  return !empty;
}

/// Fills what the device needs for one step; false when its guard is false or its grid is empty.
Expected<bool> pack(const PreparedStep &step, const Call &call, LaunchDims &dims,
                    ParameterBlock &block) {
  if (step.guard) {
    MSA_ASSIGN_OR_RETURN(int64_t wanted, step.guard->evaluate(call.bounds));
    if (wanted == 0)
      return false;
  }
  MSA_ASSIGN_OR_RETURN(bool anything, dimensions(*step.kernel, call.bounds, dims));
  for (const PreparedArg &arg : step.kernel->args)
    MSA_RETURN_IF_ERROR(append(arg, call, block).in("argument '" + arg.spec->name + "'"));
  return anything;
}

} // namespace

struct LoadedProgram::State {
  std::shared_ptr<const Program> program;
  Device &device;
  std::vector<PreparedKernel> kernels; ///< never resized once steps point into it
  std::vector<PreparedGroup> groups;
  std::vector<TensorSize> workspace;

  State(std::shared_ptr<const Program> program, Device &device)
      : program(std::move(program)), device(device) {}
  Status prepareAll();
  Status checkLayout(const WorkspaceLayout &, Bounds) const;
  Status checkPhases(const std::vector<std::string> &phases) const;
  Status runStep(const PreparedStep &, const Call &, const LaunchObserver &);
  /// Calls `visit(step, call)` for each step of the wanted phases: for the first slab only, or all.
  template <typename Visit>
  Status walk(const Call &whole, const std::vector<std::string> &phases, bool all, Visit visit);
};

Status LoadedProgram::State::prepareAll() {
  for (const KernelImage &image : program->kernels) {
    Expected<PreparedKernel> kernel = prepare(image, device);
    if (!kernel.ok())
      return kernel.status().in(image.phase + " (" + image.entry + ")");
    kernels.push_back(std::move(*kernel));
  }
  for (const WorkspaceSlice &slice : program->workspace) {
    MSA_ASSIGN_OR_RETURN(TensorSize size,
                         TensorSize::parse(slice.name, slice.element, slice.shape));
    workspace.push_back(std::move(size));
  }
  for (const LaunchGroup &group : program->recipe) {
    PreparedGroup prepared{.slabbed = group.slabbed};
    for (const LaunchStep &step : group.steps) {
      PreparedStep s{.kernel = &kernels[static_cast<size_t>(step.kernel)]};
      if (!step.guard.empty()) {
        MSA_ASSIGN_OR_RETURN(s.guard, Expr::parse(step.guard));
      }
      prepared.steps.push_back(std::move(s));
    }
    groups.push_back(std::move(prepared));
  }
  return {};
}

/// A layout made for smaller bounds would let kernels write past their tensors.
Status LoadedProgram::State::checkLayout(const WorkspaceLayout &layout, Bounds bounds) const {
  if (layout.slab < 1 || layout.tensors.size() != workspace.size())
    return Status::invalid("the workspace layout is not of this program");
  bounds.slab = layout.slab;
  for (size_t i = 0; i < workspace.size(); ++i) {
    MSA_ASSIGN_OR_RETURN(uint64_t bytes, workspace[i].bytes(bounds));
    const WorkspaceTensor &tensor = layout.tensors[i];
    if (tensor.name != workspace[i].name || tensor.bytes < bytes)
      return Status::invalid(fmt::format("workspace tensor '{}' needs {} bytes, and the layout "
                                         "gives {} to '{}'; lay it out for these bounds",
                                         workspace[i].name, bytes, tensor.bytes, tensor.name));
  }
  return {};
}

Status LoadedProgram::State::checkPhases(const std::vector<std::string> &phases) const {
  std::vector<std::string_view> known;
  for (const PreparedKernel &kernel : kernels)
    if (std::find(known.begin(), known.end(), kernel.image->phase) == known.end())
      known.push_back(kernel.image->phase);
  for (const std::string &phase : phases)
    if (std::find(known.begin(), known.end(), phase) == known.end())
      return Status::invalid("the program has no phase " + quoteText(phase) +
                             suggestion(phase, known));
  return {};
}

Status LoadedProgram::State::runStep(const PreparedStep &step, const Call &call,
                                     const LaunchObserver &observer) {
  LaunchDims dims;
  ParameterBlock block;
  MSA_ASSIGN_OR_RETURN(bool anything, pack(step, call, dims, block));
  if (!anything)
    return {};
  StepEvent event{.kernel = step.kernel->image,
                  .slabBegin = call.bounds.slabBegin,
                  .slab = call.bounds.slab,
                  .seconds = 0};
  if (observer.before)
    MSA_RETURN_IF_ERROR(observer.before(event));
  auto start = std::chrono::steady_clock::now();
  MSA_RETURN_IF_ERROR(device.launch(step.kernel->handle, dims, block.bytes));
  event.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return observer.after ? observer.after(event) : Status();
}

template <typename Visit>
Status LoadedProgram::State::walk(const Call &whole, const std::vector<std::string> &phases,
                                  bool all, Visit visit) {
  std::set<std::string_view> wanted(phases.begin(), phases.end());
  int64_t tokens = whole.bounds.tokens;
  for (const PreparedGroup &group : groups) {
    int64_t slab = group.slabbed ? whole.layout.slab : std::max<int64_t>(tokens, 1);
    for (int64_t begin = 0; begin < tokens && (all || begin == 0); begin += slab) {
      Call call = whole;
      call.bounds.slabBegin = begin;
      call.bounds.slab = std::min(slab, tokens - begin);
      for (const PreparedStep &step : group.steps)
        if (wanted.empty() || wanted.contains(step.kernel->image->phase))
          MSA_RETURN_IF_ERROR(visit(step, call).in(step.kernel->image->phase));
    }
  }
  return {};
}

LoadedProgram::LoadedProgram(std::unique_ptr<State> s) : state(std::move(s)) {}
LoadedProgram::~LoadedProgram() = default;

const Program &LoadedProgram::program() const { return *state->program; }

Expected<std::unique_ptr<LoadedProgram>> LoadedProgram::load(std::shared_ptr<const Program> program,
                                                             Device &device) {
  MSA_RETURN_IF_ERROR(checkProgram(*program));
  auto state = std::make_unique<State>(std::move(program), device);
  MSA_RETURN_IF_ERROR(state->prepareAll());
  return std::unique_ptr<LoadedProgram>(new LoadedProgram(std::move(state)));
}

Status LoadedProgram::launch(const std::map<std::string, DevicePtr> &tensors, DevicePtr workspace,
                             const WorkspaceLayout &layout, const Bounds &bounds,
                             const std::vector<std::string> &phases,
                             const LaunchObserver &observer) {
  MSA_RETURN_IF_ERROR(checkBounds(bounds));
  MSA_RETURN_IF_ERROR(state->checkPhases(phases));
  MSA_RETURN_IF_ERROR(state->checkLayout(layout, bounds));
  Call whole{tensors, workspace, layout, bounds};
  // A tensor that the last kernel misses is told before the first one has run.
  MSA_RETURN_IF_ERROR(
      state->walk(whole, phases, false, [](const PreparedStep &step, const Call &call) {
        LaunchDims dims;
        ParameterBlock block;
        return pack(step, call, dims, block).status();
      }));
  return state->walk(whole, phases, true, [&](const PreparedStep &step, const Call &call) {
    return state->runStep(step, call, observer);
  });
}

} // namespace msa

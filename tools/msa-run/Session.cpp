//===- Session.cpp - runs a case on the simulator and keeps what it made --===//
#include "Session.h"

#include "program/Workspace.h"
#include "verify/Formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace msa::run {

using verify::Tensor;

/// The program in hand, its workspace, and what goes in and comes out of it.
struct Session::Running {
  std::shared_ptr<const Program> program;
  std::vector<Op> phases;
  WorkspaceLayout layout;
  DevicePtr workspace = 0;
  std::set<std::string> given; ///< workspace tensors that the case provides
  int64_t slabInHand = -1;

  bool runs(const std::string &phase) const {
    return std::any_of(phases.begin(), phases.end(), [&](Op op) { return toString(op) == phase; });
  }
  /// Where a workspace tensor begins.
  DevicePtr place(const std::string &name) const {
    for (const WorkspaceTensor &t : layout.tensors)
      if (t.name == name)
        return workspace + t.offset;
    return 0;
  }
};

namespace {

Expected<uint64_t> bytesOf(const std::string &name, const std::string &element,
                           const std::vector<std::string> &shape, const Bounds &bounds) {
  MSA_ASSIGN_OR_RETURN(TensorSize size, TensorSize::parse(name, element, shape));
  return size.bytes(bounds);
}

/// The two- or four-byte pattern that unwritten cells of an element hold (clause A4).
std::vector<uint8_t> poisonPattern(const std::string &element, size_t bytes) {
  std::vector<uint8_t> pattern(bytes);
  uint16_t half = element == "f16" ? verify::poisonF16 : verify::poisonBf16;
  uint32_t word = verify::poisonF32;
  bool isHalf = element == "f16" || element == "bf16";
  for (size_t i = 0; i < bytes; ++i)
    pattern[i] = isHalf ? reinterpret_cast<const uint8_t *>(&half)[i % 2]
                        : reinterpret_cast<const uint8_t *>(&word)[i % 4];
  return pattern;
}

} // namespace

Expected<SessionResult> Session::run(const ProgramSet &set, const std::vector<Op> &phases) {
  for (Op phase : phases)
    for (const verify::TensorSpec &spec : verify::tensorsOf(c.plan, c.batch, phase))
      if (spec.part == verify::Part::Output) {
        Tensor tensor(spec.element, spec.shape);
        tensor.poison(spec.f16);
        c.tensors[spec.name] = std::move(tensor);
      }
  result = {};
  result.chunk = set.main->resolved.schedule.chunk.value_or(1);
  if (set.gather)
    MSA_RETURN_IF_ERROR(runProgram(set.gather, {Op::GatherPlan}));
  MSA_RETURN_IF_ERROR(runProgram(set.main, phases));
  if (auto status = tensors.find("status"); status != tensors.end()) {
    std::span<uint8_t> bytes(reinterpret_cast<uint8_t *>(result.status.data()),
                             sizeof result.status);
    MSA_RETURN_IF_ERROR(device.download(bytes, status->second));
  }
  return std::move(result);
}

Status Session::runProgram(const std::shared_ptr<const Program> &program,
                           const std::vector<Op> &phases) {
  Running r{program, phases, {}, 0, {}, -1};
  progress("load");
  MSA_ASSIGN_OR_RETURN(std::unique_ptr<LoadedProgram> loaded, LoadedProgram::load(program, device));
  MSA_ASSIGN_OR_RETURN(r.layout, layoutWorkspace(*program, bounds, workspaceCap));
  result.slab = r.layout.slab;
  result.workspaceBytes += r.layout.bytes;
  if (r.layout.bytes > 0) {
    MSA_ASSIGN_OR_RETURN(r.workspace, device.allocate(r.layout.bytes, Fill::Zero, "workspace"));
  }
  std::set<std::string> made;
  for (Op phase : phases)
    for (const verify::TensorSpec &spec : verify::tensorsOf(c.plan, c.batch, phase))
      if (spec.part == verify::Part::Output)
        made.insert(spec.name);
  for (const WorkspaceSlice &slice : program->workspace)
    if (c.has(slice.name) && !made.count(slice.name))
      r.given.insert(slice.name);
  MSA_RETURN_IF_ERROR(bindTensors(r));

  LaunchObserver observer;
  observer.before = [&](const StepEvent &event) -> Status {
    progress(event.kernel->phase);
    if (event.slabBegin == r.slabInHand)
      return {};
    r.slabInHand = event.slabBegin;
    return beginSlab(r, event.slabBegin, event.slab);
  };
  observer.after = [&](const StepEvent &event) { return afterStep(r, event); };
  std::vector<std::string> words;
  for (Op phase : phases)
    words.emplace_back(toString(phase));
  MSA_RETURN_IF_ERROR(loaded->launch(tensors, r.workspace, r.layout, bounds, words, observer));
  return collectOutputs(r);
}

Status Session::bindTensors(const Running &r) {
  for (const KernelImage &image : r.program->kernels) {
    if (!r.runs(image.phase))
      continue;
    for (const ArgSpec &spec : image.args) {
      if (spec.type != ArgType::Pointer || spec.role == ArgRole::Workspace ||
          tensors.count(spec.name))
        continue;
      MSA_ASSIGN_OR_RETURN(uint64_t bytes, bytesOf(spec.name, spec.element, spec.shape, bounds));
      MSA_ASSIGN_OR_RETURN(DevicePtr address,
                           device.allocate(bytes, Fill::Uninitialised, spec.name));
      MSA_RETURN_IF_ERROR(uploadArgument(spec, bytes, address));
      tensors[spec.name] = address;
    }
  }
  return {};
}

Status Session::uploadArgument(const ArgSpec &spec, uint64_t bytes, DevicePtr address) {
  if (spec.role == ArgRole::Status)
    return device.upload(address, std::vector<uint8_t>(bytes, 0));
  if (spec.role == ArgRole::Output)
    return poison(address, bytes, spec.element);
  const Tensor *tensor = c.find(spec.name);
  if (tensor && tensor->bytes.size() == bytes)
    return device.upload(address, tensor->bytes);
  bool blockScale = spec.name.ends_with("_block_scale"), scale = spec.name.ends_with("_scale");
  if (tensor && !(scale && tensor->count() == 1))
    return Status::internal(fmt::format("tensor {} has {} bytes, and the kernel takes {}",
                                        spec.name, tensor->bytes.size(), bytes));
  if (blockScale && !tensor) // absent = 1
    return device.upload(address,
                         std::vector<uint8_t>(bytes, spec.element == "ue8m0" ? 127 : 0x38));
  if (!scale)
    return Status::internal(fmt::format("the kernel takes {}, which nothing provides", spec.name));
  // One scale for all heads, or none: the kernel reads one for each head.
  std::vector<float> scales(bytes / sizeof(float), tensor ? tensor->as<float>()[0] : 1.0f);
  return device.upload(address, {reinterpret_cast<const uint8_t *>(scales.data()), bytes});
}

Status Session::poison(DevicePtr address, uint64_t bytes, const std::string &element) {
  constexpr uint64_t piece = 1 << 20;
  std::vector<uint8_t> pattern = poisonPattern(element, std::min(piece, bytes));
  for (uint64_t at = 0; at < bytes; at += piece)
    MSA_RETURN_IF_ERROR(
        device.upload(address + at, std::span(pattern).first(std::min(piece, bytes - at))));
  return {};
}

Status Session::beginSlab(const Running &r, int64_t begin, int64_t size) {
  for (size_t i = 0; i < r.program->workspace.size(); ++i) {
    const WorkspaceSlice &slice = r.program->workspace[i];
    MSA_RETURN_IF_ERROR(poison(r.place(slice.name), r.layout.tensors[i].bytes, slice.element));
    if (r.given.count(slice.name))
      MSA_RETURN_IF_ERROR(copySlice(r, slice, begin, size, true));
  }
  return {};
}

PhaseRun &Session::phaseRun(Op phase) {
  for (PhaseRun &run : result.phases)
    if (run.phase == phase)
      return run;
  result.phases.emplace_back().phase = phase;
  return result.phases.back();
}

Status Session::afterStep(const Running &r, const StepEvent &event) {
  std::optional<Op> phase = parseOp(event.kernel->phase);
  if (!phase)
    return Status::internal(
        fmt::format("the program has a kernel for {}, which is no phase", event.kernel->phase));
  PhaseRun &run = phaseRun(*phase);
  run.seconds += event.seconds;
  run.counters.add(device.lastCounters());
  ++run.launches;
  if (*phase == Op::GatherPlan)
    return keepGather(r, event);
  for (const verify::TensorSpec &spec : verify::tensorsOf(c.plan, c.batch, *phase))
    for (const WorkspaceSlice &slice : r.program->workspace)
      if (spec.part == verify::Part::Output && slice.name == spec.name)
        MSA_RETURN_IF_ERROR(copySlice(r, slice, event.slabBegin, event.slab, false));
  return {};
}

Status Session::keepGather(const Running &r, const StepEvent &event) {
  GatherRun run;
  run.slab = {event.slabBegin, event.slabBegin + event.slab};
  Bounds here = bounds;
  here.slabBegin = event.slabBegin;
  here.slab = event.slab;
  for (const ArgSpec &spec : event.kernel->args) {
    std::vector<int32_t> *goal = spec.name == "plan_offsets"   ? &run.offsets
                                 : spec.name == "plan_entries" ? &run.entries
                                 : spec.name == "plan_items"   ? &run.items
                                                               : nullptr;
    if (!goal)
      continue;
    MSA_ASSIGN_OR_RETURN(uint64_t bytes, bytesOf(spec.name, spec.element, spec.shape, here));
    goal->resize(bytes / sizeof(int32_t));
    DevicePtr address =
        spec.role == ArgRole::Workspace ? r.place(spec.name) : tensors.at(spec.name);
    MSA_RETURN_IF_ERROR(
        device.download({reinterpret_cast<uint8_t *>(goal->data()), bytes}, address));
  }
  result.gathers.push_back(std::move(run));
  return {};
}

/// Copies a slab of a workspace tensor to or from the case's tensor. Both are `outer` groups of
/// rows, one row a token; a row of the workspace may be padded.
Status Session::copySlice(const Running &r, const WorkspaceSlice &slice, int64_t begin,
                          int64_t size, bool toDevice) {
  Tensor &host = c.tensors.at(slice.name);
  bool headFirst = slice.name == "scores" || (slice.name == "selection" &&
                                              c.plan.selectionOrder == SelectionOrder::HeadMajor);
  int64_t outer = headFirst ? host.shape[0] : 1, tokens = c.batch.tokens();
  Bounds here = bounds;
  here.slabBegin = begin;
  here.slab = size;
  MSA_ASSIGN_OR_RETURN(uint64_t bytes, bytesOf(slice.name, slice.element, slice.shape, here));
  if (bytes == 0)
    return {};
  int64_t width = static_cast<int64_t>(host.bytes.size()) / (outer * tokens);
  int64_t pitch = static_cast<int64_t>(bytes) / (outer * size);
  if (pitch < width)
    return Status::internal(fmt::format("workspace tensor {} has rows of {} bytes, expected {}",
                                        slice.name, pitch, width));
  std::vector<uint8_t> buffer = poisonPattern(slice.element, bytes);
  if (!toDevice)
    MSA_RETURN_IF_ERROR(device.download(buffer, r.place(slice.name)));
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t t = 0; t < size; ++t) {
      uint8_t *row = host.bytes.data() + (o * tokens + begin + t) * width;
      uint8_t *slab = buffer.data() + (o * size + t) * pitch;
      std::memcpy(toDevice ? slab : row, toDevice ? row : slab, static_cast<size_t>(width));
    }
  return toDevice ? device.upload(r.place(slice.name), buffer) : Status();
}

Status Session::collectOutputs(const Running &r) {
  std::set<std::string> seen;
  for (const KernelImage &image : r.program->kernels)
    for (const ArgSpec &spec : image.args) {
      if (!r.runs(image.phase) || spec.role != ArgRole::Output || !c.has(spec.name) ||
          !seen.insert(spec.name).second)
        continue;
      MSA_RETURN_IF_ERROR(device.download(c.tensors.at(spec.name).bytes, tensors.at(spec.name)));
    }
  return {};
}

} // namespace msa::run

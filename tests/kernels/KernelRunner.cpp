//===- KernelRunner.cpp - runs a case's kernels and checks every element --===//
//
// See KernelRunner.h.
//
//===----------------------------------------------------------------------===//
#include "KernelRunner.h"

#include "program/Launcher.h"
#include "program/Workspace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace msa::test {
namespace {

constexpr uint64_t noCap = uint64_t(1) << 40;
constexpr uint32_t poison = 0x7FC0DEAD;

std::vector<uint8_t> poisoned(uint64_t bytes) {
  std::vector<uint8_t> cells(bytes);
  for (uint64_t i = 0; i + 4 <= bytes; i += 4)
    std::memcpy(cells.data() + i, &poison, 4);
  return cells;
}

/// An FP32 scale as kernels take it: one entry a head, 1 where the case has none.
std::vector<uint8_t> expandedScale(const verify::Tensor *tensor, uint64_t bytes) {
  std::vector<float> scale(bytes / 4, 1.0f);
  if (tensor)
    for (size_t i = 0; i < scale.size(); ++i)
      scale[i] = tensor->as<float>()[tensor->count() == 1 ? 0 : i];
  std::vector<uint8_t> result(bytes);
  std::memcpy(result.data(), scale.data(), bytes);
  return result;
}

bool isPlanArray(const std::string &name) { return name.starts_with("plan_"); }

/// Device memory of one run, released with it.
class Allocations {
public:
  explicit Allocations(Device &d) : device(d) {}
  ~Allocations() {
    for (DevicePtr address : addresses)
      (void)device.release(address);
  }
  Expected<DevicePtr> make(uint64_t bytes, Fill fill, const std::string &label) {
    MSA_ASSIGN_OR_RETURN(DevicePtr address,
                         device.allocate(std::max<uint64_t>(bytes, 16), fill, label));
    addresses.push_back(address);
    return address;
  }

private:
  Device &device;
  std::vector<DevicePtr> addresses;
};

} // namespace

Plan resolvedPlan(Plan plan, int chunk) {
  plan.schedule.route = Route::Cuda;
  if (!plan.schedule.chunk)
    plan.schedule.chunk = chunk;
  return plan;
}

std::string wrongText(const std::vector<verify::CheckResult> &results) {
  std::string text;
  for (const verify::CheckResult &result : results)
    if (!result.ok())
      text += fmt::format("{} {}: {} of {} elements wrong: {}\n", result.phase, result.tensor,
                          result.wrong, result.elements, result.detail);
  return text;
}

Expected<Program> KernelRunner::programFor(const Plan &plan) {
  MSA_ASSIGN_OR_RETURN(Program program, cudaProgram(plan));
  size_t next = 0;
  for (Op phase : phasesOf(plan.op)) {
    MSA_ASSIGN_OR_RETURN(std::vector<CudaKernelSpec> specs, cudaKernels(plan, phase));
    for (const CudaKernelSpec &spec : specs) {
      MSA_ASSIGN_OR_RETURN(program.kernels[next].ptx, compiler(spec, plan.target));
      ++next;
    }
  }
  return program;
}

Expected<std::vector<uint8_t>> KernelRunner::bytesFor(const verify::Case &c, const ArgSpec &arg,
                                                      const Bounds &bounds) {
  MSA_ASSIGN_OR_RETURN(TensorSize size, TensorSize::parse(arg.name, arg.element, arg.shape));
  MSA_ASSIGN_OR_RETURN(uint64_t bytes, size.bytes(bounds));
  if (arg.role == ArgRole::Status)
    return std::vector<uint8_t>(bytes, 0);
  if (arg.role == ArgRole::Output) {
    // Poisoned by element type, as the comparison expects unwritten cells.
    for (Op phase : phasesOf(c.plan.op))
      for (const verify::TensorSpec &spec : verify::tensorsOf(c.plan, c.batch, phase))
        if (spec.name == arg.name) {
          verify::Tensor tensor(spec.element, spec.shape);
          tensor.poison(spec.f16);
          return tensor.bytes;
        }
    return poisoned(bytes);
  }
  if (isPlanArray(arg.name))
    return planArrays.at(arg.name);
  const verify::Tensor *tensor = c.find(arg.name);
  if (arg.name.ends_with("_scale") && !arg.name.ends_with("_block_scale"))
    return expandedScale(tensor, bytes);
  if (!tensor)
    return Status::invalid("the case has no " + arg.name);
  if (tensor->bytes.size() != bytes)
    return Status::internal(fmt::format("{}: the table says {} bytes, the case has {}", arg.name,
                                        bytes, tensor->bytes.size()));
  return tensor->bytes;
}

Status KernelRunner::store(verify::Case &c, const ArgSpec &arg, std::vector<uint8_t> bytes) {
  if (arg.role == ArgRole::Status) {
    std::memcpy(lastStatus.data(), bytes.data(), sizeof lastStatus);
    return {};
  }
  if (isPlanArray(arg.name)) {
    planArrays[arg.name] = std::move(bytes);
    return {};
  }
  for (Op phase : phasesOf(c.plan.op))
    for (const verify::TensorSpec &spec : verify::tensorsOf(c.plan, c.batch, phase))
      if (spec.name == arg.name) {
        verify::Tensor tensor(spec.element, spec.shape);
        if (tensor.bytes.size() != bytes.size())
          return Status::internal(fmt::format("{}: the table says {} bytes, the case {}", arg.name,
                                              bytes.size(), tensor.bytes.size()));
        tensor.bytes = std::move(bytes);
        c.tensors[arg.name] = std::move(tensor);
        return {};
      }
  return Status::internal(arg.name + " is not an output of the op");
}

Status KernelRunner::run(verify::Case &c, const Plan &plan, uint64_t workspaceCap) {
  MSA_ASSIGN_OR_RETURN(Program made, programFor(plan));
  auto program = std::make_shared<const Program>(std::move(made));
  Bounds bounds = c.bounds(device.smCount());
  bounds.slab = bounds.tokens;
  MSA_ASSIGN_OR_RETURN(WorkspaceLayout layout, layoutWorkspace(*program, bounds, workspaceCap));

  Allocations allocations(device);
  std::map<std::string, DevicePtr> tensors;
  std::vector<const ArgSpec *> written;
  for (const KernelImage &kernel : program->kernels)
    for (const ArgSpec &arg : kernel.args) {
      if (arg.type != ArgType::Pointer || arg.role == ArgRole::Workspace ||
          tensors.contains(arg.name))
        continue;
      MSA_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, bytesFor(c, arg, bounds));
      MSA_ASSIGN_OR_RETURN(DevicePtr address,
                           allocations.make(bytes.size(), Fill::Uninitialised, arg.name));
      MSA_RETURN_IF_ERROR(device.upload(address, bytes));
      tensors[arg.name] = address;
      if (arg.role != ArgRole::Input)
        written.push_back(&arg);
    }
  MSA_ASSIGN_OR_RETURN(DevicePtr workspace,
                       allocations.make(layout.bytes, Fill::Uninitialised, "workspace"));
  MSA_ASSIGN_OR_RETURN(auto loaded, LoadedProgram::load(program, device));
  MSA_RETURN_IF_ERROR(loaded->launch(tensors, workspace, layout, bounds));
  MSA_RETURN_IF_ERROR(device.synchronise());
  for (const ArgSpec *arg : written) {
    MSA_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, bytesFor(c, *arg, bounds));
    MSA_RETURN_IF_ERROR(device.download(bytes, tensors[arg->name]));
    MSA_RETURN_IF_ERROR(store(c, *arg, std::move(bytes)));
  }
  return {};
}

std::vector<Op> KernelRunner::stepsOf(Op op) {
  if (op == Op::AttentionSplit)
    return {Op::GatherPlan, Op::AttentionSplit};
  return phasesOf(op);
}

Status KernelRunner::runWithoutCheck(verify::Case &c) {
  Op whole = c.plan.op;
  planArrays.clear();
  Status ran;
  for (Op phase : stepsOf(whole)) {
    c.plan.op = phase;
    if (ran = run(c, c.plan, noCap); !ran)
      break;
  }
  c.plan.op = whole;
  return ran;
}

Expected<std::vector<verify::CheckResult>> KernelRunner::runPhases(verify::Case &c) {
  std::vector<verify::CheckResult> results;
  Plan whole = c.plan;
  planArrays.clear();
  for (Op phase : stepsOf(whole.op)) {
    c.plan.op = phase;
    Status ran = run(c, c.plan, noCap);
    if (!ran) {
      c.plan.op = whole.op;
      return ran.in(std::string(toString(phase)));
    }
    if (phase == Op::GatherPlan) {
      auto ints = [&](const char *name) {
        return reinterpret_cast<const int32_t *>(planArrays.at(name).data());
      };
      int64_t items =
          static_cast<int64_t>(planArrays.at("plan_items").size()) / 16 / whole.heads.kv;
      results.push_back(verify::checkGatherPlan(
          c, {0, c.batch.tokens()}, *whole.schedule.chunk,
          {ints("plan_offsets"), ints("plan_entries"), ints("plan_items"), items}));
      continue;
    }
    Expected<std::vector<verify::CheckResult>> checked = verify::checkPhase(c, phase);
    c.plan.op = whole.op;
    if (!checked)
      return checked.status();
    results.insert(results.end(), checked->begin(), checked->end());
  }
  c.plan.op = whole.op;
  return results;
}

Status KernelRunner::runWhole(verify::Case &c, uint64_t workspaceCap) {
  return run(c, c.plan, workspaceCap);
}

Expected<uint64_t> KernelRunner::smallestCap(const verify::Case &c) {
  MSA_ASSIGN_OR_RETURN(Program program, cudaProgram(c.plan));
  Bounds bounds = c.bounds(device.smCount());
  uint64_t bytes = 0;
  bounds.slab = 1;
  for (const WorkspaceSlice &slice : program.workspace) {
    MSA_ASSIGN_OR_RETURN(TensorSize size,
                         TensorSize::parse(slice.name, slice.element, slice.shape));
    MSA_ASSIGN_OR_RETURN(uint64_t each, size.bytes(bounds));
    bytes += (each + 255) / 256 * 256;
  }
  return bytes;
}

} // namespace msa::test

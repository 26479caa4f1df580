//===- ProgramCheck.cpp - what every program's tables must hold -----------===//
//
// See ProgramCheck.h.
//
//===----------------------------------------------------------------------===//
#include "program/ProgramCheck.h"

#include "msa/Expr.h"
#include "plan/TargetTable.h"
#include "support/NearestWord.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace msa {
namespace {

constexpr int mostThreads = 1024;
constexpr int mostThreadsZ = 64;
constexpr size_t mostAxes = 8;

struct ElementSize {
  std::string_view word;
  int bytes;
};
constexpr ElementSize elements[] = {{"bf16", 2},   {"f16", 2},   {"f32", 4}, {"e4m3", 1},
                                    {"e2m1x2", 1}, {"ue8m0", 1}, {"i32", 4}, {"u8", 1}};

/// Whether an argument of this role can have this type.
bool fits(ArgRole role, ArgType type) {
  switch (role) {
  case ArgRole::Scalar:
    return type == ArgType::I32 || type == ArgType::F32;
  case ArgRole::Input:
    return type == ArgType::Pointer || type == ArgType::TensorMap;
  default:
    return type == ArgType::Pointer;
  }
}

Status checkTensor(const std::string &element, const std::vector<std::string> &shape) {
  if (elementBytes(element) == 0) {
    std::vector<std::string_view> words;
    for (const ElementSize &e : elements)
      words.push_back(e.word);
    return Status::invalid("element " + quoteText(element) + " is not known" +
                           suggestion(element, words));
  }
  if (shape.size() > mostAxes)
    return Status::invalid(fmt::format("{} axes; at most {}", shape.size(), mostAxes));
  for (const std::string &extent : shape)
    MSA_RETURN_IF_ERROR(Expr::parse(extent).status().in("shape"));
  return {};
}

Status checkArg(const ArgSpec &arg, const Program &program) {
  if (!fits(arg.role, arg.type))
    return Status::invalid("its role and type do not fit each other");
  if (arg.type == ArgType::I32)
    return Expr::parse(arg.value).status().in("value");
  if (arg.type != ArgType::Pointer)
    return {};
  if (arg.alignment < 1 || (arg.alignment & (arg.alignment - 1)) != 0)
    return Status::invalid(fmt::format("alignment {} is not a power of two", arg.alignment));
  MSA_RETURN_IF_ERROR(checkTensor(arg.element, arg.shape));
  auto isSlice = [&](const WorkspaceSlice &slice) { return slice.name == arg.name; };
  if (arg.role == ArgRole::Workspace &&
      std::none_of(program.workspace.begin(), program.workspace.end(), isSlice))
    return Status::invalid("the workspace has no tensor of this name");
  return {};
}

Status checkLaunch(const LaunchRule &rule) {
  if (rule.grid.size() != 3 || rule.block.size() != 3)
    return Status::invalid("grid and block must have three extents");
  for (const std::string &extent : rule.grid)
    MSA_RETURN_IF_ERROR(Expr::parse(extent).status().in("grid"));
  int64_t threads = 1;
  for (int extent : rule.block) {
    if (extent < 1 || extent > mostThreads)
      return Status::invalid(fmt::format("block extent {}; legal: 1..{}", extent, mostThreads));
    threads *= extent;
  }
  if (threads > mostThreads || rule.block[2] > mostThreadsZ)
    return Status::invalid(fmt::format("block {}; legal: at most {} threads, of which z at most {}",
                                       fmt::join(rule.block, " x "), mostThreads, mostThreadsZ));
  if (rule.dynamicSharedBytes < 0)
    return Status::invalid("dynamic shared bytes are negative");
  return {};
}

Status checkKernel(const KernelImage &kernel, const Program &program) {
  if (kernel.entry.empty())
    return Status::invalid("it has no entry name");
  if (!findTarget(kernel.target))
    return Status::invalid("target " + quoteText(kernel.target) + " is not known");
  MSA_RETURN_IF_ERROR(checkLaunch(kernel.launch));
  std::set<std::string_view> names;
  for (const ArgSpec &arg : kernel.args) {
    if (!names.insert(arg.name).second)
      return Status::invalid("two arguments are called " + quoteText(arg.name));
    MSA_RETURN_IF_ERROR(checkArg(arg, program).in("argument " + quoteText(arg.name)));
  }
  return {};
}

Status checkWorkspace(const Program &program) {
  std::set<std::string_view> names;
  for (const WorkspaceSlice &slice : program.workspace) {
    if (!names.insert(slice.name).second)
      return Status::invalid("two workspace tensors are called " + quoteText(slice.name));
    MSA_RETURN_IF_ERROR(
        checkTensor(slice.element, slice.shape).in("workspace tensor " + quoteText(slice.name)));
  }
  return {};
}

Status checkRecipe(const Program &program) {
  for (const LaunchGroup &group : program.recipe)
    for (const LaunchStep &step : group.steps) {
      if (step.kernel < 0 || static_cast<size_t>(step.kernel) >= program.kernels.size())
        return Status::invalid(fmt::format("recipe: kernel {}; the program has {}", step.kernel,
                                           program.kernels.size()));
      if (!step.guard.empty())
        MSA_RETURN_IF_ERROR(Expr::parse(step.guard).status().in("recipe: guard"));
    }
  return {};
}

} // namespace

int elementBytes(std::string_view element) {
  for (const ElementSize &e : elements)
    if (e.word == element)
      return e.bytes;
  return 0;
}

Status checkProgram(const Program &program) {
  MSA_RETURN_IF_ERROR(checkWorkspace(program));
  for (const KernelImage &kernel : program.kernels)
    MSA_RETURN_IF_ERROR(checkKernel(kernel, program).in("kernel " + quoteText(kernel.entry)));
  return checkRecipe(program);
}

} // namespace msa

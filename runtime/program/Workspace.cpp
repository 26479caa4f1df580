//===- Workspace.cpp - sizes of tensors, and the largest slab under a cap -===//
//
// See Launcher.h (layoutWorkspace) and Workspace.h. Assumes that no tensor
// shrinks when the slab grows: the slab is found by binary search.
//
//===----------------------------------------------------------------------===//
#include "program/Workspace.h"

#include "program/Launcher.h"
#include "program/ProgramCheck.h"

#include <fmt/format.h>

#include <algorithm>

namespace msa {
namespace {

constexpr uint64_t boundary = 256;
constexpr uint64_t mostBytes = uint64_t(1) << 62;
constexpr int64_t mostTokens = (int64_t(1) << 31) - 1;
constexpr int64_t mostBlocks = 65536;

/// Fills `layout` for a slab; slices start on 256-byte boundaries.
Status place(const std::vector<TensorSize> &sizes, Bounds bounds, int64_t slab,
             WorkspaceLayout &layout) {
  bounds.slabBegin = 0;
  bounds.slab = slab;
  layout = {.slab = slab};
  for (const TensorSize &size : sizes) {
    MSA_ASSIGN_OR_RETURN(uint64_t bytes, size.bytes(bounds));
    layout.tensors.push_back({size.name, layout.bytes, bytes});
    layout.bytes += (bytes + boundary - 1) / boundary * boundary;
    if (layout.bytes > mostBytes)
      return Status::invalid("the workspace is larger than any memory");
  }
  return {};
}

} // namespace

Expected<TensorSize> TensorSize::parse(const std::string &name, const std::string &element,
                                       const std::vector<std::string> &shape) {
  TensorSize size{.name = name, .elementBytes = msa::elementBytes(element)};
  if (size.elementBytes == 0)
    return Status::invalid(fmt::format("{}: element {} is not known", name, element));
  for (const std::string &text : shape) {
    MSA_ASSIGN_OR_RETURN(Expr extent, Expr::parse(text));
    size.extents.push_back(std::move(extent));
  }
  return size;
}

Expected<uint64_t> TensorSize::bytes(const Bounds &bounds) const {
  auto product = static_cast<uint64_t>(elementBytes);
  bool empty = false, overflow = false;
  for (const Expr &extent : extents) {
    Expected<int64_t> value = extent.evaluate(bounds);
    if (!value.ok())
      return value.status().in(name);
    if (*value < 0)
      return Status::invalid(fmt::format("{}: extent {} is {}", name, extent.text(), *value));
    empty |= *value == 0;
    overflow |= __builtin_mul_overflow(product, static_cast<uint64_t>(*value), &product) ||
                product > mostBytes;
  }
  if (empty)
    return uint64_t(0);
  if (overflow)
    return Status::invalid(name + ": it is larger than any memory");
  return product;
}

Status checkBounds(const Bounds &b) {
  struct Rule {
    std::string_view name;
    int64_t value, most;
  };
  for (const Rule &rule : {Rule{"tokens", b.tokens, mostTokens},
                           {"requests", b.requests, mostTokens},
                           {"max_query", b.maxQuery, mostTokens},
                           {"max_kv", b.maxKv, mostTokens},
                           {"max_blocks", b.maxBlocks, mostBlocks},
                           {"pages", b.pages, mostTokens},
                           {"max_pages", b.maxPages, mostTokens},
                           {"sm_count", b.smCount, mostTokens}})
    if (rule.value < 0 || rule.value > rule.most)
      return Status::invalid(
          fmt::format("L1: {} = {}; legal: 0..{}", rule.name, rule.value, rule.most));
  return {};
}

Expected<WorkspaceLayout> layoutWorkspace(const Program &program, const Bounds &bounds,
                                          uint64_t cap) {
  MSA_RETURN_IF_ERROR(checkBounds(bounds));
  std::vector<TensorSize> sizes;
  for (const WorkspaceSlice &slice : program.workspace) {
    MSA_ASSIGN_OR_RETURN(TensorSize size,
                         TensorSize::parse(slice.name, slice.element, slice.shape));
    sizes.push_back(std::move(size));
  }
  bool slabbed = std::any_of(program.recipe.begin(), program.recipe.end(),
                             [](const LaunchGroup &group) { return group.slabbed; });
  int64_t most = std::max<int64_t>(bounds.tokens, 1), least = slabbed ? 1 : most;
  WorkspaceLayout layout;
  Status smallest = place(sizes, bounds, least, layout);
  MSA_RETURN_IF_ERROR(smallest);
  if (layout.bytes > cap)
    return Status::invalid(fmt::format(
        "the workspace needs {} bytes{}, and its cap is {}; the smallest cap that does: {}",
        layout.bytes, slabbed ? " for a slab of one token" : "", cap, layout.bytes));
  // Invariant: a slab of `least` fits, and none above `most` is worth asking.
  while (least < most) {
    int64_t middle = least + (most - least + 1) / 2;
    WorkspaceLayout trial;
    if (place(sizes, bounds, middle, trial).ok() && trial.bytes <= cap) {
      least = middle;
      layout = std::move(trial);
    } else {
      most = middle - 1;
    }
  }
  return layout;
}

} // namespace msa

//===- Workspace.h - sizes of tensors from expressions --------------------===//
//
// Shared by the layout of the workspace and the launcher: a shape parsed once,
// its bytes for given bounds with every product checked.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Expr.h"
#include "msa/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace msa {

/// The size of one tensor as a function of bounds.
struct TensorSize {
  std::string name; ///< for messages
  std::vector<Expr> extents;
  int elementBytes = 1;

  static Expected<TensorSize> parse(const std::string &name, const std::string &element,
                                    const std::vector<std::string> &shape);
  /// Bytes; a negative extent or more than 2^62 bytes is an error.
  Expected<uint64_t> bytes(const Bounds &) const;
};

} // namespace msa

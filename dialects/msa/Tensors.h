//===- Tensors.h - the type of each named tensor under a plan -------------===//
//
// The shapes and formats of the interface's tensors (interfaces.md section 3,
// semantics N1 to N3), once: verifiers compare with it, builders read it. For
// the default plan `q` is tensor<?x64x128xbf16> and `k`, with k = nvfp4 and
// pages of 128 tokens, tensor<?x4x128x64xi8>; it then has a `k_block_scale`
// tensor<?x4x128x8xf8E4M3FN> and may have a `k_scale` tensor<?xf32>.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Plan.h"

#include "mlir/IR/BuiltinTypes.h"

namespace msa::ir {

/// What a plan says of a tensor's name.
struct TensorRule {
  mlir::Type type;       ///< null: the plan has no such tensor
  bool optional = false; ///< may be left out
  /// Scales: the extent is 1, this number of heads, or dynamic; 0 for all other tensors.
  int64_t scaleHeads = 0;
};

/// The rule for `name` (a tensor of a case directory, a plan array, or "batch") in an op of kind
/// `op`. The plan must be legal.
TensorRule tensorRule(mlir::MLIRContext *context, const Plan &plan, Op op, llvm::StringRef name);

/// Whether `type` obeys the rule.
bool accepts(const TensorRule &rule, mlir::Type type);

} // namespace msa::ir

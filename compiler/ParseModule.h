//===- ParseModule.h - MLIR text to a verified module ---------------------===//
//
// The one door for text from outside: depth is checked first, errors come back
// as a Status.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <string_view>

namespace msa {

/// The dialects that our programs read: builtin, func, arith, msa.
void registerDialects(mlir::DialectRegistry &registry);

/// Parses and verifies; failures are InvalidInput with `name:line:column`.
Expected<mlir::OwningOpRef<mlir::ModuleOp>>
parseModule(mlir::MLIRContext &context, std::string_view text, const std::string &name);

} // namespace msa

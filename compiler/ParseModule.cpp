//===- ParseModule.cpp - MLIR text to a verified module -------------------===//
//
// See ParseModule.h.
//
//===----------------------------------------------------------------------===//
#include "compiler/ParseModule.h"

#include "compiler/Diagnostics.h"
#include "compiler/MlirText.h"
#include "dialects/msa/MsaDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

namespace msa {

void registerDialects(DialectRegistry &registry) {
  registry.insert<ir::MsaDialect, func::FuncDialect, arith::ArithDialect>();
}

Expected<OwningOpRef<ModuleOp>> parseModule(MLIRContext &context, std::string_view text,
                                            const std::string &name) {
  MSA_RETURN_IF_ERROR(checkMlirText(text, name));
  DiagnosticCapture diagnostics(&context);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(StringRef(text), &context, name);
  if (!module)
    return diagnostics.failure(StatusCode::InvalidInput);
  return module;
}

} // namespace msa

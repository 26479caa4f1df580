//===- MsaDialect.h - the msa dialect: attributes, type, operations -------===//
//
// Generated declarations of MsaBase.td and MsaOps.td, and the functions that
// all operations with a plan share.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Plan.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/msa/MsaDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/msa/MsaAttributes.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/msa/MsaTypes.h.inc"

namespace msa::ir {

/// Name of the module attribute that holds the target, e.g. "sm_80".
inline constexpr llvm::StringLiteral targetAttrName = "msa.target";

class PlanOpInterface;

namespace detail {

/// Checks an op's plan (`checkPlan`) and each operand's and result's type against it.
llvm::LogicalResult verifyPlanOp(PlanOpInterface op);

/// `(name = %value, ...) {attributes} : (types) -> types`, names in the order of `names`.
/// `segments` gets 0 or 1 for each; one that is not `optional` must be there.
mlir::ParseResult parseNamedOperands(mlir::OpAsmParser &parser, mlir::OperationState &result,
                                     llvm::ArrayRef<llvm::StringLiteral> names,
                                     llvm::ArrayRef<bool> optional,
                                     llvm::MutableArrayRef<int32_t> segments);
void printPlanOp(PlanOpInterface op, mlir::OpAsmPrinter &printer);
/// Names results as the case directory does, for readable IR.
void nameResults(PlanOpInterface op, mlir::OpAsmSetValueNameFn setName);

/// Parses the form that all plan ops share.
template <typename OpTy>
mlir::ParseResult parsePlanOp(mlir::OpAsmParser &parser, mlir::OperationState &result) {
  llvm::SmallVector<int32_t> segments(OpTy::operandNames().size());
  if (parseNamedOperands(parser, result, OpTy::operandNames(), OpTy::optionalOperands(), segments))
    return mlir::failure();
  if (mlir::failed(OpTy::verifyInherentAttrs(
          result.name, result.attributes, [&] { return parser.emitError(parser.getNameLoc()); })))
    return mlir::failure();
  if constexpr (OpTy::template hasTrait<mlir::OpTrait::AttrSizedOperandSegments>())
    llvm::copy(segments,
               result.getOrAddProperties<typename OpTy::Properties>().operandSegmentSizes.begin());
  return mlir::success();
}

} // namespace detail
} // namespace msa::ir

#include "dialects/msa/MsaInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialects/msa/MsaOps.h.inc"

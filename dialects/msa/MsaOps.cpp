//===- MsaOps.cpp - form and verifiers of the msa operations --------------===//
//
// Plan ops share one parser, printer and verifier (see MsaOps.td); kernels and
// launches have their own.
//
//===----------------------------------------------------------------------===//
#include "dialects/msa/MsaDialect.h"
#include "dialects/msa/PlanConversion.h"
#include "dialects/msa/Tensors.h"
#include "msa/Expr.h"
#include "plan/TargetTable.h"

#include "llvm/ADT/StringExtras.h"

#include "dialects/msa/MsaInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/msa/MsaOps.cpp.inc"

using namespace mlir;

namespace msa::ir {

Value PlanOpInterface::operandNamed(StringRef name) {
  for (auto [i, candidate] : llvm::enumerate(operandNames()))
    if (candidate == name) {
      auto [first, count] = operandRange(i);
      return count ? getOperation()->getOperand(first) : Value();
    }
  return {};
}

namespace detail {

//===----------------------------------------------------------------------===//
// Textual form
//===----------------------------------------------------------------------===//

ParseResult parseNamedOperands(OpAsmParser &parser, OperationState &result,
                               ArrayRef<StringLiteral> names, ArrayRef<bool> optional,
                               MutableArrayRef<int32_t> segments) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  size_t next = 0;
  auto operand = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name) || parser.parseEqual() ||
        parser.parseOperand(operands.emplace_back()))
      return failure();
    const StringLiteral *found = llvm::find(names, name);
    if (found == names.end()) {
      InFlightDiagnostic error = parser.emitError(loc)
                                 << "unknown operand '" << name << "' (accepted:";
      for (StringRef accepted : names)
        error << " " << accepted;
      return error << ")";
    }
    size_t index = found - names.begin();
    if (index < next)
      return parser.emitError(loc)
             << "operand '" << name << "' is given twice or out of order, expected it before '"
             << names[next - 1] << "'";
    segments[index] = 1;
    next = index + 1;
    return success();
  };
  FunctionType type;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, operand, " in operand list"))
    return failure();
  for (auto [name, isOptional, given] : llvm::zip(names, optional, segments))
    if (!isOptional && !given)
      return parser.emitError(loc) << "operand '" << name << "' is missing";
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(type) ||
      parser.resolveOperands(operands, type.getInputs(), loc, result.operands))
    return failure();
  result.addTypes(type.getResults());
  return success();
}

void printPlanOp(PlanOpInterface op, OpAsmPrinter &printer) {
  printer << "(";
  bool first = true;
  for (auto [i, name] : llvm::enumerate(op.operandNames())) {
    auto [begin, count] = op.operandRange(i);
    if (count == 0)
      continue;
    printer << (first ? "" : ", ") << name << " = " << op->getOperand(begin);
    first = false;
  }
  printer << ")";
  printer.printOptionalAttrDict(op->getAttrs(), {"operandSegmentSizes"});
  printer << " : ";
  printer.printFunctionalType(op.getOperation());
}

void nameResults(PlanOpInterface op, OpAsmSetValueNameFn setName) {
  for (auto [result, name] : llvm::zip(op->getResults(), op.resultNames()))
    setName(result, name);
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static LogicalResult verifyTensor(PlanOpInterface op, const Plan &plan, StringRef name, Type type) {
  TensorRule rule = tensorRule(op->getContext(), plan, op.planOp(), name);
  if (!type) {
    if (rule.type && !rule.optional)
      return op->emitOpError() << "needs '" << name << "' of type " << rule.type;
    return success();
  }
  if (!rule.type)
    return op->emitOpError() << "has '" << name << "', which its plan does not have";
  if (accepts(rule, type))
    return success();
  InFlightDiagnostic error = op->emitOpError();
  error << "'" << name << "' must be " << rule.type;
  if (rule.scaleHeads > 1)
    error << " of 1 or " << rule.scaleHeads << " elements";
  else if (rule.scaleHeads == 1)
    error << " of 1 element";
  return error << " under this plan, but is " << type;
}

LogicalResult verifyPlanOp(PlanOpInterface op) {
  Plan plan = planOf(op);
  // The module attribute is verified where it stands.
  plan.target = Plan().target;
  if (Status status = checkPlan(plan); !status.ok())
    return op->emitOpError() << status.message();
  for (auto [i, name] : llvm::enumerate(op.operandNames())) {
    auto [first, count] = op.operandRange(i);
    if (failed(verifyTensor(op, plan, name, count ? op->getOperand(first).getType() : Type())))
      return failure();
  }
  for (auto [i, name] : llvm::enumerate(op.resultNames()))
    if (failed(verifyTensor(op, plan, name,
                            i < op->getNumResults() ? op->getResult(i).getType() : Type())))
      return failure();
  return success();
}

} // namespace detail

static bool isIdentifier(StringRef word) {
  return !word.empty() && !llvm::isDigit(word.front()) &&
         llvm::all_of(word, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

LogicalResult CudaKernelOp::verify() {
  std::optional<::msa::Op> phase = parseOp({getPhase().data(), getPhase().size()});
  if (!phase || phasesOf(*phase).size() != 1 || phasesOf(*phase).front() != *phase)
    return emitOpError() << "'phase' must name a phase, not '" << getPhase() << "'";
  if (!isIdentifier(getSource()))
    return emitOpError() << "'source' must be the name of a template, not '" << getSource() << "'";
  if (!isIdentifier(getEntry()))
    return emitOpError() << "'entry' must be a C identifier, not '" << getEntry() << "'";
  if (!findTarget({getTarget().data(), getTarget().size()}))
    return emitOpError() << "unknown target '" << getTarget() << "'";
  for (NamedAttribute define : getDefines()) {
    if (!isIdentifier(define.getName()))
      return emitOpError() << "define '" << define.getName().getValue()
                           << "' must be a C identifier";
    if (!isa<StringAttr>(define.getValue()))
      return emitOpError() << "define '" << define.getName().getValue()
                           << "' must be a string, but is " << define.getValue();
  }
  if (getGrid().size() != 3)
    return emitOpError() << "'grid' must have 3 expressions, but has " << getGrid().size();
  for (StringAttr text : getGrid().getAsRange<StringAttr>())
    if (Expected<Expr> expr = Expr::parse({text.data(), text.size()}); !expr)
      return emitOpError() << "'grid': " << expr.status().message();
  if (getBlock().size() != 3)
    return emitOpError() << "'block' must have 3 extents, but has " << getBlock().size();
  int64_t threads = 1;
  for (int32_t extent : getBlock())
    threads *= extent < 1 || extent > 1024 ? 1025 : extent;
  if (threads > 1024)
    return emitOpError() << "'block' must have 1 to 1024 threads";
  if (static_cast<int32_t>(getDynamicSharedBytes()) < 0)
    return emitOpError() << "'dynamic_shared_bytes' must not be negative";
  return success();
}

LogicalResult LaunchOp::verify() {
  if (getKernels().empty())
    return emitOpError() << "needs at least one kernel";
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  StringRef phase;
  for (auto kernel : getKernels().getAsRange<FlatSymbolRefAttr>()) {
    auto target = symbols.lookupNearestSymbolFrom<CudaKernelOp>(getOperation(), kernel);
    if (!target)
      return emitOpError() << "'@" << kernel.getValue() << "' is no kernel of this module";
    if (!phase.empty() && phase != target.getPhase())
      return (emitOpError() << "launches kernels of '" << phase << "' and '" << target.getPhase()
                            << "', expected one phase")
                 .attachNote(target.getLoc())
             << "the other kernel";
    phase = target.getPhase();
  }
  return success();
}

} // namespace msa::ir

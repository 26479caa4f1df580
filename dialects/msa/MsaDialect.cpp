//===- MsaDialect.cpp - registration, attributes, module attribute --------===//
//
// Registers the dialect's attributes, type and operations, and checks the one
// attribute that the dialect puts on others' operations: `msa.target`.
//
//===----------------------------------------------------------------------===//
#include "dialects/msa/MsaDialect.h"

#include "dialects/msa/Words.h"
#include "plan/TargetTable.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

#include "llvm/ADT/TypeSwitch.h"

#include "dialects/msa/MsaDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/msa/MsaAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/msa/MsaTypes.cpp.inc"

using namespace mlir;

namespace msa::ir {

namespace {

/// Prints each distinct attribute once, at the top: `#heads = #msa.heads<...>`.
struct AliasInterface : OpAsmDialectInterface {
  using OpAsmDialectInterface::OpAsmDialectInterface;

  AliasResult getAlias(Attribute attribute, raw_ostream &os) const final {
    StringRef name = llvm::TypeSwitch<Attribute, StringRef>(attribute)
                         .Case<HeadsAttr>([](auto) { return "heads"; })
                         .Case<SelectionAttr>([](auto) { return "blocks"; })
                         .Case<PrecisionAttr>([](auto) { return "precision"; })
                         .Case<KvLayoutAttr>([](auto) { return "kv_layout"; })
                         .Default([](auto) { return ""; });
    os << name;
    return name.empty() ? AliasResult::NoAlias : AliasResult::FinalAlias;
  }
};

} // namespace

void MsaDialect::initialize() {
  addInterfaces<AliasInterface>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/msa/MsaAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/msa/MsaTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/msa/MsaOps.cpp.inc"
      >();
}

LogicalResult MsaDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName().getValue();
  if (name != targetAttrName)
    return op->emitOpError() << "has an unknown attribute '" << name
                             << "' (accepted: " << targetAttrName << ")";
  if (!isa<ModuleOp>(op))
    return op->emitOpError() << "'" << targetAttrName << "' belongs on a module";
  auto target = dyn_cast<StringAttr>(attribute.getValue());
  if (!target)
    return op->emitOpError() << "'" << targetAttrName << "' must be a string, e.g. \"sm_80\"";
  if (findTarget({target.data(), target.size()}))
    return success();
  std::vector<std::string_view> names;
  for (const Target &known : targets())
    names.push_back(known.name);
  InFlightDiagnostic error = op->emitOpError() << "unknown target '" << target.getValue() << "'";
  if (std::string_view near = nearestWord({target.data(), target.size()}, names); !near.empty())
    error << ", did you mean '" << StringRef(near) << "'?";
  error << " (accepted:";
  for (std::string_view accepted : names)
    error << " " << StringRef(accepted);
  return error << ")";
}

/// `<` (key `=` value (`,` key `=` value)*)? `>`; each key at most once.
Attribute ScheduleAttr::parse(AsmParser &parser, Type) {
  std::optional<Route> route;
  std::optional<int32_t> chunk;
  auto field = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    StringRef key;
    if (parser.parseKeyword(&key) || parser.parseEqual())
      return failure();
    if ((key == "route" && route) || (key == "chunk" && chunk))
      return parser.emitError(loc) << "'" << key << "' is given twice";
    if (key == "route") {
      FailureOr<Route> value = detail::parseWord<Route>(parser);
      if (failed(value))
        return failure();
      route = value;
      return success();
    }
    if (key == "chunk") {
      int32_t value = 0;
      if (parser.parseInteger(value))
        return failure();
      chunk = value;
      return success();
    }
    return parser.emitError(loc) << "unknown key '" << key << "' (accepted: route chunk)";
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, field, " in #msa.schedule"))
    return {};
  return get(parser.getContext(), route, chunk);
}

void ScheduleAttr::print(AsmPrinter &printer) const {
  printer << "<";
  if (getRoute())
    printer << "route = " << StringRef(toString(*getRoute()));
  if (getChunk())
    printer << (getRoute() ? ", " : "") << "chunk = " << *getChunk();
  printer << ">";
}

} // namespace msa::ir

//===- Diagnostics.cpp - MLIR's diagnostics as Status, and back -----------===//
//
// See Diagnostics.h.
//
//===----------------------------------------------------------------------===//
#include "compiler/Diagnostics.h"

#include "mlir/IR/Location.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace msa {
namespace {

/// "file:line:column: ", or nothing for a place that is in no file.
std::string placeOf(Location loc) {
  auto file = loc->findInstanceOf<FileLineColLoc>();
  if (!file)
    return {};
  return file.getFilename().str() + ":" + std::to_string(file.getLine()) + ":" +
         std::to_string(file.getColumn()) + ": ";
}

} // namespace

InFlightDiagnostic emitStatus(Operation *op, const Status &status) {
  InFlightDiagnostic diagnostic = op->emitOpError() << status.message();
  diagnostic.getUnderlyingDiagnostic()->getMetadata().push_back(
      DiagnosticArgument(status.exitCode()));
  return diagnostic;
}

DiagnosticCapture::DiagnosticCapture(MLIRContext *context)
    : handler(context, [this](Diagnostic &diagnostic) {
        take(diagnostic);
        return success();
      }) {}

void DiagnosticCapture::take(Diagnostic &diagnostic) {
  std::string line = placeOf(diagnostic.getLocation()) + diagnostic.str();
  if (diagnostic.getSeverity() != DiagnosticSeverity::Error) {
    remarkLines.push_back(line);
    return;
  }
  if (!errors.empty())
    errors += "\n";
  errors += line;
  for (Diagnostic &note : diagnostic.getNotes())
    errors += "\n" + placeOf(note.getLocation()) + "note: " + note.str();
  for (const DiagnosticArgument &argument : diagnostic.getMetadata())
    if (!code && argument.getKind() == DiagnosticArgument::DiagnosticArgumentKind::Integer)
      code = static_cast<StatusCode>(argument.getAsInteger());
}

Status DiagnosticCapture::failure(StatusCode fallback) const {
  return {code.value_or(fallback), errors.empty() ? "failed without a diagnostic" : errors};
}

} // namespace msa

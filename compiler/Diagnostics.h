//===- Diagnostics.h - MLIR's diagnostics as Status, and back -------------===//
//
// Passes report through MLIR; the library answers with a Status. A diagnostic
// carries the StatusCode of what failed as metadata, so that a missing tool is
// not taken for bad input. Nothing is printed.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

#include <string>
#include <vector>

namespace msa {

/// Emits `status` (a failure) as an error at the op.
mlir::InFlightDiagnostic emitStatus(mlir::Operation *op, const Status &status);

/// Collects what is emitted on a context while it lives. One thread.
class DiagnosticCapture {
public:
  explicit DiagnosticCapture(mlir::MLIRContext *context);

  /// The errors so far, one a line with `file:line:column` and their notes, and the code of the
  /// first; `fallback` is the code of an error that has none.
  Status failure(StatusCode fallback) const;
  /// Remarks so far, located like errors where they have a file.
  const std::vector<std::string> &remarks() const { return remarkLines; }

private:
  void take(mlir::Diagnostic &diagnostic);

  std::string errors;
  std::optional<StatusCode> code;
  std::vector<std::string> remarkLines;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace msa

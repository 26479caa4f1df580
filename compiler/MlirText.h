//===- MlirText.h - refuses input that MLIR's readers may not survive ------===//
//
// MLIR's parser recurses for every bracket and every unary minus, without a
// limit; a few thousand of them end the process. It also takes bytecode, whose
// reader trusts its input, and it writes out aliases of aliases, however many
// they become; and some texts end it by mistakes of its own, which are listed in
// the .cpp file. Text is checked before it is given to the parser.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <string>
#include <string_view>

namespace msa {

/// Brackets may be this deep; our own IR needs about ten levels.
inline constexpr int maxNesting = 200;

/// InvalidInput with `name:line:column` when `text` nests deeper than maxNesting, holds
/// bytecode, or has aliases that expand without measure.
Status checkMlirText(std::string_view text, const std::string &name);

} // namespace msa

//===- Words.h - the plan's enumerators as IR keywords --------------------===//
//
// Lets the parsers that MLIR generates for `#msa` attributes read the words of
// msa/Plan.h, and answer an unknown one with the nearest and all accepted.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Plan.h"

#include "mlir/IR/DialectImplementation.h"

namespace msa::ir::detail {

/// All enumerators of an enumeration of msa/Plan.h, in order.
template <typename E> struct Enumerators;
template <> struct Enumerators<DType> {
  static constexpr const char *what = "type";
  static constexpr DType all[] = {DType::BF16, DType::F16,   DType::F32,
                                  DType::E4M3, DType::NVFP4, DType::MXFP4};
};
template <> struct Enumerators<KvKind> {
  static constexpr const char *what = "layout";
  static constexpr KvKind all[] = {KvKind::Contiguous, KvKind::Paged};
};
template <> struct Enumerators<SelectionOrder> {
  static constexpr const char *what = "selection order";
  static constexpr SelectionOrder all[] = {SelectionOrder::HeadMajor, SelectionOrder::TokenMajor};
};
template <> struct Enumerators<Route> {
  static constexpr const char *what = "route";
  static constexpr Route all[] = {Route::Auto, Route::Tile, Route::Cuda};
};

/// Reads one keyword that is the word of an enumerator.
template <typename E> mlir::FailureOr<E> parseWord(mlir::AsmParser &parser) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  llvm::StringRef word;
  if (parser.parseKeyword(&word))
    return mlir::failure();
  std::vector<std::string_view> words;
  for (E value : Enumerators<E>::all) {
    words.push_back(toString(value));
    if (word == llvm::StringRef(words.back()))
      return value;
  }
  auto error = parser.emitError(loc) << "unknown " << Enumerators<E>::what << " '" << word << "'";
  if (std::string_view near = nearestWord({word.data(), word.size()}, words); !near.empty())
    error << ", did you mean '" << llvm::StringRef(near) << "'?";
  error << " (accepted:";
  for (std::string_view accepted : words)
    error << " " << llvm::StringRef(accepted);
  error << ")";
  return mlir::failure();
}

} // namespace msa::ir::detail

namespace mlir {

template <> struct FieldParser<msa::DType> {
  static FailureOr<msa::DType> parse(AsmParser &p) {
    return msa::ir::detail::parseWord<msa::DType>(p);
  }
};
template <> struct FieldParser<msa::KvKind> {
  static FailureOr<msa::KvKind> parse(AsmParser &p) {
    return msa::ir::detail::parseWord<msa::KvKind>(p);
  }
};
template <> struct FieldParser<msa::SelectionOrder> {
  static FailureOr<msa::SelectionOrder> parse(AsmParser &p) {
    return msa::ir::detail::parseWord<msa::SelectionOrder>(p);
  }
};

} // namespace mlir

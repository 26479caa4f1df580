//===- Values.h - literals and formulas of case files ---------------------===//
//
// Numbers as people write them (-1, 0x7f, 1.5, nan, 0x1p-149) in any PTX type,
// and integer formulas over `lane` with C's operators and precedences.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "CaseFile.h"

#include <cstdint>
#include <string_view>

namespace msa::ptxsim::cases {

/// Looks a type name up; throws std::runtime_error for an unknown one.
ValueType valueType(std::string_view name);

/// The bits of a literal. Packed types take hexadecimal only; f16 and bf16 take decimals that are
/// exact in them. Throws std::runtime_error when the text is not a value of the type.
uint64_t parseValue(const ValueType &, std::string_view text);

/// Evaluates a formula over `lane`; 64-bit wrapping arithmetic. Throws std::runtime_error.
uint64_t evaluate(std::string_view formula, uint64_t lane);

} // namespace msa::ptxsim::cases

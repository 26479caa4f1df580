//===- Parser.h - PTX text to Module --------------------------------------===//
#pragma once

#include "msa/Status.h"
#include "ptxsim/Module.h"

#include <string>
#include <string_view>

namespace msa::ptxsim {

/// Parses a whole PTX module. Every error is "name:line:column: what is wrong; what is accepted".
/// Handles all of PTX ISA chapter 4, 5 and 11 that compilers emit: block scopes with their own
/// registers and labels, parameterised register names, initialisers, `.loc/.file/.section/.pragma`,
/// debug sections, `.func` with calls, `.branchtargets`, `.callprototype`, vectors, `d|p` pairs,
/// `[a+4]`, `[map, {x, y}]`, constant expressions. Bounded in memory and depth for any input.
Expected<Module> parseModule(std::string_view text, const std::string &name);

} // namespace msa::ptxsim

//===- Parser.h - PTX text to Module --------------------------------------===//
//
// How the text becomes a Module, where Module.h leaves it open:
//
// * Function::registers holds the registers that the text names: of `.reg .b32 %r<100>` those that
//   an instruction uses, in order of first use. A vector register v of `.reg .v4` is four registers
//   "v.x" to "v.w"; as an operand, v is a Vector of them.
// * A parameter or result declared `.reg` has StateSpace::Reg and the name of its register.
// * Function-scoped variables have unique names: the second `param0` of a function is "param0@2".
//   A `.global` or `.const` inside a function is in Module::variables as "function@name@1".
// * A Label operand's index may equal body.size(): a label behind the last instruction. For
//   `brx.idx` it is the index of a list in Function::branchTargets.
// * `call` has exactly three operands: the target (Symbol: a function; Register: an indirect
//   call), a Vector of results, a Vector of arguments (either may be empty). Their children are
//   Symbols (`.param` variables), Registers, Immediates and Sinks. The number of arguments of a
//   direct call has been checked. Prototypes and call targets are checked for existence and
//   dropped.
// * Address: base register (index) or symbol or neither, `offset`, and as children what follows a
//   comma inside the brackets, as it stands: `[map, {x, y}]` has one child, a Vector.
// * `a[2]` is a Symbol with an offset in mov and cvta, an Address elsewhere (PTX ISA 6.4.2).
// * Uses of an `.alias` are uses of what it stands for.
// * A declaration `.func f(...);` and its later body are one Function.
//
//===----------------------------------------------------------------------===//
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

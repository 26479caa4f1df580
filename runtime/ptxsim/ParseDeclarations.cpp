//===- ParseDeclarations.cpp - registers and variables (PTX ISA 5.1, 5.4) --===//
//
// Function-scoped variables keep their name when it is the first of that name
// in the function; later ones (the `param0` of every call sequence) become
// "name@2", "name@3", which no PTX text can spell.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/ParserImpl.h"

#include <bit>

namespace msa::ptxsim {

/// Binds a name in the current scope, which must not have it yet.
bool ParserImpl::declareName(std::string_view name, Binding binding) {
  if (const Binding *old = names.find(name); old && old->depth == names.depth())
    return fail(binding.location,
                "'{}' is declared twice in this scope; first at line {}, column {}", name,
                old->location.line, old->location.column);
  names.declare(name, binding);
  return true;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

/// .reg[.v2|.v4] .type name[<count>], ...;
bool ParserImpl::parseRegisters() {
  advance();
  uint32_t width = 1;
  if ((atDotted("v2") || atDotted("v4")) && !parseVectorWidth(width))
    return false;
  std::optional<Type> type;
  if (token.kind == Token::Kind::Dotted)
    type = typeFromWord(token.text);
  if (!type)
    return failExpected("a register type such as .pred, .b32, .u64 or .f32");
  advance();
  do {
    SourceLocation at = token.location;
    std::string_view name;
    if (!expectWord(name, "a register name"))
      return false;
    if (takePunct('<')) {
      uint64_t count = 0;
      if (!expectInteger(count, "the number of registers", 0xffffffffu) ||
          !expectPunct('>', "the number of registers"))
        return false;
      if (width != 1)
        return fail(at, "'{}<{}>' of a vector type; accepted: single vector registers", name,
                    count);
      if (!declareParametric(name, *type, count, at))
        return false;
    } else if (!declareRegister(name, *type, width, at)) {
      return false;
    }
  } while (takePunct(','));
  return expectPunct(';', "a register declaration");
}

bool ParserImpl::declareRegister(std::string_view name, Type type, unsigned width,
                                 SourceLocation at) {
  uint32_t index = static_cast<uint32_t>(function->registers.size());
  if (width == 1)
    function->registers.push_back({std::string(name), type});
  for (unsigned i = 0; width > 1 && i < width; ++i)
    function->registers.push_back({fmt::format("{}.{}", name, "xyzw"[i]), type});
  Binding binding;
  binding.kind = width == 1 ? Binding::Kind::Register : Binding::Kind::VectorRegister;
  binding.index = index;
  binding.count = width;
  binding.location = at;
  return declareName(name, binding);
}

bool ParserImpl::declareParametric(std::string_view prefix, Type type, uint64_t count,
                                   SourceLocation at) {
  if (const Binding *old = prefixes.find(prefix); old && old->depth == prefixes.depth())
    return fail(at, "'{}<...>' is declared twice in this scope; first at line {}, column {}",
                prefix, old->location.line, old->location.column);
  Binding binding;
  binding.kind = Binding::Kind::Parametric;
  binding.index = static_cast<uint32_t>(parametrics.size());
  binding.location = at;
  parametrics.push_back({type, count, {}});
  prefixes.declare(prefix, binding);
  return true;
}

/// The register that `name` stands for. False: it is none; `binding` is then what it is, or null.
bool ParserImpl::resolveRegister(std::string_view name, uint32_t &index, const Binding *&binding) {
  binding = names.find(name);
  // `%r12` may be number 12 of `%r<N>` or, after `.reg .b32 %r1<9>`, number 2 of `%r1`.
  uint64_t number = 0, scale = 1;
  for (size_t split = name.size(); split-- > 1 && scale <= 1000000000;) {
    if (name[split] < '0' || name[split] > '9')
      break;
    number += scale * static_cast<uint64_t>(name[split] - '0');
    scale *= 10;
    if (name[split] == '0' && split + 1 != name.size())
      continue; // no leading zeros
    const Binding *prefix = prefixes.find(name.substr(0, split), [&](const Binding &candidate) {
      return number < parametrics[candidate.index].count;
    });
    if (!prefix || (binding && binding->depth >= prefix->depth))
      continue;
    Parametric &parametric = parametrics[prefix->index];
    auto [it, fresh] = parametric.named.try_emplace(number, 0);
    if (fresh) {
      it->second = static_cast<uint32_t>(function->registers.size());
      function->registers.push_back({std::string(name), parametric.type});
    }
    index = it->second;
    binding = nullptr;
    return true;
  }
  if (!binding || binding->kind != Binding::Kind::Register)
    return false;
  index = binding->index;
  return true;
}

//===----------------------------------------------------------------------===//
// Variables
//===----------------------------------------------------------------------===//

bool ParserImpl::parseAlignment(uint32_t &align) {
  constexpr uint64_t most = 65536;
  advance();
  SourceLocation at = token.location;
  uint64_t value = 0;
  if (!expectInteger(value, "an alignment", ~uint64_t{0}))
    return false;
  if (!std::has_single_bit(value) || value > most)
    return fail(at, ".align {}; accepted: a power of two up to {}", value, most);
  align = static_cast<uint32_t>(value);
  return true;
}

bool ParserImpl::parseVectorWidth(uint32_t &width) {
  width = token.text == "v2" ? 2 : 4;
  advance();
  return true;
}

/// The words from the state space up to the name, in any order.
bool ParserImpl::parseVariableHead(VariableHead &head) {
  std::string_view space = token.text;
  head.space = space == "global"  ? StateSpace::Global
               : space == "const" ? StateSpace::Const
               : space == "local" ? StateSpace::Local
               : space == "param" ? StateSpace::Param
                                  : StateSpace::Shared;
  for (advance(); token.kind == Token::Kind::Dotted;) {
    if (atDotted("align")) {
      if (!parseAlignment(head.align))
        return false;
    } else if (atDotted("v2") || atDotted("v4")) {
      if (!parseVectorWidth(head.width))
        return false;
    } else if (atDotted("attribute")) {
      advance(); // .attribute(.managed), .attribute(.unified(a, b)): nothing that changes a run
      if (!skipParentheses(".attribute"))
        return false;
    } else if (std::optional<Type> type = typeFromWord(token.text)) {
      if (*type == Type::Pred)
        return fail(token.location, "a variable of type .pred in memory; accepted: .reg .pred");
      if (head.type)
        return fail(token.location, "a second type '.{}'", token.text);
      head.type = type;
      advance();
    } else {
      return failExpected("a type such as .b8, .u32 or .f32, .align, .v2 or .v4");
    }
  }
  return head.type ? true : failExpected("a type such as .b8, .u32 or .f32");
}

/// .space [.align n] [.vN] .type name[dims] [= initialiser], ...;
bool ParserImpl::parseVariables(const Linkage &linkage) {
  VariableHead head;
  if (!parseVariableHead(head))
    return false;
  do {
    if (!parseVariable(head, linkage))
      return false;
  } while (takePunct(','));
  return expectPunct(';', "a variable declaration");
}

/// [n][m]...; the first may be empty: `open`.
bool ParserImpl::parseDimensions(std::vector<uint64_t> &dimensions, bool &open) {
  while (atPunct('[')) {
    SourceLocation at = token.location;
    advance();
    if (dimensions.size() >= 8)
      return fail(at, "more than 8 dimensions");
    if (dimensions.empty() && takePunct(']')) {
      open = true;
      dimensions.push_back(0);
      continue;
    }
    Constant count;
    if (!parseConstant(count))
      return false;
    if (count.kind != Operand::ImmediateKind::Integer ||
        (!count.isUnsigned && static_cast<int64_t>(count.bits) < 0))
      return fail(at, "an array size that is not a count");
    if (!expectPunct(']', "an array size"))
      return false;
    dimensions.push_back(count.bits);
  }
  return true;
}

/// Most bytes of one state space that a module (local, param: a function) may declare.
static uint64_t mostBytes(StateSpace space) {
  switch (space) {
  case StateSpace::Const:
    return 10 * 65536; // ten banks, PTX ISA 5.1.3
  case StateSpace::Local:
    return 512 * 1024; // a thread's local memory
  case StateSpace::Shared:
    return 16 << 20; // far above any SM; a launch checks the real limit
  case StateSpace::Param:
    return 1 << 20;
  default:
    return uint64_t{1} << 40;
  }
}

bool ParserImpl::multiply(uint64_t &bytes, uint64_t count, StateSpace space, SourceLocation at) {
  if (__builtin_mul_overflow(bytes, count, &bytes) || bytes > mostBytes(space))
    return fail(at, "this variable is larger than .{} memory can be; accepted: at most {} bytes",
                toString(space), mostBytes(space));
  return true;
}

/// Adds a variable's bytes to what its space holds already.
bool ParserImpl::charge(StateSpace space, uint64_t bytes, SourceLocation at) {
  uint64_t &sum = spaceBytes[static_cast<size_t>(space)];
  sum += bytes;
  if (sum > mostBytes(space))
    return fail(at, "the .{} variables up to here take {} bytes; accepted: at most {}",
                toString(space), sum, mostBytes(space));
  return true;
}

bool ParserImpl::parseVariable(const VariableHead &head, const Linkage &linkage) {
  Variable variable;
  variable.location = token.location;
  variable.space = head.space;
  variable.type = *head.type;
  variable.external = linkage.external;
  variable.weak = linkage.weak || linkage.common;
  std::string_view name;
  if (!expectWord(name, "a variable name"))
    return false;
  std::vector<uint64_t> dimensions;
  bool open = false;
  if (!parseDimensions(dimensions, open))
    return false;
  uint32_t element = sizeOf(variable.type) * head.width;
  variable.align = head.align ? head.align : element;
  uint64_t row = element; // bytes of one element of the first dimension
  for (size_t i = 1; i < dimensions.size(); ++i)
    if (!multiply(row, dimensions[i], head.space, variable.location))
      return false;
  uint32_t indexable = dimensions.size() == 1 ? element : 0;
  if (head.width > 1)
    dimensions.push_back(head.width);
  uint64_t rows = dimensions.empty() ? 1 : dimensions[0];
  if (dimensions.size() == 1 && head.width > 1)
    rows = 1;
  if (atPunct('=')) {
    if (head.space != StateSpace::Global && head.space != StateSpace::Const)
      return fail(token.location, "an initialiser in .{} memory; accepted: .global and .const",
                  toString(head.space));
    advance();
    uint64_t used = 0;
    if (!parseInitialiser(variable, dimensions, used))
      return false;
    rows = open ? used : rows;
  } else if (open && !linkage.external) {
    return fail(variable.location,
                "'{}[]' has no size; accepted: a size, an initialiser, or .extern", name);
  }
  variable.bytes = row;
  return multiply(variable.bytes, rows, head.space, variable.location) &&
         declareVariable(std::move(variable), name, indexable, linkage);
}

bool ParserImpl::declareVariable(Variable &&variable, std::string_view name, uint32_t elementBytes,
                                 const Linkage &linkage) {
  Binding binding;
  binding.location = variable.location;
  binding.count = elementBytes;
  if (!function) {
    variable.name = name;
    binding.kind = Binding::Kind::Global;
    return declareModuleVariable(std::move(variable), name, binding, linkage);
  }
  uint32_t times = ++variableNames[name];
  variable.name = times == 1 ? std::string(name) : fmt::format("{}@{}", name, times);
  if (!charge(variable.space, variable.bytes, variable.location))
    return false;
  // A .global in a function lives as long as the module does.
  bool isStatic = variable.space == StateSpace::Global || variable.space == StateSpace::Const;
  if (isStatic)
    variable.name = fmt::format("{}@{}@{}", function->name, name, times);
  std::vector<Variable> &list = isStatic ? module.variables : function->variables;
  binding.kind = isStatic ? Binding::Kind::Global : Binding::Kind::Local;
  binding.index = static_cast<uint32_t>(list.size());
  list.push_back(std::move(variable));
  return declareName(name, binding);
}

/// A module-level name may be declared .extern (or .weak) and defined once more.
bool ParserImpl::declareModuleVariable(Variable &&variable, std::string_view name, Binding binding,
                                       const Linkage &) {
  const Binding *old = names.find(name);
  if (old && old->kind == Binding::Kind::Global) {
    Variable &before = module.variables[old->index];
    bool replaces = before.external || (before.weak && variable.weak);
    if ((replaces || variable.external) && before.space == variable.space &&
        before.type == variable.type) {
      if (!variable.external) {
        if (!charge(variable.space, variable.bytes, variable.location))
          return false;
        before = std::move(variable);
      }
      return true;
    }
  }
  binding.index = static_cast<uint32_t>(module.variables.size());
  if (!charge(variable.space, variable.bytes, variable.location) || !declareName(name, binding))
    return false;
  module.variables.push_back(std::move(variable));
  return true;
}

} // namespace msa::ptxsim

//===- ParseOperands.cpp - operands (PTX ISA 6) ----------------------------===//
#include "ptxsim/ParserImpl.h"

namespace msa::ptxsim {

bool ParserImpl::failUndeclared(std::string_view name, SourceLocation at, std::string_view what) {
  size_t digits = name.find_last_not_of("0123456789");
  digits = digits == std::string_view::npos ? name.size() : digits + 1;
  if (const Binding *prefix =
          digits < name.size() ? prefixes.find(name.substr(0, digits)) : nullptr)
    return fail(at, "'{}' is outside of '{}<{}>', declared at line {}", name,
                name.substr(0, digits), parametrics[prefix->index].count, prefix->location.line);
  std::string_view near = names.nearest(name);
  if (near.empty() && !name.empty() && name[0] == '%')
    near = nearestSpecialRegister(name);
  return fail(at, "undeclared {} '{}'{}", what, name.substr(0, 80),
              near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near));
}

/// The variable that a name of kind Local, Parameter, Result or Global stands for; else null.
const Variable *ParserImpl::variableOf(const Binding &binding) const {
  switch (binding.kind) {
  case Binding::Kind::Local:
    return &function->variables[binding.index];
  case Binding::Kind::Parameter:
    return &function->parameters[binding.index];
  case Binding::Kind::Result:
    return &function->results[binding.index];
  case Binding::Kind::Global:
    return &module.variables[binding.index];
  default:
    return nullptr;
  }
}

bool ParserImpl::parseOperand(Operand &operand, unsigned depth) {
  operand.location = token.location;
  if (token.kind == Token::Kind::Word && token.text != "WARP_SZ") {
    if (!parseWordOperand(operand))
      return false;
    return atPunct('|') ? parsePairSecond(operand) : true;
  }
  if (atPunct('{'))
    return parseVector(operand, depth);
  if (atPunct('['))
    return parseAddress(operand);
  if (atPunct('!')) {
    Lexer ahead = lexer;
    Token next = ahead.next();
    if (next.kind == Token::Kind::Word && next.text != "WARP_SZ") {
      advance();
      if (!parseWordOperand(operand))
        return false;
      if (operand.kind != Operand::Kind::Register || !isPredicate(operand.index))
        return fail(next.location, "'!{}': only a predicate can be negated", next.text);
      operand.negated = true;
      return true;
    }
  }
  if (!startsConstant())
    return failExpected("an operand: a register, a constant, a symbol, '[address]' or '{vector}'");
  Constant value;
  if (!parseConstant(value))
    return false;
  operand.kind = Operand::Kind::Immediate;
  operand.immediate = value.kind;
  operand.bits = value.bits;
  return true;
}

/// A register, a special register, a symbol or `_`.
bool ParserImpl::parseWordOperand(Operand &operand) {
  std::string_view name = token.text;
  SourceLocation at = token.location;
  operand.location = at;
  if (name == "_") {
    operand.kind = Operand::Kind::Sink;
    advance();
    return true;
  }
  const Binding *binding = nullptr;
  if (resolveRegister(name, operand.index, binding)) {
    operand.kind = Operand::Kind::Register;
    advance();
    if (token.kind == Token::Kind::Dotted)
      return fail(token.location, "'{}' is not a vector and has no component '.{}'", name,
                  token.text);
    return true;
  }
  if (!binding && isSpecialRegister(name)) {
    operand.kind = Operand::Kind::Special;
    operand.special.name = name;
    advance();
    return token.kind == Token::Kind::Dotted ? parseComponent(operand, nullptr) : true;
  }
  if (!binding)
    return failUndeclared(name, at, "register, variable or function");
  advance();
  if (binding->kind == Binding::Kind::VectorRegister)
    return parseComponent(operand, binding);
  if (binding->kind == Binding::Kind::Function || variableOf(*binding)) {
    setSymbol(operand, *binding);
    if (atPunct('['))
      return parseArrayElement(operand, *binding);
    return atPunct('+') ? parseOffset(operand.offset) : true;
  }
  return fail(at, "'{}' is a label; accepted here: a register, a variable or a function", name);
}

void ParserImpl::setSymbol(Operand &operand, const Binding &binding) {
  operand.kind = Operand::Kind::Symbol;
  const Variable *variable = variableOf(binding);
  operand.symbol = variable ? variable->name : module.functions[binding.index].name;
}

/// `.x` and the like behind a special register (`vector` null) or a vector register; a vector
/// register without a component is all of its registers.
bool ParserImpl::parseComponent(Operand &operand, const Binding *vector) {
  if (token.kind != Token::Kind::Dotted) {
    operand.kind = Operand::Kind::Vector;
    operand.children.resize(vector->count);
    for (uint32_t i = 0; i < vector->count; ++i) {
      operand.children[i].kind = Operand::Kind::Register;
      operand.children[i].index = vector->index + i;
      operand.children[i].location = operand.location;
    }
    return true;
  }
  std::string_view names[] = {"xr", "yg", "zb", "wa"};
  uint32_t component = 0;
  while (component < 4 &&
         (token.text.size() != 1 || names[component].find(token.text[0]) == std::string_view::npos))
    ++component;
  if (component >= (vector ? vector->count : 4))
    return fail(token.location, "unknown component '.{}'; accepted: .x .y{}", token.text,
                vector && vector->count == 2 ? "" : " .z .w");
  if (vector) {
    operand.kind = Operand::Kind::Register;
    operand.index = vector->index + component;
  } else {
    operand.special.component = "xyzw"[component];
  }
  advance();
  return true;
}

/// a[i]: the address of an element for mov and cvta, the element's memory for all others.
bool ParserImpl::parseArrayElement(Operand &operand, const Binding &binding) {
  SourceLocation at = token.location;
  uint32_t elementBytes = binding.count;
  advance();
  Constant index;
  if (!startsConstant())
    return fail(token.location,
                "an array index that is not a constant; accepted: [register + offset]");
  if (!parseConstant(index) || !expectPunct(']', "an array index"))
    return false;
  if (index.kind != Operand::ImmediateKind::Integer || elementBytes == 0)
    return fail(at, "this index; accepted: an integer behind a variable of one dimension");
  if (__builtin_mul_overflow(static_cast<int64_t>(index.bits), static_cast<int64_t>(elementBytes),
                             &operand.offset))
    return fail(at, "this index is too large");
  const std::string &opcode = function->body.back().opcode;
  if (opcode != "mov" && opcode != "cvta")
    operand.kind = Operand::Kind::Address;
  return true;
}

/// Nothing, or '+' and a constant, which may be negative.
bool ParserImpl::parseOffset(int64_t &offset) {
  if (atPunct('-'))
    return fail(token.location, "a '-' behind an address; accepted: '+-' and the offset");
  if (!takePunct('+'))
    return true;
  SourceLocation at = token.location;
  if (!startsConstant())
    return failExpected("a constant after '+'");
  Constant value;
  if (!parseConstant(value))
    return false;
  if (value.kind != Operand::ImmediateKind::Integer)
    return fail(at, "a floating-point offset; accepted: an integer");
  offset = static_cast<int64_t>(static_cast<uint64_t>(offset) + value.bits);
  return true;
}

/// [base], [base+offset], [constant], [base, operand...]
bool ParserImpl::parseAddress(Operand &operand) {
  advance();
  if (token.kind == Token::Kind::Word && token.text != "WARP_SZ") {
    std::string_view name = token.text;
    Operand base;
    if (!parseWordOperand(base))
      return false;
    if (base.kind == Operand::Kind::Register) {
      if (isPredicate(base.index))
        return fail(base.location, "the address '{}' is a predicate; accepted: .b32 or .b64", name);
      operand.index = base.index;
    } else if (base.kind == Operand::Kind::Symbol || base.kind == Operand::Kind::Address) {
      operand.symbol = std::move(base.symbol);
      operand.offset = base.offset;
    } else {
      return fail(base.location,
                  "'{}' is not an address; accepted: a register, a variable or a constant", name);
    }
    if (!parseOffset(operand.offset))
      return false;
  } else {
    SourceLocation at = token.location;
    Constant value;
    if (!startsConstant())
      return failExpected("an address: a register, a variable or a constant");
    if (!parseConstant(value))
      return false;
    if (value.kind != Operand::ImmediateKind::Integer)
      return fail(at, "a floating-point address; accepted: an integer");
    operand.offset = static_cast<int64_t>(value.bits);
  }
  operand.kind = Operand::Kind::Address;
  while (takePunct(',')) {
    Operand &child = operand.children.emplace_back();
    if (atPunct('['))
      return failExpected("']', coordinates or a register in an address");
    if (!parseOperand(child, 1))
      return false;
  }
  return expectPunct(']', "an address");
}

/// {a, b, ...}
bool ParserImpl::parseVector(Operand &operand, unsigned depth) {
  if (depth > 1)
    return fail(token.location, "a vector inside a vector inside a vector");
  operand.kind = Operand::Kind::Vector;
  do {
    advance();
    Operand &child = operand.children.emplace_back();
    if (atPunct('['))
      return failExpected("a register, a constant or '_' in a vector");
    if (!parseOperand(child, depth + 1))
      return false;
  } while (atPunct(','));
  return expectPunct('}', "the elements of a vector");
}

/// The second half of d|p; the first is in `operand`, the current token is '|'.
bool ParserImpl::parsePairSecond(Operand &operand) {
  auto fits = [](const Operand &half) {
    return half.kind == Operand::Kind::Register || half.kind == Operand::Kind::Sink;
  };
  SourceLocation at = token.location;
  advance();
  Operand second;
  if (token.kind != Token::Kind::Word)
    return failExpected("a predicate or '_' after '|'");
  if (!parseWordOperand(second))
    return false;
  if (!fits(operand) || !fits(second))
    return fail(at, "'|' between something else than two registers or '_'");
  Operand pair;
  pair.kind = Operand::Kind::Pair;
  pair.location = operand.location;
  pair.children.reserve(2);
  pair.children.push_back(std::move(operand));
  pair.children.push_back(std::move(second));
  operand = std::move(pair);
  return true;
}

/// A label, a list of labels: known at the end of a block.
bool ParserImpl::parseLabelUse(Operand &operand, Pending::Kind kind, uint32_t position) {
  operand.kind = Operand::Kind::Label;
  operand.location = token.location;
  pending.push_back({kind, static_cast<uint32_t>(function->body.size() - 1), position, token.text,
                     token.location});
  std::string_view name;
  return expectWord(name,
                    kind == Pending::Kind::List ? "the name of a .branchtargets list" : "a label");
}

} // namespace msa::ptxsim

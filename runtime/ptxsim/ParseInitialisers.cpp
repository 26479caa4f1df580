//===- ParseInitialisers.cpp - initial values (PTX ISA 5.4.3, 5.4.4) -------===//
//
// Bytes are stored up to the last one written out; what follows is zero. An
// address (`symbol`, `generic(symbol)`, `0xff00(symbol)`, each with an offset)
// becomes a relocation, because addresses exist only when a module is loaded.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/ParserImpl.h"

#include <bit>

namespace msa::ptxsim {

/// After '='. `rows` is the number of elements given for the first dimension.
bool ParserImpl::parseInitialiser(Variable &variable, const std::vector<uint64_t> &dimensions,
                                  uint64_t &rows) {
  if (dimensions.empty()) {
    rows = 1;
    bool braces = takePunct('{');
    return parseInitialiserElement(variable, 0) &&
           (!braces || expectPunct('}', "the value of a scalar"));
  }
  return parseInitialiserLevel(variable, dimensions, 0, 0, rows);
}

bool ParserImpl::parseInitialiserLevel(Variable &variable, const std::vector<uint64_t> &dimensions,
                                       size_t level, uint64_t offset, uint64_t &used) {
  uint64_t stride = sizeOf(variable.type);
  for (size_t i = level + 1; i < dimensions.size(); ++i)
    stride *= dimensions[i]; // the product is the variable's size at most, checked before
  if (!expectPunct('{', "'=' or ',' in an initialiser of an array"))
    return false;
  for (used = 0; !atPunct('}'); ++used) {
    // The first dimension may be open (0): then the initialiser decides.
    if (used >= dimensions[level] && !(level == 0 && dimensions[0] == 0))
      return fail(token.location, "more than {} values for this dimension", dimensions[level]);
    uint64_t at = 0, ignored = 0;
    if (__builtin_mul_overflow(used, stride, &at) || __builtin_add_overflow(at, offset, &at))
      return fail(token.location, "this initialiser is too large");
    bool last = level + 1 == dimensions.size();
    if (!(last ? parseInitialiserElement(variable, at)
               : parseInitialiserLevel(variable, dimensions, level + 1, at, ignored)))
      return false;
    if (!takePunct(',')) {
      ++used;
      break;
    }
  }
  return expectPunct('}', "the values of an array");
}

bool ParserImpl::parseInitialiserElement(Variable &variable, uint64_t offset) {
  if (token.kind == Token::Kind::Word && token.text != "WARP_SZ")
    return parseRelocation(variable, offset, nullptr);
  SourceLocation at = token.location;
  Constant value;
  if (!parseConstant(value))
    return false;
  if (atPunct('('))
    return parseRelocation(variable, offset, &value);
  return storeConstant(variable, offset, value, at);
}

/// Makes room for the bytes up to `end`; all initialisers together are bounded.
bool ParserImpl::reserveInitial(Variable &variable, uint64_t end, SourceLocation at) {
  constexpr uint64_t most = uint64_t{256} << 20;
  if (end <= variable.initial.size())
    return true;
  uint64_t more = end - variable.initial.size();
  if (more > most || initialBytes + more > most)
    return fail(at, "the initialisers of this module span more than {} bytes", most);
  initialBytes += more;
  variable.initial.resize(end);
  return true;
}

bool ParserImpl::storeConstant(Variable &variable, uint64_t offset, const Constant &value,
                               SourceLocation at) {
  using Kind = Operand::ImmediateKind;
  uint32_t width = sizeOf(variable.type);
  uint64_t bits = value.bits;
  bool single = variable.type == Type::F32, real = single || variable.type == Type::F64;
  if (variable.type == Type::F16 || variable.type == Type::F16x2 || variable.type == Type::B128)
    return fail(at, "an initial value of type .{}; accepted: .b8 to .b64, .f32 and .f64",
                toString(variable.type));
  if (value.kind != Kind::Integer && width < 4)
    return fail(at, "a floating-point value for type .{}", toString(variable.type));
  if (real) {
    double number = value.kind == Kind::Integer
                        ? (value.isUnsigned ? static_cast<double>(bits)
                                            : static_cast<double>(static_cast<int64_t>(bits)))
                    : value.kind == Kind::F64
                        ? std::bit_cast<double>(bits)
                        : static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    if (single && value.kind != Kind::F32)
      bits = std::bit_cast<uint32_t>(static_cast<float>(number));
    else if (!single && value.kind != Kind::F64)
      bits = std::bit_cast<uint64_t>(number);
  } else if (value.kind == Kind::F64 && width == 4) {
    bits = std::bit_cast<uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
  }
  if (!reserveInitial(variable, offset + width, at))
    return false;
  for (uint32_t i = 0; i < width; ++i) // wider integers are cut, as ptxas does
    variable.initial[offset + i] = static_cast<uint8_t>(bits >> (8 * i));
  return true;
}

/// symbol[+c], generic(symbol)[+c], or, behind a mask that is read already, (symbol[+c])
bool ParserImpl::parseRelocation(Variable &variable, uint64_t offset, const Constant *mask) {
  Relocation relocation{};
  relocation.offset = offset;
  relocation.width = sizeOf(variable.type);
  SourceLocation at = token.location;
  if (mask) {
    unsigned shift = static_cast<unsigned>(std::countr_zero(mask->bits));
    if (relocation.width != 1 || mask->bits == 0 || shift % 8 || mask->bits >> shift != 0xff)
      return fail(at,
                  "a mask of {:#x} for type .{}; accepted: 0xff, 0xff00, ... in .u8, .s8 or .b8",
                  mask->bits, toString(variable.type));
    relocation.shift = shift;
  } else if (relocation.width < 4 || relocation.width > 8 || variable.type == Type::F32 ||
             variable.type == Type::F64 || variable.type == Type::F16x2) {
    return fail(at,
                "an address in a variable of type .{}; accepted: 32- and 64-bit integer types, or "
                "a mask such as 0xff(symbol) in .u8",
                toString(variable.type));
  }
  std::string_view name;
  bool parenthesis = mask != nullptr;
  if (parenthesis)
    advance();
  if (!expectWord(name, "a symbol"))
    return false;
  if (name == "generic" && atPunct('(')) {
    advance();
    relocation.generic = true;
    at = token.location;
    if (!expectWord(name, "a symbol") || !expectPunct(')', "generic(symbol"))
      return false;
  }
  const Binding *binding = names.find(name);
  if (!binding ||
      (binding->kind != Binding::Kind::Global && binding->kind != Binding::Kind::Function &&
       binding->kind != Binding::Kind::Local))
    return failUndeclared(name, at, "variable or function");
  if (binding->kind == Binding::Kind::Local)
    return fail(at, "'{}' lives in a function; accepted: module-level variables and functions",
                name);
  relocation.symbol = binding->kind == Binding::Kind::Global ? module.variables[binding->index].name
                                                             : std::string(name);
  if (!parseOffset(relocation.addend))
    return false;
  if (parenthesis && (!expectPunct(')', "a masked symbol") || !parseOffset(relocation.addend)))
    return false;
  if (!reserveInitial(variable, offset + relocation.width, at))
    return false;
  variable.relocations.push_back(std::move(relocation));
  return true;
}

} // namespace msa::ptxsim

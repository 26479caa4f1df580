//===- Values.cpp - literals and formulas of case files -------------------===//
//
// See Values.h. Halves are converted here with ldexp, apart from the library.
//
//===----------------------------------------------------------------------===//
#include "Values.h"

#include <bit>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace msa::ptxsim::cases {
namespace {

struct TypeRow {
  const char *name;
  int bits;
};
constexpr TypeRow typeRows[] = {
    {"b16", 16}, {"u16", 16}, {"s16", 16}, {"f16", 16},   {"bf16", 16},   {"b32", 32},
    {"u32", 32}, {"s32", 32}, {"f32", 32}, {"f16x2", 32}, {"bf16x2", 32}, {"b64", 64},
    {"u64", 64}, {"s64", 64}, {"f64", 64}, {"pred", 32},
};

/// A number exactly as a format of `fractionBits` and exponent bias; throws if it is not exact.
uint64_t exactHalf(double value, int fractionBits, int bias) {
  if (std::isnan(value))
    return 0x7FFF;
  uint64_t sign = std::signbit(value) ? 0x8000 : 0;
  double magnitude = std::fabs(value);
  if (magnitude == 0)
    return sign;
  auto exponentOnes = static_cast<uint64_t>(2 * bias + 1);
  if (std::isinf(magnitude))
    return sign | (exponentOnes << fractionBits);
  int exponent = std::max(std::ilogb(magnitude), 1 - bias);
  double units = std::ldexp(magnitude, fractionBits - exponent);
  if (units != std::floor(units) || exponent > bias)
    throw std::runtime_error("not exact in a 16-bit float");
  return sign | ((static_cast<uint64_t>(exponent + bias - 1) << fractionBits) +
                 static_cast<uint64_t>(units));
}

/// Recursive descent, C's precedences.
class Formula {
public:
  Formula(std::string_view text, uint64_t lane) : text(text), lane(lane) {}

  uint64_t value() {
    uint64_t result = conditional();
    skip();
    if (at != text.size())
      fail();
    return result;
  }

private:
  [[noreturn]] void fail() const {
    throw std::runtime_error("bad formula \"" + std::string(text) + "\" at column " +
                             std::to_string(at + 1));
  }
  void skip() {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0)
      ++at;
  }
  bool take(std::string_view token) {
    skip();
    if (text.substr(at, token.size()) != token)
      return false;
    at += token.size();
    return true;
  }
  uint64_t conditional() {
    uint64_t condition = binary(0);
    if (!take("?"))
      return condition;
    uint64_t yes = conditional();
    if (!take(":"))
      fail();
    uint64_t no = conditional();
    return condition != 0 ? yes : no;
  }
  static uint64_t apply(std::string_view op, uint64_t a, uint64_t b) {
    auto x = static_cast<int64_t>(a), y = static_cast<int64_t>(b);
    if (op == "||")
      return a != 0 || b != 0;
    if (op == "&&")
      return a != 0 && b != 0;
    if (op == "==")
      return a == b;
    if (op == "!=")
      return a != b;
    if (op == "<=")
      return x <= y;
    if (op == ">=")
      return x >= y;
    if (op == "<<")
      return b > 63 ? 0 : a << b;
    if (op == ">>")
      return b > 63 ? 0 : a >> b;
    switch (op[0]) {
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '&':
      return a & b;
    case '<':
      return x < y;
    case '>':
      return x > y;
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    default:
      if (b == 0)
        throw std::runtime_error("division by zero in a formula");
      return op == "/" ? a / b : a % b;
    }
  }
  uint64_t binary(size_t level) {
    static const std::vector<std::vector<std::string_view>> levels = {
        {"||"},
        {"&&"},
        {"|"},
        {"^"},
        {"&"},
        {"==", "!="},
        {"<=", ">=", "<<", ">>", "<", ">"},
        {"+", "-"},
        {"*", "/", "%"}};
    if (level == levels.size())
      return unary();
    uint64_t left = binary(level + 1);
    while (true) {
      std::string_view found;
      for (std::string_view op : levels[level]) {
        skip();
        bool doubled = (op == "|" || op == "&") && at + 1 < text.size() && text[at + 1] == op[0];
        if (!doubled && take(op)) {
          found = op;
          break;
        }
      }
      if (found.empty())
        return left;
      left = apply(found, left, binary(level + 1));
    }
  }
  uint64_t unary() {
    if (take("-"))
      return 0 - unary();
    if (take("~"))
      return ~unary();
    if (take("(")) {
      uint64_t inner = conditional();
      if (!take(")"))
        fail();
      return inner;
    }
    if (take("lane"))
      return lane;
    skip();
    if (at == text.size() || std::isdigit(static_cast<unsigned char>(text[at])) == 0)
      fail();
    std::string rest(text.substr(at));
    char *end = nullptr;
    uint64_t number = std::strtoull(rest.c_str(), &end, 0);
    at += static_cast<size_t>(end - rest.c_str());
    return number;
  }

  std::string_view text;
  uint64_t lane;
  size_t at = 0;
};

uint64_t mask(int bits) { return bits == 64 ? ~0ull : (1ull << bits) - 1; }

} // namespace

ValueType valueType(std::string_view name) {
  for (const TypeRow &row : typeRows)
    if (name == row.name)
      return {std::string(name), row.bits};
  throw std::runtime_error("unknown type \"" + std::string(name) + "\"");
}

uint64_t parseValue(const ValueType &type, std::string_view text) {
  std::string word(text);
  char *end = nullptr;
  bool isHex = word.rfind("0x", 0) == 0 && word.find('p') == std::string::npos;
  bool isFloat =
      type.name == "f16" || type.name == "bf16" || type.name == "f32" || type.name == "f64";
  if (!isFloat || isHex) {
    errno = 0;
    uint64_t value = word[0] == '-' ? static_cast<uint64_t>(std::strtoll(word.c_str(), &end, 0))
                                    : std::strtoull(word.c_str(), &end, 0);
    if (*end != 0 || errno != 0)
      throw std::runtime_error("\"" + word + "\" is not a value of ." + type.name);
    return value & mask(type.bits);
  }
  double value = std::strtod(word.c_str(), &end);
  if (*end != 0)
    throw std::runtime_error("\"" + word + "\" is not a value of ." + type.name);
  if (type.name == "f16")
    return exactHalf(value, 10, 15);
  if (type.name == "bf16")
    return exactHalf(value, 7, 127);
  if (type.name == "f64")
    return std::bit_cast<uint64_t>(value);
  return std::isnan(value) ? 0x7FC00000u : std::bit_cast<uint32_t>(std::strtof(word.c_str(), &end));
}

uint64_t evaluate(std::string_view formula, uint64_t lane) {
  return Formula(formula, lane).value();
}

} // namespace msa::ptxsim::cases

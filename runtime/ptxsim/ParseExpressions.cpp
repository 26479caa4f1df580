//===- ParseExpressions.cpp - constant expressions (PTX ISA 4.6) -----------===//
//
// Integers are 64 bits, signed unless a literal carries U, needs the 64th bit or
// is cast; arithmetic wraps. Doubles have + - * / and comparisons. A float
// written as bits (0f...) is a literal only, as in ptxas.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/ParserImpl.h"

#include <bit>

namespace msa::ptxsim {
namespace {

struct OperatorRow {
  std::string_view spelling;
  unsigned precedence;
};
// Longer spellings first: "<<" before "<".
constexpr OperatorRow operators[] = {
    {"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<<", 8}, {">>", 8},
    {"<=", 7}, {">=", 7}, {"|", 3},  {"^", 4},  {"&", 5},  {"<", 7},
    {">", 7},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10},
};

uint64_t shiftRight(uint64_t value, uint64_t count, bool isUnsigned) {
  if (count > 63)
    return isUnsigned || !(value >> 63) ? 0 : ~uint64_t{0};
  return isUnsigned ? value >> count : static_cast<uint64_t>(static_cast<int64_t>(value) >> count);
}

/// a / b or a % b; b is not zero. INT64_MIN / -1 wraps.
uint64_t divide(uint64_t a, uint64_t b, bool isUnsigned, bool remainder) {
  if (isUnsigned)
    return remainder ? a % b : a / b;
  if (b == ~uint64_t{0})
    return remainder ? 0 : 0 - a;
  int64_t x = static_cast<int64_t>(a), y = static_cast<int64_t>(b);
  return static_cast<uint64_t>(remainder ? x % y : x / y);
}

bool compare(std::string_view op, auto a, auto b) {
  return op == "<"    ? a < b
         : op == "<=" ? a <= b
         : op == ">"  ? a > b
         : op == ">=" ? a >= b
         : op == "==" ? a == b
                      : a != b;
}

bool isComparison(std::string_view op) {
  return op == "<" || op == "<=" || op == ">" || op == ">=" || op == "==" || op == "!=";
}

} // namespace

bool ParserImpl::startsConstant() const {
  switch (token.kind) {
  case Token::Kind::Integer:
  case Token::Kind::Float32:
  case Token::Kind::Float64:
    return true;
  case Token::Kind::Punct:
    return token.punct == '-' || token.punct == '+' || token.punct == '~' || token.punct == '(' ||
           token.punct == '!';
  case Token::Kind::Word:
    return token.text == "WARP_SZ";
  default:
    return false;
  }
}

/// The operator at the current token; "<<" is two tokens without a blank between.
std::string_view ParserImpl::binaryOperator(unsigned &precedence) const {
  if (token.kind != Token::Kind::Punct)
    return {};
  for (const OperatorRow &row : operators) {
    if (row.spelling[0] != token.punct)
      continue;
    if (row.spelling.size() == 2 && lexer.peekCharacter() != row.spelling[1])
      continue;
    precedence = row.precedence;
    return row.spelling;
  }
  return {};
}

bool ParserImpl::parseConstant(Constant &value, unsigned depth) {
  if (depth > maxDepth)
    return fail(token.location, "this expression nests more than {} deep", maxDepth);
  if (!parseBinary(value, 1, depth))
    return false;
  if (!atPunct('?'))
    return true;
  SourceLocation at = token.location;
  if (value.kind != Operand::ImmediateKind::Integer)
    return fail(at, "the condition before '?' is not an integer");
  advance();
  Constant yes, no;
  if (!parseConstant(yes, depth + 1) || !expectPunct(':', "the second part of '? :'") ||
      !parseConstant(no, depth + 1))
    return false;
  value = value.bits ? yes : no;
  return true;
}

bool ParserImpl::parseBinary(Constant &left, unsigned least, unsigned depth) {
  if (!parseUnary(left, depth))
    return false;
  for (;;) {
    unsigned precedence = 0;
    std::string_view op = binaryOperator(precedence);
    if (op.empty() || precedence < least)
      return true;
    SourceLocation at = token.location;
    if (op.size() == 2)
      advance();
    advance();
    Constant right;
    if (!parseBinary(right, precedence + 1, depth) || !applyBinary(op, left, right, at))
      return false;
  }
}

bool ParserImpl::parseUnary(Constant &value, unsigned depth) {
  if (depth > maxDepth)
    return fail(token.location, "this expression nests more than {} deep", maxDepth);
  if (token.kind == Token::Kind::Punct)
    for (char op : {'-', '+', '~', '!'})
      if (token.punct == op) {
        SourceLocation at = token.location;
        advance();
        return parseUnary(value, depth + 1) && applyUnary(op, value, at);
      }
  return parsePrimary(value, depth);
}

bool ParserImpl::parsePrimary(Constant &value, unsigned depth) {
  switch (token.kind) {
  case Token::Kind::Integer:
    value = {Operand::ImmediateKind::Integer, token.isUnsigned, token.bits};
    break;
  case Token::Kind::Float32:
    value = {Operand::ImmediateKind::F32, false, token.bits};
    break;
  case Token::Kind::Float64:
    value = {Operand::ImmediateKind::F64, false, token.bits};
    break;
  case Token::Kind::Word:
    if (token.text != "WARP_SZ")
      return failExpected("a constant");
    value = {Operand::ImmediateKind::Integer, false, 32};
    break;
  default: {
    if (!atPunct('('))
      return failExpected("a constant");
    advance();
    bool toUnsigned = atDotted("u64");
    if (toUnsigned || atDotted("s64")) {
      SourceLocation at = token.location;
      advance();
      if (!expectPunct(')', "the type of a cast") || !parseUnary(value, depth + 1))
        return false;
      if (value.kind != Operand::ImmediateKind::Integer)
        return fail(at, "a cast of a floating-point constant; accepted: an integer");
      value.isUnsigned = toUnsigned;
      return true;
    }
    return parseConstant(value, depth + 1) && expectPunct(')', "an expression in parentheses");
  }
  }
  advance();
  return true;
}

bool ParserImpl::applyUnary(char op, Constant &value, SourceLocation at) {
  if (value.kind == Operand::ImmediateKind::Integer) {
    value.bits = op == '-'   ? 0 - value.bits
                 : op == '~' ? ~value.bits
                 : op == '!' ? uint64_t{value.bits == 0}
                             : value.bits;
    return true;
  }
  if (value.kind == Operand::ImmediateKind::F64 && (op == '-' || op == '+')) {
    value.bits ^= op == '-' ? uint64_t{1} << 63 : 0;
    return true;
  }
  return fail(at, "'{}' before a floating-point constant; accepted: - and + before a decimal one",
              op);
}

bool ParserImpl::applyBinary(std::string_view op, Constant &left, const Constant &right,
                             SourceLocation at) {
  using Kind = Operand::ImmediateKind;
  if (left.kind == Kind::F64 && right.kind == Kind::F64) {
    double a = std::bit_cast<double>(left.bits), b = std::bit_cast<double>(right.bits);
    if (isComparison(op))
      left = {Kind::Integer, false, compare(op, a, b)};
    else if (op == "+" || op == "-" || op == "*" || op == "/")
      left.bits = std::bit_cast<uint64_t>(op == "+"   ? a + b
                                          : op == "-" ? a - b
                                          : op == "*" ? a * b
                                                      : a / b);
    else
      return fail(at, "'{}' between floating-point constants; accepted: + - * / and comparisons",
                  op);
    return true;
  }
  if (left.kind != Kind::Integer || right.kind != Kind::Integer)
    return fail(at, "'{}' between these constants; accepted: two integers or two decimal floats",
                op);
  uint64_t a = left.bits, b = right.bits;
  bool isUnsigned = left.isUnsigned || right.isUnsigned;
  if ((op == "/" || op == "%") && b == 0)
    return fail(at, "a division by zero");
  if (isComparison(op)) {
    bool result = isUnsigned ? compare(op, a, b)
                             : compare(op, static_cast<int64_t>(a), static_cast<int64_t>(b));
    left = {Kind::Integer, false, result};
    return true;
  }
  if (op == "&&" || op == "||") {
    left = {Kind::Integer, false, op == "&&" ? a && b : a || b};
    return true;
  }
  if (op == "<<" || op == ">>") { // the type is the left operand's
    left.bits = op == ">>" ? shiftRight(a, b, left.isUnsigned) : b > 63 ? 0 : a << b;
    return true;
  }
  left.isUnsigned = isUnsigned;
  left.bits = op == "+"   ? a + b
              : op == "-" ? a - b
              : op == "*" ? a * b
              : op == "&" ? (a & b)
              : op == "|" ? (a | b)
              : op == "^" ? (a ^ b)
                          : divide(a, b, isUnsigned, op == "%");
  return true;
}

} // namespace msa::ptxsim

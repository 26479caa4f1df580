//===- Lexer.cpp - PTX text to tokens -------------------------------------===//
//
// PTX ISA 4.2 to 4.5: comments, identifiers, literals.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/Lexer.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace msa::ptxsim {
namespace {

enum : uint8_t { Blank = 1, Digit = 2, Letter = 4, Hex = 8 };

constexpr std::array<uint8_t, 256> makeClasses() {
  std::array<uint8_t, 256> table{};
  for (unsigned c : {' ', '\t', '\r', '\f', '\v', '\n'})
    table[c] = Blank;
  for (unsigned c = '0'; c <= '9'; ++c)
    table[c] = Digit | Hex;
  for (unsigned c = 'a'; c <= 'z'; ++c)
    table[c] = table[c - 'a' + 'A'] = Letter;
  for (unsigned c = 'a'; c <= 'f'; ++c)
    table[c] = table[c - 'a' + 'A'] = Letter | Hex;
  table['_'] = table['$'] = Letter;
  return table;
}
constexpr std::array<uint8_t, 256> classes = makeClasses();

bool is(char c, uint8_t mask) { return classes[static_cast<uint8_t>(c)] & mask; }

unsigned digitValue(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

} // namespace

bool isIdentifierCharacter(char c) { return is(c, Letter | Digit); }

/// Skips white space, comments and preprocessor lines. False: `error` is what stopped it.
bool Lexer::skipBlanks(Token &error) {
  while (cursor != end) {
    if (*cursor == '\n') {
      ++cursor;
      ++line;
      lineStart = cursor;
    } else if (is(*cursor, Blank)) {
      ++cursor;
    } else if (*cursor == '/' && cursor + 1 != end && cursor[1] == '/') {
      const void *eol = std::memchr(cursor, '\n', end - cursor);
      cursor = eol ? static_cast<const char *>(eol) : end;
    } else if (*cursor == '#' && cursor == lineStart) {
      const void *eol = std::memchr(cursor, '\n', end - cursor);
      cursor = eol ? static_cast<const char *>(eol) : end;
    } else if (*cursor == '/' && cursor + 1 != end && cursor[1] == '*') {
      error.location = here();
      for (cursor += 2;; ++cursor) {
        if (end - cursor < 2) {
          cursor = end;
          error.kind = Token::Kind::Error;
          error.text = "the comment that starts here has no '*/'";
          return false;
        }
        if (*cursor == '*' && cursor[1] == '/')
          break;
        if (*cursor == '\n') {
          ++line;
          lineStart = cursor + 1;
        }
      }
      cursor += 2;
    } else {
      break;
    }
  }
  return true;
}

Token Lexer::next() {
  Token token;
  if (!skipBlanks(token))
    return token;
  token.location = here();
  const char *begin = cursor;
  if (cursor == end)
    return token;
  char c = *cursor;
  if (is(c, Letter) || (c == '%' && end - cursor > 1 && is(cursor[1], Letter | Digit))) {
    do
      ++cursor;
    while (cursor != end && is(*cursor, Letter | Digit));
    token.kind = Token::Kind::Word;
    token.text = {begin, static_cast<size_t>(cursor - begin)};
  } else if (is(c, Digit)) {
    lexNumber(token);
  } else if (c == '.' && end - cursor > 1 && is(cursor[1], Letter | Digit)) {
    lexDotted(token);
  } else if (c == '"') {
    lexString(token);
  } else if (static_cast<uint8_t>(c) < 0x20 || static_cast<uint8_t>(c) >= 0x7f) {
    ++cursor;
    token.kind = Token::Kind::Error;
    token.text = "a byte that PTX text cannot hold; accepted: ASCII outside of comments";
  } else {
    ++cursor;
    token.kind = Token::Kind::Punct;
    token.punct = c;
    token.text = {begin, 1};
  }
  return token;
}

void Lexer::lexDotted(Token &token) {
  const char *begin = ++cursor;
  while (cursor != end) {
    if (is(*cursor, Letter | Digit))
      ++cursor;
    else if (*cursor == ':' && end - cursor > 2 && cursor[1] == ':' &&
             is(cursor[2], Letter | Digit))
      cursor += 2;
    else
      break;
  }
  token.kind = Token::Kind::Dotted;
  token.text = {begin, static_cast<size_t>(cursor - begin)};
}

void Lexer::lexString(Token &token) {
  const char *begin = ++cursor;
  for (; cursor != end && *cursor != '"' && *cursor != '\n'; ++cursor)
    if (*cursor == '\\' && end - cursor > 1 && cursor[1] != '\n')
      ++cursor;
  if (cursor == end || *cursor == '\n') {
    token.kind = Token::Kind::Error;
    token.text = "the string that starts here does not end on its line";
    return;
  }
  token.kind = Token::Kind::String;
  token.text = {begin, static_cast<size_t>(cursor - begin)};
  ++cursor;
}

/// Consumes the digits of an integer in `base`; sets bits and isUnsigned.
Token::Kind Lexer::finishInteger(Token &token, unsigned base, const char *digits) {
  uint64_t value = 0;
  bool overflow = false;
  for (cursor = digits; cursor != end && is(*cursor, Digit | Hex); ++cursor) {
    unsigned digit = digitValue(*cursor);
    if (digit >= base)
      break;
    overflow |= __builtin_mul_overflow(value, static_cast<uint64_t>(base), &value);
    overflow |= __builtin_add_overflow(value, static_cast<uint64_t>(digit), &value);
  }
  bool empty = cursor == digits;
  if (cursor != end && (*cursor == 'U' || *cursor == 'u')) {
    ++cursor;
    token.isUnsigned = true;
  }
  token.bits = value;
  token.isUnsigned |= value >> 63;
  if (overflow) {
    token.text = "an integer that does not fit in 64 bits";
    return Token::Kind::Error;
  }
  if (empty || (cursor != end && is(*cursor, Letter | Digit))) {
    token.text =
        "a malformed number; accepted: 12, 014, 0xC, 0b1100 with an optional U, 1.5, 1e-3, "
        "0f3F800000, 0d3FF0000000000000";
    return Token::Kind::Error;
  }
  return Token::Kind::Integer;
}

/// 0f and eight, or 0d and sixteen hexadecimal digits.
void Lexer::lexHexFloat(Token &token, unsigned digits) {
  const char *begin = cursor;
  uint64_t value = 0;
  for (cursor += 2; cursor != end && is(*cursor, Hex); ++cursor)
    value = value << 4 | digitValue(*cursor);
  bool whole = static_cast<size_t>(cursor - begin) == digits + 2;
  token.bits = value;
  token.kind = digits == 8 ? Token::Kind::Float32 : Token::Kind::Float64;
  if (!whole || (cursor != end && is(*cursor, Letter | Digit))) {
    token.kind = Token::Kind::Error;
    token.text = digits == 8 ? "a malformed float; accepted: 0f and 8 hexadecimal digits"
                             : "a malformed double; accepted: 0d and 16 hexadecimal digits";
  }
}

void Lexer::lexNumber(Token &token) {
  const char *begin = cursor;
  char second = end - cursor > 1 ? static_cast<char>(cursor[1] | 0x20) : 0;
  if (*cursor == '0' && (second == 'f' || second == 'd')) {
    lexHexFloat(token, second == 'f' ? 8 : 16);
  } else if (*cursor == '0' && (second == 'x' || second == 'b')) {
    token.kind = finishInteger(token, second == 'x' ? 16 : 2, begin + 2);
  } else {
    const char *p = begin;
    while (p != end && is(*p, Digit))
      ++p;
    bool fraction = p != end && *p == '.';
    bool exponent = p != end && (*p | 0x20) == 'e';
    if (fraction || exponent) {
      double value = 0;
      auto [last, problem] = std::from_chars(begin, end, value);
      cursor = last == begin ? p : last;
      token.bits = std::bit_cast<uint64_t>(value);
      token.kind = Token::Kind::Float64;
      if (problem == std::errc::result_out_of_range ||
          (cursor != end && is(*cursor, Letter | Digit))) {
        token.kind = Token::Kind::Error;
        token.text = "a decimal floating-point number that is malformed or out of range";
      }
    } else {
      bool octal = *begin == '0' && p - begin > 1;
      token.kind = finishInteger(token, octal ? 8 : 10, begin);
    }
  }
  if (token.kind == Token::Kind::Error)
    while (cursor != end && is(*cursor, Letter | Digit))
      ++cursor;
  else
    token.text = {begin, static_cast<size_t>(cursor - begin)};
}

} // namespace msa::ptxsim

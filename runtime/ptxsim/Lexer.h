//===- Lexer.h - PTX text to tokens ---------------------------------------===//
//
// One token at a time, as views into the text. PTX needs one twist: a word
// after a dot is a token of its own and may start with a digit or hold "::"
// (".16x256b", ".mbarrier::complete_tx::bytes"), because that is what directives
// and instruction modifiers look like. A token never fails the lexer: malformed
// text becomes a token of kind Error that carries the message, and lexing goes
// on behind it, so that skipped debug sections may hold anything.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Module.h"

#include <cstdint>
#include <string_view>

namespace msa::ptxsim {

struct Token {
  enum class Kind : uint8_t {
    End,
    Word,    ///< an identifier: letters, digits, '_', '$', '%' first; text is the whole word
    Dotted,  ///< ".word": text is what follows the dot
    Integer, ///< bits; `isUnsigned` when it carries U or needs the 64th bit
    Float32, ///< 0f...: bits in the low word
    Float64, ///< 0d... or decimal: bits
    String,  ///< text without the quotes
    Punct,   ///< one character, in `punct`
    Error,   ///< `text` is a message (static storage)
  };
  Kind kind = Kind::End;
  char punct = 0;
  bool isUnsigned = false;
  std::string_view text; ///< as it stands in the source (Error: the message)
  uint64_t bits = 0;
  SourceLocation location;
};

class Lexer {
public:
  /// `text` must outlive the lexer and every token.
  explicit Lexer(std::string_view text)
      : cursor(text.data()), end(text.data() + text.size()), lineStart(cursor) {}

  /// The next token; End for ever once the text is used up.
  Token next();
  /// The character right behind the last token, or NUL at the end: tells "<<" from "< <".
  char peekCharacter() const { return cursor == end ? '\0' : *cursor; }

private:
  bool skipBlanks(Token &error);
  void lexNumber(Token &);
  void lexHexFloat(Token &, unsigned digits);
  void lexString(Token &);
  void lexDotted(Token &);
  Token::Kind finishInteger(Token &, unsigned base, const char *digits);
  SourceLocation here() const { return {line, static_cast<uint32_t>(cursor - lineStart + 1)}; }

  const char *cursor, *end, *lineStart;
  uint32_t line = 1;
};

/// True for a character that may follow the first one of an identifier.
bool isIdentifierCharacter(char);

} // namespace msa::ptxsim

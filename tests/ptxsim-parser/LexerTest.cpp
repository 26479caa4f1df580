//===- LexerTest.cpp - tokens and literals ---------------------------------===//
#include "ptxsim/Lexer.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace msa::ptxsim;

static std::vector<Token> lex(std::string_view text) {
  Lexer lexer(text);
  std::vector<Token> tokens;
  do
    tokens.push_back(lexer.next());
  while (tokens.back().kind != Token::Kind::End && tokens.size() < 100);
  tokens.pop_back();
  return tokens;
}

TEST_CASE("integers") {
  struct Case {
    const char *text;
    uint64_t bits;
    bool isUnsigned;
  };
  auto c = GENERATE(
      Case{"0", 0, false}, Case{"42", 42, false}, Case{"017", 15, false}, Case{"0x1F", 31, false},
      Case{"0XfF", 255, false}, Case{"0b101", 5, false}, Case{"7U", 7, true},
      Case{"0x10U", 16, true}, Case{"9223372036854775807", ~0ull >> 1, false},
      Case{"0x8000000000000000", 1ull << 63, true}, Case{"18446744073709551615", ~0ull, true});
  auto tokens = lex(c.text);
  CAPTURE(c.text);
  REQUIRE(tokens.size() == 1);
  CHECK(tokens[0].kind == Token::Kind::Integer);
  CHECK(tokens[0].bits == c.bits);
  CHECK(tokens[0].isUnsigned == c.isUnsigned);
}

TEST_CASE("floating-point literals") {
  CHECK(lex("0f3F800000")[0].kind == Token::Kind::Float32);
  CHECK(lex("0F3f800000")[0].bits == 0x3f800000);
  CHECK(lex("0d3FF0000000000000")[0].kind == Token::Kind::Float64);
  CHECK(lex("0D3FF0000000000000")[0].bits == 0x3ff0000000000000);
  for (const char *text : {"1.5", "15e-1", "0.15E1", "1.50"}) {
    CAPTURE(text);
    auto tokens = lex(text);
    REQUIRE(tokens.size() == 1);
    CHECK(tokens[0].kind == Token::Kind::Float64);
    CHECK(tokens[0].bits == 0x3ff8000000000000);
  }
}

TEST_CASE("malformed literals are errors and lexing goes on") {
  const char *text =
      GENERATE("08", "1x", "0x", "0b2", "0f3F8", "0f3F8000000", "0d3FF", "12ab", "1e999",
               "18446744073709551616", "0x1ffffffffffffffff", "\"abc", "/* abc", "\x80");
  CAPTURE(text);
  std::string whole = std::string(text) + " \n next"; // tokens are views into it
  auto tokens = lex(whole);
  REQUIRE(!tokens.empty());
  CHECK(tokens[0].kind == Token::Kind::Error);
  if (text[0] != '/')
    CHECK(tokens.back().text == "next");
}

TEST_CASE("words, dotted words and strings") {
  auto tokens =
      lex("$L__BB0_2 _ZN3fooE %r12 %tid .x .16x32bx2 .mbarrier::complete_tx::bytes \"a\\\"b\"");
  std::vector<std::string> texts;
  for (const Token &token : tokens)
    texts.emplace_back(token.text);
  CHECK(texts == std::vector<std::string>{"$L__BB0_2", "_ZN3fooE", "%r12", "%tid", "x", "16x32bx2",
                                          "mbarrier::complete_tx::bytes", "a\\\"b"});
  CHECK(tokens[3].kind == Token::Kind::Word);
  CHECK(tokens[4].kind == Token::Kind::Dotted);
  CHECK(tokens[7].kind == Token::Kind::String);
}

TEST_CASE("comments, lines and columns") {
  auto tokens = lex("a // b\n/* c\n d */ e\n# 1 \"file\"\n  f");
  REQUIRE(tokens.size() == 3);
  CHECK(tokens[1].text == "e");
  CHECK(tokens[1].location.line == 3);
  CHECK(tokens[1].location.column == 7);
  CHECK(tokens[2].location.line == 5);
  CHECK(tokens[2].location.column == 3);
}

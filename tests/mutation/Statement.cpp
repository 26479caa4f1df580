//===- Statement.cpp - one statement of a PTX text, to be edited -----------===//
#include "Statement.h"

#include <fmt/format.h>

#include <cctype>

namespace msa::mutation {
namespace {

bool isSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

bool isWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%';
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && isSpace(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && isSpace(text.back()))
    text.remove_suffix(1);
  return std::string(text);
}

/// At commas that no bracket or brace encloses.
std::vector<std::string> splitOperands(std::string_view text) {
  std::vector<std::string> operands;
  int depth = 0;
  size_t from = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && (text[i] == '[' || text[i] == '{' || text[i] == '('))
      ++depth;
    else if (i < text.size() && (text[i] == ']' || text[i] == '}' || text[i] == ')'))
      --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0))
      continue;
    std::string operand = trimmed(text.substr(from, i - from));
    if (!operand.empty())
      operands.push_back(std::move(operand));
    from = i + 1;
  }
  return operands;
}

/// The guard that ends before `at`, if one does: "@p " or "@!p ".
size_t guardBegin(std::string_view text, size_t at) {
  size_t i = at;
  while (i > 0 && isSpace(text[i - 1]))
    --i;
  while (i > 0 && isWord(text[i - 1]))
    --i;
  if (i > 0 && text[i - 1] == '!')
    --i;
  return i > 0 && text[i - 1] == '@' ? i - 1 : at;
}

} // namespace

std::string Statement::text() const {
  return fmt::format("{}{}{} {};", guard, guard.empty() ? "" : " ", opcode,
                     fmt::join(operands, ", "));
}

SourceText::SourceText(std::string given) : text(std::move(given)), lines{0} {
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n')
      lines.push_back(i + 1);
}

std::optional<Statement> SourceText::statementAt(ptxsim::SourceLocation at) const {
  if (at.line == 0 || at.line > lines.size() || at.column == 0)
    return std::nullopt;
  size_t from = lines[at.line - 1] + at.column - 1;
  Statement found;
  found.end = from < text.size() ? text.find(';', from) : std::string::npos;
  if (found.end == std::string::npos)
    return std::nullopt;
  std::string_view whole(text);
  found.begin = text[from] == '@' ? from : guardBegin(whole, from);
  size_t i = found.begin;
  if (text[i] == '@') {
    ++i;
    while (i < found.end && (text[i] == '!' || isWord(text[i])))
      ++i;
    found.guard = text.substr(found.begin, i - found.begin);
    while (i < found.end && isSpace(text[i]))
      ++i;
  }
  size_t opcode = i;
  while (i < found.end && (isWord(text[i]) || text[i] == '.' || text[i] == ':'))
    ++i;
  found.opcode = text.substr(opcode, i - opcode);
  found.operands = splitOperands(whole.substr(i, found.end - i));
  ++found.end;
  return found.opcode.empty() ? std::nullopt : std::optional(found);
}

} // namespace msa::mutation

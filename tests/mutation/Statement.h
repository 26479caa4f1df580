//===- Statement.h - one statement of a PTX text, to be edited -------------===//
//
// Mutations are edits of the text: what a person would do by hand, and line
// numbers stay. The parser says where an instruction begins; here is what
// stands there, cut into guard, opcode and operands as they are written.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Module.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace msa::mutation {

/// `@p opcode.modifiers a, b;` of a text. Comments inside of a statement are not expected.
struct Statement {
  size_t begin = 0, end = 0; ///< from the guard to behind the semicolon
  std::string guard;         ///< "@p", "@!p", or empty
  std::string opcode;        ///< with modifiers: "mbarrier.arrive.shared.b64"
  std::vector<std::string> operands;

  /// The statement as text, with another list of operands or another opcode or guard.
  std::string text() const;
  bool startsWith(std::string_view prefix) const { return opcode.starts_with(prefix); }
  bool has(std::string_view modifier) const { return opcode.find(modifier) != std::string::npos; }
};

/// Finds statements by line and column.
class SourceText {
public:
  explicit SourceText(std::string text);
  /// Nothing when what stands there does not look like an instruction.
  std::optional<Statement> statementAt(ptxsim::SourceLocation) const;
  const std::string &all() const { return text; }

private:
  std::string text;
  std::vector<size_t> lines; ///< where each begins
};

} // namespace msa::mutation

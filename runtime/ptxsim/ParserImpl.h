//===- ParserImpl.h - the state of one parse (private) --------------------===//
//
// A recursive-descent parser over one token of look-ahead. Its parts lie in
// Parser.cpp (module level), ParseFunctions.cpp, ParseDeclarations.cpp,
// ParseInitialisers.cpp, ParseStatements.cpp,
// ParseOperands.cpp and ParseExpressions.cpp. Every member
// that parses returns false once `failure` is set; the first error ends the parse.
//
// What bounds memory and depth, whatever the text says: registers of
// `%r<N>` come into being when the text first names them, initialisers hold
// only the bytes that are written out, and blocks, parentheses and braces nest
// at most `maxDepth` deep.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Lexer.h"
#include "ptxsim/NameTable.h"
#include "ptxsim/Parser.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace msa::ptxsim {

/// The type of a declaration word ("b32"), or nothing.
std::optional<Type> typeFromWord(std::string_view);
/// True for the name of a special register, "%tid" (PTX ISA 10).
bool isSpecialRegister(std::string_view);
/// The special register most like `name`, or nothing.
std::string_view nearestSpecialRegister(std::string_view name);
/// Checks `.target` (first word) against `.version`; the message says what is accepted.
Status checkTarget(std::string_view target, unsigned major, unsigned minor);

class ParserImpl {
public:
  ParserImpl(std::string_view text, const std::string &name) : lexer(text), sourceName(name) {}
  Expected<Module> run();

private:
  static constexpr unsigned maxDepth = 64;

  /// A constant of a constant expression (PTX ISA 4.6).
  struct Constant {
    Operand::ImmediateKind kind = Operand::ImmediateKind::Integer;
    bool isUnsigned = false;
    uint64_t bits = 0;
  };

  /// Linkage words before a declaration.
  struct Linkage {
    bool external = false, weak = false, visible = false, common = false;
    bool any() const { return external || weak || visible || common; }
  };

  /// Registers declared as `prefix<count>`: those that were named so far.
  struct Parametric {
    Type type;
    uint64_t count;
    std::unordered_map<uint64_t, uint32_t> named; ///< number -> index into Function::registers
  };

  /// A use of a label (or of a `.branchtargets` list) that its block may still declare.
  struct Pending {
    enum class Kind : uint8_t { Branch, List, Target, Prototype } kind;
    uint32_t first;  ///< instruction; Target: list
    uint32_t second; ///< operand; Target: entry
    std::string_view name;
    SourceLocation location;
  };

  // Parser.cpp: tokens and errors.
  void advance() { token = lexer.next(); }
  bool atPunct(char c) const { return token.kind == Token::Kind::Punct && token.punct == c; }
  bool atDotted(std::string_view word) const {
    return token.kind == Token::Kind::Dotted && token.text == word;
  }
  bool takePunct(char c) {
    if (!atPunct(c))
      return false;
    advance();
    return true;
  }
  bool expectPunct(char c, std::string_view after);
  bool expectWord(std::string_view &word, std::string_view what);
  bool expectInteger(uint64_t &value, std::string_view what, uint64_t most);
  template <typename... Args>
  bool fail(SourceLocation at, fmt::format_string<Args...> format, Args &&...args) {
    if (failure.ok())
      failure = Status::invalid(fmt::format("{}:{}:{}: {}", sourceName, at.line, at.column,
                                            fmt::format(format, std::forward<Args>(args)...)));
    return false;
  }
  /// "found X" for the current token; lexical errors report themselves.
  bool failExpected(std::string_view expected);
  std::string describeToken() const;

  // Parser.cpp: module level.
  bool parseHeader();
  bool parseVersion();
  bool parseTarget();
  bool parseAddressSize();
  bool parseModuleItem();
  bool parseFile();
  bool skipSection();
  bool skipParentheses(std::string_view after);
  bool parsePragma();
  bool parseAlias();
  bool resolveAliases();

  // ParseFunctions.cpp
  bool parseFunction(const Linkage &, bool entry);
  bool parseParameterList(std::vector<Variable> &, bool entry, char close);
  bool parseParameter(Variable &, bool entry);
  bool parseFunctionDirectives(Function &);
  bool parseThreeNumbers(std::array<uint32_t, 3> &, std::string_view what);
  bool installFunction(Function &&, std::string_view name, SourceLocation, bool body);
  bool declareParameters(const std::vector<Variable> &, Binding::Kind);
  bool checkSameSignature(const Function &before, const Function &now, SourceLocation);
  bool parsePrototype();

  // ParseDeclarations.cpp
  /// What the words of one variable declaration say before its name.
  struct VariableHead {
    StateSpace space = StateSpace::Global;
    std::optional<Type> type;
    uint32_t width = 1; ///< elements of .v2, .v4
    uint32_t align = 0; ///< 0 = natural
  };
  bool parseRegisters();
  bool declareRegister(std::string_view name, Type, unsigned width, SourceLocation);
  bool declareParametric(std::string_view prefix, Type, uint64_t count, SourceLocation);
  bool parseVariables(const Linkage &);
  bool parseVariableHead(VariableHead &);
  bool parseVariable(const VariableHead &, const Linkage &);
  bool parseAlignment(uint32_t &);
  bool parseVectorWidth(uint32_t &);
  bool parseDimensions(std::vector<uint64_t> &, bool &open);
  bool multiply(uint64_t &bytes, uint64_t count, StateSpace, SourceLocation);
  bool charge(StateSpace, uint64_t bytes, SourceLocation);
  bool declareVariable(Variable &&, std::string_view name, uint32_t elementBytes, const Linkage &);
  bool declareModuleVariable(Variable &&, std::string_view name, Binding, const Linkage &);
  bool declareName(std::string_view name, Binding);

  // ParseInitialisers.cpp
  bool parseInitialiser(Variable &, const std::vector<uint64_t> &dimensions, uint64_t &rows);
  bool parseInitialiserLevel(Variable &, const std::vector<uint64_t> &dimensions, size_t level,
                             uint64_t offset, uint64_t &used);
  bool parseInitialiserElement(Variable &, uint64_t offset);
  bool parseRelocation(Variable &, uint64_t offset, const Constant *mask);
  bool storeConstant(Variable &, uint64_t offset, const Constant &, SourceLocation);
  bool reserveInitial(Variable &, uint64_t end, SourceLocation);

  // ParseStatements.cpp
  bool parseBody();
  bool parseStatement();
  bool parseBlockDirective();
  bool parseLocation();
  bool openBlock(SourceLocation);
  bool closeBlock();
  bool defineLabel(std::string_view name, SourceLocation);
  bool parseLabelledDirective(std::string_view name, SourceLocation);
  bool parseInstruction(std::string_view opcode, SourceLocation);
  bool parseGuard(Instruction &);
  bool parseOperandList(Instruction &);
  bool parseCall(Instruction &);
  bool parseArguments(Operand &list);
  bool checkCall(const Instruction &);
  void resolvePending(size_t first, uint32_t depth);
  bool failLabel(const Pending &, std::string_view what);

  // ParseOperands.cpp
  bool parseOperand(Operand &, unsigned depth);
  bool parseWordOperand(Operand &);
  bool parseComponent(Operand &, const Binding *);
  bool parseArrayElement(Operand &, const Binding &);
  bool parseAddress(Operand &);
  bool parseVector(Operand &, unsigned depth);
  bool parsePairSecond(Operand &);
  bool parseLabelUse(Operand &, Pending::Kind, uint32_t operand);
  bool parseOffset(int64_t &);
  bool resolveRegister(std::string_view name, uint32_t &index, const Binding *&binding);
  bool failUndeclared(std::string_view name, SourceLocation, std::string_view what);
  void setSymbol(Operand &, const Binding &);
  const Variable *variableOf(const Binding &) const;
  bool isPredicate(uint32_t registerIndex) const {
    return function->registers[registerIndex].type == Type::Pred;
  }

  // ParseExpressions.cpp
  bool parseConstant(Constant &, unsigned depth = 0);
  bool parseBinary(Constant &, unsigned precedence, unsigned depth);
  bool parseUnary(Constant &, unsigned depth);
  bool parsePrimary(Constant &, unsigned depth);
  bool applyUnary(char op, Constant &, SourceLocation);
  bool applyBinary(std::string_view op, Constant &left, const Constant &right, SourceLocation);
  std::string_view binaryOperator(unsigned &precedence) const;
  bool startsConstant() const;

  Lexer lexer;
  Token token;
  const std::string &sourceName;
  Status failure;
  Module module;
  NameTable names;    ///< everything but the next
  NameTable prefixes; ///< `%r` of `%r<N>`; opened and closed together with `names`

  struct Alias {
    std::string_view name, target;
    SourceLocation location;
  };
  std::vector<Alias> aliases;

  // The function being parsed.
  Function *function = nullptr;
  std::vector<Parametric> parametrics;
  std::unordered_map<std::string_view, uint32_t> variableNames; ///< how often each was declared
  std::vector<Pending> pending;
  std::vector<std::pair<size_t, SourceLocation>>
      blocks; ///< first pending use of each open block, its '{'
  uint32_t currentFile = 0, currentLine = 0;
  std::array<uint64_t, 9> spaceBytes =
      {};                    ///< declared so far, by StateSpace; local and param: in this function
  uint64_t initialBytes = 0; ///< of all initialisers
};

} // namespace msa::ptxsim

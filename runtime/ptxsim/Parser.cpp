//===- Parser.cpp - PTX modules: header and module-level statements -------===//
//
// PTX ISA 11.1 (version, target, address size), 11.5 (file, section), 11.6
// (linking), 11.4 (pragma). Functions, variables and bodies are in Parse*.cpp.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/ParserImpl.h"

#include <charconv>

namespace msa::ptxsim {

Expected<Module> parseModule(std::string_view text, const std::string &name) {
  constexpr size_t most = size_t{256} << 20;
  if (text.size() > most)
    return Status::invalid(
        fmt::format("{}: {} bytes of PTX; accepted: at most {}", name, text.size(), most));
  return ParserImpl(text, name).run();
}

Expected<Module> ParserImpl::run() {
  advance();
  if (!parseHeader())
    return failure;
  while (token.kind != Token::Kind::End)
    if (!parseModuleItem())
      return failure;
  if (!resolveAliases())
    return failure;
  return std::move(module);
}

std::string ParserImpl::describeToken() const {
  switch (token.kind) {
  case Token::Kind::End:
    return "the end of the text";
  case Token::Kind::Dotted:
    return fmt::format("'.{}'", token.text.substr(0, 80));
  case Token::Kind::String:
    return "a string";
  default:
    return fmt::format("'{}'", token.text.substr(0, 80));
  }
}

bool ParserImpl::failExpected(std::string_view expected) {
  if (token.kind == Token::Kind::Error)
    return fail(token.location, "{}", token.text);
  return fail(token.location, "found {}; expected {}", describeToken(), expected);
}

bool ParserImpl::expectPunct(char c, std::string_view after) {
  if (takePunct(c))
    return true;
  return failExpected(fmt::format("'{}' after {}", c, after));
}

bool ParserImpl::expectWord(std::string_view &word, std::string_view what) {
  if (token.kind != Token::Kind::Word)
    return failExpected(what);
  word = token.text;
  advance();
  return true;
}

bool ParserImpl::expectInteger(uint64_t &value, std::string_view what, uint64_t most) {
  if (token.kind != Token::Kind::Integer)
    return failExpected(what);
  if (token.bits > most)
    return fail(token.location, "{} is {}; accepted: at most {}", what, token.bits, most);
  value = token.bits;
  advance();
  return true;
}

//===----------------------------------------------------------------------===//
// Header
//===----------------------------------------------------------------------===//

bool ParserImpl::parseHeader() {
  if (!parseVersion() || !parseTarget())
    return false;
  return atDotted("address_size") ? parseAddressSize() : true;
}

bool ParserImpl::parseVersion() {
  if (!atDotted("version"))
    return failExpected("'.version MAJOR.MINOR', which begins every PTX module");
  advance();
  unsigned major = 0, minor = 0;
  const char *begin = token.text.data(), *end = begin + token.text.size();
  auto [dot, problem] = std::from_chars(begin, end, major);
  bool good =
      token.kind == Token::Kind::Float64 && problem == std::errc() && dot != end && *dot == '.';
  if (good) {
    auto [last, problem2] = std::from_chars(dot + 1, end, minor);
    good = problem2 == std::errc() && last == end;
  }
  if (!good)
    return failExpected("a PTX version such as 8.0");
  if (major < 6 || (major == 6 && minor < 3) || major > 9)
    return fail(token.location, ".version {} is not supported; accepted: 6.3 to 9.x", token.text);
  module.version = token.text;
  advance();
  return true;
}

bool ParserImpl::parseTarget() {
  if (!atDotted("target"))
    return failExpected("'.target' after '.version'");
  advance();
  SourceLocation at = token.location;
  std::string_view word;
  if (!expectWord(word, "a target such as sm_80"))
    return false;
  unsigned major = module.version[0] - '0', minor = 0;
  std::from_chars(module.version.data() + 2, module.version.data() + module.version.size(), minor);
  if (Status status = checkTarget(word, major, minor); !status.ok())
    return fail(at, "{}", status.message());
  module.target = word;
  static constexpr std::string_view options[] = {"debug", "texmode_unified", "texmode_independent",
                                                 "map_f64_to_f32"};
  while (takePunct(',')) {
    at = token.location;
    if (!expectWord(word, "a target option"))
      return false;
    bool known = false;
    for (std::string_view option : options)
      known |= option == word;
    if (!known)
      return fail(at, "unknown target option '{}'; accepted: {}", word, fmt::join(options, ", "));
    module.targetOptions.emplace_back(word);
  }
  return true;
}

bool ParserImpl::parseAddressSize() {
  advance();
  SourceLocation at = token.location;
  uint64_t size = 0;
  if (!expectInteger(size, "the address size", ~0u))
    return false;
  if (size != 64)
    return fail(at, ".address_size {} is not supported; accepted: 64", size);
  return true;
}

//===----------------------------------------------------------------------===//
// Module-level statements
//===----------------------------------------------------------------------===//

bool ParserImpl::parseModuleItem() {
  Linkage linkage;
  for (;; advance()) {
    if (atDotted("extern"))
      linkage.external = true;
    else if (atDotted("visible"))
      linkage.visible = true;
    else if (atDotted("weak"))
      linkage.weak = true;
    else if (atDotted("common"))
      linkage.common = true;
    else
      break;
  }
  if (token.kind != Token::Kind::Dotted)
    return failExpected("a module-level directive such as .entry, .func, .global or .extern");
  std::string_view word = token.text;
  if (word == "entry" || word == "func")
    return parseFunction(linkage, word == "entry");
  if (word == "global" || word == "const" || word == "shared")
    return parseVariables(linkage);
  if (linkage.any())
    return failExpected(".entry, .func, .global, .const or .shared after a linkage directive");
  if (word == "file")
    return parseFile();
  if (word == "section")
    return skipSection();
  if (word == "pragma")
    return parsePragma();
  if (word == "alias")
    return parseAlias();
  if (word == "loc")
    return parseLocation();
  if (word == "reg" || word == "local" || word == "param")
    return fail(token.location, ".{} at module level; accepted: inside a function", word);
  if (word == "tex")
    return fail(token.location, "textures are not supported; accepted: .global, .const, .shared");
  static constexpr std::string_view known[] = {"entry", "func",    "global", "const", "shared",
                                               "file",  "section", "pragma", "alias", "extern",
                                               "weak",  "visible", "common", "loc"};
  std::string_view near = nearestName(word, known);
  return fail(token.location, "unknown directive '.{}'{}; accepted here: .{}", word,
              near.empty() ? std::string() : fmt::format(", did you mean '.{}'", near),
              fmt::join(known, ", ."));
}

/// .file index "name"[, timestamp, size]
bool ParserImpl::parseFile() {
  constexpr uint64_t most = 65535;
  advance();
  uint64_t index = 0, ignored = 0;
  if (!expectInteger(index, "a file index", most))
    return false;
  if (token.kind != Token::Kind::String)
    return failExpected("a file name in quotes");
  if (module.sourceFiles.size() <= index)
    module.sourceFiles.resize(index + 1);
  module.sourceFiles[index] = token.text;
  advance();
  while (takePunct(','))
    if (!expectInteger(ignored, "a time stamp or a size", ~uint64_t{0}))
      return false;
  return true;
}

/// .section .debug_info { ... }: of no use to us, and its contents are not PTX statements.
bool ParserImpl::skipSection() {
  advance();
  SourceLocation at = token.location;
  if (token.kind != Token::Kind::Dotted && token.kind != Token::Kind::Word)
    return failExpected("the name of a section");
  advance();
  if (!expectPunct('{', "the name of a section"))
    return false;
  for (uint64_t depth = 1; depth > 0; advance()) {
    if (token.kind == Token::Kind::End)
      return fail(at, "this section has no closing '}}'");
    depth += atPunct('{');
    depth -= atPunct('}');
  }
  return true;
}

/// '(' ... ')' and whatever is between.
bool ParserImpl::skipParentheses(std::string_view after) {
  if (!expectPunct('(', after))
    return false;
  for (uint64_t depth = 1; depth > 0; advance()) {
    if (token.kind == Token::Kind::End || token.kind == Token::Kind::Error)
      return failExpected(fmt::format("')' after {}", after));
    depth += atPunct('(');
    depth -= atPunct(')');
  }
  return true;
}

bool ParserImpl::parsePragma() {
  do {
    advance();
    if (token.kind != Token::Kind::String)
      return failExpected("a string after .pragma");
    advance();
  } while (atPunct(','));
  return expectPunct(';', ".pragma");
}

bool ParserImpl::parseAlias() {
  advance();
  Alias alias;
  alias.location = token.location;
  if (!expectWord(alias.name, "a function name") || !expectPunct(',', "the alias") ||
      !expectWord(alias.target, "a function name") || !expectPunct(';', ".alias"))
    return false;
  aliases.push_back(alias);
  return true;
}

/// Makes every use of an alias a use of what it stands for; the alias itself stays a declaration.
bool ParserImpl::resolveAliases() {
  if (aliases.empty())
    return true;
  std::unordered_map<std::string, std::string> targets;
  for (const Alias &alias : aliases) {
    for (std::string_view name : {alias.name, alias.target}) {
      const Binding *binding = names.find(name);
      if (!binding || binding->kind != Binding::Kind::Function)
        return failUndeclared(name, alias.location, "function");
    }
    const Function &target = module.functions[names.find(alias.target)->index];
    const Function &from = module.functions[names.find(alias.name)->index];
    if (target.declaration || target.entry || !from.declaration)
      return fail(alias.location,
                  "'{}' cannot be an alias of '{}'; accepted: a declared .func and a "
                  ".func with a body",
                  alias.name, alias.target);
    targets.emplace(alias.name, alias.target);
  }
  auto rename = [&](std::string &symbol) {
    if (auto it = targets.find(symbol); it != targets.end())
      symbol = it->second;
  };
  for (Function &f : module.functions)
    for (Instruction &instruction : f.body)
      for (Operand &operand : instruction.operands)
        if (operand.kind == Operand::Kind::Symbol)
          rename(operand.symbol);
  for (Variable &variable : module.variables)
    for (Relocation &relocation : variable.relocations)
      rename(relocation.symbol);
  return true;
}

} // namespace msa::ptxsim

//===- ParseFunctions.cpp - .entry and .func (PTX ISA 5.1.6, 7.1, 11.2-11.3) ===//
#include "ptxsim/ParserImpl.h"

namespace msa::ptxsim {

/// [linkage] .entry name [(params)] [directives] { body }
/// [linkage] .func [(results)] name [(params)] [directives] ( { body } | ; )
bool ParserImpl::parseFunction(const Linkage &linkage, bool entry) {
  advance();
  Function parsed;
  parsed.entry = entry;
  while (atDotted("attribute") || atDotted("noreturn")) {
    bool attribute = atDotted("attribute");
    advance();
    if (attribute && !skipParentheses(".attribute"))
      return false;
  }
  if (!entry && takePunct('(') && !parseParameterList(parsed.results, false, ')'))
    return false;
  parsed.location = token.location;
  std::string_view name;
  if (!expectWord(name, entry ? "the name of the entry" : "the name of the function"))
    return false;
  parsed.name = name;
  if (takePunct('(') && !parseParameterList(parsed.parameters, entry, ')'))
    return false;
  if (!parseFunctionDirectives(parsed))
    return false;
  bool body = atPunct('{');
  if (!body && !takePunct(';'))
    return failExpected("'{' or ';' after the head of a function");
  if (body && linkage.external)
    return fail(parsed.location, "'{}' is .extern and has a body", name);
  SourceLocation at = parsed.location;
  parsed.declaration = !body;
  if (!installFunction(std::move(parsed), name, at, body))
    return false;
  if (!body)
    return true;

  function = &module.functions[names.find(name)->index];
  spaceBytes[static_cast<size_t>(StateSpace::Local)] = 0;
  spaceBytes[static_cast<size_t>(StateSpace::Param)] = 0;
  parametrics.clear();
  variableNames.clear();
  pending.clear();
  currentFile = currentLine = 0;
  names.open();
  prefixes.open();
  bool good = declareParameters(function->results, Binding::Kind::Result) &&
              declareParameters(function->parameters, Binding::Kind::Parameter) && parseBody();
  function = nullptr;
  return good;
}

/// The list after '(' up to and with `close`.
bool ParserImpl::parseParameterList(std::vector<Variable> &list, bool entry, char close) {
  constexpr uint64_t mostEntryBytes = 32764; // PTX ISA 5.1.6.1
  if (takePunct(close))
    return true;
  uint64_t bytes = 0;
  do {
    Variable &parameter = list.emplace_back();
    if (!parseParameter(parameter, entry))
      return false;
    bytes = (bytes + parameter.align - 1) / parameter.align * parameter.align + parameter.bytes;
    if (entry && bytes > mostEntryBytes)
      return fail(parameter.location,
                  "the parameters up to here take {} bytes; accepted: at most {}", bytes,
                  mostEntryBytes);
  } while (takePunct(','));
  return expectPunct(close, "a parameter");
}

/// .param [.align n] .type [.ptr [.space] [.align n]] name[n]    or, in a .func, .reg .type name
bool ParserImpl::parseParameter(Variable &parameter, bool entry) {
  bool isRegister = atDotted("reg");
  if (!atDotted("param") && !(isRegister && !entry))
    return failExpected(entry ? "'.param' of a kernel parameter"
                              : "'.param' or '.reg' of a parameter");
  parameter.space = isRegister ? StateSpace::Reg : StateSpace::Param;
  std::optional<Type> type;
  uint32_t align = 0, width = 1, pointee = 0;
  bool pointer = false;
  for (advance(); token.kind == Token::Kind::Dotted;) {
    std::string_view word = token.text;
    if (word == "align") {
      if (!parseAlignment(pointer ? pointee : align))
        return false;
    } else if (word == "ptr") {
      pointer = true;
      advance();
    } else if (pointer && (word == "global" || word == "shared" || word == "const" ||
                           word == "local" || word == "param")) {
      advance();
    } else if (word == "v2" || word == "v4") {
      if (!parseVectorWidth(width))
        return false;
    } else if (word == "texref" || word == "samplerref" || word == "surfref") {
      return fail(token.location, ".{} parameters are not supported; accepted: plain types", word);
    } else if (std::optional<Type> known = typeFromWord(word); known && !type) {
      if (*known == Type::Pred && !isRegister)
        return fail(token.location,
                    "a parameter of type .pred; accepted: types of one byte and more");
      type = known;
      advance();
    } else {
      return failExpected("a type, .align or .ptr in a parameter");
    }
  }
  if (!type)
    return failExpected("a type such as .u64 or .b8");
  parameter.type = *type;
  parameter.location = token.location;
  std::string_view name;
  if (!expectWord(name, "a parameter name"))
    return false;
  parameter.name = name;
  std::vector<uint64_t> dimensions;
  bool open = false;
  if (!parseDimensions(dimensions, open))
    return false;
  if (isRegister && (!dimensions.empty() || width != 1))
    return fail(parameter.location, "an array of registers as a parameter; accepted: .param");
  if (open && entry)
    return fail(parameter.location, "'{}[]' has no size; accepted: a size", name);
  parameter.bytes = sizeOf(*type) * width;
  parameter.align = align ? align : static_cast<uint32_t>(parameter.bytes);
  for (uint64_t dimension : dimensions)
    if (!multiply(parameter.bytes, dimension, StateSpace::Param, parameter.location))
      return false;
  return true;
}

bool ParserImpl::declareParameters(const std::vector<Variable> &list, Binding::Kind kind) {
  for (uint32_t i = 0; i < list.size(); ++i) {
    // The name is bound as a view, and the list lives as long as the function.
    const Variable &parameter = list[i];
    if (parameter.name == "_")
      continue;
    if (parameter.space == StateSpace::Reg) {
      if (!declareRegister(parameter.name, parameter.type, 1, parameter.location))
        return false;
      continue;
    }
    Binding binding;
    binding.kind = kind;
    binding.index = i;
    binding.location = parameter.location;
    ++variableNames[parameter.name];
    if (!declareName(parameter.name, binding))
      return false;
  }
  return true;
}

/// N[, N[, N]]; those left out are 1.
bool ParserImpl::parseThreeNumbers(std::array<uint32_t, 3> &values, std::string_view what) {
  values = {1, 1, 1};
  for (size_t i = 0; i < 3; ++i) {
    uint64_t value = 0;
    if (!expectInteger(value, what, 0x7fffffff))
      return false;
    values[i] = static_cast<uint32_t>(value);
    if (value == 0)
      return fail(token.location, "{} is 0; accepted: 1 and more", what);
    if (!takePunct(','))
      return true;
    if (i == 2)
      return failExpected("at most three numbers");
  }
  return true;
}

/// Performance-tuning and cluster directives between the head and the body.
bool ParserImpl::parseFunctionDirectives(Function &f) {
  while (token.kind == Token::Kind::Dotted) {
    std::string_view word = token.text;
    uint64_t value = 0;
    if (word == "pragma") {
      if (!parsePragma())
        return false;
      continue;
    }
    advance();
    bool good = true;
    if (word == "maxntid")
      good = parseThreeNumbers(f.maxThreads, "a number of threads");
    else if (word == "reqntid")
      good = parseThreeNumbers(f.requiredThreads, "a number of threads");
    else if (word == "reqnctapercluster")
      good = parseThreeNumbers(f.requiredCluster, "a number of CTAs");
    else if (word == "explicitcluster")
      f.explicitCluster = true;
    else if (word == "maxnreg" && (good = expectInteger(value, "a number of registers", 1024)))
      f.maxRegisters = static_cast<uint32_t>(value);
    else if (word == "minnctapersm" && (good = expectInteger(value, "a number of CTAs", 65535)))
      f.minCtas = static_cast<uint32_t>(value);
    else if (word == "maxnctapersm" || word == "maxclusterrank" || word == "abi_preserve" ||
             word == "abi_preserve_control")
      good = expectInteger(value, "a number", ~0u);
    else if (good && word != "noreturn" && word != "blocksareclusters" && word != "maxnreg" &&
             word != "minnctapersm") {
      static constexpr std::string_view known[] = {
          "maxntid",          "reqntid",        "minnctapersm", "maxnctapersm",
          "maxnreg",          "noreturn",       "pragma",       "reqnctapercluster",
          "explicitcluster",  "maxclusterrank", "abi_preserve", "abi_preserve_control",
          "blocksareclusters"};
      std::string_view near = nearestName(word, known);
      return fail(token.location, "unknown directive '.{}' of a function{}; accepted: .{}", word,
                  near.empty() ? std::string() : fmt::format(", did you mean '.{}'", near),
                  fmt::join(known, ", ."));
    }
    if (!good)
      return false;
  }
  return true;
}

/// Puts the function in the module, in the place of an earlier declaration if there is one.
bool ParserImpl::installFunction(Function &&parsed, std::string_view name, SourceLocation at,
                                 bool body) {
  const Binding *old = names.find(name);
  if (old && old->kind == Binding::Kind::Function) {
    Function &before = module.functions[old->index];
    if (body && !before.declaration)
      return fail(at, "'{}' has two bodies; the first is at line {}", parsed.name,
                  before.location.line);
    if (!checkSameSignature(before, parsed, at))
      return false;
    if (body)
      before = std::move(parsed);
    return true;
  }
  if (old)
    return fail(at, "'{}' is declared twice; first at line {}, column {}", parsed.name,
                old->location.line, old->location.column);
  Binding binding;
  binding.kind = Binding::Kind::Function;
  binding.index = static_cast<uint32_t>(module.functions.size());
  binding.location = at;
  names.declare(name, binding);
  module.functions.push_back(std::move(parsed));
  return true;
}

bool ParserImpl::checkSameSignature(const Function &before, const Function &now,
                                    SourceLocation at) {
  auto same = [](const std::vector<Variable> &a, const std::vector<Variable> &b) {
    if (a.size() != b.size())
      return false;
    for (size_t i = 0; i < a.size(); ++i)
      if (a[i].bytes != b[i].bytes || a[i].space != b[i].space)
        return false;
    return true;
  };
  if (before.entry == now.entry && same(before.parameters, now.parameters) &&
      same(before.results, now.results))
    return true;
  return fail(at, "'{}' has other parameters or results here than at line {}", now.name,
              before.location.line);
}

/// After `name: .callprototype`: (results) _ (params) [.noreturn] ;   Checked and forgotten: the
/// callee's own parameters decide how a call is made.
bool ParserImpl::parsePrototype() {
  std::vector<Variable> ignored;
  std::string_view name;
  if (takePunct('(') && !parseParameterList(ignored, false, ')'))
    return false;
  if (!expectWord(name, "'_' or a name in a prototype"))
    return false;
  if (takePunct('(') && !parseParameterList(ignored, false, ')'))
    return false;
  Function directives;
  return parseFunctionDirectives(directives) && expectPunct(';', "a prototype");
}

} // namespace msa::ptxsim

//===- ParseStatements.cpp - bodies, blocks, labels, instructions ----------===//
//
// PTX ISA 4.3, 9.3 (guards), 11.3 (branch targets, call prototypes). A label is
// visible in the block that declares it and in the blocks inside, also before
// its declaration, so a use waits until the closing brace of a block that has
// the label. Blocks are a stack, not recursion.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/ParserImpl.h"

namespace msa::ptxsim {

bool ParserImpl::parseBody() {
  blocks.clear();
  blocks.push_back({0, token.location});
  advance();
  while (!blocks.empty())
    if (!parseStatement())
      return false;
  if (pending.empty())
    return true;
  const Pending &use = pending.front();
  std::string_view what = use.kind == Pending::Kind::List        ? ".branchtargets list"
                          : use.kind == Pending::Kind::Prototype ? ".callprototype or .calltargets"
                                                                 : "label";
  return failLabel(use, what);
}

/// "undeclared label", with the label of this function that is most like it.
bool ParserImpl::failLabel(const Pending &use, std::string_view what) {
  std::vector<std::string_view> candidates;
  for (const auto &[index, name] : function->labels)
    candidates.push_back(name);
  if (candidates.size() > 4096)
    candidates.resize(4096);
  std::string_view near = nearestName(use.name, candidates);
  return fail(use.location, "undeclared {} '{}'{}", what, use.name,
              near.empty() ? "; accepted: one declared in this block or around it"
                           : fmt::format("; did you mean '{}'?", near));
}

bool ParserImpl::parseStatement() {
  SourceLocation at = token.location;
  switch (token.kind) {
  case Token::Kind::Word: {
    std::string_view name = token.text;
    advance();
    if (!atPunct(':'))
      return parseInstruction(name, at);
    advance();
    if (atDotted("branchtargets") || atDotted("callprototype") || atDotted("calltargets"))
      return parseLabelledDirective(name, at);
    return defineLabel(name, at);
  }
  case Token::Kind::Dotted:
    return parseBlockDirective();
  case Token::Kind::Punct:
    if (token.punct == ';')
      return fail(at, "an empty statement, which ptxas refuses");
    if (token.punct == '{')
      return openBlock(at);
    if (token.punct == '}')
      return closeBlock();
    if (token.punct == '@')
      return parseInstruction({}, at);
    return failExpected("an instruction, a label, a declaration, '{' or '}'");
  case Token::Kind::End:
    return fail(token.location,
                "the text ends inside '{}'; the block opened at line {}, column {} has no '}}'",
                function->name, blocks.back().second.line, blocks.back().second.column);
  default:
    return failExpected("an instruction, a label, a declaration, '{' or '}'");
  }
}

//===----------------------------------------------------------------------===//
// Blocks and labels
//===----------------------------------------------------------------------===//

bool ParserImpl::openBlock(SourceLocation at) {
  if (blocks.size() >= maxDepth)
    return fail(at, "this block nests more than {} deep", maxDepth);
  advance();
  blocks.push_back({pending.size(), at});
  names.open();
  prefixes.open();
  return true;
}

bool ParserImpl::closeBlock() {
  advance();
  resolvePending(blocks.back().first, names.depth());
  names.close();
  prefixes.close();
  blocks.pop_back();
  return true;
}

/// Settles the uses from `first` on that name a label of the scope at `depth`; the others stay for
/// the blocks around.
void ParserImpl::resolvePending(size_t first, uint32_t depth) {
  size_t kept = first;
  for (size_t i = first; i < pending.size(); ++i) {
    const Pending &use = pending[i];
    const Binding *binding = names.find(use.name);
    Binding::Kind wanted = use.kind == Pending::Kind::List        ? Binding::Kind::TargetList
                           : use.kind == Pending::Kind::Prototype ? Binding::Kind::Prototype
                                                                  : Binding::Kind::Label;
    if (!binding || binding->depth != depth || binding->kind != wanted) {
      pending[kept++] = use;
      continue;
    }
    if (use.kind == Pending::Kind::Target)
      function->branchTargets[use.first][use.second] = binding->index;
    else if (use.kind != Pending::Kind::Prototype)
      function->body[use.first].operands[use.second].index = binding->index;
  }
  pending.resize(kept);
}

bool ParserImpl::defineLabel(std::string_view name, SourceLocation at) {
  Binding binding;
  binding.kind = Binding::Kind::Label;
  binding.index = static_cast<uint32_t>(function->body.size());
  binding.location = at;
  function->labels.emplace_back(binding.index, std::string(name));
  return declareName(name, binding);
}

/// name: .branchtargets a, b;   name: .calltargets f, g;   name: .callprototype ...;
bool ParserImpl::parseLabelledDirective(std::string_view name, SourceLocation at) {
  Binding binding;
  binding.location = at;
  if (atDotted("callprototype")) {
    advance();
    binding.kind = Binding::Kind::Prototype;
    return declareName(name, binding) && parsePrototype();
  }
  bool calls = atDotted("calltargets");
  binding.kind = calls ? Binding::Kind::Prototype : Binding::Kind::TargetList;
  binding.index = static_cast<uint32_t>(function->branchTargets.size());
  if (!declareName(name, binding))
    return false;
  if (!calls)
    function->branchTargets.emplace_back();
  uint32_t entry = 0;
  do {
    advance();
    Pending use{Pending::Kind::Target, binding.index, entry++, token.text, token.location};
    std::string_view word;
    if (!expectWord(word, calls ? "the name of a function" : "a label"))
      return false;
    if (calls) {
      const Binding *target = names.find(word);
      if (!target || target->kind != Binding::Kind::Function)
        return failUndeclared(word, use.location, "function");
    } else {
      function->branchTargets.back().push_back(Operand::noIndex);
      pending.push_back(use);
    }
  } while (atPunct(','));
  return expectPunct(';', "a list of targets");
}

//===----------------------------------------------------------------------===//
// Directives inside a body
//===----------------------------------------------------------------------===//

bool ParserImpl::parseBlockDirective() {
  std::string_view word = token.text;
  if (word == "reg")
    return parseRegisters();
  if (word == "shared" || word == "local" || word == "param" || word == "global" || word == "const")
    return parseVariables({});
  if (word == "loc")
    return parseLocation();
  if (word == "pragma")
    return parsePragma();
  if (word == "file")
    return parseFile();
  if (word == "section")
    return skipSection();
  if (word == "extern") { // .extern .shared x[]; in a function, as some front ends write it
    advance();
    if (!atDotted("shared"))
      return failExpected(".shared after .extern in a function");
    Linkage linkage;
    linkage.external = true;
    return parseVariables(linkage);
  }
  static constexpr std::string_view known[] = {"reg",    "shared",  "local", "param",
                                               "global", "const",   "loc",   "pragma",
                                               "file",   "section", "extern"};
  std::string_view near = nearestName(word, known);
  return fail(token.location, "unknown directive '.{}' in a function{}; accepted: .{}", word,
              near.empty() ? std::string() : fmt::format(", did you mean '.{}'", near),
              fmt::join(known, ", ."));
}

/// .loc file line column [, function_name label[+n], inlined_at file line column]
bool ParserImpl::parseLocation() {
  advance();
  uint64_t file = 0, line = 0, column = 0;
  if (!expectInteger(file, "a file index", 65535) || !expectInteger(line, "a line", ~0u) ||
      !expectInteger(column, "a column", ~0u))
    return false;
  currentFile = static_cast<uint32_t>(file);
  currentLine = static_cast<uint32_t>(line);
  while (takePunct(',')) {
    std::string_view word;
    if (!expectWord(word, "function_name or inlined_at"))
      return false;
    if (word == "function_name") {
      if (token.kind != Token::Kind::Word && token.kind != Token::Kind::Dotted)
        return failExpected("a label after function_name");
      advance();
      int64_t ignored = 0;
      if (!parseOffset(ignored))
        return false;
    } else if (word == "inlined_at") {
      for (uint64_t *value : {&file, &line, &column})
        if (!expectInteger(*value, "a number of inlined_at", ~0u))
          return false;
    } else {
      return fail(token.location, "'{}' in .loc; accepted: function_name, inlined_at", word);
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

/// @p or @!p; the current token is '@'.
bool ParserImpl::parseGuard(Instruction &instruction) {
  advance();
  instruction.guardNegated = takePunct('!');
  SourceLocation at = token.location;
  std::string_view name;
  if (!expectWord(name, "a predicate after '@'"))
    return false;
  const Binding *binding = nullptr;
  if (!resolveRegister(name, instruction.guard, binding))
    return binding
               ? fail(at, "the guard '{}' is not a register; accepted: a register of type .pred",
                      name)
               : failUndeclared(name, at, "register");
  if (!isPredicate(instruction.guard))
    return fail(at, "the guard '{}' is a register of type .{}; accepted: .pred", name,
                toString(function->registers[instruction.guard].type));
  return true;
}

/// [@[!]p] opcode[.modifier]... [operand[, operand]...] ;
bool ParserImpl::parseInstruction(std::string_view opcode, SourceLocation at) {
  Instruction &instruction = function->body.emplace_back();
  if (opcode.empty()) {
    if (!parseGuard(instruction))
      return false;
    at = token.location;
    if (!expectWord(opcode, "an instruction after the guard"))
      return false;
  }
  instruction.location = at;
  instruction.opcode = opcode;
  instruction.sourceFile = currentFile;
  instruction.sourceLine = currentLine;
  if (token.kind == Token::Kind::Dotted)
    instruction.modifiers.reserve(4);
  for (; token.kind == Token::Kind::Dotted; advance())
    instruction.modifiers.emplace_back(token.text);
  if (takePunct(';'))
    return true;
  instruction.operands.reserve(4);
  bool good = opcode == "call" ? parseCall(instruction) : parseOperandList(instruction);
  return good && expectPunct(';', "an instruction");
}

bool ParserImpl::parseOperandList(Instruction &instruction) {
  bool branch = instruction.opcode == "bra", indexed = instruction.opcode == "brx";
  do {
    uint32_t position = static_cast<uint32_t>(instruction.operands.size());
    Operand &operand = instruction.operands.emplace_back();
    bool good = branch && position == 0    ? parseLabelUse(operand, Pending::Kind::Branch, position)
                : indexed && position == 1 ? parseLabelUse(operand, Pending::Kind::List, position)
                                           : parseOperand(operand, 0);
    if (!good)
      return false;
  } while (takePunct(','));
  return true;
}

/// call [(results),] target [, (arguments)] [, prototype or target list]
bool ParserImpl::parseCall(Instruction &call) {
  Operand results, target, arguments;
  results.kind = arguments.kind = Operand::Kind::Vector;
  results.location = token.location;
  if (takePunct('(') && (!parseArguments(results) || !expectPunct(',', "the results of a call")))
    return false;
  target.location = token.location;
  if (token.kind != Token::Kind::Word)
    return failExpected("the function to call");
  if (!parseOperand(target, 0))
    return false;
  bool direct = target.kind == Operand::Kind::Symbol;
  if (!direct && target.kind != Operand::Kind::Register)
    return fail(target.location, "a call of something else than a function or a register");
  arguments.location = token.location;
  bool prototype = false;
  while (takePunct(',')) {
    if (atPunct('(') && arguments.children.empty() && !prototype) {
      advance();
      if (!parseArguments(arguments))
        return false;
      continue;
    }
    if (token.kind != Token::Kind::Word || prototype)
      return failExpected("'(arguments)' or the name of a prototype");
    pending.push_back({Pending::Kind::Prototype, 0, 0, token.text, token.location});
    prototype = true;
    advance();
  }
  if (!direct && !prototype)
    return fail(target.location, "an indirect call without a prototype; accepted: the name of a "
                                 ".callprototype or .calltargets as the last operand");
  call.operands.push_back(std::move(target));
  call.operands.push_back(std::move(results));
  call.operands.push_back(std::move(arguments));
  return direct ? checkCall(call) : true;
}

/// The list behind '(' up to and with ')'.
bool ParserImpl::parseArguments(Operand &list) {
  if (takePunct(')'))
    return true;
  do {
    Operand &argument = list.children.emplace_back();
    if (!parseOperand(argument, 1))
      return false;
  } while (takePunct(','));
  return expectPunct(')', "the arguments of a call");
}

/// A direct call passes as many arguments and results as the function has.
bool ParserImpl::checkCall(const Instruction &call) {
  const Operand &target = call.operands[0];
  const Binding *binding = names.find(target.symbol);
  if (!binding || binding->kind != Binding::Kind::Function || target.offset != 0)
    return fail(target.location, "'{}' is not a function", target.symbol);
  const Function &callee = module.functions[binding->index];
  if (callee.entry)
    return fail(target.location, "'{}' is a kernel; accepted: a .func", target.symbol);
  auto check = [&](const std::vector<Variable> &declared, const Operand &given,
                   std::string_view what) {
    bool open = !declared.empty() && declared.back().bytes == 0; // .param .b8 rest[]
    size_t count = given.children.size();
    if (count == declared.size() || (open && count + 1 >= declared.size()))
      return true;
    return fail(call.location, "this call of '{}' has {} {}, the function has {}", target.symbol,
                count, what, declared.size());
  };
  return check(callee.parameters, call.operands[2], "arguments") &&
         check(callee.results, call.operands[1], "results");
}

} // namespace msa::ptxsim

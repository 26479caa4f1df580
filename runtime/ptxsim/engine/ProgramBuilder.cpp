//===- ProgramBuilder.cpp - placing variables and registers, decoding --------------===//
#include "ptxsim/engine/ProgramBuilder.h"

#include "ptxsim/engine/AddressSpace.h"
#include "ptxsim/engine/Provenance.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

namespace msa::ptxsim {

namespace {

uint64_t alignUp(uint64_t value, uint64_t align) {
  return align ? (value + align - 1) / align * align : value;
}

unsigned versionNumberOf(const std::string &version) {
  size_t dot = version.find('.');
  auto major = static_cast<unsigned>(std::strtoul(version.c_str(), nullptr, 10));
  unsigned minor =
      dot == std::string::npos
          ? 0
          : static_cast<unsigned>(std::strtoul(version.c_str() + dot + 1, nullptr, 10));
  return major * 10 + minor;
}

template <class F> void forSymbols(const Operand &operand, F f) {
  if (!operand.symbol.empty())
    f(operand.symbol);
  for (const Operand &child : operand.children)
    forSymbols(child, f);
}

} // namespace

unsigned targetNumberOf(const std::string &target) {
  size_t digit = target.find_first_of("0123456789");
  return digit == std::string::npos
             ? 0
             : static_cast<unsigned>(std::strtoul(target.c_str() + digit, nullptr, 10));
}

ModuleLayout ModuleLayout::create(const Module &module) {
  ModuleLayout layout;
  for (const Variable &v : module.variables) {
    if (v.space != StateSpace::Global && v.space != StateSpace::Const)
      continue;
    uint64_t &end = v.space == StateSpace::Global ? layout.globalBytes : layout.constBytes;
    end = alignUp(end, std::max<uint64_t>(v.align, 16));
    layout.offsets[v.name] = end;
    end += v.bytes;
  }
  return layout;
}

//===----------------------------------------------------------------------===//
// Names and places
//===----------------------------------------------------------------------===//

const Variable *ProgramBuilder::findVariable(const std::string &name) const {
  for (const auto *list : {&function->variables, &function->parameters, &function->results})
    for (const Variable &v : *list)
      if (v.name == name)
        return &v;
  for (const Variable &v : module.variables)
    if (v.name == name)
      return &v;
  return nullptr;
}

uint64_t ProgramBuilder::offsetOf(const Variable &variable) {
  if (auto it = placed.find(&variable); it != placed.end())
    return it->second;
  auto it = layout.offsets.find(variable.name);
  return it == layout.offsets.end() ? 0 : it->second;
}

const Function *ProgramBuilder::reachable(const std::string &name) const {
  for (const Function *f : functions)
    if (f->name == name)
      return f;
  return nullptr;
}

std::optional<Ref> ProgramBuilder::registerOf(uint32_t index, const std::string &name) const {
  const std::vector<Register> &registers = functions[index]->registers;
  for (size_t i = 0; i < registers.size(); ++i)
    if (registers[i].name == name)
      return functionRegisters[index][i];
  return std::nullopt;
}

uint32_t ProgramBuilder::functionIndex(const std::string &name) const {
  for (uint32_t i = 0; i < functions.size(); ++i)
    if (functions[i]->name == name)
      return i;
  return ~0u;
}

/// Depth-first over calls; refuses recursion, whose registers would need a stack.
bool ProgramBuilder::collect(const Function &f) {
  if (std::find(visiting.begin(), visiting.end(), &f) != visiting.end()) {
    fail(f.location, fmt::format("function '{}' calls itself, directly or through others; "
                                 "recursion is not supported by the simulator",
                                 f.name));
    return false;
  }
  if (std::find(functions.begin(), functions.end(), &f) != functions.end())
    return true;
  functions.push_back(&f);
  visiting.push_back(&f);
  for (const Instruction &i : f.body) {
    if (i.opcode != "call" || i.operands.empty() || i.operands[0].kind != Operand::Kind::Symbol)
      continue;
    const Function *callee = module.findFunction(i.operands[0].symbol);
    if (callee && !callee->declaration && !collect(*callee))
      return false;
  }
  visiting.pop_back();
  return true;
}

void ProgramBuilder::placeShared() {
  std::set<std::string> named;
  for (const Function *f : functions)
    for (const Instruction &i : f->body)
      for (const Operand &o : i.operands)
        forSymbols(o, [&](const std::string &s) { named.insert(s); });
  std::vector<const Variable *> fixed, dynamic;
  auto consider = [&](const Variable &v) {
    if (v.space == StateSpace::Shared)
      (v.bytes == 0 ? dynamic : fixed).push_back(&v);
  };
  for (const Variable &v : module.variables)
    if (named.count(v.name))
      consider(v);
  for (const Function *f : functions)
    for (const Variable &v : f->variables)
      consider(v);
  uint64_t end = 0, dynamicAlign = 16;
  for (const Variable *v : fixed) {
    end = alignUp(end, std::max<uint64_t>(v->align, 1));
    placed[v] = end;
    program.shared.push_back({v->name, end, v->bytes});
    end += v->bytes;
  }
  program.staticSharedBytes = static_cast<uint32_t>(std::min<uint64_t>(end, ~0u));
  for (const Variable *v : dynamic)
    dynamicAlign = std::max<uint64_t>(dynamicAlign, v->align);
  program.dynamicSharedOffset =
      static_cast<uint32_t>(alignUp(program.staticSharedBytes, dynamicAlign));
  for (const Variable *v : dynamic) {
    placed[v] = program.dynamicSharedOffset;
    program.shared.push_back({v->name, program.dynamicSharedOffset, 0});
  }
}

/// Registers, local variables and call parameters of one function.
void ProgramBuilder::placeFunction(const Function &f) {
  Program::FunctionFrame frame{};
  frame.firstSlot = program.registerSlots;
  frame.firstPredicate = program.predicates;
  std::vector<uint32_t> refs;
  for (const Register &r : f.registers) {
    if (r.type == Type::Pred)
      refs.push_back(program.predicates++);
    else
      refs.push_back(allocateSlots(sizeOf(r.type) > 8 ? 4 : sizeOf(r.type) > 4 ? 2 : 1));
  }
  for (const Variable &v : f.parameters)
    if (v.space == StateSpace::Reg)
      for (size_t i = 0; i < refs.size(); ++i)
        if (f.registers[i].name == v.name)
          frame.arguments.push_back(refs[i]);
  frame.slots = program.registerSlots - frame.firstSlot;
  frame.predicates = program.predicates - frame.firstPredicate;
  program.frames.push_back(frame);
  functionRegisters.push_back(std::move(refs));

  auto placeLocal = [&](const Variable &v) {
    uint64_t at = alignUp(program.localBytes, std::max<uint64_t>(v.align, 1));
    placed[&v] = at;
    program.local.push_back({v.name, at, v.bytes});
    uint64_t end = at + v.bytes;
    constexpr uint64_t most = 512u << 10;
    if (end > most)
      fail(v.location, fmt::format("'{}' needs {} bytes of local memory in all; a thread has {}",
                                   v.name, end, most));
    else
      program.localBytes = static_cast<uint32_t>(end);
  };
  for (const Variable &v : f.variables)
    if (v.space == StateSpace::Local || v.space == StateSpace::Param)
      placeLocal(v);
  if (f.entry)
    return;
  for (const auto *list : {&f.parameters, &f.results})
    for (const Variable &v : *list)
      if (v.space != StateSpace::Reg)
        placeLocal(v);
}

void ProgramBuilder::placeParameters(const Function &f) {
  uint64_t end = 0;
  for (const Variable &v : f.parameters) {
    end = alignUp(end, std::max<uint64_t>(v.align, 1));
    placed[&v] = end;
    program.parameters.push_back({v.name, end, v.bytes});
    program.parameterAlign = std::max(program.parameterAlign, v.align);
    end += v.bytes;
  }
  constexpr uint64_t most = 32764;
  if (end > most)
    fail(f.location, fmt::format("the parameters of '{}' take {} bytes; accepted: up to {}", f.name,
                                 end, most));
  program.parameterBytes = static_cast<uint32_t>(end);
}

Ref ProgramBuilder::allocateSlots(uint32_t count) {
  Ref ref = program.registerSlots;
  program.registerSlots += count;
  return ref;
}

Ref ProgramBuilder::constant(uint64_t low, uint64_t high, uint32_t bits) {
  auto [it, fresh] = constantIndex.try_emplace({{low, high}, bits}, 0);
  if (!fresh)
    return it->second;
  size_t at = program.constants.size();
  program.constants.resize(at + (bits > 64 ? 512 : bits > 32 ? 256 : 128));
  for (unsigned lane = 0; lane < 32; ++lane) {
    if (bits <= 32) {
      auto cell = static_cast<uint32_t>(low);
      std::memcpy(&program.constants[at + lane * 4], &cell, 4);
    } else {
      std::memcpy(&program.constants[at + lane * 8], &low, 8);
      if (bits > 64)
        std::memcpy(&program.constants[at + 256 + lane * 8], &high, 8);
    }
  }
  it->second = static_cast<Ref>(at >> 7) | constantRef;
  return it->second;
}

Ref ProgramBuilder::special(SpecialId id) {
  auto [it, fresh] = specialIndex.try_emplace(id, 0);
  if (fresh) {
    it->second = allocateSlots(1);
    program.specials.emplace_back(id, it->second);
  }
  return it->second;
}

Ref ProgramBuilder::sharedAddress(uint64_t offset, uint32_t bits) {
  for (const Program::SharedAddress &known : program.sharedAddresses)
    if (known.offset == offset && known.bits == bits)
      return known.ref;
  Ref ref = allocateSlots(bits == 64 ? 2 : 1);
  program.sharedAddresses.push_back({offset, bits, ref});
  return ref;
}

uint16_t ProgramBuilder::addPlan(std::shared_ptr<const MmaPlan> plan) {
  auto same = [&](const MmaPlan &other) {
    // Layouts follow from shape, types and (for quads) the layout words.
    bool quads = plan->kind == MmaPlan::Kind::Quads;
    return !quads && other.shape == plan->shape && other.typeA == plan->typeA &&
           other.typeB == plan->typeB && other.typeC == plan->typeC && other.typeD == plan->typeD &&
           other.satfinite == plan->satfinite && other.isXor == plan->isXor &&
           other.rounding == plan->rounding && other.scaleBlocks == plan->scaleBlocks &&
           other.scaleFormat == plan->scaleFormat && other.denseFp4 == plan->denseFp4;
  };
  for (size_t i = 0; i < program.mmaPlans.size(); ++i)
    if (same(*program.mmaPlans[i]))
      return static_cast<uint16_t>(i);
  program.mmaPlans.push_back(std::move(plan));
  return static_cast<uint16_t>(program.mmaPlans.size() - 1);
}

void ProgramBuilder::sawAccess(StateSpace space, uint32_t bytes) {
  unsigned log = bytes >= 4 ? 2 : bytes >= 2 ? 1 : 0;
  if (space == StateSpace::Shared || space == StateSpace::SharedCluster ||
      space == StateSpace::Generic)
    program.sharedGranule = std::min(program.sharedGranule, log);
  if (space == StateSpace::Global || space == StateSpace::Generic)
    program.globalGranule = std::min(program.globalGranule, log);
}

void ProgramBuilder::fail(SourceLocation at, const std::string &message, StatusCode code) {
  if (failure.ok())
    failure = Status(code, fmt::format("{}:{}:{}: {}", sourceName, at.line, at.column, message));
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// True for instructions of the asynchronous proxy and the objects that it signals.
static bool isAsync(const Instruction &instruction) {
  const std::string &opcode = instruction.opcode;
  auto has = [&](std::string_view word) {
    return std::find(instruction.modifiers.begin(), instruction.modifiers.end(), word) !=
           instruction.modifiers.end();
  };
  return opcode == "mbarrier" || opcode == "wgmma" || opcode == "tcgen05" ||
         ((opcode == "cp" || opcode == "st" || opcode == "red" || opcode == "fence") &&
          (has("bulk") || (has("async") && (opcode != "cp" || has("mbarrier")))));
}

/// The registers that each op names (Program::touched).
void ProgramBuilder::recordTouched() {
  std::unordered_map<const Function *, size_t> numbers;
  for (size_t i = 0; i < functions.size(); ++i)
    numbers[functions[i]] = i;
  auto add = [&](auto &&self, const Function &f, const Operand &o, bool writes) -> void {
    if ((o.kind == Operand::Kind::Register || o.kind == Operand::Kind::Address) &&
        o.index != Operand::noIndex && f.registers[o.index].type != Type::Pred)
      program.touched.push_back(functionRegisters[numbers.at(&f)][o.index] |
                                (writes && o.kind == Operand::Kind::Register ? constantRef : 0));
    for (const Operand &child : o.children)
      self(self, f, child, writes && o.kind != Operand::Kind::Address);
  };
  for (const OpInfo &info : program.info) {
    program.touchedFrom.push_back(static_cast<uint32_t>(program.touched.size()));
    if (info.function->body.empty())
      continue;
    const Instruction &instruction = info.function->body[info.instruction];
    const std::string &opcode = instruction.opcode;
    if (opcode == "wgmma") // judges its registers itself
      continue;
    bool stores = opcode == "st" || opcode == "red" || opcode == "stmatrix" || opcode == "cp";
    for (size_t i = 0; i < instruction.operands.size(); ++i)
      add(add, *info.function, instruction.operands[i], i == 0 && !stores);
  }
  program.touchedFrom.push_back(static_cast<uint32_t>(program.touched.size()));
}

void ProgramBuilder::decodeInstruction(const Instruction &instruction, uint32_t index) {
  Op op;
  Decoder decoder(*this, instruction, op);
  if (instruction.guard != Operand::noIndex) {
    op.guard = predicateIndex(instruction.guard);
    op.guardFlip = instruction.guardNegated ? ~0u : 0;
  }
  if (isAsync(instruction)) {
    program.asyncOps = true;
    if (instruction.opcode == "tcgen05" && decoder.has("fence::before_thread_sync"))
      program.tensorFences = true;
  }
  auto [first, last] = rowsOf(instruction.opcode);
  bool decoded = false;
  for (const OpcodeRow *row = first; row != last && !decoded && !decoder.failed(); ++row) {
    if (!rowMatches(*row, instruction))
      continue;
    if (!row->decode) {
      decoder.failLater(row->family);
      return;
    }
    decoded = row->decode(decoder);
    if (decoded && !decoder.failed())
      decoder.require(row->ptx, row->sm, row->name);
  }
  if (decoder.failed())
    return;
  if (first == last)
    decoder.fail("{}: unknown instruction", instruction.opcode);
  else if (!decoded)
    decoder.fail("{}: no such form of '{}' (type or modifiers)", decoder.spelling(),
                 instruction.opcode);
  else
    decoder.finish();
  for (Op &extra : before) {
    program.ops.push_back(extra);
    program.info.push_back({function, index, ~0u});
  }
  before.clear();
  program.ops.push_back(op);
  program.info.push_back({function, index, ~0u});
  for (Op &extra : after) {
    program.ops.push_back(extra);
    program.info.push_back({function, index, ~0u});
  }
  after.clear();
}

namespace {
Flow endOfFunction(Warp &warp, const Op &op, uint32_t) {
  return static_cast<ControlKind>(op.mode2) == ControlKind::Exit ? Flow::Exit : Flow::Return;
}
} // namespace

void ProgramBuilder::decodeFunction(const Function &f, size_t index) {
  function = &f;
  registerRefs = functionRegisters[index];
  program.frames[index].firstOp = static_cast<uint32_t>(program.ops.size());
  std::vector<uint32_t> &starts = opOf.emplace_back();
  for (uint32_t i = 0; i < f.body.size() && failure.ok(); ++i) {
    starts.push_back(static_cast<uint32_t>(program.ops.size()));
    decodeInstruction(f.body[i], i);
  }
  // Falling off the end ends the thread or the function; labels behind the last instruction mean
  // this.
  starts.push_back(static_cast<uint32_t>(program.ops.size()));
  Op end;
  end.run = endOfFunction;
  end.opClass = OpClass::Control;
  end.mode2 = static_cast<uint8_t>(f.entry ? ControlKind::Exit : ControlKind::Return);
  program.ops.push_back(end);
  program.info.push_back({&f, static_cast<uint32_t>(f.body.empty() ? 0 : f.body.size() - 1), ~0u});
}

/// Decoders of branches leave instruction indices, those of calls function indices; both become op
/// indices.
void ProgramBuilder::resolveBranches() {
  for (size_t i = 0; i < program.ops.size(); ++i) {
    const OpInfo &info = program.info[i];
    Op &op = program.ops[i];
    if (op.opClass != OpClass::Control)
      continue;
    uint32_t index = functionIndex(info.function->name);
    switch (static_cast<ControlKind>(op.mode2)) {
    case ControlKind::Branch:
      op.target = opOf[index][op.target];
      break;
    case ControlKind::Indexed:
      for (uint32_t t = 0; t < op.count; ++t)
        program.lists[op.target + t] = opOf[index][program.lists[op.target + t]];
      break;
    case ControlKind::Call:
      op.target = program.frames[op.target].firstOp;
      break;
    default:
      break;
    }
  }
}

Expected<Program> ProgramBuilder::build(const Function &entry) {
  versionNumber = versionNumberOf(module.version);
  targetNumber = targetNumberOf(module.target);
  program.entry = &entry;
  program.registerSlots = 4; // the sink
  if (!collect(entry))
    return failure;
  placeShared();
  for (const Function *f : functions)
    placeFunction(*f);
  placeParameters(entry);
  for (size_t i = 0; i < functions.size() && failure.ok(); ++i)
    decodeFunction(*functions[i], i);
  constexpr uint32_t mostSlots = 1u << 20, mostPredicates = 60000;
  if (failure.ok() && (program.registerSlots > mostSlots || program.predicates > mostPredicates))
    fail(entry.location,
         fmt::format(
             "'{}' and what it calls name too many registers; accepted: {} words and {} predicates",
             entry.name, mostSlots, mostPredicates));
  if (!failure.ok())
    return failure;
  resolveBranches();
  if (hasPendingRegisters)
    recordTouched();
  analyseControlFlow(program);
  program.writtenParameters = writtenParameters(module, functions);
  return std::move(program);
}

} // namespace msa::ptxsim

//===- LintFlow.cpp - control and data flow of one function ------------------===//
#include "LintFlow.h"

#include <algorithm>

namespace msa::sim {

using ptxsim::Function;
using ptxsim::Instruction;
using ptxsim::Operand;

bool hasModifier(const Instruction &instruction, std::string_view word) {
  return std::find(instruction.modifiers.begin(), instruction.modifiers.end(), word) !=
         instruction.modifiers.end();
}

bool isInteger(const Operand &operand) {
  return operand.kind == Operand::Kind::Immediate &&
         operand.immediate == Operand::ImmediateKind::Integer;
}

namespace {

/// True if the first operand is written (an address is not, what it points to is).
bool writesFirst(const Instruction &instruction) {
  if (instruction.operands.empty() || instruction.opcode == "bar" || instruction.opcode == "bra" ||
      instruction.opcode == "brx")
    return false;
  return instruction.operands[0].kind != Operand::Kind::Address;
}

template <class Visit> void eachRegister(const Operand &operand, const Visit &visit) {
  if ((operand.kind == Operand::Kind::Register || operand.kind == Operand::Kind::Address) &&
      operand.index != Operand::noIndex)
    visit(operand.index);
  for (const Operand &child : operand.children)
    eachRegister(child, visit);
}

/// Values that these compute are the same for the 32 lanes of a warp, or unknown: an index of the
/// warp (tid >> 5), a value from another lane.
bool dropsLane(const Instruction &instruction) {
  static constexpr std::string_view names[] = {"shr", "div",   "bfe",   "shfl", "vote",
                                               "ld",  "redux", "match", "atom", "rem"};
  if (std::find(std::begin(names), std::end(names), instruction.opcode) != std::end(names))
    return true;
  // tid & ~31
  if (instruction.opcode == "and" && instruction.operands.size() == 3 &&
      isInteger(instruction.operands[2]))
    return (instruction.operands[2].bits & 31) == 0;
  // tid < 32, tid >= 64: whole warps
  if (instruction.opcode == "setp" && instruction.operands.size() >= 3 &&
      isInteger(instruction.operands[2]) && !instruction.modifiers.empty()) {
    const std::string &compare = instruction.modifiers[0];
    uint64_t bound = instruction.operands[2].bits;
    if (compare == "lt" || compare == "ge" || compare == "lo" || compare == "hs")
      return bound % 32 == 0;
    if (compare == "gt" || compare == "le" || compare == "hi" || compare == "ls")
      return bound % 32 == 31;
  }
  return false;
}

} // namespace

LintFlow::LintFlow(const Function &f) : function(f) {
  connect();
  writers.resize(f.registers.size());
  for (uint32_t i = 0; i < f.body.size(); ++i)
    if (writesFirst(f.body[i]))
      eachRegister(f.body[i].operands[0], [&](uint32_t reg) {
        if (reg < writers.size())
          writers[reg].push_back(i);
      });
  reachable.assign(f.body.size() + 1, false);
  std::vector<uint32_t> left;
  if (!f.body.empty())
    left.push_back(0);
  while (!left.empty()) {
    uint32_t at = left.back();
    left.pop_back();
    if (reachable[at])
      continue;
    reachable[at] = true;
    left.insert(left.end(), successors[at].begin(), successors[at].end());
  }
}

bool LintFlow::leaves(uint32_t i) const {
  const Instruction &instruction = function.body[i];
  return instruction.guard == Operand::noIndex &&
         (instruction.opcode == "bra" || instruction.opcode == "brx" ||
          instruction.opcode == "ret" || instruction.opcode == "exit" ||
          instruction.opcode == "trap");
}

void LintFlow::connect() {
  const auto size = static_cast<uint32_t>(function.body.size());
  leader.assign(size + 1, false);
  successors.resize(size + 1);
  predecessors.resize(size + 1);
  auto edge = [&](uint32_t from, uint32_t to) {
    successors[from].push_back(to);
    predecessors[to].push_back(from);
  };
  for (uint32_t i = 0; i < size; ++i) {
    const Instruction &instruction = function.body[i];
    std::vector<uint32_t> targets;
    for (const Operand &operand : instruction.operands) {
      if (operand.kind != Operand::Kind::Label)
        continue;
      if (instruction.opcode == "bra")
        targets.push_back(operand.index);
      else if (instruction.opcode == "brx" && operand.index < function.branchTargets.size())
        targets = function.branchTargets[operand.index];
    }
    for (uint32_t target : targets)
      if (target <= size) {
        edge(i, target);
        leader[target] = true;
      }
    bool stops = instruction.opcode == "ret" || instruction.opcode == "exit";
    if (stops)
      edge(i, size);
    if (!leaves(i))
      edge(i, i + 1);
    if (!targets.empty() || stops || leaves(i))
      leader[i + 1] = true;
  }
}

std::vector<bool> LintFlow::backwardsFrom(std::vector<uint32_t> targets,
                                          const std::vector<bool> &blocked) const {
  std::vector<bool> seen(successors.size(), false);
  while (!targets.empty()) {
    uint32_t at = targets.back();
    targets.pop_back();
    for (uint32_t before : predecessors[at])
      if (!seen[before] && !blocked[before]) {
        seen[before] = true;
        targets.push_back(before);
      }
  }
  return seen;
}

bool LintFlow::reaches(uint32_t from, uint32_t to) const {
  return backwardsFrom({to}, std::vector<bool>(successors.size(), false))[from];
}

bool LintFlow::escapes(uint32_t from, const std::vector<uint32_t> &stops) const {
  std::vector<bool> blocked(successors.size(), false);
  for (uint32_t stop : stops)
    if (function.body[stop].guard == Operand::noIndex)
      blocked[stop] = true;
  blocked[from] = false;
  return backwardsFrom({static_cast<uint32_t>(function.body.size())}, blocked)[from];
}

bool LintFlow::isUnconditional(uint32_t instruction) const {
  return function.body[instruction].guard == Operand::noIndex && reachable[instruction] &&
         decidingBranches(instruction).empty();
}

std::vector<uint32_t> LintFlow::decidingBranches(uint32_t instruction) const {
  std::vector<bool> none(successors.size(), false), blocked = none;
  std::vector<bool> before = backwardsFrom({instruction}, none);
  blocked[instruction] = true;
  // Ways around it: to the end, or round a loop for ever.
  std::vector<bool> around = backwardsFrom({static_cast<uint32_t>(function.body.size())}, blocked);
  std::vector<uint32_t> branches;
  for (uint32_t i = 0; i < function.body.size(); ++i)
    if (i != instruction && reachable[i] && before[i] && around[i] && successors[i].size() > 1)
      branches.push_back(i);
  return branches;
}

bool LintFlow::tellsLanesApart(uint32_t predicate) const {
  std::vector<bool> seen(function.registers.size(), false);
  return comesFromLane(predicate, seen);
}

bool LintFlow::comesFromLane(uint32_t reg, std::vector<bool> &seen) const {
  std::vector<uint32_t> left = {reg};
  while (!left.empty()) {
    uint32_t at = left.back();
    left.pop_back();
    if (at >= seen.size() || seen[at])
      continue;
    seen[at] = true;
    for (uint32_t writer : writers[at]) {
      const Instruction &instruction = function.body[writer];
      if (instruction.opcode == "elect")
        return true;
      if (dropsLane(instruction))
        continue;
      for (size_t i = 1; i < instruction.operands.size(); ++i) {
        const Operand &operand = instruction.operands[i];
        if (operand.kind == Operand::Kind::Special &&
            (operand.special.name == "%laneid" || operand.special.name == "%tid" ||
             operand.special.name.starts_with("%lanemask")))
          return true;
        eachRegister(operand, [&](uint32_t source) { left.push_back(source); });
      }
      // A guarded write of a constant takes on what the guard is.
      if (instruction.guard != Operand::noIndex)
        left.push_back(instruction.guard);
    }
  }
  return false;
}

std::optional<uint64_t> LintFlow::constantOf(const Operand &operand) const {
  const Operand *at = &operand;
  for (int depth = 0; depth < 8; ++depth) {
    if (isInteger(*at))
      return at->bits;
    if (at->kind != Operand::Kind::Register || at->index >= writers.size() ||
        writers[at->index].size() != 1)
      return std::nullopt;
    const Instruction &writer = function.body[writers[at->index][0]];
    if (writer.opcode != "mov" || writer.guard != Operand::noIndex || writer.operands.size() != 2)
      return std::nullopt;
    at = &writer.operands[1];
  }
  return std::nullopt;
}

} // namespace msa::sim

//===- Counting.cpp - what a grid's counts say ---------------------------------===//
//
// Roles. A warp-specialised kernel sends its warps into different code, and one sum
// over all of them says little. Two warps have one role when they executed mostly
// the same instructions: of the ops that either of them executed, both executed at
// least `sameRole`. Counts are by warp index, over all CTAs, so a role is "warps
// 4-7", not a warp of one CTA. Code that only the first warp of a role executes
// (an elected thread that stores the tile) does not make it a role of its own;
// a kernel that is not specialised has one role.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Counting.h"

#include <algorithm>
#include <numeric>

namespace msa::ptxsim {

namespace {

/// Share of the ops of two warps that both must have executed to have one role.
constexpr double sameRole = 0.7;

constexpr std::string_view classNames[opClassCount] = {
    "integer",    "float",   "double", "half",    "logic",    "compare", "move",
    "convert",    "global",  "shared", "local",   "constant", "atomic",  "copy",
    "warp level", "barrier", "matrix", "control", "special"};

constexpr std::string_view productNames[productKindCount] = {
    "f64", "tf32", "f16", "f8f6f4", "mxf8f6f4", "mxf4", "integer", "b1"};

/// Adds the executions of one row of ops to sums by class; returns their total.
uint64_t addClasses(const Program &program, const uint64_t *executions,
                    std::map<std::string, uint64_t> &byClass) {
  std::array<uint64_t, opClassCount> sums{};
  for (size_t pc = 0; pc < program.ops.size(); ++pc)
    sums[static_cast<unsigned>(program.ops[pc].opClass)] += executions[pc];
  for (unsigned i = 0; i < opClassCount; ++i)
    if (sums[i])
      byClass[std::string(classNames[i])] += sums[i];
  return std::accumulate(sums.begin(), sums.end(), uint64_t{0});
}

bool haveOneRole(const uint64_t *a, const uint64_t *b, size_t ops) {
  size_t both = 0, either = 0;
  for (size_t pc = 0; pc < ops; ++pc) {
    both += a[pc] != 0 && b[pc] != 0;
    either += a[pc] != 0 || b[pc] != 0;
  }
  return either == 0 || static_cast<double>(both) >= sameRole * static_cast<double>(either);
}

/// "tcgen05.mma", "cp.async.bulk.tensor": empty unless it is a copy, a matrix unit's or their
/// synchronisation.
std::string unitOf(const Instruction &instruction) {
  const std::string &opcode = instruction.opcode;
  const auto &words = instruction.modifiers;
  auto join = [&](size_t count) {
    std::string text = opcode;
    for (size_t i = 0; i < std::min(count, words.size()); ++i)
      text += "." + words[i];
    return text;
  };
  if (opcode == "wgmma" || opcode == "tcgen05")
    return join(1);
  if (opcode == "mma" || opcode == "wmma")
    return opcode;
  if (opcode != "cp")
    return {};
  bool bulk = std::find(words.begin(), words.end(), "bulk") != words.end();
  bool tensor = std::find(words.begin(), words.end(), "tensor") != words.end();
  size_t count = 1;
  while (count < words.size() && words[count - 1] != (tensor ? "tensor" : bulk ? "bulk" : "async"))
    ++count;
  bool waits = std::any_of(words.begin(), words.end(), [](const std::string &word) {
    return word.starts_with("commit") || word.starts_with("wait") || word == "mbarrier";
  });
  return waits ? std::string() : join(count);
}

std::vector<Counters::Role> findRoles(const Program &program, const Tally &tally) {
  const size_t ops = program.ops.size(), warps = ops ? tally.executions.size() / ops : 0;
  std::vector<Counters::Role> roles;
  for (size_t warp = 0; warp < warps; ++warp) {
    const uint64_t *mine = &tally.executions[warp * ops];
    auto role = std::find_if(roles.begin(), roles.end(), [&](const Counters::Role &r) {
      return haveOneRole(&tally.executions[r.warps[0] * ops], mine, ops);
    });
    if (role == roles.end())
      role = roles.insert(roles.end(), Counters::Role());
    role->warps.push_back(static_cast<uint32_t>(warp));
    role->warpInstructions += warp < tally.warpExecuted.size() ? tally.warpExecuted[warp] : 0;
    role->threadInstructions += addClasses(program, mine, role->byClass);
    for (size_t pc = 0; pc < ops; ++pc)
      if (mine[pc] && !program.info[pc].function->body.empty())
        if (std::string unit = unitOf(program.instruction(static_cast<uint32_t>(pc)));
            !unit.empty() &&
            std::find(role->does.begin(), role->does.end(), unit) == role->does.end())
          role->does.push_back(std::move(unit));
  }
  for (Counters::Role &role : roles)
    std::sort(role.does.begin(), role.does.end());
  return roles;
}

} // namespace

Counters toCounters(const Program &program, const Tally &tally, bool detailed) {
  Counters c;
  c.warpInstructions = tally.warpInstructions;
  const size_t ops = program.ops.size();
  for (size_t at = 0; ops && at + ops <= tally.executions.size(); at += ops)
    c.threadInstructions += addClasses(program, &tally.executions[at], c.byClass);
  if (!detailed) {
    c.byClass.clear();
    return c;
  }
  c.globalLoadBytes = tally.globalLoadBytes;
  c.globalStoreBytes = tally.globalStoreBytes;
  c.sharedLoadBytes = tally.sharedLoadBytes;
  c.sharedStoreBytes = tally.sharedStoreBytes;
  c.localBytes = tally.localBytes;
  c.constBytes = tally.constBytes;
  c.clusterBytes = tally.clusterBytes;
  c.globalRequests = tally.globalRequests;
  c.globalSectors = tally.globalSectors;
  c.sharedRequests = tally.sharedRequests;
  c.sharedBankConflicts = tally.sharedBankConflicts;
  c.bulkLoadBytes = tally.bulkLoadBytes;
  c.bulkStoreBytes = tally.bulkStoreBytes;
  c.bulkReduceBytes = tally.bulkReduceBytes;
  c.tmaLoadBytes = tally.tmaLoadBytes;
  c.tmaStoreBytes = tally.tmaStoreBytes;
  c.tmaReduceBytes = tally.tmaReduceBytes;
  c.tmaOutsideBytes = tally.tmaOutsideBytes;
  c.tensorMemoryLoadBytes = tally.tensorMemoryLoadBytes;
  c.tensorMemoryStoreBytes = tally.tensorMemoryStoreBytes;
  c.tensorMemoryCopyBytes = tally.tensorMemoryCopyBytes;
  c.operandBytes = tally.operandBytes;
  for (unsigned i = 0; i < productKindCount; ++i)
    if (tally.flops[i]) {
      c.flopsByKind[std::string(productNames[i])] = tally.flops[i];
      c.tensorFlops += tally.flops[i];
    }
  c.barrierWaits = tally.barrierWaits;
  c.mbarrierTests = tally.mbarrierTests;
  c.mbarrierRefusals = tally.mbarrierRefusals;
  c.roles = findRoles(program, tally);
  return c;
}

uint64_t Counters::globalBytes() const {
  return globalLoadBytes + globalStoreBytes + bulkLoadBytes + bulkStoreBytes + bulkReduceBytes +
         tmaLoadBytes + tmaStoreBytes + tmaReduceBytes;
}

void Counters::add(const Counters &other) {
  for (auto field : {&Counters::warpInstructions,
                     &Counters::threadInstructions,
                     &Counters::globalLoadBytes,
                     &Counters::globalStoreBytes,
                     &Counters::sharedLoadBytes,
                     &Counters::sharedStoreBytes,
                     &Counters::localBytes,
                     &Counters::constBytes,
                     &Counters::clusterBytes,
                     &Counters::globalRequests,
                     &Counters::globalSectors,
                     &Counters::sharedRequests,
                     &Counters::sharedBankConflicts,
                     &Counters::bulkLoadBytes,
                     &Counters::bulkStoreBytes,
                     &Counters::bulkReduceBytes,
                     &Counters::tmaLoadBytes,
                     &Counters::tmaStoreBytes,
                     &Counters::tmaReduceBytes,
                     &Counters::tmaOutsideBytes,
                     &Counters::tensorMemoryLoadBytes,
                     &Counters::tensorMemoryStoreBytes,
                     &Counters::tensorMemoryCopyBytes,
                     &Counters::operandBytes,
                     &Counters::tensorFlops,
                     &Counters::barrierWaits,
                     &Counters::mbarrierTests,
                     &Counters::mbarrierRefusals})
    this->*field += other.*field;
  for (const auto &[name, count] : other.byClass)
    byClass[name] += count;
  for (const auto &[name, count] : other.flopsByKind)
    flopsByKind[name] += count;
  // Warp indices of different kernels mean different code.
  if (roles.empty())
    roles = other.roles;
  else if (!other.roles.empty())
    roles.clear();
}

} // namespace msa::ptxsim

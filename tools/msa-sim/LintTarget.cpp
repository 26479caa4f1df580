//===- LintTarget.cpp - what the module's .version and .target have ------------===//
//
// Lowest PTX version and target come from the opcode table. Instructions of the
// matrix and register machinery exist on one architecture only and need the `a` (or
// `f`) of the target's name: their rows are here, with the PTX ISA's "target ISA
// notes" as source.
//
//===----------------------------------------------------------------------===//
#include "Lint.h"
#include "LintFlow.h"

#include "ptxsim/OpcodeTable.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace msa::sim {
namespace {

using ptxsim::Instruction;
using ptxsim::Module;
using ptxsim::OpcodeInfo;

/// Instructions of single architectures.
struct Specific {
  std::string_view opcode, word; ///< `word`: a modifier that it must have; empty: none
  std::string_view accepted;     ///< targets, space-separated; `f`: of a family
};
constexpr Specific specific[] = {
    {"wgmma", "", "sm_90a"},
    {"setmaxnreg", "",
     "sm_90a sm_100a sm_100f sm_103a sm_103f sm_110a sm_110f sm_120a sm_120f "
     "sm_121a sm_121f"},
    {"tcgen05", "", "sm_100a sm_100f sm_103a sm_103f sm_110a sm_110f"},
    {"tensormap", "replace",
     "sm_90a sm_100a sm_100f sm_103a sm_103f sm_110a sm_110f sm_120a "
     "sm_120f sm_121a sm_121f"},
    {"cp", "cta_group::2", "sm_100a sm_100f sm_103a sm_103f sm_110a sm_110f"},
    {"mma", "block_scale", "sm_120a sm_120f sm_121a sm_121f"},
};

/// "8.7" is 87; "sm_100a" is 100.
uint32_t numberIn(std::string_view text, bool version) {
  size_t at = text.find_first_of("0123456789");
  uint32_t major = 0, minor = 0;
  if (at == std::string_view::npos)
    return 0;
  const char *end = text.data() + text.size();
  auto rest = std::from_chars(text.data() + at, end, major).ptr;
  if (!version)
    return major;
  if (rest != end && *rest == '.')
    std::from_chars(rest + 1, end, minor);
  return major * 10 + minor;
}

bool isAmong(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    std::string_view first = list.substr(0, list.find(' '));
    if (first == word)
      return true;
    list.remove_prefix(std::min(list.size(), first.size() + 1));
  }
  return false;
}

/// True if the words of the row's name are the instruction's opcode and first modifiers.
bool matches(std::string_view name, const Instruction &instruction) {
  std::string spelled = instruction.opcode;
  for (const std::string &word : instruction.modifiers)
    spelled += "." + word;
  return spelled == name || spelled.starts_with(std::string(name) + ".");
}

class TargetLint {
public:
  TargetLint(const Module &module, Findings &findings)
      : module(module), findings(findings), version(numberIn(module.version, true)),
        target(numberIn(module.target, false)) {
    for (const OpcodeInfo &row : ptxsim::opcodeTable())
      rows[row.name.substr(0, row.name.find('.'))].push_back(row);
  }

  void check(const Instruction &instruction) {
    for (const Specific &row : specific)
      if (row.opcode == instruction.opcode &&
          (row.word.empty() || hasModifier(instruction, row.word)) &&
          !isAmong(row.accepted, module.target)) {
        findings.add(Severity::Error, "target", instruction.location,
                     fmt::format("{}{}{} does not exist on {}; accepted: {}", row.opcode,
                                 row.word.empty() ? "" : "...", row.word, module.target,
                                 row.accepted));
        return;
      }
    checkTable(instruction);
  }

private:
  /// Too old for every row that the instruction could be of.
  void checkTable(const Instruction &instruction) {
    auto found = rows.find(instruction.opcode);
    if (found == rows.end())
      return; // decoding says so
    const OpcodeInfo *best = nullptr;
    size_t length = 0;
    for (const OpcodeInfo &row : found->second)
      if (matches(row.name, instruction) && row.name.size() >= length) {
        if (row.ptxVersion <= version && row.smVersion <= target)
          return;
        if (!best || row.name.size() > length || row.smVersion < best->smVersion)
          best = &row;
        length = row.name.size();
      }
    if (best)
      findings.add(Severity::Error, "target", instruction.location,
                   fmt::format("{} needs PTX {}.{} and sm_{}; the module has .version {} and "
                               ".target {}",
                               best->name, best->ptxVersion / 10, best->ptxVersion % 10,
                               best->smVersion, module.version, module.target));
  }

  const Module &module;
  Findings &findings;
  uint32_t version, target;
  std::map<std::string_view, std::vector<OpcodeInfo>> rows;
};

} // namespace

bool existsOn(std::string_view name, std::string_view target) {
  return std::none_of(std::begin(specific), std::end(specific), [&](const Specific &row) {
    std::string whole(row.opcode);
    if (!row.word.empty())
      whole += "." + std::string(row.word);
    return (name == whole || name.starts_with(whole + ".")) && !isAmong(row.accepted, target);
  });
}

void lintTargets(const Module &module, Findings &findings) {
  TargetLint lint(module, findings);
  for (const ptxsim::Function &f : module.functions)
    for (const Instruction &instruction : f.body)
      lint.check(instruction);
}

} // namespace msa::sim

//===- LintAsync.cpp - lint rules for fences and waits -------------------------===//
//
// What straight code shows: inside one basic block nothing can come between two
// instructions, so a missing fence there is missing. Whether the addresses are the
// same is not known, hence warnings, one of a kind for a function.
//
//===----------------------------------------------------------------------===//
#include "Lint.h"
#include "LintFlow.h"

#include <fmt/format.h>

#include <algorithm>

namespace msa::sim {
namespace {

using ptxsim::Function;
using ptxsim::Instruction;

bool isOneOf(const Instruction &instruction, size_t word, std::string_view what) {
  return word < instruction.modifiers.size() && instruction.modifiers[word] == what;
}

bool isSharedStore(const Instruction &instruction) {
  bool shared = hasModifier(instruction, "shared") || hasModifier(instruction, "shared::cta");
  return (instruction.opcode == "st" || instruction.opcode == "stmatrix") && shared;
}

/// fence.proxy.async in any form that covers shared memory.
bool isProxyFence(const Instruction &instruction) {
  if (instruction.opcode != "fence" || !isOneOf(instruction, 0, "proxy"))
    return false;
  return std::any_of(instruction.modifiers.begin(), instruction.modifiers.end(),
                     [](const std::string &word) {
                       return word.starts_with("async") && word != "async.global";
                     }) &&
         !hasModifier(instruction, "global");
}

/// Reads shared memory through the asynchronous proxy.
bool readsAsynchronously(const Instruction &instruction) {
  if (instruction.opcode == "tcgen05")
    return isOneOf(instruction, 0, "mma") || isOneOf(instruction, 0, "cp");
  if (instruction.opcode == "wgmma")
    return isOneOf(instruction, 0, "mma_async");
  if (instruction.opcode != "cp")
    return false;
  // Stores and reductions: ....global.shared::cta.
  auto global = std::find(instruction.modifiers.begin(), instruction.modifiers.end(), "global");
  return hasModifier(instruction, "bulk") && global != instruction.modifiers.end() &&
         global + 1 != instruction.modifiers.end() && (global + 1)->starts_with("shared");
}

class AsyncLint {
public:
  AsyncLint(const Function &f, const LintFlow &flow, Findings &findings)
      : f(f), flow(flow), findings(findings) {}

  void run() {
    for (uint32_t i = 0; i < f.body.size(); ++i) {
      if (flow.startsBlock(i))
        store = load = nullptr;
      const Instruction &instruction = f.body[i];
      checkProxy(instruction);
      checkRelease(instruction);
    }
  }

private:
  void checkProxy(const Instruction &instruction) {
    if (isSharedStore(instruction))
      store = &instruction;
    else if (isProxyFence(instruction))
      store = nullptr;
    else if (store && readsAsynchronously(instruction) && !saidProxy) {
      saidProxy = true;
      findings.add(Severity::Warning, "proxy-fence", instruction.location,
                   fmt::format("reads shared memory through the asynchronous proxy, and no "
                               "fence.proxy.async follows the store at line {}: if it reads what "
                               "was stored there, it may read what was there before",
                               store->location.line));
    }
  }

  /// Tensor memory that a tcgen05.ld still reads must not be given back to its producer.
  void checkRelease(const Instruction &instruction) {
    if (instruction.opcode == "tcgen05" && isOneOf(instruction, 0, "ld"))
      load = &instruction;
    else if (instruction.opcode == "tcgen05" && isOneOf(instruction, 0, "wait::ld"))
      load = nullptr;
    else if (load && instruction.opcode == "mbarrier" && isOneOf(instruction, 0, "arrive") &&
             !saidRelease) {
      saidRelease = true;
      findings.add(Severity::Warning, "load-release", instruction.location,
                   fmt::format("arrives while the tcgen05.ld at line {} may still read tensor "
                               "memory; accepted: tcgen05.wait::ld before it",
                               load->location.line));
    }
  }

  const Function &f;
  const LintFlow &flow;
  Findings &findings;
  const Instruction *store = nullptr; ///< not fenced, in this block
  const Instruction *load = nullptr;  ///< not waited for, in this block
  bool saidProxy = false, saidRelease = false;
};

} // namespace

void lintAsync(const Function &f, const LintFlow &flow, Findings &findings) {
  AsyncLint(f, flow, findings).run();
}

} // namespace msa::sim

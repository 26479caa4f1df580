//===- Lint.cpp - what PTX text alone shows --------------------------------===//
#include "Lint.h"

#include "LintFlow.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace msa::sim {
namespace {

using ptxsim::Function;
using ptxsim::Instruction;
using ptxsim::Module;
using ptxsim::Operand;

class Linter {
public:
  explicit Linter(const Module &module) : module(module) {}

  std::vector<Finding> run() {
    checkSharedMemory();
    for (const Function &f : module.functions) {
      checkHead(f);
      warnedCluster = false;
      for (const Instruction &instruction : f.body) {
        checkRegisterCount(f, instruction);
        checkBarrier(instruction);
        checkCluster(f, instruction);
      }
      LintFlow flow(f);
      lintTensor(f, flow, findings);
      lintAsync(f, flow, findings);
    }
    lintTargets(module, findings);
    std::sort(findings.list.begin(), findings.list.end(), [](const Finding &a, const Finding &b) {
      return std::tie(a.location.line, a.location.column, a.rule, a.message) <
             std::tie(b.location.line, b.location.column, b.rule, b.message);
    });
    return std::move(findings.list);
  }

private:
  void checkHead(const Function &f) {
    // ptxas refuses the pair (PTX ISA 11.4.5).
    if (f.maxThreads[0] && f.requiredThreads[0])
      findings.add(Severity::Error, "threads", f.location,
                   fmt::format("'{}' has .maxntid and .reqntid; accepted: one of them", f.name));
    const auto &threads = f.requiredThreads[0] ? f.requiredThreads : f.maxThreads;
    uint64_t total = uint64_t{threads[0]} * threads[1] * threads[2];
    if (threads[0] && (threads[0] > 1024 || threads[1] > 1024 || threads[2] > 64 || total > 1024))
      findings.add(
          Severity::Error, "threads", f.location,
          fmt::format(
              "'{}' asks for {}x{}x{} threads; accepted: at most 1024x1024x64 and 1024 in all",
              f.name, threads[0], threads[1], threads[2]));
    if (f.explicitCluster && !f.requiredCluster[0])
      findings.add(
          Severity::Warning, "cluster", f.location,
          fmt::format("'{}' has .explicitcluster without .reqnctapercluster: the launch must give "
                      "the cluster",
                      f.name));
  }

  /// setmaxnreg is ignored when ptxas cannot know the registers at entry (message C7508).
  void checkRegisterCount(const Function &f, const Instruction &instruction) {
    if (instruction.opcode != "setmaxnreg")
      return;
    bool known = f.maxRegisters || ((f.maxThreads[0] || f.requiredThreads[0]) && f.entry);
    if (!known && f.entry)
      findings.add(
          Severity::Error, "maxnreg", instruction.location,
          fmt::format("setmaxnreg in '{}', which has neither .maxnreg nor .maxntid or .reqntid: "
                      "ptxas ignores it",
                      f.name));
    if (instruction.operands.size() == 1 && isInteger(instruction.operands[0])) {
      uint64_t count = instruction.operands[0].bits;
      if (count < 24 || count > 256 || count % 8)
        findings.add(Severity::Error, "maxnreg", instruction.location,
                     fmt::format("setmaxnreg {}; accepted: a multiple of 8 from 24 to 256",
                                 static_cast<int64_t>(count)));
    }
  }

  /// bar and barrier (PTX ISA 9.7.13.1): sixteen barriers, whole warps.
  void checkBarrier(const Instruction &instruction) {
    bool isBarrier = instruction.opcode == "bar" ||
                     (instruction.opcode == "barrier" && !hasModifier(instruction, "cluster"));
    if (!isBarrier || hasModifier(instruction, "warp"))
      return;
    size_t first = hasModifier(instruction, "red") ? 1 : 0;
    if (first >= instruction.operands.size())
      return;
    const Operand &id = instruction.operands[first];
    if (isInteger(id) && id.bits > 15)
      findings.add(Severity::Error, "barrier", id.location,
                   fmt::format("barrier {}; accepted: 0 to 15", static_cast<int64_t>(id.bits)));
    if (first + 1 >= instruction.operands.size())
      return;
    const Operand &count = instruction.operands[first + 1];
    if (isInteger(count) && (count.bits % 32 || count.bits == 0 || count.bits > 1024))
      findings.add(
          Severity::Error, "barrier", count.location,
          fmt::format("a barrier of {} threads; accepted: a multiple of 32 from 32 to 1024",
                      static_cast<int64_t>(count.bits)));
  }

  void checkCluster(const Function &f, const Instruction &instruction) {
    bool needsCluster =
        instruction.opcode == "mapa" ||
        (instruction.opcode == "barrier" && hasModifier(instruction, "cluster")) ||
        hasModifier(instruction, "multicast::cluster") ||
        (instruction.opcode == "tcgen05" && hasModifier(instruction, "cta_group::2"));
    if (needsCluster && f.entry && !f.requiredCluster[0] && !f.explicitCluster && !warnedCluster) {
      warnedCluster = true;
      findings.add(
          Severity::Warning, "cluster", instruction.location,
          fmt::format("'{}' uses cluster instructions and has no .reqnctapercluster: the launch "
                      "must give the cluster",
                      f.name));
    }
  }

  /// Static shared memory that no multiprocessor has.
  void checkSharedMemory() {
    constexpr uint64_t mostShared = 227 * 1024;
    auto sum = [](const std::vector<ptxsim::Variable> &list) {
      uint64_t bytes = 0;
      for (const ptxsim::Variable &variable : list)
        if (variable.space == ptxsim::StateSpace::Shared)
          bytes += variable.bytes;
      return bytes;
    };
    uint64_t common = sum(module.variables);
    for (const Function &f : module.functions)
      if (uint64_t bytes = common + sum(f.variables); f.entry && bytes > mostShared)
        findings.add(Severity::Error, "shared", f.location,
                     fmt::format("'{}' has {} bytes of static shared memory; accepted: at most {}",
                                 f.name, bytes, mostShared));
  }

  const Module &module;
  bool warnedCluster = false;
  Findings findings;
};

} // namespace

std::string_view toString(Severity severity) {
  return severity == Severity::Error ? "error" : severity == Severity::Warning ? "warning" : "note";
}

std::vector<Finding> lintModule(const Module &module) { return Linter(module).run(); }

} // namespace msa::sim

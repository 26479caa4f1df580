//===- LintFlow.h - control and data flow of one function, for lint rules ----===//
//
// What the rules ask of PTX text: which instructions can run after which, which
// branches decide whether an instruction runs, and where a register's value comes
// from. Registers of PTX are mostly written once; where one is written several
// times, all writes count. Everything errs on the side of "may".
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Module.h"

#include <optional>
#include <vector>

namespace msa::sim {

class LintFlow {
public:
  explicit LintFlow(const ptxsim::Function &);

  const ptxsim::Function &function;

  /// True if the instruction can run at all.
  bool isReachable(uint32_t instruction) const { return reachable[instruction]; }
  /// True if `to` can run after `from` (a loop: `from` after itself).
  bool reaches(uint32_t from, uint32_t to) const;
  /// True if some path from behind `from` to the end of the function meets none of `stops`
  /// unconditionally.
  bool escapes(uint32_t from, const std::vector<uint32_t> &stops) const;
  /// True if every thread of the function executes the instruction (branches and guards
  /// cannot avoid it).
  bool isUnconditional(uint32_t instruction) const;
  /// Conditional branches that decide whether the instruction runs.
  std::vector<uint32_t> decidingBranches(uint32_t instruction) const;
  /// True if the instruction is the first of a basic block.
  bool startsBlock(uint32_t instruction) const { return leader[instruction]; }

  /// True if the predicate can be true for some lanes of a warp and false for others: it comes
  /// from elect.sync, %laneid, or a comparison of %tid that tells lanes of a warp apart.
  bool tellsLanesApart(uint32_t predicate) const;
  /// The constant that the operand always has.
  std::optional<uint64_t> constantOf(const ptxsim::Operand &) const;

private:
  void connect();
  bool leaves(uint32_t instruction) const;
  /// Instructions from which `targets` can be reached without passing one of `blocked`.
  std::vector<bool> backwardsFrom(std::vector<uint32_t> targets,
                                  const std::vector<bool> &blocked) const;
  bool comesFromLane(uint32_t reg, std::vector<bool> &seen) const;

  std::vector<bool> leader, reachable;
  std::vector<std::vector<uint32_t>> successors, predecessors; ///< by instruction; the end is n
  std::vector<std::vector<uint32_t>> writers; ///< instructions that write each register
};

/// True if the instruction has the modifier.
bool hasModifier(const ptxsim::Instruction &, std::string_view word);
/// An integer written in the text.
bool isInteger(const ptxsim::Operand &);

} // namespace msa::sim

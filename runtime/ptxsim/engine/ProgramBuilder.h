//===- ProgramBuilder.h - a Program from an entry of a Module --------------------===//
//
// Decoding happens once per entry: find the functions that can be called, place
// their variables and registers, decode each instruction, then join up branches
// and compute where diverging lanes meet again (ControlFlow.cpp).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"
#include "ptxsim/engine/Decoder.h"
#include "ptxsim/engine/Program.h"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace msa::ptxsim {

/// 90 of "sm_90a".
unsigned targetNumberOf(const std::string &target);

/// Where module-scope .global and .const variables lie; one per module.
struct ModuleLayout {
  std::unordered_map<std::string, uint64_t> offsets; ///< from the start of the variable's window
  uint64_t globalBytes = 0, constBytes = 0;
  static ModuleLayout create(const Module &);
};

class ProgramBuilder {
public:
  ProgramBuilder(const Module &module, const ModuleLayout &layout, const std::string &name)
      : module(module), layout(layout), sourceName(name) {}

  /// Decodes `entry` and all that it can call.
  Expected<Program> build(const Function &entry);

  // ---- for Decoder ------------------------------------------------------------------------------
  const Module &module;
  const ModuleLayout &layout;
  const std::string &sourceName;
  Program program;
  const Function *function = nullptr; ///< being decoded

  /// The variable that a symbol names in the current function, or null.
  const Variable *findVariable(const std::string &name) const;
  /// Offset of the variable in its state space.
  uint64_t offsetOf(const Variable &);
  Ref registerRef(uint32_t index) const { return registerRefs[index]; }
  uint16_t predicateIndex(uint32_t index) const {
    return static_cast<uint16_t>(registerRefs[index]);
  }
  Ref constant(uint64_t low, uint64_t high, uint32_t bits);
  Ref special(SpecialId);
  Ref allocateSlots(uint32_t count);
  uint16_t allocatePredicate() { return static_cast<uint16_t>(program.predicates++); }
  /// The condition code of extended-precision arithmetic.
  uint16_t carryPredicate() {
    if (carry == 0)
      carry = allocatePredicate();
    return carry;
  }
  /// The slot of an address in the CTA's own shared memory, which depends on its rank in the
  /// cluster.
  Ref sharedAddress(uint64_t offset, uint32_t bits);
  uint16_t explicitClusterPredicate() {
    if (program.explicitClusterPredicate == 0)
      program.explicitClusterPredicate = allocatePredicate();
    return program.explicitClusterPredicate;
  }
  /// Keeps a plan of mma.sync; equal ones are shared.
  uint16_t addPlan(std::shared_ptr<const MmaPlan>);
  /// Puts an op that computes something into `op.dst` before the one being decoded.
  void emitBefore(const Op &op) { before.push_back(op); }
  void emitAfter(const Op &op) { after.push_back(op); }
  void fail(SourceLocation, const std::string &message, StatusCode code = StatusCode::InvalidInput);
  unsigned ptxVersion() const { return versionNumber; }
  unsigned smVersion() const { return targetNumber; }
  /// Index among the program's functions; the decoder of `call` needs it.
  uint32_t functionIndex(const std::string &name) const;
  /// The register of that name in a function of the program (by index).
  std::optional<Ref> registerOf(uint32_t function, const std::string &name) const;
  const Function *reachable(const std::string &name) const;
  /// An access of elements of `bytes` bytes in `space`: what the race checks must tell apart.
  void sawAccess(StateSpace space, uint32_t bytes);
  /// CTAs may see each other's memory through this instruction.
  void sawOrderedAccess() { program.order = GridOrder::Ordered; }
  /// The instruction leaves registers pending (PendingRegisters in Warp.h).
  void sawPendingRegisters() { hasPendingRegisters = true; }

private:
  bool collect(const Function &);
  void placeShared();
  void placeFunction(const Function &);
  void placeParameters(const Function &);
  void decodeFunction(const Function &, size_t index);
  void decodeInstruction(const Instruction &, uint32_t index);
  void resolveBranches();
  void recordTouched();

  Status failure;
  unsigned versionNumber = 0, targetNumber = 0;
  std::vector<const Function *> functions; ///< entry first
  std::vector<const Function *> visiting;
  std::unordered_map<const Variable *, uint64_t> placed;
  std::vector<std::vector<uint32_t>> functionRegisters; ///< refs by function and register
  std::vector<uint32_t> registerRefs;                   ///< of the function being decoded
  std::map<std::pair<std::pair<uint64_t, uint64_t>, uint32_t>, Ref> constantIndex;
  std::map<SpecialId, Ref> specialIndex;
  std::vector<Op> before, after;
  bool hasPendingRegisters = false;
  uint16_t carry = 0;                      ///< 0: not used so far
  std::vector<std::vector<uint32_t>> opOf; ///< by function: first op of each instruction
};

/// Fills OpInfo::reconvergence and Op::join of a decoded program (ControlFlow.cpp).
void analyseControlFlow(Program &);

} // namespace msa::ptxsim

//===- Program.h - an entry decoded for execution ---------------------------===//
//
// One entry and the functions that it can reach, as one array of Ops: the entry
// first, each function behind it. Registers of all of them share one register
// file (recursion is refused), so a call moves no registers. Immutable once
// built, shared by all host threads.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Module.h"
#include "ptxsim/engine/MmaPlan.h"
#include "ptxsim/engine/Op.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace msa::ptxsim {

/// Per-thread values that are fixed when a warp starts; a program fills only those it reads.
enum class SpecialId : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NwarpId,
  SmId,
  NsmId,
  GridId,
  WarpSize,
  LaneMaskEq,
  LaneMaskLe,
  LaneMaskLt,
  LaneMaskGe,
  LaneMaskGt,
  DynamicSmemSize,
  TotalSmemSize,
  ReservedSmem,
  ClusterIdX,
  ClusterIdY,
  ClusterIdZ,
  NclusterIdX,
  NclusterIdY,
  NclusterIdZ,
  ClusterCtaX,
  ClusterCtaY,
  ClusterCtaZ,
  ClusterNctaX,
  ClusterNctaY,
  ClusterNctaZ,
  ClusterRank,
  ClusterSize,
};

/// What a diagnostic needs of an op; parallel to Program::ops.
struct OpInfo {
  const Function *function = nullptr;
  uint32_t instruction = 0; ///< index into function->body
  uint32_t reconvergence =
      ~0u; ///< op where diverging lanes meet again (branches); ~0: only at the end
};

/// A named piece of a small memory (shared, local), for diagnostics.
struct Placement {
  std::string name;
  uint64_t offset = 0, bytes = 0;
};

/// How CTAs of one grid may be run (docs/simulator.md, "How CTAs are scheduled").
enum class GridOrder : uint8_t {
  Independent, ///< CTAs do not talk: any number of host threads
  Ordered, ///< CTAs see each other's memory: one host thread, in order, interleaved when one waits
};

struct Program {
  const Function *entry = nullptr;
  std::vector<Op> ops;
  std::vector<OpInfo> info;
  std::vector<uint32_t> lists;    ///< operand lists: Refs, predicate indices, op indices
  std::vector<uint8_t> constants; ///< constant pool, whole slots
  uint32_t registerSlots = 0;     ///< 128-byte slots of a warp; the first four are the sink
  uint32_t predicates = 2;        ///< 0 = true, 1 = sink
  std::vector<std::pair<SpecialId, Ref>> specials;
  std::vector<std::shared_ptr<const MmaPlan>> mmaPlans; ///< by Op::count of mma.sync

  /// Slots that hold the address of a place in the CTA's shared memory.
  struct SharedAddress {
    uint64_t offset;
    uint32_t bits;
    Ref ref;
  };
  std::vector<SharedAddress> sharedAddresses;
  uint16_t explicitClusterPredicate = 0; ///< %is_explicit_cluster; 0: not used

  uint32_t staticSharedBytes = 0;   ///< before dynamic shared memory
  uint32_t dynamicSharedOffset = 0; ///< where `extern .shared` starts
  std::vector<Placement> shared;    ///< by offset
  uint32_t localBytes = 0;          ///< of a thread, call parameters included
  std::vector<Placement> local;
  uint32_t parameterBytes = 0; ///< of the entry
  uint32_t parameterAlign = 1;
  std::vector<Placement> parameters;

  bool asyncOps =
      false; ///< mbarrier, bulk copies, wgmma, tcgen05, st.async: checks of those are on
  bool tensorFences = false;      ///< has a tcgen05.fence: they are demanded (docs/simulator.md)
  bool tensorAfterFences = false; ///< has a tcgen05.fence::after_thread_sync
  bool tensorLoadWaits = false;   ///< has a tcgen05.wait::ld
  uint8_t tensorGroup = 0;   ///< N of .cta_group::N of all its tcgen05 instructions; 0: none so far
  bool tensorStores = false; ///< writes global memory through tensor maps
  /// Registers that each op names, for ops of a kernel with pending registers: `touched[i]` of op
  /// pc from touchedFrom[pc] to touchedFrom[pc + 1]; bit 31: as a destination.
  std::vector<uint32_t> touched, touchedFrom;

  GridOrder order = GridOrder::Independent;
  uint64_t writtenParameters = 0; ///< see Provenance.h
  unsigned globalGranule = 2;     ///< log2 of the smallest access to global memory, at most 2
  unsigned sharedGranule =
      2; ///< log2 of the smallest access to shared memory: what the race check tracks
  /// Registers of a function, to be made uninitialised at its call: first slot and count, first
  /// predicate and count.
  struct FunctionFrame {
    uint32_t firstOp, firstSlot, slots, firstPredicate, predicates;
    std::vector<Ref> arguments; ///< registers that hold arguments: written before the call
  };
  std::vector<FunctionFrame> frames;

  /// The instruction that an op was decoded from. The entry must have one.
  const Instruction &instruction(uint32_t pc) const {
    return info[pc].function->body[info[pc].instruction];
  }
};

} // namespace msa::ptxsim

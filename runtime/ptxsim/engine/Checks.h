//===- Checks.h - the ids of what the simulator looks for -----------------===//
#pragma once

#include "msa/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace msa::ptxsim {

/// Checks that the engine makes (docs/simulator.md); the names are the ids that users write.
enum class Check : uint8_t {
  P1,  ///< plain write, then an asynchronous read without fence.proxy.async
  P2,  ///< shared memory used while an asynchronous operation still accesses it
  P3,  ///< asynchronous write over memory that others still use
  P4,  ///< a tensor map modified without the tensormap proxy's fences
  P5,  ///< data race
  P6,  ///< the bytes of an mbarrier accessed by something else
  P7,  ///< result of st.async or red.async used without waiting for its mbarrier
  B1,  ///< mbarrier used before init or after inval, initialised twice, or not published
  B2,  ///< mbarrier counts out of range
  B3,  ///< expected bytes differ from the bytes that were copied
  B4,  ///< a phase that a waiter could not observe
  B5,  ///< a remote test or wait, or a misaligned mbarrier
  B6,  ///< a CTA's shared memory accessed after the CTA has ended
  T1,  ///< tensor memory outside of a live allocation
  T2,  ///< tensor memory freed wrongly, too early, or not at all
  T3,  ///< a tensor-memory allocation that is not allowed
  T4,  ///< uninitialised tensor memory
  T5,  ///< a result in tensor memory used before it is complete
  T6,  ///< two tensor-memory operations that are not ordered
  T7,  ///< lanes that the warp or the layout may not use
  T8,  ///< cta_group misuse
  T9,  ///< operands in tensor memory overlap
  T10, ///< scale factors not replicated
  T11, ///< commit by a thread that issued nothing
  T12, ///< issued by more than one thread
  D1,  ///< fields of a shared-memory descriptor
  D2,  ///< an operand outside of shared memory
  D3,  ///< swizzle of the descriptor and of the copy differ
  D4,  ///< strides of the descriptor and of the copy differ
  D5,  ///< instruction descriptor
  D6,  ///< wgmma operands differ among the warps
  M1,  ///< tensor map, alignment or coordinates of a tensor copy
  M2,  ///< a box outside of shared memory, a mask beyond the cluster
  M3,  ///< source of an asynchronous store reused, or not waited for
  M4,  ///< a tensor copy outside of its buffer
  W1,  ///< wgmma.fence missing
  W2,  ///< registers of a wgmma touched before it was waited for
  W3,  ///< wgmma commit and wait do not match
  W4,  ///< another wgmma shape on the same accumulator without a fence
  X1,  ///< `.aligned` instruction executed by part of a warp
  X2,  ///< barrier misuse and deadlock
  X3,  ///< setmaxnreg
  X4,  ///< uninitialised value reaches memory, a branch or an address
  X5,  ///< misaligned, out-of-bounds or null access
  X6,  ///< local or parameter access out of bounds
  X7,  ///< warp-level instruction and its member mask
  X8,  ///< griddepcontrol
};
inline constexpr unsigned checkCount = static_cast<unsigned>(Check::X8) + 1;

/// Which checks are on.
class CheckSet {
public:
  /// `disabled`: ids of docs/simulator.md, or "all".
  static Expected<CheckSet> create(const std::vector<std::string> &disabled);
  bool on(Check check) const { return (off & (1ull << static_cast<unsigned>(check))) == 0; }

private:
  uint64_t off = 0;
};

std::string_view toString(Check);

} // namespace msa::ptxsim

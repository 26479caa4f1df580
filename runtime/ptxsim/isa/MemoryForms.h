//===- MemoryForms.h - what ld, st, atom and red share in decoding ---------------===//
//
// State spaces, memory semantics and scopes, cache operators and eviction hints,
// vectors. Cache hints change nothing in a functional simulation; they are checked
// by name all the same.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Decoder.h"

namespace msa::ptxsim {

/// What a memory instruction says before its type.
struct MemoryForm {
  StateSpace space = StateSpace::Generic;
  enum class Semantics : uint8_t {
    Weak,
    Volatile,
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    Mmio
  } semantics = Semantics::Weak;
  int scope = -1;      ///< 0 cta, 1 cluster, 2 gpu, 3 sys; -1 none
  unsigned vector = 1; ///< elements of .v2, .v4, .v8
  bool nonCoherent = false;
  bool cachePolicy = false; ///< .L2::cache_hint: one more operand
  bool isStrong() const { return semantics != Semantics::Weak; }
};

/// Takes space, semantics, scope, cache operators and vector of a load or a store.
MemoryForm takeMemoryForm(Decoder &, bool load);
/// Takes a state space (and "::cta" forms); Generic if there is none.
StateSpace takeStateSpace(Decoder &);
/// Takes .cta, .cluster, .gpu or .sys; -1 if there is none.
int takeScope(Decoder &);
/// Sets a, immediate, mode and mode2 of the op from an address operand.
void setAddress(Decoder &, const Operand &, StateSpace, uint8_t flags);
/// The class that accesses to a space are counted as.
OpClass classOf(StateSpace);

} // namespace msa::ptxsim

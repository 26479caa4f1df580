//===- Grid.h - running all CTAs of a launch
//----------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cluster.h"

#include <limits>

namespace msa::ptxsim {

/// What a grid came to: the trap of the lowest cluster that trapped, or the sum of all counts.
struct GridOutcome {
  uint64_t trappedCluster = std::numeric_limits<uint64_t>::max();
  Trap trap;
  Tally trapTally, tally;

  bool trapped() const { return trappedCluster != std::numeric_limits<uint64_t>::max(); }
  void add(const Cluster &);
  void add(GridOutcome &&);
};

/// Runs the grid on up to `threads` host threads; the outcome does not depend on their number.
/// Watches for races between CTAs where the launch asks for it (P5).
GridOutcome runGrid(Launch &, unsigned threads);

} // namespace msa::ptxsim

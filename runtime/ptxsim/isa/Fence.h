//===- Fence.h - what fences publish and what they wait for
//-------------------------------------===//
//
// A fence with release semantics makes what its warp has done part of a later *relaxed*
// arrival; one with acquire semantics makes an earlier *relaxed* wait count (PTX ISA 8.8,
// release and acquire patterns). Knowledge is per warp, as everywhere (engine/Order.h).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cta.h"

#include <vector>

namespace msa::ptxsim {

class Fences final : public CtaState {
public:
  void start(Cta &) override;
  struct OfWarp {
    bool hasReleased = false, hasAwaited = false;
    Knowledge released; ///< what the newest release fence covers
    Knowledge awaited;  ///< of relaxed waits; the next acquire fence takes it
  };
  OfWarp &of(const Warp &warp) { return warps[warp.index]; }

private:
  std::vector<OfWarp> warps;
};

/// What a relaxed arrival of the warp publishes: what its newest release fence covers, or null.
const Knowledge *releasedByFence(const Warp &);
/// A relaxed wait has found `completed`: it counts from the next acquire fence on.
void awaitFence(const Warp &, const Knowledge &completed);

} // namespace msa::ptxsim

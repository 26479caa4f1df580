//===- BulkGroups.h - bulk asynchronous groups of threads (PTX ISA 9.7.9.25.4.2)
//-------------------===//
//
// Copies from shared to global memory have no mbarrier: each thread collects its own
// in groups, and waits for all but the newest few; `.read` waits only until the
// sources have been read. A kernel may end before its copies have: the hardware keeps
// the CTA's shared memory until they are done, and CUTLASS's sm_100 epilogue relies on it.
// What was never committed is a mistake (M3).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cta.h"

#include <vector>

namespace msa::ptxsim {

class BulkGroups final : public CtaState {
public:
  void start(Cta &) override;
  void finish(Cta &) override;
  /// The operation belongs to the group that the thread is filling.
  void join(Warp &, int lane, AsyncId);
  void commit(Warp &, int lane);
  /// Waits until at most `open` groups of the thread are not complete.
  Flow wait(Warp &, int lane, uint32_t open, bool readOnly);

private:
  struct Member {
    AsyncId id;
    uint32_t group;
  };
  struct Thread {
    uint32_t filling = 0; ///< number of the group that is being filled
    std::vector<Member> members;
  };
  Thread &of(const Warp &warp, int lane) {
    return threads[warp.index * 32 + static_cast<uint32_t>(lane)];
  }
  std::vector<Thread> threads;
};

} // namespace msa::ptxsim

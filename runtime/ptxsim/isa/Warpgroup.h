//===- Warpgroup.h - wgmma groups and registers in flight (PTX ISA 9.7.15)
//--------------------------------===//
//
// Each warp of a warpgroup computes its own 16 rows of D. Its wgmma operations run in
// order; registers of an operation belong to it until the warp has waited for its
// group, and after that they are watched: touched by another instruction, they need
// a wgmma.fence before the next wgmma uses them.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cta.h"

#include <vector>

namespace msa::ptxsim {

class Warpgroups final : public CtaState {
public:
  /// One wgmma of a warp that it has not waited for.
  struct Flight {
    AsyncId id;
    uint32_t group; ///< number of its commit group
    uint32_t pc;
    std::vector<Ref> accumulators, sources;
  };
  /// What a warp has in flight.
  class WarpState final : public PendingRegisters {
  public:
    Flow touch(Warp &, Ref, bool writes, uint32_t mask) override;
    std::vector<Flight> flights;
    uint32_t filling = 0;   ///< number of the group that is being filled
    bool fenced = false;    ///< has executed a wgmma.fence since its last wait
    uint64_t issued = 0;    ///< wgmma so far
    std::vector<Ref> dirty; ///< registers that were written since a wgmma used them
  };
  /// The n-th wgmma of a warpgroup, to compare its warps (D6).
  struct Issue {
    uint32_t pc;
    uint64_t a, b;
    uint32_t scale;
    uint8_t warps; ///< that have executed it, a bit each
  };
  void start(Cta &) override;
  void finish(Cta &) override;
  std::vector<std::unique_ptr<WarpState>> warps;
  std::vector<std::vector<Issue>> issues; ///< by warpgroup
  std::vector<uint64_t> firstIssue;       ///< number of issues[g][0]
};

} // namespace msa::ptxsim

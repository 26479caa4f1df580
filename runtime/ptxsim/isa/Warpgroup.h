//===- Warpgroup.h - wgmma operations of warpgroups, and their registers (PTX ISA 9.7.15)
//----------===//
//
// A wgmma.mma_async is one operation of four warps: it starts when the fourth has come to
// it, and none of them has waited for it before it is complete for all. (Kernels rely on
// that: one thread of a warpgroup tells the producer that a buffer is free.) Warps may
// run apart; the n-th wgmma of each belongs together, and they must be the same (D6).
//
// Registers of D and A, per warp, are in one of three states:
//
//   in flight  from the wgmma to the wait for its group: W2 for other instructions
//   clean      since the last wgmma.fence nobody but wgmma has touched them
//   touched    they need a fence before the next wgmma (W1)
//
// In flight and clean are Warp::setPending's bits, so the scheduler asks `touch` before
// another instruction gets at them; a register whose bit is not set is touched. `mov` is
// a renaming that compilers put anywhere: its destination takes the state of its source.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cta.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace msa::ptxsim {

struct WgmmaScratch;

/// The n-th wgmma.mma_async of a warpgroup.
struct WgmmaCall {
  uint32_t pc = 0;
  uint64_t a = 0, b = 0;    ///< descriptors; a is 0 if A is in registers
  bool accumulates = false; ///< scale-d
  uint8_t warps = 0;        ///< that have come, a bit each
  AsyncId id = 0;           ///< 0: not issued
  static constexpr uint8_t allWarps = 15;
};

/// Registers that a wgmma names, in one warp.
struct WgmmaRegisters {
  std::span<const Ref> accumulators, sources; ///< D; A, if it is in registers
  uint32_t shape = 0; ///< what has to be equal for accumulators to be chained: never 0
};

class Warpgroups final : public CtaState, public PendingRegisters {
public:
  Warpgroups();
  ~Warpgroups() override;
  void start(Cta &) override;
  void finish(Cta &) override;
  Flow touch(Warp &, Ref, bool writes, uint32_t mask) override;

  /// The warp comes to its next wgmma. Flow::Trap if it is not that of the other warps; else `call`
  /// is theirs, and this warp is among call->warps.
  Flow enter(Warp &, const WgmmaCall &mine, WgmmaCall *&call);
  /// Judges the registers (W1, W2, W4) and puts them in flight.
  Flow take(Warp &, const WgmmaRegisters &);
  /// wgmma.fence.
  void fence(Warp &);
  /// wgmma.commit_group.
  void commit(Warp &);
  /// wgmma.wait_group: Flow::Suspend if other warps have yet to come to an operation.
  Flow wait(Warp &, uint32_t open);
  /// The key of those that wait for other warps of the warpgroup.
  static uint64_t waitKeyOf(const Warp &);
  WgmmaScratch &scratch() { return *buffers; }

private:
  struct Use {
    uint16_t accumulator = 0, source = 0; ///< operations in flight
    uint32_t shape = 0; ///< of the last wgmma that accumulated here since the last fence
  };
  struct WarpState {
    bool fenced = false;         ///< has executed a wgmma.fence
    uint64_t entered = 0;        ///< wgmma so far
    uint64_t waited = 0;         ///< the first so many are complete and waited for
    std::deque<uint64_t> groups; ///< `entered` at commits that are not waited for
    std::vector<Use> uses;       ///< by register slot
  };
  struct Group {
    std::deque<WgmmaCall> calls; ///< from number `first` on
    uint64_t first = 0;
  };
  void findWatched(const Program &);
  bool renames(const Warp &, uint32_t pc) const;
  /// Puts the registers of a call that the warp has waited for out of flight.
  void release(Warp &, const WgmmaCall &);

  std::vector<WarpState> warps;
  std::vector<Group> groups;
  /// A bit per slot: registers of D and A of any wgmma, and what moves put there.
  std::vector<uint64_t> watched;
  std::unique_ptr<WgmmaScratch> buffers;
};

/// The registers of the wgmma at `pc` (isa/Wgmma.cpp).
WgmmaRegisters registersOfWgmma(const Program &, uint32_t pc);

} // namespace msa::ptxsim

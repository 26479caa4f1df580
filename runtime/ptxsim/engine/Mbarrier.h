//===- Mbarrier.h - mbarrier objects in shared memory
//------------------------------------------===//
//
// PTX ISA 9.7.13.15. The state is in the barrier's own eight bytes, so that reuse,
// overwriting and reading before init are visible:
//
//   bits 19:0   expected arrivals of a phase      bits 39:20  pending arrivals
//   bits 61:40  tx-count, signed                  bit 62      parity of the current phase
//   bit 63      1
//
// A phase completes when pending == 0 and tx-count == 0. Beside the bytes the CTA keeps
// for each barrier what messages and checks need: knowledge (Order.h) of those who
// arrived, the copies and expectations of the phase (B3), who waits.
//
// Everything here can be called by a warp (an instruction) or by an asynchronous
// operation; `Origin` says who. Addresses are offsets into the owner's shared memory.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Async.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace msa::ptxsim {

struct MbarrierState {
  uint32_t expected = 0, pending = 0; ///< arrivals
  int32_t tx = 0;
  bool parity = false; ///< of the phase that is not complete
  static constexpr uint32_t mostArrivals = (1u << 20) - 1;
  static constexpr int32_t mostTx = (1 << 20) - 1;
  static MbarrierState unpack(uint64_t);
  uint64_t pack() const;
};

/// What the CTA remembers of one barrier.
struct MbarrierRecord {
  Knowledge arriving;  ///< of all who arrived in this phase and before
  Knowledge completed; ///< `arriving` when the newest phase completed
  uint64_t phases = 0; ///< completed since init
  uint32_t initPc = 0, initWarp = 0, initSegment = 0; ///< warp: number in the cluster
  /// A copy or an expectation of the current phase.
  struct Traffic {
    bool expects;
    uint32_t bytes, pc;
    AsyncId op;
  };
  std::vector<Traffic> traffic;
  std::vector<uint64_t> seen; ///< by warp of the CTA: phases when it last waited with success (B4)
};

/// One arrival, in all its forms.
struct MbarrierArrival {
  uint32_t count = 1;
  uint32_t expectTx = 0; ///< raised first
  bool expects = false;  ///< .expect_tx is there
  bool drop = false, noComplete = false;
  bool release = true; ///< false: .relaxed
  /// Of a relaxed arrival: what a fence before it made part of it, or null.
  const Knowledge *fenced = nullptr;
};

/// Barriers of one CTA.
class Mbarriers {
public:
  void start() { records.clear(); }
  MbarrierRecord *find(uint32_t offset) {
    auto found = records.find(offset);
    return found == records.end() ? nullptr : &found->second;
  }
  std::unordered_map<uint32_t, MbarrierRecord> records;
};

/// Initialises (B1 if a barrier lives there already; B2 for the count).
Flow initMbarrier(const Origin &, Cta &owner, uint32_t offset, uint64_t count);
Flow invalidateMbarrier(const Origin &, Cta &owner, uint32_t offset);
/// An arrival by a warp's lane; `before` gets the state before it.
Flow arriveMbarrier(const Origin &, Cta &owner, uint32_t offset, const MbarrierArrival &,
                    uint64_t &before);
/// An arrival by an asynchronous operation (tcgen05.commit, cp.async.mbarrier.arrive): what
/// `knows` says is published with it.
Flow asyncArriveMbarrier(const Origin &, Cta &owner, uint32_t offset, uint32_t count,
                         const Knowledge &knows);
/// One more arrival is pending in this phase (cp.async.mbarrier.arrive without .noinc).
Flow raisePending(const Origin &, Cta &owner, uint32_t offset);
/// expect_tx without an arrival.
Flow expectTxMbarrier(const Origin &, Cta &owner, uint32_t offset, uint32_t bytes);
/// complete_tx: `op` 0 = the instruction mbarrier.complete_tx.
Flow completeTxMbarrier(const Origin &, Cta &owner, uint32_t offset, uint32_t bytes, AsyncId op);
/// Phase test. `parity`: complete if the phase of that parity is (the immediately preceding one).
/// Does not order; call `acquireMbarrier` for the lanes for which it is true.
Flow testMbarrier(const Origin &, Cta &owner, uint32_t offset, bool parity, bool &complete);
void acquireMbarrier(Warp &, Cta &owner, uint32_t offset);
/// A relaxed wait was successful: nothing is ordered yet. What the phase published, or null.
const Knowledge *observeMbarrier(Warp &, Cta &owner, uint32_t offset);
/// Checks that a barrier lives there and is aligned; call before any other use (B1, B5, X5).
Flow checkMbarrier(const Origin &, Cta &owner, uint32_t offset, const char *verb);
/// To be called when an operation that will signal the barrier is issued (B1: not published to the
/// asynchronous proxy or to another CTA).
Flow checkMbarrierPublished(const Origin &, Cta &owner, uint32_t offset);

/// The key under which fragments that wait for the barrier are suspended (Cluster::wake).
uint64_t waitKeyOf(const Cta &owner, uint32_t offset);
/// "mbarrier 'full' + 8 (offset 72): phase 3, 1 of 2 arrivals pending, 4096 bytes expected".
std::string describeMbarrier(const Cta &owner, uint32_t offset);
/// The same with the copies and expectations of the phase (deadlock reports, B3).
std::string explainMbarrier(const Cta &owner, uint32_t offset);

} // namespace msa::ptxsim

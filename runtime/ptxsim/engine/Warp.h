//===- Warp.h - the state of 32 threads --------------------------------------===//
//
// Threads of a warp that are at the same place run together as a *fragment*. A
// branch that splits a fragment makes a *join* at the branch's immediate
// post-dominator: lanes that get there first are parked in it, and the fragment
// goes on whole when all have come. Parking only saves work; where waiting for
// the others would be wrong - they spin on something that the parked lanes must
// do, or wait for them at a barrier - the scheduler opens the join (Scheduler.cpp).
//
// Example: `if (lane < 4) A else B; C`. The branch makes fragments {0-3 at A} and
// {4-31 at B} and join {rpc = C, expected = all}. A's end parks lanes 0-3; when B
// ends, arrived == expected and the fragment {all at C} goes on.
//
// Invariants: fragments have disjoint masks; every living lane is in exactly one
// fragment or parked in exactly one join; a join's `expected` are the lanes that
// are parked in it or in fragments and joins below it.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/AddressSpace.h"
#include "ptxsim/engine/Op.h"
#include "ptxsim/engine/Program.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace msa::ptxsim {

struct Cta;
struct Allocation;
enum class Check : uint8_t;

inline constexpr uint32_t fullMask = 0xFFFFFFFFu;
inline constexpr uint32_t noJoin = ~0u;
inline constexpr uint32_t noOp = ~0u;

/// Return addresses of the functions that a fragment is in, innermost last.
using CallStack = std::vector<uint32_t>;

/// What a suspended fragment waits for; part of its key.
enum class WaitKind : uint8_t { Mbarrier, TensorAllocation, Other };
inline uint64_t makeWaitKey(WaitKind kind, uint32_t rank, uint64_t value) {
  return (uint64_t{1} + static_cast<uint64_t>(kind)) << 56 | uint64_t{rank} << 40 | value;
}

struct Fragment {
  enum class State : uint8_t { Ready, AtBarrier, Converging, Suspended };
  uint32_t pc = 0;
  uint32_t mask = 0;
  uint32_t join = noJoin;
  State state = State::Ready;
  uint8_t barrier = 0; ///< AtBarrier: which
  uint32_t need = 0;   ///< Converging: lanes that have to come to this op
  /// Suspended: for what (Cluster::wake). Ready: what woke it, until it runs: a wait that was asked
  /// in time is granted, however late its warp gets a turn.
  uint64_t waitKey = 0;
  const char *waitFor = nullptr; ///< Suspended: in words, where the key does not say it
  bool timedOut = false;         ///< was suspended, and goes on although nothing happened
  CallStack calls;
};

struct Join {
  uint32_t pc = 0;       ///< where lanes meet
  uint32_t expected = 0; ///< 0: the entry is free
  uint32_t arrived = 0;
  uint32_t parent = noJoin;
  CallStack calls;
};

/// A range of addresses with the bytes behind it.
struct Region {
  uint64_t start = 1, bytes = 0; ///< generic addresses; the default holds nothing
  uint8_t *host = nullptr;
  uint8_t *shadow = nullptr; ///< one byte a byte, 1 = initialised; null: all are
  uint64_t laneStride = 0;   ///< local memory: bytes from one lane's copy to the next
  Allocation *allocation = nullptr;
  StateSpace space = StateSpace::Global;
  bool writable = true;
  void *watched = nullptr;  ///< GlobalRaces::Watched, or null
  bool fillsLazily = false; ///< bytes have to be made before they are read (Allocation::touch)
};

/// cp.async of one warp that has not been waited for.
struct PendingCopy {
  uint32_t lane;
  uint32_t sharedOffset, bytes, sourceBytes;
  uint8_t data[16]; ///< what was read (at issue), zero-filled
  uint32_t group;   ///< number of the commit group, per lane
  uint32_t pc;      ///< of the cp.async
  bool applied;     ///< the bytes are in shared memory already (eager)
  bool tainted;     ///< the source was uninitialised
  uint64_t ticket;  ///< number of the copy in its warp
};

/// Registers that an asynchronous instruction of the warp has not delivered or still reads.
/// Touching one asks the owner: PendingRegisters::touch.
class PendingRegisters {
public:
  virtual ~PendingRegisters();
  /// The op at warp.pc names register slot `ref` and executes for the lanes of `mask`. `writes`: as
  /// a destination (at least). Flow::Trap, or Flow::Next when it may go on.
  virtual Flow touch(Warp &, Ref ref, bool writes, uint32_t mask) = 0;
};

/// The newest read of uninitialised memory of a warp: what a later trap most likely is about.
struct UninitialisedRead {
  bool happened = false;
  uint32_t pc = 0;
  int lane = 0;
  uint64_t offset = 0; ///< in the buffer or memory
  StateSpace space = StateSpace::Global;
  const Allocation *allocation = nullptr;
  int tensorLane = -1; ///< tensor memory: the lane; `offset` is the column
};

struct Warp {
  // What handlers use all the time.
  uint8_t *base[2] = {nullptr, nullptr};   ///< registers, constant pool
  uint32_t *taint[2] = {nullptr, nullptr}; ///< a lane mask per slot: uninitialised lanes
  uint32_t *predicates = nullptr;
  uint32_t *predicateTaint = nullptr;
  Cta *cta = nullptr;
  const Program *program = nullptr;
  uint32_t pc = 0;     ///< of the op that executes
  uint32_t active = 0; ///< lanes of the running fragment
  uint32_t alive = 0;  ///< lanes that exist and have not exited
  uint32_t index = 0;  ///< in the CTA

  // What handlers leave for the scheduler (Flow says which).
  uint32_t taken = 0;            ///< Branch
  uint32_t targets[32] = {};     ///< Indexed: op index per lane
  uint32_t need = 0;             ///< Converge
  uint8_t waitBarrier = 0;       ///< Wait
  uint64_t waitKey = 0;          ///< Suspend
  const char *waitFor = nullptr; ///< Suspend: in words, or null
  uint64_t grantedKey = 0;       ///< what woke this fragment; its wait takes it
  bool timedOut = false;         ///< this fragment was suspended and its time limit is over
  uint32_t strongReads = 0;      ///< volatile, acquire and atomic reads: how spinning is noticed

  uint32_t readsSeen = 0;    ///< strongReads when spinning was last asked
  uint64_t executedSeen = 0; ///< instructions executed then
  /// A fence since the last barrier.cluster.arrive: a relaxed one publishes all the same.
  bool fencedForCluster = false;
  uint32_t clusterArrived = 0; ///< lanes that have arrived at barrier.cluster and not waited

  Region lastGlobal; ///< the buffer that the last global access hit
  Region localRegion;
  std::vector<uint8_t> registerFile, localBytes, localShadow;
  std::vector<uint32_t> taintFile, predicateFile;
  std::vector<Fragment> fragments; ///< ready, blocked; the running one is not in it
  std::vector<Join> joins;
  uint32_t openCopyGroup[32] = {}; ///< cp.async: number of the group being filled, per lane
  uint64_t copyTicket = 0;         ///< of the newest cp.async
  std::vector<PendingCopy> copies;
  UninitialisedRead uninitialisedRead;
  std::vector<uint64_t> pendingSlots; ///< a bit per register slot; see setPending
  uint32_t pendingCount = 0;          ///< bits that are set
  PendingRegisters *pendingOwners[2] = {nullptr, nullptr}; ///< asked in turn: wgmma, tcgen05.ld
  uint64_t executed = 0;                                   ///< warp instructions
  uint64_t *executions = nullptr;                          ///< thread instructions by op (Tally)

  template <class Cell> Cell *cells(Ref ref) const {
    return reinterpret_cast<Cell *>(base[ref >> 31] +
                                    (static_cast<size_t>(ref & ~constantRef) << 7));
  }
  uint32_t taintOf(Ref ref) const { return taint[ref >> 31][ref & ~constantRef]; }
  /// Lanes of `mask` get the taint of `value`, the others keep theirs.
  void setTaint(Ref ref, uint32_t mask, uint32_t value) {
    uint32_t &word = taint[0][ref];
    word = (word & ~mask) | (value & mask);
  }
  void setPredicate(uint32_t index, uint32_t mask, uint32_t value, uint32_t tainted) {
    predicates[index] = (predicates[index] & ~mask) | (value & mask);
    predicateTaint[index] = (predicateTaint[index] & ~mask) | (tainted & mask);
  }

  /// Marks (or clears) a register slot as pending: the scheduler then asks the owners before an op
  /// that names it executes.
  void setPending(Ref ref, bool pending) {
    uint64_t &word = pendingSlots[ref / 64], bit = 1ull << (ref % 64);
    pendingCount += static_cast<uint32_t>(pending && !(word & bit)) -
                    static_cast<uint32_t>(!pending && (word & bit));
    word = pending ? word | bit : word & ~bit;
  }
  bool isPending(Ref ref) const { return (pendingSlots[ref / 64] >> (ref % 64)) & 1; }

  /// Records a trap at the op that executes. `lane` -1: the whole warp. Returns Flow::Trap.
  Flow trap(Check check, int lane, std::string message);
  /// The same for ids that cannot be switched off ("trap", "budget", "X9").
  Flow trapAlways(const char *id, int lane, std::string message);
  /// Traps X4 if a lane of `tainted` exists and the check is on; Flow::Next otherwise.
  Flow checkTaint(uint32_t tainted, const char *what, const Op &op);
};

} // namespace msa::ptxsim

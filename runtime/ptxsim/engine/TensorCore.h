//===- TensorCore.h - who accesses tensor memory, and in which order
//----------------------------===//
//
// What a CTA keeps for tcgen05 beside the cells themselves (TensorMemory.h): for each
// column and each 16 lanes, the newest operation that writes the cells and those that
// read them; loads and stores that a warp has not waited for; what each thread has
// issued and not committed.
//
// Everything is judged when an operation is issued. A conflict with an earlier operation
// is fine (PTX ISA 9.7.16.6)
//
//   complete    if the earlier one is known to be complete: a commit and a wait for its
//               mbarrier (mma, cp, shift), tcgen05.wait (ld, st); and what the warp
//               knows came through fences, see below
//   pipelined   or if the two execute in order, and the issue of the earlier one happened
//               before: mma -> mma, cp -> mma, mma -> cp, cp -> cp, shift -> mma,
//               mma -> shift. Results of one mma are not pipelined to the A operand of
//               another, nor to an accumulator of another shape or place.
//
// mma -> cp, cp -> cp and an accumulator over the A operand of an earlier mma are not in
// the ISA's list; CUTLASS, DeepGEMM and FlashAttention-4 rely on them.
//
// The use of a loaded register completes its load for the warp itself, and nothing more
// (9.7.16.6.4.5): before other warps may write the cells, tcgen05.wait::ld is needed. In
// kernels without any - CuTe DSL relies on the registers - the use is enough.
//
// Fences (tcgen05.fence) are demanded in the kernels that have them: many compilers rely
// on mbarriers and barriers alone. `published` of Order.h has the operations that went
// through a commit or before_thread_sync, `visible` here those that a warp has taken with
// after_thread_sync.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Cta.h"
#include "ptxsim/engine/TensorMemory.h"

#include <array>
#include <vector>

namespace msa::ptxsim {

enum class TensorOpKind : uint8_t { Mma, Copy, Shift, Load, Store };

/// An operation on tensor memory, as later ones remember it.
struct TensorOp {
  AsyncId id = 0;
  TensorOpKind kind = TensorOpKind::Mma;
  unsigned warp = 0;        ///< number in the cluster
  uint32_t accumulator = 0; ///< mma: the address of D
  uint32_t shape = 0;       ///< mma: M, N and the type of D, as one number
};

/// A block of cells: columns, and lanes in groups of 16 (a bit each).
struct CellRange {
  uint32_t column = 0, columns = 0;
  uint8_t groups = 0xFF;
};

/// How an operation uses cells.
enum class CellUse : uint8_t {
  Read,       ///< ld; source of a shift; scale factors
  Operand,    ///< A of an mma: results of another mma are not pipelined to it
  Write,      ///< overwritten
  Accumulate, ///< D of an mma
};

class TensorCore final : public CtaState, public PendingRegisters {
public:
  void start(Cta &) override;
  void finish(Cta &) override;
  Flow touch(Warp &, Ref, bool writes, uint32_t mask) override;

  TensorMemory memory;

  // ---- allocation (isa/Tcgen05Alloc.cpp)
  // -------------------------------------------------------------------
  uint32_t newestColumns = 0; ///< of the newest tcgen05.alloc; 0: none
  bool relinquished = false;
  uint32_t relinquishPc = 0;
  /// A warp that has come to a collective instruction of a CTA pair.
  struct Collective {
    enum class Step : uint8_t { None, Waiting, Done } step = Step::None;
    bool allocates = false;
    uint32_t warp = 0, pc = 0, columns = 0, address = 0;
  } collective;

  // ---- accesses
  // -----------------------------------------------------------------------------------------------
  /// The operation uses the cells: they are allocated (T1, T2), and every conflict with an earlier
  /// operation is in order (T5, T6). `what`: "D", "the destination", for messages. Call at issue.
  Flow enter(const Origin &, Cta &owner, const TensorOp &, const CellRange &, CellUse,
             const char *what);
  /// All accesses to the columns are over and known to the warp (T2): before a dealloc.
  Flow checkIdle(const Origin &, Cta &owner, const CellRange &);

  // ---- loads and stores of a warp
  // -----------------------------------------------------------------------------------------------
  /// The warp has issued a load into registers Program::lists[list] and on. They are watched until
  /// one is touched, or the warp waits.
  void addLoad(Warp &, AsyncId, uint32_t list, uint32_t count);
  void addStore(Warp &, AsyncId);
  Flow waitLoads(Warp &);
  Flow waitStores(Warp &);

  // ---- mma, cp and shift of a thread
  // -----------------------------------------------------------------------------------------------
  struct Thread {
    uint32_t warp = 0;
    int lane = 0;
    AsyncSet issued;                  ///< of all its operations: what a commit tracks
    std::vector<AsyncId> uncommitted; ///< issued since its newest commit
    bool everIssued = false;
  };
  Thread &threadOf(const Warp &, int lane);
  const std::vector<Thread> &threads() const { return issuers; }
  void addIssued(Warp &, int lane, AsyncId);

  /// Panels of the product that executes, kept for the next one.
  struct Scratch {
    std::vector<uint8_t> bytes;
    std::vector<float> a, b[2], d; ///< b: of each CTA's half of N
    std::vector<int32_t> integersA, integersB[2], integersD;
  } scratch;

  // ---- tcgen05.fence
  // -----------------------------------------------------------------------------------------------
  void fenceBefore(Warp &);
  void fenceAfter(Warp &);

private:
  static constexpr uint32_t laneGroups = 8;
  struct Cell {
    AsyncId writer = 0, loader = 0, reader = 0; ///< loader: newest ld; reader: newest mma or shift
  };
  struct Load {
    AsyncId id;
    uint32_t list, count;
  };
  struct WarpState {
    std::vector<Load> loads;
    std::vector<AsyncId> used; ///< loads whose registers were used, and nobody has waited for
    AsyncSet usedSet;          ///< the same, and older ones
    std::vector<AsyncId> stores;
    std::vector<AsyncId> unfenced; ///< issued since the newest before_thread_sync
    AsyncSet visible;
  };

  Cell &cellAt(uint32_t column, uint32_t group) { return shadow[column * laneGroups + group]; }
  const TensorOp *find(AsyncId id) const {
    const TensorOp &op = ring[id % AsyncSet::window];
    return id != 0 && op.id == id ? &op : nullptr;
  }
  Flow checkAllocated(const Origin &, Cta &owner, const CellRange &, const char *what);
  /// A load of the warp itself, one of whose registers was used: over for this warp.
  bool isUsedLoad(const Cta &owner, const Origin &, const TensorOp &) const;
  bool isKnown(const Cta &owner, const Origin &, const TensorOp &earlier) const;
  bool isPipelined(const Cta &owner, const Origin &, const TensorOp &earlier, bool earlierWrote,
                   const TensorOp &now, CellUse) const;
  bool wentThroughFences(const Origin &, const TensorOp &earlier) const;
  Flow judge(const Origin &, Cta &owner, AsyncId earlier, bool earlierWrote, const TensorOp &,
             CellUse, const char *what, uint32_t column, uint32_t group);
  Flow finishLoad(Warp &, const Load &);
  void learnLoad(Warp &, AsyncId);
  void rememberForFence(Warp &, AsyncId);
  WarpState &of(const Warp &warp) { return warps[warp.index]; }

  std::vector<Cell> shadow;
  std::vector<TensorOp> ring; ///< by id modulo AsyncSet::window
  std::vector<WarpState> warps;
  std::vector<Thread> issuers;
};

/// The CTA that forms a pair with this one; null if the cluster has none (T8).
Cta *peerOf(const Cta &);
/// The state of the CTA.
inline TensorCore &tensorCoreOf(Cta &cta) { return cta.state<TensorCore>(); }

} // namespace msa::ptxsim

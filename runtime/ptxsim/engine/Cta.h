//===- Cta.h - a cooperative thread array and its scheduler ------------------===//
//
// Warps, shared memory and barriers of one CTA. A CTA runs on one host thread;
// `run` interleaves its warps until all have exited, something traps, or the
// CTA can only go on when another CTA has (a spinning read).
//
// Whatever runs inside a CTA beside its warps (asynchronous copies and tensor
// cores, later) is an agent of this scheduler: it is stepped between slices.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Simulator.h"
#include "ptxsim/engine/AsyncShadow.h"
#include "ptxsim/engine/Checks.h"
#include "ptxsim/engine/GlobalMemoryImpl.h"
#include "ptxsim/engine/GlobalRaces.h"
#include "ptxsim/engine/Mbarrier.h"
#include "ptxsim/engine/Program.h"
#include "ptxsim/engine/Races.h"
#include "ptxsim/engine/Warp.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace msa::ptxsim {

/// What tensor cores multiply, as counters tell it apart.
enum class ProductKind : uint8_t { F64, Tf32, F16, Fp8, Mxfp8, Mxfp4, Integer, Bits };
inline constexpr unsigned productKindCount = 8;

/// Counts of one CTA (or of many, added up), cheap to bump. Bytes of the asynchronous units are
/// bumped when an operation is issued. Meanings: Simulator.h, Counters.
struct Tally {
  uint64_t warpInstructions = 0;
  /// Thread instructions by op; with counters, op by op for each warp of the CTA.
  std::vector<uint64_t> executions;
  std::vector<uint64_t> warpExecuted; ///< with counters: warp instructions of each warp
  uint64_t globalLoadBytes = 0, globalStoreBytes = 0, sharedLoadBytes = 0, sharedStoreBytes = 0;
  uint64_t localBytes = 0, constBytes = 0, clusterBytes = 0;
  uint64_t globalRequests = 0, globalSectors = 0, sharedRequests = 0, sharedBankConflicts = 0;
  uint64_t bulkLoadBytes = 0, bulkStoreBytes = 0, bulkReduceBytes = 0;
  uint64_t tmaLoadBytes = 0, tmaStoreBytes = 0, tmaReduceBytes = 0, tmaOutsideBytes = 0;
  uint64_t tensorMemoryLoadBytes = 0, tensorMemoryStoreBytes = 0, tensorMemoryCopyBytes = 0;
  uint64_t operandBytes = 0;
  std::array<uint64_t, productKindCount> flops{}; ///< by ProductKind
  uint64_t barrierWaits = 0, mbarrierTests = 0, mbarrierRefusals = 0;
  void add(const Tally &);
  /// A matrix product of so many multiply-adds.
  void countProduct(ProductKind kind, uint64_t multiplyAdds) {
    flops[static_cast<unsigned>(kind)] += 2 * multiplyAdds;
  }
};

/// What all CTAs of a grid share; read-only while it runs, but for memory contents.
struct Launch {
  const Program *program = nullptr;
  const LaunchConfig *config = nullptr;
  const RunOptions *options = nullptr;
  GlobalMemory::Impl *memory = nullptr;
  Allocation *moduleVariables = nullptr;           ///< null: the module has none
  const std::vector<uint8_t> *constants = nullptr; ///< bytes of the const window
  GlobalRaces *globalRaces = nullptr;              ///< null: not checked
  CheckSet checks;
  const Module *module = nullptr;
  std::string moduleName;
  uint32_t threads = 0, warps = 0, sharedBytes = 0;
  int sm = 75;                       ///< of the module's target
  bool explicitCluster = false;      ///< %is_explicit_cluster
  bool sharedBetweenThreads = false; ///< several host threads: memory atomics have to be atomic

  /// True if a product whose operands are (or are not) FP8 is summed as the hardware does.
  bool sumsExactly(bool hasFp8Operand) const {
    return options->mma == MmaMode::Exact ||
           (options->mma == MmaMode::Auto && hasFp8Operand && sm == 90);
  }
};

/// A lane set that waits for the result of barrier.red.
struct ReductionWaiter {
  Warp *warp;
  const Op *op;
  uint32_t lanes;
};

/// One of the sixteen barriers.
struct Barrier {
  bool busy = false;
  uint32_t expectedWarps = 0;         ///< 0: all living warps
  std::array<uint32_t, 32> arrived{}; ///< lanes by warp
  /// Whole arrivals of a warp (bar.arrive) before the one in `arrived`: a warp counts each time, so
  /// a warpgroup may signal a barrier that it then waits at itself (FlashAttention on sm_90).
  std::array<uint8_t, 32> earlier{};
  uint32_t waiters = 0;              ///< warps that wait (the others only signalled)
  uint32_t trueLanes = 0, lanes = 0; ///< barrier.red: operands that were true, operands in all
  std::vector<ReductionWaiter> results;
};

struct Cta;
class Cluster;

/// State that an instruction family keeps for a CTA (tensor memory, warpgroups, bulk groups). Made
/// at first use, reset with the CTA.
class CtaState {
public:
  virtual ~CtaState();
  /// A new CTA starts.
  virtual void start(Cta &) = 0;
  /// All threads of the cluster have exited and nothing is pending: leaks trap here.
  virtual void finish(Cta &) {}
};

/// Completes the cp.async operations of a lane up to a ticket (isa/CpAsync.cpp).
void finishCopiesUpTo(Warp &, int lane, uint64_t ticket);
/// Writes the result of a completed barrier.red (isa/Barrier.cpp).
void finishReduction(const ReductionWaiter &, const Barrier &);

struct Cta {
  enum class Outcome : uint8_t {
    Done,
    Trapped,
    Waiting, ///< spinning on something that another CTA may have to do
    Blocked, ///< nobody can go on before another CTA of the cluster does something
  };
  /// Number of barrier.cluster beside the sixteen of the CTA.
  static constexpr uint8_t clusterBarrier = 16;

  /// Makes room for `launch`; the same object serves one CTA after another. `rank`: in the cluster.
  Cta(const Launch &launch, Cluster *cluster, uint32_t rank);
  /// Starts the CTA at these coordinates.
  void start(std::array<uint32_t, 3> coordinates);
  /// Runs until one of the outcomes.
  Outcome run();
  /// Traps, saying who waits for what.
  void reportDeadlock();
  /// All threads have exited.
  bool isDone() const;
  /// Lets lanes that are parked at joins go on alone; true if there were any.
  bool openParked();
  /// Fragments that wait for a barrier go on.
  void release(uint8_t barrier);

  const Launch *launch;
  Cluster *cluster;
  uint32_t rank;
  uint64_t linear = 0; ///< number in the grid, x fastest
  std::array<uint32_t, 3> id = {0, 0, 0};
  std::vector<Warp> warps;
  std::vector<uint8_t> shared, sharedShadow;
  Region sharedRegion, constRegion, paramRegion;
  std::array<Barrier, 16> barriers;
  SharedRaces races;
  AsyncShadow asyncShadow;
  Mbarriers mbarriers;
  std::vector<SharedRaces::Conflict> suspects;      ///< shared memory, of the write that executes
  std::vector<GlobalRaces::Suspect> globalSuspects; ///< of the write that executes
  Tally tally;
  bool countsAccesses = false; ///< RunOptions::counters
  size_t pendingCopies = 0;    ///< cp.async of all warps that nobody has waited for
  bool trapped = false;
  bool quiet = false; ///< in the last round of `run` no warp did anything but spin
  size_t starved = 0; ///< random schedule: the warp that gets few turns
  Trap trap;
  uint64_t random = 0; ///< state of the seeded schedule

  /// Lanes of `warp` arrive at a barrier; `waits`: they will wait for it. True when that completes
  /// it.
  bool arrive(Warp &warp, unsigned barrier, uint32_t lanes, bool waits);
  /// Next pseudo-random number of the seeded schedule.
  uint64_t nextRandom();
  ScheduleKind schedule() const { return launch->options->schedule; }
  bool checks(Check check) const { return launch->checks.on(check); }
  /// Number of the warp in its cluster (Order.h).
  unsigned numberOf(const Warp &warp) const { return rank * launch->warps + warp.index; }
  Order &order() const;

  /// The state of type T that a family keeps here.
  template <class T> T &state() {
    for (Slot &slot : states)
      if (slot.type == &typeTag<T>)
        return static_cast<T &>(*slot.state);
    states.push_back({&typeTag<T>, std::make_unique<T>()});
    states.back().state->start(*this);
    return static_cast<T &>(*states.back().state);
  }
  /// The same if it is there already, or null.
  template <class T> T *stateIfAny() {
    for (Slot &slot : states)
      if (slot.type == &typeTag<T>)
        return static_cast<T *>(slot.state.get());
    return nullptr;
  }
  /// Calls CtaState::finish of all.
  void finishStates();
  /// Fragments that are suspended under `key` are ready again (Cluster::wake calls it).
  bool wake(uint64_t key);
  /// Suspended fragments whose instruction has a time limit go on with Warp::timedOut; false: none.
  bool timeOut();

private:
  template <class T> static inline const char typeTag = 0;
  struct Slot {
    const void *type;
    std::unique_ptr<CtaState> state;
  };
  std::vector<Slot> states;

  // Cta.cpp
  void startTally();
  void startWarp(Warp &);
  bool isComplete(const Barrier &) const;
  void complete(unsigned barrier);

  // Scheduler.cpp
  void runWarp(Warp &, uint64_t slice);
  void runFragment(Warp &, Fragment, uint64_t limit);
  bool touchesPending(Warp &, uint32_t mask);
  bool isSpinning(Warp &) const;
  uint64_t executed() const;
};
} // namespace msa::ptxsim

//===- Async.h - operations that run beside the warps ----------------------------------------===//
//
// A copy, a tensor-core product or a remote store is an agent of its own: an
// instruction issues it, and the schedule says when it reads, when it writes and
// signals. `AsyncOp::step` does one stage (a load: read, then write and signal);
// the engine of the cluster calls it
//
//   eager    all stages at issue,
//   lazy     not before every warp of the cluster waits or spins, or something
//            waits for just this operation (`finish`); independent operations newest
//            first, so that what relies on their order shows,
//   random   stage by stage between slices of warps, in seeded order.
//
// Operations of one queue run in order, each to its end before the next (the tensor
// core of a CTA); operations without a queue are independent of each other.
//
// All of a cluster happens on one host thread, so nothing here is locked.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Simulator.h"
#include "ptxsim/engine/Order.h"
#include "ptxsim/engine/Warp.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace msa::ptxsim {

class Cluster;

/// Who issued an operation: where its traps point.
struct Origin {
  Warp *warp = nullptr;
  uint32_t pc = 0;
  int lane = -1;
  /// Of the instruction that `warp` executes now.
  static Origin of(Warp &warp, int lane) { return {&warp, warp.pc, lane}; }
  /// Number of the warp in its cluster (Order.h).
  unsigned number() const;
  Cta &cta() const { return *warp->cta; }
  /// Traps at the issuing instruction, unless the check is off (then Flow::Next).
  Flow trap(Check, std::string message) const;
  Flow trapAlways(const char *id, std::string message) const;
  uint32_t line() const; ///< of the PTX
};

/// Queue numbers: independent, or in order behind each other.
inline constexpr uint32_t noQueue = ~0u;

class AsyncOp {
public:
  AsyncOp(const Origin &origin, AsyncId id) : origin(origin), id(id) {}
  virtual ~AsyncOp();
  /// Runs the next stage. Stages: see `stages`. Flow::Trap when something is wrong (the trap is
  /// recorded), else Flow::Next.
  virtual Flow step() = 0;

  const Origin origin;
  const AsyncId id;
  unsigned stages = 1; ///< that are left; the engine counts down
  uint32_t queue = noQueue;
};

class AsyncEngine {
public:
  void start(Cluster &);
  /// Takes over an operation. Flow::Trap if it ran and trapped.
  Flow issue(std::unique_ptr<AsyncOp>);
  /// Runs what must run for the operation to have at most `stagesLeft` stages left; an operation
  /// that is not here has ended.
  Flow finish(AsyncId, unsigned stagesLeft = 0);
  bool isPending(AsyncId, unsigned stagesLeft = 0) const;
  /// Runs one stage of something; false if nothing is pending.
  bool advance();
  /// Between slices: the random schedule may run something.
  void maybeAdvance();
  bool empty() const { return pending.empty(); }
  /// What is still pending, oldest first.
  const std::vector<std::unique_ptr<AsyncOp>> &operations() const { return pending; }

private:
  Flow runStage(size_t index);
  /// Index of the operation that must run before `index` may: itself, or the head of its queue.
  size_t headOf(size_t index) const;

  Cluster *cluster = nullptr;
  std::vector<std::unique_ptr<AsyncOp>> pending; ///< in order of issue
};

} // namespace msa::ptxsim

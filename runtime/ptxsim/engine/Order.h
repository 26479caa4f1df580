//===- Order.h - what happened before what in a cluster -------------------------------------===//
//
// Happens-before between the warps of a cluster and its asynchronous operations, at
// the cost of a few words per synchronisation. Time is cut into *segments*: one
// counter for the cluster, and a warp's current segment gets a new number whenever
// it takes part in a synchronisation. Three things are known to an agent:
//
//   clock      of each warp, the newest segment that happened before now
//   fenced     the same, but only what a fence.proxy.async has since made visible
//              to the asynchronous proxy (the frontier of Triton's ConSan)
//   complete   the asynchronous operations whose completion happened before now
//
// A synchronisation object (barrier, mbarrier phase, strong access) holds a
// `Knowledge` of its own: arriving adds the warp's to it, waiting takes it.
//
// Example: warp 0 stores x in segment 3, fences (fenced[0] = 3 for itself), arrives
// at an mbarrier; warp 1 waits: clock[0] = fenced[0] = 3; its wgmma may read x.
// Without the fence clock[0] is 3 and fenced[0] is not: P1.
//
// Warps are numbered across the cluster: rank * (warps of a CTA) + index.
// Knowledge is per warp, not per thread: a hazard inside one warp may be missed,
// never invented.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Checks.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace msa::ptxsim {

/// Number of an asynchronous operation in its cluster, from 1 on; 0: none.
using AsyncId = uint32_t;

/// A set of operations. Only the newest `window` are told apart; older ones count as members.
class AsyncSet {
public:
  static constexpr uint32_t window = 1024;
  void add(AsyncId id) {
    advance(id);
    words[id / 64 % wordCount] |= 1ull << (id % 64);
  }
  bool has(AsyncId id) const {
    uint32_t word = id / 64;
    if (id == 0 || word < first)
      return true;
    return word < first + wordCount && ((words[word % wordCount] >> (id % 64)) & 1);
  }
  void merge(const AsyncSet &other);
  void clear() { *this = AsyncSet(); }

private:
  static constexpr uint32_t wordCount = window / 64;
  void advance(AsyncId id);

  uint32_t first = 0; ///< ids below 64 * first count as members
  std::array<uint64_t, wordCount> words{};
};

/// What an agent, or a synchronisation object, knows to have happened.
struct Knowledge {
  std::vector<uint32_t> clock, fenced; ///< by warp of the cluster; empty: nothing
  AsyncSet complete;
  /// Of `complete`, the tcgen05 operations that went through a commit or a
  /// tcgen05.fence::before_thread_sync: what after_thread_sync makes visible (PTX ISA 9.7.16.6).
  AsyncSet published;
  void merge(const Knowledge &);
  void clear();
};

class Order {
public:
  /// A record of an asynchronous operation, for messages and issue order.
  struct Operation {
    AsyncId id = 0;
    uint32_t warp = 0, segment = 0, pc = 0;
    int lane = 0;
    const char *what = ""; ///< "cp.async.bulk.tensor", for messages
    /// Traps with this id if no warp knows of its completion when the cluster ends.
    std::optional<Check> atExit;
  };

  void configure(bool enabled, unsigned ctas, unsigned warpsOfCta);
  /// A new cluster starts.
  void start();
  bool enabled() const { return active; }
  unsigned warpCount() const { return total; }
  unsigned warpsOfCta() const { return perCta; }
  /// Segments below belong to earlier clusters.
  uint32_t firstSegment() const { return first; }
  uint32_t segment(unsigned warp) const { return current[warp]; }
  Knowledge &of(unsigned warp) { return known[warp]; }
  const Knowledge &of(unsigned warp) const { return known[warp]; }

  /// True if what warp `other` did in `segment` happened before what `me` does now.
  bool happenedBefore(unsigned me, unsigned other, uint32_t segment) const {
    return other == me || segment < first || known[me].clock[other] >= segment;
  }
  /// The same, and an asynchronous operation that `me` issues now sees it.
  bool fencedBefore(unsigned me, unsigned other, uint32_t segment) const {
    return segment < first || known[me].fenced[other] >= segment;
  }
  bool isComplete(unsigned me, AsyncId id) const { return known[me].complete.has(id); }

  // ---- synchronisation
  // ---------------------------------------------------------------------------
  /// The warp signals: `into` learns what the warp knows and has done.
  void release(unsigned warp, Knowledge &into);
  /// The warp has waited.
  void acquire(unsigned warp, const Knowledge &from) {
    if (active)
      known[warp].merge(from);
  }
  /// Arrivers only signal; waiters learn what all of both know (bar.arrive, bar.sync).
  void signal(std::span<const uint32_t> arrivers, std::span<const uint32_t> waiters);
  /// fence.proxy.async: what the warp knows and has done is visible to the asynchronous proxy.
  void fenceAsync(unsigned warp);

  // ---- asynchronous operations
  // -------------------------------------------------------------------
  /// A new operation, issued by `warp` at op `pc`.
  AsyncId begin(unsigned warp, uint32_t pc, int lane, const char *what,
                std::optional<Check> atExit = std::nullopt);
  /// The oldest operation with `atExit` that no warp knows to be complete; 0: none.
  AsyncId unfinished() const;
  /// Segment numbers are about to run out: whoever remembers some has to forget them.
  bool isWorn() const { return counter > 0xF0000000u; }
  void renew() { counter = 1; }
  /// What is known of an operation; a record without id if it is too old.
  Operation operation(AsyncId id) const;
  /// The warp knows from now on that the operation is complete (a wait that it executed).
  void learn(unsigned warp, AsyncId id) {
    if (active)
      known[warp].complete.add(id);
  }
  /// True if `me` now is ordered behind the *issue* of the operation.
  bool issuedBefore(unsigned me, AsyncId id) const;
  /// What an operation tells whom it signals: what its issuer knew, and that it is complete.
  void signalCompletion(AsyncId id, Knowledge &into);

private:
  bool active = false;
  unsigned total = 0, perCta = 0;
  uint32_t counter = 1, first = 1;
  AsyncId newest = 0;
  std::vector<Knowledge> known;
  std::vector<uint32_t> current;     ///< segment of each warp
  std::vector<Operation> operations; ///< ring
};

} // namespace msa::ptxsim

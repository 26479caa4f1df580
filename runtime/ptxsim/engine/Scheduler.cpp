//===- Scheduler.cpp - fragments, joins and warps of a CTA -------------------------===//
//
// The hot loop is runFragment. Everything else here decides who runs next, and
// is entered when a fragment diverges, parks, waits or ends.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/Lanes.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace msa::ptxsim {

namespace {

/// Warp instructions that a warp runs before another gets its turn.
constexpr uint64_t longSlice = 8192;
/// A warp counts as spinning after this many strong reads, if they are dense among its
/// instructions.
constexpr uint32_t spinReads = 16;
constexpr uint64_t instructionsPerSpinRead = 64;

//===----------------------------------------------------------------------===//
// Joins
//===----------------------------------------------------------------------===//

uint32_t makeJoin(Warp &w, uint32_t pc, uint32_t expected, uint32_t parent,
                  const CallStack &calls) {
  Join join{pc, expected, 0, parent, calls};
  for (uint32_t i = 0; i < w.joins.size(); ++i)
    if (w.joins[i].expected == 0) {
      w.joins[i] = std::move(join);
      return i;
    }
  w.joins.push_back(std::move(join));
  return static_cast<uint32_t>(w.joins.size() - 1);
}

/// The lanes that are parked in the join go on as a fragment of their own; it stays for the others.
void releaseParked(Warp &w, Join &join) {
  Fragment f;
  f.pc = join.pc;
  f.mask = join.arrived;
  f.join = join.parent;
  f.calls = join.calls;
  join.expected &= ~join.arrived;
  join.arrived = 0;
  w.fragments.push_back(std::move(f));
}

/// `lanes` will not come to the join.
void leaveJoin(Warp &w, uint32_t index, uint32_t lanes) {
  Join &join = w.joins[index];
  if (join.expected == 0)
    return;
  join.expected &= ~lanes;
  if (join.expected != 0 && join.expected == join.arrived)
    releaseParked(w, join);
}

/// At `f.pc`, where some join may be: true if the fragment was parked (and is gone).
bool park(Warp &w, Fragment &f) {
  while (f.join != noJoin) {
    Join &join = w.joins[f.join];
    if (join.pc != f.pc || join.calls != f.calls)
      return false;
    join.arrived |= f.mask;
    if (join.arrived != join.expected)
      return true;
    f.mask = join.expected;
    f.join = join.parent;
    join.expected = 0;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Splitting
//===----------------------------------------------------------------------===//

struct Part {
  uint32_t pc, mask;
};

/// The fragment becomes several, which meet again at `reconvergence` if there is such a place.
void diverge(Warp &w, Fragment &&f, uint32_t reconvergence, std::vector<Part> parts) {
  uint32_t join = f.join;
  if (reconvergence != noOp) {
    bool same =
        join != noJoin && w.joins[join].pc == reconvergence && w.joins[join].calls == f.calls;
    if (!same)
      join = makeJoin(w, reconvergence, f.mask, f.join, f.calls);
  }
  if (w.cta->launch->options->schedule == ScheduleKind::Random && (w.cta->nextRandom() & 1))
    std::reverse(parts.begin(), parts.end());
  for (const Part &part : parts) {
    if (part.pc == reconvergence) {
      w.joins[join].arrived |= part.mask;
      continue;
    }
    Fragment piece;
    piece.pc = part.pc;
    piece.mask = part.mask;
    piece.join = join;
    piece.calls = f.calls;
    w.fragments.push_back(std::move(piece));
  }
  // Lanes of an outer round may have been parked here before, so this can complete the join.
  if (reconvergence != noOp)
    leaveJoin(w, join, 0);
}

/// Splits off the lanes of the fragment that do not take part; they go on at `pc`.
void splitOff(Warp &w, Fragment &f, uint32_t lanes, uint32_t pc) {
  if (lanes == 0)
    return;
  Fragment rest;
  rest.pc = pc;
  rest.mask = lanes;
  rest.join = f.join;
  rest.calls = f.calls;
  f.mask &= ~lanes;
  w.fragments.push_back(std::move(rest));
}

void divergeIndexed(Warp &w, Fragment &&f, uint32_t pc, uint32_t mask) {
  std::vector<Part> parts;
  if (f.mask & ~mask)
    parts.push_back({pc + 1, f.mask & ~mask});
  forLanes(mask, [&](int lane) {
    for (Part &part : parts)
      if (part.pc == w.targets[lane]) {
        part.mask |= 1u << lane;
        return;
      }
    parts.push_back({w.targets[lane], 1u << lane});
  });
  diverge(w, std::move(f), w.program->info[pc].reconvergence, std::move(parts));
}

/// Registers of a function start uninitialised at every call.
void forgetRegisters(Warp &w, uint32_t firstOp, uint32_t mask) {
  if (!w.cta->launch->checks.on(Check::X4))
    return;
  for (const Program::FunctionFrame &frame : w.program->frames) {
    if (frame.firstOp != firstOp)
      continue;
    std::vector<uint32_t> kept;
    for (Ref ref : frame.arguments)
      kept.push_back(w.taint[0][ref]);
    for (uint32_t i = 0; i < frame.slots; ++i)
      w.taint[0][frame.firstSlot + i] |= mask;
    for (size_t i = 0; i < kept.size(); ++i)
      w.taint[0][frame.arguments[i]] = kept[i];
    for (uint32_t i = 0; i < frame.predicates; ++i)
      w.predicateTaint[frame.firstPredicate + i] |= mask;
  }
}

void enterCall(Warp &w, Fragment &&f, uint32_t pc, uint32_t mask) {
  uint32_t target = w.program->ops[pc].target;
  forgetRegisters(w, target, mask);
  Fragment callee;
  callee.pc = target;
  callee.mask = mask;
  callee.calls = f.calls;
  callee.calls.push_back(pc + 1);
  callee.join = makeJoin(w, pc + 1, f.mask, f.join, f.calls);
  w.joins[callee.join].arrived = f.mask & ~mask;
  w.fragments.push_back(std::move(callee));
}

void returnFrom(Warp &w, Fragment &&f, uint32_t pc, uint32_t mask) {
  splitOff(w, f, f.mask & ~mask, pc + 1);
  f.pc = f.calls.back();
  f.calls.pop_back();
  // Joins of the function that these lanes leave will not see them.
  while (f.join != noJoin && w.joins[f.join].calls.size() > f.calls.size()) {
    uint32_t left = f.join;
    f.join = w.joins[left].parent;
    leaveJoin(w, left, f.mask);
  }
  w.fragments.push_back(std::move(f));
}

void exitLanes(Warp &w, Fragment &&f, uint32_t pc, uint32_t mask) {
  splitOff(w, f, f.mask & ~mask, pc + 1);
  w.alive &= ~mask;
  for (uint32_t i = 0; i < w.joins.size(); ++i)
    leaveJoin(w, i, mask);
}

//===----------------------------------------------------------------------===//
// Converging
//===----------------------------------------------------------------------===//

/// True if `ancestor` is `join` or above it.
bool isAbove(const Warp &w, uint32_t ancestor, uint32_t join) {
  for (; join != noJoin; join = w.joins[join].parent)
    if (join == ancestor)
      return true;
  return ancestor == noJoin;
}

/// Makes one ready fragment of those that wait at the same op as `first` if together they have
/// every lane that it needs.
bool convergeAt(Warp &w, size_t first) {
  const uint32_t pc = w.fragments[first].pc;
  const CallStack calls = w.fragments[first].calls;
  uint32_t together = 0, need = 0, join = w.fragments[first].join;
  auto matches = [&](const Fragment &f) {
    return f.state == Fragment::State::Converging && f.pc == pc && f.calls == calls;
  };
  for (const Fragment &f : w.fragments)
    if (matches(f)) {
      together |= f.mask;
      need |= f.need;
      while (!isAbove(w, join, f.join))
        join = w.joins[join].parent;
    }
  if ((need & w.alive & ~together) != 0)
    return false;
  std::vector<Fragment> merged;
  for (size_t i = 0; i < w.fragments.size();) {
    if (!matches(w.fragments[i])) {
      ++i;
      continue;
    }
    merged.push_back(std::move(w.fragments[i]));
    w.fragments.erase(w.fragments.begin() + static_cast<std::ptrdiff_t>(i));
  }
  // They have met here and will not meet at the joins below the one that they share.
  for (const Fragment &f : merged)
    for (uint32_t j = f.join; j != join;) {
      uint32_t parent = w.joins[j].parent;
      leaveJoin(w, j, f.mask);
      j = parent;
    }
  Fragment whole;
  whole.pc = pc;
  whole.mask = together;
  whole.join = join;
  whole.calls = calls;
  w.fragments.push_back(std::move(whole));
  return true;
}

void tryConverging(Warp &w) {
  for (size_t i = 0; i < w.fragments.size();)
    i = w.fragments[i].state == Fragment::State::Converging && convergeAt(w, i) ? 0 : i + 1;
}

int readyFragment(const Warp &w, Cta &cta) {
  int found = -1;
  unsigned ready = 0;
  for (size_t i = 0; i < w.fragments.size(); ++i)
    if (w.fragments[i].state == Fragment::State::Ready) {
      found = static_cast<int>(i);
      ++ready;
    }
  if (ready < 2 || cta.launch->options->schedule != ScheduleKind::Random)
    return found;
  unsigned wanted = static_cast<unsigned>(cta.nextRandom() % ready);
  for (size_t i = 0; i < w.fragments.size(); ++i)
    if (w.fragments[i].state == Fragment::State::Ready && wanted-- == 0)
      return static_cast<int>(i);
  return found;
}

/// Lets parked lanes of the innermost joins go on alone; true if there were any.
bool openJoins(Warp &w) {
  bool opened = false;
  for (Join &join : w.joins)
    if (join.expected != 0 && join.arrived != 0) {
      releaseParked(w, join);
      opened = true;
    }
  return opened;
}

} // namespace

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

void Cta::runFragment(Warp &w, Fragment f, uint64_t limit) {
  const Op *ops = launch->program->ops.data();
  uint32_t pc = f.pc;
  w.active = f.mask;
  w.timedOut = f.timedOut;
  w.grantedKey = f.timedOut ? 0 : f.waitKey;
  f.timedOut = false;
  f.waitKey = 0;
  for (;;) {
    const Op &op = ops[pc];
    if (op.join && f.join != noJoin) {
      f.pc = pc;
      if (park(w, f))
        return;
      w.active = f.mask;
    }
    if (w.executed >= limit) {
      f.pc = pc;
      w.fragments.insert(w.fragments.begin(), std::move(f));
      return;
    }
    uint32_t mask = w.active;
    if (op.guard != 0) {
      w.pc = pc;
      if (uint32_t tainted = w.predicateTaint[op.guard] & mask)
        if (w.checkTaint(tainted,
                         op.opClass == OpClass::Control ? "the condition of this branch"
                                                        : "the guard predicate",
                         op) == Flow::Trap)
          return;
      mask &= w.predicates[op.guard] ^ op.guardFlip;
    }
    ++w.executed;
    if (mask == 0) {
      ++pc;
      continue;
    }
    if (w.pendingCount != 0) [[unlikely]] {
      w.pc = pc;
      if (touchesPending(w, mask))
        return;
    }
    w.executions[pc] += static_cast<unsigned>(std::popcount(mask));
    w.pc = pc;
    Flow flow = op.run(w, op, mask);
    if (flow == Flow::Next) [[likely]] {
      ++pc;
      continue;
    }
    w.timedOut = false;
    f.pc = pc;
    f.mask = w.active;
    switch (flow) {
    case Flow::Branch: {
      uint32_t others = w.active & ~mask;
      if (others == 0) {
        pc = op.target;
        continue;
      }
      if (op.target == pc + 1) {
        ++pc;
        continue;
      }
      diverge(w, std::move(f), launch->program->info[pc].reconvergence,
              {{op.target, mask}, {pc + 1, others}});
      return;
    }
    case Flow::Indexed:
      divergeIndexed(w, std::move(f), pc, mask);
      return;
    case Flow::Call:
      enterCall(w, std::move(f), pc, mask);
      return;
    case Flow::Return:
      if (!f.calls.empty()) {
        returnFrom(w, std::move(f), pc, mask);
        return;
      }
      [[fallthrough]];
    case Flow::Exit:
      exitLanes(w, std::move(f), pc, mask);
      tryConverging(w);
      for (unsigned i = 0; i < barriers.size(); ++i)
        if (barriers[i].busy && isComplete(barriers[i]))
          complete(i);
      ++cluster->events;
      cluster->checkBarrier();
      return;
    case Flow::Wait:
      splitOff(w, f, w.active & ~mask, pc + 1);
      f.pc = pc + 1;
      f.state = Fragment::State::AtBarrier;
      f.barrier = w.waitBarrier;
      w.fragments.push_back(std::move(f));
      return;
    case Flow::Converge:
      splitOff(w, f, w.active & ~mask, pc + 1);
      f.state = Fragment::State::Converging;
      f.need = w.need;
      w.fragments.push_back(std::move(f));
      convergeAt(w, w.fragments.size() - 1);
      return;
    case Flow::Suspend:
      splitOff(w, f, w.active & ~mask, pc + 1);
      f.state = Fragment::State::Suspended;
      f.waitKey = w.waitKey;
      f.waitFor = w.waitFor;
      w.fragments.push_back(std::move(f));
      return;
    case Flow::Yield:
      f.pc = pc + 1;
      w.fragments.insert(w.fragments.begin(), std::move(f));
      w.strongReads += spinReads;
      return;
    case Flow::Next:
    case Flow::Trap:
      return;
    }
  }
}

/// Registers that the op at w.pc names and that an asynchronous instruction still owns: their
/// owners deliver or trap. True if the warp has trapped.
bool Cta::touchesPending(Warp &w, uint32_t mask) {
  const Program &program = *w.program;
  for (uint32_t i = program.touchedFrom[w.pc]; i < program.touchedFrom[w.pc + 1]; ++i) {
    Ref ref = program.touched[i] & ~constantRef;
    for (PendingRegisters *owner : w.pendingOwners)
      if (owner && w.isPending(ref) &&
          owner->touch(w, ref, program.touched[i] & constantRef, mask) == Flow::Trap)
        return true;
  }
  return trapped;
}

bool Cta::wake(uint64_t key) {
  bool woken = false;
  for (Warp &w : warps)
    for (Fragment &f : w.fragments)
      if (f.state == Fragment::State::Suspended && f.waitKey == key) {
        f.state = Fragment::State::Ready;
        woken = true;
      }
  return woken;
}

bool Cta::timeOut() {
  bool woken = false;
  for (Warp &w : warps)
    for (Fragment &f : w.fragments)
      if (f.state == Fragment::State::Suspended && !f.waitFor) {
        f.state = Fragment::State::Ready;
        f.timedOut = true;
        woken = true;
      }
  return woken;
}

void Cta::runWarp(Warp &w, uint64_t slice) {
  uint64_t limit = w.executed + slice;
  while (!trapped && w.executed < limit) {
    int pick = readyFragment(w, *this);
    if (pick < 0)
      break;
    Fragment f = std::move(w.fragments[static_cast<size_t>(pick)]);
    w.fragments.erase(w.fragments.begin() + pick);
    runFragment(w, std::move(f), limit);
  }
}

bool Cta::isSpinning(Warp &w) const {
  uint32_t reads = w.strongReads - w.readsSeen;
  if (reads < spinReads)
    return false;
  bool dense = w.executed - w.executedSeen <= reads * instructionsPerSpinRead;
  w.readsSeen = w.strongReads;
  w.executedSeen = w.executed;
  return dense;
}

uint64_t Cta::executed() const {
  uint64_t sum = 0;
  for (const Warp &w : warps)
    sum += w.executed;
  return sum;
}

bool Cta::openParked() {
  bool opened = false;
  for (Warp &w : warps)
    opened = openJoins(w) || opened;
  return opened;
}

Cta::Outcome Cta::run() {
  const RunOptions &options = *launch->options;
  const bool random = options.schedule == ScheduleKind::Random;
  const bool backwards = options.schedule == ScheduleKind::Lazy;
  for (;;) {
    bool progress = false, spinning = false, busy = false;
    for (size_t i = 0; i < warps.size() && !cluster->isStopped; ++i) {
      size_t pick = backwards ? warps.size() - 1 - i : i;
      if (random) {
        pick = nextRandom() % warps.size();
        // One warp gets few turns, so that others overtake it.
        if (pick == starved && nextRandom() % 8 != 0)
          pick = nextRandom() % warps.size();
      }
      Warp &w = warps[pick];
      bool ready = std::any_of(w.fragments.begin(), w.fragments.end(),
                               [](const Fragment &f) { return f.state == Fragment::State::Ready; });
      if (!ready)
        continue;
      uint64_t slice = random ? 1 + nextRandom() % 64 : longSlice;
      if (options.instructionBudget) {
        uint64_t spent = executed();
        if (spent >= options.instructionBudget) {
          w.pc = w.fragments.front().pc;
          w.trapAlways(
              "budget", -1,
              fmt::format("the CTA has executed its budget of {} warp instructions; a loop "
                          "that does not end, or a budget that is too small",
                          options.instructionBudget));
          break;
        }
        slice = std::min(slice, options.instructionBudget - spent);
      }
      runWarp(w, slice);
      progress = true;
      if (random && !trapped)
        cluster->async.maybeAdvance();
      if (!isSpinning(w)) {
        busy = true;
        continue;
      }
      // It may wait for lanes of its own that are parked.
      openJoins(w);
      spinning = true;
    }
    tally.warpInstructions = executed();
    if (countsAccesses) {
      tally.warpExecuted.resize(warps.size());
      for (const Warp &w : warps)
        tally.warpExecuted[w.index] = w.executed;
    }
    quiet = !busy;
    if (cluster->isStopped)
      return Outcome::Trapped;
    if (isDone())
      return Outcome::Done;
    if (random && !progress)
      progress = std::any_of(warps.begin(), warps.end(), [](const Warp &w) {
        return std::any_of(w.fragments.begin(), w.fragments.end(),
                           [](const Fragment &f) { return f.state == Fragment::State::Ready; });
      });
    if (!progress)
      return Outcome::Blocked;
    if (spinning &&
        (!busy || launch->program->order == GridOrder::Ordered || cluster->ctas.size() > 1))
      return Outcome::Waiting;
  }
}

} // namespace msa::ptxsim

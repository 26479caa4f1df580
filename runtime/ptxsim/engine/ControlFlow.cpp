//===- ControlFlow.cpp - where diverging lanes meet again ---------------------------===//
//
// Immediate post-dominators of the basic blocks of each function, by the
// iterative algorithm of Cooper, Harvey and Kennedy on the reversed graph with
// one virtual exit. A branch reconverges at the first op of its block's immediate
// post-dominator, a call behind itself. Blocks that cannot reach an exit have no
// post-dominator; their branches do not reconverge.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/ProgramBuilder.h"

#include <algorithm>

namespace msa::ptxsim {

namespace {

ControlKind kindOf(const Op &op) {
  return op.opClass == OpClass::Control ? static_cast<ControlKind>(op.mode2) : ControlKind::None;
}

/// The blocks of one function: [first, last) ops. Block ids start at 1; 0 is the virtual exit.
class FunctionGraph {
public:
  FunctionGraph(Program &program, uint32_t first, uint32_t last)
      : program(program), first(first), last(last) {}

  void run() {
    findLeaders();
    connect();
    order();
    solve();
    store();
  }

private:
  static constexpr uint32_t unknown = ~0u;

  template <class F> void forTargets(const Op &op, F f) const {
    if (kindOf(op) == ControlKind::Branch)
      f(op.target);
    if (kindOf(op) == ControlKind::Indexed)
      for (uint32_t i = 0; i < op.count; ++i)
        f(program.lists[op.target + i]);
  }
  /// True if control never goes to the next op.
  static bool leaves(const Op &op) {
    ControlKind kind = kindOf(op);
    return op.guard == 0 && kind != ControlKind::None && kind != ControlKind::Call;
  }

  void findLeaders() {
    std::vector<bool> leader(last - first + 1, false);
    leader[0] = true;
    for (uint32_t pc = first; pc < last; ++pc) {
      const Op &op = program.ops[pc];
      forTargets(op, [&](uint32_t target) { leader[target - first] = true; });
      if (kindOf(op) != ControlKind::None)
        leader[pc + 1 - first] = true;
    }
    blockOf.assign(last - first, 0);
    starts.assign(1, 0);
    for (uint32_t pc = first; pc < last; ++pc) {
      if (leader[pc - first])
        starts.push_back(pc);
      blockOf[pc - first] = static_cast<uint32_t>(starts.size() - 1);
    }
  }

  uint32_t endOf(uint32_t block) const {
    return block + 1 < starts.size() ? starts[block + 1] : last;
  }

  void connect() {
    successors.resize(starts.size());
    predecessors.resize(starts.size());
    auto edge = [&](uint32_t from, uint32_t to) {
      successors[from].push_back(to);
      predecessors[to].push_back(from);
    };
    for (uint32_t block = 1; block < starts.size(); ++block) {
      const Op &op = program.ops[endOf(block) - 1];
      forTargets(op, [&](uint32_t target) { edge(block, blockOf[target - first]); });
      if (kindOf(op) == ControlKind::Exit || kindOf(op) == ControlKind::Return)
        edge(block, 0);
      if (!leaves(op))
        edge(block, endOf(block) < last ? blockOf[endOf(block) - first] : 0);
    }
  }

  /// Postorder from the virtual exit over reversed edges.
  void order() {
    number.assign(starts.size(), unknown);
    std::vector<std::pair<uint32_t, size_t>> stack = {{0, 0}};
    std::vector<bool> seen(starts.size(), false);
    seen[0] = true;
    while (!stack.empty()) {
      auto &[block, next] = stack.back();
      if (next < predecessors[block].size()) {
        uint32_t to = predecessors[block][next++];
        if (!seen[to]) {
          seen[to] = true;
          stack.emplace_back(to, 0);
        }
        continue;
      }
      number[block] = static_cast<uint32_t>(postorder.size());
      postorder.push_back(block);
      stack.pop_back();
    }
  }

  uint32_t intersect(uint32_t a, uint32_t b) const {
    while (a != b) {
      while (number[a] < number[b])
        a = dominator[a];
      while (number[b] < number[a])
        b = dominator[b];
    }
    return a;
  }

  void solve() {
    dominator.assign(starts.size(), unknown);
    dominator[0] = 0;
    for (bool changed = true; changed;) {
      changed = false;
      for (auto it = postorder.rbegin(); it != postorder.rend(); ++it) {
        if (*it == 0)
          continue;
        uint32_t fresh = unknown;
        for (uint32_t s : successors[*it])
          if (dominator[s] != unknown)
            fresh = fresh == unknown ? s : intersect(fresh, s);
        if (fresh != dominator[*it]) {
          dominator[*it] = fresh;
          changed = true;
        }
      }
    }
  }

  void store() {
    for (uint32_t pc = first; pc < last; ++pc) {
      ControlKind kind = kindOf(program.ops[pc]);
      uint32_t meet = ~0u;
      if (kind == ControlKind::Call)
        meet = pc + 1;
      else if (kind == ControlKind::Branch || kind == ControlKind::Indexed) {
        uint32_t d = dominator[blockOf[pc - first]];
        meet = d == unknown || d == 0 ? ~0u : starts[d];
      }
      program.info[pc].reconvergence = meet;
      if (meet != ~0u)
        program.ops[meet].join = true;
    }
  }

  Program &program;
  uint32_t first, last;
  std::vector<uint32_t> blockOf, starts, number, postorder, dominator;
  std::vector<std::vector<uint32_t>> successors, predecessors;
};

} // namespace

void analyseControlFlow(Program &program) {
  for (size_t i = 0; i < program.frames.size(); ++i) {
    uint32_t first = program.frames[i].firstOp;
    auto last = i + 1 < program.frames.size() ? program.frames[i + 1].firstOp
                                              : static_cast<uint32_t>(program.ops.size());
    FunctionGraph(program, first, last).run();
  }
}

} // namespace msa::ptxsim

#include "ptxsim/isa/Warpgroup.h"

#include "ptxsim/engine/Cluster.h"
#include "ptxsim/isa/WgmmaProduct.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace msa::ptxsim {

Warpgroups::Warpgroups() : buffers(std::make_unique<WgmmaScratch>()) {}
Warpgroups::~Warpgroups() = default;

void Warpgroups::start(Cta &cta) {
  const Program &program = *cta.launch->program;
  // Kernels without wgmma.mma_async record no registers.
  if (watched.empty() && cta.checks(Check::W1) && !program.touchedFrom.empty())
    findWatched(program);
  warps.resize(cta.warps.size());
  for (WarpState &state : warps) {
    std::vector<Use> uses = std::move(state.uses); // keeps its memory
    uses.assign(program.registerSlots, Use());
    state = WarpState();
    state.uses = std::move(uses);
  }
  groups.assign((cta.warps.size() + 3) / 4, Group());
}

void Warpgroups::finish(Cta &cta) {
  for (Warp &w : cta.warps) {
    const WarpState &state = warps[w.index];
    if (state.entered == state.waited || cta.cluster->isStopped)
      continue;
    const Group &group = groups[w.index / 4];
    const WgmmaCall &call = group.calls[state.waited - group.first];
    if (call.warps != WgmmaCall::allWarps) {
      Origin{&w, call.pc, -1}.trap(
          Check::X1, "the warp has ended, and other warps of its warpgroup never came to this "
                     "wgmma; all four execute it or none");
      continue;
    }
    Origin{&w, call.pc, -1}.trap(
        Check::W3, state.groups.empty()
                       ? "the warp ends without wgmma.commit_group and wgmma.wait_group for this"
                       : "the warp ends without wgmma.wait_group for this");
  }
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

/// Registers of every wgmma, and those that moves lead from there, as far as moves go.
void Warpgroups::findWatched(const Program &program) {
  watched.assign(program.registerSlots / 64 + 1, 0);
  std::vector<std::vector<Ref>> sources(program.registerSlots); // of moves, by destination
  std::vector<Ref> found;
  auto watch = [&](Ref ref) {
    if (ref & constantRef)
      return;
    uint64_t &word = watched[ref / 64], bit = 1ull << (ref % 64);
    if (!(word & bit))
      found.push_back(ref);
    word |= bit;
  };
  for (uint32_t pc = 0; pc < program.ops.size(); ++pc) {
    if (program.info[pc].function->body.empty())
      continue;
    const std::string &opcode = program.instruction(pc).opcode;
    if (opcode == "wgmma") {
      WgmmaRegisters registers = registersOfWgmma(program, pc);
      for (auto list : {registers.accumulators, registers.sources})
        for (Ref ref : list)
          watch(ref);
    }
    if (opcode != "mov")
      continue;
    for (uint32_t i = program.touchedFrom[pc]; i < program.touchedFrom[pc + 1]; ++i)
      for (uint32_t j = program.touchedFrom[pc]; j < program.touchedFrom[pc + 1]; ++j)
        if ((program.touched[i] & constantRef) && !(program.touched[j] & constantRef))
          sources[program.touched[i] & ~constantRef].push_back(program.touched[j]);
  }
  while (!found.empty()) {
    Ref ref = found.back();
    found.pop_back();
    for (Ref source : sources[ref])
      watch(source);
  }
}

/// True if the op is a move all of whose sources are clean (or no registers).
bool Warpgroups::renames(const Warp &w, uint32_t pc) const {
  const Program &program = *w.program;
  if (program.instruction(pc).opcode != "mov")
    return false;
  for (uint32_t i = program.touchedFrom[pc]; i < program.touchedFrom[pc + 1]; ++i) {
    Ref ref = program.touched[i];
    if (!(ref & constantRef) && !w.isPending(ref))
      return false;
  }
  return true;
}

Flow Warpgroups::touch(Warp &w, Ref ref, bool writes, uint32_t mask) {
  const Instruction &instruction = w.program->instruction(w.pc);
  const Use &use = warps[w.index].uses[ref];
  const bool isMove = instruction.opcode == "mov";
  if (use.accumulator != 0 || (use.source != 0 && (writes || !isMove)))
    return w.trap(Check::W2, std::countr_zero(mask),
                  fmt::format("{} a register of {} of a wgmma that may still be running; "
                              "wgmma.commit_group and wgmma.wait_group have to come before",
                              writes ? "writes" : "reads",
                              use.accumulator ? "the accumulator" : "operand A"));
  if (use.source != 0 || (isMove && (!writes || renames(w, w.pc))))
    return Flow::Next;
  w.setPending(ref, false);
  return Flow::Next;
}

Flow Warpgroups::take(Warp &w, const WgmmaRegisters &registers) {
  WarpState &state = warps[w.index];
  if (!state.fenced &&
      w.trap(Check::W1, 0,
             "no wgmma.fence before the first wgmma of this warp: what other instructions did to "
             "its registers is not ordered before it") == Flow::Trap)
    return Flow::Trap;
  auto judge = [&](Ref ref, bool accumulates) {
    const Use &use = state.uses[ref];
    const char *what = accumulates ? "the accumulator" : "operand A";
    if (accumulates ? use.source != 0 : use.accumulator != 0)
      return w.trap(Check::W2, 0,
                    fmt::format("a register of {} is in flight as {} of another wgmma, which has "
                                "to be waited for first (wgmma.wait_group)",
                                what, accumulates ? "operand A" : "the accumulator"));
    if (accumulates && use.shape != 0 && use.shape != registers.shape)
      return w.trap(Check::W4, 0,
                    "the accumulator was used by a wgmma of another shape, and no wgmma.fence lies "
                    "between");
    if (!watched.empty() && !w.isPending(ref))
      return w.trap(Check::W1, 0,
                    fmt::format("a register of {} was touched by another instruction since the "
                                "last wgmma.fence of this warp; a fence has to come between",
                                what));
    return Flow::Next;
  };
  for (bool accumulates : {true, false})
    for (Ref ref : accumulates ? registers.accumulators : registers.sources) {
      if (ref & constantRef)
        continue;
      if (judge(ref, accumulates) == Flow::Trap)
        return Flow::Trap;
      Use &use = state.uses[ref];
      ++(accumulates ? use.accumulator : use.source);
      if (accumulates)
        use.shape = registers.shape;
      w.setPending(ref, true);
    }
  w.pendingOwners[0] = this;
  return Flow::Next;
}

void Warpgroups::release(Warp &w, const WgmmaCall &call) {
  WarpState &state = warps[w.index];
  WgmmaRegisters registers = registersOfWgmma(*w.program, call.pc);
  for (bool accumulates : {true, false})
    for (Ref ref : accumulates ? registers.accumulators : registers.sources) {
      if (ref & constantRef)
        continue;
      Use &use = state.uses[ref];
      --(accumulates ? use.accumulator : use.source);
      // Watched registers stay pending: they are clean until somebody touches them.
      if (watched.empty() && use.accumulator == 0 && use.source == 0)
        w.setPending(ref, false);
    }
}

void Warpgroups::fence(Warp &w) {
  WarpState &state = warps[w.index];
  state.fenced = true;
  for (size_t i = 0; i < watched.size(); ++i) {
    w.pendingCount += static_cast<uint32_t>(std::popcount(watched[i] & ~w.pendingSlots[i]));
    w.pendingSlots[i] |= watched[i];
  }
  for (Use &use : state.uses)
    use.shape = 0;
  w.pendingOwners[0] = this;
}

//===----------------------------------------------------------------------===//
// Operations and groups
//===----------------------------------------------------------------------===//

Flow Warpgroups::enter(Warp &w, const WgmmaCall &mine, WgmmaCall *&call) {
  WarpState &state = warps[w.index];
  Group &group = groups[w.index / 4];
  const uint64_t number = state.entered - group.first;
  if (number == group.calls.size())
    group.calls.push_back(mine);
  call = &group.calls[number];
  const uint32_t line = w.program->instruction(call->pc).location.line;
  if (call->pc != mine.pc &&
      w.trap(Check::X1, 0,
             fmt::format("another warp of the warpgroup executes the wgmma at line {} at this "
                         "point; all four warps must execute the same",
                         line)) == Flow::Trap)
    return Flow::Trap;
  auto differs = [&](const char *what, uint64_t here, uint64_t there) {
    if (here == there)
      return Flow::Next;
    return w.trap(Check::D6, 0,
                  fmt::format("{} is 0x{:x} here and 0x{:x} in another warp of the warpgroup; all "
                              "four must give the same",
                              what, here, there));
  };
  if (differs("the descriptor of A", mine.a, call->a) == Flow::Trap ||
      differs("the descriptor of B", mine.b, call->b) == Flow::Trap ||
      differs("scale-d", mine.accumulates, call->accumulates) == Flow::Trap)
    return Flow::Trap;
  ++state.entered;
  call->warps |= static_cast<uint8_t>(1u << (w.index % 4));
  return Flow::Next;
}

void Warpgroups::commit(Warp &w) {
  WarpState &state = warps[w.index];
  state.groups.push_back(state.entered);
}

uint64_t Warpgroups::waitKeyOf(const Warp &w) {
  return makeWaitKey(WaitKind::Other, w.cta->rank, w.index / 4);
}

Flow Warpgroups::wait(Warp &w, uint32_t open) {
  WarpState &state = warps[w.index];
  Group &group = groups[w.index / 4];
  // With open groups allowed, a commit may still follow: software pipelines.
  if (open == 0 && state.groups.empty() && state.entered != state.waited &&
      w.trap(Check::W3, 0,
             "no group is committed, and there is wgmma that belongs to none; it needs "
             "wgmma.commit_group before this") == Flow::Trap)
    return Flow::Trap;
  while (state.groups.size() > open) {
    for (; state.waited < state.groups.front(); ++state.waited) {
      const WgmmaCall &call = group.calls[state.waited - group.first];
      if (call.id == 0) {
        w.waitKey = waitKeyOf(w);
        w.waitFor = "the other warps of its warpgroup to execute the same wgmma";
        return Flow::Suspend;
      }
      if (w.cta->cluster->async.finish(call.id) == Flow::Trap)
        return Flow::Trap;
      w.cta->order().learn(w.cta->numberOf(w), call.id);
      release(w, call);
    }
    state.groups.pop_front();
  }
  // Calls that all four warps have waited for are forgotten.
  uint64_t least = ~0ull;
  for (uint32_t i = w.index / 4 * 4; i < w.index / 4 * 4 + 4 && i < warps.size(); ++i)
    least = std::min(least, warps[i].waited);
  for (; group.first < least; ++group.first)
    group.calls.pop_front();
  return Flow::Next;
}

} // namespace msa::ptxsim

//===- Deadlock.cpp - who waits for what
//---------------------------------------------------------===//
//
// When nothing of a cluster can go on, one trap says what every fragment waits for. Its id
// is that of the likeliest mistake: bytes that never came (B3), a phase that the waiter
// missed (B4), lanes that never converge (X1, X7), registers (X3), else X2.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace msa::ptxsim {

namespace {

/// What a fragment waits for, in words.
std::string waitOf(const Cta &cta, const Warp &w, const Fragment &f) {
  switch (f.state) {
  case Fragment::State::AtBarrier:
    return f.barrier == Cta::clusterBarrier ? std::string("barrier.cluster")
                                            : fmt::format("barrier {}", f.barrier);
  case Fragment::State::Converging:
    return fmt::format("lanes 0x{:08x} of its warp", f.need & w.alive & ~f.mask);
  case Fragment::State::Suspended:
    if (f.waitFor)
      return f.waitFor;
    return explainMbarrier(cta, static_cast<uint32_t>(f.waitKey));
  case Fragment::State::Ready:
    break;
  }
  return "something in memory, again and again";
}

/// True if all have arrived at the barrier, and bytes are missing (or too many).
bool hasTraffic(const Cta &cta, uint32_t offset) {
  auto found = cta.mbarriers.records.find(offset);
  if (found == cta.mbarriers.records.end())
    return false;
  uint64_t bits;
  std::memcpy(&bits, cta.sharedRegion.host + offset, 8);
  MbarrierState state = MbarrierState::unpack(bits);
  return state.tx != 0 && !found->second.traffic.empty();
}

/// True if two phases of the barrier have completed since the warp last waited for it.
bool missedPhase(const Cta &cta, const Warp &warp, uint32_t offset) {
  auto found = cta.mbarriers.records.find(offset);
  if (found == cta.mbarriers.records.end())
    return false;
  const std::vector<uint64_t> &seen = found->second.seen;
  return found->second.phases >= (warp.index < seen.size() ? seen[warp.index] : 0) + 2;
}

/// States by how much they explain: lanes that never converge, then barriers.
unsigned weightOf(Fragment::State state) {
  switch (state) {
  case Fragment::State::Converging:
    return 3;
  case Fragment::State::AtBarrier:
    return 1;
  case Fragment::State::Suspended:
    return 2;
  case Fragment::State::Ready:
    break;
  }
  return 0;
}

} // namespace

void Cta::reportDeadlock() {
  const Program &program = *launch->program;
  std::string who;
  const Fragment *culprit = nullptr;
  Warp *owner = nullptr;
  unsigned listed = 0, left = 0;
  for (const auto &cta : cluster->ctas)
    for (Warp &w : cta->warps)
      for (const Fragment &f : w.fragments) {
        if (cta.get() == this && (!culprit || weightOf(f.state) > weightOf(culprit->state))) {
          culprit = &f;
          owner = &w;
        }
        if (listed == 8) {
          ++left;
          continue;
        }
        ++listed;
        uint32_t pc = f.state == Fragment::State::AtBarrier ? f.pc - 1 : f.pc;
        std::string where =
            cluster->ctas.size() > 1 ? fmt::format("CTA {} ", cta->rank) : std::string();
        who += fmt::format("{}{}warp {} lanes 0x{:08x} at line {} wait for {}",
                           who.empty() ? "" : "; ", where, w.index, f.mask,
                           program.instruction(pc).location.line, waitOf(*cta, w, f));
      }
  if (left)
    who += fmt::format("; and {} more", left);
  if (!culprit)
    return;
  bool converging = culprit->state == Fragment::State::Converging;
  owner->pc = culprit->state == Fragment::State::AtBarrier ? culprit->pc - 1 : culprit->pc;
  int lane = std::countr_zero(culprit->mask);
  if (culprit->state == Fragment::State::Suspended || culprit->state == Fragment::State::Ready) {
    bool waits = culprit->state == Fragment::State::Suspended && !culprit->waitFor;
    auto offset = static_cast<uint32_t>(culprit->waitKey);
    bool bytes = waits && checks(Check::B3) && hasTraffic(*this, offset);
    bool lost = waits && !bytes && checks(Check::B4) && missedPhase(*this, *owner, offset);
    bool registers = culprit->waitFor && std::strstr(culprit->waitFor, "setmaxnreg");
    const char *id = registers ? "X3" : bytes ? "B3" : lost ? "B4" : "X2";
    owner->trapAlways(
        id, lane,
        fmt::format("deadlock: nothing is running that could end these waits{}; {}",
                    lost ? ", and the first waiter has missed a phase: its barrier completed two "
                           "since it last looked, so the parity is that of a later one"
                         : "",
                    who));
    return;
  }
  if (!converging && culprit->barrier == clusterBarrier) {
    owner->trapAlways("X2", lane,
                      fmt::format("deadlock: barrier.cluster expects all threads of the cluster "
                                  "that have not exited; in this CTA {}",
                                  who));
    return;
  }
  if (!converging) {
    const Barrier &barrier = barriers[culprit->barrier];
    std::string expected = barrier.expectedWarps
                               ? fmt::format("{} threads", barrier.expectedWarps * 32)
                               : "all threads of the CTA that have not exited";
    owner->trapAlways(
        "X2", lane,
        fmt::format("deadlock: barrier {} expects {}; {}", culprit->barrier, expected, who));
    return;
  }
  bool memberMask = program.ops[culprit->pc].opClass == OpClass::WarpLevel;
  owner->trapAlways(
      memberMask ? "X7" : "X1", lane,
      fmt::format("{}, and lanes 0x{:08x} never come here; {}",
                  memberMask
                      ? "the member mask names lanes that have to execute this instruction too"
                      : "an .aligned instruction is executed by all threads of a warp or by none",
                  culprit->need & owner->alive & ~culprit->mask, who));
}

} // namespace msa::ptxsim

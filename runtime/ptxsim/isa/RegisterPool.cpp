//===- RegisterPool.cpp - PTX ISA 9.7.19.5: setmaxnreg
//------------------------------------------------------------===//
//
// A CTA gets as many registers as its warps start with; a warp that needs fewer gives
// the rest to the CTA's pool, one that wants more waits until the pool has them. The
// count at the start is known from .maxnreg only; without it ptxas ignores the
// instruction, and so does the simulator.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

#include <bit>

namespace msa::ptxsim {

namespace {

class RegisterPool final : public CtaState {
public:
  void start(Cta &cta) override {
    free = 0;
    counts.assign(cta.warps.size(), cta.launch->program->entry->maxRegisters);
  }
  uint32_t free = 0;            ///< registers of one lane, all warps together
  std::vector<uint32_t> counts; ///< a thread of each warp
};

constexpr const char *waitForRegisters =
    "registers (setmaxnreg.inc): warps of the CTA have not released enough";

/// Op::immediate: registers; Op::mode: increases.
Flow setMaxRegisters(Warp &w, const Op &op, uint32_t mask) {
  Cta &cta = *w.cta;
  if (mask != w.alive) {
    w.need = w.alive;
    return Flow::Converge;
  }
  const uint32_t start = cta.launch->program->entry->maxRegisters;
  if (start == 0 || !cta.checks(Check::X3))
    return Flow::Next;
  RegisterPool &pool = cta.state<RegisterPool>();
  uint32_t &count = pool.counts[w.index];
  const auto wanted = static_cast<uint32_t>(op.immediate);
  if (op.mode ? wanted < count : wanted > count)
    return w.trap(Check::X3, std::countr_zero(mask),
                  fmt::format("the warp has {} registers a thread, so {} {} is no {}", count,
                              op.mode ? "an increase to" : "a decrease to", wanted,
                              op.mode ? "increase" : "decrease"));
  if (!op.mode) {
    pool.free += count - wanted;
    count = wanted;
    ++cta.cluster->events;
    cta.cluster->wake(makeWaitKey(WaitKind::Other, cta.rank, 0));
    return Flow::Next;
  }
  if (wanted - count > pool.free) {
    w.waitKey = makeWaitKey(WaitKind::Other, cta.rank, 0);
    w.waitFor = waitForRegisters;
    return Flow::Suspend;
  }
  pool.free -= wanted - count;
  count = wanted;
  return Flow::Next;
}

} // namespace

bool decodeSetmaxnreg(Decoder &d) {
  int which = d.takeOneOf({"inc", "dec"});
  bool aligned = d.take("sync") && d.take("aligned");
  if (which < 0 || !aligned || !d.take("u32") || !d.expectOperands(1))
    return d.failed() ||
           d.fail("{}: accepted: setmaxnreg.inc and .dec .sync.aligned.u32", d.spelling());
  uint64_t count = d.immediate(d.operand(0), 24, 256);
  if (count % 8 != 0)
    d.fail("{}: {} is not a multiple of 8", d.spelling(), count);
  d.op.immediate = static_cast<int64_t>(count);
  d.op.mode = which == 0;
  d.set(&setMaxRegisters, OpClass::Special);
  return true;
}

} // namespace msa::ptxsim

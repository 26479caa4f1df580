#include "ptxsim/isa/Tcgen05Forms.h"

#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"

#include <bit>

namespace msa::ptxsim {

bool requireTensorCore(Decoder &d) {
  const std::string &target = d.program().module.target;
  const char suffix = target.empty() ? ' ' : target.back();
  if (d.sm() >= 100 && d.sm() < 120 && (suffix == 'a' || suffix == 'f'))
    return true;
  d.fail("{}: tcgen05 needs a target of the sm_100 family with a suffix (sm_100a, sm_100f, ...); "
         "the module says .target {}",
         d.spelling(), target);
  return false;
}

unsigned takeCtaGroup(Decoder &d) {
  const int which = d.takeOneOf({"cta_group::1", "cta_group::2"});
  if (which < 0) {
    d.fail("{}: .cta_group::1 or .cta_group::2 is missing", d.spelling());
    return 0;
  }
  const auto group = static_cast<uint8_t>(which + 1);
  uint8_t &ofKernel = d.program().program.tensorGroup;
  if (ofKernel != 0 && ofKernel != group) {
    d.fail("{}: other tcgen05 instructions of this kernel have .cta_group::{}; all must have the "
           "same (T8)",
           d.spelling(), ofKernel);
    return 0;
  }
  ofKernel = group;
  return group;
}

bool takeSyncAligned(Decoder &d) {
  const bool sync = d.take("sync"), aligned = d.take("aligned");
  if (!sync || !aligned)
    d.fail("{}: .sync.aligned is missing", d.spelling());
  return sync && aligned;
}

uint32_t appendTensorAddress(Decoder &d, const Operand &o) {
  if (o.kind == Operand::Kind::Address && o.index == Operand::noIndex) {
    d.failAt(o.location, fmt::format("{}: an address in tensor memory must be [register + offset]",
                                     d.spelling()));
    return 0;
  }
  Decoder::Address address = d.address(o, StateSpace::Generic);
  if (!d.failed() && address.wide)
    d.failAt(o.location,
             fmt::format("{}: an address in tensor memory has 32 bits, and this register 64",
                         d.spelling()));
  return d.list({address.base, static_cast<uint32_t>(address.offset)});
}

uint32_t tensorAddressBits(const Warp &w, uint32_t index, int lane) {
  const uint32_t *words = &w.program->lists[index];
  return w.cells<uint32_t>(words[0])[lane] + words[1];
}

TensorAddress tensorAddressAt(const Warp &w, uint32_t index, int lane) {
  return TensorAddress::unpack(tensorAddressBits(w, index, lane));
}

Flow checkTensorAddress(Warp &w, const Op &op, uint32_t index, uint32_t mask, const char *what) {
  return w.checkTaint(w.taintOf(w.program->lists[index]) & mask, what, op);
}

Flow wholeWarp(Warp &w, uint32_t mask) {
  if (!w.cta->checks(Check::X1))
    return Flow::Next;
  if (w.alive != fullMask)
    return w.trap(Check::X1, std::countr_zero(mask),
                  fmt::format("threads 0x{:08x} of the warp have exited (or never existed); this "
                              "instruction needs all 32",
                              ~w.alive));
  if (mask != w.alive) {
    w.need = w.alive;
    return Flow::Converge;
  }
  return Flow::Next;
}

Flow checkUniform(Warp &w, Ref ref, const char *what) {
  const uint32_t *cells = w.cells<uint32_t>(ref);
  for (int lane = 1; lane < 32; ++lane)
    if (cells[lane] != cells[0])
      return w.trap(Check::X1, lane,
                    fmt::format("{} is 0x{:x} here and 0x{:x} in lane 0; all threads of the warp "
                                "must give the same",
                                what, cells[lane], cells[0]));
  return Flow::Next;
}

Flow checkOneThread(Warp &w, uint32_t mask, bool same) {
  if (!same || std::popcount(mask) < 2)
    return Flow::Next;
  return w.trap(
      Check::T12, std::countr_zero(mask),
      fmt::format("{} threads of the warp (0x{:08x}) issue this, each an operation of its "
                  "own, with the same operands; needed: one thread (elect.sync)",
                  std::popcount(mask), mask));
}

unsigned ctasOfGroup(const Origin &origin, unsigned group, Cta *(&ctas)[2]) {
  ctas[0] = &origin.cta();
  ctas[1] = nullptr;
  if (group == 1)
    return 1;
  ctas[1] = peerOf(origin.cta());
  const char *wrong = nullptr;
  if (!ctas[1])
    wrong = "there is no peer CTA: .cta_group::2 needs clusters of an even number of CTAs";
  else if (ctas[1]->isDone())
    wrong = "the peer CTA has ended; both CTAs of a pair have to stay until the operations on "
            "either are complete (a barrier.cluster before the end)";
  if (!wrong)
    return 2;
  origin.trapAlways("T8", wrong);
  return 0;
}

} // namespace msa::ptxsim

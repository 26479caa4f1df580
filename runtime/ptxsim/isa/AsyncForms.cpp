#include "ptxsim/isa/AsyncForms.h"

#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/MemoryForms.h"

namespace msa::ptxsim {

namespace {

/// Words of an address: base register, offset, and this.
enum AddressForm : uint32_t { wideForm = 1, sharedForm = 2 };

} // namespace

uint32_t appendAddress(Decoder &d, const Operand &o, StateSpace space) {
  // As ptxas does: the name of a shared variable says the space.
  if (space == StateSpace::Generic && o.kind == Operand::Kind::Address && !o.symbol.empty())
    if (const Variable *v = d.program().findVariable(o.symbol); v && v->space == StateSpace::Shared)
      space = StateSpace::Shared;
  Decoder::Address address = d.address(o, space);
  bool shared = space == StateSpace::Shared || space == StateSpace::SharedCluster;
  // A variable of the module by name: its window is far away, so its address is a constant.
  if (address.variable && !shared) {
    address.base = d.constant(static_cast<uint64_t>(address.offset), 64);
    address.wide = true;
    address.offset = 0;
  }
  if (address.offset < INT32_MIN || address.offset > INT32_MAX)
    d.failAt(o.location, fmt::format("{}: this offset is too large", d.spelling()));
  if (!address.wide && !shared)
    d.failAt(o.location, fmt::format("{}: this address must be a 64-bit register", d.spelling()));
  return d.list({address.base, static_cast<uint32_t>(static_cast<int32_t>(address.offset)),
                 (address.wide ? wideForm : 0u) | (shared ? sharedForm : 0u)});
}

uint64_t addressAt(const Warp &w, uint32_t index, int lane) {
  const uint32_t *words = &w.program->lists[index];
  auto offset = static_cast<int64_t>(static_cast<int32_t>(words[1]));
  uint64_t window = words[2] & sharedForm ? sharedWindow : 0;
  if (words[2] & wideForm)
    return w.cells<uint64_t>(words[0])[lane] + static_cast<uint64_t>(offset) + window;
  return uint64_t{w.cells<uint32_t>(words[0])[lane] + static_cast<uint32_t>(offset)} + window;
}

uint32_t addressTaint(const Warp &w, uint32_t index) { return w.taintOf(w.program->lists[index]); }

Flow checkAddress(Warp &w, const Op &op, uint32_t index, uint32_t mask, const char *what) {
  return w.checkTaint(addressTaint(w, index) & mask, what, op);
}

int takeSharedSpace(Decoder &d) {
  if (d.take("shared::cluster"))
    return 2;
  return d.takeOneOf({"shared::cta", "shared"}) >= 0 ? 1 : 0;
}

bool takeSemantics(Decoder &d, const char *strong, bool &relaxed) {
  relaxed = d.take("relaxed");
  bool semantics = relaxed || (strong && d.take(strong));
  bool scope = d.takeOneOf({"cta", "cluster"}) >= 0;
  if (semantics != scope)
    return !d.fail("{}: {} and a scope (.cta, .cluster) come together", d.spelling(),
                   strong ? fmt::format(".{} or .relaxed", strong) : ".relaxed");
  return true;
}

Ref sourceOf(Decoder &d, const Operand &o, const char *type) {
  return d.source(o, *dataTypeFromWord(type));
}

Flow resolveMbarrier(const Origin &origin, uint64_t address, bool remote, Cta *&owner,
                     uint32_t &offset) {
  return resolveShared(origin, address, remote, "the mbarrier", owner, offset);
}

} // namespace msa::ptxsim

//===- MemoryForms.cpp - spaces, semantics, cache hints, vectors --------------------===//
#include "ptxsim/isa/MemoryForms.h"

#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/ProgramBuilder.h"

namespace msa::ptxsim {

StateSpace takeStateSpace(Decoder &d) {
  int which = d.takeOneOf({"global", "shared", "shared::cta", "shared::cluster", "local", "const",
                           "param", "param::entry", "param::func"});
  constexpr StateSpace spaces[] = {
      StateSpace::Global,        StateSpace::Shared, StateSpace::Shared,
      StateSpace::SharedCluster, StateSpace::Local,  StateSpace::Const,
      StateSpace::Param,         StateSpace::Param,  StateSpace::Param};
  return which < 0 ? StateSpace::Generic : spaces[which];
}

int takeScope(Decoder &d) { return d.takeOneOf({"cta", "cluster", "gpu", "sys"}); }

OpClass classOf(StateSpace space) {
  switch (space) {
  case StateSpace::Shared:
  case StateSpace::SharedCluster:
    return OpClass::Shared;
  case StateSpace::Local:
    return OpClass::Local;
  case StateSpace::Const:
  case StateSpace::Param:
    return OpClass::Constant;
  default:
    return OpClass::Global;
  }
}

namespace {

/// Hints that steer caches only.
void takeCacheHints(Decoder &d, bool load) {
  if (load) {
    d.takeOneOf({"ca", "cg", "cs", "lu", "cv"});
    d.takeOneOf({"L2::64B", "L2::128B", "L2::256B"});
  } else {
    d.takeOneOf({"wb", "cg", "cs", "wt"});
  }
  d.takeOneOf({"L1::evict_normal", "L1::evict_unchanged", "L1::evict_first", "L1::evict_last",
               "L1::no_allocate"});
  d.takeOneOf({"L2::evict_normal", "L2::evict_first", "L2::evict_last"});
}

} // namespace

MemoryForm takeMemoryForm(Decoder &d, bool load) {
  using Semantics = MemoryForm::Semantics;
  MemoryForm form;
  if (d.take("mmio"))
    form.semantics = Semantics::Mmio;
  constexpr Semantics semantics[] = {Semantics::Weak, Semantics::Volatile, Semantics::Relaxed};
  if (int which = d.takeOneOf({"weak", "volatile", "relaxed"}); which >= 0) {
    if (form.semantics != Semantics::Mmio)
      form.semantics = semantics[which];
  } else if (load && d.take("acquire")) {
    form.semantics = Semantics::Acquire;
  } else if (!load && d.take("release")) {
    form.semantics = Semantics::Release;
  }
  form.scope = takeScope(d);
  form.space = takeStateSpace(d);
  if (load && d.take("nc"))
    form.nonCoherent = true;
  takeCacheHints(d, load);
  form.cachePolicy = d.take("L2::cache_hint");
  if (int which = d.takeOneOf({"v2", "v4", "v8"}); which >= 0)
    form.vector = 2u << which;
  if (form.vector == 8)
    d.require(88, 100, ".v8");
  bool scoped = form.semantics == Semantics::Relaxed || form.semantics == Semantics::Acquire ||
                form.semantics == Semantics::Release || form.semantics == Semantics::Mmio;
  if (scoped && form.scope < 0)
    d.fail("{}: the scope (.cta, .cluster, .gpu, .sys) is missing", d.spelling());
  if (!scoped && form.scope >= 0)
    d.fail("{}: a scope goes with .relaxed, .acquire, .release and .mmio", d.spelling());
  if (form.nonCoherent && form.space != StateSpace::Global)
    d.fail("{}: .nc goes with .global", d.spelling());
  return form;
}

void setAddress(Decoder &d, const Operand &o, StateSpace space, uint8_t flags) {
  Decoder::Address address = d.address(o, space);
  // A call's parameters are the thread's own; they lie in local memory.
  if (space == StateSpace::Param) {
    bool ofEntry = !address.variable || d.program().function->entry;
    if (address.variable && ofEntry) {
      ofEntry = false;
      for (const Variable &v : d.program().function->parameters)
        ofEntry = ofEntry || &v == address.variable;
    }
    if (!ofEntry)
      space = StateSpace::Local;
  }
  d.op.a = address.base;
  d.op.immediate = address.offset;
  d.op.mode = static_cast<uint8_t>(space);
  d.op.mode2 = static_cast<uint8_t>(flags | (address.wide ? wideBase : 0));
}

} // namespace msa::ptxsim

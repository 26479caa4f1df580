//===- Control.cpp - PTX ISA 9.7.12 and 9.7.19 -------------------------------------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

#include <algorithm>
#include <cstring>

namespace msa::ptxsim {

namespace {

void setControl(Decoder &d, Handler handler, ControlKind kind) {
  d.set(handler, OpClass::Control);
  d.op.mode2 = static_cast<uint8_t>(kind);
}

Flow nothing(Warp &, const Op &, uint32_t) { return Flow::Next; }

} // namespace

bool decodeBra(Decoder &d) {
  d.take("uni");
  if (!d.expectOperands(1))
    return true;
  if (d.operand(0).kind != Operand::Kind::Label)
    return d.fail("{}: the target must be a label", d.spelling());
  d.op.target = d.operand(0).index;
  setControl(d, [](Warp &, const Op &, uint32_t) { return Flow::Branch; }, ControlKind::Branch);
  return true;
}

namespace {
Flow branchIndexed(Warp &w, const Op &op, uint32_t mask) {
  if (w.checkTaint(w.taintOf(op.a) & mask, "the index of this branch", op) == Flow::Trap)
    return Flow::Trap;
  const uint32_t *index = w.cells<uint32_t>(op.a);
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    int lane = std::countr_zero(left);
    if (index[lane] >= op.count)
      return w.trapAlways(
          "X9", lane,
          fmt::format("the index {} is outside of the {} branch targets", index[lane], op.count));
    w.targets[lane] = w.program->lists[op.target + index[lane]];
  }
  return Flow::Indexed;
}
} // namespace

bool decodeBrx(Decoder &d) {
  if (!d.take("idx"))
    return d.fail("{}: accepted: brx.idx", d.spelling());
  d.take("uni");
  if (!d.expectOperands(2))
    return true;
  d.op.a = d.source(0, *dataTypeFromWord("u32"));
  const auto &lists = d.program().function->branchTargets;
  if (d.operand(1).kind != Operand::Kind::Label || d.operand(1).index >= lists.size())
    return d.fail("{}: the second operand must name a list of .branchtargets", d.spelling());
  const std::vector<uint32_t> &targets = lists[d.operand(1).index];
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  for (uint32_t target : targets)
    d.appendList(target);
  d.op.count = static_cast<uint16_t>(std::min<size_t>(targets.size(), 0xFFFF));
  setControl(d, &branchIndexed, ControlKind::Indexed);
  return true;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

namespace {

/// Copies a parameter from one place in each lane's local memory to another.
Flow copyParameter(Warp &w, const Op &op, uint32_t mask) {
  const Region &local = w.localRegion;
  forLanes(mask, [&](int lane) {
    size_t base = local.laneStride * static_cast<unsigned>(lane);
    std::memmove(local.host + base + op.b, local.host + base + op.a, op.c);
    if (local.shadow)
      std::memmove(local.shadow + base + op.b, local.shadow + base + op.a, op.c);
  });
  return Flow::Next;
}

/// An op that copies actual to formal parameter or formal to actual result.
bool makeCopy(Decoder &d, const Operand &actual, const Variable &formal, bool in, Op &copy) {
  const Variable *variable =
      actual.kind == Operand::Kind::Symbol ? d.program().findVariable(actual.symbol) : nullptr;
  if (!variable || variable->space != StateSpace::Param || formal.space != StateSpace::Param)
    return !d.failAt(
        actual.location,
        fmt::format("{}: arguments and results of calls must be .param variables", d.spelling()));
  if (variable->bytes != formal.bytes)
    return !d.failAt(actual.location,
                     fmt::format("{}: '{}' has {} bytes, the function's '{}' has {}", d.spelling(),
                                 variable->name, variable->bytes, formal.name, formal.bytes));
  copy.run = copyParameter;
  copy.opClass = OpClass::Local;
  auto outside = static_cast<uint32_t>(d.program().offsetOf(*variable)),
       inside = static_cast<uint32_t>(d.program().offsetOf(formal));
  copy.a = in ? outside : inside;
  copy.b = in ? inside : outside;
  copy.c = static_cast<uint32_t>(formal.bytes);
  copy.guard = d.op.guard;
  copy.guardFlip = d.op.guardFlip;
  return true;
}

/// Functions of the device runtime that this simulator stops at instead of running.
struct RuntimeCall {
  std::string_view name;
  const char *message;
};
constexpr RuntimeCall runtimeCalls[] = {
    {"__assertfail", "an assert() of the kernel failed"},
    {"vprintf", "printf is not available in the simulator"},
    {"malloc", "device-side malloc is not available in the simulator"},
    {"free", "device-side free is not available in the simulator"},
};

Flow runtimeCall(Warp &w, const Op &op, uint32_t mask) {
  const RuntimeCall &call = runtimeCalls[op.mode];
  return w.trapAlways(op.mode == 0 ? "trap" : "X9", std::countr_zero(mask),
                      fmt::format("call of {}: {}", call.name, call.message));
}

} // namespace

bool decodeCall(Decoder &d) {
  d.take("uni");
  if (!d.expectOperands(3))
    return true;
  const Operand &target = d.operand(0);
  if (target.kind != Operand::Kind::Symbol)
    return d.fail("{}: indirect calls are not supported by the simulator", d.spelling());
  for (uint8_t i = 0; i < std::size(runtimeCalls); ++i)
    if (runtimeCalls[i].name == target.symbol) {
      d.op.mode = i;
      setControl(d, &runtimeCall, ControlKind::None);
      return true;
    }
  const Function *callee = d.program().reachable(target.symbol);
  if (!callee)
    return d.fail("{}: the function '{}' has no body in this module", d.spelling(), target.symbol);
  if (callee->entry)
    return d.fail("{}: '{}' is a kernel, not a function", d.spelling(), target.symbol);
  const Operand &results = d.operand(1), &arguments = d.operand(2);
  if (results.children.size() != callee->results.size() ||
      arguments.children.size() != callee->parameters.size())
    return d.fail("{}: '{}' takes {} arguments and gives {} results", d.spelling(), callee->name,
                  callee->parameters.size(), callee->results.size());
  for (size_t i = 0; i < arguments.children.size(); ++i) {
    Op copy;
    if (!makeCopy(d, arguments.children[i], callee->parameters[i], true, copy))
      return true;
    d.program().emitBefore(copy);
  }
  for (size_t i = 0; i < results.children.size(); ++i) {
    if (results.children[i].kind == Operand::Kind::Sink)
      continue;
    Op copy;
    if (!makeCopy(d, results.children[i], callee->results[i], false, copy))
      return true;
    d.program().emitAfter(copy);
  }
  d.op.target = d.program().functionIndex(callee->name);
  setControl(d, [](Warp &, const Op &, uint32_t) { return Flow::Call; }, ControlKind::Call);
  return true;
}

bool decodeRet(Decoder &d) {
  d.take("uni");
  if (!d.expectOperands(0))
    return true;
  setControl(d, [](Warp &, const Op &, uint32_t) { return Flow::Return; }, ControlKind::Return);
  return true;
}

bool decodeExit(Decoder &d) {
  if (!d.expectOperands(0))
    return true;
  setControl(d, [](Warp &, const Op &, uint32_t) { return Flow::Exit; }, ControlKind::Exit);
  return true;
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

bool decodeTrapping(Decoder &d) {
  if (!d.expectOperands(0))
    return true;
  setControl(
      d,
      [](Warp &w, const Op &, uint32_t mask) {
        return w.trapAlways("trap", std::countr_zero(mask), "the kernel stopped itself");
      },
      ControlKind::None);
  return true;
}

bool decodeNanosleep(Decoder &d) {
  if (!d.take("u32") || !d.expectOperands(1))
    return d.failed() || d.fail("{}: accepted: nanosleep.u32", d.spelling());
  d.source(0, *dataTypeFromWord("u32"));
  d.set([](Warp &, const Op &, uint32_t) { return Flow::Yield; }, OpClass::Control);
  return true;
}

bool decodeIgnored(Decoder &d) {
  d.take("mask");
  d.expectOperands(1);
  d.set(&nothing, OpClass::Special);
  return true;
}

bool decodeGriddepcontrol(Decoder &d) {
  // Grids run one after the other: the grid before this one is complete.
  if (d.takeOneOf({"wait", "launch_dependents"}) < 0)
    return d.fail("{}: accepted: griddepcontrol.wait and .launch_dependents", d.spelling());
  d.expectOperands(0);
  d.set(&nothing, OpClass::Special);
  return true;
}

bool decodeSetmaxnreg(Decoder &d) {
  int which = d.takeOneOf({"inc", "dec"});
  bool aligned = d.take("sync") && d.take("aligned");
  if (which < 0 || !aligned || !d.take("u32") || !d.expectOperands(1))
    return d.failed() ||
           d.fail("{}: accepted: setmaxnreg.inc and .dec .sync.aligned.u32", d.spelling());
  if (uint64_t count = d.immediate(d.operand(0), 24, 256); count % 8 != 0)
    d.fail("{}: {} is not a multiple of 8", d.spelling(), count);
  d.set(&nothing, OpClass::Special);
  return true;
}

} // namespace msa::ptxsim

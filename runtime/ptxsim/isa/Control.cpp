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

} // namespace msa::ptxsim

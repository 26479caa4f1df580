//===- Calls.cpp - PTX ISA 9.7.12.5: call ----------------------------------------------------===//
//
// Arguments and results are copied by ops in front of and behind the call. A `.param` variable
// is a place in the thread's local memory, a `.reg` parameter a register of the
// callee; functions share one register file, so nothing is saved or restored.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

#include <cstring>

namespace msa::ptxsim {

namespace {

/// Copies op.c bytes from op.a to op.b in each lane's local memory.
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

/// Register op.a (op.count bytes) to local memory at op.b, and back (op.b to register op.dst).
template <class Cell> Flow registerToParameter(Warp &w, const Op &op, uint32_t mask) {
  const Region &local = w.localRegion;
  forLanes(mask, [&](int lane) {
    size_t at = local.laneStride * static_cast<unsigned>(lane) + op.b;
    std::memcpy(local.host + at, &w.cells<Cell>(op.a)[lane], op.count);
    if (local.shadow)
      std::memset(local.shadow + at, (w.taintOf(op.a) >> lane) & 1 ? 0 : 1, op.count);
  });
  return Flow::Next;
}
template <class Cell> Flow parameterToRegister(Warp &w, const Op &op, uint32_t mask) {
  const Region &local = w.localRegion;
  uint32_t tainted = 0;
  forLanes(mask, [&](int lane) {
    size_t at = local.laneStride * static_cast<unsigned>(lane) + op.b;
    Cell value = 0;
    std::memcpy(&value, local.host + at, op.count);
    w.cells<Cell>(op.dst)[lane] = value;
    for (unsigned i = 0; local.shadow && i < op.count; ++i)
      tainted |= local.shadow[at + i] ? 0 : 1u << lane;
  });
  w.setTaint(op.dst, mask, tainted);
  return Flow::Next;
}

/// A parameter or result on either side of a call: a place in local memory or a register.
struct Place {
  bool inRegister = false;
  uint32_t at = 0; ///< offset, or Ref
  uint64_t bytes = 0;
};

/// What the callee declares.
bool placeOfFormal(Decoder &d, uint32_t function, const Variable &formal, Place &place) {
  place.inRegister = formal.space == StateSpace::Reg;
  place.bytes = formal.bytes ? formal.bytes : sizeOf(formal.type);
  if (!place.inRegister) {
    place.at = static_cast<uint32_t>(d.program().offsetOf(formal));
    return true;
  }
  auto ref = d.program().registerOf(function, formal.name);
  if (!ref || formal.type == Type::Pred || place.bytes > 8)
    return !d.fail("{}: a register parameter must have 8 to 64 bits", d.spelling());
  place.at = *ref;
  return true;
}

/// What the caller writes for a formal of `type`.
bool placeOfActual(Decoder &d, const Operand &actual, const Place &formal, Type type, bool result,
                   Place &place) {
  if (actual.kind == Operand::Kind::Symbol) {
    const Variable *variable = d.program().findVariable(actual.symbol);
    if (variable && variable->space == StateSpace::Param) {
      place.at = static_cast<uint32_t>(d.program().offsetOf(*variable));
      place.bytes = variable->bytes;
      if (place.bytes != formal.bytes)
        return !d.failAt(actual.location,
                         fmt::format("{}: '{}' has {} bytes, the function's parameter has {}",
                                     d.spelling(), variable->name, variable->bytes, formal.bytes));
      return true;
    }
  }
  auto dataType = dataTypeFromWord(toString(type));
  if (!dataType || dataType->kind == DataType::Kind::Predicate || dataType->bits > 64 ||
      formal.bytes != dataType->bits / 8)
    return !d.failAt(actual.location,
                     fmt::format("{}: this argument must be a .param variable", d.spelling()));
  place.inRegister = true;
  place.bytes = formal.bytes;
  place.at = result ? d.destination(actual, *dataType) : d.source(actual, *dataType);
  return !d.failed();
}

Op copyBetween(Decoder &d, const Place &from, const Place &to) {
  Op op;
  op.opClass = OpClass::Local;
  op.guard = d.op.guard;
  op.guardFlip = d.op.guardFlip;
  bool wide = from.bytes > 4;
  op.count = static_cast<uint16_t>(from.bytes);
  op.a = from.at;
  op.dst = to.at;
  if (from.inRegister && to.inRegister) {
    op.run = wide ? mapped<[](uint64_t x) { return x; }>() : mapped<[](uint32_t x) { return x; }>();
  } else if (from.inRegister) {
    op.b = to.at;
    op.run = wide ? &registerToParameter<uint64_t> : &registerToParameter<uint32_t>;
  } else if (to.inRegister) {
    op.b = from.at;
    op.run = wide ? &parameterToRegister<uint64_t> : &parameterToRegister<uint32_t>;
  } else {
    op.b = to.at;
    op.c = static_cast<uint32_t>(from.bytes);
    op.run = &copyParameter;
  }
  return op;
}

/// Functions of the device runtime that the simulator stops at instead of running.
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

void copyArguments(Decoder &d, uint32_t index, const Function &callee) {
  const Operand &results = d.operand(1), &arguments = d.operand(2);
  for (size_t i = 0; i < arguments.children.size(); ++i) {
    Place formal, actual;
    const Variable &parameter = callee.parameters[i];
    if (!placeOfFormal(d, index, parameter, formal) ||
        !placeOfActual(d, arguments.children[i], formal, parameter.type, false, actual))
      return;
    d.program().emitBefore(copyBetween(d, actual, formal));
  }
  for (size_t i = 0; i < results.children.size(); ++i) {
    if (results.children[i].kind == Operand::Kind::Sink)
      continue;
    Place formal, actual;
    const Variable &result = callee.results[i];
    if (!placeOfFormal(d, index, result, formal) ||
        !placeOfActual(d, results.children[i], formal, result.type, true, actual))
      return;
    d.program().emitAfter(copyBetween(d, formal, actual));
  }
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
      d.set(&runtimeCall, OpClass::Control);
      return true;
    }
  const Function *callee = d.program().reachable(target.symbol);
  if (!callee)
    return d.fail("{}: the function '{}' has no body in this module", d.spelling(), target.symbol);
  if (callee->entry)
    return d.fail("{}: '{}' is a kernel, not a function", d.spelling(), target.symbol);
  if (d.operand(1).children.size() != callee->results.size() ||
      d.operand(2).children.size() != callee->parameters.size())
    return d.fail("{}: '{}' takes {} arguments and gives {} results", d.spelling(), callee->name,
                  callee->parameters.size(), callee->results.size());
  d.op.target = d.program().functionIndex(callee->name);
  copyArguments(d, d.op.target, *callee);
  d.set([](Warp &, const Op &, uint32_t) { return Flow::Call; }, OpClass::Control);
  d.op.mode2 = static_cast<uint8_t>(ControlKind::Call);
  return true;
}

} // namespace msa::ptxsim

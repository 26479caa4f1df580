//===- StoreBulk.cpp - PTX ISA 9.7.9.13: st.bulk
//------------------------------------------------===//
//
// Zeroes a range of the CTA's shared memory. Despite its name it is no asynchronous
// operation: a plain store through the generic proxy, as long as one likes.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/MemoryForms.h"

#include <bit>
#include <cstring>

namespace msa::ptxsim {

namespace {

constexpr uint64_t mostBytes = 16777216;

/// Op::b: the size, of 64 bits.
Flow storeBulk(Warp &w, const Op &op, uint32_t mask) {
  if (w.checkTaint(w.taintOf(op.b) & mask, "the size", op) == Flow::Trap)
    return Flow::Trap;
  const uint64_t *sizes = w.cells<uint64_t>(op.b);
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    int lane = std::countr_zero(left);
    if (sizes[lane] % 8 != 0 || sizes[lane] > mostBytes)
      return w.trapAlways(
          "X5", lane,
          fmt::format("a size of {}; accepted: multiples of 8 up to {}", sizes[lane], mostBytes));
    if (sizes[lane] == 0)
      continue;
    auto bytes = static_cast<uint32_t>(sizes[lane]);
    uint32_t skipped = 0;
    Flow flow =
        access(w, op, 1u << lane, bytes, 8, AccessKind::Write, skipped,
               [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
                 if (region.space != StateSpace::Shared)
                   return w.trapAlways("X5", lane, "the address is not in the CTA's shared memory");
                 markWritten(region, offsets, lanes, bytes, 0);
                 std::memset(hostOf(region, offsets, lane), 0, bytes);
                 return Flow::Next;
               });
    if (flow != Flow::Next)
      return flow;
  }
  return Flow::Next;
}

} // namespace

bool decodeStoreBulk(Decoder &d) {
  d.take("bulk");
  d.take("weak");
  StateSpace space = d.take("shared::cta") ? StateSpace::Shared : StateSpace::Generic;
  if (!d.expectOperands(3))
    return true;
  setAddress(d, d.operand(0), space, 0);
  // 32-bit sizes are new in PTX 9.0; cells of both widths are read as 64 bits.
  const Operand &size = d.operand(1);
  if (d.registerBits(size) == 32)
    return d.fail("{}: the size must be a 64-bit register or a constant", d.spelling());
  d.op.b = d.source(size, *dataTypeFromWord("u64"));
  d.immediate(d.operand(2), 0, 0);
  if (d.isImmediate(size) && (size.bits % 8 != 0 || size.bits > mostBytes))
    return d.fail("{}: a size of {}; accepted: multiples of 8 up to {}", d.spelling(), size.bits,
                  mostBytes);
  d.program().sawAccess(space, 8);
  d.set(&storeBulk, OpClass::Shared);
  return true;
}

} // namespace msa::ptxsim

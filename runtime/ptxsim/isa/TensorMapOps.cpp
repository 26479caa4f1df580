//===- TensorMapOps.cpp - PTX ISA 9.7.9.28: tensormap.replace, cp_fenceproxy; 9.7.13.4: its fences
//------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/AsyncForms.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/MemoryForms.h"
#include "ptxsim/isa/TensorProxy.h"

#include <bit>
#include <cstring>

namespace msa::ptxsim {

//===----------------------------------------------------------------------===//
// Using a map
//===----------------------------------------------------------------------===//

Flow loadTensorMap(const Origin &origin, uint64_t address, TensorMap &map) {
  Warp &w = *origin.warp;
  Region region;
  bool found = locate(w, address, 128, region) && region.space != StateSpace::Shared &&
               region.space != StateSpace::Local;
  if (!found)
    return origin.trapAlways("M1",
                             fmt::format("the tensor map is at 0x{:x}, which is not 128 bytes "
                                         "of parameter, constant or global memory",
                                         address));
  if (address % 64 != 0)
    return origin.trapAlways(
        "M1", fmt::format("the tensor map is at 0x{:x}; it must be aligned to 64 bytes", address));
  if (region.allocation)
    region.allocation->touch(address - region.start, 128);
  const uint8_t *bytes = region.host + (address - region.start);
  if (Status status = openTensorMap(bytes, map); !status.ok())
    return origin.trapAlways(
        status.code() == StatusCode::Missing ? "X9" : "M1",
        fmt::format("the tensor map at 0x{:x}: {}", address, status.message()));
  if (!region.allocation)
    return Flow::Next;
  TensorProxy::Record &record = origin.cta().state<TensorProxy>().maps[address];
  bool changed = record.hasBytes && std::memcmp(record.bytes.data(), bytes, 128) != 0;
  if (record.modified || record.mustAcquire || changed) {
    const char *missing = record.modified
                              ? "the writer has to release it "
                                "(fence.proxy.tensormap::generic.release) before"
                              : "fence.proxy.tensormap::generic.acquire of its 128 bytes has to "
                                "come before";
    if (origin.trap(Check::P4,
                    fmt::format("uses the tensor map at offset {} of buffer '{}', which "
                                "was modified{}; {}",
                                address - region.start, region.allocation->label,
                                record.pc
                                    ? fmt::format(" at line {}",
                                                  w.program->instruction(record.pc).location.line)
                                    : std::string(),
                                missing)) == Flow::Trap)
      return Flow::Trap;
  }
  record.hasBytes = true;
  std::memcpy(record.bytes.data(), bytes, 128);
  return Flow::Next;
}

namespace {

//===----------------------------------------------------------------------===//
// tensormap.replace
//===----------------------------------------------------------------------===//

/// A plain access to the 128 bytes of a map in shared memory, as the hazard checks see it.
Flow observeMap(Warp &w, Cta &owner, uint32_t offset, bool writes, int lane) {
  if (owner.asyncShadow.used() &&
      plainAccessOfShared(w, owner, offset, 128, writes, lane) == Flow::Trap)
    return Flow::Trap;
  if (writes && owner.races.enabled())
    owner.races.write(owner.numberOf(w), w.pc, offset, 128, owner.sharedRegion.host,
                      w.cta->suspects);
  return Flow::Next;
}

/// Op::mode: space; Op::mode2: field; Op::count: ordinal; Op::psrc: the value has 64 bits.
Flow replace(Warp &w, const Op &op, uint32_t mask) {
  if (w.checkTaint((addressTaint(w, op.target) | w.taintOf(op.b)) & mask,
                   "an operand of this instruction", op) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    int lane = std::countr_zero(left);
    Origin origin = Origin::of(w, lane);
    uint64_t address = addressAt(w, op.target, lane);
    uint64_t value = op.psrc ? w.cells<uint64_t>(op.b)[lane] : w.cells<uint32_t>(op.b)[lane];
    Region region;
    if (!locate(w, address, 128, region) || address % 64 != 0 || !region.writable)
      return origin.trapAlways("M1",
                               fmt::format("0x{:x} is not 128 bytes of shared or global memory, "
                                           "aligned to 64",
                                           address));
    uint8_t *bytes = region.host + (address - region.start);
    if (region.allocation)
      region.allocation->touch(address - region.start, 128);
    if (region.space == StateSpace::Shared && region.start != w.cta->sharedRegion.start)
      return origin.trapAlways("M1", "the map lies in the shared memory of another CTA");
    if (region.space == StateSpace::Shared &&
        observeMap(w, *w.cta, static_cast<uint32_t>(address - region.start), true, lane) ==
            Flow::Trap)
      return Flow::Trap;
    if (Status status =
            replaceInTensorMap(bytes, static_cast<TensorMapField>(op.mode2), op.count, value);
        !status.ok())
      return origin.trapAlways("M1", status.message());
    if (settle(w, Flow::Next) == Flow::Trap)
      return Flow::Trap;
    if (region.shadow)
      std::memset(region.shadow + (address - region.start), 1, 128);
    if (region.allocation) {
      TensorProxy::Record &record = w.cta->state<TensorProxy>().maps[address];
      record.modified = true;
      record.pc = w.pc;
    }
  }
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Fences
//===----------------------------------------------------------------------===//

Flow release(Warp &w, const Op &, uint32_t) {
  for (auto &[address, record] : w.cta->state<TensorProxy>().maps)
    if (record.modified) {
      record.modified = false;
      record.mustAcquire = true;
    }
  return Flow::Next;
}

Flow acquire(Warp &w, const Op &op, uint32_t mask) {
  if (checkAddress(w, op, op.target, mask, "the address") == Flow::Trap)
    return Flow::Trap;
  forLanes(mask, [&](int lane) {
    auto &maps = w.cta->state<TensorProxy>().maps;
    if (auto found = maps.find(addressAt(w, op.target, lane)); found != maps.end()) {
      found->second.mustAcquire = false;
      // What the proxy holds is read anew.
      found->second.hasBytes = false;
    }
  });
  return Flow::Next;
}

/// tensormap.cp_fenceproxy: copies 128 bytes of shared memory to global memory and releases them.
Flow copyFence(Warp &w, const Op &op, uint32_t mask) {
  if (mask != w.alive && w.cta->checks(Check::X1)) {
    w.need = w.alive;
    return Flow::Converge;
  }
  if (w.checkTaint((addressTaint(w, op.target) | addressTaint(w, op.target + addressWords)) & mask,
                   "an address", op) == Flow::Trap)
    return Flow::Trap;
  // All lanes copy the same bytes.
  int lane = std::countr_zero(mask);
  Origin origin = Origin::of(w, lane);
  uint64_t to = addressAt(w, op.target, lane);
  GlobalPlace place;
  Cta *self = nullptr;
  uint32_t source = 0;
  if (resolveGlobal(origin, to, 128, Check::X5, "the destination", place) == Flow::Trap ||
      resolveShared(origin, addressAt(w, op.target + addressWords, lane), false, "the source", self,
                    source) == Flow::Trap ||
      checkSharedExtent(origin, *self, source, 128, Check::X5, "the source") == Flow::Trap)
    return Flow::Trap;
  if (observeMap(w, *self, source, false, lane) == Flow::Trap)
    return Flow::Trap;
  Payload bytes;
  bytes.resize(128);
  readShared(*self, source, 128, bytes);
  if (writeGlobal(origin, place, 128, bytes) == Flow::Trap)
    return Flow::Trap;
  TensorProxy::Record &record = w.cta->state<TensorProxy>().maps[to];
  record.modified = false;
  record.mustAcquire = true;
  record.pc = w.pc;
  return Flow::Next;
}

} // namespace

bool decodeTensormap(Decoder &d) {
  if (d.take("cp_fenceproxy")) {
    for (std::string_view word : {"global", "shared::cta", "tensormap::generic", "release"})
      if (!d.take(word))
        return d.fail("{}: .{} is missing", d.spelling(), word);
    if (takeScope(d) < 0)
      return d.fail("{}: the scope is missing", d.spelling());
    bool aligned = d.take("sync") && d.take("aligned");
    if (!aligned || !d.expectOperands(3))
      return d.failed() || d.fail("{}: .sync.aligned is missing", d.spelling());
    if (d.immediate(d.operand(2), 128, 128) != 128)
      return true;
    d.op.target = appendAddress(d, d.operand(0), StateSpace::Global);
    appendAddress(d, d.operand(1), StateSpace::Shared);
    d.set(&copyFence, OpClass::Copy);
    return true;
  }
  if (!d.take("replace") || !d.take("tile"))
    return d.fail("{}: accepted: tensormap.replace.tile and tensormap.cp_fenceproxy", d.spelling());
  int field = -1;
  for (unsigned i = 0; i < tensorMapFieldCount && field < 0; ++i)
    if (d.take(toString(static_cast<TensorMapField>(i))))
      field = static_cast<int>(i);
  bool shared = d.take("shared::cta"), global = d.take("global");
  bool size = d.take("b1024");
  int width = d.takeOneOf({"b32", "b64"});
  if (field < 0 || !size || width < 0 || (shared && global))
    return d.fail(
        "{}: accepted: tensormap.replace.tile.<field>{{.global, .shared::cta}}.b1024 with "
        ".b32 or .b64",
        d.spelling());
  auto which = static_cast<TensorMapField>(field);
  bool ordered = which >= TensorMapField::BoxDim && which <= TensorMapField::ElementStride;
  bool wide = which == TensorMapField::Address || which == TensorMapField::GlobalStride;
  if (wide != (width == 1))
    return d.fail("{}: .{} takes .{}", d.spelling(), toString(which), wide ? "b64" : "b32");
  if (!d.expectOperands(2u + ordered))
    return true;
  if (which >= TensorMapField::ElemType && !d.isImmediate(d.operand(1)))
    return d.fail("{}: the new value of .{} must be an immediate", d.spelling(), toString(which));
  d.op.mode2 = static_cast<uint8_t>(field);
  d.op.count = ordered ? static_cast<uint16_t>(d.immediate(d.operand(1), 0, 4)) : 0;
  d.op.psrc = width == 1;
  d.op.b = sourceOf(d, d.operand(1u + ordered), width == 1 ? "b64" : "b32");
  d.op.target = appendAddress(d, d.operand(0),
                              shared   ? StateSpace::Shared
                              : global ? StateSpace::Global
                                       : StateSpace::Generic);
  d.set(&replace, OpClass::Copy);
  return true;
}

/// fence.proxy.tensormap::generic.{release,acquire}; other fences are of isa/Barrier.cpp.
bool decodeTensormapFence(Decoder &d) {
  if (!d.has("tensormap::generic"))
    return false;
  d.take("proxy");
  d.take("tensormap::generic");
  int kind = d.takeOneOf({"release", "acquire"});
  if (kind < 0 || takeScope(d) < 0)
    return d.fail("{}: accepted: .release.scope, and .acquire.scope [addr], 128", d.spelling());
  if (!d.expectOperands(kind == 0 ? 0 : 2))
    return true;
  if (kind == 1) {
    d.immediate(d.operand(1), 128, 128);
    d.op.target = appendAddress(d, d.operand(0), StateSpace::Generic);
  }
  d.set(kind == 0 ? &release : &acquire, OpClass::Barrier);
  return true;
}

} // namespace msa::ptxsim

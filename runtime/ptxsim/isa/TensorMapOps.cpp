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
  if (!decodeTensorMap(bytes, map))
    return origin.trapAlways(
        "M1",
        fmt::format("the 128 bytes at 0x{:x} are no tensor map, or a torn copy of one", address));
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

enum class Field : uint8_t {
  Address,
  Rank,
  BoxDim,
  GlobalDim,
  GlobalStride,
  ElementStride,
  ElemType,
  Interleave,
  SwizzleMode,
  SwizzleAtomicity,
  FillMode
};
constexpr std::string_view fieldNames[] = {
    "global_address", "rank",     "box_dim",           "global_dim",   "global_stride",
    "element_stride", "elemtype", "interleave_layout", "swizzle_mode", "swizzle_atomicity",
    "fill_mode"};

/// The swizzle of a mode and an atomicity code.
bool combineSwizzle(unsigned mode, unsigned atomicity, Swizzle &result) {
  if (mode < 3 && atomicity == 0) {
    result = static_cast<Swizzle>(mode);
    return true;
  }
  constexpr Swizzle wide[] = {Swizzle::B128, Swizzle::B128Atom32, Swizzle::B128Atom32Flip8,
                              Swizzle::B128Atom64};
  if (mode != 3 || atomicity > 3)
    return false;
  result = wide[atomicity];
  return true;
}

unsigned modeOf(Swizzle s) { return s <= Swizzle::B128 ? static_cast<unsigned>(s) : 3; }
unsigned atomicityOf(Swizzle s) {
  return s <= Swizzle::B128 ? 0 : static_cast<unsigned>(s) - static_cast<unsigned>(Swizzle::B128);
}

bool replaceField(TensorMap &map, Field field, unsigned ordinal, uint64_t value) {
  if (field == Field::GlobalStride ? ordinal > 3 : ordinal > 4)
    return false;
  switch (field) {
  case Field::Address:
    map.address = value;
    return true;
  case Field::Rank:
    map.rank = static_cast<uint8_t>(value + 1);
    return value < 5;
  case Field::BoxDim:
    map.box[ordinal] = static_cast<uint32_t>(value);
    return value >= 1 && value <= 256;
  case Field::GlobalDim:
    map.dims[ordinal] = value;
    return value >= 1;
  case Field::GlobalStride:
    map.strides[ordinal] = value;
    return value % 16 == 0;
  case Field::ElementStride:
    map.elementStrides[ordinal] = static_cast<uint32_t>(value);
    return value >= 1 && value <= 8;
  case Field::ElemType:
    map.type = static_cast<TensorType>(value);
    return value < 16;
  case Field::Interleave:
    return value == 0;
  case Field::SwizzleMode:
    return combineSwizzle(static_cast<unsigned>(value), value == 3 ? atomicityOf(map.swizzle) : 0,
                          map.swizzle);
  case Field::SwizzleAtomicity:
    return combineSwizzle(modeOf(map.swizzle), static_cast<unsigned>(value), map.swizzle);
  case Field::FillMode:
    map.fillsNan = value == 1;
    return value < 2;
  }
  return false;
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
    TensorMap map;
    if (!decodeTensorMap(bytes, map))
      return origin.trapAlways("M1", "the 128 bytes are no tensor map, or a torn copy of one");
    auto field = static_cast<Field>(op.mode2);
    if (!replaceField(map, field, op.count, value))
      return origin.trapAlways("M1", fmt::format("{} cannot be {}", fieldNames[op.mode2], value));
    TensorMapBytes fresh = encodeTensorMap(map);
    std::memcpy(bytes, fresh.data(), fresh.size());
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
  if (w.checkTaint((addressTaint(w, op.target) | addressTaint(w, op.target + addressWords)) & mask,
                   "an address", op) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    int lane = std::countr_zero(left);
    Origin origin = Origin::of(w, lane);
    uint64_t to = addressAt(w, op.target, lane);
    GlobalPlace place;
    Cta *self = nullptr;
    uint32_t source = 0;
    if (resolveGlobal(origin, to, 128, Check::X5, "the destination", place) == Flow::Trap ||
        resolveShared(origin, addressAt(w, op.target + addressWords, lane), false, "the source",
                      self, source) == Flow::Trap ||
        checkSharedExtent(origin, *self, source, 128, Check::X5, "the source") == Flow::Trap)
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
    // All lanes copy the same bytes.
    if (op.mode)
      break;
  }
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
    d.op.mode = d.take("sync") && d.take("aligned");
    if (!d.op.mode || !d.expectOperands(3))
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
  for (unsigned i = 0; i < std::size(fieldNames) && field < 0; ++i)
    if (d.take(fieldNames[i]))
      field = static_cast<int>(i);
  bool shared = d.takeOneOf({"shared::cta", "shared"}) >= 0, global = d.take("global");
  bool size = d.take("b1024");
  int width = d.takeOneOf({"b32", "b64"});
  if (field < 0 || !size || width < 0 || (shared && global))
    return d.fail(
        "{}: accepted: tensormap.replace.tile.<field>{{.global, .shared::cta}}.b1024 with "
        ".b32 or .b64",
        d.spelling());
  auto which = static_cast<Field>(field);
  bool ordered = which == Field::BoxDim || which == Field::GlobalDim ||
                 which == Field::GlobalStride || which == Field::ElementStride;
  if (!d.expectOperands(2u + ordered))
    return true;
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

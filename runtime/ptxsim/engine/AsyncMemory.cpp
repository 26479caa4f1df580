//===- AsyncMemory.cpp - resolving, copying, reducing
//--------------------------------------------===//
#include "ptxsim/engine/AsyncMemory.h"

#include "ptxsim/engine/Cluster.h"
#include "ptxsim/numerics/HalfMath.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace msa::ptxsim {

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Flow resolveShared(const Origin &origin, uint64_t address, bool remote, const char *what,
                   Cta *&owner, uint32_t &offset) {
  Cluster &cluster = *origin.cta().cluster;
  uint64_t inWindow = address - sharedWindow;
  Cta *found = inWindow < windowBytes ? cluster.ctaOf(inWindow >> sharedRankShift) : nullptr;
  if (!found)
    return origin.trapAlways(
        "X5", fmt::format("{} is 0x{:x}, which is no address in the shared memory of the {}", what,
                          address, cluster.ctas.size() > 1 ? "cluster" : "CTA"));
  if (!remote && found != &origin.cta())
    return origin.trapAlways(
        "X5",
        fmt::format("{} lies in the shared memory of CTA {} of the cluster; this form reaches "
                    "the CTA's own ({})",
                    what, found->rank, origin.cta().rank));
  owner = found;
  offset = static_cast<uint32_t>(inWindow & ((1u << sharedRankShift) - 1));
  return Flow::Next;
}

Flow checkAlive(const Origin &origin, const Cta &owner) {
  if (&owner == &origin.cta() || !owner.isDone())
    return Flow::Next;
  return origin.trap(Check::B6, fmt::format("writes to the shared memory of CTA {} of the cluster, "
                                            "which has ended; a barrier.cluster before its end "
                                            "would keep it",
                                            owner.rank));
}

Flow checkSharedExtent(const Origin &origin, const Cta &owner, uint64_t offset, uint64_t bytes,
                       Check check, const char *what) {
  if (offset + bytes <= owner.sharedRegion.bytes)
    return Flow::Next;
  return origin.trapAlways(
      std::string(toString(check)).c_str(),
      fmt::format("{}: {} bytes at {} end at {}; the CTA has {} bytes of shared memory", what,
                  bytes, describeShared(owner, offset), offset + bytes, owner.sharedRegion.bytes));
}

Flow resolveGlobal(const Origin &origin, uint64_t address, uint64_t bytes, Check check,
                   const char *what, GlobalPlace &place) {
  const Launch &launch = *origin.cta().launch;
  Allocation *found = address >= bufferWindow ? launch.memory->find(address)
                      : launch.moduleVariables && address - moduleWindow < windowBytes
                          ? launch.moduleVariables
                          : nullptr;
  if (!found || !found->holds(address, bytes))
    return origin.trapAlways(std::string(toString(check)).c_str(),
                             fmt::format("{}: {} bytes at 0x{:x} are outside of every buffer; {}",
                                         what, bytes, address,
                                         launch.memory->describeNearest(address, bytes)));
  place = {found, address - found->start};
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

void readShared(const Cta &owner, uint32_t offset, uint32_t bytes, Payload &to, size_t at) {
  if (bytes == 0)
    return;
  std::memcpy(to.bytes.data() + at, owner.sharedRegion.host + offset, bytes);
  if (owner.sharedRegion.shadow)
    std::memcpy(to.initialised.data() + at, owner.sharedRegion.shadow + offset, bytes);
}

void writeShared(Cta &owner, uint32_t offset, uint32_t bytes, const Payload &from, size_t at) {
  if (bytes == 0)
    return;
  std::memcpy(owner.sharedRegion.host + offset, from.bytes.data() + at, bytes);
  if (owner.sharedRegion.shadow)
    std::memcpy(owner.sharedRegion.shadow + offset, from.initialised.data() + at, bytes);
}

namespace {

GlobalRaces::Watched *watchedOf(const GlobalPlace &place) {
  return static_cast<GlobalRaces::Watched *>(place.allocation->watched);
}

/// Writes with the buffer's race check around it.
template <class F>
void writeWatched(const Origin &origin, const GlobalPlace &place, uint32_t bytes, F write) {
  const Launch &launch = *origin.cta().launch;
  place.allocation->touch(place.offset, bytes);
  GlobalRaces::Watched *watched = watchedOf(place);
  uint64_t first = place.offset;
  uint32_t size = bytes;
  if (!watched || !launch.globalRaces || !launch.globalRaces->wholeGranules(first, size))
    return write();
  std::unique_lock<std::mutex> lock;
  if (launch.sharedBetweenThreads)
    lock = std::unique_lock(watched->writing);
  std::vector<GlobalRaces::Suspect> suspects;
  launch.globalRaces->write(*watched, first, size, origin.cta().linear,
                            origin.pc << 5 | origin.warp->index, suspects);
  write();
  launch.globalRaces->judge(suspects);
}

} // namespace

void readGlobal(const Origin &origin, const GlobalPlace &place, uint32_t bytes, Payload &to,
                size_t at) {
  if (bytes == 0)
    return;
  const Launch &launch = *origin.cta().launch;
  place.allocation->touch(place.offset, bytes);
  uint64_t first = place.offset;
  uint32_t size = bytes;
  if (GlobalRaces::Watched *watched = watchedOf(place);
      watched && launch.globalRaces && launch.globalRaces->wholeGranules(first, size))
    launch.globalRaces->read(*watched, first, size, origin.cta().linear);
  std::memcpy(to.bytes.data() + at, place.allocation->host + place.offset, bytes);
  if (place.allocation->shadow)
    std::memcpy(to.initialised.data() + at, place.allocation->shadow + place.offset, bytes);
}

static Flow checkInitialised(const Origin &origin, const Payload &from, size_t at, uint32_t bytes,
                             const GlobalPlace &place) {
  if (!origin.cta().checks(Check::X4))
    return Flow::Next;
  const uint8_t *first = from.initialised.data() + at;
  const void *bad = std::memchr(first, 0, bytes);
  if (!bad)
    return Flow::Next;
  auto index = static_cast<uint64_t>(static_cast<const uint8_t *>(bad) - first);
  return origin.trap(Check::X4,
                     fmt::format("copies uninitialised shared memory to offset {} of buffer '{}'",
                                 place.offset + index, place.allocation->label));
}

Flow writeGlobal(const Origin &origin, const GlobalPlace &place, uint32_t bytes,
                 const Payload &from, size_t at) {
  if (bytes == 0)
    return Flow::Next;
  if (checkInitialised(origin, from, at, bytes, place) == Flow::Trap)
    return Flow::Trap;
  writeWatched(origin, place, bytes, [&] {
    std::memcpy(place.allocation->host + place.offset, from.bytes.data() + at, bytes);
    if (place.allocation->shadow)
      std::memcpy(place.allocation->shadow + place.offset, from.initialised.data() + at, bytes);
  });
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

unsigned bytesOf(ReductionType type) {
  switch (type) {
  case ReductionType::F16:
  case ReductionType::BF16:
    return 2;
  case ReductionType::U64:
  case ReductionType::S64:
  case ReductionType::F64:
  case ReductionType::B64:
    return 8;
  default:
    return 4;
  }
}

bool isLegal(Reduction op, ReductionType type) {
  using T = ReductionType;
  switch (op) {
  case Reduction::Add:
    return type != T::B32 && type != T::B64 && type != T::S64;
  case Reduction::Min:
  case Reduction::Max:
    return type == T::U32 || type == T::S32 || type == T::U64 || type == T::S64 || type == T::F16 ||
           type == T::BF16;
  case Reduction::Inc:
  case Reduction::Dec:
    return type == T::U32;
  case Reduction::And:
  case Reduction::Or:
  case Reduction::Xor:
    return type == T::B32 || type == T::B64;
  }
  return false;
}

namespace {

template <class T> void reduceInteger(Reduction op, uint8_t *memory, const uint8_t *value) {
  using U = std::make_unsigned_t<T>;
  T old, b, fresh{};
  std::memcpy(&old, memory, sizeof(T));
  std::memcpy(&b, value, sizeof(T));
  switch (op) {
  case Reduction::Add:
    fresh = static_cast<T>(static_cast<U>(old) + static_cast<U>(b));
    break;
  case Reduction::Min:
    fresh = std::min(old, b);
    break;
  case Reduction::Max:
    fresh = std::max(old, b);
    break;
  case Reduction::Inc:
    fresh = old >= b ? T{0} : static_cast<T>(old + 1);
    break;
  case Reduction::Dec:
    fresh = old == 0 || old > b ? b : static_cast<T>(old - 1);
    break;
  case Reduction::And:
    fresh = static_cast<T>(old & b);
    break;
  case Reduction::Or:
    fresh = static_cast<T>(old | b);
    break;
  case Reduction::Xor:
    fresh = static_cast<T>(old ^ b);
    break;
  }
  std::memcpy(memory, &fresh, sizeof(T));
}

/// Additions of f32 flush subnormals (PTX ISA 9.7.9.25.4.2), those of f64 do not.
template <class T> void addFloat(uint8_t *memory, const uint8_t *value) {
  T a, b;
  std::memcpy(&a, memory, sizeof(T));
  std::memcpy(&b, value, sizeof(T));
  if constexpr (std::is_same_v<T, float>)
    a = numerics::canonical(numerics::flush(numerics::flush(a) + numerics::flush(b)));
  else
    a += b;
  std::memcpy(memory, &a, sizeof(T));
}

void reduceHalf(Reduction op, numerics::HalfKind kind, uint8_t *memory, const uint8_t *value) {
  uint16_t a, b;
  std::memcpy(&a, memory, 2);
  std::memcpy(&b, value, 2);
  a = op == Reduction::Add ? numerics::addHalf(kind, a, b)
                           : numerics::minMaxHalf(kind, op == Reduction::Max, a, b);
  std::memcpy(memory, &a, 2);
}

} // namespace

void reduceElement(Reduction op, ReductionType type, uint8_t *memory, const uint8_t *value) {
  switch (type) {
  case ReductionType::U32:
  case ReductionType::B32:
    return reduceInteger<uint32_t>(op, memory, value);
  case ReductionType::S32:
    return reduceInteger<int32_t>(op, memory, value);
  case ReductionType::U64:
  case ReductionType::B64:
    return reduceInteger<uint64_t>(op, memory, value);
  case ReductionType::S64:
    return reduceInteger<int64_t>(op, memory, value);
  case ReductionType::F32:
    return addFloat<float>(memory, value);
  case ReductionType::F64:
    return addFloat<double>(memory, value);
  case ReductionType::F16:
    return reduceHalf(op, numerics::HalfKind::F16, memory, value);
  case ReductionType::BF16:
    return reduceHalf(op, numerics::HalfKind::BF16, memory, value);
  }
}

Flow reduceGlobal(const Origin &origin, const GlobalPlace &place, uint32_t bytes,
                  const Payload &from, size_t at, Reduction op, ReductionType type) {
  if (bytes == 0)
    return Flow::Next;
  if (checkInitialised(origin, from, at, bytes, place) == Flow::Trap)
    return Flow::Trap;
  place.allocation->touch(place.offset, bytes);
  if (place.allocation->shadow && origin.cta().checks(Check::X4) &&
      std::memchr(place.allocation->shadow + place.offset, 0, bytes))
    return origin.trap(Check::X4,
                       fmt::format("reduces into uninitialised memory at offset {} of buffer '{}'",
                                   place.offset, place.allocation->label));
  for (uint32_t i = 0; i < bytes; i += bytesOf(type))
    reduceElement(op, type, place.allocation->host + place.offset + i, from.bytes.data() + at + i);
  return Flow::Next;
}

} // namespace msa::ptxsim

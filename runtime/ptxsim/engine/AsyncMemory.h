//===- AsyncMemory.h - memory as asynchronous operations see it
//--------------------------------===//
//
// Operations outlive the instruction that issued them, so they name memory by CTA and
// offset, or by allocation and offset, not by lanes. Bytes travel with a flag each:
// initialised or not.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Async.h"
#include "ptxsim/engine/Cta.h"

#include <cstdint>
#include <vector>

namespace msa::ptxsim {

/// Bytes on their way.
struct Payload {
  std::vector<uint8_t> bytes, initialised; ///< equally long; 1 = initialised
  void resize(size_t size) {
    bytes.assign(size, 0);
    initialised.assign(size, 1);
  }
  size_t size() const { return bytes.size(); }
};

/// A place in global memory.
struct GlobalPlace {
  Allocation *allocation = nullptr;
  uint64_t offset = 0;
};

/// The CTA and offset that an address in the shared window names; X5 if it is none, or (unless
/// `remote`) of another CTA. `what` begins the message: "the destination".
Flow resolveShared(const Origin &, uint64_t address, bool remote, const char *what, Cta *&owner,
                   uint32_t &offset);
/// An operation is about to write to the shared memory of `owner`: another CTA must not have ended
/// (B6).
Flow checkAlive(const Origin &, const Cta &owner);
/// `bytes` bytes of shared memory at `offset` are inside; else traps with `check`.
Flow checkSharedExtent(const Origin &, const Cta &owner, uint64_t offset, uint64_t bytes, Check,
                       const char *what);
/// The buffer that holds `bytes` bytes at `address`; else traps with `check`.
Flow resolveGlobal(const Origin &, uint64_t address, uint64_t bytes, Check, const char *what,
                   GlobalPlace &);

/// Copies out of memory; `at` says where in the payload.
void readShared(const Cta &owner, uint32_t offset, uint32_t bytes, Payload &, size_t at = 0);
void writeShared(Cta &owner, uint32_t offset, uint32_t bytes, const Payload &, size_t at = 0);
void readGlobal(const Origin &, const GlobalPlace &, uint32_t bytes, Payload &, size_t at = 0);
/// Uninitialised bytes are X4: they reach global memory. Watched buffers are checked for races.
Flow writeGlobal(const Origin &, const GlobalPlace &, uint32_t bytes, const Payload &,
                 size_t at = 0);

/// An arithmetic reduction of cp.reduce.async and red.async.
enum class Reduction : uint8_t { Add, Min, Max, Inc, Dec, And, Or, Xor };
enum class ReductionType : uint8_t { U32, S32, U64, S64, F16, BF16, F32, F64, B32, B64 };
unsigned bytesOf(ReductionType);
/// True if the ISA has this reduction of this type (9.7.9.25.5.2).
bool isLegal(Reduction, ReductionType);
/// memory = memory op value, for one element.
void reduceElement(Reduction, ReductionType, uint8_t *memory, const uint8_t *value);
/// Reduces `bytes` bytes of the payload into global memory, under the buffer's lock where other
/// CTAs may do the same.
Flow reduceGlobal(const Origin &, const GlobalPlace &, uint32_t bytes, const Payload &, size_t at,
                  Reduction, ReductionType);

} // namespace msa::ptxsim

//===- TensorMap.h - the simulator's own 128-byte tensor map
//--------------------------------------===//
//
// NVIDIA's encoding of a CUtensorMap is not public and not needed: whoever launches
// on the simulator encodes maps with this function, kernels treat them as opaque 128
// bytes. All is in the bytes, so a map survives copies, by-value parameters and
// tensormap.replace; a checksum tells a torn or foreign map apart (M1).
//
// Fields are those of cuTensorMapEncodeTiled and tensormap.replace (PTX ISA 9.7.9.28):
// dimensions innermost first, strides in bytes from dimension 1 on.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace msa::ptxsim {

/// Element types, numbered as tensormap.replace.elemtype does.
enum class TensorType : uint8_t {
  U8,
  U16,
  U32,
  S32,
  U64,
  S64,
  F16,
  F32,
  F32Ftz,
  F64,
  BF16,
  TF32,
  TF32Ftz,
  U4Align8,
  U4Align16,
  U6Align16
};
/// How a copy places 16-byte chunks in shared memory (PTX ISA 5.5.7). Values 0 to 3 are those of
/// tensormap.replace.swizzle_mode with 16-byte atoms.
enum class Swizzle : uint8_t { None, B32, B64, B128, B128Atom32, B128Atom32Flip8, B128Atom64 };

struct TensorMap {
  TensorType type = TensorType::U8;
  uint8_t rank = 1;
  Swizzle swizzle = Swizzle::None;
  bool fillsNan = false;
  uint64_t address = 0;
  std::array<uint64_t, 5> dims{1, 1, 1, 1, 1}; ///< elements
  std::array<uint64_t, 4> strides{};           ///< bytes, of dimensions 1 to 4
  std::array<uint32_t, 5> box{1, 1, 1, 1, 1};  ///< elements
  std::array<uint32_t, 5> elementStrides{1, 1, 1, 1, 1};
};

using TensorMapBytes = std::array<uint8_t, 128>;

/// Bits of an element in global memory: 4, 6, 8, ... 64.
unsigned bitsOf(TensorType);
/// The 4- and 6-bit types that take 16 bytes of shared memory for 16 elements.
bool isPadded(TensorType);
bool isFloating(TensorType);
/// Bytes of a row of the box in shared memory, padding included.
uint32_t innerBytes(const TensorMap &);
/// Elements of the box along a dimension: ceil(box / element stride).
uint32_t boxCount(const TensorMap &, unsigned dimension);
/// Bytes that the swizzle's pattern spans; 0 for none. The inner box may not be longer.
uint32_t spanOf(Swizzle);

/// Where the byte at linear address `a` of shared memory goes. Its own inverse.
inline uint32_t swizzled(Swizzle mode, uint32_t a) {
  switch (mode) {
  case Swizzle::None:
    return a;
  case Swizzle::B32:
    return a ^ (a >> 3 & 0x10);
  case Swizzle::B64:
    return a ^ (a >> 3 & 0x30);
  case Swizzle::B128:
    return a ^ (a >> 3 & 0x70);
  case Swizzle::B128Atom32:
    return a ^ (a >> 2 & 0x60);
  case Swizzle::B128Atom32Flip8:
    return a ^ (a >> 2 & 0x60) ^ (a >> 4 & 0x8);
  case Swizzle::B128Atom64:
    return a ^ (a >> 1 & 0x40);
  }
  return a;
}

/// The restrictions of cuTensorMapEncodeTiled (driver API manual) and PTX ISA 9.7.9.27.1.1, each
/// with its own message; `path` begins it ("tensor_maps.'a'").
Status checkTensorMap(const TensorMap &, std::string_view path);
/// The bytes of a map; not checked.
TensorMapBytes encodeTensorMap(const TensorMap &);
/// False if the bytes are no map: other magic, or a checksum that does not fit. Numbers are brought
/// into their ranges, but not checked.
bool decodeTensorMap(const uint8_t *bytes, TensorMap &);
/// The map as a copy uses it: decoded, and all rules checked (M1). Missing for what exists and the
/// simulator does not run: interleave, 96-byte swizzle.
Status openTensorMap(const uint8_t *bytes, TensorMap &);

/// Fields of tensormap.replace (PTX ISA 9.7.9.28).
enum class TensorMapField : uint8_t {
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
inline constexpr unsigned tensorMapFieldCount = 11;
/// "global_address": the word of the instruction.
std::string_view toString(TensorMapField);
/// Edits one field of 128 bytes of a map, or of 128 zero bytes (an empty map). Values are those of
/// the instruction: rank - 1, strides in bytes, codes of table 33.
Status replaceInTensorMap(uint8_t *bytes, TensorMapField, unsigned ordinal, uint64_t value);

} // namespace msa::ptxsim

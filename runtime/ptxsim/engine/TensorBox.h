//===- TensorBox.h - a box of a tensor, between global and shared memory ----------------------===//
//
// The arithmetic of tensor copies (PTX ISA 5.5): which bytes of the tensor the rows of a
// box are, what lies outside, and where each 16 bytes go in shared memory. Rows of the
// innermost dimension stand one behind the other in shared memory, first dimension
// fastest; a swizzle then moves chunks by their absolute address (5.5.7).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/TensorMap.h"
#include "ptxsim/engine/AsyncMemory.h"

#include <array>
#include <cstdint>
#include <optional>

namespace msa::ptxsim {

/// A box at its coordinates.
struct TensorBox {
  TensorMap map;
  bool gathers = false;        ///< tile::gather4
  std::array<int32_t, 5> at{}; ///< coordinates; gather4: column and four rows
  uint32_t rowBytes = 0;       ///< of a row in shared memory, padding included
  uint32_t rows = 0;

  /// Fills in rowBytes and rows; false if the box is larger than any shared memory.
  bool measure();
  /// In shared memory.
  uint32_t bytes() const { return rowBytes * rows; }
  /// What complete_tx counts: without the padding of 4- and 6-bit types.
  uint32_t countedBytes() const;
};

/// Bytes of the box that lie inside of the tensor.
uint64_t insideBytes(const TensorBox &);
/// The box out of global memory, row behind row as before swizzling; what is outside is filled. M4
/// where the tensor is larger than its buffer.
Flow readBox(const Origin &, const TensorBox &, Payload &);
/// Writes (or, with a type, reduces) what is inside of the tensor.
Flow writeBox(const Origin &, const TensorBox &, const Payload &, Reduction,
              std::optional<ReductionType>);
/// The arithmetic of a reduction on a map's type (PTX ISA 9.7.9.27.1.3); nothing where there is
/// none.
std::optional<ReductionType> reductionTypeOf(TensorType, Reduction);

/// Bytes that swizzling keeps together.
inline uint32_t chunkOf(Swizzle mode) { return mode == Swizzle::B128Atom32Flip8 ? 8 : 16; }

/// Calls body(shared offset, place in the linear box, bytes) for every chunk that swizzling keeps
/// whole.
template <class F> void eachChunk(const TensorBox &box, uint32_t base, F body) {
  const Swizzle mode = box.map.swizzle;
  if (mode == Swizzle::None)
    return body(base, size_t{0}, box.bytes());
  const uint32_t chunk = chunkOf(mode);
  for (uint32_t at = 0; at < box.bytes(); at += chunk)
    body(swizzled(mode, base + at), size_t{at}, chunk);
}

/// Calls body(offset, bytes) for the ranges of shared memory that the box takes. `base` is a
/// multiple of 128, within which swizzling stays: whole lines are taken whole, and of a last line
/// that is not full those chunks that the swizzle chose.
template <class F> Flow eachRange(const TensorBox &box, uint32_t base, F body) {
  const Swizzle mode = box.map.swizzle;
  const uint32_t whole = mode == Swizzle::None ? box.bytes() : box.bytes() & ~127u;
  if (whole != 0 && body(base, whole) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t at = whole; at < box.bytes(); at += 16)
    if (body(swizzled(mode, base + at) & ~15u, 16u) == Flow::Trap)
      return Flow::Trap;
  return Flow::Next;
}

} // namespace msa::ptxsim

//===- Reference.h - tensor copies, element by element ---------------------------------------===//
//
// What a copy has to do, written apart from the simulator: bit by bit for elements, chunk by
// chunk with the tables of PTX ISA 5.5.7 for swizzles.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Harness.h"

#include <array>
#include <optional>

namespace msa::ptxsim::test {

/// A box at its place.
struct Place {
  TensorMap map; ///< `address`: offset in the tensor's buffer
  std::array<int, 5> at{};
  uint32_t base = 0; ///< offset in `tile`, which starts at a multiple of 1024
};

/// Bytes of shared memory, padding included; bytes that complete_tx counts.
uint32_t sharedBytesOf(const Place &);
uint32_t countedBytesOf(const Place &);
/// Loads the box: what `tile` holds; bytes that the copy does not write are nothing.
std::vector<std::optional<uint8_t>> loadBox(const Place &, const Bytes &tensor, uint32_t tileBytes);
/// Stores the box from `tile` into the tensor.
void storeBox(const Place &, const Bytes &tile, Bytes &tensor);
/// "{1, -2}": coordinates in PTX.
std::string coordinates(const Place &);
/// The smallest buffer that holds the tensor.
size_t tensorBytes(const TensorMap &);

} // namespace msa::ptxsim::test

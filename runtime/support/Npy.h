//===- Npy.h - numpy's array files ----------------------------------------===//
//
// Format versions 1 to 3, C order, plain little-endian elements: what a case
// directory and a launch specification hold. Bytes are raw bits; nobody here
// knows what a `<u2` means. Hostile headers are refused before memory is taken.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msa {

/// An array in memory; `data` has exactly elements() * itemBytes(dtype) bytes.
struct NpyArray {
  std::string dtype;          ///< "<u2" "|u1" "<f4" "<i4" ...
  std::vector<int64_t> shape; ///< outermost first; empty = a scalar
  std::vector<uint8_t> data;
  /// The product of the shape; of a valid array it fits.
  int64_t elements() const;
};

/// Bytes of one element, or 0 for a dtype that is not accepted. Accepted: |u1 |i1 |b1 <u2 <i2 <f2
/// <u4 <i4 <f4 <u8 <i8 <f8.
int npyItemBytes(std::string_view dtype);

/// Errors name the file and what its header says.
Expected<NpyArray> readNpy(const std::filesystem::path &);
/// The same from memory; `name` is for messages.
Expected<NpyArray> parseNpy(std::span<const uint8_t> bytes, const std::string &name);
/// Writes version 1 with the data on a 64-byte boundary, aside and renamed.
Status writeNpy(const std::filesystem::path &, const NpyArray &);

} // namespace msa

//===- Panels.h - packed operand rows to panels ---------------------------===//
//
// Matrix operands come as bytes: rows of packed elements along k, as they lie in
// shared memory, tensor memory or registers. Products (Mma.h) take panels of
// FP32 or int32. What is decoded is exact; NaNs become 0x7FFFFFFF, but for bf16 and
// tf32, which keep theirs.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Convert.h"

#include <cstdint>

namespace msa::ptxsim::numerics {

/// Where elements of fewer than 8 bits are.
enum class Packing : uint8_t {
  Dense,  ///< one after the other, the first in the lowest bits; FP4 only: two a byte
  Byte,   ///< 8-bit containers: FP4 in bits 5:2, FP6 in bits 5:0 (PTX ISA 9.7.14.5)
  Padded, ///< 16 elements in 16 bytes: dense data, then padding (PTX ISA 5.5.1.1.1)
};

/// Elements in `bytes` bytes of a row (Padded: a multiple of 16).
int elementsIn(SmallFloat, Packing, int bytes);

/// `rows` rows of `rowBytes` bytes. out: rows x k, or with `transposed` k x rows. The packing
/// matters for FP4 and FP6 only (FP6 is never dense).
void decodePanel(SmallFloat, Packing, const uint8_t *bytes, int rows, int rowBytes, bool transposed,
                 float *out);

/// The same for s8 and u8.
void decodeBytes(bool isSigned, const uint8_t *bytes, int rows, int rowBytes, bool transposed,
                 int32_t *out);

} // namespace msa::ptxsim::numerics

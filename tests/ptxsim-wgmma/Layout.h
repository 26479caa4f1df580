//===- Layout.h - where elements of a matrix are in shared memory, written down anew
//-----------------===//
//
// The canonical layouts of PTX ISA 9.7.16.3.3 in units of elements, as the page has them
// (shapes and strides of CuTe), and the swizzles as the permutation tables of 5.5.7. Slow
// and literal: tests compare the simulator with it.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>

namespace msa::ptxsim::test {

enum class SwizzleName { None, B32, B64, B128, B128Atom32 };

struct MatrixLayout {
  bool mnMajor = false;
  SwizzleName swizzle = SwizzleName::None;
  unsigned elementBits = 16;
  uint32_t start = 0, leading = 0, stride = 0; ///< bytes

  /// Address of the byte at which element (row, k) starts; 1-bit elements: 8 of them.
  uint32_t addressOf(uint32_t row, uint32_t k) const;
  /// The bits of the descriptor that a kernel would build; `tcgen05`: with its fixed bit.
  uint64_t descriptor(bool tcgen05) const;
};

/// Bytes of a row of the swizzle's pattern; 16 without.
uint32_t spanOf(SwizzleName);

/// A layout for `rows` x `kBytes` that leaves no room between groups (LBO and SBO chosen).
MatrixLayout packedLayout(bool mnMajor, SwizzleName, unsigned elementBits, uint32_t start,
                          uint32_t rows, uint32_t kBytes);
/// Bytes that the packed layout takes.
uint32_t packedBytes(const MatrixLayout &, uint32_t rows, uint32_t kBytes);

} // namespace msa::ptxsim::test

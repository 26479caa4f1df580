#include "Layout.h"

#include <algorithm>

namespace msa::ptxsim::test {

uint32_t spanOf(SwizzleName swizzle) {
  switch (swizzle) {
  case SwizzleName::None:
    return 16;
  case SwizzleName::B32:
    return 32;
  case SwizzleName::B64:
    return 64;
  case SwizzleName::B128:
  case SwizzleName::B128Atom32:
    return 128;
  }
  return 0;
}

namespace {

/// The tables of 5.5.7: in row r (128 bytes each), chunk c of the source is at column table[r][c].
uint32_t swizzledAddress(SwizzleName swizzle, uint32_t address) {
  uint32_t row = address / 128, chunk = address / 16 % 8, inside = address % 16;
  switch (swizzle) {
  case SwizzleName::None:
    break;
  case SwizzleName::B32: // rows alternate: 0 1 2 3 ... and 1 0 3 2 ...
    if (row % 2 == 1)
      chunk = chunk % 2 == 0 ? chunk + 1 : chunk - 1;
    break;
  case SwizzleName::B64: { // four rows: 0123, 1032, 2301, 3210
    static constexpr uint32_t table[4][4] = {
        {0, 1, 2, 3}, {1, 0, 3, 2}, {2, 3, 0, 1}, {3, 2, 1, 0}};
    chunk = chunk / 4 * 4 + table[row % 4][chunk % 4];
    break;
  }
  case SwizzleName::B128: {
    static constexpr uint32_t table[8][8] = {{0, 1, 2, 3, 4, 5, 6, 7}, {1, 0, 3, 2, 5, 4, 7, 6},
                                             {2, 3, 0, 1, 6, 7, 4, 5}, {3, 2, 1, 0, 7, 6, 5, 4},
                                             {4, 5, 6, 7, 0, 1, 2, 3}, {5, 4, 7, 6, 1, 0, 3, 2},
                                             {6, 7, 4, 5, 2, 3, 0, 1}, {7, 6, 5, 4, 3, 2, 1, 0}};
    chunk = table[row % 8][chunk];
    break;
  }
  case SwizzleName::B128Atom32: { // pairs of chunks: 0123, 1032, 2301, 3210
    static constexpr uint32_t table[4][4] = {
        {0, 1, 2, 3}, {1, 0, 3, 2}, {2, 3, 0, 1}, {3, 2, 1, 0}};
    chunk = 2 * table[row % 4][chunk / 2] + chunk % 2;
    break;
  }
  }
  return row * 128 + chunk * 16 + inside;
}

} // namespace

uint32_t MatrixLayout::addressOf(uint32_t row, uint32_t k) const {
  // Units: elements of `bits`; T of them fill 16 bytes.
  const unsigned bits = elementBits;
  const uint32_t t = 128 / bits, lbo = leading * 8 / bits, sbo = stride * 8 / bits;
  const uint32_t s = test::spanOf(swizzle) / 16;
  uint32_t element = 0;
  if (!mnMajor) {
    element =
        swizzle == SwizzleName::None
            ? row % 8 * t + row / 8 * sbo + k % t + k / t * lbo // ((8,m),(T,2k)):((1T,SBO),(1,LBO))
            : row % 8 * s * t + row / 8 * sbo + k;              // ((8,m),(T,2k)):((sT,SBO),(1,T))
  } else if (swizzle == SwizzleName::None) {
    element =
        row % t + row / t * sbo + k % 8 * t + k / 8 * lbo; // ((T,1,m),(8,k)):((1,T,SBO),(1T,LBO))
  } else {
    const uint32_t lines = swizzle == SwizzleName::B128Atom32 ? 4 : 8;
    element = row % t + row / t % s * t +
              row / (s * t) * lbo // ((T,s,m),(8,k)):((1,T,LBO),(sT,SBO))
              + k % lines * s * t + k / lines * sbo;
  }
  return swizzledAddress(swizzle, start + element * bits / 8);
}

uint64_t MatrixLayout::descriptor(bool tcgen05) const {
  static constexpr uint64_t wide[] = {0, 6, 4, 2, 1}; // bits 63:61
  uint64_t bits = (start & 0x3FFFF) >> 4;
  bits |= uint64_t{(leading & 0x3FFFF) >> 4} << 16;
  bits |= uint64_t{(stride & 0x3FFFF) >> 4} << 32;
  bits |= wide[static_cast<int>(swizzle)] << 61;
  return tcgen05 ? bits | 1ull << 46 : bits;
}

MatrixLayout packedLayout(bool mnMajor, SwizzleName swizzle, unsigned elementBits, uint32_t start,
                          uint32_t rows, uint32_t kBytes) {
  MatrixLayout layout{mnMajor, swizzle, elementBits, start, 0, 0};
  const uint32_t span = spanOf(swizzle), ks = kBytes * 8 / elementBits;
  const bool none = swizzle == SwizzleName::None;
  if (!mnMajor) {
    layout.stride = 8 * span;
    layout.leading = none ? rows / 8 * 128 : 16;
    return layout;
  }
  const uint32_t lines = swizzle == SwizzleName::B128Atom32 ? 4 : 8;
  // A column of k first, then the next span of rows.
  const uint32_t group = lines * span, column = ks / lines * group;
  layout.stride = none ? column : group;
  layout.leading = none ? group : column;
  return layout;
}

uint32_t packedBytes(const MatrixLayout &layout, uint32_t rows, uint32_t kBytes) {
  uint32_t end = 0, ks = kBytes * 8 / layout.elementBits;
  for (uint32_t row = 0; row < rows; ++row)
    for (uint32_t k = 0; k < ks; ++k)
      end = std::max(end, layout.addressOf(row, k) + 1);
  return (end - layout.start + 1023) / 1024 * 1024;
}

} // namespace msa::ptxsim::test

//===- Panels.cpp - packed operand rows to panels -------------------------===//
//
// Rows are decoded by arithmetic, which vectorises: the exponent and fraction of a
// code, put where FP32 has them, are the value apart from the bias, subnormals
// included; one multiplication by a power of two corrects that. Example: E4M3 0x01
// is 1 << 20 in FP32, the subnormal 2^-129; times 2^120 it is 2^-9.
//
// Transposition is done on decoded floats, in blocks of eight by eight.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Panels.h"

#include "ptxsim/numerics/Clones.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <vector>

namespace msa::ptxsim::numerics {
namespace {

/// A format of at most 8 bits.
template <int ExponentBits, int FractionBits> struct Narrow {
  static constexpr uint32_t magnitudeMask = (1u << (ExponentBits + FractionBits)) - 1;
  static constexpr int bias = (1 << (ExponentBits - 1)) - 1;

  [[gnu::always_inline]] static float value(uint32_t code) {
    const uint32_t magnitude = code & magnitudeMask,
                   sign = (code << (31 - ExponentBits - FractionBits)) & 0x80000000u;
    uint32_t bits =
        bitsOf(floatOf(magnitude << (23 - FractionBits)) * floatOf((254u - bias) << 23)) | sign;
    if constexpr (ExponentBits == 5) { // E5M2: IEEE
      bits = magnitude >= 0x7C ? sign | 0x7F800000u : bits;
      bits = magnitude > 0x7C ? 0x7FFFFFFFu : bits;
    } else if constexpr (ExponentBits == 4) { // E4M3
      bits = magnitude == 0x7F ? 0x7FFFFFFFu : bits;
    }
    return floatOf(bits);
  }
};

template <class Format>
[[gnu::always_inline]] inline void decodeCodes(const uint8_t *codes, int count, float *out) {
  for (int i = 0; i < count; ++i)
    out[i] = Format::value(codes[i]);
}

/// f16ToF32 for sixteen codes at once.
[[gnu::always_inline]] inline void decodeHalves(const uint8_t *bytes, int count, float *out) {
  constexpr int width = 16;
  using Codes = uint16_t __attribute__((vector_size(2 * width)));
  using Words = uint32_t __attribute__((vector_size(4 * width)));
  using Floats = float __attribute__((vector_size(4 * width)));
  int i = 0;
  for (; i + width <= count; i += width) {
    Codes codes;
    std::memcpy(&codes, bytes + 2 * i, sizeof(codes));
    const Words wide = __builtin_convertvector(codes, Words), magnitude = wide & 0x7FFFu,
                sign = (wide & 0x8000u) << 16;
    Words bits = std::bit_cast<Words>(std::bit_cast<Floats>(magnitude << 13) * 0x1p112f) | sign;
    bits = magnitude >= 0x7C00u ? sign | 0x7F800000u : bits;
    bits = magnitude > 0x7C00u ? Words{} + 0x7FFFFFFFu : bits;
    std::memcpy(out + i, &bits, sizeof(bits));
  }
  for (; i < count; ++i) {
    uint16_t code = 0;
    std::memcpy(&code, bytes + 2 * i, 2);
    out[i] = f16ToF32(code);
  }
}

/// Two elements a byte, the lower half first.
[[gnu::always_inline]] inline void decodeNibbles(const uint8_t *bytes, int count, float *out) {
  for (int i = 0; i < count / 2; ++i) {
    out[2 * i] = Narrow<2, 1>::value(bytes[i]);
    out[2 * i + 1] = Narrow<2, 1>::value(static_cast<uint32_t>(bytes[i]) >> 4);
  }
}

template <int Bits>
[[gnu::always_inline]] inline void unpackGroups(const uint8_t *bytes, int count, uint8_t *codes) {
  for (int first = 0; first < count; first += 16) {
    uint64_t low = 0, high = 0;
    std::memcpy(&low, bytes + first, 8);
    std::memcpy(&high, bytes + first + Bits, 8);
    for (int i = 0; i < 8; ++i) {
      codes[first + i] = static_cast<uint8_t>((low >> (Bits * i)) & ((1u << Bits) - 1));
      codes[first + 8 + i] = static_cast<uint8_t>((high >> (Bits * i)) & ((1u << Bits) - 1));
    }
  }
}

/// Most bytes that are decoded at once.
constexpr int pieceBytes = 256;

/// At most pieceBytes bytes; groups of 16 are whole.
[[gnu::always_inline]] inline void decodePiece(SmallFloat type, Packing packing,
                                               const uint8_t *bytes, int size, float *out) {
  uint8_t codes[pieceBytes];
  switch (type) {
  case SmallFloat::F16:
    decodeHalves(bytes, size / 2, out);
    break;
  case SmallFloat::BF16:
    for (int i = 0; i < size / 2; ++i) {
      uint16_t code = 0;
      std::memcpy(&code, bytes + 2 * i, 2);
      out[i] = bf16ToF32(code);
    }
    break;
  case SmallFloat::TF32:
    for (int i = 0; i < size / 4; ++i) {
      uint32_t code = 0;
      std::memcpy(&code, bytes + 4 * i, 4);
      out[i] = floatOf(code & 0xFFFFE000u);
    }
    break;
  case SmallFloat::E4M3:
    decodeCodes<Narrow<4, 3>>(bytes, size, out);
    break;
  case SmallFloat::E5M2:
    decodeCodes<Narrow<5, 2>>(bytes, size, out);
    break;
  case SmallFloat::E2M3:
  case SmallFloat::E3M2:
    if (packing == Packing::Padded) {
      unpackGroups<6>(bytes, size, codes);
      bytes = codes;
    }
    if (type == SmallFloat::E2M3)
      decodeCodes<Narrow<2, 3>>(bytes, size, out);
    else
      decodeCodes<Narrow<3, 2>>(bytes, size, out);
    break;
  case SmallFloat::E2M1:
    if (packing == Packing::Dense) {
      decodeNibbles(bytes, 2 * size, out);
      break;
    }
    if (packing == Packing::Padded)
      unpackGroups<4>(bytes, size, codes);
    else
      for (int i = 0; i < size; ++i)
        codes[i] = static_cast<uint8_t>(bytes[i] >> 2);
    decodeCodes<Narrow<2, 1>>(codes, size, out);
    break;
  case SmallFloat::UE8M0:
    for (int i = 0; i < size; ++i)
      out[i] = decode(SmallFloat::UE8M0, bytes[i]);
    break;
  }
}

MSA_CLONES void decodeStream(SmallFloat type, Packing packing, const uint8_t *bytes, int size,
                             float *out) {
  for (int first = 0; first < size; first += pieceBytes) {
    const int piece = std::min(pieceBytes, size - first);
    decodePiece(type, packing, bytes + first, piece, out);
    out += elementsIn(type, packing, piece);
  }
}

constexpr int side = 8;
using Line = uint32_t __attribute__((vector_size(4 * side)));

/// Eight lines of eight, in place: pairs, pairs of pairs, halves.
[[gnu::always_inline]] inline void transposeEight(Line (&v)[side]) {
  Line pairs[side], quads[side];
  for (int i = 0; i < side; i += 2) {
    pairs[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    pairs[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < side; i += 4)
    for (int j = 0; j < 2; ++j) {
      quads[i + j] =
          __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      quads[i + j + 2] =
          __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; ++i) {
    v[i] = __builtin_shufflevector(quads[i], quads[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    v[i + 4] = __builtin_shufflevector(quads[i], quads[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

/// out[k * stride + r] = in[r * depth + k] for eight rows.
template <class T>
[[gnu::always_inline]] inline void transposeRows(const T *in, int depth, T *out, int stride) {
  int k = 0;
  for (; k + side <= depth; k += side) {
    Line lines[side];
    for (int r = 0; r < side; ++r)
      std::memcpy(&lines[r], in + r * depth + k, sizeof(Line));
    transposeEight(lines);
    for (int i = 0; i < side; ++i)
      std::memcpy(out + static_cast<ptrdiff_t>(k + i) * stride, &lines[i], sizeof(Line));
  }
  for (; k < depth; ++k)
    for (int r = 0; r < side; ++r)
      out[static_cast<ptrdiff_t>(k) * stride + r] = in[r * depth + k];
}

/// in: rows x depth; out: depth rows, `stride` apart. T: a word.
template <class T>
[[gnu::always_inline]] inline void transposeWords(const T *in, int rows, int depth, T *out,
                                                  int stride) {
  static_assert(sizeof(T) == 4);
  int row = 0;
  for (; row + side <= rows; row += side)
    transposeRows(in + static_cast<ptrdiff_t>(row) * depth, depth, out + row, stride);
  for (; row < rows; ++row)
    for (int k = 0; k < depth; ++k)
      out[static_cast<ptrdiff_t>(k) * stride + row] = in[static_cast<ptrdiff_t>(row) * depth + k];
}

MSA_CLONES void transposeFloats(const float *in, int rows, int depth, float *out, int stride) {
  transposeWords(in, rows, depth, out, stride);
}
MSA_CLONES void transposeIntegers(const int32_t *in, int rows, int depth, int32_t *out,
                                  int stride) {
  transposeWords(in, rows, depth, out, stride);
}

MSA_CLONES void widenBytes(bool isSigned, const uint8_t *bytes, int count, int32_t *out) {
  if (isSigned)
    for (int i = 0; i < count; ++i)
      out[i] = static_cast<int8_t>(bytes[i]);
  else
    for (int i = 0; i < count; ++i)
      out[i] = bytes[i];
}

} // namespace

int elementsIn(SmallFloat type, Packing packing, int bytes) {
  if (type == SmallFloat::E2M1 && packing == Packing::Dense)
    return 2 * bytes;
  return widthOf(type) >= 16 ? 8 * bytes / widthOf(type) : bytes;
}

void decodePanel(SmallFloat type, Packing packing, const uint8_t *bytes, int rows, int rowBytes,
                 bool transposed, float *out) {
  if (!transposed) {
    decodeStream(type, packing, bytes, rows * rowBytes, out);
    return;
  }
  // Some rows at a time, so that they stay in the first cache.
  constexpr int tileFloats = 4096;
  const int depth = elementsIn(type, packing, rowBytes);
  const int tileRows = std::min(rows, std::max(side, tileFloats / depth / side * side));
  std::vector<float> tile(static_cast<size_t>(tileRows) * static_cast<size_t>(depth));
  for (int row = 0; row < rows; row += tileRows) {
    const int some = std::min(tileRows, rows - row);
    decodeStream(type, packing, bytes + static_cast<ptrdiff_t>(row) * rowBytes, some * rowBytes,
                 tile.data());
    transposeFloats(tile.data(), some, depth, out + row, rows);
  }
}

void decodeBytes(bool isSigned, const uint8_t *bytes, int rows, int rowBytes, bool transposed,
                 int32_t *out) {
  if (!transposed) {
    widenBytes(isSigned, bytes, rows * rowBytes, out);
    return;
  }
  std::vector<int32_t> panel(static_cast<size_t>(rows) * static_cast<size_t>(rowBytes));
  widenBytes(isSigned, bytes, rows * rowBytes, panel.data());
  transposeIntegers(panel.data(), rows, rowBytes, out, rows);
}

} // namespace msa::ptxsim::numerics

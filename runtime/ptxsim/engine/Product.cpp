#include "ptxsim/engine/Product.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace msa::ptxsim {

using namespace numerics;

uint32_t elementsOf(MmaType type, Container container, uint32_t kBytes) {
  if (container != Container::Own)
    return kBytes;
  return type == MmaType::E2M1 ? 2 * kBytes : kBytes * 8 / static_cast<uint32_t>(bitsOf(type));
}

namespace {

/// Values of the 256 codes of a byte.
using ByteTable = std::array<float, 256>;

ByteTable makeTable(MmaType type, bool container) {
  ByteTable table{};
  for (uint32_t code = 0; code < 256; ++code) {
    uint32_t bits = type == MmaType::E2M1 ? (container ? code >> 2 : code) & 0xF
                    : type == MmaType::E2M3 || type == MmaType::E3M2 ? code & 0x3F
                                                                     : code;
    table[code] = decode(smallFloatOf(type), bits);
  }
  return table;
}

const ByteTable &tableOf(MmaType type, bool container) {
  static const ByteTable e4m3 = makeTable(MmaType::E4M3, false),
                         e5m2 = makeTable(MmaType::E5M2, false),
                         e2m3 = makeTable(MmaType::E2M3, false),
                         e3m2 = makeTable(MmaType::E3M2, false),
                         e2m1 = makeTable(MmaType::E2M1, false),
                         e2m1High = makeTable(MmaType::E2M1, true);
  switch (type) {
  case MmaType::E4M3:
    return e4m3;
  case MmaType::E5M2:
    return e5m2;
  case MmaType::E2M3:
    return e2m3;
  case MmaType::E3M2:
    return e3m2;
  default:
    return container ? e2m1High : e2m1;
  }
}

/// Code `index` of a group of 16 elements of `bits` bits, packed from the lowest bit on.
uint32_t packedCode(const uint8_t *group, uint32_t index, uint32_t bits) {
  uint32_t at = index * bits, word = group[at / 8] | uint32_t{group[at / 8 + 1]} << 8;
  return word >> (at % 8) & ((1u << bits) - 1);
}

void decodeRow(MmaType type, Container container, const uint8_t *row, uint32_t count, float *out) {
  switch (type) {
  case MmaType::F16:
    for (uint32_t k = 0; k < count; ++k) {
      uint16_t code;
      std::memcpy(&code, row + 2 * k, 2);
      out[k] = f16ToF32(code);
    }
    return;
  case MmaType::BF16:
    for (uint32_t k = 0; k < count; ++k) {
      uint16_t code;
      std::memcpy(&code, row + 2 * k, 2);
      out[k] = bf16ToF32(code);
    }
    return;
  case MmaType::TF32:
    for (uint32_t k = 0; k < count; ++k) {
      uint32_t code;
      std::memcpy(&code, row + 4 * k, 4);
      out[k] = decode(SmallFloat::TF32, code);
    }
    return;
  default:
    break;
  }
  const ByteTable &table = tableOf(type, container == Container::Byte);
  if (container == Container::Padded && widthOf(smallFloatOf(type)) < 8) {
    const auto bits = static_cast<uint32_t>(widthOf(smallFloatOf(type)));
    for (uint32_t k = 0; k < count; ++k)
      out[k] = table[packedCode(row + k / 16 * 16, k % 16, bits)];
    return;
  }
  if (container == Container::Own && type == MmaType::E2M1) {
    for (uint32_t k = 0; k < count; ++k)
      out[k] = table[row[k / 2] >> (k % 2 * 4) & 0xF];
    return;
  }
  for (uint32_t k = 0; k < count; ++k)
    out[k] = table[row[k]];
}

} // namespace

void decodeFloats(MmaType type, Container container, const uint8_t *bytes, uint32_t rows,
                  uint32_t kBytes, bool transposed, float *out) {
  const uint32_t count = elementsOf(type, container, kBytes);
  float row[128];
  for (uint32_t r = 0; r < rows; ++r) {
    if (!transposed) {
      decodeRow(type, container, bytes + size_t{r} * kBytes, count, out + size_t{r} * count);
      continue;
    }
    decodeRow(type, container, bytes + size_t{r} * kBytes, count, row);
    for (uint32_t k = 0; k < count; ++k)
      out[size_t{k} * rows + r] = row[k];
  }
}

void decodeIntegers(MmaType type, const uint8_t *bytes, uint32_t rows, uint32_t kBytes,
                    bool transposed, int32_t *out) {
  for (uint32_t r = 0; r < rows; ++r)
    for (uint32_t k = 0; k < kBytes; ++k) {
      uint8_t code = bytes[size_t{r} * kBytes + k];
      out[transposed ? size_t{k} * rows + r : size_t{r} * kBytes + k] =
          type == MmaType::S8 ? static_cast<int8_t>(code) : code;
    }
}

static bool isFp8(MmaType type) { return type == MmaType::E4M3 || type == MmaType::E5M2; }

void multiplyFloats(const Launch &launch, TensorUnit unit, MmaType a, MmaType b, bool halfResult,
                    GemmSize size, const float *pa, const float *pb, float *d) {
  if (launch.sumsExactly(isFp8(a) || isFp8(b))) {
    gemmExact(exactRule(launch.sm, unit, smallFloatOf(a), smallFloatOf(b), size.k, halfResult),
              size, pa, pb, d);
    return;
  }
  gemmFast(size, pa, pb, d);
  if (halfResult)
    for (int i = 0; i < size.m * size.n; ++i)
      d[i] = f16ToF32(f32ToF16(d[i]));
}

namespace {

/// Sum of C and scaled blocks as the FP4 tensor cores make it: aligned to the largest exponent, cut
/// at F = 35, added exactly, cut to FP32.
float alignedScaled(const double *terms, int count, float c) {
  constexpr int fractionBits = 35;
  int largest = -100000;
  auto look = [&](double value) {
    if (value != 0)
      largest = std::max(largest, std::ilogb(value));
  };
  look(c);
  for (int i = 0; i < count; ++i)
    look(terms[i]);
  if (largest == -100000)
    return 0;
  double sum = std::trunc(std::ldexp(static_cast<double>(c), fractionBits - largest));
  for (int i = 0; i < count; ++i)
    sum += std::trunc(std::ldexp(terms[i], fractionBits - largest));
  double value = std::ldexp(sum, largest - fractionBits);
  auto nearest = static_cast<float>(value);
  // Cut towards zero.
  if (std::fabs(static_cast<double>(nearest)) > std::fabs(value))
    nearest = std::nextafter(nearest, 0.0f);
  return canonical(nearest);
}

} // namespace

void multiplyScaled(const Launch &launch, MmaType a, MmaType b, GemmSize size, const float *pa,
                    const float *pb, const BlockScales &scales, float *d) {
  const bool exact = launch.sumsExactly(isFp8(a) || isFp8(b));
  const bool narrow = a == MmaType::E2M1 && b == MmaType::E2M1 && scales.blocks > 1;
  const int depth = size.k / scales.blocks;
  const auto elements = static_cast<size_t>(size.m) * static_cast<size_t>(size.n);
  std::vector<std::vector<float>> sums;
  std::vector<float> left(static_cast<size_t>(size.m * depth));
  const GemmSize part = {size.m, size.n, depth};
  for (int block = 0; block < scales.blocks; ++block) {
    for (int row = 0; row < size.m; ++row)
      std::copy_n(pa + row * size.k + block * depth, depth, &left[static_cast<size_t>(row * depth)]);
    std::vector<float> &sum = sums.emplace_back(elements, 0.0f);
    const float *right = pb + static_cast<ptrdiff_t>(block) * depth * size.n;
    if (exact && !narrow)
      gemmExact(exactRule(launch.sm, TensorUnit::Tcgen05, smallFloatOf(a), smallFloatOf(b), depth,
                          false),
                part, left.data(), right, sum.data());
    else
      gemmFast(part, left.data(), right, sum.data());
  }
  std::vector<double> terms(static_cast<size_t>(scales.blocks));
  for (int row = 0; row < size.m; ++row)
    for (int col = 0; col < size.n; ++col) {
      const auto at = static_cast<size_t>(row) * static_cast<size_t>(size.n) +
                      static_cast<size_t>(col);
      float &out = d[at];
      for (int block = 0; block < scales.blocks; ++block)
        terms[static_cast<size_t>(block)] =
            static_cast<double>(sums[static_cast<size_t>(block)][at]) *
            scales.a[static_cast<size_t>(row * scales.blocks + block)] *
            scales.b[static_cast<size_t>(col * scales.blocks + block)];
      if (exact && narrow && std::isfinite(out)) {
        bool finite = std::all_of(terms.begin(), terms.end(),
                                  [](double t) { return std::isfinite(t); });
        if (finite) {
          out = alignedScaled(terms.data(), scales.blocks, out);
          continue;
        }
      }
      for (double term : terms)
        out = canonical(out + static_cast<float>(term));
    }
}

ProductKind productKindOf(MmaType type) {
  switch (type) {
  case MmaType::F64:
    return ProductKind::F64;
  case MmaType::TF32:
    return ProductKind::Tf32;
  case MmaType::F16:
  case MmaType::BF16:
    return ProductKind::F16;
  case MmaType::S8:
  case MmaType::U8:
  case MmaType::S4:
  case MmaType::U4:
    return ProductKind::Integer;
  case MmaType::B1:
    return ProductKind::Bits;
  default:
    return ProductKind::Fp8;
  }
}

} // namespace msa::ptxsim

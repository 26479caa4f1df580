//===- Quantise.cpp - the quantisers of clauses N1 to N3 and N5 -----------===//
#include "verify/Quantise.h"

#include "verify/Formats.h"

#include <cmath>
#include <limits>

namespace msa::verify {
namespace {

/// Largest magnitude; NaN does not count.
double largestMagnitude(std::span<const double> values) {
  double largest = 0;
  for (double v : values)
    if (std::fabs(v) > largest)
      largest = std::fabs(v);
  return largest;
}

/// An FP32 scale must be positive and finite (N2): the ends of the range are clamped.
float positiveScale(double scale) {
  if (!(scale > 0))
    return 1;
  double rounded = roundF32(scale);
  if (std::isinf(rounded))
    return std::numeric_limits<float>::max();
  if (rounded < std::numeric_limits<float>::min())
    return std::numeric_limits<float>::min();
  return static_cast<float>(rounded);
}

/// Packs E2M1 codes of values / divisor; a zero divisor gives zeros.
void packE2m1(std::span<const double> values, double divisor, std::vector<uint8_t> &packed) {
  auto code = [&](double v) -> uint8_t {
    if (std::isnan(v))
      return encodeE2m1(v);
    return divisor == 0 ? 0 : encodeE2m1(v / divisor);
  };
  for (size_t i = 0; i < values.size(); i += 2)
    packed.push_back(static_cast<uint8_t>(code(values[i]) | code(values[i + 1]) << 4));
}

} // namespace

double nvfp4Largest(Nvfp4Target target) { return target == Nvfp4Target::Usual ? 2688.0 : 448.0; }

Fp8Tensor quantiseFp8(std::span<const double> values) {
  Fp8Tensor result;
  result.scale = positiveScale(largestMagnitude(values) / 448.0);
  result.codes.reserve(values.size());
  for (double v : values)
    result.codes.push_back(encodeE4m3(v / result.scale));
  return result;
}

Fp4Tensor quantiseNvfp4(std::span<const double> values, Nvfp4Target target) {
  constexpr size_t group = 16;
  Fp4Tensor result;
  result.scale = positiveScale(largestMagnitude(values) / nvfp4Largest(target));
  for (size_t i = 0; i + group <= values.size(); i += group) {
    auto block = values.subspan(i, group);
    uint8_t scale = encodeE4m3(largestMagnitude(block) / (6.0 * result.scale));
    result.blockScales.push_back(scale);
    packE2m1(block, decodeE4m3(scale) * result.scale, result.packed);
  }
  return result;
}

Fp4Tensor quantiseMxfp4(std::span<const double> values) {
  constexpr size_t group = 32;
  Fp4Tensor result;
  for (size_t i = 0; i + group <= values.size(); i += group) {
    auto block = values.subspan(i, group);
    uint8_t scale = encodeUe8m0RoundUp(largestMagnitude(block) / 6.0);
    result.blockScales.push_back(scale);
    packE2m1(block, decodeUe8m0(scale), result.packed);
  }
  return result;
}

} // namespace msa::verify

//===- Quantise.h - the quantisers of clauses N1 to N3 and N5 -------------===//
//
// From real numbers to 8- and 4-bit tensors with their scales, as a KV-cache
// writer makes them. Used by the generator and by tests; deterministic.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace msa::verify {

/// E4M3 codes with one FP32 scale: value = code * scale.
struct Fp8Tensor {
  std::vector<uint8_t> codes;
  float scale = 1;
};
/// scale = amax / 448 (1 when every value is 0 or NaN), codes rounded to nearest even (N1, N2).
Fp8Tensor quantiseFp8(std::span<const double> values);

/// What the FP32 scale of an NVFP4 tensor maps the largest magnitude to.
enum class Nvfp4Target {
  /// 2688 = 6 * 448: the usual choice, all of both ranges.
  Usual,
  /// 448: E2M1 * block scale stays inside E4M3, so that N5's rounding never saturates. To be used
  /// where Q (or index Q) is E4M3.
  E4m3,
};
double nvfp4Largest(Nvfp4Target);

/// E2M1 packed two a byte (low nibble = even element) with a scale for each group.
struct Fp4Tensor {
  std::vector<uint8_t> packed;      ///< values.size() / 2
  std::vector<uint8_t> blockScales; ///< E4M3 for each 16 (NVFP4), UE8M0 for each 32 (MXFP4)
  float scale = 1;                  ///< NVFP4's FP32 scale
};
/// NVFP4: scale = amax / target; block scale = E4M3(block amax / (6 * scale)); elements rounded to
/// nearest even of value / (block scale * scale). A block whose scale rounds to 0 is all zeros.
/// values.size() is a multiple of 16.
Fp4Tensor quantiseNvfp4(std::span<const double> values, Nvfp4Target = Nvfp4Target::Usual);
/// MXFP4: block scale = 2^ceil(log2(block amax / 6)), so that nothing saturates. NaN elements do
/// not count into amax and become +6. values.size() is a multiple of 32.
Fp4Tensor quantiseMxfp4(std::span<const double> values);

} // namespace msa::verify

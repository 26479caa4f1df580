//===- Operand.h - rows of a tensor as the products see them --------------===//
//
// Dequantisation by the rules of N2, N3 and N5: block scales are part of an
// element, FP32 scales are not (they multiply the product, clause A3), and a
// 4-bit element beside an E4M3 Q is rounded to E4M3.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "verify/Case.h"

#include <array>
#include <vector>

namespace msa::verify {

/// A decoded view of one case tensor; the case must outlive it.
class Operand {
public:
  /// `partner` is the type of the Q (or index Q) that the tensor meets: E4M3 makes 4-bit elements
  /// go through E4M3 (clause N5). The tensor must have passed checkInputs.
  Operand(const Case &, const std::string &name, DType type, int dim, DType partner);

  /// Row `row` (the last axis) into `out`, `dim` values.
  void decode(int64_t row, double *out) const;
  /// The FP32 scale of a head; 1 when there is none.
  double scale(int64_t head) const {
    return scales.empty() ? 1.0 : scales[scales.size() == 1 ? 0 : static_cast<size_t>(head)];
  }

private:
  DType type;
  int dim;
  const Tensor &tensor;
  const Tensor *blockScale;
  std::vector<double> scales;
  /// 4-bit types: value of each nibble under each scale byte. E4M3: value of each byte.
  std::vector<double> table;
  uint8_t unitScale = 0; ///< the block scale byte that means 1
};

} // namespace msa::verify

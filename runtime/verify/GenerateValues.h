//===- GenerateValues.h - the contents of generated tensors ---------------===//
#pragma once

#include "verify/Case.h"
#include "verify/Random.h"

#include <cstdint>
#include <vector>

namespace msa::verify {

/// What the elements of one operand look like.
struct ValueKind {
  double scale = 1; ///< standard deviation, before 8- and 4-bit types choose their own unit
  bool smallIntegers = false; ///< -1, -0, +0 or 1 (the FP32 scale stays 1 / unit)
  bool saturating = false;    ///< NVFP4: block scales up to 448
  bool scaled = true;         ///< an FP32 scale follows, so the type's own range may be used
};

/// Fills rows of a typed tensor from a table of encoded samples.
class RowFiller {
public:
  RowFiller(DType, int lastAxis, const ValueKind &, Random &);

  /// Random elements, and random block scales when `blockScale` is given.
  void fill(Tensor &, Tensor *blockScale, int64_t row);
  /// NaN in one element or block scale of the row, or in all.
  void fillNan(Tensor &, Tensor *blockScale, int64_t row, bool everywhere);
  /// NaN bits everywhere.
  void poison(Tensor &, Tensor &blockScale) const;
  /// The FP32 scale that brings values to about ValueKind::scale.
  double unit() const { return unitScale; }

private:
  int64_t elementsPerRow(const Tensor &tensor) const { return tensor.shape.back(); }
  uint32_t nanBits(bool second) const;

  DType type;
  Random &rng;
  double unitScale = 1;
  std::vector<uint32_t> samples; ///< encoded elements; packed pairs for 4-bit types
  std::vector<uint8_t> scaleSamples;
};

/// Scores that a selection ranks; cells that no clause defines hold the poison or a tempting value.
void makeScores(Case &, const TensorSpec &, bool special, Random &);
/// Lists of visible blocks in random order, then -1 (A1).
void makeSelection(Case &, const TensorSpec &, bool repeated, bool invalid, Random &);
/// Partials of the used slots of the case's selection; unused slots hold the poison (A4).
void makePartials(Case &, const TensorSpec &, uint64_t seed);

} // namespace msa::verify

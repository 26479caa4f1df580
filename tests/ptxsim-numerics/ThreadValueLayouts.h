//===- ThreadValueLayouts.h - operands of mma.sync, a second source -------===//
//
// Where matrix elements live, in the style of CuTe's thread-value layouts
// (shape and stride per mode, column-major coordinates), re-derived; tests of
// the fragment tables and of mma on the simulator take their places from here.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Fragments.h"

#include <vector>

namespace msa::ptxsim::numerics {

/// A mode of a thread-value layout: extent and stride in the column-major index (row + col * rows).
struct Mode {
  int extent, stride;
};

/// lane and value modes, innermost first -> index in the matrix.
inline int offsetOf(const std::vector<Mode> &modes, int index) {
  int offset = 0;
  for (Mode mode : modes) {
    offset += index % mode.extent * mode.stride;
    index /= mode.extent;
  }
  return offset;
}

struct OperandPlaces {
  MmaShape shape;
  MmaOperand operand;
  int bits;
  std::vector<Mode> lanes,
      values; ///< index = row + col * rows; B is [n x k] with n innermost, as in CuTe
};

/// All in terms of (T32, V) -> (M, K), (N, K) or (M, N).
inline std::vector<OperandPlaces> threadValueLayouts() {
  using O = MmaOperand;
  return {
      {{16, 8, 8}, O::A, 16, {{4, 32}, {8, 1}}, {{2, 16}, {2, 8}}},
      {{16, 8, 8}, O::B, 16, {{4, 16}, {8, 1}}, {{2, 8}}},
      {{16, 8, 16}, O::A, 16, {{4, 32}, {8, 1}}, {{2, 16}, {2, 8}, {2, 128}}},
      {{16, 8, 16}, O::B, 16, {{4, 16}, {8, 1}}, {{2, 8}, {2, 64}}},
      {{16, 8, 16}, O::C, 32, {{4, 32}, {8, 1}}, {{2, 16}, {2, 8}}},
      {{16, 8, 16}, O::C, 16, {{4, 32}, {8, 1}}, {{2, 16}, {2, 8}}},
      {{16, 8, 4}, O::A, 32, {{4, 16}, {8, 1}}, {{2, 8}}},
      {{16, 8, 4}, O::B, 32, {{4, 8}, {8, 1}}, {{1, 0}}},
      {{16, 8, 8}, O::A, 32, {{4, 16}, {8, 1}}, {{2, 8}, {2, 64}}},
      {{16, 8, 8}, O::B, 32, {{4, 8}, {8, 1}}, {{2, 32}}},
      {{8, 8, 4}, O::A, 64, {{4, 8}, {8, 1}}, {{1, 0}}},
      {{8, 8, 4}, O::B, 64, {{4, 8}, {8, 1}}, {{1, 0}}},
      {{8, 8, 4}, O::C, 64, {{4, 16}, {8, 1}}, {{2, 8}}},
      {{16, 8, 4}, O::A, 64, {{4, 16}, {8, 1}}, {{2, 8}}},
      {{16, 8, 4}, O::B, 64, {{4, 8}, {8, 1}}, {{1, 0}}},
      {{16, 8, 8}, O::A, 64, {{4, 16}, {8, 1}}, {{2, 8}, {2, 64}}},
      {{16, 8, 8}, O::B, 64, {{4, 8}, {8, 1}}, {{2, 32}}},
      {{16, 8, 16}, O::A, 64, {{4, 16}, {8, 1}}, {{2, 8}, {4, 64}}},
      {{16, 8, 16}, O::B, 64, {{4, 8}, {8, 1}}, {{4, 32}}},
      {{16, 8, 16}, O::C, 64, {{4, 32}, {8, 1}}, {{2, 16}, {2, 8}}},
      {{8, 8, 16}, O::A, 8, {{4, 32}, {8, 1}}, {{4, 8}}},
      {{8, 8, 16}, O::B, 8, {{4, 32}, {8, 1}}, {{4, 8}}},
      {{8, 8, 16}, O::C, 32, {{4, 16}, {8, 1}}, {{2, 8}}},
      {{16, 8, 16}, O::A, 8, {{4, 64}, {8, 1}}, {{4, 16}, {2, 8}}},
      {{16, 8, 16}, O::B, 8, {{4, 32}, {8, 1}}, {{4, 8}}},
      {{16, 8, 32}, O::A, 8, {{4, 64}, {8, 1}}, {{4, 16}, {2, 8}, {2, 256}}},
      {{16, 8, 32}, O::B, 8, {{4, 32}, {8, 1}}, {{4, 8}, {2, 128}}},
      {{8, 8, 32}, O::A, 4, {{4, 64}, {8, 1}}, {{8, 8}}},
      {{8, 8, 32}, O::B, 4, {{4, 64}, {8, 1}}, {{8, 8}}},
      {{16, 8, 32}, O::A, 4, {{4, 128}, {8, 1}}, {{8, 16}, {2, 8}}},
      {{16, 8, 32}, O::B, 4, {{4, 64}, {8, 1}}, {{8, 8}}},
      {{16, 8, 64}, O::A, 4, {{4, 128}, {8, 1}}, {{8, 16}, {2, 8}, {2, 512}}},
      {{16, 8, 64}, O::B, 4, {{4, 64}, {8, 1}}, {{8, 8}, {2, 256}}},
      {{8, 8, 128}, O::A, 1, {{4, 256}, {8, 1}}, {{32, 8}}},
      {{8, 8, 128}, O::B, 1, {{4, 256}, {8, 1}}, {{32, 8}}},
      {{16, 8, 128}, O::A, 1, {{4, 512}, {8, 1}}, {{32, 16}, {2, 8}}},
      {{16, 8, 128}, O::B, 1, {{4, 256}, {8, 1}}, {{32, 8}}},
      {{16, 8, 256}, O::A, 1, {{4, 512}, {8, 1}}, {{32, 16}, {2, 8}, {2, 2048}}},
      {{16, 8, 256}, O::B, 1, {{4, 256}, {8, 1}}, {{32, 8}, {2, 1024}}},
  };
}

} // namespace msa::ptxsim::numerics

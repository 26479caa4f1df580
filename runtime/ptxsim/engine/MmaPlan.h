//===- MmaPlan.h - what a decoded mma.sync needs to know -------------------------------------===//
#pragma once

#include "ptxsim/numerics/BlockScale.h"
#include "ptxsim/numerics/Convert.h"
#include "ptxsim/numerics/Fragments.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace msa::ptxsim {

enum class MmaType : uint8_t {
  F16,
  BF16,
  TF32,
  F32,
  F64,
  E4M3,
  E5M2,
  E3M2,
  E2M3,
  E2M1,
  S8,
  U8,
  S4,
  U4,
  B1,
  S32
};

std::optional<MmaType> mmaTypeFromWord(std::string_view);
/// Bits of an element in a register (FP6 and FP4 have 8-bit containers).
int bitsOf(MmaType);
/// The format of a floating operand type.
numerics::SmallFloat smallFloatOf(MmaType);

/// One of the four products of m8n8k4.
struct MmaQuad {
  numerics::FragmentLayout a, b, c, d;
};

struct MmaPlan {
  enum class Kind : uint8_t { Floats, Integers, Bits, Doubles, Quads } kind = Kind::Floats;
  numerics::MmaShape shape{};
  MmaType typeA{}, typeB{}, typeC{}, typeD{};
  numerics::FragmentLayout a, b, c, d; ///< not for Quads
  std::vector<MmaQuad> quads;
  int registersA = 0, registersB = 0, registersC = 0, registersD = 0;
  bool satfinite = false, isXor = true;
  numerics::Rounding rounding = numerics::Rounding::Nearest;
  /// Block scaling: factors of a row or column along k (1, 2, 4); 0: none.
  int scaleBlocks = 0;
  numerics::ScaleFormat scaleFormat = numerics::ScaleFormat::UE8M0;
  bool denseFp4 = false; ///< two elements a byte (kinds mxf4, mxf4nvf4), not 8-bit containers
};

/// Bits of an element of A and B in its register.
int operandBits(const MmaPlan &, MmaType);

/// Sets the kind from the types; false if no product has them (PTX ISA 9.7.14.5, table of types).
bool choosePlan(MmaPlan &);

} // namespace msa::ptxsim

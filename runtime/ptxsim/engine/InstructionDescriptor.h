//===- InstructionDescriptor.h - what a tcgen05.mma multiplies
//---------------------------------===//
//
// The 32-bit instruction descriptor of tcgen05.mma (PTX ISA 9.7.16.4.2, tables 42 to 44).
// Types, shape and the like are in it; the `.kind` and `.cta_group` of the instruction
// say how to read it and what is allowed (table 39). Everything wrong is D5.
//
// Example: kind::f16, cta_group::1, 0x08200490: D is F32 (1 at 5:4), A and B are BF16
// (1 at 9:7 and 12:10), N >> 3 = 16 at 22:17, M >> 4 = 8 at 28:24: 128 x 128 x 16.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/MmaPlan.h"

#include <cstdint>
#include <string>

namespace msa::ptxsim {

/// .kind of tcgen05.mma.
enum class MmaKind : uint8_t { F16, Tf32, F8f6f4, I8, Mxf8f6f4, Mxf4, Mxf4nvf4 };
/// "f16", "mxf4nvf4", ...
const char *toString(MmaKind);
inline bool isBlockScaled(MmaKind kind) { return kind >= MmaKind::Mxf8f6f4; }
/// kind::mxf4 and kind::mxf4nvf4: two elements a byte.
inline bool isPackedFp4(MmaKind kind) { return kind >= MmaKind::Mxf4; }

struct InstructionDescriptor {
  MmaType a = MmaType::F16, b = MmaType::F16, d = MmaType::F32;
  int m = 0, n = 0, k = 0; ///< of the instruction (both CTAs of a pair together)
  bool saturate = false;   ///< kind::i8: sums clamp
  bool negateA = false, negateB = false;
  bool transposeA = false, transposeB = false; ///< MN-major in shared memory
  uint8_t scaleIdA = 0, scaleIdB = 0;          ///< byte of a scale-factor cell
  bool scalesAreE4m3 = false;                  ///< UE4M3, else UE8M0

  /// What the instruction says beside the descriptor.
  struct Context {
    MmaKind kind = MmaKind::F16;
    unsigned ctaGroup = 1;
    unsigned scales = 0;  ///< scale factors of a row (1, 2, 4); 0: no block scaling
    bool tensorA = false; ///< A is in tensor memory
  };

  /// Reads the bits. False if a field is wrong (D5); `wrong` says which, what it is and what is
  /// accepted. As much as can be read is set all the same.
  static bool decode(uint32_t bits, const Context &, InstructionDescriptor &, std::string &wrong);
  /// The bits of a descriptor: what a kernel would compute.
  uint32_t encode(MmaKind) const;
};

} // namespace msa::ptxsim

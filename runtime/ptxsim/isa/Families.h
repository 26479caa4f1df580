//===- Families.h - the decode functions of every instruction family ----------===//
//
// One per row of Opcodes.def, declared from it. See Decoder.h for what they return.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Decoder.h"

namespace msa::ptxsim {

#define OPCODE(name, decode, family, section, ptx, sm) bool decode(Decoder &);
#define LATER(name, part, section, ptx, sm)
#include "ptxsim/Opcodes.def"
#undef OPCODE
#undef LATER

} // namespace msa::ptxsim

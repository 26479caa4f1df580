//===- SpecialRegisters.h - PTX ISA 10 ----------------------------------------===//
//
// Values that never change while a thread runs sit in slots that are filled when
// its warp starts; clocks, %activemask and the like are read by an op of their own
// in front of the instruction that names them.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Decoder.h"
#include "ptxsim/engine/Program.h"

namespace msa::ptxsim {

/// The slot that holds the special register for an operand of `type`; fails for unknown ones.
Ref specialRegisterRef(Decoder &, const Operand &, const DataType &type);
/// Fills 32 cells with the value of each lane.
void fillSpecial(const Warp &, SpecialId, uint32_t *cells);

} // namespace msa::ptxsim

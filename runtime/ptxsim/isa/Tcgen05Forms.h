//===- Tcgen05Forms.h - what the tcgen05 instructions share
//---------------------------------------===//
//
// Modifiers and operands that several of them have, and who may execute them: a whole
// warp (alloc, ld, st, wait) or one thread (mma, cp, shift, commit).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Decoder.h"
#include "ptxsim/engine/TensorCore.h"

namespace msa::ptxsim {

// ---- decoding
// -----------------------------------------------------------------------------------

/// Fails unless the target has a fifth-generation tensor core (sm_100a, sm_100f, ...).
bool requireTensorCore(Decoder &);
/// Takes .cta_group::1 or ::2; 0 after a failure. One kernel has only one of them (T8).
unsigned takeCtaGroup(Decoder &);
/// Takes .sync.aligned.
bool takeSyncAligned(Decoder &);
/// Appends [taddr + offset] to the lists, two words; the index of the first.
uint32_t appendTensorAddress(Decoder &, const Operand &);

// ---- executing
// ----------------------------------------------------------------------------------

/// The address operand at `index` of the lists, of a lane.
TensorAddress tensorAddressAt(const Warp &, uint32_t index, int lane);
uint32_t tensorAddressBits(const Warp &, uint32_t index, int lane);
/// Traps X4 for a tainted lane of the address.
Flow checkTensorAddress(Warp &, const Op &, uint32_t index, uint32_t mask, const char *what);
/// Asks for the whole warp (X1): Converge, Trap if one of its threads has exited, or Next.
Flow wholeWarp(Warp &, uint32_t mask);
/// Traps X1 unless all lanes have the same 32-bit value.
Flow checkUniform(Warp &, Ref, const char *what);
/// Traps T12 if several lanes issue; `same`: they name the same operands.
Flow checkOneThread(Warp &, uint32_t mask, bool same);
/// The CTAs that an instruction of `group` works on, own first; T8 if there is no peer, or it has
/// ended. Returns their number; 0: trapped.
unsigned ctasOfGroup(const Origin &, unsigned group, Cta *(&ctas)[2]);

} // namespace msa::ptxsim

//===- AsyncForms.h - what asynchronous instructions share in decoding
//---------------------------===//
//
// Instructions with several addresses keep them in Program::lists, three words each.
// Each executing lane issues an operation of its own.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/AsyncMemory.h"
#include "ptxsim/engine/Decoder.h"

namespace msa::ptxsim {

inline constexpr uint32_t addressWords = 3;
/// Appends an address operand of `space` to the lists; its index there.
uint32_t appendAddress(Decoder &, const Operand &, StateSpace space);
/// The generic address of a lane.
uint64_t addressAt(const Warp &, uint32_t index, int lane);
/// Lanes whose address is uninitialised.
uint32_t addressTaint(const Warp &, uint32_t index);
/// Traps X4 for a tainted lane of the address.
Flow checkAddress(Warp &, const Op &, uint32_t index, uint32_t mask, const char *what);

/// Takes "shared::cluster" (2), "shared::cta" or "shared" (1), or nothing (0: a generic address).
int takeSharedSpace(Decoder &);
/// Takes .sem and .scope, which come together or not at all; `strong`: .acquire or .release, or
/// null where only .relaxed exists. Fails for others; `relaxed` says whether .relaxed was there.
bool takeSemantics(Decoder &, const char *strong, bool &relaxed);
/// A list index of a constant or register operand of 16, 32 or 64 bits.
Ref sourceOf(Decoder &, const Operand &, const char *type);

/// The mbarrier that an address names, in this CTA or (with `remote`) another one; traps if none.
Flow resolveMbarrier(const Origin &, uint64_t address, bool remote, Cta *&owner, uint32_t &offset);

} // namespace msa::ptxsim

//===- AddressSpace.h - the map of generic addresses -----------------------===//
//
// Generic addresses (PTX ISA 5.1, 6.4.1) are 64 bits; each state space has a
// window in them, far apart, so that a wild pointer hits a gap. Addresses are the
// same in every run: they never are host addresses. An address in a state space
// other than global is the distance from the start of its window.
//
//   module variables  0x0000'0F00'0000'0000   .global variables of the running module
//   shared            0x0000'0100'0000'0000   bits 31:24 are kept for the rank in a cluster
//   local             0x0000'0200'0000'0000   the same range for every thread, other bytes
//   const             0x0000'0300'0000'0000
//   param             0x0000'0400'0000'0000   the kernel's parameters
//   buffers           0x0000'1000'0000'0000 and up
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>

namespace msa::ptxsim {

inline constexpr uint64_t sharedWindow = 0x0000'0100'0000'0000;
inline constexpr uint64_t localWindow = 0x0000'0200'0000'0000;
inline constexpr uint64_t constWindow = 0x0000'0300'0000'0000;
inline constexpr uint64_t paramWindow = 0x0000'0400'0000'0000;
inline constexpr uint64_t moduleWindow = 0x0000'0F00'0000'0000;
inline constexpr uint64_t bufferWindow = 0x0000'1000'0000'0000;
/// Where an address in the shared window carries the rank of its CTA.
inline constexpr unsigned sharedRankShift = 24;
/// Bytes of each of the small windows; the shared one takes a CTA rank from bit 24 on.
inline constexpr uint64_t windowBytes = 0x0000'0001'0000'0000;
/// Buffers are this far apart at least: an overrun hits a gap and names its buffer.
inline constexpr uint64_t guardBytes = 1ull << 20;

} // namespace msa::ptxsim

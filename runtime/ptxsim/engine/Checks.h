//===- Checks.h - the ids of what the simulator looks for -----------------===//
#pragma once

#include "msa/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace msa::ptxsim {

/// Checks that the engine makes (docs/simulator.md); the names are the ids that users write.
enum class Check : uint8_t {
  X1, ///< `.aligned` instruction executed by part of a warp
  X2, ///< barrier misuse and deadlock
  X4, ///< uninitialised value reaches memory, a branch or an address
  X5, ///< misaligned, out-of-bounds or null access
  X6, ///< local or parameter access out of bounds
  X7, ///< warp-level instruction and its member mask
  B6, ///< a CTA's shared memory accessed after the CTA has ended
  P2, ///< shared memory used while cp.async still writes it
  P5, ///< data race
};

/// Which checks are on.
class CheckSet {
public:
  /// `disabled`: ids of docs/simulator.md (those of later parts are accepted and change nothing),
  /// or "all".
  static Expected<CheckSet> create(const std::vector<std::string> &disabled);
  bool on(Check check) const { return (off & (1u << static_cast<unsigned>(check))) == 0; }

private:
  uint32_t off = 0;
};

std::string_view toString(Check);

} // namespace msa::ptxsim

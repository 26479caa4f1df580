#include "ptxsim/engine/Checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace msa::ptxsim {

namespace {

constexpr std::array<std::string_view, checkCount> names = {
    "P1",  "P2", "P3", "P4", "P5", "P6", "P7", "B1", "B2", "B3", "B4",  "B5",
    "B6",  "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11",
    "T12", "D1", "D2", "D3", "D4", "D5", "D6", "M1", "M2", "M3", "M4",  "W1",
    "W2",  "W3", "W4", "X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8"};

} // namespace

std::string_view toString(Check check) { return names[static_cast<unsigned>(check)]; }

Expected<CheckSet> CheckSet::create(const std::vector<std::string> &disabled) {
  CheckSet set;
  for (const std::string &id : disabled) {
    if (id == "all") {
      set.off = ~0ull;
      continue;
    }
    // X9 (what cannot be executed) is known, and cannot be switched off.
    auto found = std::find(names.begin(), names.end(), id);
    if (found == names.end() && id != "X9")
      return Status::invalid(fmt::format("check '{}': there is no such check; ids are P1-P7, "
                                         "B1-B6, T1-T12, D1-D6, M1-M4, W1-W4, X1-X9, or all",
                                         id));
    if (found != names.end())
      set.off |= 1ull << (found - names.begin());
  }
  return set;
}

} // namespace msa::ptxsim

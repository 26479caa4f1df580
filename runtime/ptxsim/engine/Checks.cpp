#include "ptxsim/engine/Checks.h"

#include <fmt/format.h>

#include <array>

namespace msa::ptxsim {

namespace {

constexpr std::array<std::string_view, 9> engineIds = {"X1", "X2", "X4", "X5", "X6",
                                                       "X7", "B6", "P2", "P5"};

/// Families of ids with their highest number, so that a script may name checks of every part.
struct IdFamily {
  char letter;
  unsigned last;
};
constexpr std::array<IdFamily, 7> families = {
    {{'P', 7}, {'B', 6}, {'T', 12}, {'D', 6}, {'M', 4}, {'W', 4}, {'X', 9}}};

bool isKnown(std::string_view id) {
  for (IdFamily family : families)
    for (unsigned number = 1; number <= family.last; ++number)
      if (id == fmt::format("{}{}", family.letter, number))
        return true;
  return false;
}

} // namespace

std::string_view toString(Check check) { return engineIds[static_cast<unsigned>(check)]; }

Expected<CheckSet> CheckSet::create(const std::vector<std::string> &disabled) {
  CheckSet set;
  for (const std::string &id : disabled) {
    if (id == "all") {
      set.off = ~0u;
      continue;
    }
    if (!isKnown(id))
      return Status::invalid(fmt::format("check '{}': there is no such check; ids are P1-P7, "
                                         "B1-B6, T1-T12, D1-D6, M1-M4, W1-W4, X1-X9, or all",
                                         id));
    for (unsigned i = 0; i < engineIds.size(); ++i)
      if (engineIds[i] == id)
        set.off |= 1u << i;
  }
  return set;
}

} // namespace msa::ptxsim

//===- Tally.cpp - counts comparisons and remembers the worst -------------===//
#include "verify/Tally.h"

#include <fmt/format.h>
#include <limits>

namespace msa::verify {

Tally::Tally(std::string phase, std::string tensor, std::string clause,
             std::vector<int64_t> shape) {
  result.phase = std::move(phase);
  result.tensor = std::move(tensor);
  result.clause = std::move(clause);
  result.shape = std::move(shape);
}

void Tally::tell(double ratio, const std::string &text) {
  bool wrong = !(ratio <= 1);
  // The first wrong element is the one to look at; before it, the worst good one.
  if (!wrong || result.wrong == 1)
    result.detail = result.tensor + text;
  if (!(ratio <= result.worst))
    result.worst = std::isnan(ratio) ? std::numeric_limits<double>::infinity() : ratio;
}

std::string Tally::numberText(double got, double expected, double error, double bound) {
  return fmt::format(": got {:.9g}, expected {:.9g}, error {:.3g}, bound {:.3g}", got, expected,
                     error, bound);
}

std::string Tally::nanText(uint32_t got) {
  return fmt::format(": got bits {:#010x}{}, expected NaN", got,
                     got == 0x7FC0DEADu ? " (never written)" : "");
}

std::string Tally::poisonText(uint32_t got, uint32_t kept) {
  return got == kept
             ? std::string(": untouched, as it must be")
             : fmt::format(
                   ": written (bits {:#x}), but the cell belongs to nothing and keeps {:#x}", got,
                   kept);
}

std::string Tally::integerText(int64_t got, int64_t expected) {
  return fmt::format(": got {}, expected {}", got, expected);
}

} // namespace msa::verify

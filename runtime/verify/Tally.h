//===- Tally.h - counts comparisons and remembers the worst ---------------===//
//
// The inner loop of every check: a comparison that is no worse than what was
// seen before costs a division and no text.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "verify/Compare.h"

#include <cmath>
#include <string>

namespace msa::verify {

/// Collects one CheckResult. `where` is a callable that names the element; it is called only for
/// elements worth telling about.
class Tally {
public:
  Tally(std::string phase, std::string tensor, std::string clause, std::vector<int64_t> shape);

  /// |got - expected| must be within bound; NaN is wrong, infinities must be equal.
  template <typename Where>
  void number(double got, double expected, double bound, const Where &where) {
    double error = got == expected ? 0 : std::fabs(got - expected);
    double ratio = error == 0 ? 0 : bound > 0 ? error / bound : HUGE_VAL;
    if (isNews(ratio))
      tell(ratio, where() + numberText(got, expected, error, bound));
  }
  /// A result that must be NaN but not the poison (I1: all dots NaN).
  template <typename Where> void notANumber(uint32_t got, const Where &where) {
    bool nan = (got & 0x7FFFFFFFu) > 0x7F800000u && got != 0x7FC0DEADu;
    if (isNews(nan ? 0 : HUGE_VAL))
      tell(nan ? 0 : HUGE_VAL, where() + nanText(got));
  }
  /// A cell that no clause defines keeps the bits it had.
  template <typename Where> void poison(uint32_t got, uint32_t kept, const Where &where) {
    if (isNews(got == kept ? 0 : HUGE_VAL))
      tell(got == kept ? 0 : HUGE_VAL, where() + poisonText(got, kept));
  }
  /// Integers are equal.
  template <typename Where> void integer(int64_t got, int64_t expected, const Where &where) {
    if (isNews(got == expected ? 0 : HUGE_VAL))
      tell(got == expected ? 0 : HUGE_VAL, where() + integerText(got, expected));
  }

  CheckResult take() { return std::move(result); }

private:
  /// Counts one element; true when its text may be wanted: the first wrong element, or, while none
  /// is wrong, the worst.
  bool isNews(double ratio) {
    ++result.elements;
    bool wrong = !(ratio <= 1);
    result.wrong += wrong;
    if (wrong)
      return result.wrong == 1 || !(ratio <= result.worst);
    return result.wrong == 0 && (ratio > result.worst || result.detail.empty());
  }
  void tell(double ratio, const std::string &text);
  static std::string numberText(double got, double expected, double error, double bound);
  static std::string nanText(uint32_t got);
  static std::string poisonText(uint32_t got, uint32_t kept);
  static std::string integerText(int64_t got, int64_t expected);

  CheckResult result;
};

} // namespace msa::verify

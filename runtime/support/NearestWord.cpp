//===- NearestWord.cpp - "did you mean" -----------------------------------===//
//
// See NearestWord.h.
//
//===----------------------------------------------------------------------===//
#include "support/NearestWord.h"

#include <fmt/format.h>

#include <algorithm>

namespace msa {
namespace {

/// Words longer than this are never a slip of a known one.
constexpr size_t longestWord = 64;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Damerau-Levenshtein distance, restricted form: three rows of the table are alive.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

} // namespace

std::string_view nearestWord(std::string_view word,
                             const std::vector<std::string_view> &candidates) {
  if (word.empty() || word.size() > longestWord)
    return {};
  std::string_view best;
  size_t bestDistance = 0;
  for (std::string_view candidate : candidates) {
    size_t d = distance(word, candidate);
    if (best.empty() || d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  // A third of the letters may differ, and one always.
  size_t allowed = std::max<size_t>(1, std::max(word.size(), best.size()) / 3);
  return bestDistance <= allowed && bestDistance < best.size() ? best : std::string_view();
}

std::string suggestion(std::string_view word, const std::vector<std::string_view> &candidates) {
  std::string_view nearest = nearestWord(word, candidates);
  std::string text = nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
  return text + fmt::format("; accepted: {}", fmt::join(candidates, ", "));
}

std::string quoteText(std::string_view text) {
  constexpr size_t longest = 60;
  std::string out = "'";
  for (char c : text.substr(0, longest)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out + (text.size() > longest ? "...'" : "'");
}

} // namespace msa

//===- NearestWord.h - "did you mean" -------------------------------------===//
//
// Edit distance over a handful of words, for messages about unknown names.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace msa {

/// The candidate nearest to `word` by edit distance (insert, remove, replace, swap neighbours; case
/// is free), or empty when none is near enough to suggest. The first of equals wins.
std::string_view nearestWord(std::string_view word,
                             const std::vector<std::string_view> &candidates);

/// "; did you mean 'x'?" when there is a nearest word, then "; accepted: a, b, c" of all
/// candidates.
std::string suggestion(std::string_view word, const std::vector<std::string_view> &candidates);

/// Text of a stranger for a message: control and non-ASCII bytes as \xNN, cut after 60 characters.
std::string quoteText(std::string_view text);

} // namespace msa

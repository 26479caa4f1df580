//===- NearestWordTest.cpp - "did you mean" -------------------------------===//
#include "support/NearestWord.h"

#include <catch2/catch.hpp>

using namespace msa;

TEST_CASE("a slip finds its word, and a stranger none") {
  std::vector<std::string_view> words = {"topk", "block_size", "head_dim", "index_dim", "o"};
  CHECK(nearestWord("topk", words) == "topk");
  CHECK(nearestWord("top_k", words) == "topk");
  CHECK(nearestWord("tokp", words) == "topk");
  CHECK(nearestWord("TOPK", words) == "topk");
  CHECK(nearestWord("blocksize", words) == "block_size");
  CHECK(nearestWord("headdim", words) == "head_dim");
  CHECK(nearestWord("wholly different", words).empty());
  CHECK(nearestWord("x", words).empty());
  CHECK(nearestWord("", words).empty());
  CHECK(nearestWord(std::string(100000, 'a'), words).empty());
  CHECK(nearestWord("a", {}).empty());
}

TEST_CASE("the first of equals wins") { CHECK(nearestWord("sm_9", {"sm_90", "sm_91"}) == "sm_90"); }

TEST_CASE("a stranger's bytes are shown harmlessly") {
  CHECK(quoteText("abc") == "'abc'");
  CHECK(quoteText("a\n\x1b[31m\xff") == "'a\\x0a\\x1b[31m\\xff'");
  CHECK(quoteText(std::string(100, 'x')) == "'" + std::string(60, 'x') + "...'");
}

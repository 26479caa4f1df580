//===- WorkloadTest.cpp - workload files, --scale and --fit ---------------===//
#include "verify/Workload.h"

#include <catch2/catch.hpp>
#include <functional>
#include <numeric>

using namespace msa;
using namespace msa::verify;
using Lengths = std::vector<int64_t>;

namespace {

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

std::vector<WorkloadCase> load(const char *name) {
  auto cases = loadWorkload(std::string(MSA_WORKLOADS) + "/" + name);
  REQUIRE(cases.status().message() == "");
  return *cases;
}

/// The rules of interfaces.md section 1, tried one divisor after the other.
int64_t firstDivisor(int64_t limit, const std::function<bool(int64_t)> &fits) {
  for (int64_t n = 1; n <= limit; ++n)
    if (fits(n))
      return n;
  return 0;
}

} // namespace

TEST_CASE("Both workload files are read") {
  auto prefill = load("prefill.json");
  CHECK(prefill.size() == 80);
  auto c = findCase(prefill, "1771c5fd9f866a13a3bc");
  REQUIRE(c.ok());
  CHECK(c->queryLens == Lengths{13});
  CHECK(c->kvLens == Lengths{57997});
  auto decode = load("decode.json");
  CHECK(decode.size() == 34);
  CHECK(decode[0].queryLens == Lengths(8, 8));
  CHECK(decode[0].kvLens[0] == 1234);
  CHECK(contains(findCase(prefill, "1771c5fd9f866a13a3bd").status().message(),
                 "did you mean '1771c5fd9f866a13a3bc'"));
}

TEST_CASE("All 80 prefill cases fit 24,3072 as the interface says") {
  Plan plan;
  for (const WorkloadCase &c : load("prefill.json")) {
    INFO(c.id);
    auto small = fit(c, 24, 3072, plan);
    REQUIRE(small.status().message() == "");
    auto divideQ = [&](int64_t d) {
      Lengths q = c.queryLens;
      for (int64_t &x : q)
        x = std::max<int64_t>(1, x / d);
      return q;
    };
    int64_t d = firstDivisor(1 << 20, [&](int64_t n) {
      Lengths q = divideQ(n);
      return std::accumulate(q.begin(), q.end(), int64_t(0)) <= 24;
    });
    CHECK(small->queryLens == divideQ(d));
    auto divideK = [&](int64_t e) {
      Lengths k = c.kvLens;
      for (size_t r = 0; r < k.size(); ++r)
        k[r] = k[r] / 128 / e * 128 + k[r] % 128;
      return k;
    };
    int64_t e = firstDivisor(1 << 20, [&](int64_t n) {
      Lengths k = divideK(n);
      return *std::max_element(k.begin(), k.end()) <= 3072;
    });
    Lengths expected = divideK(e);
    for (size_t r = 0; r < expected.size(); ++r) {
      while (expected[r] < small->queryLens[r])
        expected[r] += 128;
      CHECK(small->kvLens[r] % 128 == c.kvLens[r] % 128);
    }
    CHECK(small->kvLens == expected);
    if (*std::max_element(c.kvLens.begin(), c.kvLens.end()) > 19 * 128)
      CHECK(*std::max_element(expected.begin(), expected.end()) > 19 * 128);
  }
}

TEST_CASE("Fitting keeps remainders, single tokens and query lengths") {
  Plan plan;
  plan.blockSize = 16;
  plan.topk = 1;
  WorkloadCase c{"x", {40, 1}, {1000, 33}};
  auto small = fit(c, 11, 100, plan);
  REQUIRE(small.status().message() == "");
  CHECK(small->queryLens == Lengths{10, 1}); // 40 / 4
  CHECK(small->kvLens == Lengths{88, 1});    // 62 blocks / 12 = 5, and 8; 2 / 12 = 0, and 1
  auto same = fit(c, 41, 1000, plan);
  REQUIRE(same.ok());
  CHECK(same->kvLens == c.kvLens);
  WorkloadCase full{"y", {20}, {320}}; // no remainder: never below the query length
  plan.topk = 64;
  auto least = fit(full, 20, 32, plan);
  REQUIRE(least.status().message() == "");
  CHECK(least->kvLens == Lengths{32});
}

TEST_CASE("What cannot be fitted says the smallest Q,K that would do") {
  Plan plan; // B 128, k 16: 20 blocks must remain
  WorkloadCase c{"x", {300, 200, 5}, {57997, 4000, 128}};
  auto tooFew = fit(c, 2, 3072, plan);
  CHECK(tooFew.status().code() == StatusCode::InvalidInput);
  CHECK(contains(tooFew.status().message(), "3 requests"));
  auto refused = fit(c, 24, 1000, plan);
  CHECK(contains(refused.status().message(), "below topk + 4 = 20"));
  // 453 blocks / 22 = 20 blocks and 13 keys; the next divisor that changes anything leaves 19
  // and 13.
  CHECK(contains(refused.status().message(), "--fit 3,2445"));
  CHECK(fit(c, 3, 2445, plan).ok());
  CHECK_FALSE(fit(c, 3, 2444, plan).ok());
  CHECK_FALSE(fit(c, 2, 2445, plan).ok());
  WorkloadCase below{"y", {300}, {300}};
  auto keys = fit(below, 300, 100, plan);
  CHECK(contains(keys.status().message(), "no divisor leaves 100 keys"));
  CHECK(contains(keys.status().message(), "--fit 1,44"));
  CHECK(contains(keys.status().message(), "with Q = 300, K = 300"));
  CHECK(fit(below, 1, 44, plan).ok());
  CHECK(fit(below, 300, 300, plan).ok());
}

TEST_CASE("One divisor for both with --scale") {
  Plan plan;
  WorkloadCase c{"x", {300, 5}, {57997, 4000}};
  auto small = scale(c, 10, plan);
  REQUIRE(small.ok());
  CHECK(small->queryLens == Lengths{30, 1});
  CHECK(small->kvLens == Lengths{45 * 128 + 13, 3 * 128 + 32});
  auto refused = scale(c, 40, plan);
  CHECK(contains(refused.status().message(), "the largest that would do is --scale 23"));
  CHECK(scale(c, 23, plan).ok());
  CHECK_FALSE(scale(c, 24, plan).ok());
  CHECK_FALSE(scale(c, 0, plan).ok());
}

TEST_CASE("Bad workload files are refused with their place") {
  auto failure = [](const char *text) {
    auto cases = parseWorkload(text, "w.json");
    REQUIRE_FALSE(cases.ok());
    CHECK(cases.status().code() == StatusCode::InvalidInput);
    CHECK(contains(cases.status().message(), "w.json"));
    return cases.status().message();
  };
  failure("");
  failure("[]");
  CHECK(contains(failure("{}"), "cases"));
  failure(R"({"cases": 3})");
  CHECK(contains(failure(R"({"cases": [{"query_lens": [1], "kv_lens": [2]}]})"), "id"));
  CHECK(contains(failure(R"({"cases": [{"id": "a", "query_lens": [1], "kv_lens": [2, 3]}]})"),
                 "cases[0]"));
  CHECK(contains(
      failure(R"({"cases": [{"id": "a", "query_lens": [1], "kv_lens": [2], "prefix_lens": [1]}]})"),
      "prefix_lens"));
  CHECK(contains(failure(R"({"cases": [{"id": "a", "query_lens": [0], "kv_lens": [2]}]})"),
                 "request 0"));
  CHECK(contains(failure(R"({"cases": [{"id": "a", "query_lens": [1.5], "kv_lens": [2]}]})"),
                 "query_lens"));
  CHECK(contains(
      failure(R"({"cases": [{"id": "a", "query_lens": [1], "kv_lens": [2], "colour": 1}]})"),
      "colour"));
  CHECK(contains(failure(R"({"cases": [{"id": "a", "query_lens": [1], "prefix_lens": [-1]}]})"),
                 "request 0"));
}

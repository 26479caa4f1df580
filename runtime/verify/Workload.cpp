//===- Workload.cpp - lengths of real serving calls, shrunk to fit --------===//
#include "verify/Workload.h"

#include "support/File.h"
#include "support/Json.h"
#include "support/NearestWord.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <numeric>

namespace msa::verify {
namespace {

using nlohmann::json;

constexpr int64_t longest = (int64_t(1) << 31) - 1;

/// Keys that a case may have besides its lengths, which we do not use.
Status readCase(const json &value, const std::string &path, WorkloadCase &result) {
  JsonFields fields(value, path);
  fields.require("id");
  fields.text("id", result.id);
  fields.child("weight");
  fields.child("stratum");
  int64_t queryLen = -1;
  std::vector<int64_t> prefixLens;
  fields.integers64("query_lens", result.queryLens);
  fields.integers64("prefix_lens", prefixLens);
  fields.integers64("kv_lens", result.kvLens);
  fields.integer64("query_len", queryLen);
  MSA_RETURN_IF_ERROR(fields.finish());
  if (queryLen >= 0 && result.queryLens.empty())
    result.queryLens.assign(result.kvLens.size(), queryLen);
  bool prefix = !prefixLens.empty();
  if (prefix == !result.kvLens.empty() || result.queryLens.empty())
    return Status::invalid(fmt::format(
        "{}: expected query_lens with prefix_lens, or query_len (or query_lens) with kv_lens",
        path));
  size_t lengths = prefix ? prefixLens.size() : result.kvLens.size();
  if (lengths != result.queryLens.size())
    return Status::invalid(fmt::format("{}: {} query lengths and {} {}", path,
                                       result.queryLens.size(), lengths,
                                       prefix ? "prefix_lens" : "kv_lens"));
  for (size_t r = 0; r < lengths; ++r) {
    int64_t q = result.queryLens[r], other = prefix ? prefixLens[r] : result.kvLens[r];
    if (q < 1 || q > longest || other < 0 || other > longest)
      return Status::invalid(
          fmt::format("{}: request {} has lengths {} and {}; query lengths are 1..{}, others 0..{}",
                      path, r, q, other, longest, longest));
    if (prefix)
      result.kvLens.push_back(other + q);
  }
  return {};
}

int64_t total(const std::vector<int64_t> &lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), int64_t(0));
}

int64_t largest(const std::vector<int64_t> &lengths) {
  return *std::max_element(lengths.begin(), lengths.end());
}

std::vector<int64_t> divideQueries(const std::vector<int64_t> &lengths, int64_t divisor) {
  std::vector<int64_t> result;
  for (int64_t q : lengths)
    result.push_back(std::max<int64_t>(1, q / divisor));
  return result;
}

std::vector<int64_t> divideKeys(const std::vector<int64_t> &lengths, int64_t divisor,
                                const std::vector<int64_t> &queries, int64_t block) {
  std::vector<int64_t> result;
  for (size_t r = 0; r < lengths.size(); ++r) {
    int64_t keys = lengths[r] / block / divisor * block + lengths[r] % block;
    if (keys < queries[r] && lengths[r] >= queries[r])
      keys += (queries[r] - keys + block - 1) / block * block;
    result.push_back(keys);
  }
  return result;
}

/// Divisors beyond this change nothing: every quotient is 0 already.
int64_t divisorLimit(const WorkloadCase &c) {
  return std::max(largest(c.queryLens), largest(c.kvLens)) + 1;
}

/// The smallest divisor in [1, limit] for which `fits` holds; `fits` is monotone. 0 = none.
template <typename Fits> int64_t smallestDivisor(int64_t limit, const Fits &fits) {
  if (!fits(limit))
    return 0;
  int64_t low = 1, high = limit;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (fits(middle))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Whether the longest request had at least topk + 4 blocks and no longer has.
bool losesBlocks(const WorkloadCase &from, const std::vector<int64_t> &keys, const Plan &plan) {
  int64_t needed = plan.topk + 4;
  return ceilDiv(largest(from.kvLens), plan.blockSize) >= needed &&
         ceilDiv(largest(keys), plan.blockSize) < needed;
}

/// The smallest K that some KV divisor keeps to without losing blocks, for given query lengths.
/// The longest KV length falls with the divisor, so the last good divisor gives it.
int64_t smallestKeys(const WorkloadCase &c, const std::vector<int64_t> &queries, const Plan &plan) {
  int64_t limit = divisorLimit(c);
  auto divided = [&](int64_t e) { return divideKeys(c.kvLens, e, queries, plan.blockSize); };
  int64_t firstBad =
      smallestDivisor(limit, [&](int64_t e) { return losesBlocks(c, divided(e), plan); });
  return largest(divided(firstBad == 0 ? limit : std::max<int64_t>(1, firstBad - 1)));
}

/// "the smallest that would do is --fit 13,2560".
std::string smallestFit(const WorkloadCase &c, const Plan &plan) {
  auto ones = std::vector<int64_t>(c.queryLens.size(), 1);
  return fmt::format("the smallest that would do is --fit {},{}", ones.size(),
                     smallestKeys(c, ones, plan));
}

} // namespace

Expected<std::vector<WorkloadCase>> parseWorkload(std::string_view text, const std::string &name) {
  Expected<json> root = parseJson(text);
  if (!root)
    return root.status().in(name);
  JsonFields fields(*root, "");
  for (const char *key : {"description", "source", "heads"})
    fields.child(key);
  fields.require("cases");
  const json *list = fields.array("cases");
  if (Status status = fields.finish(); !status)
    return status.in(name);
  std::vector<WorkloadCase> cases;
  for (size_t i = 0; i < list->size(); ++i) {
    WorkloadCase c;
    if (Status status = readCase((*list)[i], fmt::format("cases[{}]", i), c); !status)
      return status.in(name);
    cases.push_back(std::move(c));
  }
  return cases;
}

Expected<std::vector<WorkloadCase>> loadWorkload(const std::filesystem::path &path) {
  MSA_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  return parseWorkload(text, path.string());
}

Expected<WorkloadCase> findCase(const std::vector<WorkloadCase> &cases, std::string_view id) {
  std::vector<std::string_view> ids;
  for (const WorkloadCase &c : cases) {
    if (c.id == id)
      return c;
    ids.push_back(c.id);
  }
  std::string_view near = nearestWord(id, ids);
  return Status::invalid(
      fmt::format("case {}: not among the file's {} cases{}", quoteText(id), ids.size(),
                  near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near)));
}

WorkloadCase shrink(const WorkloadCase &c, int64_t queryDivisor, int64_t kvDivisor, int blockSize) {
  WorkloadCase result{c.id, divideQueries(c.queryLens, queryDivisor), {}};
  result.kvLens = divideKeys(c.kvLens, kvDivisor, result.queryLens, blockSize);
  return result;
}

Expected<WorkloadCase> fit(const WorkloadCase &c, int64_t mostTokens, int64_t mostKeys,
                           const Plan &plan) {
  std::string asked = fmt::format("case {} does not fit --fit {},{}", c.id, mostTokens, mostKeys);
  auto refuse = [&](const std::string &why) {
    return Status::invalid(fmt::format("{}: {}; {}", asked, why, smallestFit(c, plan)));
  };
  int64_t limit = divisorLimit(c);
  int64_t queryDivisor = smallestDivisor(
      limit, [&](int64_t d) { return total(divideQueries(c.queryLens, d)) <= mostTokens; });
  if (queryDivisor == 0)
    return refuse(fmt::format("{} requests need at least one token each", c.queryLens.size()));
  auto queries = divideQueries(c.queryLens, queryDivisor);
  auto keysFor = [&](int64_t e) { return divideKeys(c.kvLens, e, queries, plan.blockSize); };
  std::string keep = fmt::format("with Q = {}, K = {}", mostTokens, smallestKeys(c, queries, plan));
  int64_t kvDivisor =
      smallestDivisor(limit, [&](int64_t e) { return largest(keysFor(e)) <= mostKeys; });
  if (kvDivisor == 0)
    return refuse(fmt::format("no divisor leaves {} keys in every request ({})", mostKeys, keep));
  auto keys = keysFor(kvDivisor);
  if (losesBlocks(c, keys, plan))
    return refuse(
        fmt::format("the longest request would fall from {} to {} blocks, below topk + 4 = {} ({})",
                    ceilDiv(largest(c.kvLens), plan.blockSize),
                    ceilDiv(largest(keys), plan.blockSize), plan.topk + 4, keep));
  return WorkloadCase{c.id, queries, keys};
}

Expected<WorkloadCase> scale(const WorkloadCase &c, int64_t divisor, const Plan &plan) {
  if (divisor < 1)
    return Status::invalid(
        fmt::format("--scale {}: expected a whole number of at least 1", divisor));
  WorkloadCase result = shrink(c, divisor, divisor, plan.blockSize);
  if (!losesBlocks(c, result.kvLens, plan))
    return result;
  int64_t bad = smallestDivisor(divisor, [&](int64_t n) {
    return losesBlocks(c, shrink(c, n, n, plan.blockSize).kvLens, plan);
  });
  return Status::invalid(
      fmt::format("case {} does not take --scale {}: the longest request would fall from {} to {} "
                  "blocks, below topk + 4 = {}; the largest that would do is --scale {}; {}",
                  c.id, divisor, ceilDiv(largest(c.kvLens), plan.blockSize),
                  ceilDiv(largest(result.kvLens), plan.blockSize), plan.topk + 4, bad - 1,
                  smallestFit(c, plan)));
}

} // namespace msa::verify

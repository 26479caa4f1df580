//===- Workload.h - lengths of real serving calls, shrunk to fit ----------===//
//
// Reads the workload files (tests/workloads: prefill.json and decode.json) and
// implements `--scale` and `--fit` of interfaces.md section 1.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Plan.h"
#include "msa/Status.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace msa::verify {

/// One batched call; KV lengths include the query tokens.
struct WorkloadCase {
  std::string id;
  std::vector<int64_t> queryLens, kvLens;
};

/// All cases of a file. Prefill cases have `query_lens` and `prefix_lens`, decode cases one
/// `query_len` and `kv_lens`; `query_lens` with `kv_lens` is taken as well.
Expected<std::vector<WorkloadCase>> loadWorkload(const std::filesystem::path &);
Expected<std::vector<WorkloadCase>> parseWorkload(std::string_view text, const std::string &name);
/// The case, or an error that suggests the nearest id.
Expected<WorkloadCase> findCase(const std::vector<WorkloadCase> &, std::string_view id);

/// Lengths after division. A query length keeps at least 1 token. A KV length keeps its remainder
/// modulo the block size and its whole blocks are divided; blocks are added back until it is not
/// below its query length.
WorkloadCase shrink(const WorkloadCase &, int64_t queryDivisor, int64_t kvDivisor, int blockSize);

/// `--fit Q,K`: the smallest divisors that leave at most Q query tokens in all and at most K keys
/// in every request. Refused (with the smallest Q,K that would do) when there are none, or when the
/// longest request falls from at least topk + 4 blocks to fewer.
Expected<WorkloadCase> fit(const WorkloadCase &, int64_t mostTokens, int64_t mostKeys,
                           const Plan &);
/// `--scale N`: N for both divisors; refused as above, with the largest N that would do.
Expected<WorkloadCase> scale(const WorkloadCase &, int64_t divisor, const Plan &);

} // namespace msa::verify

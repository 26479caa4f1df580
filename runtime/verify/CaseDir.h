//===- CaseDir.h - case directories on disk (interfaces.md section 3) -----===//
//
// `case.json` holds the plan's semantic keys and the lengths, every tensor is
// one `.npy` of raw bits. Whatever does not fit is an error that names the file.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "verify/Case.h"

#include <filesystem>
#include <string>
#include <vector>

namespace msa::verify {

/// What `case.json` says.
struct CaseHeader {
  Plan plan; ///< keys that are left out have their defaults
  std::vector<int64_t> queryLens, kvLens;
};
Expected<CaseHeader> loadCaseHeader(const std::filesystem::path &directory);

/// Loads the tensors that the phases of `plan` (usually the header's) read or write, as far as the
/// directory has them, each checked against its type and shape. A `.npy` file whose name is a slip
/// of a known one is an error; other names are left alone and listed in `ignored` when it is given.
Expected<Case> loadCase(const std::filesystem::path &directory, const Plan &plan,
                        std::vector<std::string> *ignored = nullptr);
/// The same with the plan of `case.json`, after checkPlan.
Expected<Case> loadCase(const std::filesystem::path &directory);

/// Writes `case.json` and every tensor of the case; makes the directory if need be.
Status saveCase(const std::filesystem::path &directory, const Case &);

/// The first semantic key in which two plans differ, as "block_size: 128 and 64"; empty when they
/// agree. `op` is compared only when `withOp`.
std::string semanticDifference(const Plan &, const Plan &, bool withOp);

} // namespace msa::verify

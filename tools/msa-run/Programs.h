//===- Programs.h - from a bundle or a plan to a program ------------------===//
//
// A plan is compiled by starting msa-compile, so that there is one way to a
// program that everybody tests.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Program.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace msa::run {

/// What a run needs: the program, and for an attention_split that stands alone the gather plan
/// that goes before it.
struct ProgramSet {
  std::shared_ptr<const Program> main, gather;
  std::string target; ///< of both
};

/// msa-compile beside this program, or in ../bin of its folder.
std::filesystem::path compilerPath();

/// Starts msa-compile for the plan (its target is the plan's). `ops` beyond the plan's own go into
/// the same bundle. Failures carry the compiler's code and text.
Expected<std::vector<Program>> compilePlan(const std::filesystem::path &compiler, const Plan &,
                                           const std::vector<Op> &ops);

/// Compiles what a run of `plan` needs.
Expected<ProgramSet> programsFor(const std::filesystem::path &compiler, const Plan &plan);

/// What to look for in a bundle.
struct BundleQuery {
  std::string target;            ///< of the device; empty = the newest in the bundle
  std::optional<Op> op;          ///< --op
  std::optional<Plan> semantics; ///< of a loaded case: all semantic keys but the op must agree
};

/// The best program of a bundle for the device: of those that run there, the newest target; of
/// several ops, the one asked for, else the one that contains the others.
Expected<ProgramSet> chooseFromBundle(const std::vector<Program> &, const BundleQuery &,
                                      const std::filesystem::path &compiler);

} // namespace msa::run

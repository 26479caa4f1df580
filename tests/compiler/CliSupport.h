//===- CliSupport.h - running msa-compile as a user does ------------------===//
#pragma once

#include "Support.h"

#include "support/Process.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <vector>

namespace msa::test {

inline const std::filesystem::path msaCompile = MSA_COMPILE_PROGRAM;

/// Runs msa-compile with a cache folder of the test's own.
inline ProcessResult compileWith(const ScratchFolder &scratch, std::vector<std::string> arguments,
                                 const std::filesystem::path &program = msaCompile) {
  ::setenv("MSA_CACHE_DIR", (scratch / "cache").c_str(), 1);
  arguments.insert(arguments.begin(), program.string());
  auto result = runProcess(arguments);
  if (!result.ok())
    throw std::runtime_error(result.status().message());
  return std::move(*result);
}

inline nlohmann::json jsonOf(const ProcessResult &result) {
  return nlohmann::json::parse(result.output);
}

/// True, with the reason in the log, when msa-compile answers that something is missing here.
inline bool skipMissing(const ProcessResult &result) {
  if (result.exitCode != 3)
    return false;
  WARN("SKIPPED: " << result.errors);
  return true;
}

} // namespace msa::test

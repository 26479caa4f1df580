//===- CommandLine.h - starts msa-run and msa-compile as users do ---------===//
#pragma once

#include "support/Process.h"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <unistd.h>

namespace msa::run {

/// Runs msa-run with the words of `line`.
inline ProcessResult msaRun(const std::string &line, const char *program = MSA_RUN) {
  std::vector<std::string> words = {program};
  std::istringstream stream(line);
  for (std::string word; stream >> word;)
    words.push_back(word);
  auto result = runProcess(words);
  REQUIRE(result.status().message() == "");
  CHECK(result->signal == 0);
  return *result;
}

/// A folder that is removed at the end of the test.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() /
      fmt::format("msa-run-test-{}-{}", getpid(), reinterpret_cast<uintptr_t>(this));
  Folder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string &name) const { return (path / name).string(); }
};

inline bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

} // namespace msa::run

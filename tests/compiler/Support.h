//===- Support.h - what the compiler tests share --------------------------===//
#pragma once

#include "compiler/Toolchain.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace msa::test {

/// A folder of its own for a test, removed with it.
class ScratchFolder {
public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "msa-test.XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      throw std::runtime_error("cannot make " + pattern);
    folder = pattern;
  }
  ~ScratchFolder() {
    std::error_code error;
    std::filesystem::remove_all(folder, error);
  }
  ScratchFolder(const ScratchFolder &) = delete;
  ScratchFolder &operator=(const ScratchFolder &) = delete;

  std::filesystem::path operator/(const std::string &name) const { return folder / name; }
  const std::filesystem::path &path() const { return folder; }
  size_t entries() const {
    return std::distance(std::filesystem::directory_iterator(folder),
                         std::filesystem::directory_iterator());
  }

private:
  std::filesystem::path folder;
};

inline std::string slurp(const std::filesystem::path &file) {
  std::ifstream stream(file, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline void spill(const std::filesystem::path &file, const std::string &text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// A skip that nobody overlooks: the reason goes to the log even of a passing run.
#define MSA_SKIP_WITHOUT(expected)                                                                 \
  if (!(expected).ok()) {                                                                          \
    WARN("SKIPPED: " << (expected).status().message());                                            \
    return;                                                                                        \
  }

} // namespace msa::test

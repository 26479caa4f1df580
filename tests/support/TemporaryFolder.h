//===- TemporaryFolder.h - a folder that lives as long as a test ----------===//
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace msa::test {

/// A fresh folder under the system's temporary one; removed with all it holds.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::random_device random;
    path = std::filesystem::temp_directory_path() /
           ("msa-test-" + std::to_string(random()) + std::to_string(random()));
    std::filesystem::create_directories(path);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
    std::filesystem::remove_all(path, error);
  }

  std::filesystem::path file(const std::string &name) const { return path / name; }
  size_t entries() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path),
                                             std::filesystem::directory_iterator()));
  }

  std::filesystem::path path;
};

inline void spill(const std::filesystem::path &file, const std::string &content) {
  std::ofstream(file, std::ios::binary) << content;
}

inline std::string slurp(const std::filesystem::path &file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

} // namespace msa::test

//===- File.h - whole files in, whole files out ---------------------------===//
//
// Output files appear whole or not at all: they are written under another name
// in the same folder and renamed. A failure, or a writer that is destroyed
// before `commit`, leaves nothing behind. Assumes POSIX.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msa {

/// Largest file that `readFile` takes when nothing else is said: 4 GiB.
inline constexpr uint64_t defaultFileLimit = uint64_t(4) << 30;

/// The bytes of a regular file or pipe. Errors name the path and the reason; a file longer than
/// `limit` is refused before it is read.
Expected<std::vector<uint8_t>> readFile(const std::filesystem::path &,
                                        uint64_t limit = defaultFileLimit);
/// The same as text, 256 MiB at most.
Expected<std::string> readTextFile(const std::filesystem::path &);

/// Replaces the file as a whole. A path that names a device or pipe (/dev/null) is written
/// directly.
Status writeFileAtomic(const std::filesystem::path &, std::span<const uint8_t> bytes);
Status writeFileAtomic(const std::filesystem::path &, std::string_view text);

/// A file in the making. Move only.
class FileWriter {
public:
  /// Opens a file aside of `path`, whose folder must exist.
  static Expected<FileWriter> create(const std::filesystem::path &path);
  FileWriter(FileWriter &&) noexcept;
  FileWriter &operator=(FileWriter &&) noexcept;
  /// Removes what was not committed.
  ~FileWriter();

  Status write(std::span<const uint8_t> bytes);
  /// Gives the file its name. Nothing can be written afterwards.
  Status commit();

private:
  FileWriter(std::filesystem::path goal, std::filesystem::path aside, int descriptor);
  void abandon();
  Status failure(const char *doing) const;

  std::filesystem::path goal;
  std::filesystem::path aside; ///< empty when the goal itself is written (a device)
  int descriptor = -1;         ///< -1 once committed or moved from
};

} // namespace msa

//===- File.cpp - whole files in, whole files out -------------------------===//
//
// See File.h. No fsync: what must survive a power cut carries checksums.
//
//===----------------------------------------------------------------------===//
#include "support/File.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace fs = std::filesystem;

namespace msa {
namespace {

Status fileError(const fs::path &path, const char *doing, int error) {
  return Status::invalid(fmt::format("cannot {} {}: {}", doing, path.string(), strerror(error)));
}

/// Closes a descriptor at the end of a scope.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0)
      ::close(number);
  }
};

/// Reads until the end of the file, or until more than `limit` bytes have come.
template <typename Container>
Status readAll(const fs::path &path, uint64_t limit, Container &content) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0)
    return fileError(path, "read", errno);
  struct stat info = {};
  if (::fstat(file.number, &info) != 0)
    return fileError(path, "read", errno);
  if (S_ISDIR(info.st_mode))
    return Status::invalid(
        fmt::format("cannot read {}: it is a folder, and a file is wanted", path.string()));
  Status tooLong = Status::invalid(
      fmt::format("cannot read {}: it is longer than {} bytes", path.string(), limit));
  if (static_cast<uint64_t>(info.st_size) > limit)
    return tooLong;
  size_t used = 0;
  content.resize(static_cast<size_t>(info.st_size) + 1);
  while (true) {
    if (used == content.size())
      content.resize(std::max<size_t>(2 * used, 65536));
    ssize_t got = ::read(file.number, content.data() + used, content.size() - used);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fileError(path, "read", errno);
    if (got == 0)
      break;
    used += static_cast<size_t>(got);
    if (used > limit)
      return tooLong;
  }
  content.resize(used);
  return {};
}

/// A name in the same folder that no other writer uses.
fs::path asideName(const fs::path &goal, std::random_device &random) {
  return goal.parent_path() / fmt::format(".{}.{:08x}.aside", goal.filename().string(), random());
}

} // namespace

Expected<std::vector<uint8_t>> readFile(const fs::path &path, uint64_t limit) {
  std::vector<uint8_t> bytes;
  MSA_RETURN_IF_ERROR(readAll(path, limit, bytes));
  return bytes;
}

Expected<std::string> readTextFile(const fs::path &path) {
  std::string text;
  MSA_RETURN_IF_ERROR(readAll(path, uint64_t(256) << 20, text));
  return text;
}

Status writeFileAtomic(const fs::path &path, std::span<const uint8_t> bytes) {
  MSA_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::create(path));
  MSA_RETURN_IF_ERROR(writer.write(bytes));
  return writer.commit();
}

Status writeFileAtomic(const fs::path &path, std::string_view text) {
  return writeFileAtomic(path,
                         std::span(reinterpret_cast<const uint8_t *>(text.data()), text.size()));
}

FileWriter::FileWriter(fs::path goal, fs::path aside, int descriptor)
    : goal(std::move(goal)), aside(std::move(aside)), descriptor(descriptor) {}

FileWriter::FileWriter(FileWriter &&other) noexcept
    : goal(std::move(other.goal)), aside(std::move(other.aside)),
      descriptor(std::exchange(other.descriptor, -1)) {}

FileWriter &FileWriter::operator=(FileWriter &&other) noexcept {
  if (this != &other) {
    abandon();
    goal = std::move(other.goal);
    aside = std::move(other.aside);
    descriptor = std::exchange(other.descriptor, -1);
  }
  return *this;
}

FileWriter::~FileWriter() { abandon(); }

void FileWriter::abandon() {
  if (descriptor < 0)
    return;
  ::close(descriptor);
  descriptor = -1;
  if (!aside.empty())
    ::unlink(aside.c_str());
}

Status FileWriter::failure(const char *doing) const { return fileError(goal, doing, errno); }

Expected<FileWriter> FileWriter::create(const fs::path &path) {
  std::error_code error;
  fs::file_status status = fs::status(path, error);
  if (path.filename().empty() || fs::is_directory(status))
    return Status::invalid(
        fmt::format("cannot write {}: it is a folder, and a file is wanted", path.string()));
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    int direct = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (direct < 0)
      return fileError(path, "write", errno);
    return FileWriter(path, {}, direct);
  }
  // A link stays a link: the file that it names is replaced.
  fs::path goal = path;
  if (fs::is_symlink(fs::symlink_status(path, error)))
    if (fs::path target = fs::weakly_canonical(path, error); !error && !target.empty())
      goal = target;
  std::random_device random;
  for (int attempt = 0;; ++attempt) {
    fs::path aside = asideName(goal, random);
    int descriptor = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0)
      return FileWriter(std::move(goal), std::move(aside), descriptor);
    if (errno != EEXIST || attempt == 16)
      return fileError(path, "write", errno);
  }
}

Status FileWriter::write(std::span<const uint8_t> bytes) {
  if (descriptor < 0)
    return Status::internal(fmt::format("{} was written after its end", goal.string()));
  while (!bytes.empty()) {
    ssize_t wrote = ::write(descriptor, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote < 0)
      return failure("write");
    bytes = bytes.subspan(static_cast<size_t>(wrote));
  }
  return {};
}

Status FileWriter::commit() {
  if (descriptor < 0)
    return Status::internal(fmt::format("{} was committed twice", goal.string()));
  // Some file systems report a full disk only here.
  if (::close(std::exchange(descriptor, -1)) != 0) {
    Status status = failure("write");
    if (!aside.empty())
      ::unlink(aside.c_str());
    return status;
  }
  if (aside.empty())
    return {};
  if (::rename(aside.c_str(), goal.c_str()) != 0) {
    Status status = failure("write");
    ::unlink(aside.c_str());
    return status;
  }
  return {};
}

} // namespace msa

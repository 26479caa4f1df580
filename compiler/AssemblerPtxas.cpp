//===- AssemblerPtxas.cpp - ptxas as a child process ----------------------===//
//
// PTX and cubin pass through two files in memory (memfd), which the child opens
// by their names under /proc: nothing is written to a disk, nothing is left
// behind by a killed child, and parallel calls cannot meet. Assumes Linux.
//
//===----------------------------------------------------------------------===//
#include "compiler/AssemblerKinds.h"

#include "support/Process.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace msa::assemblers {
namespace {

/// An unnamed file in memory that another process can open by path().
class MemoryFile {
public:
  MemoryFile() : descriptor(::memfd_create("msa-ptxas", MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (descriptor >= 0)
      ::close(descriptor);
  }
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;

  std::string path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), descriptor); }

  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR)
        continue;
      if (written <= 0)
        return false;
      bytes.remove_prefix(size_t(written));
    }
    return descriptor >= 0;
  }

  /// All that the other process wrote; empty when that was nothing or cannot be read.
  std::vector<uint8_t> read() const {
    off_t size = ::lseek(descriptor, 0, SEEK_END);
    std::vector<uint8_t> bytes(size > 0 ? size_t(size) : 0);
    for (size_t at = 0; at < bytes.size();) {
      ssize_t got = ::pread(descriptor, bytes.data() + at, bytes.size() - at, off_t(at));
      if (got <= 0)
        return {};
      at += size_t(got);
    }
    return bytes;
  }

private:
  int descriptor;
};

class Ptxas final : public Assembler {
public:
  Ptxas(std::filesystem::path p, std::string v) : program(std::move(p)), release(std::move(v)) {}

  std::string version() const override { return "ptxas " + release; }

  Expected<Output> assemble(const std::string &ptx, const std::string &entry,
                            const std::string &target) const override {
    MemoryFile input, output;
    if (!input.write(ptx))
      return Status::internal(
          fmt::format("{}: cannot make a file in memory: {}", version(), std::strerror(errno)));
    MSA_ASSIGN_OR_RETURN(ProcessResult result,
                         runProcess({program.string(), "--verbose", "--gpu-name=" + target,
                                     input.path(), "--output-file", output.path()}));
    if (result.signal != 0)
      return Status::internal(fmt::format("{}: {} for {}: ended by signal {}\n{}", version(), entry,
                                          target, result.signal, result.errors));
    if (!result.ok())
      return refused(version(), entry, target, withoutPath(result.errors, input.path()));
    std::vector<uint8_t> cubin = output.read();
    if (cubin.empty())
      return Status::internal(fmt::format("{}: {} for {}: no image", version(), entry, target));
    return finish(std::move(cubin), std::move(result.errors), ptx, entry, version());
  }

private:
  /// ptxas' messages start with the file's name, which means nothing to a person here.
  static std::string withoutPath(std::string text, const std::string &path) {
    for (size_t at = text.find(path); at != std::string::npos; at = text.find(path, at))
      text.replace(at, path.size(), "ptx");
    return text;
  }

  std::filesystem::path program;
  std::string release;
};

} // namespace

Expected<std::shared_ptr<Assembler>> openPtxas(const ToolchainPaths &paths) {
  auto program = findProgram(paths, "ptxas");
  if (!program)
    return missingTool("ptxas", paths, "cuda-nvcc-13-0", "nvidia-cuda-nvcc");
  MSA_ASSIGN_OR_RETURN(ProcessResult result, runProcess({program->string(), "--version"}));
  // "Cuda compilation tools, release 13.0, V13.0.88"
  size_t begin = result.output.rfind(", V");
  if (!result.ok() || begin == std::string::npos)
    return Status::missing(
        fmt::format("{} does not run: {}", program->string(),
                    result.errors.empty() ? "no version in its answer" : result.errors));
  begin += 3;
  size_t end = result.output.find_first_not_of("0123456789.", begin);
  return std::shared_ptr<Assembler>(
      std::make_shared<Ptxas>(*program, result.output.substr(begin, end - begin)));
}

} // namespace msa::assemblers

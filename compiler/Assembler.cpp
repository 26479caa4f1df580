//===- Assembler.cpp - choosing an assembler and reading its log ----------===//
#include "compiler/AssemblerKinds.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <mutex>

namespace msa {
namespace {

using Opener = Expected<std::shared_ptr<Assembler>> (*)(const ToolchainPaths &);
constexpr std::array<Opener, 3> byPreference = {assemblers::openNvPtxCompiler,
                                                assemblers::openPtxas, assemblers::openNvJitLink};

/// The best assembler, and the next ones, opened when a module's PTX version is too new for those
/// before. That happens when the toolkit's NVRTC is newer than the archive we were linked with.
class FirstThatKnows final : public Assembler {
public:
  FirstThatKnows(ToolchainPaths p, std::shared_ptr<Assembler> best, size_t nextKind)
      : paths(std::move(p)), opened{std::move(best)}, next(nextKind) {}

  std::string version() const override { return opened.front()->version(); }

  Expected<Output> assemble(const std::string &ptx, const std::string &entry,
                            const std::string &target) const override {
    Expected<Output> first = opened.front()->assemble(ptx, entry, target);
    if (first.ok() || first.status().code() != StatusCode::Missing)
      return first;
    for (size_t i = 1; Assembler *assembler = at(i); ++i) {
      Expected<Output> other = assembler->assemble(ptx, entry, target);
      if (other.ok() || other.status().code() != StatusCode::Missing)
        return other;
    }
    return first;
  }

private:
  /// The i-th assembler that opens, or null.
  Assembler *at(size_t i) const {
    std::lock_guard lock(mutex);
    while (opened.size() <= i && next < byPreference.size())
      if (auto assembler = byPreference[next++](paths))
        opened.push_back(*assembler);
    return i < opened.size() ? opened[i].get() : nullptr;
  }

  ToolchainPaths paths;
  mutable std::mutex mutex; ///< guards what follows, but for opened.front(), which never changes
  mutable std::vector<std::shared_ptr<Assembler>> opened;
  mutable size_t next;
};

/// The unsigned number that ends just before `end` in `text`, skipping blanks; -1 when none does.
int numberBefore(std::string_view text, size_t end) {
  while (end > 0 && text[end - 1] == ' ')
    --end;
  size_t begin = end;
  while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9')
    --begin;
  int value = -1;
  std::from_chars(text.data() + begin, text.data() + end, value);
  return value;
}

/// The number before the first `unit` in `text`, or `absent`.
int numberOf(std::string_view text, std::string_view unit, int absent) {
  size_t at = text.find(unit);
  return at == std::string_view::npos ? absent : numberBefore(text, at);
}

} // namespace

Expected<std::shared_ptr<Assembler>> Assembler::open(const ToolchainPaths &paths) {
  for (size_t kind = 0; kind < byPreference.size(); ++kind)
    if (auto assembler = byPreference[kind](paths))
      return std::shared_ptr<Assembler>(
          std::make_shared<FirstThatKnows>(paths, *assembler, kind + 1));
  return missingTool("an assembler (nvPTXCompiler, ptxas or nvJitLink)", paths, "cuda-nvcc-13-0",
                     "nvidia-cuda-nvcc");
}

std::vector<std::shared_ptr<Assembler>> Assembler::openEach(const ToolchainPaths &paths) {
  std::vector<std::shared_ptr<Assembler>> all;
  for (Opener opener : byPreference)
    if (auto assembler = opener(paths))
      all.push_back(*assembler);
  return all;
}

int countPtxInstructions(std::string_view ptx) {
  int count = 0;
  while (!ptx.empty()) {
    size_t end = std::min(ptx.find('\n'), ptx.size() - 1);
    std::string_view line = ptx.substr(0, end + 1);
    ptx.remove_prefix(end + 1);
    line = line.substr(0, line.find("//"));
    size_t begin = line.find_first_not_of(" \t\r{");
    if (begin == std::string_view::npos)
      continue;
    line.remove_prefix(begin);
    // Compilers and people start every instruction on its own line, by a lower-case mnemonic or a
    // guard; the operands of a long one may go on in lines that start with a brace or a register.
    std::string_view word = line.substr(0, line.find_first_of(" \t;\r\n"));
    bool mnemonic = (word.front() >= 'a' && word.front() <= 'z') || word.front() == '@';
    if (mnemonic && word.back() != ':')
      ++count;
  }
  return count;
}

namespace assemblers {

Resources parseInfoLog(std::string_view log, std::string_view entry) {
  Resources resources;
  size_t begin = log.find(fmt::format("Compiling entry function '{}'", entry));
  if (begin == std::string_view::npos)
    return resources;
  log.remove_prefix(begin);
  if (size_t next = log.find("Compiling entry function", 1); next != std::string_view::npos)
    log = log.substr(0, next);
  size_t used = log.find("Used ");
  if (used == std::string_view::npos)
    return resources;
  std::string_view usage = log.substr(used, log.find('\n', used) - used);
  resources.registers = numberOf(usage, " registers", -1);
  resources.sharedBytes = numberOf(usage, " bytes smem", 0);
  int stores = numberOf(log, " bytes spill stores", -1);
  int loads = numberOf(log, " bytes spill loads", -1);
  resources.spillBytes = stores < 0 || loads < 0 ? -1 : stores + loads;
  return resources;
}

Status refused(std::string_view assembler, std::string_view entry, std::string_view target,
               std::string_view log) {
  bool tooOld = log.find("Unsupported .version") != std::string_view::npos;
  return {tooOld ? StatusCode::Missing : StatusCode::InvalidInput,
          fmt::format("{} refuses '{}' for {}: {}", assembler, entry, target,
                      log.empty() ? "it gave no reason" : log)};
}

Assembler::Output finish(std::vector<uint8_t> cubin, std::string log, const std::string &ptx,
                         const std::string &entry, std::string assembler) {
  Assembler::Output output;
  output.resources = parseInfoLog(log, entry);
  output.resources.ptxInstructions = countPtxInstructions(ptx);
  output.cubin = std::move(cubin);
  output.log = std::move(log);
  output.assembler = std::move(assembler);
  return output;
}

} // namespace assemblers
} // namespace msa

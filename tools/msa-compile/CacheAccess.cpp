//===- CacheAccess.cpp - msa-compile's use of the disk cache --------------===//
#include "CacheAccess.h"

#include "Environment.h"

#include "compiler/Assembler.h"
#include "program/Fingerprint.h"
#include "support/File.h"

#include <algorithm>
#include <charconv>

namespace msa::tools {
namespace {

CacheRequest requestFor(const Plan &plan, bool withCubins) {
  return {.plan = plan,
          .needs = withCubins ? "ptx+cubin" : "ptx",
          .fingerprint = std::string(compilerFingerprint())};
}

/// The numbers of "ptxas 13.0.88": 13, 0, 88.
std::vector<int> releaseOf(std::string_view name) {
  std::vector<int> numbers;
  size_t at = name.rfind(' ');
  const char *next = name.data() + (at == std::string_view::npos ? 0 : at + 1);
  const char *end = name.data() + name.size();
  int number = 0;
  while (true) {
    auto [stop, error] = std::from_chars(next, end, number);
    if (error != std::errc())
      break;
    numbers.push_back(number);
    if (stop == end || *stop != '.')
      break;
    next = stop + 1;
  }
  return numbers;
}

bool hasCubins(const Program &program) {
  return std::all_of(program.kernels.begin(), program.kernels.end(),
                     [](const KernelImage &image) { return !image.cubin.empty(); });
}

} // namespace

bool newerAssembler(std::string_view here, std::string_view recorded) {
  if (here.empty() || recorded.empty())
    return !here.empty();
  std::vector<int> a = releaseOf(here), b = releaseOf(recorded);
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i] != b[i])
      return a[i] > b[i];
  return false;
}

CacheAccess::CacheAccess(bool enabled, ToolchainPaths paths) : toolchain(std::move(paths)) {
  if (!enabled)
    return;
  if (auto folder = cacheFolder())
    cache.emplace(*folder, [this](const std::string &line) { notes.push_back(line); });
}

const std::string &CacheAccess::assemblerHere() {
  if (!assembler) {
    Expected<std::shared_ptr<Assembler>> opened = Assembler::open(toolchain);
    assembler = opened.ok() ? (*opened)->version() : "";
  }
  return *assembler;
}

std::optional<Program> CacheAccess::findIn(const Plan &plan, bool withCubins) {
  return cache->find(requestFor(plan, withCubins));
}

std::optional<Program> CacheAccess::find(const Plan &plan, const std::string &emit) {
  if (!cache)
    return std::nullopt;
  std::optional<Program> program = findIn(plan, true);
  if (emit == "ptx")
    return program ? std::move(program) : findIn(plan, false);
  if (program) {
    for (const KernelImage &image : program->kernels)
      if (newerAssembler(assemblerHere(), image.assembler))
        return std::nullopt;
    return program;
  }
  // Without an assembler a bundle of PTX is all that can be made here.
  return emit == "bundle" && assemblerHere().empty() ? findIn(plan, false) : std::nullopt;
}

std::optional<std::vector<uint8_t>> CacheAccess::entryBytes(const Program &program) const {
  if (!cache)
    return std::nullopt;
  Expected<std::vector<uint8_t>> bytes =
      readFile(cache->fileOf(requestFor(program.plan, hasCubins(program))));
  return bytes.ok() ? std::optional(std::move(*bytes)) : std::nullopt;
}

void CacheAccess::store(const Program &program) {
  if (cache)
    cache->store(requestFor(program.plan, hasCubins(program)), program);
}

} // namespace msa::tools

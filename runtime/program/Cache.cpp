//===- Cache.cpp - compiled programs on disk ------------------------------===//
//
// See Cache.h.
//
//===----------------------------------------------------------------------===//
#include "program/Cache.h"

#include "program/Bundle.h"
#include "support/File.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <array>

namespace fs = std::filesystem;

namespace msa {
namespace {

/// Changes with what an entry means; the bundle's own schema is checked when it is read.
constexpr std::string_view keySchema = "msa-cache-1";
constexpr std::string_view suffix = ".msab";

/// A field preceded by its length: no two lists of fields give the same text.
void appendField(std::string &text, std::string_view field) {
  uint64_t length = field.size();
  for (int byte = 0; byte < 8; ++byte)
    text += static_cast<char>(length >> (8 * byte) & 0xff);
  text += field;
}

} // namespace

std::string cacheKey(const CacheRequest &request) {
  std::string text, plan = canonicalJson(request.plan);
  for (std::string_view field : std::array<std::string_view, 5>{
           keySchema, plan, request.plan.target, request.needs, request.fingerprint})
    appendField(text, field);
  XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

DiskCache::DiskCache(fs::path folder, Report report)
    : folder(std::move(folder)), report(std::move(report)) {}

fs::path DiskCache::fileOf(const CacheRequest &request) const {
  return folder / (cacheKey(request) + std::string(suffix));
}

void DiskCache::giveUp(const std::string &reason) {
  if (usable && report)
    report(fmt::format("the cache {} cannot be used ({}); going on without it", folder.string(),
                       reason));
  usable = false;
}

void DiskCache::setAside(const fs::path &entry, const std::string &reason) {
  fs::path bad = entry;
  bad += ".bad";
  std::error_code error;
  fs::rename(entry, bad, error);
  if (report)
    report(fmt::format("cache entry {} is damaged and {}: {}", entry.string(),
                       error ? "could not be set aside (" + error.message() + ")"
                             : "was set aside as " + bad.filename().string(),
                       reason));
}

std::optional<Program> DiskCache::find(const CacheRequest &request) {
  if (!usable)
    return std::nullopt;
  fs::path entry = fileOf(request);
  std::error_code error;
  fs::file_status status = fs::status(entry, error);
  if (status.type() == fs::file_type::not_found)
    return std::nullopt;
  Expected<std::vector<uint8_t>> bytes = readFile(entry);
  if (!bytes.ok()) {
    giveUp(bytes.status().message());
    return std::nullopt;
  }
  Expected<std::vector<Program>> programs = decodeBundle(*bytes, entry.filename().string());
  if (!programs.ok()) {
    setAside(entry, programs.status().message());
    return std::nullopt;
  }
  if (programs->size() != 1 ||
      canonicalJson(programs->front().plan) != canonicalJson(request.plan)) {
    setAside(entry, "it holds another plan than its name says");
    return std::nullopt;
  }
  return std::move(programs->front());
}

void DiskCache::store(const CacheRequest &request, const Program &program) {
  if (!usable)
    return;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return giveUp(error.message());
  if (Status status = writeBundle(fileOf(request), {program}); !status.ok())
    giveUp(status.message());
}

} // namespace msa

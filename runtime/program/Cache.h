//===- Cache.h - compiled programs on disk --------------------------------===//
//
// One bundle file a key, written aside and renamed: readers see a whole entry
// or none, and a killed compile leaves no lock. The key has no paths, times,
// device indices or lengths in it. A cache that cannot be used never fails a
// compile: it says so once and steps aside.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Program.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace msa {

/// What a cached program is for.
struct CacheRequest {
  Plan plan;               ///< as requested, the schedule not filled in
  std::string needs;       ///< what the images must hold, e.g. "ptx" or "ptx+cubin"
  std::string fingerprint; ///< compilerFingerprint()
};

/// XXH3-128 over length-prefixed fields {schema, canonical plan, target, needs, fingerprint}, 32
/// hex digits.
std::string cacheKey(const CacheRequest &);

class DiskCache {
public:
  /// Called with one line for a person.
  using Report = std::function<void(const std::string &)>;

  /// The folder is made when the first entry is stored.
  DiskCache(std::filesystem::path folder, Report report);

  /// The program, when there is a sound entry for exactly this plan. A damaged entry is renamed to
  /// "<entry>.bad", reported, and is a miss.
  std::optional<Program> find(const CacheRequest &);
  /// Stores a program; a failure is reported once and switches storing off.
  void store(const CacheRequest &, const Program &);
  /// The file of a request, whether it exists or not.
  std::filesystem::path fileOf(const CacheRequest &) const;

private:
  void setAside(const std::filesystem::path &entry, const std::string &reason);
  void giveUp(const std::string &reason);

  std::filesystem::path folder;
  Report report;
  bool usable = true; ///< false once the folder has failed us
};

} // namespace msa

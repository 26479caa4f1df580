//===- CacheAccess.h - msa-compile's use of the disk cache ----------------===//
//
// Entries are of two kinds: with cubins, and with PTX only (`--emit ptx`, or no
// assembler on the machine). A request for PTX takes either; a request for
// cubins takes the first kind, and only when no newer assembler has been
// installed since.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "compiler/Toolchain.h"
#include "program/Cache.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace msa::tools {

/// The cache of the environment, or none. It never makes a compile fail.
class CacheAccess {
public:
  /// `enabled` false, or no folder in the environment: every lookup misses and nothing is stored.
  CacheAccess(bool enabled, ToolchainPaths toolchain);
  CacheAccess(const CacheAccess &) = delete;
  CacheAccess &operator=(const CacheAccess &) = delete;

  /// The program of this plan for `--emit emit` (ptx, cubin, bundle).
  std::optional<Program> find(const Plan &, const std::string &emit);
  void store(const Program &);
  /// The bytes of the entry that `find` answered from: the very bundle of that one program, so that
  /// it need not be encoded again. Nothing when it is gone.
  std::optional<std::vector<uint8_t>> entryBytes(const Program &) const;
  /// What a person should know: a damaged entry set aside, a folder that cannot be written.
  const std::vector<std::string> &warnings() const { return notes; }

private:
  std::optional<Program> findIn(const Plan &, bool withCubins);
  /// "ptxas 13.0.88" of the best assembler here; empty when there is none. Opened at most once.
  const std::string &assemblerHere();

  ToolchainPaths toolchain;
  std::vector<std::string> notes;
  std::optional<DiskCache> cache; ///< reports into notes
  std::optional<std::string> assembler;
};

/// Whether `here` ("ptxas 13.1.80") is a newer release than `recorded` ("nvptxcompiler 13.0"). Only
/// the numbers that both state are compared; an empty name is older than any.
bool newerAssembler(std::string_view here, std::string_view recorded);

} // namespace msa::tools

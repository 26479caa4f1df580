//===- Bundle.h - programs in one immutable file --------------------------===//
//
// Layout: magic "MSABNDL1", manifest length, manifest (JSON), then zstd blobs
// (PTX, cubin) on 64-byte boundaries, each with size and XXH3 checksum in the
// manifest, which carries its own checksum. A cache entry is a bundle of one
// program. Reading validates everything before use; writing goes to a file
// aside that is renamed.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Program.h"

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace msa {

/// Serialises programs; deterministic: the same programs give the same bytes.
Expected<std::vector<uint8_t>> encodeBundle(const std::vector<Program> &);
/// Validates magic, schema, bounds and checksums; `name` is for messages.
Expected<std::vector<Program>> decodeBundle(std::span<const uint8_t> bytes, const std::string &name);

Status writeBundle(const std::filesystem::path &, const std::vector<Program> &);
Expected<std::vector<Program>> readBundle(const std::filesystem::path &);

} // namespace msa

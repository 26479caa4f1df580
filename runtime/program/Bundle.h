//===- Bundle.h - programs in one immutable file --------------------------===//
//
// Layout, little-endian:
//   0   magic "MSABNDL1"
//   8   u64 manifest length
//   16  XXH3-128 of the manifest
//   32  manifest (JSON), zeros up to a 64-byte boundary, then zstd blobs (PTX,
//       cubin), each padded with zeros to a 64-byte boundary, in the order of
//       the manifest, which has place, size and XXH3 of each. Equal images are
//       stored once.
// A cache entry is a bundle of one program. Reading validates every byte before
// use and bounds every size before memory is taken; writing goes to a file
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
Expected<std::vector<Program>> decodeBundle(std::span<const uint8_t> bytes,
                                            const std::string &name);

Status writeBundle(const std::filesystem::path &, const std::vector<Program> &);
Expected<std::vector<Program>> readBundle(const std::filesystem::path &);

} // namespace msa

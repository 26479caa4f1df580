//===- BundleManifest.h - programs as JSON, their images left out ---------===//
//
// The text half of a bundle. Images are blobs that the manifest names by index.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Program.h"
#include "msa/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msa {

/// One compressed image.
struct BlobRecord {
  uint64_t offset = 0; ///< from the first 64-byte boundary after the manifest
  uint64_t size = 0;   ///< compressed bytes
  uint64_t raw = 0;    ///< bytes after decompression
  std::string xxh3;    ///< XXH3-64 of the compressed bytes, 16 hex digits
};

/// The blobs of one kernel; -1 where there is none.
struct KernelBlobs {
  int ptx = -1, cubin = -1;
};

struct BundleManifest {
  std::vector<BlobRecord> blobs;
  std::vector<Program> programs;                 ///< ptx and cubin empty
  std::vector<std::vector<KernelBlobs>> kernels; ///< for each program, for each kernel
};

/// JSON with sorted keys.
std::string manifestToJson(const BundleManifest &);
/// The checksum of a BlobRecord.
std::string blobChecksum(std::span<const uint8_t> compressed);
/// The bundle's header, this manifest, and zeros up to where the blobs begin.
std::vector<uint8_t> frameManifest(std::string_view manifest);
/// Unknown and missing keys, wrong types, illegal plans and inconsistent programs are errors with
/// their path.
Expected<BundleManifest> manifestFromJson(std::string_view text);

} // namespace msa

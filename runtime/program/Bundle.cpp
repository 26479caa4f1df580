//===- Bundle.cpp - programs in one immutable file ------------------------===//
//
// See Bundle.h for the layout. Offsets are relative to the blobs' first byte,
// so that the manifest does not depend on its own length.
//
//===----------------------------------------------------------------------===//
#include "program/Bundle.h"

#include "program/BundleManifest.h"
#include "program/ProgramCheck.h"
#include "support/File.h"

#include <fmt/format.h>
#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

namespace msa {
namespace {

constexpr std::string_view magic = "MSABNDL1";
constexpr size_t headerBytes = 32;
constexpr size_t boundary = 64;
/// Fast enough for a cache and small enough for a download; part of the format's determinism.
constexpr int compressionLevel = 3;
constexpr uint64_t longestManifest = uint64_t(64) << 20;
constexpr uint64_t largestImage = uint64_t(128) << 20;
constexpr uint64_t largestBundle = uint64_t(1) << 30; ///< all images together, decompressed

size_t aligned(size_t bytes) { return (bytes + boundary - 1) / boundary * boundary; }

using Bytes = std::span<const uint8_t>;

Bytes bytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// The canonical (big-endian) bytes of the manifest's checksum.
std::array<uint8_t, 16> manifestChecksum(Bytes manifest) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(manifest.data(), manifest.size()));
  std::array<uint8_t, 16> out;
  std::memcpy(out.data(), canonical.digest, out.size());
  return out;
}

uint64_t readU64(Bytes bytes, size_t at) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Collects images, each content once.
class BlobWriter {
public:
  /// The image's index, or -1 for an empty one.
  Expected<int> add(Bytes image) {
    if (image.empty())
      return -1;
    if (image.size() > largestImage)
      return Status::invalid(
          fmt::format("an image of {} bytes; at most {} fit a bundle", image.size(), largestImage));
    std::string_view key(reinterpret_cast<const char *>(image.data()), image.size());
    if (auto found = indices.find(key); found != indices.end())
      return found->second;
    std::vector<uint8_t> packed(ZSTD_compressBound(image.size()));
    size_t size =
        ZSTD_compress(packed.data(), packed.size(), image.data(), image.size(), compressionLevel);
    if (ZSTD_isError(size))
      return Status::internal(fmt::format("zstd: {}", ZSTD_getErrorName(size)));
    packed.resize(size);
    records.push_back({.offset = content.size(),
                       .size = size,
                       .raw = image.size(),
                       .xxh3 = blobChecksum(packed)});
    content.insert(content.end(), packed.begin(), packed.end());
    content.resize(aligned(content.size()));
    auto index = static_cast<int>(records.size()) - 1;
    indices.emplace(key, index);
    return index;
  }

  std::vector<BlobRecord> records;
  std::vector<uint8_t> content; ///< all blobs, each padded to the boundary

private:
  std::map<std::string_view, int> indices; ///< views of the caller's images
};

Status damaged(std::string_view what) {
  return Status::invalid(fmt::format("the bundle is damaged: {}; build it or copy it again", what));
}

bool allZero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
}

Expected<std::vector<uint8_t>> decompress(Bytes packed, uint64_t raw) {
  // The frame must say the size that the manifest says, and be the only one.
  if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != raw ||
      ZSTD_findFrameCompressedSize(packed.data(), packed.size()) != packed.size())
    return damaged("an image is not one zstd frame of the size that the manifest says");
  std::vector<uint8_t> image(raw);
  size_t size = ZSTD_decompress(image.data(), image.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) || size != raw)
    return damaged("an image does not decompress");
  return image;
}

/// Checks place, padding and checksum of each blob, then decompresses them all.
Expected<std::vector<std::vector<uint8_t>>> readBlobs(Bytes area,
                                                      const std::vector<BlobRecord> &records) {
  uint64_t total = 0;
  size_t at = 0;
  for (const BlobRecord &record : records) {
    if (record.offset != at || record.size > area.size() - at)
      return damaged("an image is not where the manifest says");
    total += std::min(record.raw, largestImage + 1);
    if (record.raw == 0 || record.raw > largestImage || total > largestBundle)
      return damaged(fmt::format("an image of {} bytes; legal: 1..{}, and {} together", record.raw,
                                 largestImage, largestBundle));
    size_t end = at + record.size, padded = aligned(end);
    if (padded > area.size() || !allZero(area.subspan(end, padded - end)))
      return damaged("the bytes between two images are not zero");
    if (blobChecksum(area.subspan(at, record.size)) != record.xxh3)
      return damaged("an image has another checksum than the manifest says");
    at = padded;
  }
  if (at != area.size())
    return damaged(fmt::format("{} bytes follow the last image", area.size() - at));
  std::vector<std::vector<uint8_t>> images;
  for (const BlobRecord &record : records) {
    MSA_ASSIGN_OR_RETURN(std::vector<uint8_t> image,
                         decompress(area.subspan(record.offset, record.size), record.raw));
    images.push_back(std::move(image));
  }
  return images;
}

/// The manifest's text, its checksum verified.
Expected<std::string_view> readManifest(Bytes bytes) {
  if (bytes.size() < headerBytes || std::memcmp(bytes.data(), magic.data(), 7) != 0)
    return Status::invalid("not a bundle: it does not begin with " + std::string(magic));
  if (bytes[7] != static_cast<uint8_t>(magic[7]))
    return Status::invalid("a bundle of another format version; accepted: " + std::string(magic));
  uint64_t length = readU64(bytes, 8);
  if (length > longestManifest || length > bytes.size() - headerBytes)
    return damaged(fmt::format("a manifest of {} bytes in a file of {}", length, bytes.size()));
  Bytes manifest = bytes.subspan(headerBytes, length);
  if (std::memcmp(manifestChecksum(manifest).data(), bytes.data() + 16, 16) != 0)
    return damaged("the manifest has another checksum than the header says");
  return std::string_view(reinterpret_cast<const char *>(manifest.data()), manifest.size());
}

Expected<std::vector<Program>> decode(Bytes bytes) {
  MSA_ASSIGN_OR_RETURN(std::string_view text, readManifest(bytes));
  MSA_ASSIGN_OR_RETURN(BundleManifest manifest, manifestFromJson(text));
  size_t end = headerBytes + text.size(), begin = std::min(aligned(end), bytes.size());
  if (!allZero(bytes.subspan(end, begin - end)))
    return damaged("the bytes after the manifest are not zero");
  if (aligned(end) > bytes.size())
    return damaged("it ends before its first image");
  MSA_ASSIGN_OR_RETURN(std::vector<std::vector<uint8_t>> images,
                       readBlobs(bytes.subspan(begin), manifest.blobs));
  for (size_t i = 0; i < manifest.programs.size(); ++i)
    for (size_t j = 0; j < manifest.kernels[i].size(); ++j) {
      KernelImage &kernel = manifest.programs[i].kernels[j];
      if (int ptx = manifest.kernels[i][j].ptx; ptx >= 0) {
        const std::vector<uint8_t> &image = images[static_cast<size_t>(ptx)];
        kernel.ptx.assign(image.begin(), image.end());
      }
      if (int cubin = manifest.kernels[i][j].cubin; cubin >= 0)
        kernel.cubin = images[static_cast<size_t>(cubin)];
    }
  return std::move(manifest.programs);
}

} // namespace

std::string blobChecksum(std::span<const uint8_t> compressed) {
  return fmt::format("{:016x}", XXH3_64bits(compressed.data(), compressed.size()));
}

std::vector<uint8_t> frameManifest(std::string_view manifest) {
  std::vector<uint8_t> bytes(magic.begin(), magic.end());
  uint64_t length = manifest.size();
  bytes.resize(16);
  std::memcpy(bytes.data() + 8, &length, sizeof length);
  std::array<uint8_t, 16> sum = manifestChecksum(bytesOf(manifest));
  bytes.insert(bytes.end(), sum.begin(), sum.end());
  bytes.insert(bytes.end(), manifest.begin(), manifest.end());
  bytes.resize(aligned(bytes.size()));
  return bytes;
}

Expected<std::vector<uint8_t>> encodeBundle(const std::vector<Program> &programs) {
  BundleManifest manifest;
  BlobWriter blobs;
  uint64_t total = 0;
  for (const Program &program : programs) {
    MSA_RETURN_IF_ERROR(checkPlan(program.plan));
    MSA_RETURN_IF_ERROR(checkPlan(program.resolved));
    MSA_RETURN_IF_ERROR(checkProgram(program));
    std::vector<KernelBlobs> &kernels = manifest.kernels.emplace_back();
    for (const KernelImage &kernel : program.kernels) {
      KernelBlobs &indices = kernels.emplace_back();
      MSA_ASSIGN_OR_RETURN(indices.ptx, blobs.add(bytesOf(kernel.ptx)));
      MSA_ASSIGN_OR_RETURN(indices.cubin, blobs.add(kernel.cubin));
    }
  }
  for (const BlobRecord &record : blobs.records)
    total += record.raw;
  if (total > largestBundle)
    return Status::invalid(
        fmt::format("{} bytes of images; at most {} fit a bundle", total, largestBundle));
  manifest.programs = programs;
  manifest.blobs = blobs.records;
  std::string text = manifestToJson(manifest);
  if (text.size() > longestManifest)
    return Status::invalid(
        fmt::format("a manifest of {} bytes; at most {}", text.size(), longestManifest));

  std::vector<uint8_t> bytes = frameManifest(text);
  bytes.insert(bytes.end(), blobs.content.begin(), blobs.content.end());
  return bytes;
}

Expected<std::vector<Program>> decodeBundle(std::span<const uint8_t> bytes,
                                            const std::string &name) {
  Expected<std::vector<Program>> programs = decode(bytes);
  if (!programs.ok())
    return programs.status().in(name);
  return programs;
}

Status writeBundle(const std::filesystem::path &path, const std::vector<Program> &programs) {
  MSA_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, encodeBundle(programs));
  return writeFileAtomic(path, bytes);
}

Expected<std::vector<Program>> readBundle(const std::filesystem::path &path) {
  MSA_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, readFile(path));
  return decodeBundle(bytes, path.string());
}

} // namespace msa

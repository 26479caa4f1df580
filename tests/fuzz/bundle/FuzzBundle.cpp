//===- FuzzBundle.cpp - mutated bundles -----------------------------------===//
//
// Checksums would turn every mutation away at the door, so that there are three
// kinds of input: a whole file; a manifest ('{'), framed with a right checksum
// and followed by sound blobs; a compressed image ('B'), stored with a right
// record. An accepted bundle must encode and decode again.
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "msa/Expr.h"
#include "program/Bundle.h"
#include "program/BundleManifest.h"
#include "program/ProgramCheck.h"

#include <fmt/format.h>
#include <zstd.h>

#include <cstdlib>

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint64_t mostRaw = 65536; ///< larger images cost time and find nothing new

msa::Program sample() {
  msa::Program program;
  msa::KernelImage kernel;
  kernel.phase = kernel.entry = "k";
  kernel.target = "sm_80";
  kernel.ptx = ".version 7.0\n.target sm_80\n.address_size 64\n.entry k() { ret; }\n";
  kernel.args = {
      {.name = "w", .role = msa::ArgRole::Workspace, .element = "f32", .shape = {"slab"}},
      {.name = "n",
       .type = msa::ArgType::I32,
       .role = msa::ArgRole::Scalar,
       .value = "min(tokens, 4)"}};
  kernel.launch.grid = {"ceildiv(slab, 2)", "1", "1"};
  program.kernels = {kernel};
  program.workspace = {{.name = "w", .element = "f32", .shape = {"slab"}}};
  program.recipe = {{.slabbed = true, .steps = {{.kernel = 0, .guard = "tokens > 1"}}}};
  return program;
}

size_t aligned(size_t n) { return (n + 63) / 64 * 64; }

/// Replaces each object that follows `key`; no string in it has a brace.
void replaceObjects(std::string &text, const std::string &key, const std::string &value) {
  for (size_t at = 0; (at = text.find(key, at)) != std::string::npos; at += key.size()) {
    size_t begin = at + key.size(), end = begin;
    for (int depth = 0; end < text.size(); ++end) {
      depth += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0;
      if (depth == 0)
        break;
    }
    text.replace(begin, end + 1 - begin, value);
  }
}

/// The parts of the sample's bundle. In the manifest the plans are `{}` (all defaults): a short
/// text is mutated where it matters.
struct Parts {
  Bytes whole = *msa::encodeBundle({sample()});
  std::string manifest;
  Bytes blobs;
  Parts() {
    uint64_t length = 0;
    std::memcpy(&length, whole.data() + 8, sizeof length);
    manifest.assign(reinterpret_cast<const char *>(whole.data()) + 32, length);
    blobs.assign(whole.begin() + static_cast<ptrdiff_t>(aligned(32 + length)), whole.end());
    replaceObjects(manifest, "\"plan\":", "{}");
    replaceObjects(manifest, "\"resolved\":", "{}");
  }
};

std::string compressed(const std::string &text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}

/// A bundle whose one blob is these bytes, with the size that their frame claims.
Bytes bundleOf(const Parts &parts, std::string_view packed) {
  uint64_t claimed = ZSTD_getFrameContentSize(packed.data(), packed.size());
  std::string sum =
      msa::blobChecksum({reinterpret_cast<const uint8_t *>(packed.data()), packed.size()});
  std::string manifest = parts.manifest;
  replaceObjects(manifest, "\"blobs\":[",
                 fmt::format("{{\"offset\":0,\"size\":{},\"raw\":{},\"xxh3\":\"{}\"}}",
                             packed.size(), std::min(claimed, mostRaw), sum));
  Bytes bytes = msa::frameManifest(manifest);
  bytes.insert(bytes.end(), packed.begin(), packed.end());
  bytes.resize(aligned(bytes.size()));
  return bytes;
}

bool decode(const Bytes &bytes) {
  msa::Expected<std::vector<msa::Program>> programs = msa::decodeBundle(bytes, "fuzz.msab");
  if (!programs.ok())
    return false;
  msa::Expected<Bytes> again = msa::encodeBundle(*programs);
  if (!again.ok() || !msa::decodeBundle(*again, "again.msab").ok())
    std::abort();
  // What was accepted can be walked: every expression evaluates to a value or an error.
  for (const msa::Program &program : *programs)
    for (const msa::KernelImage &kernel : program.kernels)
      for (const std::string &extent : kernel.launch.grid)
        (void)msa::Expr::parse(extent)->evaluate({.tokens = 7, .slab = 3});
  return true;
}

} // namespace

int main(int argc, char **argv) {
  const Parts parts;
  msa::fuzz::Target target;
  target.name = "bundle";
  target.seeds = {{parts.whole.begin(), parts.whole.end()},
                  parts.manifest,
                  parts.manifest,
                  "B" + compressed(sample().kernels[0].ptx),
                  "B" + compressed(std::string(3000, 'x'))};
  target.dictionary = {"{",
                       "}",
                       "[",
                       "]",
                       "\"blobs\":[",
                       "\"kernels\":[",
                       "\"shape\":[\"slab\"]",
                       "null",
                       "tokens",
                       "((((((((",
                       "min(",
                       "/0",
                       "9223372036854775807*2"};
  target.run = [&](std::string_view input) {
    if (input.starts_with('{')) {
      Bytes bytes = msa::frameManifest(input);
      bytes.insert(bytes.end(), parts.blobs.begin(), parts.blobs.end());
      return decode(bytes);
    }
    if (input.starts_with('B'))
      return decode(bundleOf(parts, input.substr(1)));
    return decode({input.begin(), input.end()});
  };
  return msa::fuzz::runFuzz(target, argc, argv);
}

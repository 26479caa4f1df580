//===- BundleTest.cpp - bundles, whole and damaged ------------------------===//
#include "SampleProgram.h"
#include "TemporaryFolder.h"

#include "program/Bundle.h"
#include "program/BundleManifest.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <functional>

using namespace msa;
using namespace msa::test;

namespace {

std::vector<uint8_t> encoded(const std::vector<Program> &programs) {
  Expected<std::vector<uint8_t>> bytes = encodeBundle(programs);
  REQUIRE(bytes.status().message() == "");
  return *bytes;
}

uint64_t manifestLength(const std::vector<uint8_t> &bytes) {
  uint64_t length = 0;
  std::memcpy(&length, bytes.data() + 8, sizeof length);
  return length;
}

void checkSame(const ArgSpec &a, const ArgSpec &b) {
  CHECK(a.name == b.name);
  CHECK(a.type == b.type);
  CHECK(a.role == b.role);
  CHECK(a.element == b.element);
  CHECK(a.shape == b.shape);
  CHECK(a.value == b.value);
  CHECK(a.f32 == b.f32);
  CHECK(a.alignment == b.alignment);
}

void checkSame(const KernelImage &a, const KernelImage &b) {
  CHECK(a.phase == b.phase);
  CHECK(a.entry == b.entry);
  CHECK(a.target == b.target);
  CHECK(a.ptx == b.ptx);
  CHECK(a.cubin == b.cubin);
  CHECK(a.frontEnd == b.frontEnd);
  CHECK(a.assembler == b.assembler);
  REQUIRE(a.args.size() == b.args.size());
  for (size_t i = 0; i < a.args.size(); ++i)
    checkSame(a.args[i], b.args[i]);
  CHECK(a.launch.grid == b.launch.grid);
  CHECK(a.launch.block == b.launch.block);
  CHECK(a.launch.dynamicSharedBytes == b.launch.dynamicSharedBytes);
  CHECK(a.resources.registers == b.resources.registers);
  CHECK(a.resources.sharedBytes == b.resources.sharedBytes);
  CHECK(a.resources.spillBytes == b.resources.spillBytes);
  CHECK(a.resources.tensorColumns == b.resources.tensorColumns);
  CHECK(a.resources.threads == b.resources.threads);
  CHECK(a.resources.ptxInstructions == b.resources.ptxInstructions);
  CHECK(a.resources.sassInstructions == b.resources.sassInstructions);
}

void checkSame(const Program &a, const Program &b) {
  CHECK(a.plan == b.plan);
  CHECK(a.resolved == b.resolved);
  REQUIRE(a.kernels.size() == b.kernels.size());
  for (size_t i = 0; i < a.kernels.size(); ++i)
    checkSame(a.kernels[i], b.kernels[i]);
  REQUIRE(a.workspace.size() == b.workspace.size());
  for (size_t i = 0; i < a.workspace.size(); ++i) {
    CHECK(a.workspace[i].name == b.workspace[i].name);
    CHECK(a.workspace[i].element == b.workspace[i].element);
    CHECK(a.workspace[i].shape == b.workspace[i].shape);
  }
  REQUIRE(a.recipe.size() == b.recipe.size());
  for (size_t i = 0; i < a.recipe.size(); ++i) {
    CHECK(a.recipe[i].slabbed == b.recipe[i].slabbed);
    REQUIRE(a.recipe[i].steps.size() == b.recipe[i].steps.size());
    for (size_t j = 0; j < a.recipe[i].steps.size(); ++j) {
      CHECK(a.recipe[i].steps[j].kernel == b.recipe[i].steps[j].kernel);
      CHECK(a.recipe[i].steps[j].guard == b.recipe[i].steps[j].guard);
    }
  }
}

/// The bundle with its manifest changed and its header made right again: what a careful stranger
/// would send.
Status decodeWith(const std::function<void(std::string &)> &change) {
  std::vector<uint8_t> bytes = encoded({sampleProgram()});
  uint64_t length = manifestLength(bytes);
  std::string manifest(bytes.begin() + 32, bytes.begin() + 32 + static_cast<ptrdiff_t>(length));
  std::string before = manifest;
  change(manifest);
  REQUIRE(manifest != before);
  size_t blobs = (32 + length + 63) / 64 * 64;
  std::vector<uint8_t> out = frameManifest(manifest);
  out.insert(out.end(), bytes.begin() + static_cast<ptrdiff_t>(blobs), bytes.end());
  return decodeBundle(out, "x.msab").status();
}

void replace(std::string &text, const std::string &what, const std::string &by) {
  size_t at = text.find(what);
  INFO(what);
  REQUIRE(at != std::string::npos);
  text.replace(at, what.size(), by);
}

} // namespace

TEST_CASE("programs survive a bundle") {
  Program other = sampleProgram();
  other.plan.op = Op::TopkSelect;
  other.plan.softmaxScale = 0.1;
  other.resolved = other.plan;
  std::vector<Program> programs = {sampleProgram(), other};
  Expected<std::vector<Program>> back = decodeBundle(encoded(programs), "x.msab");
  REQUIRE(back.status().message() == "");
  REQUIRE(back->size() == 2);
  checkSame(back->at(0), programs[0]);
  checkSame(back->at(1), programs[1]);
  CHECK(decodeBundle(encoded({}), "x.msab")->empty());
}

TEST_CASE("a large image survives") {
  Program program = sampleProgram();
  for (int i = 0; i < 200000; ++i)
    program.kernels[0].ptx += "add.s32 %r" + std::to_string(i * 7919 % 100003) + ";\n";
  Expected<std::vector<Program>> back = decodeBundle(encoded({program}), "x.msab");
  REQUIRE(back.status().message() == "");
  CHECK(back->at(0).kernels[0].ptx == program.kernels[0].ptx);
}

TEST_CASE("the same programs give the same bytes, and equal images are stored once") {
  CHECK(encoded({sampleProgram()}) == encoded({sampleProgram()}));
  Expected<BundleManifest> one = manifestFromJson(
      std::string(reinterpret_cast<const char *>(encoded({sampleProgram()}).data()) + 32,
                  manifestLength(encoded({sampleProgram()}))));
  REQUIRE(one.status().message() == "");
  // Two PTX texts (the third kernel has the second's) and one cubin.
  CHECK(one->blobs.size() == 3);
  CHECK(encoded({sampleProgram(), sampleProgram()}).size() < 2 * encoded({sampleProgram()}).size());
  for (const BlobRecord &blob : one->blobs)
    CHECK(blob.offset % 64 == 0);
  CHECK(encoded({sampleProgram()}).size() % 64 == 0);
}

TEST_CASE("no changed byte goes unnoticed") {
  std::vector<uint8_t> bytes = encoded({sampleProgram()});
  REQUIRE(decodeBundle(bytes, "x.msab").ok());
  for (size_t i = 0; i < bytes.size(); ++i)
    for (uint8_t flip : {0x01, 0x80}) {
      std::vector<uint8_t> damaged = bytes;
      damaged[i] ^= flip;
      Status status = decodeBundle(damaged, "x.msab").status();
      INFO("byte " << i);
      REQUIRE(status.code() == StatusCode::InvalidInput);
      REQUIRE(status.message().find("x.msab: ") == 0);
    }
}

TEST_CASE("no shortened or lengthened file goes unnoticed") {
  std::vector<uint8_t> bytes = encoded({sampleProgram()});
  for (size_t length = 0; length < bytes.size(); ++length)
    REQUIRE_FALSE(decodeBundle(std::span(bytes).first(length), "x.msab").ok());
  for (uint8_t extra : {0, 1}) {
    std::vector<uint8_t> longer = bytes;
    longer.push_back(extra);
    CHECK(decodeBundle(longer, "x.msab").status().message().find("follow the last image") !=
          std::string::npos);
  }
}

TEST_CASE("damage is told in words") {
  std::vector<uint8_t> bytes = encoded({sampleProgram()});
  auto message = [&](size_t at, uint8_t value) {
    std::vector<uint8_t> damaged = bytes;
    damaged[at] = value;
    return decodeBundle(damaged, "x.msab").status().message();
  };
  CHECK(message(0, 'X').find("not a bundle") != std::string::npos);
  CHECK(message(7, '2').find("another format version") != std::string::npos);
  CHECK(message(15, 0x7f).find("the bundle is damaged: a manifest of") != std::string::npos);
  CHECK(message(20, static_cast<uint8_t>(bytes[20] + 1)).find("another checksum than the header") !=
        std::string::npos);
  CHECK(message(40, '!').find("another checksum than the header") != std::string::npos);
  size_t blobs = (32 + manifestLength(bytes) + 63) / 64 * 64;
  CHECK(message(blobs + 8, static_cast<uint8_t>(bytes[blobs + 8] + 1))
            .find("another checksum than the manifest") != std::string::npos);
}

TEST_CASE("a manifest that lies is refused even with right checksums") {
  struct Case {
    std::string what, by, says;
  };
  for (const Case &c : std::vector<Case>{
           {"\"schema\":1}", "\"schema\":2}", "schema: 2 is not known"},
           {"\"offset\":0", "\"offset\":64", "not where the manifest says"},
           {"\"offset\":0", "\"offset\":-64", "blobs[0].offset: -64 is out of range"},
           {"\"size\":", "\"size\":18446744073709551615,\"siz\":", "blobs[0].siz"},
           {"\"raw\":", "\"raw\":1000000000000,\"ra\":", "blobs[0].ra"},
           {"\"cubin\":1", "\"cubin\":3", "names blobs 0 and 3, and the bundle has 3"},
           {"\"cubin\":1", "\"cubin\":-2", "names blobs 0 and -2"},
           {"\"kernel\":1", "\"kernel\":9", "kernel 9; the program has 3"},
           {"\"topk\":16", "\"topk\":99", "programs[0].plan: L1: topk = 99"},
           {"\"block\":[128,1,1]", "\"block\":[128,1,0]", "block extent 0"},
           {"ceildiv(slab, 2)", "ceildiv(slab; 2)", "grid: column 13"},
           {"\"type\":\"i32\"", "\"type\":\"i33\"", "did you mean 'i32'?"},
           {"\"role\":\"scalar\"", "\"role\":\"scaler\"", "did you mean 'scalar'?"},
           {"\"entry\":\"msa_index_scores\",", "", "entry: missing"},
           {"\"f32\":0.1", "\"f32\":1e200,\"f\":0.1", "does not fit FP32"},
           {"\"guard\":\"\"", "\"guard\":\"1 +\"", "guard: column 4"},
           {"{", "[", "not JSON"},
       }) {
    Status status = decodeWith([&](std::string &manifest) { replace(manifest, c.what, c.by); });
    INFO(c.what << " -> " << c.by << ": " << status.message());
    CHECK(status.code() == StatusCode::InvalidInput);
    CHECK(status.message().find(c.says) != std::string::npos);
  }
}

TEST_CASE("sizes are bounded before memory is taken") {
  auto withRaw = [](const std::string &raw) {
    return decodeWith([&](std::string &manifest) {
      size_t at = manifest.find("\"raw\":") + 6;
      manifest.replace(at, manifest.find(',', at) - at, raw);
    });
  };
  CHECK(withRaw("1000000000000").message().find("an image of 1000000000000 bytes") !=
        std::string::npos);
  CHECK(withRaw("0").message().find("an image of 0 bytes") != std::string::npos);
  CHECK(withRaw("134217728").message().find("not one zstd frame of the size") != std::string::npos);
  CHECK(withRaw("5").message().find("not one zstd frame of the size") != std::string::npos);
}

TEST_CASE("what could not be read back is not written") {
  Program program = sampleProgram();
  program.plan.topk = 0;
  CHECK_FALSE(encodeBundle({program}).ok());
  program = sampleProgram();
  program.kernels[0].launch.block = {};
  CHECK_FALSE(encodeBundle({program}).ok());
}

TEST_CASE("a bundle in a file") {
  TemporaryFolder folder;
  REQUIRE(writeBundle(folder.file("x.msab"), {sampleProgram()}).ok());
  CHECK(readBundle(folder.file("x.msab"))->size() == 1);
  CHECK(folder.entries() == 1);
  Status status = readBundle(folder.file("y.msab")).status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK(status.message().find("y.msab") != std::string::npos);
}

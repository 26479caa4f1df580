// D3 and D4: descriptors against the tiles that tensor copies wrote.
#include "Harness.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {

struct Tile {
  TensorType type = TensorType::BF16;
  uint32_t inner = 64, rows = 64; ///< of the box, elements
  Swizzle swizzle = Swizzle::B128;
  uint32_t planes = 1; ///< a third dimension of the box
};

/// Loads the tile to `tile`, waits, multiplies once.
WgmmaKernel kernel(const Tile &t, uint64_t a, uint64_t b, std::string product) {
  TensorMap map;
  map.type = t.type;
  map.rank = t.planes > 1 ? 3 : 2;
  map.swizzle = t.swizzle;
  const uint32_t bytes = bitsOf(t.type) / 8;
  map.dims = {t.inner, t.rows, t.planes, 1, 1};
  map.strides = {uint64_t{t.inner} * bytes, uint64_t{t.inner} * t.rows * bytes, 0, 0};
  map.box = {t.inner, t.rows, t.planes, 1, 1};
  WgmmaKernel k;
  k.map = map;
  const uint32_t total = t.inner * t.rows * t.planes * bytes;
  k.buffers = {std::vector<uint8_t>(total)};
  k.declarations = ".shared .align 1024 .b8 tile[32768]; .shared .align 8 .b64 bar;";
  k.body = fmt::format(
      "mov.u32 %r200, tile; mov.u32 %r201, bar; setp.ne.u32 %p1, %tid_x, 0; mov.b32 %r202, 0;\n"
      "@%p1 bra READY;\nmbarrier.init.shared::cta.b64 [%r201], 1; fence.proxy.async; "
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r201], {0};\n"
      "cp.async.bulk.tensor.{1}d.shared::cluster.global.mbarrier::complete_tx::bytes [%r200], "
      "[%map, "
      "{2}], [%r201];\nREADY: bar.sync 0;\n"
      "WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r201], 0; @!%p2 bra WAIT;\n"
      "mov.b64 %d0, {3}; mov.b64 %d1, {4};\n",
      total, map.rank, t.planes > 1 ? "{%r202, %r202, %r202}" : "{%r202, %r202}", a, b);
  for (int i = 0; i < 64; ++i)
    k.body += fmt::format("mov.f32 %f{0}, 0f00000000; ", i);
  k.body += "\nwgmma.fence.sync.aligned;\n" + product +
            "\nwgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;";
  return k;
}

std::string registers(uint32_t n) {
  std::string text = "{";
  for (uint32_t i = 0; i < n / 2; ++i)
    text += fmt::format("{}%f{}", i ? ", " : "", i);
  return text + "}";
}
std::string product(uint32_t n, const char *type = "bf16", uint32_t k = 16, int mnA = 0,
                    int mnB = 0) {
  std::string text =
      fmt::format("wgmma.mma_async.sync.aligned.m64n{}k{}.f32.{}.{} {}, %d0, %d1, 1, "
                  "1, 1",
                  n, k, type, type, registers(n));
  return text + (k == 16 ? fmt::format(", {}, {};", mnA, mnB) : ";");
}

/// start, LBO and SBO in bytes; swizzle code at 63:62.
uint64_t descriptor(uint64_t start, uint64_t lbo, uint64_t sbo, uint64_t code) {
  return start >> 4 | lbo >> 4 << 16 | sbo >> 4 << 32 | code << 62;
}

} // namespace

TEST_CASE("descriptors fit the tiles that copies wrote, or not (D3, D4)") {
  struct Case {
    const char *what, *id;
    Tile tile;
    uint64_t a, b;
    std::string instruction;
  };
  const Tile k128;
  const uint64_t good = descriptor(0, 16, 1024, 1);
  const Case cases[] = {
      {"K-major 128B", "", k128, good, good, product(8)},
      {"a K step", "", k128, good + 6, good + 2, product(8)},
      {"other swizzle", "D3", k128, good, descriptor(0, 16, 512, 2), product(8)},
      {"no swizzle", "D3", k128, good, descriptor(0, 128, 256, 0), product(8)},
      {"rows of eight too close", "D4", k128, descriptor(0, 16, 512, 1), good, product(8)},
      {"rows of eight too far", "D4", k128, descriptor(0, 16, 2048, 1), good, product(8)},
      {"the same rows again", "D4", k128, descriptor(0, 16, 0, 1), good, product(8)},
      {"past the end of the row", "D4", k128, good + 7, good, product(8)},
      {"64B",
       "",
       {TensorType::BF16, 32, 64, Swizzle::B64},
       descriptor(0, 16, 512, 2),
       descriptor(0, 16, 512, 2),
       product(16)},
      {"rows shorter than the swizzle",
       "D4",
       {TensorType::BF16, 32, 128, Swizzle::B128},
       good,
       good,
       product(8)},
      {"integer maps stand for bytes",
       "",
       {TensorType::U8, 128, 64, Swizzle::B128},
       good,
       good,
       product(8)},
      {"elements of another size",
       "D3",
       {TensorType::F32, 32, 64, Swizzle::B128},
       good,
       good,
       product(8)},
      {"tf32 in an f32 map",
       "",
       {TensorType::F32, 32, 64, Swizzle::B128},
       good,
       good,
       product(8, "tf32", 8)},
      // 64 rows of k, 64 columns of M: one span; then three spans in a box of three dimensions.
      {"MN-major", "", k128, descriptor(0, 8192, 1024, 1), descriptor(0, 8192, 1024, 1),
       product(64, "bf16", 16, 1, 1)},
      {"MN-major, k groups too close", "D4", k128, descriptor(0, 8192, 512, 1),
       descriptor(0, 8192, 1024, 1), product(64, "bf16", 16, 1, 1)},
      {"MN-major over planes of a box",
       "",
       {TensorType::BF16, 64, 64, Swizzle::B128, 2},
       descriptor(0, 8192, 1024, 1),
       descriptor(0, 8192, 1024, 1),
       product(128, "bf16", 16, 1, 1)},
      {"MN-major, LBO to another k",
       "D4",
       {TensorType::BF16, 64, 64, Swizzle::B128, 2},
       descriptor(0, 8192, 1024, 1),
       descriptor(0, 4096, 1024, 1),
       product(128, "bf16", 16, 1, 1)},
      {"MN-major, LBO 0",
       "D4",
       {TensorType::BF16, 64, 64, Swizzle::B128, 2},
       descriptor(0, 8192, 1024, 1),
       descriptor(0, 0, 1024, 1),
       product(128, "bf16", 16, 1, 1)},
      // Core matrices without swizzle: a box of 8 elements, 64 rows, chunks of k.
      {"no swizzle, chunks as planes",
       "",
       {TensorType::BF16, 8, 64, Swizzle::None, 2},
       descriptor(0, 1024, 128, 0),
       descriptor(0, 1024, 128, 0),
       product(16)},
      {"no swizzle, rows repeated",
       "D4",
       {TensorType::BF16, 8, 64, Swizzle::None, 2},
       descriptor(0, 1024, 64, 0),
       descriptor(0, 1024, 128, 0),
       product(16)},
      // A halo: rows of eight in a box of ten by eight (an implicit convolution).
      {"rows of a box of three dimensions",
       "",
       {TensorType::BF16, 64, 10, Swizzle::B128, 8},
       descriptor(0, 16, 1280, 1),
       descriptor(0, 16, 1024, 1),
       product(8)},
  };
  for (const Case &c : cases) {
    INFO(c.what);
    CHECK(idOf(kernel(c.tile, c.a, c.b, c.instruction)) == c.id);
  }
}

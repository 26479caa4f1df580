// Loads, stores and reductions of boxes against the element-by-element reference: every type,
// swizzle and rank, ragged edges, negative coordinates, element strides, unaligned patterns.
#include "Reference.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cstring>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {

constexpr uint32_t tileBytes = 16384;

class Dice {
public:
  explicit Dice(uint32_t seed) : x(seed * 747796405u + 1) {}
  uint32_t below(uint32_t n) {
    x = x * 1664525u + 1013904223u;
    return static_cast<uint32_t>((uint64_t{x} * n) >> 32);
  }

private:
  uint32_t x;
};

/// A random box that the rules allow; at most half of `tile`.
Place randomPlace(Dice &dice, bool loads) {
  for (;;) {
    Place p;
    TensorMap &m = p.map;
    m.type = static_cast<TensorType>(dice.below(16));
    m.rank = static_cast<uint8_t>(1 + dice.below(5));
    m.swizzle = static_cast<Swizzle>(dice.below(7));
    m.fillsNan = loads && dice.below(4) == 0;
    const bool padded = isPadded(m.type);
    const unsigned bits = bitsOf(m.type), align = padded ? 32 : 16;
    m.address = align * dice.below(3);
    m.box[0] = padded ? 128 : 16 * 8 / bits * (1 + dice.below(8));
    m.dims[0] = padded ? 128 * (1 + dice.below(2)) : 2 * (1 + dice.below(m.box[0]));
    p.at[0] = padded ? 128 * (static_cast<int>(dice.below(3)) - 1)
                     : 2 * (static_cast<int>(dice.below(m.box[0])) / 2 - 4);
    uint64_t size = (m.dims[0] * bits / 8 + align - 1) / align * align;
    for (unsigned d = 1; d < m.rank; ++d) {
      m.dims[d] = 1 + dice.below(5);
      m.box[d] = 1 + dice.below(5);
      m.elementStrides[d] = 1 + dice.below(3) / 2 * dice.below(3);
      p.at[d] = static_cast<int>(dice.below(6)) - 2;
      m.strides[d - 1] = size + align * dice.below(2);
      size = m.strides[d - 1] * m.dims[d];
    }
    if (!loads)
      for (int &c : p.at)
        c = std::max(c, 0);
    p.base = 128 * dice.below(9);
    if (!loads && m.type == TensorType::U4Align16)
      continue;
    if (checkTensorMap(m, "map").ok() && sharedBytesOf(p) <= tileBytes / 2)
      return p;
  }
}

std::string described(const Place &p) {
  const TensorMap &m = p.map;
  return fmt::format("type {} rank {} swizzle {} dims {} box {} element strides {} at {} base {}",
                     static_cast<int>(m.type), m.rank, static_cast<int>(m.swizzle),
                     fmt::join(m.dims, ","), fmt::join(m.box, ","),
                     fmt::join(m.elementStrides, ","), coordinates(p), p.base);
}

} // namespace

TEST_CASE("random boxes are loaded as the reference says") {
  auto schedules = allSchedules();
  for (uint32_t seed = 0; seed < 400; ++seed) {
    Dice dice(seed);
    Place p = randomPlace(dice, true);
    INFO(described(p));
    TmaKernel k;
    k.tileBytes = tileBytes;
    k.buffers = {noise(tensorBytes(p.map), seed), Bytes(tileBytes)};
    k.maps = {{p.map, 0}};
    k.options = schedules[seed % schedules.size()];
    // Padding stays uninitialised, and what the box does not cover too.
    k.options.disabledChecks = {"X4"};
    const char *space = seed % 2 ? "shared::cta" : "shared::cluster";
    k.body = initBarrier() +
             loadAndWait(countedBytesOf(p),
                         fmt::format("cp.async.bulk.tensor.{}d.{}.global.tile.mbarrier::"
                                     "complete_tx::bytes [tile+{}], [%map_0, {}], [full];",
                                     p.map.rank, space, p.base, coordinates(p))) +
             copyOut("%rd_1", tileBytes);
    TmaRun ran = run(k);
    REQUIRE(ran.text == "");
    auto expected = loadBox(p, k.buffers[0], tileBytes);
    for (uint32_t i = 0; i < tileBytes; ++i)
      if (expected[i] && *expected[i] != ran.buffers[1][i])
        FAIL("byte " << i << " of the tile is " << int(ran.buffers[1][i]) << ", expected "
                     << int(*expected[i]));
    CHECK(ran.buffers[0] == k.buffers[0]);
  }
}

TEST_CASE("random boxes are stored as the reference says") {
  auto schedules = allSchedules();
  for (uint32_t seed = 1000; seed < 1300; ++seed) {
    Dice dice(seed);
    Place p = randomPlace(dice, false);
    INFO(described(p));
    TmaKernel k;
    k.tileBytes = tileBytes;
    k.buffers = {noise(tensorBytes(p.map), seed), noise(tileBytes, seed + 1)};
    k.maps = {{p.map, 0}};
    k.options = schedules[seed % schedules.size()];
    k.body = copyIn("%rd_1", tileBytes) +
             storeAndWait(fmt::format("cp.async.bulk.tensor.{}d.global.shared::cta.tile.bulk_group "
                                      "[%map_0, {}], [tile+{}];",
                                      p.map.rank, coordinates(p), p.base));
    TmaRun ran = run(k);
    REQUIRE(ran.text == "");
    Bytes expected = k.buffers[0];
    storeBox(p, k.buffers[1], expected);
    CHECK(ran.buffers[0] == expected);
  }
}

TEST_CASE("reductions use the element type of the map") {
  struct Row {
    const char *op;
    TensorType type;
    uint64_t memory, value, result;
  };
  const Row rows[] = {
      {"add", TensorType::U32, 0xFFFFFFFF, 3, 2},
      {"add", TensorType::S32, 0xFFFFFFFE, 5, 3},
      {"add", TensorType::U64, 0xFFFFFFFFFFFFFFFF, 5, 4},
      {"add", TensorType::F32, 0x3FC00000, 0x3F800000, 0x40200000},
      {"add", TensorType::F16, 0x3C00, 0x4000, 0x4200},
      {"add", TensorType::BF16, 0x3F80, 0x4000, 0x4040},
      {"min", TensorType::S32, 0xFFFFFFFE, 5, 0xFFFFFFFE},
      {"min", TensorType::U32, 0xFFFFFFFE, 5, 5},
      {"max", TensorType::S64, 0xFFFFFFFFFFFFFFFE, 5, 5},
      {"max", TensorType::U64, 0xFFFFFFFFFFFFFFFE, 5, 0xFFFFFFFFFFFFFFFE},
      {"max", TensorType::F16, 0xBC00, 0x3800, 0x3800},
      {"min", TensorType::BF16, 0xBF80, 0x3F00, 0xBF80},
      {"inc", TensorType::U32, 7, 7, 0},
      {"inc", TensorType::U32, 6, 7, 7},
      {"dec", TensorType::U32, 0, 7, 7},
      {"dec", TensorType::U32, 5, 7, 4},
      {"and", TensorType::U32, 0xF0F0, 0xFF00, 0xF000},
      {"or", TensorType::S64, 0xF0F000000000, 0x0F00, 0xF0F000000F00},
      {"xor", TensorType::S32, 0xFFFF, 0x0FF0, 0xF00F},
  };
  for (const Row &row : rows) {
    INFO(row.op << " of type " << int(row.type));
    const unsigned bytes = bitsOf(row.type) / 8;
    auto filled = [&](uint64_t value) {
      Bytes all(64);
      for (size_t i = 0; i < all.size(); i += bytes)
        std::memcpy(&all[i], &value, bytes);
      return all;
    };
    TmaKernel k;
    k.maps = {{TensorMap{.type = row.type, .rank = 1}, 0}};
    k.maps[0].map.dims[0] = 64 / bytes - 1; // the last element is outside
    k.maps[0].map.box[0] = 64 / bytes;
    k.buffers = {filled(row.memory), filled(row.value)};
    k.body = copyIn("%rd_1", 64) +
             storeAndWait(fmt::format("cp.reduce.async.bulk.tensor.1d.global.shared::cta.{}."
                                      "bulk_group [%map_0, {{0}}], [tile];",
                                      row.op));
    Bytes expected = filled(row.result);
    std::copy_n(k.buffers[0].end() - bytes, bytes, expected.end() - bytes);
    for (const RunOptions &options : allSchedules()) {
      k.options = options;
      TmaRun ran = run(k);
      REQUIRE(ran.text == "");
      CHECK(ran.buffers[0] == expected);
    }
  }
}

TEST_CASE("gather4 takes four rows, rows outside are filled") {
  TensorMap map{.type = TensorType::BF16, .rank = 2, .swizzle = Swizzle::B128};
  map.dims = {96, 10, 1, 1, 1};
  map.strides[0] = 192;
  map.box = {64, 1, 1, 1, 1};
  TmaKernel k;
  k.buffers = {noise(tensorBytes(map), 7), Bytes(512)};
  k.maps = {{map, 0}};
  const int rows[] = {9, 2, -1, 10}, column = 48;
  k.body = initBarrier() +
           loadAndWait(512, "cp.async.bulk.tensor.2d.tile::gather4.shared::cta.global.mbarrier::"
                            "complete_tx::bytes [tile], [%map_0, {48, 9, 2, -1, 10}], [full];") +
           copyOut("%rd_1", 512);
  for (const RunOptions &options : allSchedules()) {
    k.options = options;
    TmaRun ran = run(k);
    REQUIRE(ran.text == "");
    for (int r = 0; r < 4; ++r)
      for (int c = 0; c < 128; ++c) {
        int at = (column * 2) + c;
        bool inside = rows[r] >= 0 && rows[r] < 10 && at < 192;
        uint8_t expected = inside ? k.buffers[0][static_cast<size_t>(rows[r] * 192 + at)] : 0;
        int to = r * 128 + (((c / 16) ^ r) * 16) + c % 16;
        CHECK(int(ran.buffers[1][static_cast<size_t>(to)]) == int(expected));
      }
  }
}

TEST_CASE("multicast writes to and signals every CTA of the mask") {
  TensorMap map{.type = TensorType::U32, .rank = 1};
  map.dims[0] = map.box[0] = 64;
  TmaKernel k;
  k.cluster = k.ctas = 4;
  k.buffers = {noise(256, 3), Bytes(4 * 256)};
  k.maps = {{map, 0}};
  // CTA 2 copies to all but CTA 1.
  k.body = initBarrier() +
           "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n"
           "mov.u32 %r1, %cluster_ctarank; setp.eq.u32 %p4, %r1, 2; setp.eq.u32 %p5, %r1, 1;\n"
           "@%p5 bra END;\n"
           "@%first mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], 256;\n"
           "and.pred %p4, %p4, %first; mov.b16 %h0, 13;\n"
           "@%p4 cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes"
           ".multicast::cluster [tile], [%map_0, {0}], [full], %h0;\n"
           "WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p1, [full], 0;\n@!%p1 bra WAIT;\n"
           "shl.b32 %r2, %r1, 8; cvt.u64.u32 %d1, %r2; add.u64 %d1, %d1, %rd_1;\n" +
           copyOut("%d1", 256) +
           "END: barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n";
  for (const RunOptions &options : allSchedules()) {
    k.options = options;
    TmaRun ran = run(k);
    REQUIRE(ran.text == "");
    for (size_t cta = 0; cta < 4; ++cta)
      for (size_t i = 0; i < 256; ++i)
        CHECK(int(ran.buffers[1][cta * 256 + i]) == (cta == 1 ? 0 : int(k.buffers[0][i])));
  }
}

TEST_CASE("cta_group::2 signals the leader of the pair") {
  TensorMap map{.type = TensorType::U32, .rank = 1};
  map.dims[0] = 128;
  map.box[0] = 64;
  TmaKernel k;
  k.cluster = k.ctas = 2;
  k.buffers = {noise(512, 5), Bytes(512)};
  k.maps = {{map, 0}};
  k.body = initBarrier() +
           "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n"
           "mov.u32 %r1, %cluster_ctarank; setp.eq.u32 %p4, %r1, 0; shl.b32 %r2, %r1, 6;\n"
           "and.pred %p5, %p4, %first;\n"
           "@%p5 mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], 512;\n"
           "mov.u32 %r3, tile; mapa.shared::cluster.u32 %r3, %r3, %r1;\n"
           "mov.u32 %r4, full; mapa.shared::cluster.u32 %r4, %r4, 0;\n"
           "@%first cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes"
           ".cta_group::2 [%r3], [%map_0, {%r2}], [%r4];\n"
           "@!%p4 bra JOIN;\n"
           "WAIT: mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p1, [full], 0;\n"
           "@!%p1 bra WAIT;\n"
           "JOIN: barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n"
           "shl.b32 %r2, %r1, 8; cvt.u64.u32 %d1, %r2; add.u64 %d1, %d1, %rd_1;\n" +
           copyOut("%d1", 256);
  for (const RunOptions &options : allSchedules()) {
    k.options = options;
    TmaRun ran = run(k);
    REQUIRE(ran.text == "");
    CHECK(ran.buffers[1] == k.buffers[0]);
  }
}

TEST_CASE("a map in a variable of the module") {
  TensorMap map{.type = TensorType::U32, .rank = 1};
  map.dims[0] = map.box[0] = 64;
  TmaKernel k;
  k.declarations = ".global .align 64 .b8 variable[128];";
  k.buffers = {noise(256, 3), Bytes(256)};
  k.maps = {{map, 0}};
  std::string copy;
  for (int i = 0; i < 128; i += 8)
    copy += fmt::format("@%first ld.param.b64 %d1, [map0+{0}];\n"
                        "@%first st.global.b64 [variable+{0}], %d1;\n",
                        i);
  k.body = copy + "@%first fence.proxy.tensormap::generic.release.gpu;\n" + initBarrier() +
           "@%first mov.u64 %d2, variable;\n"
           "@%first fence.proxy.tensormap::generic.acquire.gpu [%d2], 128;\n" +
           loadAndWait(256, "cp.async.bulk.tensor.1d.shared::cta.global.mbarrier::complete_tx::"
                            "bytes [tile], [variable, {0}], [full];") +
           copyOut("%rd_1", 256);
  for (const RunOptions &options : allSchedules()) {
    k.options = options;
    TmaRun ran = run(k);
    REQUIRE(ran.text == "");
    CHECK(ran.buffers[1] == k.buffers[0]);
  }
}

TEST_CASE("padding of 4- and 6-bit elements is uninitialised") {
  TensorMap map{.type = TensorType::U6Align16, .rank = 1};
  map.dims[0] = map.box[0] = 128;
  TmaKernel k;
  k.buffers = {noise(96, 3), Bytes(128)};
  k.maps = {{map, 0}};
  k.body = initBarrier() +
           loadAndWait(96, "cp.async.bulk.tensor.1d.shared::cta.global.mbarrier::complete_tx::"
                           "bytes [tile], [%map_0, {0}], [full];");
  CHECK(idOf(k) == "");
  k.body += copyOut("%rd_1", 128);
  CHECK(idOf(k) == "X4");
}

TEST_CASE("counters tell bytes inside of the tensor from those outside") {
  TensorMap map{.type = TensorType::F32, .rank = 2};
  map.dims = {20, 3, 1, 1, 1};
  map.strides[0] = 80;
  map.box = {16, 4, 1, 1, 1};
  TmaKernel k;
  k.options.counters = true;
  k.buffers = {noise(240, 3)};
  k.maps = {{map, 0}};
  k.body = initBarrier() +
           loadAndWait(256, "cp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::"
                            "bytes [tile], [%map_0, {8, -1}], [full];");
  TmaRun ran = run(k);
  REQUIRE(ran.text == "");
  CHECK(ran.counters.tmaLoadBytes == 3 * 12 * 4);
  CHECK(ran.counters.tmaOutsideBytes == 256 - 3 * 12 * 4);
}

// M1 to M4: the smallest kernel with the mistake and its correct twin, which is clean under every
// schedule. P4 is in MapTest.cpp.
#include "Reference.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cstring>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {

/// A kernel with one map of 32-bit words: 32 x 16 of them in buffer 0, boxes of 16 x 4 (256 bytes).
TmaKernel kernel(std::string body) {
  TmaKernel k;
  TensorMap map{.type = TensorType::U32, .rank = 2};
  map.dims = {32, 16, 1, 1, 1};
  map.strides[0] = 128;
  map.box = {16, 4, 1, 1, 1};
  k.buffers = {noise(2048, 1), Bytes(2048)};
  k.maps = {{map, 0}};
  k.body = std::move(body);
  return k;
}

std::string load(const std::string &to, const std::string &map, const std::string &at,
                 const std::string &rank = "2d") {
  return fmt::format(
      "cp.async.bulk.tensor.{}.shared::cta.global.mbarrier::complete_tx::bytes [{}], "
      "[{}, {}], [full];",
      rank, to, map, at);
}

std::string store(const std::string &from, const std::string &at) {
  return fmt::format("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%map_0, {}], [{}];",
                     at, from);
}

TmaKernel loading(const std::string &copy, uint32_t bytes = 256) {
  return kernel(initBarrier() + loadAndWait(bytes, copy));
}

TmaKernel storing(const std::string &copy) {
  return kernel(copyIn("%rd_1", 256) + storeAndWait(copy));
}

struct Pair {
  const char *what, *id;
  TmaKernel wrong, right;
};

TmaKernel with(TmaKernel k, TensorMap map) {
  k.maps[0].map = map;
  return k;
}

TensorMap mapOf(TensorType type, uint64_t dim0, uint32_t box0) {
  TensorMap map{.type = type, .rank = 1};
  map.dims[0] = dim0;
  map.box[0] = box0;
  return map;
}

void check(const Pair &pair) {
  INFO(pair.what);
  CHECK(idOf(pair.wrong) == pair.id);
  CHECK(idOf(pair.right) == "");
}

} // namespace

TEST_CASE("M1: tensor maps, alignment and coordinates") {
  const TmaKernel good = loading(load("tile", "%map_0", "{8, 2}"));
  TmaKernel foreign = good, torn = good, misplaced = good, inShared = good;
  // The second kernel parameter is the map: 128 bytes at a copy of it in buffer 1, or next to it.
  foreign.body = initBarrier() + loadAndWait(256, load("tile", "%rd_1", "{8, 2}"));
  misplaced.body =
      "add.u64 %d1, %map_0, 16;" + initBarrier() + loadAndWait(256, load("tile", "%d1", "{8, 2}"));
  inShared.body = "mov.u64 %d1, tile; cvta.shared.u64 %d1, %d1;" + initBarrier() +
                  loadAndWait(256, load("tile+256", "%d1", "{8, 2}"));
  // All but the last word of the map arrives in buffer 1.
  auto copyMap = [](int words) {
    std::string text;
    for (int i = 0; i < words; ++i)
      text += fmt::format("ld.param.b32 %r1, [map0+{0}]; st.global.b32 [%rd_1+{0}], %r1;\n", 4 * i);
    return fmt::format("@!%first bra COPIED;\n{}fence.proxy.tensormap::generic.release.cta;\n"
                       "fence.proxy.tensormap::generic.acquire.cta [%rd_1], 128;\nCOPIED:\n",
                       text);
  };
  torn.body = copyMap(31) + foreign.body;
  TmaKernel whole = good;
  whole.body = copyMap(32) + foreign.body;
  check({"not a map", "M1", foreign, good});
  check({"a torn copy", "M1", torn, whole});
  check({"a map at a multiple of 16 only", "M1", misplaced, good});
  check({"a map in shared memory", "M1", inShared, good});
  check({"another rank", "M1", loading(load("tile", "%map_0", "{8}", "1d")), good});
  check({"a destination that is not a multiple of 128", "M1",
         loading(load("tile+64", "%map_0", "{8, 2}")),
         loading(load("tile+128", "%map_0", "{8, 2}"))});
  check({"a store from a negative coordinate", "M1", storing(store("tile", "{-4, 2}")),
         storing(store("tile", "{28, 14}"))});
  check({"a source that is not a multiple of 128", "M1",
         kernel(copyIn("%rd_1", 512) + storeAndWait(store("tile+16", "{0, 0}"))),
         kernel(copyIn("%rd_1", 512) + storeAndWait(store("tile+256", "{0, 0}")))});
  check({"a padded type off the multiples of 128", "M1",
         with(loading(load("tile", "%map_0", "{64}", "1d"), 64),
              mapOf(TensorType::U4Align16, 256, 128)),
         with(loading(load("tile", "%map_0", "{128}", "1d"), 64),
              mapOf(TensorType::U4Align16, 256, 128))});
  check(
      {"half a byte", "M1",
       with(loading(load("tile", "%map_0", "{1}", "1d"), 16), mapOf(TensorType::U4Align8, 64, 32)),
       with(loading(load("tile", "%map_0", "{2}", "1d"), 16),
            mapOf(TensorType::U4Align8, 64, 32))});
  const std::string out1 = "cp.async.bulk.tensor.1d.global.shared::cta.bulk_group [%map_0, {0}], "
                           "[tile];";
  check({"a type that can be loaded only", "M1",
         with(storing(out1), mapOf(TensorType::U4Align16, 128, 128)),
         with(storing(out1), mapOf(TensorType::U6Align16, 128, 128))});
  const std::string add1 = "cp.reduce.async.bulk.tensor.1d.global.shared::cta.add.bulk_group "
                           "[%map_0, {0}], [tile];";
  check({"no such reduction", "M1", with(storing(add1), mapOf(TensorType::S64, 8, 8)),
         with(storing(add1), mapOf(TensorType::U64, 8, 8))});
  auto gather = [](uint32_t rows) {
    TensorMap map{.type = TensorType::U32, .rank = 2};
    map.dims = {32, 16, 1, 1, 1};
    map.strides[0] = 128;
    map.box = {16, rows, 1, 1, 1};
    return with(loading("cp.async.bulk.tensor.2d.tile::gather4.shared::cta.global.mbarrier::"
                        "complete_tx::bytes [tile], [%map_0, {0, 3, 1, 2, 0}], [full];"),
                map);
  };
  check({"gather4 with boxes of several rows", "M1", gather(4), gather(1)});
  // A map that breaks a rule, encoded all the same.
  TensorMap wide = kernel("").maps[0].map;
  wide.swizzle = Swizzle::B32;
  check({"a box wider than the swizzle", "M1", with(good, wide), good});
}

TEST_CASE("M2: boxes and masks beyond what there is") {
  check({"a box beyond shared memory", "M2", loading(load("tile+16384", "%map_0", "{8, 2}")),
         loading(load("tile+7936", "%map_0", "{8, 2}"))});
  TensorMap huge{.type = TensorType::U32, .rank = 5};
  huge.dims = {16, 1, 1, 1, 1};
  huge.box = {16, 256, 256, 256, 256};
  TensorMap small = huge;
  small.box = {16, 2, 2, 1, 1};
  const std::string load5 = load("tile", "%map_0", "{0, 0, 0, 0, 0}", "5d");
  check({"a box whose bytes do not fit 32 bits", "M2", with(loading(load5), huge),
         with(loading(load5), small)});
  // 48 bytes in the fifth line of a swizzle pattern lie in its chunks 4 to 6.
  TensorMap line{.type = TensorType::U32, .rank = 1, .swizzle = Swizzle::B128};
  line.dims[0] = line.box[0] = 12;
  auto last = [&](uint32_t bytes) {
    TmaKernel k = with(loading(load("tile+512", "%map_0", "{0}", "1d"), 48), line);
    k.tileBytes = bytes;
    k.declarations = "";
    return k;
  };
  check({"a swizzle that leaves shared memory", "M2", last(560), last(640)});
  auto multicast = [](int mask) {
    TmaKernel k = kernel(
        initBarrier() + "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n" +
        "mov.u32 %r1, %cluster_ctarank; setp.eq.u32 %p3, %r1, 0; and.pred %p3, %p3, %first;\n"
        "@%first mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], 256;\n" +
        fmt::format("mov.b16 %h0, {};\n@%p3 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier"
                    "::complete_tx::bytes.multicast::cluster [tile], [%map_0, {{0, 0}}], [full], "
                    "%h0;\n",
                    mask) +
        "WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p1, [full], 0;\n@!%p1 bra WAIT;\n"
        "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;\n");
    k.ctas = k.cluster = 2;
    return k;
  };
  check({"a mask beyond the cluster", "M2", multicast(7), multicast(3)});
  check({"an empty mask", "M2", multicast(0), multicast(3)});
}

TEST_CASE("M3: the source of a store changes too early") {
  const std::string issue =
      "@%first " + store("tile", "{0, 0}") + "\n@%first cp.async.bulk.commit_group;\n";
  const std::string read = "@%first cp.async.bulk.wait_group.read 0;\nbar.sync 0;\n";
  const std::string change = "mov.b32 %r1, 7; shl.b32 %r2, %tid_x, 2; mov.u32 %r3, tile; "
                             "add.u32 %r3, %r3, %r2;\nst.shared.b32 [%r3], %r1;\n";
  const std::string in = copyIn("%rd_1", 256);
  check({"no wait before the source is written again", "M3", kernel(in + issue + change),
         kernel(in + issue + read + change)});
  check({"a wait for the group before only", "M3",
         kernel(in + issue + "@%first cp.async.bulk.wait_group.read 1;\nbar.sync 0;\n" + change),
         kernel(in + issue + read + change)});
  check({"never committed", "M3", kernel(in + "@%first " + store("tile", "{0, 0}")),
         kernel(in + issue + read)});
  const std::string reload =
      initBarrier() + issue + "%R" + loadAndWait(256, load("tile", "%map_0", "{0, 4}"));
  auto reloading = [&](const std::string &between) {
    std::string text = reload;
    text.replace(text.find("%R"), 2, between);
    return kernel(in + text);
  };
  check({"a load over the source of a store", "P3", reloading(""), reloading(read)});
}

TEST_CASE("M4: maps larger than their buffer") {
  TensorMap larger = kernel("").maps[0].map;
  larger.dims[1] = 32;
  const TmaKernel good = loading(load("tile", "%map_0", "{0, 12}"));
  check({"a load past the end of the buffer", "M4",
         with(loading(load("tile", "%map_0", "{0, 14}")), larger), with(good, larger)});
  TmaKernel out = storing(store("tile", "{0, 14}"));
  check({"a store past the end of the buffer", "M4", with(out, larger), out});
}

TEST_CASE("forms that are not simulated, or do not exist, are refused by name") {
  const std::pair<const char *, const char *> rows[] = {
      {"cp.async.bulk.tensor.3d.shared::cta.global.im2col.mbarrier::complete_tx::bytes [tile], "
       "[%map_0, {0, 0, 0}], [full], {%h0};",
       "im2col"},
      {"cp.async.bulk.tensor.2d.global.shared::cta.tile::scatter4.bulk_group [%map_0, {0, 0, 1, 2, "
       "3}], [tile];",
       "scatter4"},
      {"cp.async.bulk.tensor.6d.shared::cta.global.mbarrier::complete_tx::bytes [tile], [%map_0, "
       "{0}], [full];",
       "dimensions"},
      {"cp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::bytes [tile], [%map_0, "
       "{0}], [full];",
       "coordinates"},
      {"cp.async.bulk.tensor.1d.shared::cta.global.mbarrier::complete_tx::bytes"
       ".multicast::cluster [tile], [%map_0, {0}], [full], %h0;",
       "no such copy"},
      {"cp.reduce.async.bulk.tensor.1d.global.shared::cta.bulk_group [%map_0, {0}], [tile];",
       "reduction"},
  };
  for (const auto &[text, words] : rows) {
    TmaRun ran = run(kernel(text));
    INFO(text << ": " << ran.text);
    CHECK(ran.id == "refused");
    CHECK_THAT(ran.text, Catch::Contains(words) && Catch::Contains("test.ptx:"));
  }
}

TEST_CASE("prefetches and cache hints change nothing") {
  TmaKernel k = kernel(
      "createpolicy.fractional.L2::evict_first.b64 %d1, 1.0;\n"
      "@%first cp.async.bulk.prefetch.tensor.2d.L2.global [%map_0, {-4, 100}];\n"
      "@%first cp.async.bulk.prefetch.tensor.2d.L2.global.tile.L2::cache_hint [%map_0, {0, 0}], "
      "%d1;\n"
      "@%first prefetch.tensormap [%map_0];\n" +
      initBarrier() +
      loadAndWait(256, "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::"
                       "bytes.L2::cache_hint [tile], [%map_0, {0, 0}], [full], %d1;") +
      storeAndWait("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group.L2::cache_hint "
                   "[%map_0, {16, 8}], [tile], %d1;"));
  CHECK(idOf(k) == "");
}

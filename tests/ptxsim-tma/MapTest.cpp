// The 128 bytes of a map: the rules of cuTensorMapEncodeTiled, each with its message; torn and
// foreign bytes; tensormap.replace, also from 128 zero bytes as compilers do it.
#include "Reference.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <functional>

using namespace msa;
using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {

TensorMap plainMap() {
  TensorMap map{.type = TensorType::BF16, .rank = 2, .swizzle = Swizzle::B64};
  map.dims = {100, 20, 1, 1, 1};
  map.strides[0] = 208;
  map.box = {32, 8, 1, 1, 1};
  return map;
}

/// The kernel that builds a map of 32 x 8 words in shared memory, copies it to buffer 1 and loads
/// with it from buffer 0 to buffer 2.
TmaKernel deviceBuilt(const std::string &space, const std::string &before,
                      const std::string &acquire) {
  TmaKernel k;
  k.declarations = ".shared .align 128 .b8 desc[128];";
  k.buffers = {noise(4096, 1), Bytes(128), Bytes(512)};
  const bool shared = space == "shared::cta";
  std::string target = shared ? "[%r30]" : "[%rd_1]", edits;
  auto edit = [&](const std::string &field, const std::string &type, const std::string &values) {
    edits += fmt::format("@%first tensormap.replace.tile.{}.{}.b1024.{} {}, {};\n", field, space,
                         type, target, values);
  };
  edit("global_address", "b64", "%rd_0");
  edit("rank", "b32", "1");
  for (int d = 0; d < 2; ++d) {
    edit("box_dim", "b32", fmt::format("{}, {}", d, d ? "%r32" : "%r31"));
    edit("global_dim", "b32", fmt::format("{}, 32", d));
    edit("element_stride", "b32", fmt::format("{}, 1", d));
  }
  edit("global_stride", "b64", "0, 128");
  edit("swizzle_atomicity", "b32", "0");
  edit("swizzle_mode", "b32", "2");
  edit("elemtype", "b32", "2");
  edit("interleave_layout", "b32", "0");
  edit("fill_mode", "b32", "0");
  k.body =
      initBarrier() +
      "mov.u32 %r30, desc; shl.b32 %r1, %tid_x, 2; add.u32 %r1, %r1, %r30; mov.b32 %r2, 0;\n"
      "mov.b32 %r31, 16; mov.b32 %r32, 8;\n"
      "st.shared.b32 [%r1], %r2; bar.warp.sync -1;\n" +
      edits + "bar.warp.sync -1;\n" + before + acquire +
      loadAndWait(512, "cp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::bytes "
                       "[tile], [%rd_1, {8, 4}], [full];") +
      copyOut("%rd_2", 512);
  return k;
}

const std::string copyFence = "tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic."
                              "release.gpu.sync.aligned [%rd_1], [%r30], 128;\n";
const std::string acquireMap = "fence.proxy.tensormap::generic.acquire.gpu [%rd_1], 128;\n";

} // namespace

TEST_CASE("a map survives its bytes") {
  TensorMap map = plainMap();
  map.dims[1] = uint64_t{1} << 32;
  map.swizzle = Swizzle::B128Atom64;
  map.address = 0x123450;
  TensorMapBytes bytes = encodeTensorMap(map);
  TensorMap back;
  REQUIRE(openTensorMap(bytes.data(), back).ok());
  CHECK(back.dims == map.dims);
  CHECK(back.strides == map.strides);
  CHECK(back.box == map.box);
  CHECK(back.address == map.address);
  CHECK(back.swizzle == map.swizzle);
  for (size_t i = 0; i < bytes.size(); ++i) {
    TensorMapBytes torn = bytes;
    torn[i] ^= 4;
    CHECK_FALSE(decodeTensorMap(torn.data(), back));
  }
}

TEST_CASE("the rules of encoding") {
  using Edit = std::function<void(TensorMap &)>;
  const std::pair<Edit, const char *> rows[] = {
      {[](TensorMap &m) { m.rank = 0; }, "1 to 5"},
      {[](TensorMap &m) { m.rank = 6; }, "1 to 5"},
      {[](TensorMap &m) { m.address = 8; }, "multiple of 16"},
      {[](TensorMap &m) { m.dims[0] = 0; }, "shape[0] is 0"},
      {[](TensorMap &m) { m.dims[1] = (uint64_t{1} << 32) + 1; }, "2^32"},
      {[](TensorMap &m) { m.strides[0] = 200; }, "multiple of 16"},
      {[](TensorMap &m) { m.strides[0] = uint64_t{1} << 40; }, "2^40"},
      {[](TensorMap &m) { m.box[1] = 257; }, "1 to 256"},
      {[](TensorMap &m) { m.box[1] = 0; }, "1 to 256"},
      {[](TensorMap &m) { m.box[0] = 4; }, "multiple of 16"},
      {[](TensorMap &m) { m.box[0] = 40; }, "at most 64"},
      {[](TensorMap &m) { m.elementStrides[1] = 9; }, "1 to 8"},
      {[](TensorMap &m) { m.elementStrides[1] = 0; }, "1 to 8"},
      {[](TensorMap &m) { m.type = TensorType::U16, m.fillsNan = true; }, "oob_fill"},
      {[](TensorMap &m) { m.type = TensorType::U4Align8, m.dims[0] = 101; }, "multiple of 2"},
      {[](TensorMap &m) { m.type = TensorType::U4Align16; }, "multiple of 32"},
      {[](TensorMap &m) { m.type = TensorType::U6Align16, m.strides[0] = 224; }, "multiple of 128"},
      {[](TensorMap &m) { m.type = TensorType::U6Align16, m.strides[0] = 224, m.dims[0] = 128; },
       "accepted for this type: 128"},
      {[](TensorMap &m) {
         m.type = TensorType::U4Align16, m.strides[0] = 224, m.dims[0] = m.box[0] = 128;
       },
       "at most 64"},
      {[](TensorMap &m) {
         m.type = TensorType::U4Align16, m.strides[0] = 224, m.dims[0] = m.box[0] = 128,
         m.swizzle = Swizzle::B128Atom64;
       },
       "swizzle"},
      {[](TensorMap &m) {
         m.type = TensorType::U6Align16, m.strides[0] = 224, m.dims[0] = m.box[0] = 128,
         m.swizzle = Swizzle::B128Atom32Flip8;
       },
       "swizzle"},
  };
  CHECK(checkTensorMap(plainMap(), "map").ok());
  for (const auto &[edit, words] : rows) {
    TensorMap map = plainMap();
    edit(map);
    Status status = checkTensorMap(map, "map");
    INFO(words);
    REQUIRE_FALSE(status.ok());
    CHECK_THAT(status.message(), Catch::Contains(words) && Catch::StartsWith("map."));
  }
  // The first element stride means nothing.
  TensorMap map = plainMap();
  map.elementStrides[0] = 2;
  CHECK(innerBytes(map) == 64);
}

TEST_CASE("fields are replaced in any order, and judged at use") {
  TensorMapBytes bytes{};
  auto put = [&](TensorMapField field, unsigned ordinal, uint64_t value) {
    return replaceInTensorMap(bytes.data(), field, ordinal, value);
  };
  using F = TensorMapField;
  TensorMap map;
  CHECK(put(F::SwizzleAtomicity, 0, 3).ok());
  CHECK_FALSE(openTensorMap(bytes.data(), map).ok());
  CHECK(put(F::SwizzleMode, 0, 3).ok());
  CHECK(put(F::BoxDim, 0, 64).ok());
  CHECK(put(F::GlobalDim, 0, 1000).ok());
  CHECK(put(F::Rank, 0, 0).ok());
  CHECK(put(F::ElementStride, 0, 1).ok());
  REQUIRE(openTensorMap(bytes.data(), map).ok());
  CHECK(map.swizzle == Swizzle::B128Atom64);
  CHECK(map.dims[0] == 1000);
  CHECK_FALSE(put(F::Rank, 0, 5).ok());
  CHECK_FALSE(put(F::ElemType, 0, 16).ok());
  CHECK_FALSE(put(F::SwizzleMode, 0, 5).ok());
  CHECK_FALSE(put(F::FillMode, 0, 2).ok());
  CHECK_FALSE(put(F::GlobalStride, 4, 16).ok());
  CHECK(put(F::BoxDim, 0, 0).ok());
  CHECK_FALSE(openTensorMap(bytes.data(), map).ok());
  CHECK(put(F::BoxDim, 0, 64).ok());
  CHECK(put(F::Interleave, 0, 1).ok());
  CHECK(openTensorMap(bytes.data(), map).code() == StatusCode::Missing);
  CHECK(put(F::Interleave, 0, 0).ok());
  CHECK(put(F::SwizzleAtomicity, 0, 0).ok());
  CHECK(put(F::SwizzleMode, 0, 4).ok());
  CHECK(openTensorMap(bytes.data(), map).code() == StatusCode::Missing);
  bytes[40] ^= 1;
  CHECK_FALSE(put(F::SwizzleMode, 0, 1).ok());
}

TEST_CASE("maps are built on the device") {
  Place p;
  p.map = TensorMap{.type = TensorType::U32, .rank = 2, .swizzle = Swizzle::B64};
  p.map.dims = {32, 32, 1, 1, 1};
  p.map.strides[0] = 128;
  p.map.box = {16, 8, 1, 1, 1};
  p.at = {8, 4, 0, 0, 0};
  const std::string release = "fence.proxy.tensormap::generic.release.gpu;\n";
  for (bool shared : {true, false}) {
    TmaKernel k = shared ? deviceBuilt("shared::cta", copyFence, acquireMap)
                         : deviceBuilt("global", release, acquireMap);
    auto expected = loadBox(p, k.buffers[0], 512);
    for (const RunOptions &options : allSchedules()) {
      k.options = options;
      TmaRun ran = run(k);
      REQUIRE(ran.text == "");
      for (size_t i = 0; i < 512; ++i)
        CHECK(int(ran.buffers[2][i]) == int(*expected[i]));
    }
  }
}

TEST_CASE("P4: modified maps without the fences of the tensormap proxy") {
  const std::string release = "fence.proxy.tensormap::generic.release.gpu;\n";
  CHECK(idOf(deviceBuilt("shared::cta", copyFence, "")) == "P4");
  CHECK(idOf(deviceBuilt("global", release, "")) == "P4");
  CHECK(idOf(deviceBuilt("global", "", acquireMap)) == "P4");
  CHECK(idOf(deviceBuilt("global", "", "")) == "P4");
}

TEST_CASE("a map in shared memory is ordinary memory to the warps") {
  // Warp 1 edits what warp 0 has zeroed; and what a bulk copy is still bringing.
  auto kernel = [](const std::string &before) {
    TmaKernel k;
    k.threads = 64;
    k.declarations = ".shared .align 128 .b8 desc[128];";
    k.buffers = {Bytes(128)};
    TensorMap map{.type = TensorType::U32, .rank = 1};
    map.dims[0] = map.box[0] = 32;
    TensorMapBytes bytes = encodeTensorMap(map);
    k.buffers[0].assign(bytes.begin(), bytes.end());
    k.body = "mov.u32 %r30, desc; shl.b32 %r1, %tid_x, 2; add.u32 %r1, %r1, %r30; mov.b32 %r2, 0;\n"
             "setp.eq.u32 %p3, %tid_x, 32; setp.lt.u32 %p4, %tid_x, 32;\n" +
             initBarrier() + before +
             "@%p3 tensormap.replace.tile.rank.shared::cta.b1024.b32 [%r30], 0;\n";
    return k;
  };
  const std::string zero = "@%p4 st.shared.b32 [%r1], %r2;\n", barrier = "bar.sync 0;\n";
  CHECK(idOf(kernel(zero)) == "P5");
  CHECK(idOf(kernel(zero + barrier)) == "");
  const std::string copy =
      "@%first mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], 128;\n"
      "@%first cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes [%r30], [%rd_0], 128, "
      "[full];\n";
  const std::string wait =
      "WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p1, [full], 0;\n@!%p1 bra WAIT;\n";
  CHECK(idOf(kernel(copy + wait)) == "");
  CHECK(idOf(kernel(copy + barrier)) == "P2");
}

TEST_CASE("forms of tensormap that ptxas refuses are refused") {
  const std::pair<const char *, const char *> rows[] = {
      {"tensormap.replace.tile.global_address.global.b1024.b32 [%rd_0], %r1;", ".b64"},
      {"tensormap.replace.tile.rank.global.b1024.b64 [%rd_0], %d1;", ".b32"},
      {"tensormap.replace.tile.swizzle_mode.global.b1024.b32 [%rd_0], %r1;", "immediate"},
      {"tensormap.replace.tile.box_dim.global.b1024.b32 [%rd_0], 5, %r1;", "5"},
      {"tensormap.replace.tile.colour.global.b1024.b32 [%rd_0], %r1;", "colour"},
      {"fence.proxy.tensormap::generic.acquire.gpu [%rd_0], 64;", "128"},
      {"tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu.sync.aligned "
       "[%rd_0], [tile], 256;",
       "128"},
      {"tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu [%rd_0], [tile], "
       "128;",
       "aligned"},
  };
  for (const auto &[text, words] : rows) {
    TmaKernel k;
    k.buffers = {Bytes(128)};
    k.body = text;
    TmaRun ran = run(k);
    INFO(text << ": " << ran.text);
    CHECK(ran.id == "refused");
    CHECK_THAT(ran.text, Catch::Contains(words) && Catch::Contains("test.ptx:"));
  }
}

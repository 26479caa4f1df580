//===- CopyTest.cpp - tcgen05.cp and .shift (PTX ISA 9.7.16.9)
//---------------------------------------===//
#include "Harness.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <array>
#include <cstring>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {

/// Shared memory whose bytes are a function of their place.
std::vector<uint8_t> counted(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<uint8_t>(i * 7 + i / 256 * 13);
  return bytes;
}

/// A descriptor without swizzle: groups of 8 rows 128 * chunks apart, chunks 128.
std::string descriptor(unsigned chunks) {
  const uint64_t bits = 1ull << 46 | uint64_t{128 * chunks / 16} << 32 | uint64_t{128 / 16} << 16;
  return fmt::format("  mov.u32 %r11, smem; shr.u32 %r11, %r11, 4; cvt.u64.u32 %d1, %r11; "
                     "add.u64 %d1, %d1, {};\n",
                     bits);
}
uint8_t byteAt(const std::vector<uint8_t> &shared, uint32_t row, uint32_t byte, unsigned chunks) {
  return shared[row / 8 * 128 * chunks + byte / 16 * 128 + row % 8 * 16 + byte % 16];
}

struct CopyCase {
  const char *form;
  unsigned rows, bytes;
  unsigned (*rowOf)(unsigned lane);
};

} // namespace

TEST_CASE("tcgen05.cp puts rows where its shape says") {
  const CopyCase c = GENERATE(
      values<CopyCase>({{"128x256b", 128, 32, [](unsigned lane) { return lane; }},
                        {"128x128b", 128, 16, [](unsigned lane) { return lane; }},
                        {"64x128b.warpx2::02_13", 64, 16, [](unsigned lane) { return lane % 64; }},
                        {"64x128b.warpx2::01_23", 64, 16,
                         [](unsigned lane) { return lane % 32 + (lane >= 64 ? 32 : 0); }},
                        {"32x128b.warpx4", 32, 16, [](unsigned lane) { return lane % 32; }}}));
  const unsigned group = GENERATE(1u, 2u);
  TensorKernel kernel;
  kernel.group = group;
  kernel.sharedBytes = 4096;
  kernel.shared = counted(size_t{4096} * group);
  for (unsigned i = 0; i < c.bytes / 4; ++i)
    kernel.dump.push_back(40 + i);
  kernel.body = descriptor(c.bytes / 16) +
                fmt::format("  tcgen05.cp.cta_group::{}.{} [%taddr+40], %d1;\n", group, c.form);
  for (const RunOptions &options : allSchedules()) {
    kernel.options = options;
    TensorRun ran = run(kernel);
    INFO(c.form << ": " << ran.text);
    REQUIRE(ran.id == "");
    for (unsigned cta = 0; cta < group; ++cta) {
      const std::vector<uint8_t> shared(kernel.shared.begin() + cta * 4096,
                                        kernel.shared.begin() + (cta + 1) * 4096);
      for (unsigned lane = 0; lane < 128; ++lane)
        for (unsigned i = 0; i < c.bytes; ++i) {
          uint32_t word = ran.dump[(cta * 128 + lane) * c.bytes / 4 + i / 4];
          REQUIRE((word >> (i % 4 * 8) & 0xFF) == byteAt(shared, c.rowOf(lane), i, c.bytes / 16));
        }
    }
  }
}

TEST_CASE("tcgen05.cp unpacks 4- and 6-bit elements into bytes") {
  const bool four = GENERATE(true, false);
  TensorKernel kernel;
  kernel.sharedBytes = 2048;
  kernel.shared = counted(2048);
  kernel.dump = {0, 1, 2, 3};
  kernel.body = descriptor(1) + fmt::format("  tcgen05.cp.cta_group::1.128x128b.b8x16.{} [%taddr], "
                                            "%d1;\n",
                                            four ? "b4x16_p64" : "b6x16_p32");
  TensorRun ran = run(kernel);
  INFO(ran.text);
  REQUIRE(ran.id == "");
  for (unsigned lane = 0; lane < 128; ++lane)
    for (unsigned i = 0; i < 16; ++i) {
      const unsigned bits = four ? 4 : 6;
      unsigned code = 0;
      for (unsigned bit = 0; bit < bits; ++bit) {
        const unsigned at = i * bits + bit;
        code |= (byteAt(kernel.shared, lane, at / 8, 1) >> (at % 8) & 1u) << bit;
      }
      const unsigned expected = four ? code << 2 : code;
      REQUIRE((ran.dump[lane * 4 + i / 4] >> (i % 4 * 8) & 0xFF) == expected);
    }
}

TEST_CASE("tcgen05.shift moves 32-byte elements of a quarter of the lanes by one") {
  TensorKernel kernel;
  for (unsigned i = 0; i < 9; ++i) {
    kernel.image.columns.push_back(8 + i);
    kernel.dump.push_back(8 + i);
  }
  for (uint32_t i = 0; i < 128 * 9; ++i)
    kernel.image.words.push_back(i);
  kernel.body = "  add.u32 %r1, %taddr, 2097160; tcgen05.shift.cta_group::1.down [%r1];\n";
  for (const RunOptions &options : allSchedules()) {
    kernel.options = options;
    TensorRun ran = run(kernel);
    INFO(ran.text);
    REQUIRE(ran.id == "");
    for (uint32_t lane = 0; lane < 128; ++lane)
      for (uint32_t i = 0; i < 9; ++i) {
        const bool moved = lane >= 32 && lane < 63 && i < 8;
        REQUIRE(ran.dump[lane * 9 + i] == (lane + moved) * 9 + i);
      }
  }
}

TEST_CASE("Forms of tcgen05 that are not here are refused by name") {
  auto refusal = [](const char *line) {
    TensorRun ran = run({"",
                         std::string("  mov.u32 %taddr, 0; mov.u64 %d1, 0; mov.u32 %r1, 0;"
                                     " setp.eq.u32 %p1, %r1, 0;\n") +
                             line,
                         32, 1},
                        RunOptions());
    return ran.id == "refused" ? ran.text : "not refused";
  };
  using Catch::Contains;
  CHECK_THAT(refusal("tcgen05.cp.cta_group::1.4x256b [%taddr], %d1;"), Contains(".4x256b"));
  CHECK_THAT(
      refusal("tcgen05.mma.sp.cta_group::1.kind::f16 [%taddr], %d1, %d1, [%taddr], %r1, %p1;"),
      Contains("sparse"));
  CHECK_THAT(refusal("tcgen05.mma.ws.cta_group::1.kind::f16 [%taddr], %d1, %d1, %r1, %p1;"),
             Contains(".ws"));
  CHECK_THAT(refusal("tcgen05.ld.red.sync.aligned.32x32b.x2.min.u32 {%r1, %r2}, %r3, [%taddr];"),
             Contains("ld.red"));
  CHECK_THAT(refusal("tcgen05.ld.sync.aligned.16x256b.x64.b32 {%r1}, [%taddr];"),
             Contains("no such move"));
  CHECK_THAT(refusal("tcgen05.mma.cta_group::1.kind::mxf4nvf4.block_scale [%taddr], %d1, %d1, %r1, "
                     "[%taddr], [%taddr], %p1;"),
             Contains("vector size"));
  CHECK_THAT(refusal("tcgen05.mma.cta_group::1.kind::f8f6f4 [%taddr], %d1, %d1, %r1, %p1, 3;"),
             Contains("scale-input-d"));
  CHECK_THAT(refusal("tcgen05.cp.cta_group::1.32x128b [%taddr], %d1;"), Contains("warpx4"));
}

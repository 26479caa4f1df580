// Matrix descriptors and operand views against the PTX page's layouts.
#include "Layout.h"

#include "ptxsim/engine/MatrixDescriptor.h"

#include <catch2/catch.hpp>

#include <cstring>
#include <random>
#include <set>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {

struct Decoded {
  bool fine;
  MatrixDescriptor fields;
  std::string wrong;
};
Decoded decoded(uint64_t bits, DescriptorFormat format) {
  Decoded result{};
  result.fine = MatrixDescriptor::decode(bits, format, result.fields, result.wrong);
  return result;
}

/// The view of a layout, by way of the descriptor's bits.
OperandView viewOf(const MatrixLayout &layout) {
  Decoded d = decoded(layout.descriptor(true), DescriptorFormat::Sm100);
  REQUIRE(d.wrong == "");
  return OperandView(d.fields, layout.mnMajor ? Major::Mn : Major::K, layout.elementBits);
}

uint32_t viewAddress(const OperandView &view, unsigned bits, uint32_t row, uint32_t k) {
  uint32_t line = view.major == Major::K ? row : k;
  uint32_t byte = (view.major == Major::K ? k : row) * bits / 8;
  return view.chunkAt(line, byte / 16) + byte % 16;
}

} // namespace

TEST_CASE("descriptor fields of both generations") {
  MatrixDescriptor d;
  d.start = 0x12340;
  d.leading = 0x400;
  d.stride = 0x3FFF0;
  for (Swizzle swizzle : {Swizzle::None, Swizzle::B32, Swizzle::B64, Swizzle::B128}) {
    d.swizzle = swizzle;
    for (DescriptorFormat format : {DescriptorFormat::Sm90, DescriptorFormat::Sm100}) {
      Decoded back = decoded(d.encode(format), format);
      REQUIRE(back.wrong == "");
      CHECK(back.fields.start == d.start);
      CHECK(back.fields.leading == d.leading);
      CHECK(back.fields.stride == d.stride);
      CHECK(back.fields.swizzle == swizzle);
    }
    CHECK((d.encode(DescriptorFormat::Sm90) | 1ull << 46) == d.encode(DescriptorFormat::Sm100));
  }
}

TEST_CASE("what a descriptor may not say (D1)") {
  const uint64_t fine = 0x40000040'00010000ull; // 128B swizzle, SBO 1024
  CHECK(decoded(fine, DescriptorFormat::Sm90).fine);
  CHECK(decoded(fine | 1ull << 46, DescriptorFormat::Sm100).fine);
  struct Case {
    uint64_t bits;
    DescriptorFormat format;
    const char *part;
  };
  const uint64_t fine100 = fine | 1ull << 46;
  for (const Case &c : {
           Case{fine | 1ull << 14, DescriptorFormat::Sm90, "15:14"},
           Case{fine | 1ull << 31, DescriptorFormat::Sm90, "31:30"},
           Case{fine | 1ull << 46, DescriptorFormat::Sm90, "48:46"},
           Case{fine | 2ull << 49, DescriptorFormat::Sm90, "base offset 2"},
           Case{fine | 1ull << 52, DescriptorFormat::Sm90, "61:52"},
           Case{fine, DescriptorFormat::Sm100, "48:46 are 0"},
           Case{fine | 3ull << 46, DescriptorFormat::Sm100, "48:46 are 3"},
           Case{fine100 | 1ull << 52, DescriptorFormat::Sm100, "sm_103a"},
           Case{fine100 | 1ull << 55, DescriptorFormat::Sm100, "60:53"},
           Case{fine100 | 1ull << 61, DescriptorFormat::Sm100, "swizzle code 3"},
           Case{fine100 | 7ull << 49, DescriptorFormat::Sm100, "base offset 7"},
       }) {
    Decoded d = decoded(c.bits, c.format);
    CHECK(!d.fine);
    CHECK_THAT(d.wrong, Catch::Contains(c.part));
  }
}

TEST_CASE("the worked examples of 9.7.16.3.3") {
  // Exact layouts as printed: strides of (row % a, row / a % b, row / ab) and (k % c, k / c).
  struct Example {
    MatrixLayout layout;
    uint32_t rowSizes[2], rowStrides[3], kSize, kStrides[2];
  };
  const Example examples[] = {
      // ((8,2),(4,4)):((4,32),(1,64)), tf32
      {{false, SwizzleName::None, 32, 0, 256, 128}, {8, 2}, {4, 32, 0}, 4, {1, 64}},
      // ((8,2),(4,4)):((8,64),(1,4)), tf32
      {{false, SwizzleName::B32, 32, 0, 16, 256}, {8, 2}, {8, 64, 0}, 4, {1, 4}},
      // ((8,1,2),(8,2)):((1,8,64),(8,128)), bf16
      {{true, SwizzleName::None, 16, 0, 256, 128}, {8, 1}, {1, 8, 64}, 8, {8, 128}},
      // ((8,2,2),(8,2)):((1,8,128),(16,256)), bf16
      {{true, SwizzleName::B32, 16, 0, 256, 512}, {8, 2}, {1, 8, 128}, 8, {16, 256}},
      // ((8,4,2),(8,2)):((1,8,256),(32,512)), bf16
      {{true, SwizzleName::B64, 16, 0, 512, 1024}, {8, 4}, {1, 8, 256}, 8, {32, 512}},
  };
  for (const Example &e : examples) {
    const OperandView view = viewOf(e.layout);
    const unsigned bytes = e.layout.elementBits / 8;
    const uint32_t rows = e.rowSizes[0] * e.rowSizes[1] * (e.rowStrides[2] ? 2 : 1);
    const uint32_t ks = e.layout.mnMajor || e.layout.swizzle == SwizzleName::None ? 16 : 8;
    for (uint32_t row = 0; row < rows; ++row)
      for (uint32_t k = 0; k < ks; ++k) {
        uint32_t linear = row % e.rowSizes[0] * e.rowStrides[0] +
                          row / e.rowSizes[0] % e.rowSizes[1] * e.rowStrides[1] +
                          row / (e.rowSizes[0] * e.rowSizes[1]) * e.rowStrides[2] +
                          k % e.kSize * e.kStrides[0] + k / e.kSize * e.kStrides[1];
        linear *= bytes;
        uint32_t swizzled = e.layout.swizzle == SwizzleName::B32   ? linear ^ (linear >> 3 & 0x10)
                            : e.layout.swizzle == SwizzleName::B64 ? linear ^ (linear >> 3 & 0x30)
                                                                   : linear;
        REQUIRE(viewAddress(view, e.layout.elementBits, row, k) == swizzled);
        REQUIRE(e.layout.addressOf(row, k) == swizzled);
      }
  }
}

TEST_CASE("views find the elements of every layout") {
  std::mt19937 random(7);
  std::vector<uint8_t> memory(256 << 10);
  for (uint8_t &byte : memory)
    byte = static_cast<uint8_t>(random());
  for (bool mnMajor : {false, true})
    for (SwizzleName swizzle : {SwizzleName::None, SwizzleName::B32, SwizzleName::B64,
                                SwizzleName::B128, SwizzleName::B128Atom32})
      for (unsigned bits : {8u, 16u, 32u})
        for (uint32_t rows : {64u, 128u}) {
          MatrixLayout layout = packedLayout(mnMajor, swizzle, bits, 4096, rows, 32);
          layout.stride += 2048 * (random() % 2); // groups need not be packed
          const OperandView view = viewOf(layout);
          std::vector<uint8_t> gathered(size_t{rows} * 32);
          view.gatherRows(memory.data(), 0, rows, 32, gathered.data());
          std::set<uint32_t> granules;
          const unsigned bytes = bits / 8;
          for (uint32_t row = 0; row < rows; ++row)
            for (uint32_t k = 0; k < 32 / bytes; ++k) {
              uint32_t at = layout.addressOf(row, k);
              granules.insert(at / 16);
              REQUIRE(std::memcmp(&gathered[row * 32 + k * bytes], &memory[at], bytes) == 0);
            }
          GranuleSet set;
          set.add(view, 0, rows, 32);
          std::set<uint32_t> touched;
          set.forRuns([&](uint32_t offset, uint32_t length) {
            for (uint32_t at = offset; at < offset + length; at += 16)
              touched.insert(at / 16);
            return true;
          });
          REQUIRE(touched == granules);
          // A part of the rows, as one warp reads them.
          std::vector<uint8_t> part(16 * 32);
          view.gatherRows(memory.data(), 32, 16, 32, part.data());
          REQUIRE(std::memcmp(part.data(), &gathered[32 * 32], part.size()) == 0);
        }
}

TEST_CASE("a start address moved inside of a swizzled row") {
  // The second K step of a 128-byte row: libraries add 32 to the start address.
  MatrixLayout whole = packedLayout(false, SwizzleName::B128, 16, 8192, 64, 128);
  MatrixLayout step = whole;
  for (uint32_t k = 0; k < 64; k += 16) {
    step.start = whole.start + 2 * k;
    const OperandView view = viewOf(step);
    for (uint32_t row = 0; row < 64; ++row)
      for (uint32_t i = 0; i < 16; ++i)
        REQUIRE(viewAddress(view, 16, row, i) == whole.addressOf(row, k + i));
  }
}

//===- ProductTest.cpp - tcgen05.mma of every kind against an FP64 reference
//-------------------------===//
//
// Codes are random, values and layouts are computed here from the ISA's tables, apart from
// the simulator's own.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include "ptxsim-wgmma/Layout.h"

#include "ptxsim/engine/InstructionDescriptor.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <random>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {

/// Exponent bits, fraction bits, bias; integers have none.
struct Shape {
  int exponent, fraction, bias;
};
Shape shapeOf(MmaType type) {
  switch (type) {
  case MmaType::F16:
    return {5, 10, 15};
  case MmaType::BF16:
    return {8, 7, 127};
  case MmaType::TF32:
    return {8, 10, 127};
  case MmaType::E4M3:
    return {4, 3, 7};
  case MmaType::E5M2:
    return {5, 2, 15};
  case MmaType::E2M3:
    return {2, 3, 1};
  case MmaType::E3M2:
    return {3, 2, 3};
  default:
    return {2, 1, 1};
  }
}
bool isInteger(MmaType type) { return type == MmaType::S8 || type == MmaType::U8; }
/// Bits of an element's code.
unsigned widthOf(MmaType type) {
  if (isInteger(type))
    return 8;
  Shape s = shapeOf(type);
  return type == MmaType::TF32 ? 32 : static_cast<unsigned>(1 + s.exponent + s.fraction);
}

double valueOf(MmaType type, uint32_t code) {
  if (type == MmaType::S8)
    return static_cast<int8_t>(code);
  if (type == MmaType::U8)
    return code;
  Shape s = shapeOf(type);
  if (type == MmaType::TF32)
    code >>= 13;
  const int fraction = static_cast<int>(code & ((1u << s.fraction) - 1)),
            exponent = static_cast<int>(code >> s.fraction & ((1u << s.exponent) - 1));
  const double sign = code >> (s.fraction + s.exponent) & 1 ? -1 : 1;
  if (exponent == 0)
    return sign * std::ldexp(fraction, 1 - s.bias - s.fraction);
  return sign * std::ldexp(fraction + (1 << s.fraction), exponent - s.bias - s.fraction);
}

uint32_t randomCode(MmaType type, std::mt19937 &random) {
  if (isInteger(type))
    return random() & 0xFF;
  Shape s = shapeOf(type);
  const int low = std::max(0, s.bias - 3), high = std::min((1 << s.exponent) - 1, s.bias + 2);
  const auto exponent = static_cast<uint32_t>(
      low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1)));
  uint32_t code = (random() & 1) << (s.exponent + s.fraction) | exponent << s.fraction |
                  (random() & ((1u << s.fraction) - 1));
  return type == MmaType::TF32 ? code << 13 | (random() & 0x1FFF) : code;
}

struct ProductCase {
  MmaKind kind = MmaKind::F16;
  MmaType a = MmaType::BF16, b = MmaType::BF16, d = MmaType::F32;
  int m = 128, n = 64;
  unsigned group = 1;
  bool tensorA = false, accumulate = true;
  bool transposeA = false, transposeB = false, negateA = false, negateB = false, saturate = false;
  SwizzleName swizzle = SwizzleName::B128;
  const char *suffix = ""; ///< of a block-scaled kind
  unsigned scales = 0, scaleIdA = 0, scaleIdB = 0;
  bool scalesAreE4m3 = false;
  unsigned baseLane = 0;
  unsigned scaleInput = 0;
  const char *name = "";
};

/// The operands of one product, and where their bits go.
class Product {
public:
  explicit Product(const ProductCase &c) : c(c), random(1234) {
    k = c.kind == MmaKind::F16 ? 16 : c.kind == MmaKind::Tf32 ? 8 : isPackedFp4(c.kind) ? 64 : 32;
    fill(a, c.a, c.m);
    fill(b, c.b, c.n);
    old.resize(static_cast<size_t>(c.m * c.n));
    for (uint32_t &cell : old)
      cell = c.d == MmaType::S32 ? random() % 2000 - 1000
             : c.d == MmaType::F16
                 ? randomCode(MmaType::F16, random)
                 : floatBits(static_cast<float>(static_cast<int>(random() % 4001) - 2000) / 64);
    scaleA.resize(static_cast<size_t>(c.m) * c.scales);
    scaleB.resize(static_cast<size_t>(c.n) * c.scales);
    for (std::vector<uint8_t> *list : {&scaleA, &scaleB})
      for (uint8_t &code : *list)
        code = static_cast<uint8_t>(c.scalesAreE4m3 ? 0x30 + random() % 24 : 124 + random() % 7);
  }

  void check(const RunOptions &options) {
    TensorKernel kernel = build();
    kernel.options = options;
    TensorRun ran = run(kernel);
    INFO(c.name << ": " << ran.text);
    REQUIRE(ran.id == "");
    for (int row = 0; row < c.m; ++row)
      for (int col = 0; col < c.n; ++col) {
        const size_t at = cellOf(row, col).second;
        const uint32_t cell = ran.dump[cellOf(row, col).first * width() + at];
        double magnitude = 0, expected = reference(row, col, magnitude);
        if (c.d == MmaType::S32) {
          REQUIRE(static_cast<int32_t>(cell) == static_cast<int32_t>(expected));
          continue;
        }
        const double got = c.d == MmaType::F16 ? valueOf(MmaType::F16, cell & 0xFFFF)
                                               : static_cast<double>(bitsFloat(cell));
        INFO("row " << row << " column " << col << " of " << c.name);
        REQUIRE(std::abs(got - expected) <= magnitude * (c.d == MmaType::F16 ? 2e-3 : 2e-6));
      }
  }

private:
  static uint32_t floatBits(float f) {
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    return bits;
  }
  static float bitsFloat(uint32_t bits) {
    float f;
    std::memcpy(&f, &bits, 4);
    return f;
  }
  void fill(std::vector<uint32_t> &to, MmaType type, int rows) {
    to.resize(static_cast<size_t>(rows * k));
    for (uint32_t &code : to)
      code = randomCode(type, random);
  }

  bool isPair() const { return c.group == 2; }
  bool isSplit() const { return isPair() && c.m == 128; } ///< layout B
  unsigned width() const { return static_cast<unsigned>(isSplit() ? c.n / 2 : c.n); }
  int rowsOfCta() const { return c.m / static_cast<int>(c.group); }
  /// CTA * 128 + lane, and column, of an element of D.
  std::pair<size_t, size_t> cellOf(int row, int col) const {
    const int cta = row / rowsOfCta(), r = row % rowsOfCta();
    int lane = r, column = col;
    if (c.m == 64)
      lane = r / 16 * 32 + r % 16 + static_cast<int>(c.baseLane);
    if (isSplit()) {
      lane = r + (col >= c.n / 2 ? 64 : 0);
      column = col % (c.n / 2);
    }
    return {static_cast<size_t>(cta * 128 + lane), static_cast<size_t>(column)};
  }

  double scaleOf(const std::vector<uint8_t> &list, int row, int block) const {
    const uint8_t code = list[static_cast<size_t>(row) * c.scales + static_cast<size_t>(block)];
    return c.scalesAreE4m3 ? valueOf(MmaType::E4M3, code) : std::ldexp(1.0, code - 127);
  }

  double reference(int row, int col, double &magnitude) const {
    const uint32_t cell = old[static_cast<size_t>(row * c.n + col)];
    double sum = 0;
    if (c.accumulate)
      sum = c.d == MmaType::S32   ? static_cast<int32_t>(cell)
            : c.d == MmaType::F16 ? valueOf(MmaType::F16, cell)
                                  : static_cast<double>(bitsFloat(cell));
    sum = std::ldexp(sum, -static_cast<int>(c.scaleInput));
    magnitude = std::abs(sum) + 1e-30;
    for (int i = 0; i < k; ++i) {
      double term = valueOf(c.a, a[static_cast<size_t>(row * k + i)]) *
                    valueOf(c.b, b[static_cast<size_t>(col * k + i)]);
      if (c.negateA != c.negateB)
        term = -term;
      if (c.scales) {
        const int block = i / (k / static_cast<int>(c.scales));
        term *= scaleOf(scaleA, row, block) * scaleOf(scaleB, col, block);
      }
      sum += term;
      magnitude += std::abs(term);
    }
    return sum;
  }

  /// Puts rows of an operand into shared memory.
  void place(std::vector<uint8_t> &bytes, const MatrixLayout &layout, MmaType type,
             const std::vector<uint32_t> &codes, int firstRow, int rows) const {
    const unsigned bits = widthOf(type);
    for (int row = 0; row < rows; ++row)
      for (int i = 0; i < k; ++i) {
        const uint32_t code = codes[static_cast<size_t>((firstRow + row) * k + i)];
        const auto r = static_cast<uint32_t>(row), at = static_cast<uint32_t>(i);
        if (isPackedFp4(c.kind)) {
          bytes[layout.addressOf(r, at / 2)] |= static_cast<uint8_t>(code << (at % 2 * 4));
        } else if (bits < 8) {
          // Sixteen elements packed from the lowest bit on, then padding.
          for (unsigned bit = 0; bit < bits; ++bit)
            if (code >> bit & 1) {
              const unsigned position = at % 16 * bits + bit;
              bytes[layout.addressOf(r, at / 16 * 16) + position / 8] |=
                  static_cast<uint8_t>(1u << (position % 8));
            }
        } else {
          std::memcpy(&bytes[layout.addressOf(r, at)], &code, bits / 8);
        }
      }
  }

  void placeTensorA(TensorImage &image) const {
    const unsigned bits = widthOf(c.a), container = bits < 8 && !isPackedFp4(c.kind) ? 8 : bits;
    for (int row = 0; row < c.m; ++row)
      for (int i = 0; i < k; ++i) {
        uint32_t code = a[static_cast<size_t>(row * k + i)];
        if (container != bits && bits == 4)
          code <<= 2;
        const unsigned bit = static_cast<unsigned>(i) * container;
        for (int copy = 0; copy < (isSplit() ? 2 : 1); ++copy) {
          const int r = row % rowsOfCta();
          const int lane =
              c.m == 64 ? r / 16 * 32 + r % 16 + static_cast<int>(c.baseLane) : r + 64 * copy;
          cell(image, static_cast<size_t>(row / rowsOfCta() * 128 + lane), 256 + bit / 32) |=
              code << (bit % 32);
        }
      }
  }

  void placeScales(TensorImage &image) const {
    for (unsigned cta = 0; cta < c.group; ++cta) {
      for (int row = 0; row < rowsOfCta(); ++row)
        for (unsigned rep = 0; rep < 4; ++rep)
          for (unsigned j = 0; j < c.scales; ++j)
            cell(image, cta * 128 + static_cast<unsigned>(row) % 32 + 32 * rep,
                 300 + static_cast<unsigned>(row) / 32) |=
                uint32_t{
                    scaleA[(cta * static_cast<unsigned>(rowsOfCta()) + static_cast<unsigned>(row)) *
                               c.scales +
                           j]}
                << (8 * (c.scaleIdA + j));
      for (unsigned col = 0; col < static_cast<unsigned>(c.n); ++col)
        for (unsigned rep = 0; rep < 4; ++rep) {
          const unsigned half = static_cast<unsigned>(c.n) / 2;
          unsigned lane = col % 32 + 32 * rep, column = 320 + col / 32;
          if (isSplit()) {
            lane = col % half % 32 + 64 * (col >= half) + 32 * (rep % 2);
            column = 320 + col % half / 32;
          }
          if (isSplit() && rep >= 2)
            continue;
          for (unsigned j = 0; j < c.scales; ++j)
            cell(image, cta * 128 + lane, column) |= uint32_t{scaleB[col * c.scales + j]}
                                                     << (8 * (c.scaleIdB + j));
        }
    }
  }

  /// A cell of the image by column of tensor memory.
  static uint32_t &cell(TensorImage &image, size_t lane, uint32_t column) {
    for (size_t i = 0; i < image.columns.size(); ++i)
      if (image.columns[i] == column)
        return image.words[lane * image.columns.size() + i];
    FAIL("column " << column << " is not in the image");
    return image.words[0];
  }

  TensorKernel build() const {
    TensorKernel kernel;
    kernel.group = c.group;
    const unsigned bits = c.kind == MmaKind::F16 ? 16 : c.kind == MmaKind::Tf32 ? 32 : 8;
    const auto rowsA = static_cast<uint32_t>(rowsOfCta()),
               rowsB = static_cast<uint32_t>(c.n) / c.group;
    MatrixLayout layoutA = packedLayout(c.transposeA, c.swizzle, bits, 0, rowsA, 32);
    const uint32_t startB = (packedBytes(layoutA, rowsA, 32) + 1023) / 1024 * 1024;
    MatrixLayout layoutB = packedLayout(c.transposeB, c.swizzle, bits, startB, rowsB, 32);
    kernel.sharedBytes = startB + (packedBytes(layoutB, rowsB, 32) + 1023) / 1024 * 1024;
    for (unsigned cta = 0; cta < c.group; ++cta) {
      std::vector<uint8_t> bytes(kernel.sharedBytes);
      if (!c.tensorA)
        place(bytes, layoutA, c.a, a, static_cast<int>(cta * rowsA), static_cast<int>(rowsA));
      place(bytes, layoutB, c.b, b, static_cast<int>(cta * rowsB), static_cast<int>(rowsB));
      kernel.shared.insert(kernel.shared.end(), bytes.begin(), bytes.end());
    }
    TensorImage &image = kernel.image;
    for (unsigned i = 0; i < width(); ++i) {
      kernel.dump.push_back(i);
      image.columns.push_back(i); // the lanes that hold no D must be written to be dumped
    }
    for (unsigned i = 0; c.tensorA && i < 8; ++i)
      image.columns.push_back(256 + i);
    for (unsigned i = 0; c.scales && i < 4; ++i)
      image.columns.push_back(300 + i);
    for (unsigned i = 0; c.scales && i < 8; ++i)
      image.columns.push_back(320 + i);
    image.words.resize(size_t{c.group} * 128 * image.columns.size());
    for (int row = 0; row < c.m; ++row)
      for (int col = 0; col < c.n; ++col)
        cell(image, cellOf(row, col).first, static_cast<uint32_t>(cellOf(row, col).second)) =
            old[static_cast<size_t>(row * c.n + col)];
    if (c.tensorA)
      placeTensorA(image);
    if (c.scales)
      placeScales(image);
    kernel.body = body(layoutA, layoutB);
    return kernel;
  }

  std::string body(const MatrixLayout &layoutA, const MatrixLayout &layoutB) const {
    InstructionDescriptor d;
    d.a = c.a;
    d.b = c.b;
    d.d = c.d;
    d.m = c.m;
    d.n = c.n;
    d.saturate = c.saturate;
    d.negateA = c.negateA;
    d.negateB = c.negateB;
    d.transposeA = c.transposeA;
    d.transposeB = c.transposeB;
    d.scaleIdA = static_cast<uint8_t>(c.scaleIdA);
    d.scaleIdB = static_cast<uint8_t>(c.scaleIdB);
    d.scalesAreE4m3 = c.scalesAreE4m3;
    std::string text = fmt::format("  setp.ne.u32 %p5, {}, 0; mov.u32 %r10, {};\n",
                                   c.accumulate ? 1 : 0, d.encode(c.kind));
    const auto add = [&](const char *reg, const MatrixLayout &layout) {
      // The image is at `smem`, which is aligned: its place is added to the start address.
      text += fmt::format("  mov.u32 %r11, smem; shr.u32 %r11, %r11, 4; and.b32 %r11, %r11, 16383;"
                          " cvt.u64.u32 {0}, %r11; add.u64 {0}, {0}, {1};\n",
                          reg, layout.descriptor(true));
    };
    add("%d1", layoutA);
    add("%d2", layoutB);
    text += fmt::format("  add.u32 %r12, %taddr, {};\n", c.baseLane << 16);
    const std::string a = c.tensorA ? "[%r12+256]" : "%d1";
    text += fmt::format("  tcgen05.mma.cta_group::{}.kind::{}{} [%r12], {}, %d2, %r10", c.group,
                        toString(c.kind), c.suffix, a);
    text += c.scales       ? std::string(", [%taddr+300], [%taddr+320], %p5;\n")
            : c.scaleInput ? fmt::format(", %p5, {};\n", c.scaleInput)
                           : std::string(", %p5;\n");
    return text;
  }

  const ProductCase c;
  std::mt19937 random;
  int k = 0;
  std::vector<uint32_t> a, b; ///< codes: m x k, n x k
  std::vector<uint32_t> old;  ///< cells of D before
  std::vector<uint8_t> scaleA, scaleB;
};

using S = SwizzleName;

const std::vector<ProductCase> &cases() {
  static const std::vector<ProductCase> all = [] {
    std::vector<ProductCase> list;
    auto add = [&](const char *name, ProductCase c) {
      c.name = name;
      list.push_back(c);
    };
    add("bf16", {});
    add("bf16 without D", {.accumulate = false});
    add("f16 to f16", {.a = MmaType::F16, .b = MmaType::F16, .d = MmaType::F16, .n = 24});
    add("f16 and bf16", {.a = MmaType::F16, .n = 256});
    add("bf16, M 64", {.m = 64, .n = 40, .swizzle = S::B64});
    add("bf16, M 64, upper lanes", {.m = 64, .n = 16, .swizzle = S::B32, .baseLane = 16});
    add("bf16, no swizzle", {.n = 8, .swizzle = S::None});
    add("bf16, transposed", {.transposeA = true, .transposeB = true});
    add("bf16, transposed, 32B", {.transposeA = true, .swizzle = S::B32});
    add("bf16, transposed, none", {.transposeB = true, .swizzle = S::None});
    add("bf16, negated A", {.negateA = true});
    add("bf16, negated both", {.negateA = true, .negateB = true});
    add("bf16, scaled D", {.scaleInput = 3});
    add("bf16, A in tensor memory", {.tensorA = true});
    add("bf16, A in tensor memory, M 64", {.m = 64, .tensorA = true, .baseLane = 16});
    add("bf16, pair, M 256", {.m = 256, .n = 64, .group = 2});
    add("bf16, pair, M 128", {.m = 128, .n = 64, .group = 2});
    add("bf16, pair, M 128, transposed B", {.m = 128, .n = 128, .group = 2, .transposeB = true});
    add("bf16, pair, M 256, A in tensor memory", {.m = 256, .n = 32, .group = 2, .tensorA = true});
    add("bf16, pair, M 128, A in tensor memory", {.m = 128, .n = 32, .group = 2, .tensorA = true});
    ProductCase tf32{.kind = MmaKind::Tf32, .a = MmaType::TF32, .b = MmaType::TF32};
    add("tf32", tf32);
    tf32.swizzle = S::B128Atom32;
    tf32.transposeA = tf32.transposeB = true;
    add("tf32, transposed", tf32);
    tf32 = {.kind = MmaKind::Tf32, .a = MmaType::TF32, .b = MmaType::TF32, .tensorA = true};
    add("tf32, A in tensor memory", tf32);
    const MmaType narrow[] = {MmaType::E4M3, MmaType::E5M2, MmaType::E2M3, MmaType::E3M2,
                              MmaType::E2M1};
    for (size_t i = 0; i < 5; ++i) {
      ProductCase c{.kind = MmaKind::F8f6f4, .a = narrow[i], .b = narrow[(i + 1) % 5], .n = 32};
      add("f8f6f4", c);
      c.tensorA = true;
      add("f8f6f4, A in tensor memory", c);
      ProductCase m{.kind = MmaKind::Mxf8f6f4, .a = narrow[i], .b = narrow[(i + 2) % 5], .n = 64};
      m.suffix = ".block_scale";
      m.scales = 1;
      m.scaleIdA = static_cast<unsigned>(i) % 4;
      m.scaleIdB = (static_cast<unsigned>(i) + 1) % 4;
      add("mxf8f6f4", m);
      m.suffix = ".block_scale.scale_vec::1X.collector::a::fill";
      m.tensorA = true;
      add("mxf8f6f4, A in tensor memory", m);
    }
    ProductCase transposed{.kind = MmaKind::F8f6f4, .a = MmaType::E4M3, .b = MmaType::E5M2};
    transposed.transposeA = transposed.transposeB = true;
    add("f8f6f4, transposed", transposed);
    for (MmaType a : {MmaType::S8, MmaType::U8})
      add("i8", {.kind = MmaKind::I8, .a = a, .b = MmaType::S8, .d = MmaType::S32, .n = 48});
    ProductCase fp4{.kind = MmaKind::Mxf4, .a = MmaType::E2M1, .b = MmaType::E2M1, .n = 72};
    fp4.suffix = ".block_scale.block32";
    fp4.scales = 2;
    fp4.scaleIdA = 2;
    add("mxf4", fp4);
    fp4.tensorA = true;
    add("mxf4, A in tensor memory", fp4);
    fp4 = {.kind = MmaKind::Mxf4nvf4, .a = MmaType::E2M1, .b = MmaType::E2M1, .n = 64};
    fp4.suffix = ".block_scale.block16";
    fp4.scales = 4;
    add("mxf4nvf4, UE8M0", fp4);
    fp4.scalesAreE4m3 = true;
    add("mxf4nvf4, UE4M3", fp4);
    fp4.group = 2;
    fp4.m = 256;
    fp4.n = 128;
    add("mxf4nvf4, pair, M 256", fp4);
    fp4.m = 128;
    add("mxf4nvf4, pair, M 128", fp4);
    fp4.scalesAreE4m3 = false;
    fp4.scales = 2;
    fp4.suffix = ".block_scale.scale_vec::2X";
    add("mxf4nvf4, 2X", fp4);
    return list;
  }();
  return all;
}

} // namespace

TEST_CASE("tcgen05.mma of every kind agrees with a reference") {
  const auto index = GENERATE(range(size_t{0}, cases().size()));
  Product(cases()[index]).check(RunOptions());
}

TEST_CASE("tcgen05.mma gives the same under every schedule") {
  const auto index = GENERATE(range(size_t{0}, cases().size()));
  if (index % 5 != 1)
    return;
  for (const RunOptions &options : allSchedules())
    Product(cases()[index]).check(options);
}

TEST_CASE("tcgen05.mma in exact mode agrees with a reference") {
  const auto index = GENERATE(range(size_t{0}, cases().size()));
  RunOptions options;
  options.mma = MmaMode::Exact;
  Product(cases()[index]).check(options);
}

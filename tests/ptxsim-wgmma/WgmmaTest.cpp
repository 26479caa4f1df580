// Every type and shape of wgmma.mma_async against sums in double or integers, from operands that
// the host lays out in shared memory by the PTX page.
#include "Harness.h"
#include "Layout.h"

#include "ptxsim/numerics/Convert.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;
using msa::ptxsim::numerics::SmallFloat;

namespace {

struct Product {
  std::string a, b, d;
  uint32_t n = 8;
  bool registersA = false, mnA = false, mnB = false;
  SwizzleName swizzleA = SwizzleName::None, swizzleB = SwizzleName::None;
  std::string scaleD = "1";
  int signA = 1, signB = 1;
  bool saturate = false;
  bool large = false; ///< values that overflow s32 sums
};

unsigned bitsOf(const std::string &type) {
  return type == "tf32" ? 32 : type == "f16" || type == "bf16" ? 16 : type == "b1" ? 1 : 8;
}
bool isFloat(const std::string &type) { return type != "s8" && type != "u8" && type != "b1"; }

SmallFloat formatOf(const std::string &type) {
  return type == "f16"    ? SmallFloat::F16
         : type == "bf16" ? SmallFloat::BF16
         : type == "tf32" ? SmallFloat::TF32
         : type == "e4m3" ? SmallFloat::E4M3
                          : SmallFloat::E5M2;
}

/// A random code whose value is a small multiple of 1/4, so that all sums are exact.
uint32_t randomCode(const std::string &type, std::mt19937 &random, bool large) {
  if (type == "s8" || type == "u8")
    return large ? 0x80 : random() & 0xFF;
  if (type == "b1")
    return random() & 1;
  double value = (static_cast<int>(random() % 17) - 8) / 4.0;
  return numerics::encode(formatOf(type), value, {});
}
double valueOf(const std::string &type, uint32_t code) {
  if (type == "s8")
    return static_cast<int8_t>(code);
  if (type == "u8" || type == "b1")
    return code;
  return numerics::decode(formatOf(type), code);
}

/// Matrices as codes, row by row.
struct Matrix {
  uint32_t rows, ks;
  std::vector<uint32_t> codes;
  uint32_t at(uint32_t row, uint32_t k) const { return codes[size_t{row} * ks + k]; }
};
Matrix randomMatrix(const std::string &type, uint32_t rows, std::mt19937 &random, bool large) {
  Matrix m{rows, 256 / bitsOf(type), {}};
  for (size_t i = 0; i < size_t{rows} * m.ks; ++i)
    m.codes.push_back(randomCode(type, random, large));
  // tf32: the low 13 bits are ignored.
  if (type == "tf32")
    for (uint32_t &code : m.codes)
      code |= random() & 0x1FFF;
  return m;
}

void place(const Matrix &m, const std::string &type, const MatrixLayout &layout,
           std::vector<uint8_t> &image) {
  const unsigned bits = bitsOf(type);
  for (uint32_t row = 0; row < m.rows; ++row)
    for (uint32_t k = 0; k < m.ks; ++k) {
      if (bits == 1) {
        MatrixLayout bytes = layout;
        bytes.elementBits = 8;
        image[bytes.addressOf(row, k / 8)] |= static_cast<uint8_t>(m.at(row, k) << (k % 8));
        continue;
      }
      uint32_t code = m.at(row, k);
      std::memcpy(&image[layout.addressOf(row, k)], &code, bits / 8);
    }
}

/// Figures of 9.7.15.5.1.1: the thread's A registers, by bytes of a row.
std::vector<uint8_t> registersOfA(const Matrix &m, const std::string &type) {
  std::vector<uint8_t> words(128 * 4 * 4);
  const unsigned bits = bitsOf(type);
  for (uint32_t thread = 0; thread < 128; ++thread)
    for (uint32_t r = 0; r < 4; ++r) {
      uint32_t lane = thread % 32, row = thread / 32 * 16 + lane / 4 + (r % 2) * 8;
      uint32_t word = 0, perWord = 32 / bits, first = (r / 2) * (128 / bits) + lane % 4 * perWord;
      for (uint32_t i = 0; i < perWord; ++i)
        word |= (bits == 32 ? m.at(row, first) : m.at(row, first + i) << (i * bits));
      std::memcpy(&words[(thread * 4 + r) * 4], &word, 4);
    }
  return words;
}

/// Row and column of 32-bit accumulator register `r` of a thread (two columns if packed).
std::pair<uint32_t, uint32_t> placeOfD(uint32_t thread, uint32_t element) {
  uint32_t lane = thread % 32;
  return {thread / 32 * 16 + lane / 4 + (element / 2 % 2) * 8,
          element / 4 * 8 + lane % 4 * 2 + element % 2};
}

std::string list(const char *prefix, uint32_t count) {
  std::string text = "{";
  for (uint32_t i = 0; i < count; ++i)
    text += fmt::format("{}{}{}", i ? ", " : "", prefix, i);
  return text + "}";
}

std::string spelling(const Product &p) {
  std::string text = fmt::format("wgmma.mma_async.sync.aligned.m64n{}k{}.{}.{}.{}", p.n,
                                 256 / bitsOf(p.a), p.d, p.a, p.b);
  if (p.a == "b1")
    text += ".and.popc";
  return p.saturate ? text + ".satfinite" : text;
}

struct Outcome {
  std::string text; ///< empty if all went well
  std::vector<double> d, expected;
};

/// Runs D = A * B [+ D].
Outcome multiply(const Product &p, const RunOptions &options, uint32_t seed) {
  std::mt19937 random(seed);
  const Matrix a = randomMatrix(p.a, 64, random, p.large),
               b = randomMatrix(p.b, p.n, random, p.large);
  const unsigned containerA = std::max(8u, bitsOf(p.a)), containerB = std::max(8u, bitsOf(p.b));
  MatrixLayout layoutA = packedLayout(p.mnA, p.swizzleA, containerA, 0, 64, 32);
  MatrixLayout layoutB =
      packedLayout(p.mnB, p.swizzleB, containerB, packedBytes(layoutA, 64, 32), p.n, 32);
  std::vector<uint8_t> image(layoutB.start + packedBytes(layoutB, p.n, 32));
  if (!p.registersA)
    place(a, p.a, layoutA, image);
  place(b, p.b, layoutB, image);

  const bool half = p.d == "f16";
  const uint32_t registers = half ? p.n / 4 : p.n / 2;
  std::vector<uint8_t> accumulators(size_t{128} * registers * 4);
  std::vector<double> before(size_t{64} * p.n);
  for (uint32_t thread = 0; thread < 128; ++thread)
    for (uint32_t element = 0; element < p.n / 2; ++element) {
      auto [row, column] = placeOfD(thread, element);
      int value = static_cast<int>(random() % 33) - 16;
      if (p.large)
        value = p.a == "u8" ? 0x7FFFFFF0 : 0x7FFFF000;
      before[size_t{row} * p.n + column] = value;
      uint32_t word = p.d == "s32" ? static_cast<uint32_t>(value)
                      : half       ? numerics::encode(SmallFloat::F16, value, {})
                                   : std::bit_cast<uint32_t>(static_cast<float>(value));
      size_t at = size_t{thread} * registers * 4 + (half ? element * 2 : element * 4);
      std::memcpy(&accumulators[at], &word, half ? 2 : 4);
    }

  WgmmaKernel kernel;
  kernel.options = options;
  kernel.declarations = fmt::format(".shared .align 1024 .b8 tile[{}];", image.size());
  kernel.buffers = {image, accumulators, registersOfA(a, p.a)};
  // Copies the image, loads registers, multiplies, stores registers.
  kernel.body = fmt::format(
      "mov.u32 %r0, tile; shl.b32 %r1, %tid_x, 2; mov.u32 %r2, %r1;\nCOPY: cvt.u64.u32 %a0, %r2; "
      "add.s64 %a1, %rd_0, %a0; ld.global.u32 %r3, [%a1]; add.u32 %r4, %r0, %r2; "
      "st.shared.u32 [%r4], %r3; add.u32 %r2, %r2, 512; setp.lt.u32 %p1, %r2, {}; @%p1 bra COPY;\n"
      "fence.proxy.async.shared::cta; bar.sync 0;\n"
      "mul.wide.u32 %a2, %tid_x, {}; add.s64 %a2, %a2, %rd_1; mul.wide.u32 %a3, %tid_x, 16; "
      "add.s64 %a3, %a3, %rd_2; .reg .b32 %D<128>; .reg .b32 %A<4>; setp.ne.u32 %p2, %tid_x, 999; "
      "setp.eq.u32 %p3, %tid_x, 999;\n",
      image.size(), registers * 4);
  for (uint32_t i = 0; i < registers; ++i)
    kernel.body += fmt::format("ld.global.b32 %D{}, [%a2+{}]; ", i, 4 * i);
  for (uint32_t i = 0; i < 4; ++i)
    kernel.body += fmt::format("ld.global.b32 %A{}, [%a3+{}]; ", i, 4 * i);
  std::string operands = list("%D", registers);
  operands += p.registersA ? ", " + list("%A", 4) : fmt::format(", {}", layoutA.descriptor(false));
  operands += fmt::format(", {}, {}", layoutB.descriptor(false), p.scaleD);
  if (isFloat(p.a))
    operands += fmt::format(", {}, {}", p.signA, p.signB);
  if (bitsOf(p.a) == 16) {
    operands += p.registersA ? "" : fmt::format(", {}", int{p.mnA});
    operands += fmt::format(", {}", int{p.mnB});
  }
  kernel.body +=
      fmt::format("\nwgmma.fence.sync.aligned;\n{} {};\nwgmma.commit_group.sync.aligned; "
                  "wgmma.wait_group.sync.aligned 0;\n",
                  spelling(p), operands);
  for (uint32_t i = 0; i < registers; ++i)
    kernel.body += fmt::format("st.global.b32 [%a2+{}], %D{}; ", 4 * i, i);

  WgmmaRun ran = run(kernel);
  Outcome outcome;
  outcome.text = ran.text;
  if (!ran.text.empty())
    return outcome;
  const bool keeps = p.scaleD == "1" || p.scaleD == "%p2" || p.scaleD == "!%p3";
  outcome.expected = before;
  for (uint32_t row = 0; row < 64; ++row)
    for (uint32_t column = 0; column < p.n; ++column) {
      double sum = keeps ? before[size_t{row} * p.n + column] : 0;
      for (uint32_t k = 0; k < a.ks; ++k)
        sum += p.signA * p.signB * valueOf(p.a, a.at(row, k)) * valueOf(p.b, b.at(column, k));
      if (p.d == "s32")
        sum = p.saturate ? std::clamp(sum, -2147483648.0, 2147483647.0)
                         : static_cast<int32_t>(static_cast<int64_t>(sum));
      outcome.expected[size_t{row} * p.n + column] = sum;
    }
  outcome.d.resize(before.size());
  for (uint32_t thread = 0; thread < 128; ++thread)
    for (uint32_t element = 0; element < p.n / 2; ++element) {
      auto [row, column] = placeOfD(thread, element);
      uint32_t word = 0;
      size_t at = size_t{thread} * registers * 4 + (half ? element * 2 : element * 4);
      std::memcpy(&word, &ran.buffers[1][at], half ? 2 : 4);
      outcome.d[size_t{row} * p.n + column] = p.d == "s32"
                                                  ? static_cast<double>(static_cast<int32_t>(word))
                                              : half ? numerics::decode(SmallFloat::F16, word)
                                                     : std::bit_cast<float>(word);
    }
  return outcome;
}

void check(const Product &p, const RunOptions &options = {}, uint32_t seed = 1) {
  INFO(spelling(p) << " registers " << p.registersA << " MN " << p.mnA << p.mnB << " swizzles "
                   << static_cast<int>(p.swizzleA) << static_cast<int>(p.swizzleB) << " scale-d "
                   << p.scaleD);
  Outcome outcome = multiply(p, options, seed);
  REQUIRE(outcome.text == "");
  for (size_t i = 0; i < outcome.d.size(); ++i) {
    INFO("row " << i / p.n << " column " << i % p.n);
    REQUIRE(outcome.d[i] == outcome.expected[i]);
  }
}

} // namespace

TEST_CASE("wgmma: every N of the floating types") {
  for (uint32_t n = 8; n <= 256; n += 8) {
    check({.a = "bf16",
           .b = "bf16",
           .d = "f32",
           .n = n,
           .swizzleA = SwizzleName::B128,
           .swizzleB = SwizzleName::B128});
    check({.a = "f16", .b = "f16", .d = "f16", .n = n});
    check({.a = "tf32", .b = "tf32", .d = "f32", .n = n, .swizzleB = SwizzleName::B64});
    check({.a = "e4m3", .b = "e5m2", .d = "f32", .n = n, .swizzleB = SwizzleName::B32});
  }
}

TEST_CASE("wgmma: every N of the integer types") {
  for (uint32_t n = 8; n <= 256; n += n < 32 ? 8 : 16) {
    check({.a = "s8", .b = "u8", .d = "s32", .n = n});
    check({.a = "b1", .b = "b1", .d = "s32", .n = n, .swizzleB = SwizzleName::B128});
  }
}

TEST_CASE("wgmma: every pair of types, A from memory and from registers") {
  const Product types[] = {
      {"f16", "f16", "f16"},   {"f16", "f16", "f32"},   {"bf16", "bf16", "f32"},
      {"tf32", "tf32", "f32"}, {"e4m3", "e4m3", "f32"}, {"e4m3", "e5m2", "f16"},
      {"e5m2", "e4m3", "f32"}, {"e5m2", "e5m2", "f16"}, {"s8", "s8", "s32"},
      {"s8", "u8", "s32"},     {"u8", "s8", "s32"},     {"u8", "u8", "s32"},
      {"b1", "b1", "s32"}};
  for (Product p : types)
    for (bool registers : {false, true})
      for (const char *scale : {"1", "0", "%p2", "%p3", "!%p3"}) {
        p.n = 32;
        p.registersA = registers;
        p.scaleD = scale;
        check(p, {}, 3);
      }
}

TEST_CASE("wgmma: every layout of A and B") {
  const SwizzleName swizzles[] = {SwizzleName::None, SwizzleName::B32, SwizzleName::B64,
                                  SwizzleName::B128};
  for (SwizzleName a : swizzles)
    for (SwizzleName b : swizzles)
      for (bool mnA : {false, true})
        for (bool mnB : {false, true})
          for (uint32_t n : {64u, 192u})
            check({.a = "bf16",
                   .b = "bf16",
                   .d = "f32",
                   .n = n,
                   .mnA = mnA,
                   .mnB = mnB,
                   .swizzleA = a,
                   .swizzleB = b},
                  {}, n);
  for (const char *type : {"e4m3", "tf32", "s8", "b1"})
    for (SwizzleName a : swizzles)
      for (SwizzleName b : swizzles)
        check({.a = type,
               .b = type,
               .d = isFloat(type) ? "f32" : "s32",
               .n = 64,
               .swizzleA = a,
               .swizzleB = b});
}

TEST_CASE("wgmma: signs") {
  for (int a : {1, -1})
    for (int b : {1, -1}) {
      check({.a = "f16", .b = "f16", .d = "f32", .n = 16, .signA = a, .signB = b});
      check({.a = "tf32",
             .b = "tf32",
             .d = "f32",
             .n = 16,
             .registersA = true,
             .signA = a,
             .signB = b});
      check({.a = "e5m2", .b = "e4m3", .d = "f16", .n = 16, .signA = a, .signB = b});
    }
}

TEST_CASE("wgmma: integer sums wrap, or saturate") {
  for (bool saturate : {false, true})
    for (const char *type : {"s8", "u8"})
      check({.a = type, .b = type, .d = "s32", .n = 16, .saturate = saturate, .large = true});
}

TEST_CASE("wgmma: the same under every schedule, in both modes of sums") {
  for (RunOptions options : allSchedules())
    for (MmaMode mode : {MmaMode::Fast, MmaMode::Exact}) {
      options.mma = mode;
      check({.a = "bf16",
             .b = "bf16",
             .d = "f32",
             .n = 128,
             .mnB = true,
             .swizzleA = SwizzleName::B64,
             .swizzleB = SwizzleName::B128},
            options);
      check({.a = "e4m3", .b = "e4m3", .d = "f32", .n = 96, .registersA = true}, options);
      check({.a = "s8", .b = "s8", .d = "s32", .n = 96}, options);
    }
}

TEST_CASE("wgmma: what does not exist is refused by name") {
  struct Case {
    const char *text, *part;
  };
  for (const Case &c : {
           Case{"wgmma.mma_async.sp.sync.aligned.m64n8k32.f32.f16.f16 {%f0,%f1,%f2,%f3}, %d0, %d1, "
                "%r5, 0, 1, 1, 1, 0, 0;",
                "sparse products"},
           Case{"wgmma.mma_async.sync.aligned.m64n8k8.f32.f16.f16 {%f0,%f1,%f2,%f3}, %d0, %d1, 1, "
                "1, "
                "1, 0, 0;",
                "no product of this shape"},
           Case{"wgmma.mma_async.sync.aligned.m64n40k32.s32.s8.s8 {%r0,%r1,%r2,%r3}, %d0, %d1, 1;",
                "no product of this shape"},
           Case{
               "wgmma.mma_async.sync.aligned.m64n8k8.f32.tf32.tf32 {%f0,%f1,%f2,%f3}, %d0, %d1, 1, "
               "1, 1, 0, 0;",
               "operands"},
           Case{"wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0,%f1,%f2}, %d0, %d1, 1, 1, "
                "1, 0, 0;",
                "vector of 4 registers"},
           Case{"wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0,%f1,%f2,%f3}, %d0, %d1, 1, "
                "2, 1, 0, 0;",
                "1 or -1"},
           Case{"wgmma.mma_async.sync.aligned.m64n8k256.s32.b1.b1.xor.popc {%r0,%r1,%r2,%r3}, %d0, "
                "%d1, 1;",
                "and.popc"},
           Case{"wgmma.fence.aligned;", "sync.aligned"},
       }) {
    WgmmaKernel kernel;
    kernel.body = c.text;
    WgmmaRun ran = run(kernel);
    CHECK(ran.id == "refused");
    CHECK_THAT(ran.text, Catch::Contains(c.part));
  }
}

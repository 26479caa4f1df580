//===- BlockScaleTest.cpp - narrow and block-scaled mma.sync of sm_120a ------===//
//
// kind::f8f6f4, mxf8f6f4, mxf4 and mxf4nvf4 with random codes. Where elements and
// scale factors lie is written here as closed forms (PTX ISA 9.7.14.5.10-11, 9.7.14.3;
// the pair of lanes that gives the factors of rows g and g + 8 as in CUTLASS's
// SFALayout), and the expected result is an FP64 sum.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include "ptxsim/numerics/BlockScale.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <random>

using namespace msa::ptxsim;
using namespace msa::ptxsim::cases;
using numerics::ScaleFormat;
using numerics::SmallFloat;

namespace {

struct Form {
  const char *kind, *a, *b, *scaleWord; ///< scaleWord: nullptr: not scaled
  SmallFloat typeA, typeB;
  int k = 32, blocks = 0;
  ScaleFormat format = ScaleFormat::UE8M0;
  bool halfResult = false;
};

constexpr Form forms[] = {
    {"kind::f8f6f4", "e4m3", "e5m2", nullptr, SmallFloat::E4M3, SmallFloat::E5M2},
    {"kind::f8f6f4", "e2m1", "e3m2", nullptr, SmallFloat::E2M1, SmallFloat::E3M2},
    {"kind::f8f6f4", "e2m3", "e2m1", nullptr, SmallFloat::E2M3, SmallFloat::E2M1, 32, 0,
     ScaleFormat::UE8M0, true},
    {"kind::mxf8f6f4.block_scale.scale_vec::1X", "e4m3", "e4m3", "ue8m0", SmallFloat::E4M3,
     SmallFloat::E4M3, 32, 1},
    {"kind::mxf8f6f4.block_scale", "e2m1", "e2m3", "ue8m0", SmallFloat::E2M1, SmallFloat::E2M3, 32,
     1},
    {"kind::mxf4.block_scale", "e2m1", "e2m1", "ue8m0", SmallFloat::E2M1, SmallFloat::E2M1, 64, 2},
    {"kind::mxf4.block_scale.scale_vec::2X", "e2m1", "e2m1", "ue8m0", SmallFloat::E2M1,
     SmallFloat::E2M1, 64, 2},
    {"kind::mxf4nvf4.block_scale.scale_vec::2X", "e2m1", "e2m1", "ue8m0", SmallFloat::E2M1,
     SmallFloat::E2M1, 64, 2},
    {"kind::mxf4nvf4.block_scale.scale_vec::4X", "e2m1", "e2m1", "ue4m3", SmallFloat::E2M1,
     SmallFloat::E2M1, 64, 4, ScaleFormat::UE4M3},
};

/// Which byte and lanes give the factors.
struct Selectors {
  int byteA = 0, threadA = 0, byteB = 0, threadB = 0;
  bool inRegisters = false;
};

std::string nameOf(const Form &form) {
  const char *d = form.halfResult ? "f16" : "f32";
  return fmt::format("mma.sync.aligned.m16n8k{}.row.col.{}.{}.{}.{}.{}{}{}", form.k, form.kind, d,
                     form.a, form.b, d, form.scaleWord ? "." : "",
                     form.scaleWord ? form.scaleWord : "");
}

/// A kernel whose lanes load four words of A, two of B, up to four of C and two of factors.
std::string kernelOf(const Form &form, const Selectors &s, const std::string &entry) {
  const int results = form.halfResult ? 2 : 4;
  std::string text = fmt::format(
      ".visible .entry {}(.param .u64 input, .param .u64 output)\n{{\n"
      "  .reg .b64 %in, %out; .reg .b32 %t, %a<4>, %b<2>, %c<4>, %d<4>, %s<2>; .reg .b16 %h<4>;\n"
      "  mov.u32 %t, %tid.x;\n  ld.param.u64 %in, [input];\n  ld.param.u64 %out, [output];\n"
      "  mad.wide.u32 %in, %t, 48, %in;\n  mad.wide.u32 %out, %t, 16, %out;\n",
      entry);
  int slot = 0;
  for (const char *name : {"a0", "a1", "a2", "a3", "b0", "b1", "c0", "c1", "c2", "c3", "s0", "s1"})
    text += fmt::format("  ld.global.b32 %{}, [%in+{}];\n", name, 4 * slot++);
  const int selectors[] = {s.byteA, s.threadA, s.byteB, s.threadB};
  for (int i = 0; i < 4; ++i)
    text += fmt::format("  mov.u16 %h{}, {};\n", i, selectors[i]);
  const char *list = results == 2 ? "{%d0, %d1}" : "{%d0, %d1, %d2, %d3}",
             *addend = results == 2 ? "{%c0, %c1}" : "{%c0, %c1, %c2, %c3}";
  text +=
      fmt::format("  {} {}, {{%a0, %a1, %a2, %a3}}, {{%b0, %b1}}, {}", nameOf(form), list, addend);
  if (form.scaleWord && s.inRegisters)
    text += ", %s0, {%h0, %h1}, %s1, {%h2, %h3}";
  else if (form.scaleWord)
    text +=
        fmt::format(", %s0, {{{}, {}}}, %s1, {{{}, {}}}", s.byteA, s.threadA, s.byteB, s.threadB);
  text += ";\n";
  for (int i = 0; i < results; ++i)
    text += fmt::format("  st.global.b32 [%out+{}], %d{};\n", 4 * i, i);
  return text + "  ret;\n}\n";
}

std::string header() { return ".version 8.8\n.target sm_120a\n.address_size 64\n"; }

/// Operands as codes, and the words that lanes hold.
class Problem {
public:
  Problem(const Form &form, const Selectors &selectors, uint32_t seed)
      : form(form), selectors(selectors), generator(seed) {
    for (auto &row : a)
      for (uint32_t &code : row)
        code = draw(form.typeA);
    for (auto &column : b)
      for (uint32_t &code : column)
        code = draw(form.typeB);
    std::uniform_int_distribution<int> pick(-20, 20);
    for (auto &row : c)
      for (float &x : row)
        x = static_cast<float>(pick(generator)) / 4;
    for (auto *factors : {&fa[0], &fb[0]})
      for (int i = 0; i < 16 * 4; ++i)
        factors[i] = static_cast<uint8_t>(
            form.format == ScaleFormat::UE8M0 ? 124 + generator() % 7 : 0x28 + generator() % 32);
  }

  std::vector<uint8_t> input() {
    std::vector<uint8_t> bytes(32 * 48);
    for (int lane = 0; lane < 32; ++lane) {
      const int g = lane / 4, t = lane % 4;
      uint32_t words[12] = {};
      for (int reg = 0; reg < 4; ++reg)
        words[reg] = strip(a[g + 8 * (reg & 1)], form.typeA, reg >> 1, t);
      for (int reg = 0; reg < 2; ++reg)
        words[4 + reg] = strip(b[g], form.typeB, reg, t);
      for (int i = 0; i < 4; ++i) {
        const float x = c[g + 8 * (i >> 1)][2 * t + (i & 1)];
        if (form.halfResult)
          words[6 + (i >> 1)] |= numerics::encode(SmallFloat::F16, x, {}) << (16 * (i & 1));
        else
          words[6 + i] = numerics::bitsOf(x);
      }
      // Other lanes and other bytes hold rubbish.
      words[10] = static_cast<uint32_t>(generator());
      words[11] = static_cast<uint32_t>(generator());
      for (int j = 0; j < form.blocks; ++j) {
        if (t / 2 == selectors.threadA)
          setByte(words[10], selectors.byteA + j, fa[(g + 8 * (t % 2)) * 4 + j]);
        if (t == selectors.threadB)
          setByte(words[11], selectors.byteB + j, fb[g * 4 + j]);
      }
      std::memcpy(&bytes[static_cast<size_t>(lane) * 48], words, 48);
    }
    return bytes;
  }

  /// Elements that differ from the FP64 sum by more than rounding.
  int wrong(const std::vector<uint8_t> &output) const {
    int count = 0;
    for (int lane = 0; lane < 32; ++lane)
      for (int i = 0; i < 4; ++i) {
        uint32_t words[4];
        std::memcpy(words, &output[static_cast<size_t>(lane) * 16], 16);
        const float got =
            form.halfResult
                ? numerics::f16ToF32(static_cast<uint16_t>(words[i >> 1] >> (16 * (i & 1))))
                : numerics::floatOf(words[i]);
        double magnitude = 0;
        const double want = expected(lane / 4 + 8 * (i >> 1), 2 * (lane % 4) + (i & 1), magnitude);
        count += !(std::fabs(got - want) <= magnitude * (form.halfResult ? 0x1p-11 : 0x1p-20));
      }
    return count;
  }

private:
  uint32_t draw(SmallFloat type) {
    const uint32_t code =
        static_cast<uint32_t>(generator()) & ((1u << numerics::widthOf(type)) - 1);
    return std::isfinite(numerics::decode(type, code)) &&
                   std::fabs(numerics::decode(type, code)) < 64
               ? code
               : 0u;
  }
  /// Four bytes of a row: of strip `strip` (16 bytes), from byte 4t on.
  uint32_t strip(const uint32_t (&row)[64], SmallFloat type, int strip, int t) const {
    uint32_t word = 0;
    if (form.k == 64) {
      for (int i = 0; i < 8; ++i)
        word |= row[32 * strip + 8 * t + i] << (4 * i);
      return word;
    }
    for (int i = 0; i < 4; ++i)
      word |= (row[16 * strip + 4 * t + i] << (type == SmallFloat::E2M1 ? 2 : 0)) << (8 * i);
    return word;
  }
  static void setByte(uint32_t &word, int byte, uint8_t value) {
    word = (word & ~(0xFFu << (8 * byte))) | uint32_t{value} << (8 * byte);
  }
  double factor(const uint8_t *codes, int k) const {
    return form.blocks == 0 ? 1
                            : numerics::decodeScale(form.format, codes[k / (form.k / form.blocks)]);
  }
  double expected(int row, int col, double &magnitude) const {
    double sum = c[row][col];
    magnitude = std::fabs(sum);
    for (int k = 0; k < form.k; ++k) {
      const double term = static_cast<double>(numerics::decode(form.typeA, a[row][k])) *
                          numerics::decode(form.typeB, b[col][k]) * factor(&fa[row * 4], k) *
                          factor(&fb[col * 4], k);
      sum += term;
      magnitude += std::fabs(term);
    }
    return sum;
  }

  const Form &form;
  const Selectors &selectors;
  std::mt19937 generator;
  uint32_t a[16][64] = {}, b[8][64] = {};
  float c[16][8] = {};
  uint8_t fa[16 * 4] = {}, fb[16 * 4] = {};
};

/// The selectors that a form allows.
std::vector<Selectors> selectorsOf(const Form &form) {
  if (form.blocks == 0)
    return {{}};
  std::vector<Selectors> list;
  for (int threadA : {0, 1})
    for (int byte = 0; byte + form.blocks <= 4; byte += form.blocks)
      list.push_back(
          {byte, threadA, 4 - form.blocks - byte, 2 * threadA + (byte != 0), threadA == 1});
  return list;
}

} // namespace

TEST_CASE("mma.sync multiplies narrow and block-scaled operands", "[run][mma]") {
  for (const Form &form : forms)
    for (const Selectors &selectors : selectorsOf(form))
      for (MmaMode mode : {MmaMode::Fast, MmaMode::Exact}) {
        Problem problem(form, selectors, 7);
        RunOptions options;
        options.mma = mode;
        Outcome outcome = runPtx(header() + kernelOf(form, selectors, "test"), 32, problem.input(),
                                 32 * 16, options);
        INFO(nameOf(form) << " " << selectors.byteA << selectors.threadA << selectors.byteB
                          << selectors.threadB);
        CHECK(outcome.text() == "");
        if (outcome.clean())
          CHECK(problem.wrong(outcome.output) == 0);
      }
}

TEST_CASE("wrong scale selectors are found", "[run][mma]") {
  const Form &form = forms[5]; // two factors: bytes 0 and 2
  auto outcomeOf = [&](const Selectors &selectors) {
    return runPtx(header() + kernelOf(form, selectors, "test"), 32, std::vector<uint8_t>(32 * 48),
                  32 * 16);
  };
  CHECK(outcomeOf({0, 0, 2, 3, true}).text() == "");
  CHECK(outcomeOf({1, 0, 0, 0, true}).trapId == "X7");
  CHECK(outcomeOf({0, 2, 0, 0, true}).trapId == "X7");
  CHECK(outcomeOf({0, 0, 4, 0, true}).trapId == "X7");
  CHECK(outcomeOf({0, 0, 0, 4, true}).trapId == "X7");
  CHECK(outcomeOf({1, 0, 0, 0, false}).error != "");
  CHECK(outcomeOf({0, 2, 0, 0, false}).error != "");
  CHECK(outcomeOf({0, 0, 0, 4, false}).error != "");
}

TEST_CASE("ptxas accepts every narrow and block-scaled mma", "[ptxas][mma]") {
  if (std::string(MSA_PTXAS).empty()) {
    WARN("SKIPPED: ptxas not found (CUDA toolkit, or -DMSA_PTXAS=PATH)");
    return;
  }
  const std::string base = std::string(MSA_WORK_DIR) + "/mma-sm_120a";
  std::ofstream file(base + ".ptx");
  file << header();
  int index = 0;
  for (const Form &form : forms)
    for (const Selectors &selectors : selectorsOf(form))
      file << kernelOf(form, selectors, fmt::format("entry{}", index++));
  file.close();
  const std::string command = fmt::format(
      "'{}' -O1 -arch=sm_120a -o /dev/null '{}.ptx' >'{}.log' 2>&1", MSA_PTXAS, base, base);
  INFO(base << ".log");
  CHECK(std::system(command.c_str()) == 0);
}

//===- MatrixTest.cpp - mma.sync on the simulator -------------------------===//
//
// Every shape and type of mma.sync with small random integers, exact in every
// type and in every order of summation, so one plain loop is the expected
// answer in both mma modes. Places of elements come from thread-value layouts
// (../ptxsim-numerics/ThreadValueLayouts.h), not from the library's tables.
//
//===----------------------------------------------------------------------===//
#include "../ptxsim-numerics/ThreadValueLayouts.h"
#include "Harness.h"

#include "ptxsim/numerics/Convert.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <random>

using namespace msa::ptxsim;
using namespace msa::ptxsim::cases;
using numerics::MmaOperand;
using numerics::MmaShape;
using numerics::Mode;
using numerics::SmallFloat;

namespace {

/// An element type as mma names it.
struct Element {
  const char *name;
  int bits;
  int lowest, highest; ///< of the random integers
};
constexpr Element f16{"f16", 16, -4, 4}, bf16{"bf16", 16, -4, 4}, tf32{"tf32", 32, -4, 4},
    f64{"f64", 64, -9, 9}, e4m3{"e4m3", 8, -4, 4}, e5m2{"e5m2", 8, -4, 4}, s8{"s8", 8, -128, 127},
    u8{"u8", 8, 0, 255}, s4{"s4", 4, -8, 7}, u4{"u4", 4, 0, 15}, b1{"b1", 1, 0, 1},
    f32{"f32", 32, -50, 50}, s32{"s32", 32, -100000, 100000};

struct Variant {
  MmaShape shape;
  Element a, b, c;
  const char *target, *version;
  const char *infix = "";  ///< ".satfinite"
  const char *suffix = ""; ///< ".xor.popc"
};

uint64_t encodeElement(const Element &type, int value) {
  std::string name = type.name;
  auto small = [&](SmallFloat kind) {
    return static_cast<uint64_t>(numerics::encode(kind, value, {}));
  };
  if (name == "f16")
    return small(SmallFloat::F16);
  if (name == "bf16")
    return small(SmallFloat::BF16);
  if (name == "e4m3")
    return small(SmallFloat::E4M3);
  if (name == "e5m2")
    return small(SmallFloat::E5M2);
  if (name == "f32" || name == "tf32")
    return numerics::bitsOf(static_cast<float>(value));
  if (name == "f64")
    return numerics::bitsOf(static_cast<double>(value));
  uint64_t all = static_cast<uint64_t>(static_cast<int64_t>(value));
  return type.bits == 64 ? all : all & ((1ull << type.bits) - 1);
}

/// The layout of an accumulator: two neighbouring columns, then eight rows further down.
numerics::OperandPlaces accumulatorPlaces(MmaShape shape, int bits) {
  if (shape.m == 8)
    return {shape, MmaOperand::C, bits, {{4, 16}, {8, 1}}, {{2, 8}}};
  return {shape, MmaOperand::C, bits, {{4, 32}, {8, 1}}, {{2, 16}, {2, 8}}};
}

numerics::OperandPlaces placesOf(MmaShape shape, MmaOperand operand, int bits) {
  if (operand == MmaOperand::C)
    return accumulatorPlaces(shape, bits);
  for (const numerics::OperandPlaces &each : numerics::threadValueLayouts())
    if (each.shape == shape && each.operand == operand && each.bits == bits)
      return each;
  throw std::runtime_error("no layout");
}

/// A matrix of integers, row-major, and where its elements go.
struct Matrix {
  int rows, cols;
  Element type;
  numerics::OperandPlaces places;
  std::vector<int64_t> values;

  int outer() const { return places.operand == MmaOperand::B ? cols : rows; }
  int perLane() const { return rows * cols / 32; }
  int registerBits() const { return type.bits == 64 ? 64 : 32; }
  int registers() const { return perLane() * type.bits / registerBits(); }
  int64_t &at(int lane, int value) {
    int index = numerics::offsetOf(places.lanes, lane) + numerics::offsetOf(places.values, value);
    int major = index % outer(), minor = index / outer();
    bool isB = places.operand == MmaOperand::B;
    return values[isB ? minor * cols + major : major * cols + minor];
  }
  /// Register `reg` of a lane.
  uint64_t word(int lane, int reg) {
    int each = registerBits() / type.bits;
    uint64_t bits = 0;
    for (int i = 0; i < each; ++i)
      bits |= encodeElement(type, static_cast<int>(at(lane, reg * each + i))) << (i * type.bits);
    return bits;
  }
};

Matrix randomMatrix(MmaShape shape, MmaOperand operand, const Element &type,
                    std::mt19937 &generator) {
  Matrix matrix{operand == MmaOperand::B ? shape.k : shape.m,
                operand == MmaOperand::A ? shape.k : shape.n,
                type,
                placesOf(shape, operand, type.bits),
                {}};
  std::uniform_int_distribution<int> pick(type.lowest, type.highest);
  for (int i = 0; i < matrix.rows * matrix.cols; ++i)
    matrix.values.push_back(pick(generator));
  return matrix;
}

const char *registerKind(const Element &type) {
  std::string name = type.name;
  return name == "f32" ? "f32" : (name == "f64" ? "f64" : "b32");
}

std::string registerList(const std::string &name, int count) {
  std::string list = "{";
  for (int i = 0; i < count; ++i)
    list += fmt::format("{}%{}{}", i == 0 ? "" : ", ", name, i);
  return list + "}";
}

std::string mmaName(const Variant &v) {
  return fmt::format("mma.sync.aligned.m{}n{}k{}.row.col{}.{}.{}.{}.{}{}", v.shape.m, v.shape.n,
                     v.shape.k, v.infix, v.c.name, v.a.name, v.b.name, v.c.name, v.suffix);
}

/// A kernel that loads A, B and C from 8-byte slots, multiplies, and stores D.
std::string mmaKernel(const std::string &entry, const std::string &name, const int (&counts)[3],
                      const char *const (&kinds)[3]) {
  std::string text = fmt::format(".visible .entry {}(.param .u64 input, .param .u64 output)\n{{\n"
                                 "  .reg .b64 %in, %out; .reg .b32 %t;\n",
                                 entry);
  int total = counts[0] + counts[1] + counts[2];
  const char *names[] = {"a", "b", "c"};
  for (int i = 0; i < 3; ++i)
    text += fmt::format("  .reg .{} %{}<{}>;\n", kinds[i], names[i], counts[i]);
  text += fmt::format("  .reg .{} %d<{}>;\n  mov.u32 %t, %tid.x;\n  ld.param.u64 %in, [input];\n"
                      "  ld.param.u64 %out, [output];\n  mad.wide.u32 %in, %t, {}, %in;\n"
                      "  mad.wide.u32 %out, %t, {}, %out;\n",
                      kinds[2], counts[2], total * 8, counts[2] * 8);
  int slot = 0;
  for (int i = 0; i < 3; ++i)
    for (int reg = 0; reg < counts[i]; ++reg)
      text += fmt::format("  ld.global.{} %{}{}, [%in+{}];\n", kinds[i], names[i], reg, 8 * slot++);
  text += fmt::format("  {} {}, {}, {}, {};\n", name, registerList("d", counts[2]),
                      registerList("a", counts[0]), registerList("b", counts[1]),
                      registerList("c", counts[2]));
  for (int reg = 0; reg < counts[2]; ++reg)
    text += fmt::format("  st.global.{} [%out+{}], %d{};\n", kinds[2], 8 * reg, reg);
  return text + "  ret;\n}\n";
}

std::string header(const char *target, const char *version) {
  return fmt::format(".version {}\n.target {}\n.address_size 64\n", version, target);
}

std::string variantKernel(const Variant &v, const std::string &entry) {
  std::mt19937 unused(0);
  int counts[3] = {randomMatrix(v.shape, MmaOperand::A, v.a, unused).registers(),
                   randomMatrix(v.shape, MmaOperand::B, v.b, unused).registers(),
                   randomMatrix(v.shape, MmaOperand::C, v.c, unused).registers()};
  return mmaKernel(entry, mmaName(v), counts,
                   {registerKind(v.a), registerKind(v.b), registerKind(v.c)});
}

std::vector<Variant> variants() {
  std::vector<Variant> list;
  for (const Element &c : {f16, f32})
    for (int k : {8, 16})
      list.push_back({{16, 8, k}, f16, f16, c, "sm_80", "7.0"});
  for (int k : {8, 16})
    list.push_back({{16, 8, k}, bf16, bf16, f32, "sm_80", "7.0"});
  for (int k : {4, 8})
    list.push_back({{16, 8, k}, tf32, tf32, f32, "sm_80", "7.0"});
  list.push_back({{8, 8, 4}, f64, f64, f64, "sm_80", "7.0"});
  for (int k : {4, 8, 16})
    list.push_back({{16, 8, k}, f64, f64, f64, "sm_90", "7.8"});
  for (const Element &a : {s8, u8})
    for (const Element &b : {s8, u8})
      for (const char *infix : {"", ".satfinite"})
        for (MmaShape shape : {MmaShape{8, 8, 16}, {16, 8, 16}, {16, 8, 32}})
          list.push_back({shape, a, b, s32, "sm_80", "7.0", infix});
  for (const Element &a : {s4, u4})
    for (const Element &b : {s4, u4})
      for (MmaShape shape : {MmaShape{8, 8, 32}, {16, 8, 32}, {16, 8, 64}})
        list.push_back({shape, a, b, s32, "sm_80", "7.0"});
  list.push_back({{16, 8, 32}, s4, s4, s32, "sm_80", "7.0", ".satfinite"});
  for (const char *suffix : {".xor.popc", ".and.popc"})
    for (MmaShape shape : {MmaShape{8, 8, 128}, {16, 8, 128}, {16, 8, 256}})
      list.push_back({shape, b1, b1, s32, "sm_80", "7.1", "", suffix});
  for (const Element &a : {e4m3, e5m2})
    for (const Element &b : {e4m3, e5m2})
      list.push_back({{16, 8, 32}, a, b, f32, "sm_89", "8.4"});
  for (const Element &c : {f16, f32})
    list.push_back({{16, 8, 16}, e4m3, e5m2, c, "sm_89", "8.7"});
  list.push_back({{16, 8, 32}, e5m2, e4m3, f16, "sm_89", "8.7"});
  return list;
}

/// Plain product of the integers; bits count instead of multiply.
std::vector<int64_t> expectedProduct(const Variant &v, const Matrix &a, const Matrix &b,
                                     const Matrix &c) {
  bool isXor = std::string(v.suffix) == ".xor.popc";
  std::vector<int64_t> d = c.values;
  for (int m = 0; m < v.shape.m; ++m)
    for (int n = 0; n < v.shape.n; ++n)
      for (int k = 0; k < v.shape.k; ++k) {
        int64_t x = a.values[m * v.shape.k + k], y = b.values[k * v.shape.n + n];
        d[m * v.shape.n + n] += isXor ? x ^ y : x * y;
      }
  return d;
}

std::vector<uint8_t> packOperands(Matrix *const (&operands)[3]) {
  std::vector<uint8_t> bytes;
  for (int lane = 0; lane < 32; ++lane)
    for (Matrix *operand : operands)
      for (int reg = 0; reg < operand->registers(); ++reg) {
        uint64_t word = operand->word(lane, reg);
        bytes.insert(bytes.end(), reinterpret_cast<uint8_t *>(&word),
                     reinterpret_cast<uint8_t *>(&word) + 8);
      }
  return bytes;
}

std::string runVariant(const Variant &v, MmaMode mode, uint32_t seed) {
  std::mt19937 generator(seed);
  Matrix a = randomMatrix(v.shape, MmaOperand::A, v.a, generator);
  Matrix b = randomMatrix(v.shape, MmaOperand::B, v.b, generator);
  Matrix c = randomMatrix(v.shape, MmaOperand::C, v.c, generator);
  Matrix d = c;
  d.values = expectedProduct(v, a, b, c);
  RunOptions options;
  options.mma = mode;
  size_t count = static_cast<size_t>(d.registers());
  Outcome outcome = runPtx(header(v.target, v.version) + variantKernel(v, "test"), 32,
                           packOperands({&a, &b, &c}), 32 * count * 8, options);
  if (!outcome.clean())
    return outcome.text();
  for (int lane = 0; lane < 32; ++lane)
    for (size_t reg = 0; reg < count; ++reg) {
      uint64_t got = 0, want = d.word(lane, static_cast<int>(reg));
      std::memcpy(&got, &outcome.output[(lane * count + reg) * 8], d.registerBits() / 8);
      if (got != want)
        return fmt::format("lane {} register {}: got {:#x}, want {:#x}", lane, reg, got, want);
    }
  return {};
}

/// Runs an mma on 32 lanes of given words; returns lane 0's first result register.
uint32_t firstResult(const Variant &v, std::vector<std::array<uint64_t, 3>> firstWords,
                     MmaMode mode) {
  std::mt19937 generator(1);
  Matrix a = randomMatrix(v.shape, MmaOperand::A, v.a, generator);
  Matrix b = randomMatrix(v.shape, MmaOperand::B, v.b, generator);
  Matrix c = randomMatrix(v.shape, MmaOperand::C, v.c, generator);
  size_t perLane = static_cast<size_t>(a.registers() + b.registers() + c.registers());
  std::vector<uint8_t> bytes(32 * perLane * 8);
  for (size_t lane = 0; lane < firstWords.size(); ++lane) {
    size_t at[3] = {0, size_t(a.registers()), size_t(a.registers() + b.registers())};
    for (int operand = 0; operand < 3; ++operand)
      std::memcpy(&bytes[(lane * perLane + at[operand]) * 8], &firstWords[lane][operand], 8);
  }
  RunOptions options;
  options.mma = mode;
  Outcome outcome = runPtx(header(v.target, v.version) + variantKernel(v, "test"), 32, bytes,
                           32 * size_t(c.registers()) * 8, options);
  REQUIRE(outcome.text() == "");
  uint32_t word = 0;
  std::memcpy(&word, outcome.output.data(), 4);
  return word;
}

} // namespace

TEST_CASE("mma.sync multiplies every shape and type", "[run][mma]") {
  for (const Variant &each : variants())
    for (MmaMode mode : {MmaMode::Fast, MmaMode::Exact}) {
      INFO(mmaName(each) << " on " << each.target
                         << (mode == MmaMode::Exact ? ", exact" : ", fast"));
      CHECK(runVariant(each, mode, 11) == "");
      CHECK(runVariant(each, mode, 12) == "");
    }
}

TEST_CASE("the exact mode drops what the tensor core drops", "[run][mma]") {
  Variant v{{16, 8, 16}, f16, f16, f32, "sm_90", "8.0"};
  // Row 0 of A: 1 and 2^-13 (lane 0), -1 (lane 1); column 0 of B: 1 and 2^-13, 1. Sum 2^-26.
  auto pair = [](double low, double high) -> uint64_t {
    return numerics::encode(SmallFloat::F16, low, {}) |
           (numerics::encode(SmallFloat::F16, high, {}) << 16);
  };
  std::vector<std::array<uint64_t, 3>> words = {{pair(1, 0x1p-13), pair(1, 0x1p-13), 0},
                                                {pair(-1, 0), pair(1, 0), 0}};
  REQUIRE(firstResult(v, words, MmaMode::Exact) == 0);
  REQUIRE(firstResult(v, words, MmaMode::Fast) != 0x3f800000);
  // 2^-25 survives the cut on sm_90, not the one of sm_80.
  words[0] = {pair(1, 0x1p-12), pair(1, 0x1p-13), 0};
  REQUIRE(firstResult(v, words, MmaMode::Exact) == numerics::bitsOf(0x1p-25f));
  v.target = "sm_80";
  REQUIRE(firstResult(v, words, MmaMode::Exact) == 0);
}

TEST_CASE("integer mma saturates only with .satfinite", "[run][mma]") {
  for (const char *infix : {"", ".satfinite"}) {
    Variant v{{16, 8, 16}, s8, s8, s32, "sm_80", "7.0", infix};
    std::vector<std::array<uint64_t, 3>> words = {{0x7f, 0x7f, 0x7fffffff}};
    uint32_t want = infix[0] != 0 ? 0x7fffffffu : 0x7fffffffu + 127u * 127u;
    REQUIRE(firstResult(v, words, MmaMode::Fast) == want);
    words = {{0x80, 0x7f, 0x80000000}};
    want = infix[0] != 0 ? 0x80000000u : 0x80000000u - 128u * 127u;
    REQUIRE(firstResult(v, words, MmaMode::Fast) == want);
  }
}

namespace {

/// m8n8k4: lane -> (quad pair, rank in it); ISA 9.7.14.5.1.
struct QuadPlace {
  int computation, row, col;
};
QuadPlace quadPlace(MmaOperand operand, bool columnMajor, int bits, int lane, int i) {
  int upper = lane >= 16 ? 4 : 0, low = lane % 4, computation = lane % 16 / 4;
  if (operand == MmaOperand::A)
    return columnMajor ? QuadPlace{computation, i % 4 + upper, low}
                       : QuadPlace{computation, low + upper, i};
  if (operand == MmaOperand::B)
    return columnMajor ? QuadPlace{computation, i, low + upper}
                       : QuadPlace{computation, low, i + upper};
  if (bits == 16)
    return {computation, low + upper, i};
  return {computation, (lane & 1) + (i & 2) + upper, (i & 4) + (lane & 2) + (i & 1)};
}

std::string quadName(bool aCol, bool bCol, const Element &d, const Element &c) {
  return fmt::format("mma.sync.aligned.m8n8k4.{}.{}.{}.f16.f16.{}", aCol ? "col" : "row",
                     bCol ? "col" : "row", d.name, c.name);
}

} // namespace

TEST_CASE("mma.m8n8k4 multiplies four quad pairs", "[run][mma]") {
  std::mt19937 generator(5);
  std::uniform_int_distribution<int> pick(-4, 4);
  for (bool aCol : {false, true})
    for (bool bCol : {false, true})
      for (const Element &type : {f16, f32}) {
        int a[4][8][4], b[4][4][8], c[4][8][8];
        for (int *array : {&a[0][0][0], &b[0][0][0], &c[0][0][0]})
          for (int i = 0; i < (array == &c[0][0][0] ? 256 : 128); ++i)
            array[i] = pick(generator);
        int registers = type.bits == 16 ? 4 : 8;
        std::vector<uint8_t> input(32 * size_t(4 + registers) * 8);
        auto put = [&](int lane, int slot, int shift, uint64_t bits) {
          uint64_t word = 0;
          uint8_t *at = &input[(size_t(lane) * (4 + registers) + slot) * 8];
          std::memcpy(&word, at, 8);
          word |= bits << shift;
          std::memcpy(at, &word, 8);
        };
        for (int lane = 0; lane < 32; ++lane) {
          for (int i = 0; i < 4; ++i) {
            QuadPlace p = quadPlace(MmaOperand::A, aCol, 16, lane, i);
            put(lane, i / 2, i % 2 * 16, encodeElement(f16, a[p.computation][p.row][p.col]));
            p = quadPlace(MmaOperand::B, bCol, 16, lane, i);
            put(lane, 2 + i / 2, i % 2 * 16, encodeElement(f16, b[p.computation][p.row][p.col]));
          }
          for (int i = 0; i < 8; ++i) {
            QuadPlace p = quadPlace(MmaOperand::C, false, type.bits, lane, i);
            int each = 32 / type.bits;
            put(lane, 4 + i / each, i % each * type.bits,
                encodeElement(type, c[p.computation][p.row][p.col]));
          }
        }
        std::string name = quadName(aCol, bCol, type, type);
        std::string kernel =
            mmaKernel("test", name, {2, 2, registers}, {"b32", "b32", registerKind(type)});
        Outcome outcome =
            runPtx(header("sm_70", "8.0") + kernel, 32, input, 32 * size_t(registers) * 8);
        INFO(name);
        CHECK(outcome.text() == "");
        if (!outcome.clean())
          continue;
        size_t wrong = 0;
        for (int lane = 0; lane < 32; ++lane)
          for (int i = 0; i < 8; ++i) {
            QuadPlace p = quadPlace(MmaOperand::C, false, type.bits, lane, i);
            int sum = c[p.computation][p.row][p.col], each = 32 / type.bits;
            for (int k = 0; k < 4; ++k)
              sum += a[p.computation][p.row][k] * b[p.computation][k][p.col];
            uint32_t word = 0;
            std::memcpy(&word, &outcome.output[(size_t(lane) * registers + i / each) * 8], 4);
            uint64_t got =
                (word >> (i % each * type.bits)) & (type.bits == 16 ? 0xffffu : 0xffffffffu);
            wrong += got != encodeElement(type, sum);
          }
        CHECK(wrong == 0);
      }
}

TEST_CASE("ptxas accepts every mma", "[ptxas][mma]") {
  if (std::string(MSA_PTXAS).empty()) {
    WARN("SKIPPED: ptxas not found (CUDA toolkit, or -DMSA_PTXAS=PATH)");
    return;
  }
  for (const char *target : {"sm_80", "sm_89", "sm_90"}) {
    std::string base = std::string(MSA_WORK_DIR) + "/mma-" + target;
    std::ofstream file(base + ".ptx");
    file << header(target, "8.7");
    int index = 0;
    for (const Variant &each : variants())
      if (std::string(each.target) == target)
        file << variantKernel(each, fmt::format("entry{}", index++));
    for (bool aCol : {false, true})
      file << mmaKernel(fmt::format("entry{}", index++), quadName(aCol, !aCol, f32, f32), {2, 2, 8},
                        {"b32", "b32", "f32"});
    file.close();
    std::string command = fmt::format("'{}' -O1 -arch={} -o /dev/null '{}.ptx' >'{}.log' 2>&1",
                                      MSA_PTXAS, target, base, base);
    INFO(base << ".log");
    CHECK(std::system(command.c_str()) == 0);
  }
}

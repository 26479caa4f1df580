//===- DescriptorTest.cpp - instruction descriptors (PTX ISA 9.7.16.4.2, tables 39, 42 to 44)
//------===//
#include "ptxsim/engine/InstructionDescriptor.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using Context = InstructionDescriptor::Context;

namespace {

InstructionDescriptor decode(uint32_t bits, const Context &context, std::string &wrong) {
  InstructionDescriptor d;
  bool fine = InstructionDescriptor::decode(bits, context, d, wrong);
  CHECK(fine == wrong.empty());
  return d;
}

/// What is wrong with the bits; "" if nothing is.
std::string wrongWith(uint32_t bits, const Context &context) {
  std::string wrong;
  decode(bits, context, wrong);
  return wrong;
}

constexpr Context f16{MmaKind::F16, 1, 0, false}, f16Pair{MmaKind::F16, 2, 0, false},
    i8{MmaKind::I8, 1, 0, false}, mxf8{MmaKind::Mxf8f6f4, 1, 1, false},
    mxf4{MmaKind::Mxf4, 1, 2, false}, nvf4{MmaKind::Mxf4nvf4, 1, 4, false};

uint32_t plain(uint32_t d, uint32_t a, uint32_t b, uint32_t m, uint32_t n) {
  return d << 4 | a << 7 | b << 10 | n / 8 << 17 | m / 16 << 24;
}
uint32_t scaled(uint32_t a, uint32_t b, uint32_t scaleType, uint32_t m, uint32_t n) {
  return a << 7 | b << 10 | n / 8 << 17 | scaleType << 23 | m / 128 << 27;
}

} // namespace

TEST_CASE("An instruction descriptor is read") {
  std::string wrong;
  // CUTLASS, 128 x 128 x 16, BF16 to F32.
  InstructionDescriptor d = decode(136316048, f16, wrong);
  CHECK(wrong == "");
  CHECK(d.m == 128);
  CHECK(d.n == 128);
  CHECK(d.k == 16);
  CHECK(d.a == MmaType::BF16);
  CHECK(d.b == MmaType::BF16);
  CHECK(d.d == MmaType::F32);
  CHECK(d.encode(MmaKind::F16) == 136316048);
  d = decode(scaled(0, 5, 1, 128, 192) | 3u << 29 | 2u << 4, mxf8, wrong);
  CHECK(wrong == "");
  CHECK(d.b == MmaType::E2M1);
  CHECK(d.scaleIdA == 3);
  CHECK(d.scaleIdB == 2);
  CHECK(d.n == 192);
  d = decode(scaled(1, 1, 0, 128, 8), nvf4, wrong);
  CHECK(wrong == "");
  CHECK(d.scalesAreE4m3);
  CHECK(d.k == 64);
}

TEST_CASE("Encoding an instruction descriptor is the inverse of reading it") {
  const uint32_t bits = GENERATE(plain(1, 1, 1, 64, 8), plain(0, 0, 0, 128, 256),
                                 plain(1, 0, 1, 128, 40) | 1u << 13 | 1u << 16);
  std::string wrong;
  InstructionDescriptor d = decode(bits, f16, wrong);
  CHECK(wrong == "");
  CHECK(d.encode(MmaKind::F16) == bits);
}

TEST_CASE("D5: what an instruction descriptor must not say") {
  struct Row {
    const char *name;
    uint32_t bits;
    Context context;
    const char *message; ///< part of it; "" = fine
  };
  const Row rows[] = {
      {"fine", plain(1, 0, 0, 128, 16), f16, ""},
      {"sparse", plain(1, 0, 0, 128, 16) | 4, f16, "sparse"},
      {"selector", plain(1, 0, 0, 128, 16) | 1, f16, "bits 1:0"},
      {"bit 6", plain(1, 0, 0, 128, 16) | 64, f16, "bits 6:6"},
      {"bit 23", plain(1, 0, 0, 128, 16) | 1u << 23, f16, "bits 23:23"},
      {"bit 29", plain(1, 0, 0, 128, 16) | 1u << 29, f16, "bits 29:29"},
      {"shift", plain(1, 0, 0, 128, 16) | 1u << 30, f16, "maximum shift"},
      {"saturate", plain(1, 0, 0, 128, 16) | 8, f16, "saturate"},
      {"type of A", plain(1, 2, 0, 128, 16), f16, "type of A"},
      {"type of D", plain(2, 0, 0, 128, 16), f16, "type of D"},
      {"half of bf16", plain(0, 1, 1, 128, 16), f16, "BF16"},
      {"M 256 alone", plain(1, 0, 0, 256, 16), f16, "M is 256"},
      {"M 64 in a pair", plain(1, 0, 0, 64, 16), f16Pair, "M is 64"},
      {"M 96", plain(1, 0, 0, 96, 16), f16, "M is 96"},
      {"N 0", plain(1, 0, 0, 128, 0), f16, "N is 0"},
      {"N 264", plain(1, 0, 0, 128, 264), f16, "N is 264"},
      {"N 24 in a pair", plain(1, 0, 0, 128, 24), f16Pair, "N is 24"},
      {"i8", plain(2, 1, 0, 128, 48), i8, ""},
      {"i8 N 40", plain(2, 1, 0, 128, 40), i8, "N is 40"},
      {"i8 negated", plain(2, 1, 0, 128, 48) | 1u << 13, i8, "negated"},
      {"i8 to f32", plain(1, 1, 0, 128, 48), i8, "type of D"},
      {"i8 transposed B", plain(2, 1, 0, 128, 8) | 1u << 16, i8, "B is transposed"},
      {"A transposed in tensor memory",
       plain(1, 0, 0, 128, 16) | 1u << 15,
       {MmaKind::F16, 1, 0, true},
       "tensor memory"},
      {"tf32 of type 1", plain(1, 1, 1, 128, 16), {MmaKind::Tf32, 1, 0, false}, "type of A"},
      {"fp4 transposed",
       plain(1, 5, 0, 128, 16) | 1u << 15,
       {MmaKind::F8f6f4, 1, 0, false},
       "4 and 6 bits"},
      {"mxf8", scaled(0, 0, 1, 128, 16), mxf8, ""},
      {"mxf8 of UE4M3", scaled(0, 0, 0, 128, 16), mxf8, "UE4M3"},
      {"mxf8 bit 31", scaled(0, 0, 1, 128, 16) | 1u << 31, mxf8, "bits 31:31"},
      {"mxf8 M 256", scaled(0, 0, 1, 256, 16), mxf8, "M is 256"},
      {"mxf4 SF id", scaled(1, 1, 1, 128, 16) | 1u << 29, mxf4, "SFA_ID is 1"},
      {"nvf4 SF id", scaled(1, 1, 1, 128, 16) | 2u << 4, nvf4, "SFB_ID is 2"},
      {"mxf4 K 96", scaled(1, 1, 1, 128, 16) | 1u << 31, mxf4, "K = 96"},
      {"mxf4 transposed", scaled(1, 1, 1, 128, 16) | 1u << 15, mxf4, "transposed"},
  };
  for (const Row &row : rows) {
    INFO(row.name);
    std::string wrong = wrongWith(row.bits, row.context);
    if (row.message[0] == 0)
      CHECK(wrong == "");
    else
      CHECK_THAT(wrong, Catch::Contains(row.message));
  }
}

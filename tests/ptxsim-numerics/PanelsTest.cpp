//===- PanelsTest.cpp - decoding of operand rows -----------------------------===//
//
// Every code of every format, in every packing, against decode(); as it lies and
// transposed, for row counts and lengths with and without tails.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Panels.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using namespace msa::ptxsim::numerics;

namespace {

/// Writes `code` as element `index` of a row.
void put(SmallFloat type, Packing packing, uint8_t *row, int index, uint32_t code) {
  int width = widthOf(type), at = 0;
  if (width >= 8) {
    at = index * width;
  } else if (packing == Packing::Byte) {
    at = 8 * index + (width == 4 ? 2 : 0);
  } else if (packing == Packing::Padded) {
    at = 128 * (index / 16) + index % 16 * width;
  } else {
    at = index * width;
  }
  for (int bit = 0; bit < width; ++bit, ++at)
    if ((code >> bit) & 1)
      row[at / 8] = static_cast<uint8_t>(row[at / 8] | 1 << (at % 8));
}

struct Form {
  SmallFloat type;
  Packing packing;
};
constexpr Form forms[] = {
    {SmallFloat::F16, Packing::Dense},   {SmallFloat::BF16, Packing::Dense},
    {SmallFloat::TF32, Packing::Dense},  {SmallFloat::E4M3, Packing::Dense},
    {SmallFloat::E5M2, Packing::Dense},  {SmallFloat::E4M3, Packing::Padded},
    {SmallFloat::E5M2, Packing::Byte},   {SmallFloat::E2M3, Packing::Byte},
    {SmallFloat::E3M2, Packing::Byte},   {SmallFloat::E2M1, Packing::Byte},
    {SmallFloat::E2M3, Packing::Padded}, {SmallFloat::E3M2, Packing::Padded},
    {SmallFloat::E2M1, Packing::Padded}, {SmallFloat::E2M1, Packing::Dense},
    {SmallFloat::UE8M0, Packing::Dense},
};

} // namespace

TEST_CASE("panels hold the values of the codes") {
  std::mt19937 generator(3);
  for (const Form &form : forms)
    for (int rows : {1, 7, 8, 64, 200})
      for (int rowBytes : {16, 32, 48, 2 * 256}) {
        const int count = elementsIn(form.type, form.packing, rowBytes);
        std::vector<uint8_t> bytes(static_cast<size_t>(rows * rowBytes));
        std::vector<uint32_t> codes(static_cast<size_t>(rows * count));
        uint32_t next = static_cast<uint32_t>(rows);
        for (int row = 0; row < rows; ++row)
          for (int i = 0; i < count; ++i) {
            // All codes in turn; those of 16 and more bits at random.
            uint32_t code = widthOf(form.type) > 8 ? static_cast<uint32_t>(generator()) : next++;
            if (widthOf(form.type) < 32)
              code &= (1u << widthOf(form.type)) - 1;
            codes[static_cast<size_t>(row * count + i)] = code;
            put(form.type, form.packing, &bytes[static_cast<size_t>(row * rowBytes)], i, code);
          }
        for (bool transposed : {false, true}) {
          std::vector<float> panel(static_cast<size_t>(rows * count), -77.0f);
          decodePanel(form.type, form.packing, bytes.data(), rows, rowBytes, transposed,
                      panel.data());
          size_t wrong = 0;
          for (int row = 0; row < rows; ++row)
            for (int i = 0; i < count; ++i) {
              const auto at = static_cast<size_t>(transposed ? i * rows + row : row * count + i);
              wrong += bitsOf(panel[at]) !=
                       bitsOf(decode(form.type, codes[static_cast<size_t>(row * count + i)]));
            }
          CAPTURE(static_cast<int>(form.type), static_cast<int>(form.packing), rows, rowBytes,
                  transposed);
          CHECK(wrong == 0);
        }
      }
}

TEST_CASE("padding bytes are not looked at") {
  for (uint8_t padding : {0, 255}) {
    std::vector<uint8_t> row(32, padding);
    for (int first : {0, 16})
      for (int i = 0; i < 12; ++i)
        row[static_cast<size_t>(first + i)] = 0;
    float panel[32];
    decodePanel(SmallFloat::E3M2, Packing::Padded, row.data(), 1, 32, false, panel);
    for (float value : panel)
      REQUIRE(bitsOf(value) == 0);
  }
}

TEST_CASE("bytes become integers") {
  std::vector<uint8_t> bytes(24 * 32);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<uint8_t>(37 * i);
  for (bool isSigned : {false, true})
    for (bool transposed : {false, true}) {
      std::vector<int32_t> panel(bytes.size());
      decodeBytes(isSigned, bytes.data(), 24, 32, transposed, panel.data());
      for (int row = 0; row < 24; ++row)
        for (int k = 0; k < 32; ++k) {
          int32_t code = bytes[static_cast<size_t>(row * 32 + k)];
          REQUIRE(panel[static_cast<size_t>(transposed ? k * 24 + row : row * 32 + k)] ==
                  (isSigned && code > 127 ? code - 256 : code));
        }
    }
}

//===- RecordedMmaTest.cpp - exact mode against real tensor cores ---------===//
//
// Every row of the recorded H100 and B200 outputs must come back bit for bit.
// The data are not in this repository; without them, or without python3 and
// numpy to unpack them, the test says so and passes.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Mma.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using namespace msa::ptxsim::numerics;

namespace {

struct Recorded {
  uint32_t rows = 0, k = 0;
  std::vector<float> a, b, c, d;
};

bool load(const std::string &path, Recorded &data) {
  std::ifstream file(path, std::ios::binary);
  auto word = [&](void *to, size_t count) {
    file.read(static_cast<char *>(to), static_cast<long>(count * 4));
  };
  word(&data.rows, 1), word(&data.k, 1);
  if (!file)
    return false;
  for (auto *array : {&data.a, &data.b}) {
    array->resize(size_t(data.rows) * data.k);
    word(array->data(), array->size());
  }
  for (auto *array : {&data.c, &data.d}) {
    array->resize(data.rows);
    word(array->data(), array->size());
  }
  return static_cast<bool>(file);
}

bool unpack() {
  if (std::string(MSA_TENSOR_CORE_DATA).empty() || std::string(MSA_PYTHON).empty())
    return false;
  std::string command =
      "'" MSA_PYTHON "' '" MSA_NPZ_SCRIPT "' '" MSA_TENSOR_CORE_DATA "' '" MSA_RAW_DIR "'";
  return std::system(command.c_str()) == 0;
}

} // namespace

TEST_CASE("exact mode returns what H100 and B200 returned") {
  if (!unpack()) {
    WARN("SKIPPED: recorded tensor-core outputs (-DMSA_TENSOR_CORE_DATA=DIR) or python3 with numpy "
         "not found");
    return;
  }
  struct Row {
    const char *name;
    SmallFloat type;
  };
  constexpr Row types[] = {{"bf16", SmallFloat::BF16},
                           {"f16", SmallFloat::F16},
                           {"tf32", SmallFloat::TF32},
                           {"e4m3", SmallFloat::E4M3},
                           {"e5m2", SmallFloat::E5M2}};
  for (int sm : {90, 100})
    for (const Row &row : types) {
      Recorded data;
      std::string name = "sm_" + std::to_string(sm) + "_" + row.name;
      REQUIRE(load(MSA_RAW_DIR "/" + name + ".raw", data));
      REQUIRE(data.rows >= 1000);
      ExactRule rule =
          exactRule(sm, TensorUnit::WarpMma, row.type, row.type, static_cast<int>(data.k), false);
      // The recorded Hopper FP8 sums leave C out (the data's README).
      bool withoutAddend = sm == 90 && widthOf(row.type) == 8;
      size_t wrong = 0;
      for (uint32_t i = 0; i < data.rows; ++i) {
        float d = withoutAddend ? 0 : data.c[i];
        gemmExact(rule, {1, 1, static_cast<int>(data.k)}, &data.a[size_t(i) * data.k],
                  &data.b[size_t(i) * data.k], &d);
        wrong += bitsOf(d) != bitsOf(data.d[i]);
      }
      CAPTURE(name, data.rows, data.k);
      CHECK(wrong == 0);
    }
}

//===- GenerateValues.cpp - the contents of generated tensors -------------===//
#include "verify/GenerateValues.h"

#include "verify/Formats.h"
#include "verify/Reference.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace msa::verify {
namespace {

constexpr size_t sampleCount = 1 << 14;

/// How many units a value of 1 is in a type whose own range matters (the FP32 scale is 1 / that).
double unitsOf(DType type, const ValueKind &kind) {
  if (!kind.scaled)
    return 1;
  if (type == DType::E4M3)
    return 32; // 448 is 14 standard deviations
  if (type == DType::NVFP4 && kind.saturating && !kind.smallIntegers)
    return 512;
  return 1;
}

uint32_t encodeAs(DType type, double value) {
  switch (type) {
  case DType::BF16:
    return encodeBf16(value);
  case DType::F16:
    return encodeF16(value);
  case DType::F32:
    return encodeF32(value);
  case DType::E4M3:
    return encodeE4m3(value);
  case DType::NVFP4:
  case DType::MXFP4:
    break;
  }
  return encodeE2m1(value);
}

/// Block scales: around 1 (both types), or up to 448 (NVFP4, saturating).
std::vector<uint8_t> scaleBytes(DType type, const ValueKind &kind) {
  if (type == DType::MXFP4)
    return kind.smallIntegers ? std::vector<uint8_t>{127}
                              : std::vector<uint8_t>{125, 126, 127, 127, 128};
  if (kind.smallIntegers)
    return {0x38}; // 1
  if (kind.saturating && kind.scaled)
    return {encodeE4m3(448), encodeE4m3(208), encodeE4m3(112), encodeE4m3(60)};
  return {encodeE4m3(0.5), encodeE4m3(0.8125), encodeE4m3(1), encodeE4m3(1.25),
          encodeE4m3(0.013671875)};
}

} // namespace

RowFiller::RowFiller(DType type, int lastAxis, const ValueKind &kind, Random &rng)
    : type(type), rng(rng) {
  double units = unitsOf(type, kind);
  unitScale = kind.scale / units;
  bool fourBit = bitsOf(type) == 4;
  // 4-bit elements reach 6, so their block scales carry the rest.
  double deviation = fourBit ? 2.0 : type == DType::E4M3 && kind.scaled ? units : kind.scale;
  auto sample = [&] {
    double v = kind.smallIntegers ? rng.pick({-1.0, -0.0, 0.0, 1.0}) : rng.normal();
    return encodeAs(type, kind.smallIntegers && fourBit ? v : v * deviation);
  };
  samples.resize(sampleCount);
  for (uint32_t &s : samples)
    s = fourBit ? (sample() | sample() << 4) : sample();
  if (fourBit)
    scaleSamples = scaleBytes(type, kind);
}

void RowFiller::fill(Tensor &tensor, Tensor *blockScale, int64_t row) {
  int64_t n = elementsPerRow(tensor);
  uint64_t bits = 0;
  for (int64_t i = 0; i < n; ++i, bits >>= 14) {
    if (i % 4 == 0)
      bits = rng.next();
    uint32_t s = samples[bits & (sampleCount - 1)];
    if (tensor.element == Element::U16)
      tensor.as<uint16_t>()[row * n + i] = static_cast<uint16_t>(s);
    else if (tensor.element == Element::U8)
      tensor.bytes[row * n + i] = static_cast<uint8_t>(s);
    else
      tensor.as<uint32_t>()[row * n + i] = s;
  }
  if (!blockScale)
    return;
  int64_t groups = blockScale->shape.back();
  for (int64_t i = 0; i < groups; ++i)
    blockScale->bytes[row * groups + i] =
        scaleSamples[static_cast<size_t>(rng.below(static_cast<int64_t>(scaleSamples.size())))];
}

uint32_t RowFiller::nanBits(bool second) const {
  switch (type) {
  case DType::BF16:
    return second ? 0xFFFF : 0x7FC0;
  case DType::F16:
    return second ? 0xFFFF : 0x7E00;
  case DType::F32:
    return second ? 0xFFFFFFFF : 0x7FC00000;
  case DType::E4M3:
  case DType::NVFP4:
    return second ? 0xFF : 0x7F;
  case DType::MXFP4:
    break;
  }
  return 0xFF;
}

void RowFiller::fillNan(Tensor &tensor, Tensor *blockScale, int64_t row, bool everywhere) {
  Tensor &target = blockScale ? *blockScale : tensor;
  int64_t n = target.shape.back(), only = rng.below(n);
  for (int64_t i = 0; i < n; ++i) {
    if (!everywhere && i != only)
      continue;
    uint32_t bits = nanBits(i % 2);
    if (target.element == Element::U16)
      target.as<uint16_t>()[row * n + i] = static_cast<uint16_t>(bits);
    else if (target.element == Element::U8)
      target.bytes[row * n + i] = static_cast<uint8_t>(bits);
    else
      target.as<uint32_t>()[row * n + i] = bits;
  }
}

void RowFiller::poison(Tensor &tensor, Tensor &blockScale) const {
  int64_t n = tensor.count();
  if (tensor.element == Element::U16)
    for (int64_t i = 0; i < n; ++i)
      tensor.as<uint16_t>()[i] = static_cast<uint16_t>(nanBits(i % 2));
  else if (tensor.element == Element::F32)
    for (int64_t i = 0; i < n; ++i)
      tensor.as<uint32_t>()[i] = nanBits(i % 2);
  else
    std::fill(tensor.bytes.begin(), tensor.bytes.end(), uint8_t(0xFF));
  for (size_t i = 0; i < blockScale.bytes.size(); ++i)
    blockScale.bytes[i] = static_cast<uint8_t>(nanBits(i % 2));
}

void makeScores(Case &c, const TensorSpec &spec, bool special, Random &rng) {
  Tensor scores(Element::F32, spec.shape);
  float *out = scores.as<float>();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::bit_cast<float>(0x7FC00000u),
              negativeNan = std::bit_cast<float>(0xFFC00123u);
  const float poison = std::bit_cast<float>(poisonF32);
  for (int64_t h = 0; h < spec.shape[0]; ++h)
    for (int64_t t = 0; t < c.batch.tokens(); ++t) {
      // A row is ordinary, or made of few values, or of special ones.
      int64_t kind = special ? rng.below(4) : 0;
      bool tempting = rng.chance(0.5);
      for (int64_t b = 0; b < c.batch.maxBlocks; ++b) {
        float &cell = out[(h * c.batch.tokens() + t) * c.batch.maxBlocks + b];
        if (b >= c.batch.localBlock(t))
          std::memcpy(&cell, tempting ? &infinity : &poison, sizeof cell);
        else if (kind == 0)
          cell = static_cast<float>(rng.normal() * 10);
        else if (kind == 1)
          cell = rng.pick({-1.0f, -0.0f, 0.0f, 1.0f});
        else if (kind == 2)
          cell = rng.pick({1e-45f, -1e-45f, 1e-40f, -1e-40f, 0.0f, -0.0f, 1.17549435e-38f});
        else {
          float value =
              rng.pick({nan, negativeNan, infinity, -infinity, 3e38f, -3e38f, 0.0f, -0.0f, 1.0f});
          std::memcpy(&cell, &value, sizeof cell);
        }
      }
    }
  c.tensors["scores"] = std::move(scores);
}

namespace {

/// `count` distinct blocks of [0, visible) in random order.
std::vector<int32_t> distinctBlocks(int64_t visible, int64_t count, Random &rng) {
  std::vector<int32_t> ids;
  if (visible <= 4 * count) {
    ids.resize(visible);
    for (int64_t b = 0; b < visible; ++b)
      ids[b] = static_cast<int32_t>(b);
    rng.shuffle(ids);
    ids.resize(count);
    return ids;
  }
  while (static_cast<int64_t>(ids.size()) < count) {
    auto b = static_cast<int32_t>(rng.below(visible));
    if (std::find(ids.begin(), ids.end(), b) == ids.end())
      ids.push_back(b);
  }
  return ids;
}

/// Puts contract errors (A1) in places of the row; valid ids keep their order.
void addInvalid(std::vector<int32_t> &ids, int64_t local, Random &rng) {
  for (int64_t i = rng.between(1, 2); i > 0; --i) {
    auto beyond = static_cast<int32_t>(local + rng.between(1, 3));
    int32_t id = rng.pick<int32_t>({-1, -2, -2147483647, beyond, 0x7FFFFFFF});
    ids.insert(ids.begin() + rng.below(static_cast<int64_t>(ids.size()) + 1), id);
  }
}

} // namespace

void makeSelection(Case &c, const TensorSpec &spec, bool repeated, bool invalid, Random &rng) {
  const Plan &plan = c.plan;
  Tensor selection(Element::I32, spec.shape);
  for (int64_t h = 0; h < plan.heads.index; ++h)
    for (int64_t t = 0; t < c.batch.tokens(); ++t) {
      int64_t local = c.batch.localBlock(t), most = std::min<int64_t>(plan.topk, local + 1);
      // Mostly full lists, as a selection makes them; sometimes short or empty ones.
      int64_t count = rng.chance(0.75) ? most : rng.between(0, most);
      std::vector<int32_t> ids = distinctBlocks(local + 1, count, rng);
      if (repeated && !ids.empty() && rng.chance(0.5))
        ids.insert(ids.begin() + rng.below(static_cast<int64_t>(ids.size()) + 1),
                   ids[static_cast<size_t>(rng.below(static_cast<int64_t>(ids.size())))]);
      if (invalid && rng.chance(0.5))
        addInvalid(ids, local, rng);
      ids.resize(plan.topk, -1);
      std::copy(ids.begin(), ids.end(),
                selection.as<int32_t>() + selectionRow(plan, c.batch.tokens(), h, t));
    }
  c.tensors["selection"] = std::move(selection);
}

void makePartials(Case &c, const TensorSpec &spec, uint64_t seed) {
  const Plan &plan = c.plan;
  const int64_t heads = plan.heads.kv, k = plan.topk, gqa = plan.gqa();
  bool lse = spec.name == "partial_lse";
  const int64_t width = lse ? 1 : plan.headDim;
  Tensor tensor(spec.element, spec.shape);
  tensor.poison();
  const int32_t *selection = c.tensors.at("selection").as<int32_t>();
  Random rng(seed + lse);
  for (int64_t t = 0; t < c.batch.tokens(); ++t)
    for (int64_t h = 0; h < heads; ++h) {
      auto used =
          static_cast<int64_t>(validBlocks(selection + selectionRow(plan, c.batch.tokens(), h, t),
                                           plan.topk, c.batch.localBlock(t))
                                   .size());
      for (int64_t i = 0; i < used * gqa * width; ++i) {
        int64_t at = ((t * heads + h) * k * gqa) * width + i;
        double value = rng.normal();
        if (lse) // A4: a used slot's LSE may be -inf
          value = rng.chance(0.05) ? -std::numeric_limits<double>::infinity() : value * 3;
        if (tensor.element == Element::U16)
          tensor.as<uint16_t>()[at] = encodeBf16(value);
        else
          tensor.as<uint32_t>()[at] = encodeF32(value);
      }
    }
  c.tensors[spec.name] = std::move(tensor);
}

} // namespace msa::verify

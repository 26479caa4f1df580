//===- Operand.cpp - rows of a tensor as the products see them ------------===//
#include "verify/Operand.h"

#include "verify/Formats.h"

namespace msa::verify {
namespace {

/// Clauses N3 and N5: E2M1 times its block scale, through E4M3 when the partner is E4M3.
std::vector<double> fourBitTable(DType type, DType partner) {
  std::vector<double> table(256 * 16);
  for (int scale = 0; scale < 256; ++scale) {
    auto byte = static_cast<uint8_t>(scale);
    double factor = type == DType::NVFP4 ? decodeE4m3(byte) : decodeUe8m0(byte);
    for (int nibble = 0; nibble < 16; ++nibble) {
      double value = decodeE2m1(static_cast<uint8_t>(nibble)) * factor;
      table[scale * 16 + nibble] = partner == DType::E4M3 ? roundE4m3(value) : value;
    }
  }
  return table;
}

} // namespace

Operand::Operand(const Case &c, const std::string &name, DType type, int dim, DType partner)
    : type(type), dim(dim), tensor(c.tensors.at(name)), blockScale(nullptr) {
  if (const Tensor *t = c.find(name + "_scale"); t && (type == DType::E4M3 || type == DType::NVFP4))
    scales.assign(t->as<float>(), t->as<float>() + t->count());
  if (type == DType::E4M3) {
    table.resize(256);
    for (int byte = 0; byte < 256; ++byte)
      table[byte] = decodeE4m3(static_cast<uint8_t>(byte));
  }
  if (bitsOf(type) != 4)
    return;
  blockScale = c.find(name + "_block_scale");
  table = fourBitTable(type, partner);
  unitScale = type == DType::NVFP4 ? 0x38 : 127;
}

void Operand::decode(int64_t row, double *out) const {
  switch (type) {
  case DType::BF16:
    for (int d = 0; d < dim; ++d)
      out[d] = decodeBf16(tensor.as<uint16_t>()[row * dim + d]);
    return;
  case DType::F16:
    for (int d = 0; d < dim; ++d)
      out[d] = decodeF16(tensor.as<uint16_t>()[row * dim + d]);
    return;
  case DType::F32:
    for (int d = 0; d < dim; ++d)
      out[d] = tensor.as<float>()[row * dim + d];
    return;
  case DType::E4M3:
    for (int d = 0; d < dim; ++d)
      out[d] = table[tensor.bytes[row * dim + d]];
    return;
  case DType::NVFP4:
  case DType::MXFP4:
    break;
  }
  int group = scaleBlockOf(type);
  const uint8_t *packed = tensor.bytes.data() + row * (dim / 2);
  for (int d = 0; d < dim; d += group) {
    uint8_t byte = blockScale ? blockScale->bytes[row * (dim / group) + d / group] : unitScale;
    const double *values = table.data() + size_t(byte) * 16;
    for (int i = d; i < d + group; i += 2) {
      out[i] = values[packed[i / 2] & 15];
      out[i + 1] = values[packed[i / 2] >> 4];
    }
  }
}

} // namespace msa::verify

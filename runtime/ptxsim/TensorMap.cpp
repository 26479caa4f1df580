#include "ptxsim/TensorMap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace msa::ptxsim {

unsigned bitsOf(TensorType type) {
  switch (type) {
  case TensorType::U4Align8:
  case TensorType::U4Align16:
    return 4;
  case TensorType::U6Align16:
    return 6;
  case TensorType::U8:
    return 8;
  case TensorType::U16:
  case TensorType::F16:
  case TensorType::BF16:
    return 16;
  case TensorType::U64:
  case TensorType::S64:
  case TensorType::F64:
    return 64;
  default:
    return 32;
  }
}

bool isPadded(TensorType type) {
  return type == TensorType::U4Align16 || type == TensorType::U6Align16;
}

uint32_t boxCount(const TensorMap &map, unsigned d) {
  return (map.box[d] + map.elementStrides[d] - 1) / map.elementStrides[d];
}

uint32_t innerBytes(const TensorMap &map) {
  return isPadded(map.type) ? boxCount(map, 0) : boxCount(map, 0) * bitsOf(map.type) / 8;
}

uint32_t spanOf(Swizzle swizzle) {
  switch (swizzle) {
  case Swizzle::None:
    return 0;
  case Swizzle::B32:
    return 32;
  case Swizzle::B64:
    return 64;
  default:
    return 128;
  }
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

Status checkTensorMap(const TensorMap &map, std::string_view path) {
  auto wrong = [&](std::string text) { return Status::invalid(fmt::format("{}.{}", path, text)); };
  const unsigned bits = bitsOf(map.type);
  const bool padded = isPadded(map.type);
  const uint64_t multiple = padded ? 32 : 16;
  if (map.rank < 1 || map.rank > 5)
    return wrong(fmt::format("shape has {} dimensions; accepted: 1 to 5", map.rank));
  if (map.address % multiple)
    return wrong(
        fmt::format("address is 0x{:x}; accepted: a multiple of {}", map.address, multiple));
  for (unsigned d = 0; d < map.rank; ++d) {
    if (map.dims[d] < 1 || map.dims[d] > (uint64_t{1} << 32))
      return wrong(fmt::format("shape[{}] is {}; accepted: 1 to 2^32", d, map.dims[d]));
    if (map.box[d] < 1 || map.box[d] > 256)
      return wrong(fmt::format("box[{}] is {}; accepted: 1 to 256", d, map.box[d]));
    if (map.elementStrides[d] < 1 || map.elementStrides[d] > 8)
      return wrong(
          fmt::format("element_strides[{}] is {}; accepted: 1 to 8", d, map.elementStrides[d]));
    if (d > 0 && (map.strides[d - 1] % multiple || map.strides[d - 1] >= (uint64_t{1} << 40)))
      return wrong(fmt::format("strides_bytes[{}] is {}; accepted: a multiple of {} below 2^40",
                               d - 1, map.strides[d - 1], multiple));
  }
  uint64_t dimMultiple = padded ? 128 : bits == 4 ? 2 : 1;
  if (map.dims[0] % dimMultiple)
    return wrong(fmt::format("shape[0] is {}; accepted for this type: a multiple of {}",
                             map.dims[0], dimMultiple));
  if (padded && map.box[0] != 128)
    return wrong(fmt::format("box[0] is {}; accepted for this type: 128", map.box[0]));
  uint32_t inner = innerBytes(map);
  if (inner % 16 || inner == 0)
    return wrong(fmt::format("box[0] takes {} bytes; accepted: a multiple of 16", inner));
  if (spanOf(map.swizzle) && inner > spanOf(map.swizzle))
    return wrong(fmt::format("box[0] takes {} bytes; accepted with this swizzle: at most {}", inner,
                             spanOf(map.swizzle)));
  if (padded && map.swizzle != Swizzle::None && map.swizzle != Swizzle::B128 &&
      map.swizzle != Swizzle::B128Atom32)
    return wrong("swizzle: accepted for this type: none, 128B, 128B_atom_32B");
  return {};
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

namespace {

constexpr uint32_t magic = 0x504D534D; // "MSMP"

/// The fields in their places.
struct Packed {
  uint32_t magic;
  uint8_t version, type, rank, swizzle, fillsNan, reserved[7];
  uint64_t address;
  uint64_t strides[4];
  uint32_t lastIndex[5]; ///< dimension - 1: 2^32 fits
  uint32_t box[5];
  uint8_t elementStrides[5];
  uint8_t tail[23];
  uint32_t checksum;
};
static_assert(sizeof(Packed) == 128);

uint32_t checksumOf(const uint8_t *bytes, size_t count) {
  uint32_t hash = 2166136261u; // FNV-1a
  for (size_t i = 0; i < count; ++i)
    hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

} // namespace

TensorMapBytes encodeTensorMap(const TensorMap &map) {
  Packed p = {};
  p.magic = magic;
  p.version = 1;
  p.type = static_cast<uint8_t>(map.type);
  p.rank = map.rank;
  p.swizzle = static_cast<uint8_t>(map.swizzle);
  p.fillsNan = map.fillsNan;
  p.address = map.address;
  for (unsigned d = 0; d < 5; ++d) {
    if (d < 4)
      p.strides[d] = map.strides[d];
    p.lastIndex[d] = static_cast<uint32_t>(map.dims[d] - 1);
    p.box[d] = map.box[d];
    p.elementStrides[d] = static_cast<uint8_t>(map.elementStrides[d]);
  }
  TensorMapBytes bytes;
  std::memcpy(bytes.data(), &p, sizeof(p));
  p.checksum = checksumOf(bytes.data(), offsetof(Packed, checksum));
  std::memcpy(bytes.data(), &p, sizeof(p));
  return bytes;
}

bool decodeTensorMap(const uint8_t *bytes, TensorMap &map) {
  Packed p;
  std::memcpy(&p, bytes, sizeof(p));
  if (p.magic != magic || p.version != 1 ||
      p.checksum != checksumOf(bytes, offsetof(Packed, checksum)))
    return false;
  map = TensorMap();
  map.type = static_cast<TensorType>(p.type & 15);
  map.rank = std::clamp<uint8_t>(p.rank, 1, 5);
  map.swizzle = static_cast<Swizzle>(std::min<uint8_t>(p.swizzle, 6));
  map.fillsNan = p.fillsNan;
  map.address = p.address;
  for (unsigned d = 0; d < 5; ++d) {
    if (d < 4)
      map.strides[d] = p.strides[d];
    map.dims[d] = uint64_t{p.lastIndex[d]} + 1;
    map.box[d] = std::clamp(p.box[d], 1u, 256u);
    map.elementStrides[d] = std::clamp<uint32_t>(p.elementStrides[d], 1, 8);
  }
  return true;
}

} // namespace msa::ptxsim

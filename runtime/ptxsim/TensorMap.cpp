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

bool isFloating(TensorType type) { return type >= TensorType::F16 && type <= TensorType::TF32Ftz; }

uint32_t boxCount(const TensorMap &map, unsigned d) {
  // Without interleave the innermost dimension is never strided (driver manual, elementStrides).
  return d == 0 ? map.box[0] : (map.box[d] + map.elementStrides[d] - 1) / map.elementStrides[d];
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
      map.swizzle != Swizzle::B128Atom32 &&
      !(map.type == TensorType::U6Align16 && map.swizzle == Swizzle::B128Atom64))
    return wrong(fmt::format("swizzle: accepted for this type: none, 128B, 128B_atom_32B{}",
                             map.type == TensorType::U6Align16 ? ", 128B_atom_64B" : ""));
  if (map.fillsNan && !isFloating(map.type))
    return wrong("oob_fill is nan; accepted for types that are not floating-point: zero");
  return {};
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

namespace {

constexpr uint32_t magic = 0x504D534D; // "MSMP"

/// The fields in their places. Swizzle mode, atomicity and interleave are kept as
/// tensormap.replace writes them: one after the other, so that a combination may be wrong for a
/// while.
struct Packed {
  uint32_t magic;
  uint8_t version, type, rank, swizzleMode, swizzleAtomicity, interleave, fillsNan, reserved[5];
  uint64_t address;
  uint64_t strides[4];
  uint32_t lastIndex[5]; ///< dimension - 1: 2^32 fits
  uint32_t box[5];
  uint32_t elementStrides[5];
  uint8_t tail[8];
  uint32_t checksum;
};
static_assert(sizeof(Packed) == 128 && offsetof(Packed, checksum) == 120 + 4);

uint32_t checksumOf(const uint8_t *bytes, size_t count) {
  uint32_t hash = 2166136261u; // FNV-1a
  for (size_t i = 0; i < count; ++i)
    hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

void seal(Packed &p, uint8_t *bytes) {
  std::memcpy(bytes, &p, sizeof(p));
  p.checksum = checksumOf(bytes, offsetof(Packed, checksum));
  std::memcpy(bytes, &p, sizeof(p));
}

bool unseal(const uint8_t *bytes, Packed &p) {
  std::memcpy(&p, bytes, sizeof(p));
  return p.magic == magic && p.version == 1 &&
         p.checksum == checksumOf(bytes, offsetof(Packed, checksum));
}

uint8_t modeOf(Swizzle s) { return s <= Swizzle::B128 ? static_cast<uint8_t>(s) : 3; }
uint8_t atomicityOf(Swizzle s) {
  return s <= Swizzle::B128
             ? 0
             : static_cast<uint8_t>(static_cast<uint8_t>(s) - static_cast<uint8_t>(Swizzle::B128));
}

/// The swizzle of a mode and an atomicity (PTX ISA 5.5.7, table 14); false if they do not go
/// together, or the mode is 96B.
bool combineSwizzle(unsigned mode, unsigned atomicity, Swizzle &result) {
  if (mode > 3 || atomicity > 3 || (mode < 3 && atomicity != 0))
    return false;
  result = static_cast<Swizzle>(mode + atomicity);
  return true;
}

TensorMap unpack(const Packed &p) {
  TensorMap map;
  map.type = static_cast<TensorType>(p.type & 15);
  map.rank = p.rank;
  if (!combineSwizzle(p.swizzleMode, p.swizzleAtomicity, map.swizzle))
    map.swizzle = Swizzle::None;
  map.fillsNan = p.fillsNan;
  map.address = p.address;
  for (unsigned d = 0; d < 5; ++d) {
    if (d < 4)
      map.strides[d] = p.strides[d];
    map.dims[d] = uint64_t{p.lastIndex[d]} + 1;
    map.box[d] = p.box[d];
    map.elementStrides[d] = p.elementStrides[d];
  }
  return map;
}

} // namespace

TensorMapBytes encodeTensorMap(const TensorMap &map) {
  Packed p = {};
  p.magic = magic;
  p.version = 1;
  p.type = static_cast<uint8_t>(map.type);
  p.rank = map.rank;
  p.swizzleMode = modeOf(map.swizzle);
  p.swizzleAtomicity = atomicityOf(map.swizzle);
  p.fillsNan = map.fillsNan;
  p.address = map.address;
  for (unsigned d = 0; d < 5; ++d) {
    if (d < 4)
      p.strides[d] = map.strides[d];
    p.lastIndex[d] = static_cast<uint32_t>(map.dims[d] - 1);
    p.box[d] = map.box[d];
    p.elementStrides[d] = map.elementStrides[d];
  }
  TensorMapBytes bytes;
  seal(p, bytes.data());
  return bytes;
}

bool decodeTensorMap(const uint8_t *bytes, TensorMap &map) {
  Packed p;
  if (!unseal(bytes, p))
    return false;
  map = unpack(p);
  map.rank = std::clamp<uint8_t>(map.rank, 1, 5);
  for (unsigned d = 0; d < 5; ++d) {
    map.box[d] = std::clamp(map.box[d], 1u, 256u);
    map.elementStrides[d] = std::clamp(map.elementStrides[d], 1u, 8u);
  }
  return true;
}

Status openTensorMap(const uint8_t *bytes, TensorMap &map) {
  Packed p;
  if (!unseal(bytes, p))
    return Status::invalid("the 128 bytes are no tensor map, or a torn copy of one");
  if (p.interleave != 0)
    return Status::missing("tensor map.interleave is 16B or 32B, which the simulator does not run "
                           "(public text does not say where its slices lie); accepted: none");
  if (p.swizzleMode == 4)
    return Status::missing("tensor map.swizzle is 96B, which the simulator does not run");
  Swizzle swizzle;
  if (!combineSwizzle(p.swizzleMode, p.swizzleAtomicity, swizzle))
    return Status::invalid(fmt::format(
        "tensor map.swizzle: mode {} with atomicity {}; atoms other than 16 bytes (0) need the "
        "128-byte mode (3)",
        p.swizzleMode, p.swizzleAtomicity));
  map = unpack(p);
  return checkTensorMap(map, "tensor map");
}

std::string_view toString(TensorMapField field) {
  constexpr std::string_view names[] = {
      "global_address", "rank",     "box_dim",           "global_dim",   "global_stride",
      "element_stride", "elemtype", "interleave_layout", "swizzle_mode", "swizzle_atomicity",
      "fill_mode"};
  return names[static_cast<unsigned>(field)];
}

Status replaceInTensorMap(uint8_t *bytes, TensorMapField field, unsigned ordinal, uint64_t value) {
  using F = TensorMapField;
  Packed p;
  // Compilers that build maps on the device start from 128 zero bytes (Triton).
  if (std::all_of(bytes, bytes + sizeof(p), [](uint8_t b) { return b == 0; }))
    std::memcpy(&p, encodeTensorMap(TensorMap()).data(), sizeof(p));
  else if (!unseal(bytes, p))
    return Status::invalid("the 128 bytes are no tensor map, or a torn copy of one");
  auto limit = [&](uint64_t most) {
    return value <= most ? Status()
                         : Status::invalid(fmt::format("{} cannot be {}; accepted: 0 to {}",
                                                       toString(field), value, most));
  };
  const unsigned ordinals = field == F::GlobalStride ? 4 : 5;
  if (ordinal >= ordinals)
    return Status::invalid(fmt::format("{} has no ordinal {}; accepted: 0 to {}", toString(field),
                                       ordinal, ordinals - 1));
  // Other values, and how they go together, are judged when the map is used.
  auto small = static_cast<uint8_t>(value);
  auto word = static_cast<uint32_t>(value);
  switch (field) {
  case F::Address:
    p.address = value;
    break;
  case F::Rank:
    MSA_RETURN_IF_ERROR(limit(4));
    p.rank = small + 1;
    break;
  case F::BoxDim:
    p.box[ordinal] = word;
    break;
  case F::GlobalDim:
    p.lastIndex[ordinal] = word - 1;
    break;
  case F::GlobalStride:
    p.strides[ordinal] = value;
    break;
  case F::ElementStride:
    p.elementStrides[ordinal] = word;
    break;
  case F::ElemType:
    MSA_RETURN_IF_ERROR(limit(15));
    p.type = small;
    break;
  case F::Interleave:
    MSA_RETURN_IF_ERROR(limit(2));
    p.interleave = small;
    break;
  case F::SwizzleMode:
    MSA_RETURN_IF_ERROR(limit(4));
    p.swizzleMode = small;
    break;
  case F::SwizzleAtomicity:
    MSA_RETURN_IF_ERROR(limit(3));
    p.swizzleAtomicity = small;
    break;
  case F::FillMode:
    MSA_RETURN_IF_ERROR(limit(1));
    p.fillsNan = small;
    break;
  }
  seal(p, bytes);
  return {};
}

} // namespace msa::ptxsim

//===- TensorBox.cpp - rows of a box, inside and outside of the tensor ------------------------===//
#include "ptxsim/engine/TensorBox.h"

#include <algorithm>
#include <cstring>

namespace msa::ptxsim {

bool TensorBox::measure() {
  rowBytes = innerBytes(map);
  uint64_t count = gathers ? 4 : 1; // below 2^32: at most four dimensions of 256
  for (unsigned d = 1; d < map.rank && !gathers; ++d)
    count *= boxCount(map, d);
  constexpr uint64_t mostBytes = 1 << 24; // far above any shared memory
  rows = static_cast<uint32_t>(std::min(count, mostBytes));
  return count * rowBytes <= mostBytes;
}

uint32_t TensorBox::countedBytes() const {
  return isPadded(map.type) ? rows * boxCount(map, 0) * bitsOf(map.type) / 8 : bytes();
}

namespace {

/// The row of the tensor that row `index` of the box is: its byte offset from the tensor's address,
/// or false if it is outside in an outer dimension.
bool rowOffset(const TensorBox &box, uint32_t index, uint64_t &offset) {
  offset = 0;
  if (box.gathers) {
    int64_t row = box.at[1 + index];
    offset = static_cast<uint64_t>(row) * box.map.strides[0];
    return row >= 0 && static_cast<uint64_t>(row) < box.map.dims[1];
  }
  for (unsigned d = 1; d < box.map.rank; ++d) {
    uint32_t count = boxCount(box.map, d);
    int64_t c = box.at[d] + int64_t{index % count} * box.map.elementStrides[d];
    index /= count;
    if (c < 0 || static_cast<uint64_t>(c) >= box.map.dims[d])
      return false;
    offset += static_cast<uint64_t>(c) * box.map.strides[d - 1];
  }
  return true;
}

/// A run of elements of a row that lie inside of the tensor.
struct Run {
  uint32_t first = 0, count = 0; ///< elements of the box's row
  uint64_t global = 0;           ///< byte offset of the first one in the tensor's row
};

Run runOf(const TensorBox &box) {
  const TensorMap &map = box.map;
  const int64_t start = box.at[0];
  const int64_t count = boxCount(map, 0), size = static_cast<int64_t>(map.dims[0]);
  int64_t first = std::max<int64_t>(-start, 0);
  int64_t end = std::min(count, size - start);
  Run run;
  if (first >= end)
    return run;
  run.first = static_cast<uint32_t>(first);
  run.count = static_cast<uint32_t>(end - first);
  run.global = static_cast<uint64_t>(start + first) * bitsOf(map.type) / 8;
  return run;
}

/// Not-a-number for elements outside of the tensor.
void fillNan(const TensorBox &box, Payload &payload) {
  unsigned bytes = bitsOf(box.map.type) / 8;
  for (size_t i = 0; i + bytes <= payload.size(); i += bytes) {
    std::memset(&payload.bytes[i], 0xFF, bytes);
    payload.bytes[i + bytes - 1] = 0x7F;
  }
}

/// Packed 4- or 6-bit elements of a row into 16-byte groups: data, then padding that stays
/// uninitialised (PTX ISA 5.5.1.1.1, .b4x16_p64 and .b6x16_p32).
void spreadPadded(const TensorBox &box, const Payload &packed, Payload &to, size_t at) {
  const uint32_t data = 16 * bitsOf(box.map.type) / 8;
  for (uint32_t group = 0; group * 16 < box.rowBytes; ++group) {
    std::memcpy(&to.bytes[at + group * 16], &packed.bytes[group * data], data);
    std::memcpy(&to.initialised[at + group * 16], &packed.initialised[group * data], data);
    std::memset(&to.initialised[at + group * 16 + data], 0, 16 - data);
  }
}

/// The other way, for 6-bit elements only (.b6p2x16): the low six bits of each byte, packed.
void packSixBits(const TensorBox &box, const Payload &from, size_t at, Payload &packed) {
  packed.resize(box.rowBytes * 6 / 8);
  for (uint32_t i = 0; i < box.rowBytes; i += 4) {
    uint32_t bits = 0, initialised = 1;
    for (uint32_t j = 0; j < 4; ++j) {
      bits |= (from.bytes[at + i + j] & 0x3Fu) << (6 * j);
      initialised &= from.initialised[at + i + j];
    }
    std::memcpy(&packed.bytes[i / 4 * 3], &bits, 3);
    std::memset(&packed.initialised[i / 4 * 3], static_cast<int>(initialised), 3);
  }
}

void flushSubnormals(const TensorBox &box, Payload &payload) {
  if (box.map.type != TensorType::F32Ftz && box.map.type != TensorType::TF32Ftz)
    return;
  for (size_t i = 0; i + 4 <= payload.size(); i += 4) {
    uint32_t bits;
    std::memcpy(&bits, &payload.bytes[i], 4);
    if ((bits & 0x7F800000) == 0) {
      bits &= 0x80000000;
      std::memcpy(&payload.bytes[i], &bits, 4);
    }
  }
}

Flow placeOf(const Origin &origin, const TensorBox &box, uint64_t offset, uint32_t bytes,
             GlobalPlace &place) {
  return resolveGlobal(origin, box.map.address + offset, bytes, Check::M4,
                       "coordinates inside of the tensor map, but", place);
}

} // namespace

uint64_t insideBytes(const TensorBox &box) {
  uint64_t rows = 0, offset;
  for (uint32_t r = 0; r < box.rows; ++r)
    rows += rowOffset(box, r, offset);
  return rows * runOf(box).count * bitsOf(box.map.type) / 8;
}

Flow readBox(const Origin &origin, const TensorBox &box, Payload &payload) {
  payload.resize(box.bytes());
  if (box.map.fillsNan)
    fillNan(box, payload);
  const Run run = runOf(box);
  const unsigned bits = bitsOf(box.map.type);
  const bool padded = isPadded(box.map.type);
  Payload packed;
  for (uint32_t r = 0; r < box.rows; ++r) {
    uint64_t row;
    size_t at = size_t{r} * box.rowBytes;
    bool inside = rowOffset(box, r, row) && run.count != 0;
    if (padded)
      packed.resize(box.rowBytes * bits / 8);
    Payload &to = padded ? packed : payload;
    size_t start = (padded ? 0 : at) + run.first * bits / 8;
    if (inside) {
      const uint32_t bytes = run.count * bits / 8;
      GlobalPlace place;
      if (placeOf(origin, box, row + run.global, bytes, place) == Flow::Trap)
        return Flow::Trap;
      readGlobal(origin, place, bytes, to, start);
    }
    if (padded)
      spreadPadded(box, packed, payload, at);
  }
  flushSubnormals(box, payload);
  return Flow::Next;
}

Flow writeBox(const Origin &origin, const TensorBox &box, const Payload &payload,
              Reduction reduction, std::optional<ReductionType> type) {
  const Run run = runOf(box);
  const unsigned bits = bitsOf(box.map.type);
  const bool packs = isPadded(box.map.type);
  Payload packed;
  for (uint32_t r = 0; r < box.rows; ++r) {
    uint64_t row;
    if (!rowOffset(box, r, row) || run.count == 0)
      continue;
    const uint32_t bytes = run.count * bits / 8;
    size_t at = size_t{r} * box.rowBytes;
    if (packs)
      packSixBits(box, payload, at, packed);
    const Payload &from = packs ? packed : payload;
    at = (packs ? 0 : at) + run.first * bits / 8;
    GlobalPlace place;
    if (placeOf(origin, box, row + run.global, bytes, place) == Flow::Trap ||
        (type ? reduceGlobal(origin, place, bytes, from, at, reduction, *type)
              : writeGlobal(origin, place, bytes, from, at)) == Flow::Trap)
      return Flow::Trap;
  }
  return Flow::Next;
}

std::optional<ReductionType> reductionTypeOf(TensorType type, Reduction op) {
  const bool bitwise = op == Reduction::And || op == Reduction::Or || op == Reduction::Xor;
  const bool orders = op == Reduction::Min || op == Reduction::Max;
  switch (type) {
  case TensorType::U32:
    return bitwise ? ReductionType::B32 : ReductionType::U32;
  case TensorType::S32:
    if (bitwise)
      return ReductionType::B32;
    break;
  case TensorType::U64:
    if (bitwise)
      return ReductionType::B64;
    break;
  case TensorType::S64:
    return bitwise  ? std::optional(ReductionType::B64)
           : orders ? std::optional(ReductionType::S64)
                    : std::nullopt;
  case TensorType::F16:
  case TensorType::BF16:
    if (op != Reduction::Add && !orders)
      return std::nullopt;
    return type == TensorType::F16 ? ReductionType::F16 : ReductionType::BF16;
  case TensorType::F32:
  case TensorType::F32Ftz:
    return op == Reduction::Add ? std::optional(ReductionType::F32) : std::nullopt;
  default:
    return std::nullopt;
  }
  if (op != Reduction::Add && !orders)
    return std::nullopt;
  return type == TensorType::S32 ? ReductionType::S32 : ReductionType::U64;
}
} // namespace msa::ptxsim

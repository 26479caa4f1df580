#include "Reference.h"

#include <fmt/format.h>

#include <functional>

namespace msa::ptxsim::test {

namespace {

unsigned elementBits(TensorType t) {
  constexpr unsigned bits[] = {8, 16, 32, 32, 64, 64, 16, 32, 32, 64, 16, 32, 32, 4, 4, 6};
  return bits[static_cast<unsigned>(t)];
}

/// Bits that an element takes in shared memory.
unsigned sharedBits(TensorType t) {
  return t == TensorType::U4Align16 || t == TensorType::U6Align16 ? 8 : elementBits(t);
}

/// Position of a 16-byte cell among the eight of a 128-byte line, by line.
unsigned cellOf(Swizzle s, unsigned line, unsigned cell) {
  static constexpr unsigned b32[2][8] = {{0, 1, 2, 3, 4, 5, 6, 7}, {1, 0, 3, 2, 5, 4, 7, 6}};
  static constexpr unsigned b64[4][8] = {{0, 1, 2, 3, 4, 5, 6, 7},
                                         {1, 0, 3, 2, 5, 4, 7, 6},
                                         {2, 3, 0, 1, 6, 7, 4, 5},
                                         {3, 2, 1, 0, 7, 6, 5, 4}};
  static constexpr unsigned b128[8][8] = {{0, 1, 2, 3, 4, 5, 6, 7}, {1, 0, 3, 2, 5, 4, 7, 6},
                                          {2, 3, 0, 1, 6, 7, 4, 5}, {3, 2, 1, 0, 7, 6, 5, 4},
                                          {4, 5, 6, 7, 0, 1, 2, 3}, {5, 4, 7, 6, 1, 0, 3, 2},
                                          {6, 7, 4, 5, 2, 3, 0, 1}, {7, 6, 5, 4, 3, 2, 1, 0}};
  static constexpr unsigned atom32[4][8] = {{0, 1, 2, 3, 4, 5, 6, 7},
                                            {2, 3, 0, 1, 6, 7, 4, 5},
                                            {4, 5, 6, 7, 0, 1, 2, 3},
                                            {6, 7, 4, 5, 2, 3, 0, 1}};
  static constexpr unsigned atom64[2][8] = {{0, 1, 2, 3, 4, 5, 6, 7}, {4, 5, 6, 7, 0, 1, 2, 3}};
  switch (s) {
  case Swizzle::None:
    return cell;
  case Swizzle::B32:
    return b32[line % 2][cell];
  case Swizzle::B64:
    return b64[line % 4][cell];
  case Swizzle::B128:
    return b128[line % 8][cell];
  case Swizzle::B128Atom32:
  case Swizzle::B128Atom32Flip8:
    return atom32[line % 4][cell];
  case Swizzle::B128Atom64:
    return atom64[line % 2][cell];
  }
  return cell;
}

/// Where the byte at a linear place goes.
uint32_t placed(Swizzle s, uint32_t linear) {
  uint32_t line = linear / 128, cell = linear / 16 % 8, in = linear % 16;
  if (s == Swizzle::B128Atom32Flip8 && line % 2)
    in = (in + 8) % 16;
  return line * 128 + cellOf(s, line, cell) * 16 + in;
}

bool bitAt(const Bytes &bytes, uint64_t bit) { return (bytes[bit / 8] >> (bit % 8)) & 1; }

uint32_t countAlong(const TensorMap &m, unsigned d) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < m.box[d]; i += d ? m.elementStrides[d] : 1)
    ++count;
  return count;
}

/// Calls body(number of the element in the box, its bit in the tensor's buffer, or -1).
void eachElement(const Place &p, const std::function<void(uint32_t, int64_t)> &body) {
  const TensorMap &m = p.map;
  std::array<uint32_t, 5> n{1, 1, 1, 1, 1};
  for (unsigned d = 0; d < m.rank; ++d)
    n[d] = countAlong(m, d);
  uint32_t number = 0;
  for (uint32_t i4 = 0; i4 < n[4]; ++i4)
    for (uint32_t i3 = 0; i3 < n[3]; ++i3)
      for (uint32_t i2 = 0; i2 < n[2]; ++i2)
        for (uint32_t i1 = 0; i1 < n[1]; ++i1)
          for (uint32_t i0 = 0; i0 < n[0]; ++i0, ++number) {
            const std::array<uint32_t, 5> i{i0, i1, i2, i3, i4};
            int64_t bit = static_cast<int64_t>(m.address) * 8;
            bool inside = true;
            for (unsigned d = 0; d < m.rank; ++d) {
              int64_t c = p.at[d] + int64_t{i[d]} * (d ? m.elementStrides[d] : 1);
              inside = inside && c >= 0 && c < static_cast<int64_t>(m.dims[d]);
              bit += d ? c * static_cast<int64_t>(m.strides[d - 1]) * 8 : c * elementBits(m.type);
            }
            body(number, inside ? bit : -1);
          }
}

uint32_t elementCount(const Place &p) {
  uint32_t count = 1;
  for (unsigned d = 0; d < p.map.rank; ++d)
    count *= countAlong(p.map, d);
  return count;
}

/// First bit in shared memory of an element, before swizzling. Padded types hold sixteen elements
/// in 16 bytes, data first; a store of 6-bit elements has one in each byte.
uint64_t sharedBit(const Place &p, uint32_t number, bool loads) {
  if (sharedBits(p.map.type) == elementBits(p.map.type))
    return uint64_t{number} * elementBits(p.map.type);
  return loads ? uint64_t{number / 16} * 128 + number % 16 * elementBits(p.map.type)
               : uint64_t{number} * 8;
}

} // namespace

uint32_t sharedBytesOf(const Place &p) { return elementCount(p) * sharedBits(p.map.type) / 8; }
uint32_t countedBytesOf(const Place &p) { return elementCount(p) * elementBits(p.map.type) / 8; }

std::vector<std::optional<uint8_t>> loadBox(const Place &p, const Bytes &tensor,
                                            uint32_t tileBytes) {
  std::vector<std::optional<uint8_t>> tile(tileBytes);
  const unsigned bits = elementBits(p.map.type);
  const bool flushes = p.map.type == TensorType::F32Ftz || p.map.type == TensorType::TF32Ftz;
  eachElement(p, [&](uint32_t number, int64_t from) {
    bool subnormal = flushes && from >= 0;
    for (unsigned b = 23; subnormal && b < 31; ++b)
      subnormal = !bitAt(tensor, static_cast<uint64_t>(from) + b);
    for (unsigned b = 0; b < bits; ++b) {
      uint64_t to = sharedBit(p, number, true) + b;
      // Not-a-number: all ones below a clear sign.
      bool value = from >= 0 ? bitAt(tensor, static_cast<uint64_t>(from) + b)
                             : p.map.fillsNan && b + 1 < bits;
      value = value && !(subnormal && b < 31);
      std::optional<uint8_t> &byte =
          tile[placed(p.map.swizzle, p.base + static_cast<uint32_t>(to / 8))];
      byte = static_cast<uint8_t>(byte.value_or(0) | (value ? 1u << (to % 8) : 0u));
    }
  });
  return tile;
}

void storeBox(const Place &p, const Bytes &tile, Bytes &tensor) {
  const unsigned bits = elementBits(p.map.type);
  eachElement(p, [&](uint32_t number, int64_t to) {
    for (unsigned b = 0; to >= 0 && b < bits; ++b) {
      uint64_t from = sharedBit(p, number, false) + b, bit = static_cast<uint64_t>(to) + b;
      bool value =
          (tile[placed(p.map.swizzle, p.base + static_cast<uint32_t>(from / 8))] >> (from % 8)) & 1;
      auto mask = static_cast<uint8_t>(1u << (bit % 8));
      tensor[bit / 8] =
          static_cast<uint8_t>(value ? tensor[bit / 8] | mask : tensor[bit / 8] & ~mask);
    }
  });
}

std::string coordinates(const Place &p) {
  std::string text;
  for (unsigned d = 0; d < p.map.rank; ++d)
    text += fmt::format("{}{}", d ? ", " : "{", p.at[d]);
  return text + "}";
}

size_t tensorBytes(const TensorMap &m) {
  uint64_t bytes = m.address + m.dims[0] * elementBits(m.type) / 8;
  for (unsigned d = 1; d < m.rank; ++d)
    bytes += (m.dims[d] - 1) * m.strides[d - 1];
  return bytes;
}

} // namespace msa::ptxsim::test

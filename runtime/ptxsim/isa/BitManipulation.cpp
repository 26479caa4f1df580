//===- BitManipulation.cpp - PTX ISA 9.7.1: popc to bmsk, and prmt ------------------===//
#include "ptxsim/isa/Families.h"

#include <algorithm>
#include <bit>

namespace msa::ptxsim {

namespace {

/// The instruction counts bits of a 32- or 64-bit value into 32 bits.
bool countForm(Decoder &d, DataType &type) {
  type = d.takeType();
  if (type.bits != 32 && type.bits != 64)
    return !d.fail("{}: accepted: 32 and 64 bits", d.spelling());
  if (!d.expectOperands(2))
    return false;
  d.op.dst = d.destination(0, *dataTypeFromWord("u32"));
  d.op.a = d.source(1, type);
  return true;
}

/// 32- and 64-bit instructions of one type.
bool wordForm(Decoder &d, DataType &type, unsigned sources) {
  type = d.takeType();
  if (type.bits != 32 && type.bits != 64)
    return !d.fail("{}: accepted: 32 and 64 bits", d.spelling());
  return sources == 0 || d.uniform(type, sources);
}

} // namespace

bool decodePopc(Decoder &d) {
  DataType type;
  if (!countForm(d, type))
    return true;
  d.set(type.bits == 64 ? &eachLane<[](const Op &, uint64_t a) {
          return static_cast<uint32_t>(std::popcount(a));
        }>
                        : &eachLane<[](const Op &, uint32_t a) {
                            return static_cast<uint32_t>(std::popcount(a));
                          }>,
        OpClass::Integer);
  return true;
}

bool decodeClz(Decoder &d) {
  DataType type;
  if (!countForm(d, type))
    return true;
  d.set(type.bits == 64 ? &eachLane<[](const Op &, uint64_t a) {
          return static_cast<uint32_t>(std::countl_zero(a));
        }>
                        : &eachLane<[](const Op &, uint32_t a) {
                            return static_cast<uint32_t>(std::countl_zero(a));
                          }>,
        OpClass::Integer);
  return true;
}

namespace {
/// Position of the most significant bit that is not a copy of the sign; ~0 if there is none.
template <class T> uint32_t findBit(const Op &op, T a) {
  using U = std::make_unsigned_t<T>;
  U bits = static_cast<U>(a);
  if (std::is_signed_v<T> && a < 0)
    bits = static_cast<U>(~bits);
  if (bits == 0)
    return ~0u;
  auto position =
      static_cast<uint32_t>(sizeof(T) * 8 - 1 - static_cast<unsigned>(std::countl_zero(bits)));
  return op.mode ? static_cast<uint32_t>(sizeof(T) * 8 - 1) - position : position;
}
} // namespace

bool decodeBfind(Decoder &d) {
  bool shift = d.take("shiftamt");
  DataType type;
  if (!countForm(d, type))
    return true;
  d.op.mode = shift;
  if (type.bits == 64)
    d.set(type.isSigned() ? &eachLane<findBit<int64_t>> : &eachLane<findBit<uint64_t>>,
          OpClass::Integer);
  else
    d.set(type.isSigned() ? &eachLane<findBit<int32_t>> : &eachLane<findBit<uint32_t>>,
          OpClass::Integer);
  return true;
}

bool decodeFns(Decoder &d) {
  d.take("b32");
  if (!d.expectOperands(4))
    return true;
  DataType word = *dataTypeFromWord("b32");
  d.op.dst = d.destination(0, word);
  d.op.a = d.source(1, word);
  d.op.b = d.source(2, word);
  d.op.c = d.source(3, *dataTypeFromWord("s32"));
  // The offset-th set bit from base on, upwards or (negative) downwards; offset 0 asks for base
  // itself.
  d.set(&eachLane<[](const Op &, uint32_t mask, uint32_t base, int32_t offset) -> uint32_t {
    if (base > 31)
      return ~0u;
    if (offset == 0)
      return (mask >> base) & 1 ? base : ~0u;
    int64_t left = offset < 0 ? -int64_t{offset} : offset;
    for (int position = static_cast<int>(base); position >= 0 && position < 32;
         position += offset < 0 ? -1 : 1)
      if (((mask >> position) & 1) && --left == 0)
        return static_cast<uint32_t>(position);
    return ~0u;
  }>,
        OpClass::Integer);
  return true;
}

namespace {
template <class T> T reverseBits(const Op &, T a) {
  T result = 0;
  for (unsigned i = 0; i < sizeof(T) * 8; ++i)
    result |= ((a >> i) & 1) << (sizeof(T) * 8 - 1 - i);
  return result;
}

/// PTX bfe: position and length are bytes; beyond the top, the sign fills.
template <class T> T extractField(T a, uint32_t position, uint32_t length) {
  constexpr uint32_t width = sizeof(T) * 8;
  uint32_t pos = position & 0xFF, len = length & 0xFF;
  using U = std::make_unsigned_t<T>;
  U bits = static_cast<U>(a);
  if (len == 0)
    return 0;
  uint32_t top = std::min(pos + len - 1, width - 1);
  bool sign = std::is_signed_v<T> && ((bits >> top) & 1);
  U shifted = pos >= width ? U{0} : static_cast<U>(bits >> pos);
  U field = len >= width ? ~U{0} : static_cast<U>((U{1} << len) - 1);
  // Above the top bit there are only copies of the sign.
  U valid = pos >= width
                ? U{0}
                : (width - pos >= width ? ~U{0} : static_cast<U>((U{1} << (width - pos)) - 1));
  U keep = field & valid;
  return static_cast<T>((shifted & keep) | (sign ? static_cast<U>(~keep) : U{0}));
}

template <class T> Flow insertField(Warp &w, const Op &op, uint32_t mask) {
  constexpr uint32_t width = sizeof(T) * 8;
  Ref lengthRef = w.program->lists[op.target];
  const T *a = w.cells<T>(op.a), *b = w.cells<T>(op.b);
  const uint32_t *c = w.cells<uint32_t>(op.c), *len = w.cells<uint32_t>(lengthRef);
  T *out = w.cells<T>(op.dst);
  w.setTaint(op.dst, mask,
             w.taintOf(op.a) | w.taintOf(op.b) | w.taintOf(op.c) | w.taintOf(lengthRef));
  forLanes(mask, [&](int lane) {
    uint32_t pos = c[lane] & 0xFF, length = len[lane] & 0xFF;
    if (length == 0 || pos >= width) {
      out[lane] = b[lane];
      return;
    }
    T field = length >= width ? ~T{0} : static_cast<T>((T{1} << length) - 1);
    out[lane] = static_cast<T>((b[lane] & ~(field << pos)) | ((a[lane] & field) << pos));
  });
  return Flow::Next;
}
} // namespace

bool decodeBrev(Decoder &d) {
  DataType type;
  if (!wordForm(d, type, 1))
    return true;
  d.set(type.bits == 64 ? &eachLane<reverseBits<uint64_t>> : &eachLane<reverseBits<uint32_t>>,
        OpClass::Integer);
  return true;
}

bool decodeBfe(Decoder &d) {
  DataType type;
  if (!wordForm(d, type, 0) || !d.expectOperands(4))
    return true;
  d.op.dst = d.destination(0, type);
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, *dataTypeFromWord("u32"));
  d.op.c = d.source(3, *dataTypeFromWord("u32"));
  if (type.bits == 64)
    d.set(type.isSigned() ? mapped<extractField<int64_t>>() : mapped<extractField<uint64_t>>(),
          OpClass::Integer);
  else
    d.set(type.isSigned() ? mapped<extractField<int32_t>>() : mapped<extractField<uint32_t>>(),
          OpClass::Integer);
  return true;
}

bool decodeBfi(Decoder &d) {
  DataType type;
  if (!wordForm(d, type, 0) || !d.expectOperands(5))
    return true;
  DataType word = *dataTypeFromWord("u32");
  d.op.dst = d.destination(0, type);
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, type);
  d.op.c = d.source(3, word);
  d.op.target = d.list({d.source(4, word)});
  d.set(type.bits == 64 ? &insertField<uint64_t> : &insertField<uint32_t>, OpClass::Integer);
  return true;
}

namespace {
template <bool Signed, bool Wrap> uint32_t extendFrom(uint32_t a, uint32_t n) {
  n = Wrap ? n & 31 : std::min(n, 32u);
  if (n == 0)
    return 0;
  if (n == 32)
    return a;
  uint32_t low = a & ((1u << n) - 1);
  return Signed && ((low >> (n - 1)) & 1) ? low | ~((1u << n) - 1) : low;
}
template <bool Wrap> uint32_t makeMask(uint32_t position, uint32_t length) {
  uint32_t pos = Wrap ? position & 31 : std::min(position, 32u),
           len = Wrap ? length & 31 : std::min(length, 32u);
  uint64_t field = ((uint64_t{1} << len) - 1) << pos;
  return static_cast<uint32_t>(field);
}
} // namespace

bool decodeSzext(Decoder &d) {
  int wrap = d.takeOneOf({"clamp", "wrap"});
  DataType type = d.takeType();
  if (wrap < 0 || type.bits != 32)
    return d.fail("{}: accepted: szext.clamp and .wrap of .u32 and .s32", d.spelling());
  d.uniform(type, 2);
  d.set(type.isSigned()
            ? (wrap ? mapped<extendFrom<true, true>>() : mapped<extendFrom<true, false>>())
            : (wrap ? mapped<extendFrom<false, true>>() : mapped<extendFrom<false, false>>()),
        OpClass::Integer);
  return true;
}

bool decodeBmsk(Decoder &d) {
  int wrap = d.takeOneOf({"clamp", "wrap"});
  DataType type = d.takeType();
  if (wrap < 0 || !type.is("b32"))
    return d.fail("{}: accepted: bmsk.clamp and .wrap of .b32", d.spelling());
  d.uniform(type, 2);
  d.set(wrap ? mapped<makeMask<true>>() : mapped<makeMask<false>>(), OpClass::Integer);
  return true;
}

//===----------------------------------------------------------------------===//
// prmt: bytes of two words in any order
//===----------------------------------------------------------------------===//

namespace {

uint32_t permute(uint32_t a, uint32_t b, uint32_t selector) {
  uint64_t bytes = (uint64_t{b} << 32) | a;
  uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    uint32_t which = (selector >> (4 * i)) & 0xF;
    auto byte = static_cast<uint32_t>((bytes >> (8 * (which & 7))) & 0xFF);
    // The top bit of a selector replicates the byte's sign.
    if (which & 8)
      byte = byte & 0x80 ? 0xFF : 0;
    result |= byte << (8 * i);
  }
  return result;
}

/// The special modes take the two low bits of c; each gives the selectors of an ordinary prmt.
constexpr uint16_t modeSelectors[6][4] = {
    {0x3210, 0x4321, 0x5432, 0x6543}, // f4e
    {0x5670, 0x6701, 0x7012, 0x0123}, // b4e
    {0x0000, 0x1111, 0x2222, 0x3333}, // rc8
    {0x3210, 0x3211, 0x3222, 0x3333}, // ecl
    {0x0000, 0x1110, 0x2210, 0x3210}, // ecr
    {0x1010, 0x3232, 0x1010, 0x3232}, // rc16
};

} // namespace

bool decodePrmt(Decoder &d) {
  DataType type = d.takeType();
  int mode = d.takeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"});
  if (!type.is("b32"))
    return d.fail("{}: accepted: .b32", d.spelling());
  d.uniform(type, 3);
  d.op.mode = static_cast<uint8_t>(mode + 1);
  d.set(mode < 0 ? mapped<permute>()
                 : &eachLane<[](const Op &op, uint32_t a, uint32_t b, uint32_t c) {
                     return permute(a, b, modeSelectors[op.mode - 1][c & 3]);
                   }>,
        OpClass::Logic);
  return true;
}

} // namespace msa::ptxsim

//===- Video.cpp - PTX ISA 9.7.18.2: SIMD video instructions ---------------------------------===//
//
// Arithmetic and comparison on two half-words or four bytes of 32-bit registers, merged into
// a register or added up. Selectors on operands (.h10, .b3210) are refused by the
// parser, so elements are taken in place and all are written.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/isa/Families.h"

#include <algorithm>

namespace msa::ptxsim {

namespace {

enum class VideoOp : uint8_t { Add, Sub, Average, AbsDiff, Min, Max, Set };

/// Op::mode of these instructions.
enum : uint8_t { signedA = 1, signedB = 2, signedD = 4, saturates = 8, accumulates = 16 };

int64_t element(uint32_t word, unsigned index, unsigned bits, bool isSigned) {
  uint32_t field = (word >> (index * bits)) & ((1u << bits) - 1);
  bool negative = isSigned && (field >> (bits - 1)) != 0;
  return static_cast<int64_t>(field) - (negative ? int64_t{1} << bits : 0);
}

bool compare(unsigned which, int64_t a, int64_t b) {
  switch (which) {
  case 0:
    return a == b;
  case 1:
    return a != b;
  case 2:
    return a < b;
  case 3:
    return a <= b;
  case 4:
    return a > b;
  default:
    return a >= b;
  }
}

int64_t combine(VideoOp op, unsigned comparison, int64_t a, int64_t b) {
  switch (op) {
  case VideoOp::Add:
    return a + b;
  case VideoOp::Sub:
    return a - b;
  case VideoOp::Average:
    return a + b >= 0 ? (a + b + 1) >> 1 : (a + b) >> 1;
  case VideoOp::AbsDiff:
    return a < b ? b - a : a - b;
  case VideoOp::Min:
    return std::min(a, b);
  case VideoOp::Max:
    return std::max(a, b);
  case VideoOp::Set:
    return compare(comparison, a, b);
  }
  return 0;
}

/// Op::count: bits of an element; Op::pdst: the operation; Op::psrc: the comparison of vset.
uint32_t videoLane(const Op &op, uint32_t a, uint32_t b, uint32_t c) {
  const unsigned bits = op.count;
  uint32_t merged = 0, sum = c;
  for (unsigned i = 0; i < 32 / bits; ++i) {
    int64_t value =
        combine(static_cast<VideoOp>(op.pdst), op.psrc, element(a, i, bits, op.mode & signedA),
                element(b, i, bits, op.mode & signedB));
    if (op.mode & saturates) {
      int64_t half = int64_t{1} << (bits - 1);
      value = op.mode & signedD ? std::clamp(value, -half, half - 1)
                                : std::clamp<int64_t>(value, 0, 2 * half - 1);
    }
    merged |= (static_cast<uint32_t>(value) & ((1u << bits) - 1)) << (i * bits);
    sum += static_cast<uint32_t>(value);
  }
  return op.mode & accumulates ? sum : merged;
}

bool takeSign(Decoder &d, uint8_t bit) {
  DataType type = d.takeType();
  if (!type.is("u32") && !type.is("s32"))
    return !d.fail("{}: accepted: .u32 and .s32", d.spelling());
  d.op.mode |= type.isSigned() ? bit : 0;
  return true;
}

bool decodeVideo(Decoder &d, VideoOp op) {
  bool isSet = op == VideoOp::Set;
  if ((!isSet && !takeSign(d, signedD)) || !takeSign(d, signedA) || !takeSign(d, signedB))
    return true;
  if (isSet) {
    int which = d.takeOneOf({"eq", "ne", "lt", "le", "gt", "ge"});
    if (which < 0)
      return d.fail("{}: the comparison is missing", d.spelling());
    d.op.psrc = static_cast<uint16_t>(which);
  }
  d.op.mode |= !isSet && d.take("sat") ? saturates : 0;
  d.op.mode |= d.take("add") ? accumulates : 0;
  if ((d.op.mode & saturates) && (d.op.mode & accumulates))
    return d.fail("{}: .sat does not go with .add", d.spelling());
  d.uniform(*dataTypeFromWord("b32"), 3);
  d.op.pdst = static_cast<uint16_t>(op);
  d.op.count = d.inst.opcode.back() == '2' ? 16 : 8;
  d.set(&eachLane<videoLane>, OpClass::Integer);
  return true;
}

} // namespace

bool decodeVideoAdd(Decoder &d) { return decodeVideo(d, VideoOp::Add); }
bool decodeVideoSub(Decoder &d) { return decodeVideo(d, VideoOp::Sub); }
bool decodeVideoAverage(Decoder &d) { return decodeVideo(d, VideoOp::Average); }
bool decodeVideoAbsDiff(Decoder &d) { return decodeVideo(d, VideoOp::AbsDiff); }
bool decodeVideoMin(Decoder &d) { return decodeVideo(d, VideoOp::Min); }
bool decodeVideoMax(Decoder &d) { return decodeVideo(d, VideoOp::Max); }
bool decodeVideoSet(Decoder &d) { return decodeVideo(d, VideoOp::Set); }

} // namespace msa::ptxsim

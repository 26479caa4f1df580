//===- ExtendedPrecision.cpp - PTX ISA 9.7.2: carries ------------------------------------===//
//
// add.cc, addc, sub.cc, subc, mad.cc, madc. The condition code is one carry bit a
// thread; it is a predicate register of the program that no text can name.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cta.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

namespace msa::ptxsim {

namespace {

/// Op::mode of these instructions.
enum CarryMode : uint8_t { readsCarry = 1, writesCarry = 2, highPart = 4, isSignedBit = 8 };
enum class CarryOp : uint8_t { Add, Sub, Mad };

template <class T> T highProduct(T a, T b, bool isSigned) {
  if constexpr (sizeof(T) == 8)
    return static_cast<T>(
        isSigned ? (static_cast<__int128>(static_cast<int64_t>(a)) * static_cast<int64_t>(b)) >> 64
                 : static_cast<__int128>((static_cast<unsigned __int128>(a) * b) >> 64));
  else
    return static_cast<T>(isSigned ? static_cast<uint64_t>(int64_t{static_cast<int32_t>(a)} *
                                                           static_cast<int32_t>(b)) >>
                                         32
                                   : (uint64_t{a} * b) >> 32);
}

template <CarryOp O, class T> Flow carryOp(Warp &w, const Op &op, uint32_t mask) {
  const T *a = w.cells<T>(op.a), *b = w.cells<T>(op.b), *c = w.cells<T>(op.c);
  T *out = w.cells<T>(op.dst);
  uint32_t carryIn = op.mode & readsCarry ? w.predicates[op.psrc] : 0, carryOut = 0;
  uint32_t tainted = w.taintOf(op.a) | w.taintOf(op.b) | (O == CarryOp::Mad ? w.taintOf(op.c) : 0) |
                     (op.mode & readsCarry ? w.predicateTaint[op.psrc] : 0);
  forLanes(mask, [&](int lane) {
    T x = a[lane], y = b[lane], carry = (carryIn >> lane) & 1;
    if (O == CarryOp::Mad) {
      x = op.mode & highPart ? highProduct<T>(x, y, op.mode & isSignedBit) : static_cast<T>(x * y);
      y = c[lane];
    }
    // A borrow is a carry of 1 here; x - y - borrow.
    using Wide = unsigned __int128;
    bool overflow = O == CarryOp::Sub ? Wide{x} < Wide{y} + carry
                                      : ((Wide{x} + y + carry) >> (sizeof(T) * 8)) != 0;
    out[lane] = O == CarryOp::Sub ? static_cast<T>(x - y - carry) : static_cast<T>(x + y + carry);
    carryOut |= overflow ? 1u << lane : 0;
  });
  w.setTaint(op.dst, mask, tainted);
  if (op.mode & writesCarry)
    w.setPredicate(op.psrc, mask, carryOut, tainted);
  return Flow::Next;
}

template <CarryOp O> bool decodeCarry(Decoder &d, bool reads) {
  bool writes = d.take("cc");
  if (!reads && !writes)
    return false;
  int part = O == CarryOp::Mad ? d.takeOneOf({"lo", "hi"}) : 0;
  DataType type = d.takeType();
  if (part < 0 || !type.isInteger() || (type.bits != 32 && type.bits != 64))
    return d.fail("{}: accepted: .u32, .s32, .u64, .s64{}", d.spelling(),
                  O == CarryOp::Mad ? " with .lo or .hi" : "");
  if (type.bits == 64)
    d.require(43, 20, "64-bit extended precision");
  d.uniform(type, O == CarryOp::Mad ? 3 : 2);
  d.op.psrc = d.program().carryPredicate();
  d.op.mode =
      static_cast<uint8_t>((reads ? readsCarry : 0) | (writes ? writesCarry : 0) |
                           (part == 1 ? highPart : 0) | (type.isSigned() ? isSignedBit : 0));
  d.set(type.bits == 64 ? &carryOp<O, uint64_t> : &carryOp<O, uint32_t>, OpClass::Integer);
  return true;
}

} // namespace

bool decodeAddCarry(Decoder &d) { return d.has("cc") && decodeCarry<CarryOp::Add>(d, false); }
bool decodeAddc(Decoder &d) { return decodeCarry<CarryOp::Add>(d, true); }
bool decodeSubCarry(Decoder &d) { return d.has("cc") && decodeCarry<CarryOp::Sub>(d, false); }
bool decodeSubc(Decoder &d) { return decodeCarry<CarryOp::Sub>(d, true); }
bool decodeMadCarry(Decoder &d) { return d.has("cc") && decodeCarry<CarryOp::Mad>(d, false); }
bool decodeMadc(Decoder &d) { return decodeCarry<CarryOp::Mad>(d, true); }

} // namespace msa::ptxsim

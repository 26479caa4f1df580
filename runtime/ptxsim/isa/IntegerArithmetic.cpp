//===- IntegerArithmetic.cpp - PTX ISA 9.7.1 ------------------------------------===//
//
// Integer add to neg, min, max, sad, dot products. Wraps like the hardware; a
// division by zero gives all ones (quotient) or the dividend (remainder), which
// the ISA leaves open.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/isa/Families.h"

#include <algorithm>
#include <limits>

namespace msa::ptxsim {

namespace {

/// True if the instruction's (first) type is an integer of 16, 32 or 64 bits.
bool isIntegerForm(Decoder &d) {
  auto type = d.peekType();
  return type && type->kind != DataType::Kind::Float && type->kind != DataType::Kind::Predicate &&
         type->kind != DataType::Kind::Bits && !d.has("cc");
}

/// Calls f with a value of the C++ type that the PTX type stands for.
template <class F> void dispatch(Decoder &d, const DataType &type, F f) {
  bool isSigned = type.isSigned();
  switch (type.bits) {
  case 16:
    return isSigned ? f(int16_t{}) : f(uint16_t{});
  case 32:
    return isSigned ? f(int32_t{}) : f(uint32_t{});
  case 64:
    return isSigned ? f(int64_t{}) : f(uint64_t{});
  default:
    d.fail("{}: .{} is not accepted; accepted: 16, 32 and 64 bits", d.spelling(), type.word);
  }
}

template <class T> using Unsigned = std::make_unsigned_t<T>;

template <class T> T wrapAdd(T a, T b) {
  return static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b));
}
template <class T> T wrapSub(T a, T b) {
  return static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
}
template <class T> T wrapMul(T a, T b) {
  // uint16_t promotes to int, whose product can overflow.
  using Wide = std::conditional_t<(sizeof(T) < 4), uint32_t, Unsigned<T>>;
  return static_cast<T>(static_cast<Wide>(a) * static_cast<Wide>(b));
}
template <class T> T highMul(T a, T b) {
  if constexpr (sizeof(T) == 8) {
    if constexpr (std::is_signed_v<T>)
      return static_cast<T>((static_cast<__int128>(a) * b) >> 64);
    else
      return static_cast<T>((static_cast<unsigned __int128>(a) * b) >> 64);
  } else {
    using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
    return static_cast<T>((static_cast<Wide>(a) * b) >> (sizeof(T) * 8));
  }
}
template <class T> T clampTo(int64_t value) {
  return static_cast<T>(
      std::clamp<int64_t>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

/// Types of .wide: the double-width type.
template <class T>
using Double =
    std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
                       std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;

bool packed16(Decoder &d, const DataType &type) { return type.is("u16x2") || type.is("s16x2"); }

template <auto F> uint32_t eachHalfWord(uint32_t a, uint32_t b) {
  return static_cast<uint16_t>(F(static_cast<uint16_t>(a), static_cast<uint16_t>(b))) |
         static_cast<uint32_t>(static_cast<uint16_t>(
             F(static_cast<uint16_t>(a >> 16), static_cast<uint16_t>(b >> 16))))
             << 16;
}

} // namespace

bool decodeAddInteger(Decoder &d) {
  if (!isIntegerForm(d))
    return false;
  bool sat = d.take("sat");
  DataType type = d.takeType();
  if (packed16(d, type)) {
    d.require(80, 90, "add.u16x2");
    d.uniform(type, 2);
    d.set(mapped<[](uint32_t a, uint32_t b) {
            return eachHalfWord<[](uint16_t x, uint16_t y) { return uint16_t(x + y); }>(a, b);
          }>(),
          OpClass::Integer);
    return true;
  }
  if (sat && !type.is("s32"))
    return d.fail("{}: .sat is for .s32 only", d.spelling());
  d.uniform(type, 2);
  dispatch(d, type, [&]<class T>(T) {
    d.set(mapped<[](T a, T b) { return wrapAdd<T>(a, b); }>(), OpClass::Integer);
  });
  if (sat)
    d.set(mapped<[](int32_t a, int32_t b) { return clampTo<int32_t>(int64_t{a} + b); }>(),
          OpClass::Integer);
  return true;
}

bool decodeSubInteger(Decoder &d) {
  if (!isIntegerForm(d))
    return false;
  bool sat = d.take("sat");
  DataType type = d.takeType();
  if (sat && !type.is("s32"))
    return d.fail("{}: .sat is for .s32 only", d.spelling());
  d.uniform(type, 2);
  dispatch(d, type, [&]<class T>(T) {
    d.set(mapped<[](T a, T b) { return wrapSub<T>(a, b); }>(), OpClass::Integer);
  });
  if (sat)
    d.set(mapped<[](int32_t a, int32_t b) { return clampTo<int32_t>(int64_t{a} - b); }>(),
          OpClass::Integer);
  return true;
}

bool decodeMulInteger(Decoder &d) {
  if (!isIntegerForm(d))
    return false;
  int part = d.takeOneOf({"lo", "hi", "wide"});
  DataType type = d.takeType();
  if (part < 0)
    return d.fail("{}: .lo, .hi or .wide is missing", d.spelling());
  if (part < 2) {
    d.uniform(type, 2);
    dispatch(d, type, [&]<class T>(T) {
      if (part == 0)
        d.set(mapped<[](T a, T b) { return wrapMul<T>(a, b); }>(), OpClass::Integer);
      else
        d.set(mapped<[](T a, T b) { return highMul<T>(a, b); }>(), OpClass::Integer);
    });
    return true;
  }
  if (type.bits == 64)
    return d.fail("{}: .wide is for 16 and 32 bits", d.spelling());
  if (!d.expectOperands(3))
    return true;
  DataType wide = *dataTypeFromWord(type.bits == 16 ? "b32" : "b64");
  d.op.dst = d.destination(0, wide);
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, type);
  dispatch(d, type, [&]<class T>(T) {
    if constexpr (sizeof(T) < 8)
      d.set(mapped<[](T a, T b) {
              return static_cast<Double<T>>(static_cast<Double<T>>(a) * static_cast<Double<T>>(b));
            }>(),
            OpClass::Integer);
  });
  return true;
}

bool decodeMadInteger(Decoder &d) {
  if (!isIntegerForm(d))
    return false;
  int part = d.takeOneOf({"lo", "hi", "wide"});
  bool sat = d.take("sat");
  DataType type = d.takeType();
  if (part < 0)
    return d.fail("{}: .lo, .hi or .wide is missing", d.spelling());
  if (sat && !(type.is("s32") && part == 1))
    return d.fail("{}: .sat is for .hi.s32 only", d.spelling());
  if (part < 2) {
    d.uniform(type, 3);
    dispatch(d, type, [&]<class T>(T) {
      if (part == 0)
        d.set(mapped<[](T a, T b, T c) { return wrapAdd<T>(wrapMul<T>(a, b), c); }>(),
              OpClass::Integer);
      else
        d.set(mapped<[](T a, T b, T c) { return wrapAdd<T>(highMul<T>(a, b), c); }>(),
              OpClass::Integer);
    });
    if (sat)
      d.set(mapped<[](int32_t a, int32_t b, int32_t c) {
              return clampTo<int32_t>(int64_t{highMul<int32_t>(a, b)} + c);
            }>(),
            OpClass::Integer);
    return true;
  }
  if (type.bits == 64)
    return d.fail("{}: .wide is for 16 and 32 bits", d.spelling());
  if (!d.expectOperands(4))
    return true;
  DataType wide = *dataTypeFromWord(type.bits == 16 ? "b32" : "b64");
  d.op.dst = d.destination(0, wide);
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, type);
  d.op.c = d.source(3, wide);
  dispatch(d, type, [&]<class T>(T) {
    if constexpr (sizeof(T) < 8)
      d.set(mapped<[](T a, T b, Double<T> c) {
              return wrapAdd<Double<T>>(
                  static_cast<Double<T>>(static_cast<Double<T>>(a) * static_cast<Double<T>>(b)), c);
            }>(),
            OpClass::Integer);
  });
  return true;
}

namespace {
template <class T> int64_t low24(T value) {
  if constexpr (std::is_signed_v<T>)
    return static_cast<int64_t>(static_cast<uint64_t>(value) << 40) >> 40;
  else
    return static_cast<int64_t>(value & 0xFFFFFFu);
}
template <class T> T mul24(T a, T b, bool high) {
  int64_t product = low24(a) * low24(b);
  return static_cast<T>(high ? product >> 16 : product);
}
} // namespace

bool decodeMul24(Decoder &d) {
  int part = d.takeOneOf({"lo", "hi"});
  DataType type = d.takeType();
  if (part < 0 || type.bits != 32)
    return d.fail("{}: accepted: mul24.lo and .hi of .u32 and .s32", d.spelling());
  d.uniform(type, 2);
  dispatch(d, type, [&]<class T>(T) {
    d.set(part == 0 ? mapped<[](T a, T b) { return mul24<T>(a, b, false); }>()
                    : mapped<[](T a, T b) { return mul24<T>(a, b, true); }>(),
          OpClass::Integer);
  });
  return true;
}

bool decodeMad24(Decoder &d) {
  int part = d.takeOneOf({"lo", "hi"});
  bool sat = d.take("sat");
  DataType type = d.takeType();
  if (part < 0 || type.bits != 32 || (sat && !(part == 1 && type.is("s32"))))
    return d.fail("{}: accepted: mad24.lo and .hi of .u32 and .s32, and mad24.hi.sat.s32",
                  d.spelling());
  d.uniform(type, 3);
  dispatch(d, type, [&]<class T>(T) {
    d.set(part == 0 ? mapped<[](T a, T b, T c) { return wrapAdd<T>(mul24<T>(a, b, false), c); }>()
                    : mapped<[](T a, T b, T c) { return wrapAdd<T>(mul24<T>(a, b, true), c); }>(),
          OpClass::Integer);
  });
  if (sat)
    d.set(mapped<[](int32_t a, int32_t b, int32_t c) {
            return clampTo<int32_t>(int64_t{mul24<int32_t>(a, b, true)} + c);
          }>(),
          OpClass::Integer);
  return true;
}

bool decodeSad(Decoder &d) {
  DataType type = d.takeType();
  d.uniform(type, 3);
  dispatch(d, type, [&]<class T>(T) {
    d.set(mapped<[](T a, T b, T c) {
            return wrapAdd<T>(c, a < b ? wrapSub<T>(b, a) : wrapSub<T>(a, b));
          }>(),
          OpClass::Integer);
  });
  return true;
}

namespace {
template <class T> T quotient(T a, T b) {
  if (b == 0)
    return static_cast<T>(~T{0});
  if constexpr (std::is_signed_v<T>)
    if (b == -1)
      return wrapSub<T>(0, a);
  return static_cast<T>(a / b);
}
template <class T> T remainder(T a, T b) {
  if (b == 0)
    return a;
  if constexpr (std::is_signed_v<T>)
    if (b == -1)
      return 0;
  return static_cast<T>(a % b);
}
} // namespace

bool decodeDivInteger(Decoder &d) {
  if (!isIntegerForm(d))
    return false;
  DataType type = d.takeType();
  d.uniform(type, 2);
  dispatch(d, type, [&]<class T>(T) {
    d.set(&eachLane<[](const Op &, T a, T b) { return quotient<T>(a, b); }>, OpClass::Integer);
  });
  return true;
}

bool decodeRem(Decoder &d) {
  DataType type = d.takeType();
  d.uniform(type, 2);
  dispatch(d, type, [&]<class T>(T) {
    d.set(&eachLane<[](const Op &, T a, T b) { return remainder<T>(a, b); }>, OpClass::Integer);
  });
  return true;
}

bool decodeAbsInteger(Decoder &d) {
  if (!isIntegerForm(d))
    return false;
  DataType type = d.takeType();
  if (!type.isSigned())
    return d.fail("{}: accepted: .s16, .s32, .s64", d.spelling());
  d.uniform(type, 1);
  dispatch(d, type, [&]<class T>(T) {
    d.set(mapped<[](T a) { return a < 0 ? wrapSub<T>(0, a) : a; }>(), OpClass::Integer);
  });
  return true;
}

bool decodeNegInteger(Decoder &d) {
  if (!isIntegerForm(d))
    return false;
  DataType type = d.takeType();
  if (!type.isSigned())
    return d.fail("{}: accepted: .s16, .s32, .s64", d.spelling());
  d.uniform(type, 1);
  dispatch(d, type, [&]<class T>(T) {
    d.set(mapped<[](T a) { return wrapSub<T>(0, a); }>(), OpClass::Integer);
  });
  return true;
}

namespace {
template <bool Max> bool minMax(Decoder &d) {
  if (!isIntegerForm(d))
    return false;
  bool relu = d.take("relu");
  DataType type = d.takeType();
  if (packed16(d, type)) {
    d.require(80, 90, "min and max of 16x2");
    d.uniform(type, 2);
    if (type.is("u16x2"))
      d.set(mapped<[](uint32_t a, uint32_t b) {
              return eachHalfWord<[](uint16_t x, uint16_t y) {
                return Max ? std::max(x, y) : std::min(x, y);
              }>(a, b);
            }>(),
            OpClass::Integer);
    else
      d.set(mapped<[](uint32_t a, uint32_t b) {
              return eachHalfWord<[](int16_t x, int16_t y) {
                return Max ? std::max(x, y) : std::min(x, y);
              }>(a, b);
            }>(),
            OpClass::Integer);
    if (relu && type.is("s16x2"))
      d.set(mapped<[](uint32_t a, uint32_t b) {
              return eachHalfWord<[](int16_t x, int16_t y) {
                return std::max<int16_t>(0, Max ? std::max(x, y) : std::min(x, y));
              }>(a, b);
            }>(),
            OpClass::Integer);
    return true;
  }
  d.uniform(type, 2);
  dispatch(d, type, [&]<class T>(T) {
    d.set(mapped<[](T a, T b) { return Max ? std::max(a, b) : std::min(a, b); }>(),
          OpClass::Integer);
  });
  if (relu && type.is("s32")) {
    d.require(80, 90, ".relu");
    d.set(mapped<[](int32_t a, int32_t b) {
            return std::max(0, Max ? std::max(a, b) : std::min(a, b));
          }>(),
          OpClass::Integer);
  } else if (relu) {
    d.fail("{}: .relu is for .s32 and .s16x2", d.spelling());
  }
  return true;
}
} // namespace

bool decodeMinInteger(Decoder &d) { return minMax<false>(d); }
bool decodeMaxInteger(Decoder &d) { return minMax<true>(d); }

namespace {
template <class A, class B> uint32_t dot4(uint32_t a, uint32_t b, uint32_t c) {
  for (unsigned i = 0; i < 32; i += 8)
    c += static_cast<uint32_t>(static_cast<int32_t>(static_cast<A>(a >> i)) *
                               static_cast<int32_t>(static_cast<B>(b >> i)));
  return c;
}
/// Two 16-bit elements of a by the low (shift 0) or high (16) pair of bytes of b.
template <class A, class B, unsigned Shift> uint32_t dot2(uint32_t a, uint32_t b, uint32_t c) {
  using Half = std::conditional_t<std::is_signed_v<A>, int16_t, uint16_t>;
  for (unsigned i = 0; i < 2; ++i)
    c += static_cast<uint32_t>(static_cast<int32_t>(static_cast<Half>(a >> (16 * i))) *
                               static_cast<int32_t>(static_cast<B>(b >> (Shift + 8 * i))));
  return c;
}

template <class F> bool dotProduct(Decoder &d, F choose) {
  auto typeOf = [&] {
    int which = d.takeOneOf({"u32", "s32"});
    if (which < 0)
      d.fail("{}: two types of .u32 and .s32 are needed", d.spelling());
    return which == 1;
  };
  // The two types may be equal words: the second `take` finds the second one.
  bool firstSigned = d.peekType() && d.peekType()->isSigned();
  d.take(firstSigned ? "s32" : "u32");
  bool secondSigned = typeOf();
  DataType word = *dataTypeFromWord("b32");
  d.uniform(word, 3);
  choose(firstSigned, secondSigned);
  return true;
}
} // namespace

bool decodeDp4a(Decoder &d) {
  return dotProduct(d, [&](bool a, bool b) {
    d.set(a ? (b ? mapped<dot4<int8_t, int8_t>>() : mapped<dot4<int8_t, uint8_t>>())
            : (b ? mapped<dot4<uint8_t, int8_t>>() : mapped<dot4<uint8_t, uint8_t>>()),
          OpClass::Integer);
  });
}

bool decodeDp2a(Decoder &d) {
  int part = d.takeOneOf({"lo", "hi"});
  if (part < 0)
    return d.fail("{}: .lo or .hi is missing", d.spelling());
  return dotProduct(d, [&](bool a, bool b) {
    if (part == 0)
      d.set(a ? (b ? mapped<dot2<int8_t, int8_t, 0>>() : mapped<dot2<int8_t, uint8_t, 0>>())
              : (b ? mapped<dot2<uint8_t, int8_t, 0>>() : mapped<dot2<uint8_t, uint8_t, 0>>()),
            OpClass::Integer);
    else
      d.set(a ? (b ? mapped<dot2<int8_t, int8_t, 16>>() : mapped<dot2<int8_t, uint8_t, 16>>())
              : (b ? mapped<dot2<uint8_t, int8_t, 16>>() : mapped<dot2<uint8_t, uint8_t, 16>>()),
            OpClass::Integer);
  });
}

} // namespace msa::ptxsim

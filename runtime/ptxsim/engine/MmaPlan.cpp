//===- MmaPlan.cpp - which products exist -----------------------------------------------------===//
#include "ptxsim/engine/MmaPlan.h"

#include <initializer_list>
#include <iterator>

namespace msa::ptxsim {

std::optional<MmaType> mmaTypeFromWord(std::string_view word) {
  constexpr std::string_view names[] = {"f16",  "bf16", "tf32", "f32",  "f64", "e4m3",
                                        "e5m2", "e3m2", "e2m3", "e2m1", "s8",  "u8",
                                        "s4",   "u4",   "b1",   "s32"};
  for (unsigned i = 0; i < std::size(names); ++i)
    if (names[i] == word)
      return static_cast<MmaType>(i);
  return std::nullopt;
}

int bitsOf(MmaType type) {
  switch (type) {
  case MmaType::F64:
    return 64;
  case MmaType::TF32:
  case MmaType::F32:
  case MmaType::S32:
    return 32;
  case MmaType::F16:
  case MmaType::BF16:
    return 16;
  case MmaType::S4:
  case MmaType::U4:
    return 4;
  case MmaType::B1:
    return 1;
  default:
    return 8;
  }
}

numerics::SmallFloat smallFloatOf(MmaType type) {
  using numerics::SmallFloat;
  switch (type) {
  case MmaType::BF16:
    return SmallFloat::BF16;
  case MmaType::TF32:
    return SmallFloat::TF32;
  case MmaType::E4M3:
    return SmallFloat::E4M3;
  case MmaType::E5M2:
    return SmallFloat::E5M2;
  case MmaType::E3M2:
    return SmallFloat::E3M2;
  case MmaType::E2M3:
    return SmallFloat::E2M3;
  case MmaType::E2M1:
    return SmallFloat::E2M1;
  default:
    return SmallFloat::F16;
  }
}

namespace {

bool among(MmaType type, std::initializer_list<MmaType> types) {
  for (MmaType t : types)
    if (t == type)
      return true;
  return false;
}

} // namespace

int operandBits(const MmaPlan &plan, MmaType type) {
  return plan.denseFp4 && type == MmaType::E2M1 ? 4 : bitsOf(type);
}

bool choosePlan(MmaPlan &plan) {
  const MmaType a = plan.typeA, b = plan.typeB, c = plan.typeC, d = plan.typeD;
  const auto [m, n, k] = plan.shape;
  auto shapeIs = [&](int wantedM, std::initializer_list<int> depths) {
    for (int depth : depths)
      if (m == wantedM && n == 8 && k == depth)
        return true;
    return false;
  };
  auto accumulates = [&](std::initializer_list<MmaType> types) {
    return among(c, types) && among(d, types);
  };
  plan.kind = MmaPlan::Kind::Floats;
  if (a == MmaType::F16 && b == a && accumulates({MmaType::F16, MmaType::F32})) {
    if (shapeIs(8, {4})) {
      plan.kind = MmaPlan::Kind::Quads;
      return true;
    }
    return shapeIs(16, {8, 16}) && c == d;
  }
  if (a == MmaType::BF16 && b == a)
    return accumulates({MmaType::F32}) && shapeIs(16, {8, 16});
  if (a == MmaType::TF32 && b == a)
    return accumulates({MmaType::F32}) && shapeIs(16, {4, 8});
  if (a == MmaType::F64 && b == a && accumulates({MmaType::F64})) {
    plan.kind = MmaPlan::Kind::Doubles;
    return shapeIs(8, {4}) || shapeIs(16, {4, 8, 16});
  }
  const std::initializer_list<MmaType> narrow = {MmaType::E4M3, MmaType::E5M2, MmaType::E3M2,
                                                 MmaType::E2M3, MmaType::E2M1};
  if (plan.scaleBlocks != 0)
    return among(a, narrow) && among(b, narrow) && accumulates({MmaType::F32}) &&
           shapeIs(16, {plan.denseFp4 ? 64 : 32}) &&
           (!plan.denseFp4 || (a == MmaType::E2M1 && b == a));
  if (among(a, narrow) && among(b, narrow))
    return accumulates({MmaType::F16, MmaType::F32}) && c == d && shapeIs(16, {16, 32});
  if (!accumulates({MmaType::S32}))
    return false;
  if (among(a, {MmaType::S8, MmaType::U8}) && among(b, {MmaType::S8, MmaType::U8})) {
    plan.kind = MmaPlan::Kind::Integers;
    return shapeIs(8, {16}) || shapeIs(16, {16, 32});
  }
  if (among(a, {MmaType::S4, MmaType::U4}) && among(b, {MmaType::S4, MmaType::U4})) {
    plan.kind = MmaPlan::Kind::Integers;
    return shapeIs(8, {32}) || shapeIs(16, {32, 64});
  }
  plan.kind = MmaPlan::Kind::Bits;
  return a == MmaType::B1 && b == a && (shapeIs(8, {128}) || shapeIs(16, {128, 256}));
}

} // namespace msa::ptxsim

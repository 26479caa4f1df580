//===- Module.cpp - names and sizes of PTX types --------------------------===//
#include "ptxsim/Module.h"

namespace msa::ptxsim {

uint32_t sizeOf(Type type) {
  switch (type) {
  case Type::Pred:
  case Type::B8:
  case Type::U8:
  case Type::S8:
    return 1;
  case Type::B16:
  case Type::U16:
  case Type::S16:
  case Type::F16:
  case Type::BF16:
    return 2;
  case Type::B32:
  case Type::U32:
  case Type::S32:
  case Type::F16x2:
  case Type::BF16x2:
  case Type::F32:
    return 4;
  case Type::B64:
  case Type::U64:
  case Type::S64:
  case Type::F64:
    return 8;
  case Type::B128:
    return 16;
  }
  return 0;
}

std::string_view toString(Type type) {
  static constexpr std::string_view names[] = {
      "pred", "b8",  "b16", "b32", "b64", "b128",  "u8",   "u16",    "u32", "u64",
      "s8",   "s16", "s32", "s64", "f16", "f16x2", "bf16", "bf16x2", "f32", "f64"};
  return names[static_cast<size_t>(type)];
}

std::string_view toString(StateSpace space) {
  static constexpr std::string_view names[] = {
      "generic", "reg", "const", "global", "local", "param", "shared", "shared::cluster", "tensor"};
  return names[static_cast<size_t>(space)];
}

const Function *Module::findFunction(std::string_view name) const {
  for (const Function &function : functions)
    if (function.name == name)
      return &function;
  return nullptr;
}

} // namespace msa::ptxsim

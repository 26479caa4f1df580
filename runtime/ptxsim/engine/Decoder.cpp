//===- Decoder.cpp - modifiers and operands of one instruction ----------------------===//
#include "ptxsim/engine/Decoder.h"

#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/SpecialRegisters.h"

#include <algorithm>
#include <bit>

namespace msa::ptxsim {

bool hostIsWide() {
#if defined(__x86_64__) && !defined(MSA_PTXSIM_PLAIN)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

std::optional<DataType> dataTypeFromWord(std::string_view word) {
  using Kind = DataType::Kind;
  static constexpr DataType types[] = {
      {"b32", 32, Kind::Bits},       {"b64", 64, Kind::Bits},      {"u32", 32, Kind::Unsigned},
      {"s32", 32, Kind::Signed},     {"f32", 32, Kind::Float},     {"u64", 64, Kind::Unsigned},
      {"s64", 64, Kind::Signed},     {"f64", 64, Kind::Float},     {"pred", 1, Kind::Predicate},
      {"b16", 16, Kind::Bits},       {"u16", 16, Kind::Unsigned},  {"s16", 16, Kind::Signed},
      {"f16", 16, Kind::Float},      {"bf16", 16, Kind::Float},    {"f16x2", 32, Kind::Float},
      {"bf16x2", 32, Kind::Float},   {"b8", 8, Kind::Bits},        {"u8", 8, Kind::Unsigned},
      {"s8", 8, Kind::Signed},       {"b128", 128, Kind::Bits},    {"f32x2", 64, Kind::Float},
      {"u16x2", 32, Kind::Unsigned}, {"s16x2", 32, Kind::Signed},  {"tf32", 32, Kind::Float},
      {"e4m3x2", 16, Kind::Float},   {"e5m2x2", 16, Kind::Float},  {"e2m3x2", 16, Kind::Float},
      {"e3m2x2", 16, Kind::Float},   {"ue8m0x2", 16, Kind::Float}, {"e2m1x2", 8, Kind::Float},
      {"e4m3x4", 32, Kind::Float},   {"e5m2x4", 32, Kind::Float},  {"e2m3x4", 32, Kind::Float},
      {"e3m2x4", 32, Kind::Float},   {"e2m1x4", 16, Kind::Float},
  };
  for (const DataType &type : types)
    if (type.word == word)
      return type;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Modifiers
//===----------------------------------------------------------------------===//

bool Decoder::has(std::string_view word) const {
  for (size_t i = 0; i < inst.modifiers.size() && i < 64; ++i)
    if (!((taken >> i) & 1) && inst.modifiers[i] == word)
      return true;
  return false;
}

bool Decoder::take(std::string_view word) {
  for (size_t i = 0; i < inst.modifiers.size() && i < 64; ++i)
    if (!((taken >> i) & 1) && inst.modifiers[i] == word) {
      taken |= 1ull << i;
      return true;
    }
  return false;
}

int Decoder::takeOneOf(std::initializer_list<std::string_view> words) {
  int index = 0;
  for (std::string_view word : words) {
    if (take(word))
      return index;
    ++index;
  }
  return -1;
}

std::optional<DataType> Decoder::peekType(unsigned skip) const {
  for (size_t i = 0; i < inst.modifiers.size() && i < 64; ++i) {
    if ((taken >> i) & 1)
      continue;
    if (auto type = dataTypeFromWord(inst.modifiers[i]))
      if (skip-- == 0)
        return type;
  }
  return std::nullopt;
}

DataType Decoder::takeType() {
  auto type = peekType();
  if (!type) {
    fail("{}: the type is missing", spelling());
    return {"b32", 32, DataType::Kind::Bits};
  }
  take(type->word);
  return *type;
}

std::string_view Decoder::takeNext() {
  for (size_t i = 0; i < inst.modifiers.size() && i < 64; ++i)
    if (!((taken >> i) & 1)) {
      taken |= 1ull << i;
      return inst.modifiers[i];
    }
  return {};
}

std::optional<uint8_t> Decoder::takeRounding() {
  int which = takeOneOf({"rn", "rz", "rm", "rp"});
  return which < 0 ? std::nullopt : std::optional<uint8_t>(static_cast<uint8_t>(which));
}

void Decoder::finish() {
  if (wrong)
    return;
  for (size_t i = 0; i < inst.modifiers.size(); ++i)
    if (i >= 64 || !((taken >> i) & 1)) {
      fail("{}: '.{}' is unknown or does not fit here", spelling(), inst.modifiers[i]);
      return;
    }
}

std::string Decoder::spelling() const {
  std::string text = inst.opcode;
  for (const std::string &modifier : inst.modifiers)
    text += "." + modifier;
  return text;
}

bool Decoder::failAt(SourceLocation at, std::string message) {
  wrong = true;
  builder.fail(at.line ? at : inst.location, message);
  return true;
}

bool Decoder::failLater(std::string_view part) {
  wrong = true;
  builder.fail(inst.location,
               fmt::format("{}: comes with the {}, which is not in this version of the simulator",
                           spelling(), part),
               StatusCode::Missing);
  return true;
}

bool Decoder::require(unsigned ptx, unsigned sm, std::string_view what) {
  if (builder.ptxVersion() < ptx)
    return fail("{}: {} needs PTX {}.{} or later; the module says .version {}", spelling(), what,
                ptx / 10, ptx % 10, builder.module.version);
  if (builder.smVersion() < sm)
    return fail("{}: {} needs sm_{} or later; the module says .target {}", spelling(), what, sm,
                builder.module.target);
  return true;
}

unsigned Decoder::sm() const { return builder.smVersion(); }

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

bool Decoder::expectOperands(unsigned least, unsigned most) {
  if (operandCount() >= least && operandCount() <= most)
    return true;
  fail("{}: {} operands; accepted: {}", spelling(), operandCount(),
       least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most));
  return false;
}

namespace {
uint32_t bitsOfRegister(Type type) { return type == Type::Pred ? 1 : sizeOf(type) * 8; }
} // namespace

bool Decoder::isPredicate(const Operand &o) const {
  return o.kind == Operand::Kind::Register &&
         builder.function->registers[o.index].type == Type::Pred;
}

uint32_t Decoder::registerBits(const Operand &o) const {
  return o.kind == Operand::Kind::Register
             ? bitsOfRegister(builder.function->registers[o.index].type)
             : 0;
}

Ref Decoder::constant(uint64_t value, uint32_t bits) {
  if (bits < 64)
    value &= (1ull << bits) - 1;
  return builder.constant(value, 0, bits);
}

Ref Decoder::scratch(uint32_t bits) {
  return builder.allocateSlots(bits > 64 ? 4 : bits > 32 ? 2 : 1);
}

Ref Decoder::wideSource(const Operand &o, const DataType &type, uint32_t &width) {
  width = type.bits;
  switch (o.kind) {
  case Operand::Kind::Register: {
    const Register &reg = builder.function->registers[o.index];
    width = bitsOfRegister(reg.type);
    if (width < type.bits || width == 1) {
      failAt(o.location, fmt::format("{}: '{}' is .{}; this operand takes {} bits", spelling(),
                                     reg.name, toString(reg.type), type.bits));
      return 0;
    }
    return builder.registerRef(o.index);
  }
  case Operand::Kind::Immediate: {
    uint64_t bits = o.bits;
    if (o.immediate != Operand::ImmediateKind::Integer && type.kind != DataType::Kind::Float &&
        type.kind != DataType::Kind::Bits)
      failAt(o.location, fmt::format("{}: a floating-point constant where .{} is expected",
                                     spelling(), type.word));
    if (o.immediate == Operand::ImmediateKind::F64 && type.bits == 32)
      bits = std::bit_cast<uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
    else if (o.immediate == Operand::ImmediateKind::F32 && type.bits == 64)
      bits = std::bit_cast<uint64_t>(
          static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits))));
    if (type.bits == 128)
      return builder.constant(bits, static_cast<int64_t>(bits) < 0 ? ~0ull : 0, 128);
    return constant(bits, type.bits);
  }
  case Operand::Kind::Symbol: {
    const Variable *v = builder.findVariable(o.symbol);
    if (!v || (type.bits != 32 && type.bits != 64)) {
      failAt(o.location,
             fmt::format("{}: '{}' is not accepted here; accepted: the name of a variable",
                         spelling(), o.symbol));
      return 0;
    }
    uint64_t at = builder.offsetOf(*v) + static_cast<uint64_t>(o.offset);
    if (v->space == StateSpace::Shared)
      return builder.sharedAddress(at, type.bits);
    if (v->space == StateSpace::Global)
      at += moduleWindow;
    return constant(at, type.bits);
  }
  case Operand::Kind::Special:
    if (type.bits <= 64)
      return specialRegisterRef(*this, o, type);
    [[fallthrough]];
  default:
    failAt(o.location, fmt::format("{}: this operand must be a register, a constant or a variable",
                                   spelling()));
    return 0;
  }
}

Ref Decoder::source(const Operand &o, const DataType &type) {
  uint32_t width = 0;
  Ref ref = wideSource(o, type, width);
  // 8-bit values have no registers of their own.
  if (!wrong && width != type.bits && !(type.bits == 8 && width <= 32))
    failAt(o.location, fmt::format("{}: '{}' has {} bits; this operand takes {}", spelling(),
                                   builder.function->registers[o.index].name, width, type.bits));
  return ref;
}

Ref Decoder::wideDestination(const Operand &o, const DataType &type, uint32_t &width) {
  width = type.bits;
  if (o.kind == Operand::Kind::Sink)
    return 0;
  if (o.kind != Operand::Kind::Register) {
    failAt(o.location, fmt::format("{}: the destination must be a register", spelling()));
    return 0;
  }
  const Register &reg = builder.function->registers[o.index];
  width = bitsOfRegister(reg.type);
  if (width < type.bits || width == 1)
    failAt(o.location, fmt::format("{}: '{}' is .{}; this operand takes {} bits", spelling(),
                                   reg.name, toString(reg.type), type.bits));
  return builder.registerRef(o.index);
}

Ref Decoder::destination(const Operand &o, const DataType &type) {
  uint32_t width = 0;
  Ref ref = wideDestination(o, type, width);
  if (!wrong && width != type.bits && !(type.bits == 8 && width <= 32))
    failAt(o.location, fmt::format("{}: '{}' has {} bits; this operand takes {}", spelling(),
                                   builder.function->registers[o.index].name, width, type.bits));
  return ref;
}

uint16_t Decoder::predicateSource(const Operand &o) {
  if (!isPredicate(o)) {
    failAt(o.location, fmt::format("{}: this operand must be a predicate", spelling()));
    return 0;
  }
  return builder.predicateIndex(o.index);
}

uint16_t Decoder::predicateDestination(const Operand &o) {
  return o.kind == Operand::Kind::Sink ? 1 : predicateSource(o);
}

uint64_t Decoder::immediate(const Operand &o, uint64_t least, uint64_t most) {
  if (o.kind != Operand::Kind::Immediate || o.immediate != Operand::ImmediateKind::Integer ||
      o.bits < least || o.bits > most) {
    failAt(o.location, fmt::format("{}: this operand must be a constant from {} to {}", spelling(),
                                   least, most));
    return least;
  }
  return o.bits;
}

Decoder::Address Decoder::address(const Operand &o, StateSpace space) {
  Address result;
  if (o.kind != Operand::Kind::Address) {
    failAt(o.location,
           fmt::format("{}: this operand must be an address, [register + offset]", spelling()));
    return result;
  }
  if (!o.children.empty())
    failAt(o.location, fmt::format("{}: coordinates do not belong into this address", spelling()));
  result.offset = o.offset;
  if (o.index != Operand::noIndex) {
    uint32_t bits = bitsOfRegister(builder.function->registers[o.index].type);
    if (bits != 32 && bits != 64)
      failAt(o.location, fmt::format("{}: the base of an address must be a 32- or 64-bit register",
                                     spelling()));
    result.base = builder.registerRef(o.index);
    result.wide = bits == 64;
    return result;
  }
  result.wide = true;
  result.base = constant(0, 64);
  if (o.symbol.empty())
    return result;
  const Variable *v = builder.findVariable(o.symbol);
  if (!v) {
    failAt(o.location, fmt::format("{}: '{}' is not a variable", spelling(), o.symbol));
    return result;
  }
  bool fits =
      v->space == space || (space == StateSpace::SharedCluster && v->space == StateSpace::Shared);
  if (!fits)
    failAt(o.location, fmt::format("{}: '{}' lies in .{} memory, the instruction accesses .{}",
                                   spelling(), o.symbol, toString(v->space), toString(space)));
  result.variable = v;
  if (v->space == StateSpace::Shared)
    result.base = builder.sharedAddress(0, 64);
  result.offset += static_cast<int64_t>(builder.offsetOf(*v));
  if (v->space == StateSpace::Global)
    result.offset += static_cast<int64_t>(moduleWindow);
  return result;
}

uint32_t Decoder::appendList(uint32_t word) {
  builder.program.lists.push_back(word);
  return static_cast<uint32_t>(builder.program.lists.size() - 1);
}

uint32_t Decoder::list(std::initializer_list<uint32_t> words) {
  auto start = static_cast<uint32_t>(builder.program.lists.size());
  builder.program.lists.insert(builder.program.lists.end(), words);
  return start;
}

bool Decoder::uniform(const DataType &type, unsigned sources) {
  if (!expectOperands(sources + 1))
    return false;
  op.dst = destination(0, type);
  Ref *refs[3] = {&op.a, &op.b, &op.c};
  for (unsigned i = 0; i < sources; ++i)
    *refs[i] = source(i + 1, type);
  return !wrong;
}

} // namespace msa::ptxsim

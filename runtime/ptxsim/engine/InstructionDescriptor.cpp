#include "ptxsim/engine/InstructionDescriptor.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

namespace msa::ptxsim {

const char *toString(MmaKind kind) {
  static constexpr const char *names[] = {"f16",      "tf32", "f8f6f4",  "i8",
                                          "mxf8f6f4", "mxf4", "mxf4nvf4"};
  return names[static_cast<unsigned>(kind)];
}

namespace {

constexpr uint32_t field(uint32_t bits, unsigned low, unsigned count) {
  return bits >> low & ((1u << count) - 1);
}

/// Codes of operand types by kind (tables 42 to 44).
struct TypeCode {
  MmaType type;
  uint32_t code;
  std::string_view name;
};
constexpr TypeCode f16Codes[] = {{MmaType::F16, 0, "F16"}, {MmaType::BF16, 1, "BF16"}};
constexpr TypeCode tf32Codes[] = {{MmaType::TF32, 2, "TF32"}};
constexpr TypeCode f8f6f4Codes[] = {{MmaType::E4M3, 0, "E4M3"},
                                    {MmaType::E5M2, 1, "E5M2"},
                                    {MmaType::E2M3, 3, "E2M3"},
                                    {MmaType::E3M2, 4, "E3M2"},
                                    {MmaType::E2M1, 5, "E2M1"}};
constexpr TypeCode i8Codes[] = {{MmaType::U8, 0, "U8"}, {MmaType::S8, 1, "S8"}};
constexpr TypeCode fp4Codes[] = {{MmaType::E2M1, 1, "E2M1"}};

std::pair<const TypeCode *, size_t> codesOf(MmaKind kind) {
  switch (kind) {
  case MmaKind::F16:
    return {f16Codes, std::size(f16Codes)};
  case MmaKind::Tf32:
    return {tf32Codes, std::size(tf32Codes)};
  case MmaKind::I8:
    return {i8Codes, std::size(i8Codes)};
  case MmaKind::F8f6f4:
  case MmaKind::Mxf8f6f4:
    return {f8f6f4Codes, std::size(f8f6f4Codes)};
  case MmaKind::Mxf4:
  case MmaKind::Mxf4nvf4:
    break;
  }
  return {fp4Codes, std::size(fp4Codes)};
}

std::optional<MmaType> typeOf(MmaKind kind, uint32_t code) {
  auto [codes, count] = codesOf(kind);
  for (size_t i = 0; i < count; ++i)
    if (codes[i].code == code)
      return codes[i].type;
  return std::nullopt;
}

uint32_t codeOf(MmaKind kind, MmaType type) {
  auto [codes, count] = codesOf(kind);
  for (size_t i = 0; i < count; ++i)
    if (codes[i].type == type)
      return codes[i].code;
  return 0;
}

std::string listTypes(MmaKind kind) {
  auto [codes, count] = codesOf(kind);
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += fmt::format("{}{} ({})", i ? ", " : "", codes[i].code, codes[i].name);
  return text;
}

/// Elements of K that one instruction takes (table 39, dense).
int depthOf(MmaKind kind) {
  switch (kind) {
  case MmaKind::F16:
    return 16;
  case MmaKind::Tf32:
    return 8;
  case MmaKind::Mxf4:
  case MmaKind::Mxf4nvf4:
    return 64;
  default:
    return 32;
  }
}

/// Reads and judges one descriptor; the first thing that is wrong wins.
class Reader {
public:
  Reader(uint32_t bits, const InstructionDescriptor::Context &context, InstructionDescriptor &d,
         std::string &wrong)
      : bits(bits), context(context), kind(context.kind), d(d), wrong(wrong) {}

  bool run() {
    d = InstructionDescriptor();
    readTypes();
    readShape();
    isBlockScaled(kind) ? readScales() : readPlain();
    if (fine)
      judgeTranspose();
    return fine;
  }

private:
  template <typename... Args> void refuse(fmt::format_string<Args...> format, Args &&...args) {
    if (!fine)
      return;
    fine = false;
    wrong = fmt::format("instruction descriptor 0x{:08x} of kind::{}: {}", bits, toString(kind),
                        fmt::format(format, std::forward<Args>(args)...));
  }

  void reserved(unsigned low, unsigned count) {
    if (uint32_t value = field(bits, low, count))
      refuse("bits {}:{} are {}; they are reserved and must be 0", low + count - 1, low, value);
  }

  void readTypes() {
    if (field(bits, 2, 1))
      refuse("bit 2 says sparse, and the instruction is no tcgen05.mma.sp; accepted: 0");
    const bool fp4 = isPackedFp4(kind);
    const std::pair<const char *, uint32_t> codes[] = {{"A", field(bits, 7, 3)},
                                                       {"B", field(bits, 10, fp4 ? 2 : 3)}};
    MmaType *types[] = {&d.a, &d.b};
    for (int i = 0; i < 2; ++i) {
      std::optional<MmaType> type = typeOf(kind, codes[i].second);
      if (!type)
        refuse("the type of {} has code {}; accepted: {}", codes[i].first, codes[i].second,
               listTypes(kind));
      *types[i] = type.value_or(codesOf(kind).first[0].type);
    }
    d.negateA = field(bits, 13, 1);
    d.negateB = field(bits, 14, 1);
    d.transposeA = field(bits, 15, 1);
    d.transposeB = field(bits, 16, 1);
    if (kind == MmaKind::I8 && (d.negateA || d.negateB))
      refuse("integer operands cannot be negated; bits 14:13 must be 0");
  }

  void readShape() {
    d.k = depthOf(kind);
    d.n = static_cast<int>(field(bits, 17, 6)) * 8;
    d.m = isBlockScaled(kind) ? static_cast<int>(field(bits, 27, 2)) * 128
                              : static_cast<int>(field(bits, 24, 5)) * 16;
    const bool pair = context.ctaGroup == 2;
    const bool half = !isBlockScaled(kind) && !pair;
    const bool goodM = pair ? d.m == 128 || d.m == 256 : d.m == 128 || (half && d.m == 64);
    if (!goodM)
      refuse("M is {}; accepted with cta_group::{}: {}", d.m, context.ctaGroup,
             pair   ? "128, 256"
             : half ? "64, 128"
                    : "128");
    int step = pair ? 16 : 8;
    if (kind == MmaKind::I8)
      step = pair ? 32 : d.n > 32 ? 16 : 8;
    if (d.n < (pair ? step : 8) || d.n > 256 || d.n % step != 0)
      refuse("N is {}; accepted with cta_group::{}: {} to 256 in steps of {}", d.n,
             context.ctaGroup, pair ? step : 8, step);
  }

  /// Table 42.
  void readPlain() {
    d.saturate = field(bits, 3, 1);
    if (d.saturate && kind != MmaKind::I8)
      refuse("bit 3 (saturate) is for kind::i8 only");
    reserved(0, 2);
    reserved(6, 1);
    reserved(23, 1);
    reserved(29, 1);
    if (uint32_t shift = field(bits, 30, 2))
      refuse("bits 31:30 (maximum shift) are {}; they belong to tcgen05.mma.ws and must be 0",
             shift);
    const uint32_t code = field(bits, 4, 2);
    const bool half = code == 0 && (kind == MmaKind::F16 || kind == MmaKind::F8f6f4);
    if (kind == MmaKind::I8 ? code != 2 : code != 1 && !half)
      refuse("the type of D has code {}; accepted: {}", code,
             kind == MmaKind::I8     ? "2 (S32)"
             : kind == MmaKind::Tf32 ? "1 (F32)"
                                     : "0 (F16), 1 (F32)");
    d.d = kind == MmaKind::I8 ? MmaType::S32 : half ? MmaType::F16 : MmaType::F32;
    if (half && kind == MmaKind::F16 && (d.a != MmaType::F16 || d.b != MmaType::F16))
      refuse("D is F16 and an operand is BF16; accepted with an F16 result: F16 operands");
  }

  /// Tables 43 and 44.
  void readScales() {
    d.d = MmaType::F32;
    reserved(0, 2);
    reserved(3, 1);
    reserved(6, 1);
    reserved(24, 3);
    d.scaleIdB = static_cast<uint8_t>(field(bits, 4, 2));
    d.scaleIdA = static_cast<uint8_t>(field(bits, 29, 2));
    d.scalesAreE4m3 = field(bits, 23, 1) == 0;
    if (kind == MmaKind::Mxf8f6f4)
      reserved(31, 1);
    else
      reserved(12, 1);
    if (isPackedFp4(kind) && field(bits, 31, 1))
      refuse("bit 31 asks for K = 96, which only sm_103a has; accepted: 0 (K = 64)");
    if (d.scalesAreE4m3 && (kind != MmaKind::Mxf4nvf4 || context.scales != 4))
      refuse("bit 23 says that scale factors are UE4M3; accepted here: 1 (UE8M0); UE4M3 goes with "
             "kind::mxf4nvf4 and .block16 (.scale_vec::4X)");
    const std::pair<const char *, uint8_t> ids[] = {{"SFA_ID", d.scaleIdA}, {"SFB_ID", d.scaleIdB}};
    for (auto [name, id] : ids)
      if (context.scales != 0 && id % context.scales != 0)
        refuse("{} is {}; accepted with {} scale factors a row: {}", name, id, context.scales,
               context.scales == 4 ? "0" : "0, 2");
  }

  void judgeTranspose() {
    if ((d.transposeA || d.transposeB) && isPackedFp4(kind))
      refuse("packed FP4 operands cannot be transposed; bits 16:15 must be 0");
    if (d.transposeA && context.tensorA)
      refuse("A is in tensor memory and cannot be transposed; bit 15 must be 0");
    auto narrow = [](MmaType type) {
      return type == MmaType::E2M1 || type == MmaType::E2M3 || type == MmaType::E3M2;
    };
    if ((d.transposeA && narrow(d.a)) || (d.transposeB && narrow(d.b)))
      refuse("operands of 4 and 6 bits cannot be transposed; bits 16:15 must be 0 for them");
    const bool bytes = kind == MmaKind::I8 || kind == MmaKind::F8f6f4 || kind == MmaKind::Mxf8f6f4;
    const int step = context.ctaGroup == 2 ? 32 : 16;
    if (d.transposeB && bytes && d.n % step != 0)
      refuse("N is {} and B is transposed; accepted with cta_group::{}: multiples of {}", d.n,
             context.ctaGroup, step);
  }

  const uint32_t bits;
  const InstructionDescriptor::Context &context;
  const MmaKind kind;
  InstructionDescriptor &d;
  std::string &wrong;
  bool fine = true;
};

} // namespace

bool InstructionDescriptor::decode(uint32_t bits, const Context &context, InstructionDescriptor &d,
                                   std::string &wrong) {
  return Reader(bits, context, d, wrong).run();
}

uint32_t InstructionDescriptor::encode(MmaKind kind) const {
  auto u = [](auto value) { return static_cast<uint32_t>(value); };
  uint32_t bits = codeOf(kind, a) << 7 | codeOf(kind, b) << 10 | u(negateA) << 13 |
                  u(negateB) << 14 | u(transposeA) << 15 | u(transposeB) << 16 | u(n / 8) << 17;
  if (isBlockScaled(kind))
    return bits | u(scaleIdB) << 4 | u(!scalesAreE4m3) << 23 | u(m / 128) << 27 | u(scaleIdA) << 29;
  const uint32_t code = d == MmaType::S32 ? 2 : d == MmaType::F32 ? 1 : 0;
  return bits | u(saturate) << 3 | code << 4 | u(m / 16) << 24;
}

} // namespace msa::ptxsim

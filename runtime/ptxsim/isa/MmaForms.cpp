//===- MmaForms.cpp - PTX ISA 9.7.14.5.14: the forms of mma.sync ------------------------------===//
//
// Modifiers may come in any order, but for the four types and the two layouts: these
// are told apart by their place. What executes is in Mma.cpp.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/MmaPlan.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/Mma.h"

#include <charconv>

namespace msa::ptxsim {

using namespace numerics;

namespace {

bool parseShape(std::string_view word, MmaShape &shape) {
  size_t n = word.find('n'), k = word.find('k');
  if (word.empty() || word[0] != 'm' || n == std::string_view::npos ||
      k == std::string_view::npos || n > k)
    return false;
  auto number = [&](size_t from, size_t to, int &value) {
    auto [end, error] = std::from_chars(word.data() + from, word.data() + to, value);
    return error == std::errc() && end == word.data() + to;
  };
  return number(1, n, shape.m) && number(n + 1, k, shape.n) && number(k + 1, word.size(), shape.k);
}

/// Refs of an operand's registers; their number.
int appendOperand(Decoder &d, const Operand &o, int bits, bool destination) {
  DataType type = *dataTypeFromWord(bits == 64 ? "b64" : "b32");
  auto take = [&](const Operand &one) {
    d.appendList(destination ? d.destination(one, type) : d.source(one, type));
  };
  if (o.kind != Operand::Kind::Vector) {
    take(o);
    return 1;
  }
  for (const Operand &child : o.children)
    take(child);
  return static_cast<int>(o.children.size());
}

/// Fills layouts from shape and types; false if the combination does not exist.
bool layOut(MmaPlan &plan, bool rowA, bool rowB) {
  if (plan.kind == MmaPlan::Kind::Quads) {
    int bitsC = plan.typeC == MmaType::F16 ? 16 : 32, bitsD = plan.typeD == MmaType::F16 ? 16 : 32;
    for (int i = 0; i < 4; ++i)
      plan.quads.push_back({quadFragment(MmaOperand::A, !rowA, i, 16),
                            quadFragment(MmaOperand::B, !rowB, i, 16),
                            quadFragment(MmaOperand::C, false, i, bitsC),
                            quadFragment(MmaOperand::C, false, i, bitsD)});
    plan.registersA = plan.registersB = 2;
    plan.registersC = bitsC == 16 ? 4 : 8;
    plan.registersD = bitsD == 16 ? 4 : 8;
    return true;
  }
  auto a = mmaFragment(plan.shape, MmaOperand::A, operandBits(plan, plan.typeA)),
       b = mmaFragment(plan.shape, MmaOperand::B, operandBits(plan, plan.typeB));
  auto c = mmaFragment(plan.shape, MmaOperand::C, bitsOf(plan.typeC)),
       d = mmaFragment(plan.shape, MmaOperand::C, bitsOf(plan.typeD));
  if (!a || !b || !c || !d || !rowA || rowB)
    return false;
  plan.a = *a;
  plan.b = *b;
  plan.c = *c;
  plan.d = *d;
  plan.registersA = a->registers;
  plan.registersB = b->registers;
  plan.registersC = c->registers;
  plan.registersD = d->registers;
  return true;
}

/// Takes .kind::*, .block_scale and .scale_vec::*; false (with a message) if they do not fit.
bool takeKind(Decoder &d, MmaPlan &plan, std::string_view &kind) {
  constexpr std::string_view kinds[] = {"kind::f8f6f4", "kind::mxf8f6f4", "kind::mxf4",
                                        "kind::mxf4nvf4"};
  for (std::string_view word : kinds)
    if (d.take(word))
      kind = word;
  const bool scaled = d.take("block_scale");
  int size = 0;
  for (int blocks : {1, 2, 4})
    if (d.take(blocks == 1 ? "scale_vec::1X" : blocks == 2 ? "scale_vec::2X" : "scale_vec::4X"))
      size = blocks;
  if (!scaled)
    return (size == 0 && (kind.empty() || kind == kinds[0])) ||
           (d.fail("{}: this kind needs .block_scale", d.spelling()), false);
  d.require(87, 120, "block scaling");
  plan.denseFp4 = kind == kinds[2] || kind == kinds[3];
  const bool fits = kind == kinds[1]   ? size <= 1
                    : kind == kinds[2] ? size == 0 || size == 2
                                       : kind == kinds[3] && size >= 2;
  if (!fits)
    return d.fail("{}: accepted with .block_scale: .kind::mxf8f6f4 (.scale_vec::1X), .kind::mxf4 "
                  "(.scale_vec::2X), .kind::mxf4nvf4 with .scale_vec::2X or .scale_vec::4X",
                  d.spelling()),
           false;
  plan.scaleBlocks = size != 0 ? size : plan.denseFp4 ? 2 : 1;
  return true;
}

/// Takes the type of the scale factors.
bool takeScaleType(Decoder &d, MmaPlan &plan, std::string_view kind) {
  const bool nvidia = kind == "kind::mxf4nvf4";
  if (d.take("ue4m3"))
    plan.scaleFormat = ScaleFormat::UE4M3;
  else if (!d.take("ue8m0"))
    return d.fail("{}: the type of the scale factors (.ue8m0{}) is missing", d.spelling(),
                  nvidia ? ", .ue4m3" : ""),
           false;
  if (plan.scaleFormat == ScaleFormat::UE4M3 && !(nvidia && plan.scaleBlocks == 4))
    return d.fail("{}: .ue4m3 needs .kind::mxf4nvf4.scale_vec::4X", d.spelling()), false;
  if (plan.scaleFormat == ScaleFormat::UE8M0 && plan.scaleBlocks == 4)
    d.require(91, 120, ".scale_vec::4X of .ue8m0");
  return true;
}

/// scale-data, {byte-id, thread-id} of A or B.
bool appendScales(Decoder &d, unsigned first, const MmaPlan &plan, bool isA) {
  const Operand *data = &d.operand(first), &selectors = d.operand(first + 1);
  if (data->kind == Operand::Kind::Vector && data->children.size() == 1)
    data = &data->children.front();
  if (selectors.kind != Operand::Kind::Vector || selectors.children.size() != 2)
    return d.fail("{}: operand {} is a pair {{byte-id, thread-id}}", d.spelling(), first + 2),
           false;
  d.appendList(d.source(*data, *dataTypeFromWord("b32")));
  const auto blocks = static_cast<uint64_t>(plan.scaleBlocks);
  const uint64_t most[] = {4 - blocks, isA ? 1u : 3u}, step[] = {blocks, 1};
  for (size_t i = 0; i < 2; ++i) {
    const Operand &selector = selectors.children[i];
    if (d.isImmediate(selector) && d.immediate(selector, 0, most[i]) % step[i] != 0)
      d.fail("{}: byte-id is a multiple of {}", d.spelling(), step[i]);
    d.appendList(d.source(selector, *dataTypeFromWord("u16")));
  }
  return !d.failed();
}

/// The versions that a type of operand needs.
void requireType(Decoder &d, MmaType type, const MmaShape &shape, std::string_view kind) {
  switch (type) {
  case MmaType::BF16:
  case MmaType::TF32:
    d.require(70, 80, "this type");
    break;
  case MmaType::F64:
    d.require(shape.m == 16 ? 78 : 70, shape.m == 16 ? 90 : 80, "this type");
    break;
  case MmaType::E4M3:
  case MmaType::E5M2:
    d.require(84, 89, "FP8");
    break;
  case MmaType::E3M2:
  case MmaType::E2M3:
  case MmaType::E2M1:
    if (d.require(87, 120, "FP6 and FP4") && kind.empty())
      d.fail("{}: FP6 and FP4 need .kind::f8f6f4, or a kind with .block_scale", d.spelling());
    break;
  case MmaType::S4:
  case MmaType::U4:
  case MmaType::S8:
  case MmaType::U8:
  case MmaType::B1:
    d.require(65, 75, "integer operands");
    break;
  default:
    break;
  }
}

} // namespace

bool decodeMma(Decoder &d) {
  if (d.has("sp") || d.has("sp::ordered_metadata"))
    return d.failLater("sparse products");
  bool aligned = d.take("sync") && d.take("aligned");
  auto plan = std::make_shared<MmaPlan>();
  std::string_view kind;
  if (!takeKind(d, *plan, kind))
    return true;
  std::string_view shapeWord = d.takeNext();
  if (!aligned || !parseShape(shapeWord, plan->shape))
    return d.fail("{}: accepted: mma.sync.aligned.mXnYkZ", d.spelling());
  // By position: the two words may be in either order.
  std::string_view layoutA = d.takeNext(), layoutB = d.takeNext();
  if ((layoutA != "row" && layoutA != "col") || (layoutB != "row" && layoutB != "col"))
    return d.fail("{}: the layouts of A and B (.row, .col) are missing", d.spelling());
  plan->satfinite = d.take("satfinite");
  if (d.take("popc"))
    plan->isXor = d.take("xor") || !d.take("and");
  plan->rounding = static_cast<Rounding>(d.takeRounding().value_or(0));
  MmaType *types[] = {&plan->typeD, &plan->typeA, &plan->typeB, &plan->typeC};
  for (MmaType *type : types)
    if (auto found = mmaTypeFromWord(d.takeNext()))
      *type = *found;
    else
      return d.fail("{}: four types, of D, A, B and C, are needed", d.spelling());
  const bool scaled = plan->scaleBlocks != 0;
  if (scaled && !takeScaleType(d, *plan, kind))
    return true;
  if (kind == "kind::f8f6f4" && (bitsOf(plan->typeA) != 8 || plan->shape.k != 32))
    return d.fail("{}: .kind::f8f6f4 is for FP8, FP6 and FP4 and m16n8k32", d.spelling());
  if (!choosePlan(*plan) || !layOut(*plan, layoutA == "row", layoutB == "row"))
    return d.fail("{}: there is no product of this shape and these types", d.spelling());
  requireType(d, plan->typeA, plan->shape, kind);
  requireType(d, plan->typeB, plan->shape, kind);
  if (!d.expectOperands(scaled ? 8 : 4))
    return true;
  bool wide = plan->kind == MmaPlan::Kind::Doubles;
  int bits = wide ? 64 : 32,
      counts[] = {plan->registersD, plan->registersA, plan->registersB, plan->registersC};
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  for (unsigned i = 0; i < 4; ++i)
    if (appendOperand(d, d.operand(i), bits, i == 0) != counts[i])
      return d.failed() ||
             d.fail("{}: operand {} takes {} registers", d.spelling(), "DABC"[i], counts[i]);
  if (scaled && !(appendScales(d, 4, *plan, true) && appendScales(d, 6, *plan, false)))
    return true;
  d.op.count = d.program().addPlan(std::move(plan));
  d.set(&multiplyMatrices, OpClass::Matrix);
  return true;
}

} // namespace msa::ptxsim

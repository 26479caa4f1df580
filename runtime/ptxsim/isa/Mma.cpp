//===- Mma.cpp - PTX ISA 9.7.14.5: mma.sync --------------------------------------------------===//
//
// Operands are gathered from the lanes' registers into row-major panels, multiplied
// by numerics/Mma.h (fast: FP32 order; exact: the tensor core's own sums) and
// scattered back. Where elements live is asked from numerics/Fragments.h once, at
// decoding.
//
// Uninitialised operands: an uninitialised element of A taints its row of the
// result, one of B its column, one of C itself. So a short tile may be multiplied
// as it is, as long as nobody uses the rows that were not loaded (X4).
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/Mma.h"
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/MmaPlan.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace msa::ptxsim {

using namespace numerics;

namespace {

constexpr int mostElements = 16 * 256; // A of m16n8k256

const MmaPlan &planOf(const Warp &w, const Op &op) { return *w.program->mmaPlans[op.count]; }

bool isFp8(MmaType type) { return type == MmaType::E4M3 || type == MmaType::E5M2; }

ProductKind productKindOf(const MmaPlan &plan) {
  switch (plan.kind) {
  case MmaPlan::Kind::Integers:
    return ProductKind::Integer;
  case MmaPlan::Kind::Bits:
    return ProductKind::Bits;
  case MmaPlan::Kind::Doubles:
    return ProductKind::F64;
  case MmaPlan::Kind::Floats:
  case MmaPlan::Kind::Quads:
    break;
  }
  return plan.typeA == MmaType::TF32                                 ? ProductKind::Tf32
         : plan.typeA == MmaType::F16 || plan.typeA == MmaType::BF16 ? ProductKind::F16
                                                                     : ProductKind::Fp8;
}

/// One element's bits out of the operand's registers.
uint32_t elementBits(const Warp &w, const uint32_t *refs, FragmentSlot slot, int bits) {
  uint32_t word = w.cells<uint32_t>(refs[slot.reg])[slot.lane] >> slot.shift;
  return bits == 32 ? word : word & ((1u << bits) - 1);
}

float decodeElement(MmaType type, uint32_t bits) {
  switch (type) {
  case MmaType::F16:
    return f16ToF32(static_cast<uint16_t>(bits));
  case MmaType::BF16:
    return bf16ToF32(static_cast<uint16_t>(bits));
  case MmaType::TF32:
    return decode(SmallFloat::TF32, bits);
  case MmaType::F32:
    return floatOf(bits);
  case MmaType::E2M1:
    // 8-bit containers hold FP4 in bits 5:2 (PTX ISA 9.7.14.5).
    return decode(SmallFloat::E2M1, (bits >> 2) & 0xF);
  default:
    return decode(smallFloatOf(type), bits);
  }
}

void gatherFloats(const Warp &w, const uint32_t *refs, const FragmentLayout &layout, MmaType type,
                  float *panel) {
  for (size_t i = 0; i < layout.slots.size(); ++i)
    panel[i] = decodeElement(type, elementBits(w, refs, layout.slots[i], layout.bits));
}

void scatterFloats(Warp &w, const uint32_t *refs, const FragmentLayout &layout, MmaType type,
                   const float *panel) {
  for (size_t i = 0; i < layout.slots.size(); ++i) {
    FragmentSlot slot = layout.slots[i];
    uint32_t &word = w.cells<uint32_t>(refs[slot.reg])[slot.lane];
    if (type == MmaType::F32) {
      word = bitsOf(canonical(panel[i]));
      continue;
    }
    uint32_t field = 0xFFFFu << slot.shift;
    word = (word & ~field) | uint32_t{f32ToF16(panel[i])} << slot.shift;
  }
}

//===----------------------------------------------------------------------===//
// Taint
//===----------------------------------------------------------------------===//

/// Rows (or columns) of an operand that hold an uninitialised element.
uint32_t taintedLines(const Warp &w, const uint32_t *refs, const FragmentLayout &layout,
                      bool rows) {
  uint32_t any = 0, lines = 0;
  for (int r = 0; r < layout.registers; ++r)
    any |= w.taintOf(refs[r]);
  if (any == 0)
    return 0;
  for (int row = 0; row < layout.rows; ++row)
    for (int col = 0; col < layout.cols; ++col) {
      const FragmentSlot &slot = layout.at(row, col);
      if ((w.taintOf(refs[slot.reg]) >> slot.lane) & 1)
        lines |= 1u << (rows ? row : col);
    }
  return lines;
}

void taintResult(Warp &w, const MmaPlan &plan, const uint32_t *d, const uint32_t *c, uint32_t rows,
                 uint32_t columns) {
  uint32_t taint[8] = {};
  for (int r = 0; r < plan.c.registers; ++r)
    taint[r] = w.taintOf(c[r]);
  if (rows | columns)
    for (int row = 0; row < plan.c.rows; ++row)
      for (int col = 0; col < plan.c.cols; ++col)
        if (((rows >> row) & 1) || ((columns >> col) & 1))
          taint[plan.c.at(row, col).reg] |= 1u << plan.c.at(row, col).lane;
  for (int r = 0; r < plan.c.registers; ++r)
    w.setTaint(d[r], fullMask, taint[r]);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void multiplyFloats(Warp &w, const MmaPlan &plan, const uint32_t *d, const uint32_t *a,
                    const uint32_t *b, const uint32_t *c) {
  alignas(64) float pa[mostElements], pb[mostElements], pd[16 * 8];
  gatherFloats(w, a, plan.a, plan.typeA, pa);
  gatherFloats(w, b, plan.b, plan.typeB, pb);
  gatherFloats(w, c, plan.c, plan.typeC, pd);
  GemmSize size{plan.shape.m, plan.shape.n, plan.shape.k};
  if (w.cta->launch->sumsExactly(isFp8(plan.typeA) || isFp8(plan.typeB))) {
    bool half = plan.typeD == MmaType::F16;
    gemmExact(exactRule(w.cta->launch->sm, TensorUnit::WarpMma, smallFloatOf(plan.typeA),
                        smallFloatOf(plan.typeB), plan.shape.k, half),
              size, pa, pb, pd);
  } else {
    gemmFast(size, pa, pb, pd);
  }
  scatterFloats(w, d, plan.d, plan.typeD, pd);
}

void multiplyIntegers(Warp &w, const MmaPlan &plan, const uint32_t *d, const uint32_t *a,
                      const uint32_t *b, const uint32_t *c) {
  int32_t pa[mostElements], pb[mostElements], pd[16 * 8];
  auto gather = [&](const uint32_t *refs, const FragmentLayout &layout, MmaType type,
                    int32_t *panel) {
    bool isSigned = type == MmaType::S8 || type == MmaType::S4;
    for (size_t i = 0; i < layout.slots.size(); ++i) {
      uint32_t bits = elementBits(w, refs, layout.slots[i], layout.bits);
      int unused = 32 - layout.bits;
      panel[i] =
          isSigned ? static_cast<int32_t>(bits << unused) >> unused : static_cast<int32_t>(bits);
    }
  };
  gather(a, plan.a, plan.typeA, pa);
  gather(b, plan.b, plan.typeB, pb);
  for (size_t i = 0; i < plan.c.slots.size(); ++i)
    pd[i] = static_cast<int32_t>(elementBits(w, c, plan.c.slots[i], 32));
  gemmInteger({plan.shape.m, plan.shape.n, plan.shape.k}, pa, pb, pd, plan.satfinite);
  for (size_t i = 0; i < plan.d.slots.size(); ++i)
    w.cells<uint32_t>(d[plan.d.slots[i].reg])[plan.d.slots[i].lane] = static_cast<uint32_t>(pd[i]);
}

void multiplyBits(Warp &w, const MmaPlan &plan, const uint32_t *d, const uint32_t *a,
                  const uint32_t *b, const uint32_t *c) {
  const int words = plan.shape.k / 32;
  uint32_t pa[16 * 8], pb[8 * 8];
  int32_t pd[16 * 8];
  for (int row = 0; row < plan.shape.m; ++row)
    for (int word = 0; word < words; ++word)
      pa[row * words + word] = elementBits(w, a, plan.a.at(row, 32 * word), 32);
  for (int col = 0; col < plan.shape.n; ++col)
    for (int word = 0; word < words; ++word)
      pb[col * words + word] = elementBits(w, b, plan.b.at(32 * word, col), 32);
  for (size_t i = 0; i < plan.c.slots.size(); ++i)
    pd[i] = static_cast<int32_t>(elementBits(w, c, plan.c.slots[i], 32));
  gemmBits(plan.shape.m, plan.shape.n, words, pa, pb, pd, plan.isXor);
  for (size_t i = 0; i < plan.d.slots.size(); ++i)
    w.cells<uint32_t>(d[plan.d.slots[i].reg])[plan.d.slots[i].lane] = static_cast<uint32_t>(pd[i]);
}

void multiplyDoubles(Warp &w, const MmaPlan &plan, const uint32_t *d, const uint32_t *a,
                     const uint32_t *b, const uint32_t *c) {
  double pa[16 * 16], pb[16 * 8], pd[16 * 8];
  auto gather = [&](const uint32_t *refs, const FragmentLayout &layout, double *panel) {
    for (size_t i = 0; i < layout.slots.size(); ++i)
      panel[i] = doubleOf(w.cells<uint64_t>(refs[layout.slots[i].reg])[layout.slots[i].lane]);
  };
  gather(a, plan.a, pa);
  gather(b, plan.b, pb);
  gather(c, plan.c, pd);
  gemmF64({plan.shape.m, plan.shape.n, plan.shape.k}, pa, pb, pd, plan.rounding);
  for (size_t i = 0; i < plan.d.slots.size(); ++i)
    w.cells<uint64_t>(d[plan.d.slots[i].reg])[plan.d.slots[i].lane] = bitsOf(pd[i]);
}

/// m8n8k4 of f16: four products of eight lanes each.
void multiplyQuads(Warp &w, const MmaPlan &plan, const uint32_t *d, const uint32_t *a,
                   const uint32_t *b, const uint32_t *c) {
  float pd[4][64];
  for (int i = 0; i < 4; ++i) {
    const MmaQuad &quad = plan.quads[static_cast<size_t>(i)];
    float pa[32], pb[32];
    gatherFloats(w, a, quad.a, MmaType::F16, pa);
    gatherFloats(w, b, quad.b, MmaType::F16, pb);
    gatherFloats(w, c, quad.c, plan.typeC, pd[i]);
    gemmFast({8, 8, 4}, pa, pb, pd[i]);
  }
  for (int i = 0; i < 4; ++i)
    scatterFloats(w, d, plan.quads[static_cast<size_t>(i)].d, plan.typeD, pd[i]);
}

Flow multiply(Warp &w, const Op &op, uint32_t mask) {
  if (mask != w.alive && w.cta->launch->checks.on(Check::X1)) {
    w.need = w.alive;
    return Flow::Converge;
  }
  const MmaPlan &plan = planOf(w, op);
  const uint32_t *d = &w.program->lists[op.target], *a = d + plan.registersD,
                 *b = a + plan.registersA, *c = b + plan.registersB;
  w.cta->tally.countProduct(productKindOf(plan),
                            static_cast<unsigned>(plan.shape.m * plan.shape.n * plan.shape.k) *
                                (plan.kind == MmaPlan::Kind::Quads ? 4 : 1));
  uint32_t anyTaint = 0;
  for (int i = 0; i < plan.registersA + plan.registersB + plan.registersC; ++i)
    anyTaint |= w.taintOf(a[i]);
  uint32_t rows = 0, columns = 0;
  bool quads = plan.kind == MmaPlan::Kind::Quads;
  if (anyTaint && !quads) {
    rows = taintedLines(w, a, plan.a, true);
    columns = taintedLines(w, b, plan.b, false);
    taintResult(w, plan, d, c, rows, columns);
  } else {
    for (int i = 0; i < plan.registersD; ++i)
      w.setTaint(d[i], fullMask, anyTaint ? fullMask : 0);
  }
  switch (plan.kind) {
  case MmaPlan::Kind::Floats:
    multiplyFloats(w, plan, d, a, b, c);
    break;
  case MmaPlan::Kind::Integers:
    multiplyIntegers(w, plan, d, a, b, c);
    break;
  case MmaPlan::Kind::Bits:
    multiplyBits(w, plan, d, a, b, c);
    break;
  case MmaPlan::Kind::Doubles:
    multiplyDoubles(w, plan, d, a, b, c);
    break;
  case MmaPlan::Kind::Quads:
    multiplyQuads(w, plan, d, a, b, c);
    break;
  }
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

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
  auto a = mmaFragment(plan.shape, MmaOperand::A, bitsOf(plan.typeA)),
       b = mmaFragment(plan.shape, MmaOperand::B, bitsOf(plan.typeB));
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

/// The versions that a type of operand needs.
void requireType(Decoder &d, MmaType type, const MmaShape &shape) {
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
    d.require(87, 120, "FP6 and FP4");
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
  if (d.has("block_scale"))
    return d.failLater("block-scaled products");
  bool aligned = d.take("sync") && d.take("aligned");
  auto plan = std::make_shared<MmaPlan>();
  std::string_view shapeWord = d.takeNext();
  if (!aligned || !parseShape(shapeWord, plan->shape))
    return d.fail("{}: accepted: mma.sync.aligned.mXnYkZ", d.spelling());
  // By position: the two words may be in either order.
  std::string_view layoutA = d.takeNext(), layoutB = d.takeNext();
  if ((layoutA != "row" && layoutA != "col") || (layoutB != "row" && layoutB != "col"))
    return d.fail("{}: the layouts of A and B (.row, .col) are missing", d.spelling());
  d.take("kind::f8f6f4");
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
  if (!choosePlan(*plan) || !layOut(*plan, layoutA == "row", layoutB == "row"))
    return d.fail("{}: there is no product of this shape and these types", d.spelling());
  requireType(d, plan->typeA, plan->shape);
  requireType(d, plan->typeB, plan->shape);
  if (!d.expectOperands(4))
    return true;
  bool wide = plan->kind == MmaPlan::Kind::Doubles;
  int bits = wide ? 64 : 32,
      counts[] = {plan->registersD, plan->registersA, plan->registersB, plan->registersC};
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  for (unsigned i = 0; i < 4; ++i)
    if (appendOperand(d, d.operand(i), bits, i == 0) != counts[i])
      return d.failed() ||
             d.fail("{}: operand {} takes {} registers", d.spelling(), "DABC"[i], counts[i]);
  d.op.count = d.program().addPlan(std::move(plan));
  d.set(&multiply, OpClass::Matrix);
  return true;
}

} // namespace msa::ptxsim

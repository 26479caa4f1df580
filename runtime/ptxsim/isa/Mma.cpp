//===- Mma.cpp - PTX ISA 9.7.14.5: mma.sync --------------------------------------------------===//
//
// Operands are gathered from the lanes' registers into row-major panels, multiplied
// by numerics/Mma.h (fast: FP32 order; exact: the tensor core's own sums) and
// scattered back. Decoding is in MmaForms.cpp.
//
// A register of all lanes, in lane order, is eight rows (columns of B) of 16 bytes
// along k: lane 4g + t has bytes 4t to 4t + 3 of row g (PTX ISA 9.7.14.5.x; the same
// for all shapes but m8n8k4 of f16). So operands are gathered in runs of 16 bytes and
// decoded as rows of memory are. The accumulator has two neighbouring columns of a
// row in registers 2i and 2i + 1, or in the halves of one register.
//
// Uninitialised operands: an uninitialised element of A taints its row of the
// result, one of B its column, one of C itself. So a short tile may be multiplied
// as it is, as long as nobody uses the rows that were not loaded (X4).
//
//===----------------------------------------------------------------------===//
#include "ptxsim/isa/Mma.h"
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/MmaPlan.h"
#include "ptxsim/numerics/Mma.h"
#include "ptxsim/numerics/Panels.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace msa::ptxsim {

using namespace numerics;

namespace {

/// Largest operands: A of m16n8k256 in bytes; A of m16n8k64 in elements.
constexpr int mostBytes = 16 * 32, mostElements = 16 * 64, mostResults = 16 * 8;

const MmaPlan &planOf(const Warp &w, const Op &op) { return *w.program->mmaPlans[op.count]; }

bool isFp8(MmaType type) { return type == MmaType::E4M3 || type == MmaType::E5M2; }

ProductKind productKindOf(const MmaPlan &plan) {
  if (plan.scaleBlocks != 0)
    return plan.denseFp4 ? ProductKind::Mxfp4 : ProductKind::Mxfp8;
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

/// The lists of an instruction's registers.
struct Registers {
  const Ref *d, *a, *b, *c, *scales;

  Registers(const Warp &w, const Op &op, const MmaPlan &plan)
      : d(&w.program->lists[op.target]), a(d + plan.registersD), b(a + plan.registersA),
        c(b + plan.registersB), scales(c + plan.registersC) {}
};

//===----------------------------------------------------------------------===//
// Gathering and scattering
//===----------------------------------------------------------------------===//

/// Rows of an operand (for B: columns), `rowBytes` bytes along k each.
struct Rows {
  int count, rowBytes;
  alignas(64) uint8_t bytes[mostBytes];
};

void gatherRows(const Warp &w, const Ref *refs, int registers, int count, Rows &rows) {
  const int groups = count / 8;
  rows.count = count;
  rows.rowBytes = 16 * registers / groups;
  for (int r = 0; r < registers; ++r) {
    const uint32_t *cells = w.cells<uint32_t>(refs[r]);
    uint8_t *to = rows.bytes + 8 * (r % groups) * rows.rowBytes + 16 * (r / groups);
    for (int g = 0; g < 8; ++g)
      std::memcpy(to + g * rows.rowBytes, cells + 4 * g, 16);
  }
}

void decodeRows(const MmaPlan &plan, MmaType type, const Rows &rows, bool transposed,
                float *panel) {
  const Packing packing = plan.denseFp4 || bitsOf(type) > 8 ? Packing::Dense : Packing::Byte;
  decodePanel(smallFloatOf(type), packing, rows.bytes, rows.count, rows.rowBytes, transposed,
              panel);
}

void decodeRows(MmaType type, Rows &rows, bool transposed, int32_t *panel) {
  const bool isSigned = type == MmaType::S8 || type == MmaType::S4;
  if (bitsOf(type) == 4) { // to bytes, from the last one on
    for (int i = rows.count * rows.rowBytes - 1; i >= 0; --i) {
      const uint8_t both = rows.bytes[i];
      const auto low = static_cast<int8_t>(both << 4), high = static_cast<int8_t>(both & 0xF0);
      rows.bytes[2 * i] = static_cast<uint8_t>(isSigned ? low >> 4 : both & 15);
      rows.bytes[2 * i + 1] = static_cast<uint8_t>(isSigned ? high >> 4 : both >> 4);
    }
    rows.rowBytes *= 2;
  }
  decodeBytes(isSigned, rows.bytes, rows.count, rows.rowBytes, transposed, panel);
}

/// An accumulator of 32-bit elements: a panel of m x 8.
void gatherWords(const Warp &w, const Ref *refs, int registers, uint32_t *panel) {
  for (int r = 0; r < registers; r += 2) {
    const uint32_t *even = w.cells<uint32_t>(refs[r]), *odd = w.cells<uint32_t>(refs[r + 1]);
    for (int lane = 0; lane < 32; ++lane) {
      panel[32 * r + 2 * lane] = even[lane];
      panel[32 * r + 2 * lane + 1] = odd[lane];
    }
  }
}

void scatterWords(Warp &w, const Ref *refs, int registers, const uint32_t *panel) {
  for (int r = 0; r < registers; r += 2) {
    uint32_t *even = w.cells<uint32_t>(refs[r]), *odd = w.cells<uint32_t>(refs[r + 1]);
    for (int lane = 0; lane < 32; ++lane) {
      even[lane] = panel[32 * r + 2 * lane];
      odd[lane] = panel[32 * r + 2 * lane + 1];
    }
  }
}

/// An accumulator of f16: register r has rows 8r to 8r + 7.
void gatherHalves(const Warp &w, const Ref *refs, int registers, float *panel) {
  for (int r = 0; r < registers; ++r) {
    const uint32_t *cells = w.cells<uint32_t>(refs[r]);
    for (int lane = 0; lane < 32; ++lane) {
      panel[64 * r + 2 * lane] = f16ToF32(static_cast<uint16_t>(cells[lane]));
      panel[64 * r + 2 * lane + 1] = f16ToF32(static_cast<uint16_t>(cells[lane] >> 16));
    }
  }
}

void scatterHalves(Warp &w, const Ref *refs, int registers, const float *panel) {
  for (int r = 0; r < registers; ++r) {
    uint32_t *cells = w.cells<uint32_t>(refs[r]);
    for (int lane = 0; lane < 32; ++lane)
      cells[lane] = uint32_t{f32ToF16(panel[64 * r + 2 * lane])} |
                    uint32_t{f32ToF16(panel[64 * r + 2 * lane + 1])} << 16;
  }
}

//===----------------------------------------------------------------------===//
// Taint
//===----------------------------------------------------------------------===//

/// Rows (or columns) of an operand that hold an uninitialised element.
uint32_t taintedLines(const Warp &w, const Ref *refs, const FragmentLayout &layout, bool rows) {
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

void taintResult(Warp &w, const MmaPlan &plan, const Registers &r, uint32_t rows,
                 uint32_t columns) {
  uint32_t taint[8] = {};
  for (int i = 0; i < plan.c.registers; ++i)
    taint[i] = w.taintOf(r.c[i]);
  if (rows | columns)
    for (int row = 0; row < plan.c.rows; ++row)
      for (int col = 0; col < plan.c.cols; ++col)
        if (((rows >> row) & 1) || ((columns >> col) & 1))
          taint[plan.c.at(row, col).reg] |= 1u << plan.c.at(row, col).lane;
  for (int i = 0; i < plan.c.registers; ++i)
    w.setTaint(r.d[i], fullMask, taint[i]);
}

//===----------------------------------------------------------------------===//
// Block scaling, 9.7.14.3
//===----------------------------------------------------------------------===//

/// The factors of one operand's rows (columns of B) and those that are uninitialised.
struct Factors {
  std::array<uint8_t, 16 * 4> codes{};
  uint32_t tainted = 0;
};

/// Reads a selector; traps if it is not one of `step` times 0 .. count - 1.
Flow readSelector(Warp &w, Ref ref, uint32_t count, uint32_t step, const char *name,
                  uint32_t &value) {
  value = w.cells<uint32_t>(ref)[0] & 0xFFFF;
  const uint32_t most = (count - 1) * step;
  if (value <= most && value % step == 0)
    return Flow::Next;
  return w.trapAlways(
      "X7", 0,
      fmt::format("{} is {}; the values of this form are 0{}", name, value,
                  count == 1 ? std::string() : fmt::format(" to {} in steps of {}", most, step)));
}

/// Lanes 4g + 2 * thread-id-a (+ 1) have the factors of rows g (and g + 8) of A, lanes
/// 4g + thread-id-b those of column g of B.
Flow gatherFactors(Warp &w, const MmaPlan &plan, const Ref *refs, bool isA, Factors &factors) {
  const auto blocks = static_cast<uint32_t>(plan.scaleBlocks);
  uint32_t byte = 0, thread = 0;
  if (readSelector(w, refs[1], 4 / blocks, blocks, isA ? "byte-id-a" : "byte-id-b", byte) ==
          Flow::Trap ||
      readSelector(w, refs[2], isA ? 2 : 4, 1, isA ? "thread-id-a" : "thread-id-b", thread) ==
          Flow::Trap)
    return Flow::Trap;
  const uint32_t *cells = w.cells<uint32_t>(refs[0]);
  const uint32_t taint =
      w.taintOf(refs[0]) | ((w.taintOf(refs[1]) | w.taintOf(refs[2])) & 1 ? fullMask : 0);
  for (uint32_t line = 0; line < (isA ? 16u : 8u); ++line) {
    const uint32_t lane = isA ? 4 * (line % 8) + 2 * thread + line / 8 : 4 * line + thread;
    for (uint32_t i = 0; i < blocks; ++i)
      factors.codes[line * blocks + i] = static_cast<uint8_t>(cells[lane] >> (8 * (byte + i)));
    factors.tainted |= ((taint >> lane) & 1) << line;
  }
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void multiplyFloats(Warp &w, const MmaPlan &plan, const Registers &r, const Factors &fa,
                    const Factors &fb) {
  alignas(64) float pa[mostElements], pb[mostElements], pd[mostResults];
  Rows rows;
  gatherRows(w, r.a, plan.registersA, plan.shape.m, rows);
  decodeRows(plan, plan.typeA, rows, false, pa);
  gatherRows(w, r.b, plan.registersB, 8, rows);
  decodeRows(plan, plan.typeB, rows, true, pb);
  const bool half = plan.typeD == MmaType::F16;
  uint32_t words[mostResults];
  if (half) {
    gatherHalves(w, r.c, plan.registersC, pd);
  } else {
    gatherWords(w, r.c, plan.registersC, words);
    std::memcpy(pd, words, sizeof(pd));
  }
  const GemmSize size{plan.shape.m, plan.shape.n, plan.shape.k};
  const Launch &launch = *w.cta->launch;
  const SmallFloat typeA = smallFloatOf(plan.typeA), typeB = smallFloatOf(plan.typeB);
  const bool exact = launch.sumsExactly(isFp8(plan.typeA) || isFp8(plan.typeB));
  if (plan.scaleBlocks != 0) {
    const ScaleFactors factors{plan.scaleFormat, plan.scaleBlocks, fa.codes.data(),
                               fb.codes.data()};
    if (exact)
      gemmScaledExact(size, typeA, typeB, pa, pb, factors, pd);
    else
      gemmScaledFast(size, pa, pb, factors, pd);
  } else if (exact) {
    gemmExact(exactRule(launch.sm, TensorUnit::WarpMma, typeA, typeB, plan.shape.k, half), size, pa,
              pb, pd);
  } else {
    gemmFast(size, pa, pb, pd);
  }
  if (half) {
    scatterHalves(w, r.d, plan.registersD, pd);
    return;
  }
  std::memcpy(words, pd, sizeof(pd));
  scatterWords(w, r.d, plan.registersD, words);
}

void multiplyIntegers(Warp &w, const MmaPlan &plan, const Registers &r) {
  int32_t pa[mostElements], pb[mostElements], pd[mostResults];
  uint32_t words[mostResults];
  Rows rows;
  gatherRows(w, r.a, plan.registersA, plan.shape.m, rows);
  decodeRows(plan.typeA, rows, false, pa);
  gatherRows(w, r.b, plan.registersB, 8, rows);
  decodeRows(plan.typeB, rows, true, pb);
  gatherWords(w, r.c, plan.registersC, words);
  std::memcpy(pd, words, sizeof(pd));
  gemmInteger({plan.shape.m, plan.shape.n, plan.shape.k}, pa, pb, pd, plan.satfinite);
  std::memcpy(words, pd, sizeof(pd));
  scatterWords(w, r.d, plan.registersD, words);
}

void multiplyBits(Warp &w, const MmaPlan &plan, const Registers &r) {
  uint32_t pa[mostBytes / 4], pb[mostBytes / 4], words[mostResults];
  int32_t pd[mostResults];
  Rows rows;
  gatherRows(w, r.a, plan.registersA, plan.shape.m, rows);
  std::memcpy(pa, rows.bytes, sizeof(pa));
  gatherRows(w, r.b, plan.registersB, 8, rows);
  std::memcpy(pb, rows.bytes, sizeof(pb));
  gatherWords(w, r.c, plan.registersC, words);
  std::memcpy(pd, words, sizeof(pd));
  gemmBits(plan.shape.m, plan.shape.n, plan.shape.k / 32, pa, pb, pd, plan.isXor);
  std::memcpy(words, pd, sizeof(pd));
  scatterWords(w, r.d, plan.registersD, words);
}

void multiplyDoubles(Warp &w, const MmaPlan &plan, const Registers &r) {
  double pa[16 * 16], pb[16 * 8], pd[mostResults];
  auto gather = [&](const Ref *refs, const FragmentLayout &layout, double *panel) {
    for (size_t i = 0; i < layout.slots.size(); ++i)
      panel[i] = doubleOf(w.cells<uint64_t>(refs[layout.slots[i].reg])[layout.slots[i].lane]);
  };
  gather(r.a, plan.a, pa);
  gather(r.b, plan.b, pb);
  gather(r.c, plan.c, pd);
  gemmF64({plan.shape.m, plan.shape.n, plan.shape.k}, pa, pb, pd, plan.rounding);
  for (size_t i = 0; i < plan.d.slots.size(); ++i)
    w.cells<uint64_t>(r.d[plan.d.slots[i].reg])[plan.d.slots[i].lane] = bitsOf(pd[i]);
}

/// m8n8k4 of f16: four products of eight lanes each, places from tables.
void multiplyQuads(Warp &w, const MmaPlan &plan, const Registers &r) {
  auto gather = [&](const Ref *refs, const FragmentLayout &layout, float *panel) {
    for (size_t i = 0; i < layout.slots.size(); ++i) {
      const FragmentSlot slot = layout.slots[i];
      const uint32_t word = w.cells<uint32_t>(refs[slot.reg])[slot.lane] >> slot.shift;
      panel[i] = layout.bits == 32 ? floatOf(word) : f16ToF32(static_cast<uint16_t>(word));
    }
  };
  float pd[4][64];
  for (size_t i = 0; i < 4; ++i) {
    const MmaQuad &quad = plan.quads[i];
    float pa[32], pb[32];
    gather(r.a, quad.a, pa);
    gather(r.b, quad.b, pb);
    gather(r.c, quad.c, pd[i]);
    gemmFast({8, 8, 4}, pa, pb, pd[i]);
  }
  for (size_t product = 0; product < 4; ++product) {
    const FragmentLayout &layout = plan.quads[product].d;
    for (size_t i = 0; i < layout.slots.size(); ++i) {
      const FragmentSlot slot = layout.slots[i];
      uint32_t &word = w.cells<uint32_t>(r.d[slot.reg])[slot.lane];
      if (layout.bits == 32) {
        word = bitsOf(canonical(pd[product][i]));
        continue;
      }
      word = (word & ~(0xFFFFu << slot.shift)) | uint32_t{f32ToF16(pd[product][i])} << slot.shift;
    }
  }
}

/// What becomes uninitialised: rows of A, columns of B, elements of C, and their factors.
void taint(Warp &w, const MmaPlan &plan, const Registers &r, const Factors &fa, const Factors &fb) {
  uint32_t any = fa.tainted | fb.tainted;
  for (int i = 0; i < plan.registersA + plan.registersB + plan.registersC; ++i)
    any |= w.taintOf(r.a[i]);
  if (any != 0 && plan.kind != MmaPlan::Kind::Quads) {
    taintResult(w, plan, r, taintedLines(w, r.a, plan.a, true) | fa.tainted,
                taintedLines(w, r.b, plan.b, false) | fb.tainted);
    return;
  }
  for (int i = 0; i < plan.registersD; ++i)
    w.setTaint(r.d[i], fullMask, any != 0 ? fullMask : 0);
}

} // namespace

Flow multiplyMatrices(Warp &w, const Op &op, uint32_t mask) {
  if (mask != w.alive && w.cta->launch->checks.on(Check::X1)) {
    w.need = w.alive;
    return Flow::Converge;
  }
  const MmaPlan &plan = planOf(w, op);
  const Registers r(w, op, plan);
  w.cta->tally.countProduct(productKindOf(plan),
                            static_cast<unsigned>(plan.shape.m * plan.shape.n * plan.shape.k) *
                                (plan.kind == MmaPlan::Kind::Quads ? 4 : 1));
  Factors fa, fb;
  if (plan.scaleBlocks != 0 && (gatherFactors(w, plan, r.scales, true, fa) == Flow::Trap ||
                                gatherFactors(w, plan, r.scales + 3, false, fb) == Flow::Trap))
    return Flow::Trap;
  taint(w, plan, r, fa, fb);
  switch (plan.kind) {
  case MmaPlan::Kind::Floats:
    multiplyFloats(w, plan, r, fa, fb);
    break;
  case MmaPlan::Kind::Integers:
    multiplyIntegers(w, plan, r);
    break;
  case MmaPlan::Kind::Bits:
    multiplyBits(w, plan, r);
    break;
  case MmaPlan::Kind::Doubles:
    multiplyDoubles(w, plan, r);
    break;
  case MmaPlan::Kind::Quads:
    multiplyQuads(w, plan, r);
    break;
  }
  return Flow::Next;
}

} // namespace msa::ptxsim

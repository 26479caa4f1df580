#include "ptxsim/isa/WgmmaProduct.h"

#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/Product.h"
#include "ptxsim/isa/Warpgroup.h"

#include <bit>
#include <cstring>
#include <utility>

namespace msa::ptxsim {

using namespace numerics;

WgmmaForm WgmmaForm::of(const Op &op) {
  return {static_cast<uint32_t>(op.immediate & 0xFFFF),
          static_cast<uint32_t>(op.immediate >> 16 & 0xFFFF), static_cast<MmaType>(op.mode2 & 15),
          static_cast<MmaType>(op.mode2 >> 4), static_cast<MmaType>(op.immediate >> 32)};
}

void WgmmaForm::keep(Op &op) const {
  op.immediate = n | int64_t{k} << 16 | int64_t{static_cast<int>(d)} << 32;
  op.mode2 = static_cast<uint8_t>(static_cast<unsigned>(a) | static_cast<unsigned>(b) << 4);
}

WgmmaProduct::WgmmaProduct(const Origin &origin, AsyncId id, const Op &op, bool accumulates)
    : AsyncOp(origin, id), op(op), form(WgmmaForm::of(op)), accumulates(accumulates) {
  // In order per warpgroup, apart from the tensor cores' queues (tcgen05), which sm_90 lacks.
  queue = origin.cta().rank * 16 + origin.warp->index / 4;
}

Warp &WgmmaProduct::warp(uint32_t index) const {
  return origin.cta().warps[origin.warp->index / 4 * 4 + index];
}

Flow WgmmaProduct::step() {
  WgmmaScratch &scratch = origin.cta().state<Warpgroups>().scratch();
  gatherA(scratch);
  gatherB(scratch);
  if (accumulates)
    loadD(scratch.panelD.data());
  else
    std::memset(scratch.panelD.data(), 0, size_t{64} * form.n * 4);
  if (form.a == MmaType::B1)
    multiplyBits(scratch);
  else if (form.d == MmaType::S32)
    multiplyIntegers(scratch);
  else
    multiplyFloats(scratch);
  storeD(scratch.panelD.data());
  taintD();
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

void WgmmaProduct::gatherA(WgmmaScratch &scratch) {
  const Cta &cta = origin.cta();
  if (!(op.mode & wgmmaRegistersA)) {
    a.view.gatherRows(cta.sharedRegion.host, 0, 64, 32, scratch.bytesA.data());
    uninitialisedRows(cta, a.view, a.use, taintedRows);
    return;
  }
  const Ref *list = &origin.warp->program->lists[op.target] + form.registersOfD();
  for (uint32_t index = 0; index < 4; ++index) {
    const Warp &w = warp(index);
    for (uint32_t r = 0; r < 4; ++r) {
      const uint32_t *cells = w.cells<uint32_t>(list[r]);
      const uint32_t tainted = w.taintOf(list[r]);
      for (uint32_t lane = 0; lane < 32; ++lane) {
        uint32_t row = 16 * index + lane / 4 + 8 * (r & 1);
        std::memcpy(&scratch.bytesA[32 * row + 16 * (r >> 1) + 4 * (lane % 4)], &cells[lane], 4);
        if ((tainted >> lane) & 1)
          taintedRows.set(row);
      }
    }
  }
}

void WgmmaProduct::gatherB(WgmmaScratch &scratch) {
  const Cta &cta = origin.cta();
  // N-major memory is k by n already, as the product wants it.
  if (b.view.major == Major::Mn)
    b.view.gatherLines(cta.sharedRegion.host, 0, form.k, form.n / 8, scratch.bytesB.data(),
                       2 * form.n);
  else
    b.view.gatherRows(cta.sharedRegion.host, 0, form.n, 32, scratch.bytesB.data());
  uninitialisedRows(cta, b.view, b.use, taintedColumns);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {

void negate(float *panel, size_t count) {
  for (size_t i = 0; i < count; ++i)
    panel[i] = -panel[i];
}

} // namespace

void WgmmaProduct::multiplyFloats(WgmmaScratch &scratch) const {
  auto *pa = reinterpret_cast<float *>(scratch.panelA.data());
  auto *pb = reinterpret_cast<float *>(scratch.panelB.data());
  auto *pd = reinterpret_cast<float *>(scratch.panelD.data());
  decodeFloats(form.a, Container::Own, scratch.bytesA.data(), 64, 32, false, pa);
  if (b.view.major == Major::Mn)
    decodeFloats(form.b, Container::Own, scratch.bytesB.data(), form.k, 2 * form.n, false, pb);
  else
    decodeFloats(form.b, Container::Own, scratch.bytesB.data(), form.n, 32, true, pb);
  if (op.mode & wgmmaNegateA)
    negate(pa, size_t{64} * form.k);
  if (op.mode & wgmmaNegateB)
    negate(pb, size_t{form.n} * form.k);
  ptxsim::multiplyFloats(*origin.cta().launch, TensorUnit::Wgmma, form.a, form.b,
                         form.d == MmaType::F16,
                         {64, static_cast<int>(form.n), static_cast<int>(form.k)}, pa, pb, pd);
}

void WgmmaProduct::multiplyIntegers(WgmmaScratch &scratch) const {
  auto *pa = reinterpret_cast<int32_t *>(scratch.panelA.data());
  auto *pb = reinterpret_cast<int32_t *>(scratch.panelB.data());
  decodeIntegers(form.a, scratch.bytesA.data(), 64, 32, false, pa);
  decodeIntegers(form.b, scratch.bytesB.data(), form.n, 32, true, pb);
  gemmInteger({64, static_cast<int>(form.n), 32}, pa, pb,
              reinterpret_cast<int32_t *>(scratch.panelD.data()), op.mode & wgmmaSaturate);
}

void WgmmaProduct::multiplyBits(WgmmaScratch &scratch) const {
  std::memcpy(scratch.panelA.data(), scratch.bytesA.data(), 64 * 32);
  std::memcpy(scratch.panelB.data(), scratch.bytesB.data(), size_t{form.n} * 32);
  gemmBits(64, static_cast<int>(form.n), 8, scratch.panelA.data(), scratch.panelB.data(),
           reinterpret_cast<int32_t *>(scratch.panelD.data()), false);
}

//===----------------------------------------------------------------------===//
// D
//===----------------------------------------------------------------------===//

namespace {

/// A thread quad's elements: of a row of D, or of one register.
typedef uint32_t Quad __attribute__((vector_size(16)));

Quad loadQuad(const uint32_t *from) {
  Quad quad;
  std::memcpy(&quad, from, sizeof(quad));
  return quad;
}
void storeQuad(uint32_t *to, Quad quad) { std::memcpy(to, &quad, sizeof(quad)); }

/// Calls f(register, row, column) for pairs of elements of a thread: columns `column` and
/// `column + 1` of row `row` of the warp (plus lane / 4 and 2 * (lane % 4)).
template <class F> void forPairs(const WgmmaForm &form, F f) {
  const uint32_t perPair = form.d == MmaType::F16 ? 1 : 2;
  for (uint32_t pair = 0; pair < form.n / 4; ++pair)
    f(pair * perPair, 8 * (pair & 1), 8 * (pair >> 1));
}

} // namespace

void WgmmaProduct::loadD(uint32_t *panel) const {
  const Ref *list = &origin.warp->program->lists[op.target];
  for (uint32_t index = 0; index < 4; ++index) {
    const Warp &w = warp(index);
    forPairs(form, [&](uint32_t reg, uint32_t row, uint32_t column) {
      uint32_t *out = panel + size_t{16 * index + row} * form.n + column;
      const uint32_t *low = w.cells<uint32_t>(list[reg]);
      if (form.d == MmaType::F16) {
        for (uint32_t lane = 0; lane < 32; ++lane)
          for (uint32_t half = 0; half < 2; ++half)
            out[lane / 4 * form.n + lane % 4 * 2 + half] =
                std::bit_cast<uint32_t>(f16ToF32(static_cast<uint16_t>(low[lane] >> (16 * half))));
        return;
      }
      const uint32_t *high = w.cells<uint32_t>(list[reg + 1]);
      for (uint32_t i = 0; i < 8; ++i) {
        const Quad a = loadQuad(low + 4 * i), b = loadQuad(high + 4 * i);
        storeQuad(out + i * form.n, __builtin_shufflevector(a, b, 0, 4, 1, 5));
        storeQuad(out + i * form.n + 4, __builtin_shufflevector(a, b, 2, 6, 3, 7));
      }
    });
  }
}

void WgmmaProduct::storeD(const uint32_t *panel) const {
  const Ref *list = &origin.warp->program->lists[op.target];
  for (uint32_t index = 0; index < 4; ++index) {
    Warp &w = warp(index);
    forPairs(form, [&](uint32_t reg, uint32_t row, uint32_t column) {
      const uint32_t *in = panel + size_t{16 * index + row} * form.n + column;
      uint32_t *low = w.cells<uint32_t>(list[reg]);
      if (form.d == MmaType::F16) {
        for (uint32_t lane = 0; lane < 32; ++lane) {
          const uint32_t *pair = in + lane / 4 * form.n + lane % 4 * 2;
          low[lane] = f32ToF16(std::bit_cast<float>(pair[0])) |
                      uint32_t{f32ToF16(std::bit_cast<float>(pair[1]))} << 16;
        }
        return;
      }
      uint32_t *high = w.cells<uint32_t>(list[reg + 1]);
      for (uint32_t i = 0; i < 8; ++i) {
        const Quad a = loadQuad(in + i * form.n), b = loadQuad(in + i * form.n + 4);
        storeQuad(low + 4 * i, __builtin_shufflevector(a, b, 0, 2, 4, 6));
        storeQuad(high + 4 * i, __builtin_shufflevector(a, b, 1, 3, 5, 7));
      }
    });
  }
}

/// An uninitialised byte of a row of A taints that row of D, one of a column of B that column.
void WgmmaProduct::taintD() const {
  const Ref *list = &origin.warp->program->lists[op.target];
  const bool any = taintedRows.any() || taintedColumns.any();
  for (uint32_t index = 0; index < 4; ++index) {
    Warp &w = warp(index);
    if (!accumulates)
      for (uint32_t r = 0; r < form.registersOfD(); ++r)
        w.setTaint(list[r], fullMask, 0);
    if (!any)
      continue;
    forPairs(form, [&](uint32_t reg, uint32_t row, uint32_t column) {
      for (uint32_t half = 0; half < 2; ++half) {
        uint32_t lanes = 0;
        for (uint32_t lane = 0; lane < 32; ++lane)
          if (taintedRows[16 * index + row + lane / 4] ||
              taintedColumns[column + lane % 4 * 2 + half])
            lanes |= 1u << lane;
        w.setTaint(list[form.d == MmaType::F16 ? reg : reg + half], lanes, lanes);
      }
    });
  }
}

} // namespace msa::ptxsim

#include "ptxsim/engine/Product.h"

#include "ptxsim/numerics/Panels.h"

namespace msa::ptxsim {

using namespace numerics;

namespace {

bool isFp8(MmaType type) { return type == MmaType::E4M3 || type == MmaType::E5M2; }

Packing packingOf(Container container) {
  return container == Container::Own    ? Packing::Dense
         : container == Container::Byte ? Packing::Byte
                                        : Packing::Padded;
}

} // namespace

void decodeFloats(MmaType type, Container container, const uint8_t *bytes, uint32_t rows,
                  uint32_t kBytes, bool transposed, float *out) {
  decodePanel(smallFloatOf(type), packingOf(container), bytes, static_cast<int>(rows),
              static_cast<int>(kBytes), transposed, out);
}

void decodeIntegers(MmaType type, const uint8_t *bytes, uint32_t rows, uint32_t kBytes,
                    bool transposed, int32_t *out) {
  decodeBytes(type == MmaType::S8, bytes, static_cast<int>(rows), static_cast<int>(kBytes),
              transposed, out);
}

void multiplyFloats(const Launch &launch, TensorUnit unit, MmaType a, MmaType b, bool halfResult,
                    GemmSize size, const float *pa, const float *pb, float *d) {
  if (launch.sumsExactly(isFp8(a) || isFp8(b))) {
    gemmExact(exactRule(launch.sm, unit, smallFloatOf(a), smallFloatOf(b), size.k, halfResult),
              size, pa, pb, d);
    return;
  }
  gemmFast(size, pa, pb, d);
  if (halfResult)
    for (int i = 0; i < size.m * size.n; ++i)
      d[i] = f16ToF32(f32ToF16(d[i]));
}

void multiplyScaled(const Launch &launch, MmaType a, MmaType b, GemmSize size, const float *pa,
                    const float *pb, const ScaleFactors &factors, float *d) {
  if (launch.sumsExactly(isFp8(a) || isFp8(b)))
    gemmScaledExact(size, smallFloatOf(a), smallFloatOf(b), pa, pb, factors, d);
  else
    gemmScaledFast(size, pa, pb, factors, d);
}

ProductKind productKindOf(MmaType type) {
  switch (type) {
  case MmaType::F64:
    return ProductKind::F64;
  case MmaType::TF32:
    return ProductKind::Tf32;
  case MmaType::F16:
  case MmaType::BF16:
    return ProductKind::F16;
  case MmaType::S8:
  case MmaType::U8:
  case MmaType::S4:
  case MmaType::U4:
    return ProductKind::Integer;
  case MmaType::B1:
    return ProductKind::Bits;
  default:
    return ProductKind::Fp8;
  }
}

} // namespace msa::ptxsim

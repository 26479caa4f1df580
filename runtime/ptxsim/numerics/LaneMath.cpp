//===- LaneMath.cpp - hot f32 instructions over arrays of lanes -----------===//
//
// `target_clones` makes one body per instruction set. fma needs two bodies: one
// with the host's fused instruction, and one that rounds to odd in double.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/numerics/LaneMath.h"

#include "ptxsim/numerics/Approx.h"
#include "ptxsim/numerics/DirectedRounding.h"

#if defined(__x86_64__) && defined(__linux__)
#define MSA_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#define MSA_HAS_X86_FMA 1
#else
#define MSA_CLONES
#endif

namespace msa::ptxsim::numerics {

MSA_CLONES void addLanes(float *d, const float *a, const float *b, size_t count) {
  for (size_t i = 0; i < count; ++i)
    d[i] = canonical(a[i] + b[i]);
}

MSA_CLONES void subLanes(float *d, const float *a, const float *b, size_t count) {
  for (size_t i = 0; i < count; ++i)
    d[i] = canonical(a[i] - b[i]);
}

MSA_CLONES void mulLanes(float *d, const float *a, const float *b, size_t count) {
  for (size_t i = 0; i < count; ++i)
    d[i] = canonical(a[i] * b[i]);
}

static void fmaPortable(float *d, const float *a, const float *b, const float *c, size_t count) {
  for (size_t i = 0; i < count; ++i)
    d[i] = fmaNearestF32(a[i], b[i], c[i]);
}

#ifdef MSA_HAS_X86_FMA
__attribute__((target("avx2,fma"))) static void fmaFused(float *d, const float *a, const float *b,
                                                         const float *c, size_t count) {
  for (size_t i = 0; i < count; ++i)
    d[i] = canonical(__builtin_fmaf(a[i], b[i], c[i]));
}

void fmaLanes(float *d, const float *a, const float *b, const float *c, size_t count) {
  static const bool fused = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  (fused ? fmaFused : fmaPortable)(d, a, b, c, count);
}
#else
void fmaLanes(float *d, const float *a, const float *b, const float *c, size_t count) {
  fmaPortable(d, a, b, c, count);
}
#endif

MSA_CLONES void ex2Lanes(float *d, const float *a, size_t count, bool ftz) {
  for (size_t i = 0; i < count; ++i)
    d[i] = ex2Approx(a[i], ftz);
}

} // namespace msa::ptxsim::numerics

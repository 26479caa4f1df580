//===- Kernels.cu - the random programs as kernels ------------------------------===//
//
// For nvcc and for clang without any CUDA header: the few device functions that
// programs use have one spelling here and another in HostPrograms.cpp.
//
//===----------------------------------------------------------------------===//
#ifdef __clang__
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define THREAD (__nvvm_read_ptx_sreg_ctaid_x() * __nvvm_read_ptx_sreg_ntid_x() + __nvvm_read_ptx_sreg_tid_x())
#define POPC(x) __builtin_popcount(x)
#define CLZ(x) ((x) ? __builtin_clz(x) : 32)
#define FFS(x) __builtin_ffs(x)
#define BREV(x) __builtin_bitreverse32(x)
#define MULHI(a, b) ((unsigned long long)(((unsigned __int128)(a) * (b)) >> 64))
#define CALL(name) __builtin_##name
#define AS(T, x) __builtin_bit_cast(T, x)
#else
#define THREAD (blockIdx.x * blockDim.x + threadIdx.x)
#define POPC(x) __popc(x)
#define CLZ(x) __clz(x)
#define FFS(x) __ffs(x)
#define BREV(x) __brev(x)
#define MULHI(a, b) __umul64hi(a, b)
#define CALL(name) name
template <typename T, typename S> __device__ T as(S x) {
  union {
    S from;
    T to;
  } u;
  u.from = x;
  return u.to;
}
#define AS(T, x) as<T>(x)
#endif
#define FUNCTION static __device__ __attribute__((noinline))
#define FLOATBITS(x) ((x) != (x) ? 7ull : (unsigned long long)AS(unsigned, x))
#define DOUBLEBITS(x) ((x) != (x) ? 7ull : AS(unsigned long long, x))
#define SQRTF CALL(sqrtf)
#define SQRTD CALL(sqrt)
#define FABSF CALL(fabsf)
#define FABSD CALL(fabs)
#define FLOORF CALL(floorf)
#define FLOORD CALL(floor)
#define CEILF CALL(ceilf)
#define CEILD CALL(ceil)
#define TRUNCF CALL(truncf)
#define TRUNCD CALL(trunc)
#define RINTF CALL(rintf)
#define RINTD CALL(rint)
#define FMINF CALL(fminf)
#define FMIND CALL(fmin)
#define FMAXF CALL(fmaxf)
#define FMAXD CALL(fmax)
#define FMAF CALL(fmaf)
#define FMAD CALL(fma)

#include "Programs.h"

#define PROGRAM(index)                                                                             \
  extern "C" __global__ void kernel##index(const unsigned long long *in, unsigned long long *out) { \
    int thread = THREAD;                                                                           \
    const unsigned long long *p = in + 4 * thread;                                                 \
    out[thread] = program##index(p[0], p[1], (int)p[2], (unsigned)(p[2] >> 32), AS(float, (unsigned)p[3]), \
                                 (double)AS(float, (unsigned)(p[3] >> 32)));                       \
  }
EACH_PROGRAM

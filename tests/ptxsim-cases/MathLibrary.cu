//===- MathLibrary.cu - one kernel per function of MathFunctions.def ----------===//
//
// Compiled by nvcc at test time; what comes out is thousands of lines of PTX that
// NVIDIA's compiler wrote: FP64 polynomials, wide integer argument reduction,
// branches, calls, local arrays.
//
//===----------------------------------------------------------------------===//
#define KERNEL(name, T, call)                                                                      \
  extern "C" __global__ void kernel_##name(const T *a, const T *b, T *out) {                       \
    int i = blockIdx.x * blockDim.x + threadIdx.x;                                                 \
    out[i] = call;                                                                                 \
  }
#define F1(name, ulps) KERNEL(name, float, name(a[i]))
#define F2(name, ulps) KERNEL(name, float, name(a[i], b[i]))
#define D1(name, ulps) KERNEL(name, double, name(a[i]))
#define D2(name, ulps) KERNEL(name, double, name(a[i], b[i]))
#include "MathFunctions.def"

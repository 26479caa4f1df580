"""CuTe DSL kernels of the own cases. kernel.ptx of each case is what the compiler wrote; the launch is recorded by record.c.

    pip install nvidia-cutlass-dsl==4.8.1 nvidia-cutlass-operators==0.3.0
    CUTE_DSL_ARCH=sm_100a CUTE_DSL_KEEP=ptx CUTE_DSL_DUMP_DIR=DIR CUTE_DSL_LIBS=./record.so REC_SIZES=... REC_OUT=... python cute_kernels.py NAME
"""
import sys

import cutlass
import cutlass.cute as cute
import cuda.bindings.driver as cuda
from cutlass.cute.runtime import make_ptr


from cutlass.cutlass_dsl.cuda_jit_executor import CudaDialectJitCompiledFunction as Jit
Jit.num_devices = 1  # there is no driver: the runtime library is record.so


def pointer(i, dtype):
    return make_ptr(dtype, 0x700000000000 + (i << 32), cute.AddressSpace.gmem, assumed_align=128)


def scaled(ab, sf, vec, out, tile, cluster, mnkl):
    from cutlass.operators.providers.cutedsl.gemm.implementations.sm100_dense_blockscaled_static_persistent_impl import PersistentDenseBlockScaledGemmKernel
    from cutlass.cute.nvgpu import OperandMajorMode
    k = PersistentDenseBlockScaledGemmKernel(vec, tile, cluster)
    ptrs = [pointer(1, ab), pointer(2, ab), pointer(3, sf), pointer(4, sf), pointer(5, out)]
    layouts = (OperandMajorMode.K, OperandMajorMode.K, cutlass.tensor_utils.LayoutEnum.ROW_MAJOR)
    stream = cuda.CUstream(0)
    f = cute.compile(k, *ptrs, layouts, mnkl, 2, stream)
    return f, (*ptrs, mnkl, stream)


def dense(ab, out, two, tile, cluster, mnkl, scheduler):
    from cutlass.operators.providers.cutedsl.gemm.implementations import sm100_persistent_impl as impl
    k = impl.PersistentDenseGemmKernel(cutlass.Float32, two, tile, cluster, True, scheduler(impl), lambda x: x)
    m, n, kk, _ = mnkl

    @cute.jit
    def host(a: cute.Pointer, b: cute.Pointer, c: cute.Pointer, stream: cuda.CUstream):
        t = lambda p, r, s: cute.make_tensor(p, cute.make_layout((1, r, s), stride=(r * s, s, 1)))  # noqa: E731
        k(t(a, m, kk), t(b, kk, n), t(c, m, n), stream, 4)

    ptrs = [pointer(1, ab), pointer(2, ab), pointer(3, out)]
    stream = cuda.CUstream(0)
    return cute.compile(host, *ptrs, stream), (*ptrs, stream)


def clc(impl):
    return impl.PersistentTileSchedulerType.CLC  # cluster launch control


CASES = {
    "cutedsl_nvfp4_gemm_sm100": lambda: scaled(cutlass.Float4E2M1FN, cutlass.Float8E4M3FN, 16, cutlass.BFloat16, (128, 128), (1, 1), (256, 256, 512, 1)),
    "cutedsl_nvfp4_gemm_2cta_sm100": lambda: scaled(cutlass.Float4E2M1FN, cutlass.Float8E4M3FN, 16, cutlass.BFloat16, (256, 128), (2, 1), (256, 256, 512, 1)),
    "cutedsl_gemm_2cta_sm100": lambda: dense(cutlass.BFloat16, cutlass.BFloat16, True, (256, 128), (2, 2), (512, 256, 256, 1), clc),
    "cutedsl_gemm_tf32_sm100": lambda: dense(cutlass.TFloat32, cutlass.Float32, False, (128, 64), (2, 1), (256, 128, 128, 1), clc),
}


if __name__ == "__main__":
    f, args = CASES[sys.argv[1]]()
    print("compiled", flush=True)
    f(*args)

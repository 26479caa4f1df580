"""FlashAttention-4 forward for the own cases (PyPI flash-attn-4 4.0.0b36, BSD-3-Clause; nvidia-cutlass-dsl 4.8.1).

    CUTE_DSL_ARCH=sm_100a FLASH_ATTENTION_ARCH=sm_100 QUACK_ARCH=sm_100 FLASH_ATTENTION_NUM_SMS=4 CUTE_DSL_KEEP=ptx CUTE_DSL_DUMP_DIR=DIR [CUTE_DSL_LIBS=record.so REC_...] python fa4.py NAME
"""
import sys

import cutlass
import cutlass.cute as cute
import cuda.bindings.driver as cuda
from cutlass.cute.runtime import make_ptr
from cutlass.cutlass_dsl.cuda_jit_executor import CudaDialectJitCompiledFunction as Jit
from flash_attn.cute.flash_fwd_sm100 import FlashAttentionForwardSm100

Jit.num_devices = 1  # there is no driver: the runtime library is record.so


def pointer(i, dtype):
    return make_ptr(dtype, 0x700000000000 + (i << 32), cute.AddressSpace.gmem, assumed_align=128)


def forward(b, sq, sk, h, hk, d, causal, two, persistent, n=128, stages=2):
    k = FlashAttentionForwardSm100(d, d, qhead_per_kvhead=h // hk, is_causal=causal, pack_gqa=False, n_block_size=n, q_stage=stages, is_static_persistent=persistent, use_2cta_instrs=two)

    def tensor(p, bb, s, n):
        return cute.make_tensor(p, cute.make_layout((bb, s, n, d), stride=(s * n * d, n * d, d, 1)))

    @cute.jit
    def host(q: cute.Pointer, kk: cute.Pointer, v: cute.Pointer, o: cute.Pointer, lse: cute.Pointer, scale: cutlass.Float32,
             bb: cutlass.Int32, q_len: cutlass.Int32, k_len: cutlass.Int32, hh: cutlass.Int32, hhk: cutlass.Int32, stream: cuda.CUstream):
        m = cute.make_tensor(lse, cute.make_layout((bb, hh, q_len), stride=(hh * q_len, q_len, 1)))
        k(tensor(q, bb, q_len, hh), tensor(kk, bb, k_len, hhk), tensor(v, bb, k_len, hhk), tensor(o, bb, q_len, hh), m, scale, stream=stream)

    args = (*(pointer(i, cutlass.BFloat16) for i in (1, 2, 3, 4)), pointer(5, cutlass.Float32), cutlass.Float32(d**-0.5), *(cutlass.Int32(i) for i in (b, sq, sk, h, hk)), cuda.CUstream(0))
    return cute.compile(host, *args), args


CASES = {
    "fa4_forward_causal_sm100": lambda: forward(1, 320, 320, 2, 1, 64, True, False, False, 64),
    "fa4_forward_2cta_sm100": lambda: forward(1, 512, 256, 1, 1, 64, False, True, False),
}

if __name__ == "__main__":
    f, args = CASES[sys.argv[1]]()
    print("compiled", flush=True)
    f(*args)

"""Triton kernels of the own cases, and how they are compiled. Not run by the tests: kernel.ptx of each case is what it wrote.

    python -m pip install triton==3.9.0; python triton_kernels.py CASES_FOLDER [NAME...]
"""
import json
import os
import sys

os.environ["TRITON_DISABLE_LINE_INFO"] = "1"

import triton  # noqa: E402
import triton.language as tl  # noqa: E402
from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402


@triton.jit
def matmul(a_desc, b_desc, c_desc, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, ACC: tl.constexpr, OUT: tl.constexpr):
    """C = A B^T through tensor maps; the type decides which matrix instruction is used."""
    m, n = tl.program_id(0) * BM, tl.program_id(1) * BN
    acc = tl.zeros((BM, BN), ACC)
    for k in range(0, K, BK):
        acc = tl.dot(a_desc.load([m, k]), b_desc.load([n, k]).T, acc, out_dtype=ACC)
    c_desc.store([m, n], acc.to(OUT))


@triton.jit
def matmul_scaled(a_desc, as_ptr, b_desc, bs_ptr, c_desc, M, N, K, VEC: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    """C = (A SA)(B SB)^T for packed e2m1 and scales in 128x4 blocks."""
    pm, pn = tl.program_id(0), tl.program_id(1)
    SK: tl.constexpr = BK // VEC // 4
    offs = tl.arange(0, 512)
    acc = tl.zeros((BM, BN), tl.float32)
    blocks = K // VEC // 4
    for k in range(0, K // BK):
        a = a_desc.load([pm * BM, k * (BK // 2)])
        b = b_desc.load([pn * BN, k * (BK // 2)])
        at = (tl.arange(0, BM // 128)[:, None, None] + pm * (BM // 128)) * blocks + k * SK + tl.arange(0, SK)[None, :, None]
        bt = (tl.arange(0, BN // 128)[:, None, None] + pn * (BN // 128)) * blocks + k * SK + tl.arange(0, SK)[None, :, None]
        sa = tl.load(as_ptr + at * 512 + offs[None, None, :])
        sb = tl.load(bs_ptr + bt * 512 + offs[None, None, :])
        sa = sa.reshape(BM // 128, SK, 32, 4, 4).trans(0, 3, 2, 1, 4).reshape(BM, BK // VEC)
        sb = sb.reshape(BN // 128, SK, 32, 4, 4).trans(0, 3, 2, 1, 4).reshape(BN, BK // VEC)
        acc = tl.dot_scaled(a, sa, "e2m1", b.T, sb, "e2m1", acc)
    c_desc.store([pm * BM, pn * BN], acc)


@triton.jit
def small_dot(a_ptr, b_ptr, c_ptr, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    """16 rows of FP8: too few for wgmma, so mma.sync with cp.async."""
    r, c, k = tl.arange(0, BM), tl.arange(0, BN), tl.arange(0, BK)
    acc = tl.zeros((BM, BN), tl.float32)
    for at in range(0, K, BK):
        a = tl.load(a_ptr + r[:, None] * K + at + k[None, :])
        b = tl.load(b_ptr + c[None, :] * K + at + k[:, None])
        acc = tl.dot(a, b, acc)
    tl.store(c_ptr + r[:, None] * BN + c[None, :], acc)


@triton.jit
def reduce_tiles(x_desc, s_desc, h_desc, rows, BM: tl.constexpr, BN: tl.constexpr):
    """Column tiles are added (f32) and their maxima taken (s32) through tensor maps by every CTA."""
    i = tl.program_id(0)
    x = x_desc.load([i * BM, 0])
    s_desc.atomic_add([0, 0], x)
    h_desc.atomic_max([0, 0], (x * 64).to(tl.int32))


@triton.jit
def permute3(x_desc, o_desc, A, B, C, BA: tl.constexpr, BB: tl.constexpr, BC: tl.constexpr):
    """o[b, c, a] = 2 x[a, b, c] with boxes that stick out on all sides."""
    a, b, c = tl.program_id(0) * BA, tl.program_id(1) * BB, tl.program_id(2) * BC
    o_desc.store([b, c, a], (x_desc.load([a, b, c]) * 2).permute(1, 2, 0))


@triton.jit
def attention(sm_scale, m_ptr, q_desc, k_desc, v_desc, o_desc, H, S: tl.constexpr, D: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr):
    """Forward attention, not causal, warp-specialised inner loop."""
    i, h = tl.program_id(0), tl.program_id(1)
    q = q_desc.load([h * S + i * BM, 0])
    m = tl.full((BM,), -float("inf"), tl.float32)
    l = tl.full((BM,), 1.0, tl.float32)  # noqa: E741
    acc = tl.zeros((BM, D), tl.float32)
    scale = sm_scale * 1.44269504
    for j in tl.range(0, S, BN, warp_specialize=True):
        s = tl.dot(q, k_desc.load([h * S + j, 0]).T)
        mn = tl.maximum(m, tl.max(s, 1) * scale)
        p = tl.math.exp2(s * scale - mn[:, None])
        f = tl.math.exp2(m - mn)
        l = l * f + tl.sum(p, 1)  # noqa: E741
        acc = acc * f[:, None]
        acc = tl.dot(p.to(tl.bfloat16), v_desc.load([h * S + j, 0]), acc)
        m = mn
    # l started at 1 with weight exp2(-inf) = 0
    tl.store(m_ptr + h * S + i * BM + tl.arange(0, BM), m + tl.math.log2(l))
    o_desc.store([h * S + i * BM, 0], (acc / l[:, None]).to(tl.bfloat16))


DIV = [["tt.divisibility", 16]]
MM = {"M": "i32", "N": "i32", "K": "i32"}


def mm(el, out, bm, bn, bk):
    return {"a_desc": f"tensordesc<{el}[{bm},{bk}]>", "b_desc": f"tensordesc<{el}[{bn},{bk}]>", "c_desc": f"tensordesc<{out}[{bm},{bn}]>", **MM}


CASES = {
    "triton_matmul_fp8_sm90": (matmul, 90, mm("fp8e4nv", "bf16", 128, 128, 64), dict(BM=128, BN=128, BK=64, ACC=tl.float32, OUT=tl.bfloat16), dict(num_warps=4, num_stages=3)),
    "triton_matmul_int8_sm90": (matmul, 90, mm("i8", "i32", 128, 64, 64), dict(BM=128, BN=64, BK=64, ACC=tl.int32, OUT=tl.int32), dict(num_warps=8, num_stages=3)),
    "triton_matmul_tf32_sm90": (matmul, 90, mm("fp32", "fp32", 64, 128, 32), dict(BM=64, BN=128, BK=32, ACC=tl.float32, OUT=tl.float32), dict(num_warps=4, num_stages=3)),
    "triton_matmul_tf32_sm100": (matmul, 100, mm("fp32", "fp32", 128, 64, 32), dict(BM=128, BN=64, BK=32, ACC=tl.float32, OUT=tl.float32), dict(num_warps=4, num_stages=3)),
    "triton_matmul_fp8_sm100": (matmul, 100, mm("fp8e5", "fp16", 128, 128, 64), dict(BM=128, BN=128, BK=64, ACC=tl.float32, OUT=tl.float16), dict(num_warps=8, num_stages=3)),
    "triton_matmul_nvfp4_sm100": (matmul_scaled, 100, {"a_desc": "tensordesc<u8[128,64]>", "as_ptr": "*fp8e4nv", "b_desc": "tensordesc<u8[128,64]>", "bs_ptr": "*fp8e4nv", "c_desc": "tensordesc<fp32[128,128]>", **MM},
                                  dict(VEC=16, BM=128, BN=128, BK=128), dict(num_warps=4, num_stages=2)),
    "triton_matmul_mxfp4_sm100": (matmul_scaled, 100, {"a_desc": "tensordesc<u8[128,128]>", "as_ptr": "*u8", "b_desc": "tensordesc<u8[256,128]>", "bs_ptr": "*u8", "c_desc": "tensordesc<fp32[128,256]>", **MM},
                                  dict(VEC=32, BM=128, BN=256, BK=256), dict(num_warps=4, num_stages=2)),
    "triton_small_fp8_sm90": (small_dot, 90, {"a_ptr": "*fp8e4nv", "b_ptr": "*fp8e4nv", "c_ptr": "*fp32", "K": "i32"}, dict(BM=16, BN=64, BK=64), dict(num_warps=2, num_stages=3)),
    "triton_tma_reduce_sm90": (reduce_tiles, 90, {"x_desc": "tensordesc<fp32[32,32]>", "s_desc": "tensordesc<fp32[32,32]>", "h_desc": "tensordesc<i32[32,32]>", "rows": "i32"}, dict(BM=32, BN=32), dict(num_warps=4)),
    "triton_tma_permute_sm100": (permute3, 100, {"x_desc": "tensordesc<fp16[8,4,32]>", "o_desc": "tensordesc<fp16[4,32,8]>", "A": "i32", "B": "i32", "C": "i32"}, dict(BA=8, BB=4, BC=32), dict(num_warps=4)),
    "triton_attention_ws_sm100": (attention, 100, {"sm_scale": "fp32", "m_ptr": "*fp32", "q_desc": "tensordesc<bf16[128,64]>", "k_desc": "tensordesc<bf16[64,64]>", "v_desc": "tensordesc<bf16[64,64]>", "o_desc": "tensordesc<bf16[128,64]>", "H": "i32"},
                                  dict(S=256, D=64, BM=128, BN=64), dict(num_warps=4, num_stages=2)),
}


def build(name, folder):
    fn, arch, signature, constants, options = CASES[name]
    names = fn.arg_names
    signature = {**signature, **{k: "constexpr" for k in constants}}
    attrs = {(i,): DIV for i, n in enumerate(names) if signature[n].startswith("*") or n in "MNK"}
    source = ASTSource(fn, signature, constexprs={(names.index(k),): v for k, v in constants.items()}, attrs=attrs)
    made = triton.compile(source, target=GPUTarget("cuda", arch, 32), options={"ptx_version": 90, **options})
    ptx = made.asm["ptx"]
    os.makedirs(f"{folder}/{name}", exist_ok=True)
    open(f"{folder}/{name}/kernel.ptx", "w").write(ptx)
    return made.metadata, ptx


if __name__ == "__main__":
    for name in sys.argv[2:] or CASES:
        try:
            meta, ptx = build(name, sys.argv[1])
        except Exception as e:  # noqa: BLE001
            print(name, "FAILED", type(e).__name__, str(e)[:600])
            continue
        m = meta._asdict() if hasattr(meta, "_asdict") else dict(meta)
        print(name, len(ptx), {k: m[k] for k in ("name", "shared", "num_warps", "cluster_dims", "global_scratch_size", "profile_scratch_size", "tmem_size", "tensordesc_meta", "launch_pdl") if k in m})

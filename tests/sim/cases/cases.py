#!/usr/bin/env python3
"""Our own kernels of other compilers, as runnable cases of `msa-sim run`. Needs numpy.

  cases.py list
  cases.py make NAME DIR [--seed N]        launch.json, in_*.npy, expected_*.npy, tolerance.json
  cases.py check NAME DIR                  compares the outputs saved in DIR
  cases.py run NAME[,NAME]|all --sim PATH/msa-sim [--schedules eager,lazy,random:1] [--timeout S] [--keep DIR]

A case is a folder here: kernel.ptx as the compiler wrote it, launch.json, ORIGIN (who made it, licence). This file makes
the inputs from a seed and computes what must come out. Matrix products use inputs whose sums are exact in FP32 in any
order (in FP8 on sm_90: exact in its 13 bits), so that the rounded output must be equal, not close. Padding of inputs
holds NaN where the type has one; padding of outputs holds a sentinel that must survive.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SENTINEL = 77  # exact in every output type

# ------------------------------------------------------------------------------------------------ number formats


def bf16(x):
    """float -> bf16 bits, round to nearest even (finite values)."""
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
    return (np.asarray(bits).astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def small_values(exponent_bits, mantissa_bits, bias):
    """Every non-negative value of a small float by its code; codes that mean NaN or infinity are never drawn."""
    codes = np.arange(1 << (exponent_bits + mantissa_bits))
    e, m = codes >> mantissa_bits, codes & ((1 << mantissa_bits) - 1)
    return np.where(e > 0, (1 + m / (1 << mantissa_bits)) * 2.0 ** (e - bias), m / (1 << mantissa_bits) * 2.0 ** (1 - bias))


SMALL = {"e4m3": small_values(4, 3, 7), "e5m2": small_values(5, 2, 15), "e2m1": small_values(2, 1, 1)}


def encode(x, kind):
    """Values that the format has exactly -> codes."""
    table = SMALL[kind]
    code = np.searchsorted(table, np.abs(x))
    assert np.array_equal(table[code], np.abs(x)), kind
    return (code | np.where(np.signbit(x), len(table), 0)).astype(np.uint8)


def pack4(codes):
    """Two 4-bit codes a byte, low nibble first."""
    return codes[..., 0::2] | codes[..., 1::2] << 4


def scale_blocks(codes):
    """[rows, columns] -> 128x4 blocks: byte (r % 32) * 16 + r % 128 // 32 * 4 + c % 4 of block [r / 128][c / 4]."""
    r, c = codes.shape
    return np.ascontiguousarray(codes.reshape(r // 128, 4, 32, c // 4, 4).transpose(0, 3, 2, 1, 4)).reshape(-1)


# ------------------------------------------------------------------------------------------------ a case


class Case:
    """What a builder fills: inputs and expected outputs by buffer name, with how each is compared."""

    def __init__(self, name, seed):
        self.name, self.folder = name, os.path.join(HERE, name)
        with open(os.path.join(self.folder, "launch.json")) as file:
            self.launch = json.load(file)
        self.rng = np.random.default_rng([seed, sum(map(ord, name))])
        self.inputs, self.expected, self.tolerance = {}, {}, {}
        BUILDERS[name](self)

    def shape(self, buffer):
        return self.launch["buffers"][buffer]["save"]["shape"]

    def initial(self, buffer, value=SENTINEL):
        """Contents of an output before the launch: a sentinel everywhere."""
        save = self.launch["buffers"][buffer]["save"]
        array = np.full(save["shape"], bf16(value) if save["dtype"] == "<u2" else value, save["dtype"])
        self.inputs[buffer + "_init"] = array
        return array.copy()

    def expect(self, buffer, array, kind="bits", **limits):
        """kind: bits (equal), close (rtol, atol), rows (error RMS of each row, relative to the row's RMS)."""
        self.expected[buffer], self.tolerance[buffer] = np.asarray(array), {"kind": kind, **limits}

    def write(self, folder):
        os.makedirs(folder, exist_ok=True)
        shutil.copy(os.path.join(self.folder, "launch.json"), folder)
        for name, array in self.inputs.items():
            np.save(os.path.join(folder, f"in_{name}.npy"), np.ascontiguousarray(array))
        for name, array in self.expected.items():
            np.save(os.path.join(folder, f"expected_{name}.npy"), np.ascontiguousarray(array))
            out = os.path.join(folder, self.launch["buffers"][name]["save"]["file"])
            if os.path.exists(out):
                os.remove(out)
        with open(os.path.join(folder, "tolerance.json"), "w") as file:
            json.dump({"case": self.name, "outputs": self.tolerance}, file)


def wrong(got, want, tolerance):
    """"" or what is wrong with an output."""
    if got.shape != want.shape:
        return f"shape {got.shape}, expected {want.shape}"
    if tolerance["kind"] == "bits":
        bad = got != want.astype(got.dtype)
    else:
        got = from_bf16(got) if got.dtype == np.uint16 else got.astype(np.float64)
        with np.errstate(invalid="ignore"):
            error = np.abs(got - want)
            if tolerance["kind"] == "close":
                bad = ~(error <= tolerance["atol"] + tolerance["rtol"] * np.abs(want))
            else:
                size = np.sqrt((want**2).mean(-1, keepdims=True))
                bad = ~(np.sqrt((error**2).mean(-1, keepdims=True)) <= tolerance["rms"] * size) | ~(error <= tolerance["max"] * size)
    if not bad.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    return f"{np.count_nonzero(bad)} of {bad.size} wrong, first at {at}: got {got[at]}, expected {want[at]}"


def check(name, folder):
    with open(os.path.join(folder, "tolerance.json")) as file:
        outputs = json.load(file)["outputs"]
    with open(os.path.join(folder, "launch.json")) as file:
        buffers = json.load(file)["buffers"]
    problems = []
    for buffer, tolerance in outputs.items():
        path = os.path.join(folder, buffers[buffer]["save"]["file"])
        text = wrong(np.load(path), np.load(os.path.join(folder, f"expected_{buffer}.npy")), tolerance) if os.path.exists(path) else "not saved"
        problems += [f"{buffer}: {text}"] if text else []
    return "; ".join(problems)


BUILDERS = {}


def case(*names):
    def add(builder):
        for name in names:
            BUILDERS[name] = builder
        return builder
    return add


# ------------------------------------------------------------------------------------------------ matrix products


def padded(array, width, padding):
    out = np.full((array.shape[0], width), padding, array.dtype)
    out[:, :array.shape[1]] = array
    return out


def product(a, b, unit, bits=24):
    """a @ b^T, with the proof that sums in `bits` bits are exact in any order."""
    assert (np.abs(a) @ np.abs(b).T).max() < unit * 2.0**bits
    return a @ b.T


def ragged(c, draw, store, padding, unit, bits, out):
    """C = A B^T with rows that are longer than what they hold."""
    m, n, k = (c.launch["params"][i]["s32"] for i in (-5, -4, -3))
    a, b = draw(c, (m, k)), draw(c, (n, k))
    for name, x in (("a", a), ("b", b)):
        width = c.launch["tensor_maps"][f"{name}_desc"]["strides_bytes"][0] // store(x[:1, :1]).itemsize
        c.inputs[name] = padded(store(x), width, padding)
    want = c.initial("c")
    want[:, :n] = out(product(a, b, unit, bits))
    c.expect("c", want)


def sixtyfourths(c, shape):
    return c.rng.integers(-127, 128, shape) / 64.0


@case("triton_matmul_fp8_sm90")
def _(c):
    draw = lambda c, s: c.rng.choice([-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1.0], s)  # noqa: E731
    ragged(c, draw, lambda x: encode(x, "e4m3"), 0x7F, 1 / 16, 13, bf16)


@case("triton_matmul_fp8_sm100")
def _(c):
    draw = lambda c, s: c.rng.choice([-3, -1.5, -0.5, -0.25, 0, 0.25, 0.75, 1, 2.5], s)  # noqa: E731
    ragged(c, draw, lambda x: encode(x, "e5m2"), 0x7F, 1 / 16, 24, lambda r: r.astype(np.float16))


@case("triton_matmul_int8_sm90")
def _(c):
    draw = lambda c, s: c.rng.integers(-128, 128, s).astype(np.float64)  # noqa: E731
    ragged(c, draw, lambda x: x.astype(np.int8), 55, 1, 31, lambda r: r.astype(np.int32))


@case("triton_matmul_tf32_sm90", "triton_matmul_tf32_sm100")
def _(c):
    ragged(c, sixtyfourths, lambda x: x.astype(np.float32), np.nan, 2.0**-12, 24, lambda r: r.astype(np.float32))


def block_scaled(c, vec, scales, out):
    """A [M, K] and B [N, K] in e2m1, a scale for each `vec` elements along K."""
    rows, k = 256, 512
    side = {}
    for name in "ab":
        x = c.rng.choice([0, 0.5, 1, 1.5, 2, 3, 4, 6], (rows, k)) * c.rng.choice([-1.0, 1.0], (rows, k))
        if scales == "ue8m0":
            code = c.rng.integers(125, 130, (rows, k // vec)).astype(np.uint8)
            value = 2.0 ** (code.astype(int) - 127)
        else:
            value = c.rng.choice([0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5], (rows, k // vec))
            code = encode(value, "e4m3")
        c.inputs[name], c.inputs["s" + name] = pack4(encode(x, "e2m1")), scale_blocks(code)
        side[name] = x * np.repeat(value, vec, 1)
    c.expect("c", out(product(side["a"], side["b"], 1 / 64)))


@case("triton_matmul_nvfp4_sm100")
def _(c):
    block_scaled(c, 16, "e4m3", lambda r: r.astype(np.float32))


@case("triton_matmul_mxfp4_sm100")
def _(c):
    block_scaled(c, 32, "ue8m0", lambda r: r.astype(np.float32))


@case("cutedsl_nvfp4_gemm_sm100", "cutedsl_nvfp4_gemm_2cta_sm100")
def _(c):
    block_scaled(c, 16, "e4m3", bf16)


@case("cutedsl_gemm_2cta_sm100")
def _(c):
    a, b = sixtyfourths(c, (512, 256)), sixtyfourths(c, (256, 256))
    c.inputs["a"], c.inputs["b"] = bf16(a), bf16(b)  # B is [K, N]
    c.expect("c", bf16(product(a, b.T, 2.0**-12)))


@case("cutedsl_gemm_tf32_sm100")
def _(c):
    a, b = sixtyfourths(c, (256, 128)), sixtyfourths(c, (128, 128))
    c.inputs["a"], c.inputs["b"] = a.astype(np.float32), b.astype(np.float32)  # B is [K, N]
    c.expect("c", product(a, b.T, 2.0**-12).astype(np.float32))


@case("triton_small_fp8_sm90")
def _(c):
    values = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1.0]
    a, b = c.rng.choice(values, (16, 256)), c.rng.choice(values, (64, 256))
    c.inputs["a"], c.inputs["b"] = encode(a, "e4m3"), encode(b, "e4m3")
    c.expect("c", product(a, b, 1 / 16).astype(np.float32))


# ------------------------------------------------------------------------------------------------ tensor maps


@case("triton_tma_reduce_sm90")
def _(c):
    x = sixtyfourths(c, (120, 24)).astype(np.float32)
    c.inputs["x"] = padded(x, 28, np.float32(np.nan))
    tiles = np.zeros((4, 32, 24))
    tiles[:3], tiles[3, :24] = x[:96].reshape(3, 32, 24), x[96:]  # the last box reads zeros beyond row 119
    for name, want in (("s", tiles.sum(0)), ("h", (tiles * 64).max(0))):
        out = c.initial(name, 3)
        out[:, :24] = out[:, :24] + want[:30] if name == "s" else np.maximum(out[:, :24], want[:30].astype(np.int32))
        c.expect(name, out)


@case("triton_tma_permute_sm100")
def _(c):
    x = np.full((11, 6, 48), np.nan, np.float16)
    x[:, :, :40] = sixtyfourths(c, (11, 6, 40))
    c.inputs["x"] = x
    want = c.initial("o")
    want[:, :, :11] = 2 * x[:, :, :40].transpose(1, 2, 0)
    c.expect("o", want.view(np.float16) if want.dtype == np.uint16 else want)


def box_bytes(array, coordinates, box, span):
    """What a load puts into 1024-byte aligned shared memory: `array` outermost first, the rest innermost first."""
    out = np.zeros(box[::-1], array.dtype)
    take, put = [], []
    for size, at, count in zip(array.shape, coordinates[::-1], box[::-1]):
        low, high = max(at, 0), min(at + count, size)
        take.append(slice(low, high)), put.append(slice(low - at, high - at))
    out[tuple(put)] = array[tuple(take)]
    linear = np.frombuffer(out.tobytes(), np.uint8)
    offset = np.arange(linear.size)
    swizzled = np.empty_like(linear)
    swizzled[offset ^ (offset >> 7 & (span // 16 - 1 if span else 0)) << 4] = linear
    return swizzled.view(np.uint32), out


@case("nvcc_tma_forms_sm90")
def _(c):
    raw = c.initial("raw")
    boxes = []
    where = [(90,), (-8, 3), (0, -1, 2), (16, 1, -2, 1), (0, 1, 0, -1, 1)]
    for i, at in enumerate(where):
        m = c.launch["tensor_maps"][f"load{i}"]
        item = {"u8": np.uint8, "u16": np.uint16, "bf16": np.uint16, "u32": np.uint32, "f32": np.float32}[m["type"]]
        size = np.dtype(item).itemsize
        # dimensions as they lie in memory: each stride over the next smaller one
        counts = [b // a for a, b in zip([size, *m["strides_bytes"]], m["strides_bytes"])] + [m["shape"][-1]]
        memory = c.rng.integers(1, 200, counts[::-1]).astype(item)
        if i == 2:  # 400 bytes are no multiple of 64: rows by hand
            memory = c.rng.integers(1, 200, (5, 400)).astype(item)
            array = np.stack([memory[:, 64 * r:64 * r + 50] for r in range(6)], 1)
        elif i == 3:  # the same with strides of 720 and 176 bytes
            memory = c.rng.integers(1, 200, (4, 3, 180)).astype(item)
            array = np.stack([memory[..., 44 * r:44 * r + 40] for r in range(4)], 2)
        else:
            array = memory[tuple(slice(0, n) for n in m["shape"][::-1])]
        c.inputs[f"x{i}"] = memory
        words, box = box_bytes(array, at, m["box"], 0 if m["swizzle"] == "none" else int(m["swizzle"][:-1]))
        raw[:, i, :words.size] = words
        boxes.append(box)
    c.expect("raw", raw)
    y = c.initial("y3")
    y[1:3, 0:2, 2:4, 8:36] = boxes[3][:2, :2, :2, :28]
    c.expect("y3", y)
    rows = c.initial("words")
    for me in range(2):
        v = (3 * np.arange(32) + 40 * me).astype(np.uint32)
        for r, f in enumerate((np.add, np.minimum, np.maximum, np.bitwise_and, np.bitwise_or, np.bitwise_xor)):
            rows[r] = f(rows[r], v)
    c.expect("words", rows)


# ------------------------------------------------------------------------------------------------ bulk copies


@case("nvcc_async_store_sm90")
def _(c):
    x = c.rng.integers(0, 2**31, (2, 4, 256)).astype(np.uint32)
    c.inputs["in"] = x.reshape(8, 256)
    half = 2 * np.roll(x, 1, 1) + np.arange(4, dtype=np.uint32)[:, None]
    c.expect("out", (np.roll(half, 2, 1) + half).reshape(8, 256))
    c.expect("sums", 1000 + (x[:, :, ::4] & 255).reshape(2, 4, 8, 8).sum((1, 2)))


@case("nvcc_bulk_pipeline_sm90")
def _(c):
    a, b = (c.rng.integers(-60, 60, (3, 5, 128)) / 4.0 for _ in range(2))
    c.inputs["a"], c.inputs["b"] = a.astype(np.float32), b.astype(np.float32)
    c.expect("sum", c.initial("sum") + (a * b).sum((0, 1)).astype(np.float32))
    c.expect("least", np.minimum(c.initial("least"), np.trunc(a * b).astype(np.int32).min((0, 1))))


# ------------------------------------------------------------------------------------------------ attention


def attention(q, k, v, scale, mask=None):
    """[heads, tokens, d] -> outputs and natural log-sum-exp, in FP64."""
    s = np.einsum("hsd,htd->hst", q, k) * scale
    if mask is not None:
        s = np.where(mask, s, -np.inf)
    top = s.max(-1, keepdims=True)
    p = np.exp(s - top)
    total = p.sum(-1, keepdims=True)
    return np.einsum("hst,htd->hsd", p / total, v), (top + np.log(total))[..., 0]


ROWS = {"kind": "rows", "rms": 8e-3, "max": 5e-2}


@case("triton_attention_ws_sm100")
def _(c):
    heads, tokens, d = 2, 256, 64
    x = {n: bf16(c.rng.standard_normal((heads * tokens, d)) * f) for n, f in (("q", 2.0), ("k", 1.0), ("v", 1.0))}
    c.inputs.update(x)
    o, lse = attention(*(from_bf16(x[n]).reshape(heads, tokens, d) for n in "qkv"), d**-0.5)
    c.expect("o", o.reshape(-1, d), **ROWS)
    c.expect("m", lse.reshape(-1) * np.log2(np.e), "close", rtol=0, atol=2e-4)


@case("fa4_forward_causal_sm100", "fa4_forward_2cta_sm100", "fa4_forward_sm90")
def _(c):
    causal = "causal" in c.name
    (tokens, heads, d), (keys, kv_heads) = c.shape("o"), {"causal": (320, 1), "2cta": (256, 1), "sm90": (300, 2)}[c.name.split("_")[2]]
    x = {n: bf16(c.rng.standard_normal((s, h, d)) * f) for n, s, h, f in (("q", tokens, heads, 2.0), ("k", keys, kv_heads, 1.0), ("v", keys, kv_heads, 1.0))}
    c.inputs.update(x)
    q, k, v = (from_bf16(x[n]).transpose(1, 0, 2) for n in "qkv")
    o, lse = attention(q, np.repeat(k, heads // kv_heads, 0), np.repeat(v, heads // kv_heads, 0), d**-0.5, np.tril(np.ones((tokens, keys), bool)) if causal else None)
    c.expect("o", o.transpose(1, 0, 2), **ROWS)
    c.expect("l", lse, "close", rtol=0, atol=2e-4)


# ------------------------------------------------------------------------------------------------ the program


def simulate(sim, name, folder, schedule, timeout):
    """"" or why the run is not right."""
    kind, _, seed = schedule.partition(":")
    command = [sim, "run", os.path.join(HERE, name, "kernel.ptx"), "--launch", os.path.join(folder, "launch.json"), "--save", folder, "--schedule", kind]
    command += ["--seed", seed] if seed else []
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
    except subprocess.TimeoutExpired:
        return f"not done after {timeout:g} s"
    if run.returncode != 0:
        return f"exit {run.returncode}: " + run.stdout.decode(errors="replace").strip()[-600:]
    return check(name, folder)


def run_all(names, options):
    base = options.keep or tempfile.mkdtemp(prefix="msa-cases-")
    failed = 0
    try:
        for name in names:
            folder = os.path.join(base, name)
            for schedule in options.schedules.split(","):
                Case(name, options.seed).write(folder)
                start = time.time()
                problem = simulate(options.sim, name, folder, schedule, options.timeout)
                failed += bool(problem)
                print(f"{name:32} {schedule:9} {time.time() - start:6.1f} s  {problem or 'right'}", flush=True)
    finally:
        if not options.keep:
            shutil.rmtree(base)
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    make, compare, run = (commands.add_parser(n) for n in ("make", "check", "run"))
    for p in (make, compare):
        p.add_argument("name"), p.add_argument("folder")
    run.add_argument("name"), run.add_argument("--sim", required=True), run.add_argument("--schedules", default="eager,lazy,random:1")
    run.add_argument("--timeout", type=float, default=300), run.add_argument("--keep")
    for p in (make, run):
        p.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.command == "list":
        print("\n".join(sorted(BUILDERS)))
        return 0
    names = sorted(BUILDERS) if options.name == "all" else options.name.split(",")
    if unknown := set(names) - set(BUILDERS):
        parser.error(f"no case {', '.join(unknown)}; see list")
    if options.command == "run":
        return run_all(names, options)
    if options.command == "make":
        Case(names[0], options.seed).write(options.folder)
        return 0
    problem = check(names[0], options.folder)
    print(f"{names[0]}: {problem or 'right'}")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())

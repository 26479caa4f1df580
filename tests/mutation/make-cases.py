#!/usr/bin/env python3
"""Makes the case directories that msa-mutate breaks. Needs numpy.

  make-cases.py PTX_FOLDER OUT [NAME ...]     PTX_FOLDER holds ptx_cases.py; no NAME: all, and our own

Matrix products that take K as an argument get a longer one than their case has: a pipeline whose buffers are used once
needs no waits before they are filled again, and dropping such a wait would be no mistake.
"""
import os
import shutil
import subprocess
import sys

LONG_K = 560  # nine steps of 64 with a ragged last one
LONG_SCALED_K = 1024  # block-scaled: eight steps of 128


def lengthen(parts):
    for function in (parts.triton_mm, parts.triton_mm_ptr):
        defaults = list(function.__defaults__)
        defaults[2] = LONG_K  # (M, N, K, ...)
        function.__defaults__ = tuple(defaults)


def main(folder, out, names):
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    import ptx_parts
    import ptx_lib
    import cases_dev

    lengthen(ptx_parts)
    scaled = cases_dev.triton_scaled
    cases_dev.triton_scaled = lambda c, fmt, sf, vec, K: scaled(c, fmt, sf, vec, LONG_SCALED_K)
    own_folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sim", "cases")
    own = [n for n in sorted(os.listdir(own_folder)) if os.path.isfile(os.path.join(own_folder, n, "launch.json"))]
    third = [n for n in sorted(os.listdir(folder)) if os.path.isfile(os.path.join(folder, n, "kernel.ptx"))]
    for name in names or third + own:
        target = os.path.join(out, name)
        os.makedirs(target, exist_ok=True)
        if name in own:
            subprocess.run([sys.executable, "-B", os.path.join(own_folder, "cases.py"), "make", name, target], check=True)
            source = own_folder
        elif name in third:
            sys.argv = ["ptx_cases.py", "make", name, target, "--seed", "1"]
            ptx_lib.main(__doc__)
            source = folder
        else:
            sys.exit(f"make-cases.py: no case '{name}'; accepted: {', '.join(third + own)}")
        shutil.copy(os.path.join(source, name, "kernel.ptx"), os.path.join(target, "kernel.ptx"))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:])

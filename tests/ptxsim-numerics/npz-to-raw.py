#!/usr/bin/env python3
"""npz-to-raw.py SOURCE_FOLDER TARGET_FOLDER: recorded tensor-core outputs as plain words.

Each sm_*.npz (a, b [rows, k]; c, d [rows]; uint32 bits of FP32 numbers) becomes a .raw file:
uint32 rows, uint32 k, then a, b, c, d. Exit 3 without numpy.
"""
import pathlib
import sys

try:
    import numpy
except ImportError:
    sys.exit(3)

source, target = map(pathlib.Path, sys.argv[1:3])
target.mkdir(parents=True, exist_ok=True)
for path in sorted(source.glob("sm_*.npz")):
    data = numpy.load(path)
    rows, k = data["a"].shape
    words = [numpy.array([rows, k], dtype=numpy.uint32)]
    words += [numpy.ascontiguousarray(data[name], dtype=numpy.uint32).ravel() for name in "abcd"]
    numpy.concatenate(words).tofile(target / (path.stem + ".raw"))

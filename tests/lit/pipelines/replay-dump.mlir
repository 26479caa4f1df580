// What msa-compile dumps replays through msa-opt to the same PTX.
// REQUIRES: nvrtc, msa-compile
// RUN: rm -rf %t && mkdir %t
// RUN: msa-compile --preset narrow-64 --target sm_80 --route cuda --emit ptx --no-cache --dump-to %t/dump -o %t/ptx
// RUN: msa-opt %t/dump/05-nvrtc.mlir -o %t/whole
// RUN: msa-opt %t/dump/01-input.mlir --msa-cuda-pipeline 2>/dev/null | diff %t/whole -
// RUN: msa-opt %t/dump/02-select-schedule.mlir --msa-cuda-pipeline | diff %t/whole -
// RUN: msa-opt %t/dump/03-decompose.mlir --msa-cuda-pipeline | diff %t/whole -
// RUN: msa-opt %t/dump/04-convert-msa-to-cuda.mlir --msa-cuda-pipeline | diff %t/whole -

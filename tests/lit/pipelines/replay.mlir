// Every stage replays to the same kernels.
// REQUIRES: nvrtc
// RUN: msa-opt %S/Inputs/select.mlir --msa-cuda-pipeline -o %t.whole 2>/dev/null
// RUN: msa-opt %S/Inputs/select.mlir --msa-select-schedule -o %t.1 2>/dev/null
// RUN: msa-opt %t.1 --msa-decompose -o %t.2
// RUN: msa-opt %t.2 --convert-msa-to-cuda -o %t.3
// RUN: msa-opt %t.3 --msa-nvrtc -o %t.4
// RUN: diff %t.whole %t.4
// RUN: msa-opt %t.1 --msa-cuda-pipeline | diff %t.whole -
// RUN: msa-opt %t.2 --msa-cuda-pipeline | diff %t.whole -
// RUN: msa-opt %t.3 --msa-cuda-pipeline | diff %t.whole -
// RUN: msa-opt %t.4 --msa-cuda-pipeline | diff %t.whole -

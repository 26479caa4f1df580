// msa to PTX: the kernel's text is in the module.
// REQUIRES: nvrtc
// RUN: msa-opt %S/Inputs/select.mlir --msa-cuda-pipeline 2>%t.err | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.err

// REMARK: select.mlir:{{[0-9]+:[0-9]+}}: remark: topk_select: route = cuda
// CHECK-LABEL: func.func @select
// CHECK: msa.launch [@[[K:[A-Za-z0-9_]+]]]
// CHECK: msa.cuda_kernel @[[K]] {{.*}}entry = "[[ENTRY:[A-Za-z0-9_]+]]"
// CHECK-SAME: ptx = "{{.*}}.target sm_80{{.*}}.entry [[ENTRY]](

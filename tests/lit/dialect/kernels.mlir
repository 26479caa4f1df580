// Kernels of the CUDA route and their launches.
// RUN: msa-opt %s | msa-opt | FileCheck %s

// CHECK: msa.cuda_kernel @select {args = ["input f32 scores[4, tokens, max_blocks]"], block = array<i32: 128, 1, 1>, defines = {MSA_TOPK = "16"}, dynamic_shared_bytes = 0 : i32, entry = "msa_topk_select", grid = ["tokens", "ceildiv(4, 2)", "1"], phase = "topk_select", source = "topk_select", target = "sm_80"}
msa.cuda_kernel @select {phase = "topk_select", source = "topk_select", entry = "msa_topk_select", target = "sm_80", defines = {MSA_TOPK = "16"},
    args = ["input f32 scores[4, tokens, max_blocks]"], grid = ["tokens", "ceildiv(4, 2)", "1"], block = array<i32: 128, 1, 1>, dynamic_shared_bytes = 0 : i32}
// CHECK: msa.cuda_kernel @compiled {{.*}}ptx = ".version 8.0\0A"
msa.cuda_kernel @compiled {phase = "topk_select", source = "topk_select", entry = "e", target = "sm_80", defines = {}, args = [],
    grid = ["1", "1", "1"], block = array<i32: 1, 1, 1>, dynamic_shared_bytes = 1024 : i32, ptx = ".version 8.0\0A"}

// CHECK-LABEL: func.func @f
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) -> tensor<4x?x16xi32> {
  // CHECK: msa.launch [@select, @compiled](%{{.*}}, %{{.*}}) : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  %0 = msa.launch [@select, @compiled](%s, %b) : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return %0 : tensor<4x?x16xi32>
}

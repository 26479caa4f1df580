// Phases become launches of kernels; equal kernels are one symbol; no op with a plan is left.
// RUN: msa-opt %s --convert-msa-to-cuda | FileCheck %s --implicit-check-not=msa.topk_select --implicit-check-not=msa.gather_plan

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
#top8 = #msa.selection<block_size = 128, topk = 8, force_first = 0, order = head_major>

// CHECK: module attributes {msa.target = "sm_80"}
module attributes {msa.target = "sm_80"} {
  // CHECK-LABEL: func.func @select
  // CHECK-SAME: %[[S:.+]]: tensor<4x?x?xf32>, %[[B:.+]]: !msa.batch
  func.func @select(%s: tensor<4x?x?xf32>, %b: !msa.batch) -> (tensor<4x?x16xi32>, tensor<4x?x16xi32>, tensor<4x?x8xi32>) {
    // CHECK: %[[R0:.+]] = msa.launch [@[[A:[A-Za-z0-9_]+]]](%[[S]], %[[B]]) : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
    %0 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, schedule = #msa.schedule<route = cuda>} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
    // CHECK: %[[R1:.+]] = msa.launch [@[[A]]](%[[S]], %[[B]])
    %1 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, schedule = #msa.schedule<route = cuda>} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
    // CHECK: %[[R2:.+]] = msa.launch [@[[C:[A-Za-z0-9_]+]]](%[[S]], %[[B]]) : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x8xi32>
    %2 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #top8, precision = #precision, kv_layout = #paged, schedule = #msa.schedule<route = cuda>} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x8xi32>
    // CHECK: return %[[R0]], %[[R1]], %[[R2]]
    return %0, %1, %2 : tensor<4x?x16xi32>, tensor<4x?x16xi32>, tensor<4x?x8xi32>
  }
  // CHECK: msa.cuda_kernel @[[A]] {{.*}}phase = "topk_select"
  // CHECK-SAME: target = "sm_80"
  // CHECK-NOT: msa.cuda_kernel @[[A]]
  // CHECK: msa.cuda_kernel @[[C]] {{.*}}phase = "topk_select"
}
// CHECK: module attributes {msa.target = "sm_90a"}
module attributes {msa.target = "sm_90a"} {
  func.func @gather(%s: tensor<4x?x16xi32>, %b: !msa.batch) {
    // CHECK: %{{.+}}:3 = msa.launch [@{{.+}}](%{{.+}}, %{{.+}}) : (tensor<4x?x16xi32>, !msa.batch) -> (tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>)
    %p:3 = msa.gather_plan(selection = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, schedule = #msa.schedule<route = cuda, chunk = 32>} : (tensor<4x?x16xi32>, !msa.batch) -> (tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>)
    return
  }
  // CHECK: msa.cuda_kernel {{.*}}phase = "gather_plan"{{.*}}target = "sm_90a"
}

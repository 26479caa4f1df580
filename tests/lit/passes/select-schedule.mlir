// Open fields are filled, pinned ones kept, and each choice is explained.
// RUN: msa-opt %s --msa-select-schedule -verify-diagnostics | FileCheck %s
// A second run has nothing left to choose.
// RUN: msa-opt %s --msa-select-schedule 2>/dev/null | msa-opt --msa-select-schedule 2>&1 | FileCheck %s --check-prefixes=CHECK,AGAIN --implicit-check-not=remark

// AGAIN: module
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>

module attributes {msa.target = "sm_80"} {
  // CHECK-LABEL: func.func @topk
  func.func @topk(%s: tensor<4x?x?xf32>, %b: !msa.batch) -> tensor<4x?x16xi32> {
    // CHECK: msa.topk_select{{.*}}schedule = #msa.schedule<route = cuda>
    // expected-remark @+1 {{topk_select: route = cuda: the portable templates serve every legal plan}}
    %0 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
    return %0 : tensor<4x?x16xi32>
  }
  // CHECK-LABEL: func.func @gather
  func.func @gather(%s: tensor<4x?x16xi32>, %b: !msa.batch) {
    // CHECK: msa.gather_plan{{.*}}schedule = #msa.schedule<route = cuda, chunk = 32>
    // expected-remark @+2 {{gather_plan: route = cuda}}
    // expected-remark @+1 {{gather_plan: chunk = 32: about 512 rows of 16 heads a query}}
    %p:3 = msa.gather_plan(selection = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x16xi32>, !msa.batch) -> (tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>)
    return
  }
  // CHECK-LABEL: func.func @pinned
  func.func @pinned(%s: tensor<4x?x16xi32>, %b: !msa.batch) {
    // CHECK: msa.gather_plan{{.*}}schedule = #msa.schedule<route = cuda, chunk = 7>
    %p:3 = msa.gather_plan(selection = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, schedule = #msa.schedule<route = cuda, chunk = 7>} : (tensor<4x?x16xi32>, !msa.batch) -> (tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>)
    return
  }
  // CHECK-LABEL: func.func @auto
  func.func @auto(%s: tensor<4x?x16xi32>, %b: !msa.batch) {
    // CHECK: msa.gather_plan{{.*}}schedule = #msa.schedule<route = cuda, chunk = 9>
    // expected-remark @+1 {{gather_plan: route = cuda}}
    %p:3 = msa.gather_plan(selection = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, schedule = #msa.schedule<route = auto, chunk = 9>} : (tensor<4x?x16xi32>, !msa.batch) -> (tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>)
    return
  }
}

// Every op with a plan: named operands, the plan's attributes, results named after the tensors.
// RUN: msa-opt %s | msa-opt | FileCheck %s

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
#tokens = #msa.selection<block_size = 128, topk = 16, force_first = 1, order = token_major>
#contiguous = #msa.kv_layout<contiguous>
#kv4 = #msa.precision<q = e4m3, k = nvfp4, v = mxfp4, index_q = e4m3, index_k = mxfp4, o = bf16, partial = f32>

// CHECK-DAG: #[[HEADS:.+]] = #msa.heads<query = 64
// CHECK-DAG: #[[BLOCKS:.+]] = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
// CHECK-DAG: #[[BF16:.+]] = #msa.precision<q = bf16
// CHECK-DAG: #[[KV4:.+]] = #msa.precision<q = e4m3
// CHECK-DAG: #[[CONTIGUOUS:.+]] = #msa.kv_layout<contiguous>
// CHECK-DAG: #[[PAGED:.+]] = #msa.kv_layout<paged, page_size = 128>

// CHECK-LABEL: func.func @index_scores
func.func @index_scores(%iq: tensor<?x4x128xbf16>, %ik: tensor<?x1x128x128xbf16>, %b: !msa.batch) -> tensor<4x?x?xf32> {
  // CHECK: %scores = msa.index_scores(index_q = %{{.*}}, index_k = %{{.*}}, batch = %{{.*}}) {blocks = #[[BLOCKS]], heads = #[[HEADS]], kv_layout = #[[PAGED]], precision = #[[BF16]]} : (tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> tensor<4x?x?xf32>
  %s = msa.index_scores(index_q = %iq, index_k = %ik, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> tensor<4x?x?xf32>
  return %s : tensor<4x?x?xf32>
}

// CHECK-LABEL: func.func @index_scores_mxfp4
func.func @index_scores_mxfp4(%iq: tensor<?x4x128xf8E4M3FN>, %ik: tensor<?x1x64xi8>, %s: tensor<?x1x4xf8E8M0FNU>, %b: !msa.batch) -> tensor<4x?x?xf32> {
  // CHECK: msa.index_scores(index_q = %{{.*}}, index_k = %{{.*}}, index_k_block_scale = %{{.*}}, batch = %{{.*}}) {{.*}}kv_layout = #[[CONTIGUOUS]]
  %0 = msa.index_scores(index_q = %iq, index_k = %ik, index_k_block_scale = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #kv4, kv_layout = #contiguous}
    : (tensor<?x4x128xf8E4M3FN>, tensor<?x1x64xi8>, tensor<?x1x4xf8E8M0FNU>, !msa.batch) -> tensor<4x?x?xf32>
  return %0 : tensor<4x?x?xf32>
}

// CHECK-LABEL: func.func @topk_select
func.func @topk_select(%s: tensor<4x?x?xf32>, %b: !msa.batch) -> (tensor<4x?x16xi32>, tensor<?x4x16xi32>) {
  // CHECK: %selection = msa.topk_select(scores = %{{.*}}, batch = %{{.*}}) {{.*}} -> tensor<4x?x16xi32>
  %0 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  // CHECK: msa.topk_select{{.*}} -> tensor<?x4x16xi32>
  %1 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #tokens, precision = #precision, kv_layout = #paged}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<?x4x16xi32>
  return %0, %1 : tensor<4x?x16xi32>, tensor<?x4x16xi32>
}

// CHECK-LABEL: func.func @two_phase
func.func @two_phase(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %s: tensor<4x?x16xi32>, %b: !msa.batch)
    -> (tensor<?x64x128xbf16>, tensor<?x64xf32>) {
  // CHECK: %plan_offsets, %plan_entries, %plan_items = msa.gather_plan(selection = %{{.*}}, batch = %{{.*}}) {{.*}}schedule = #msa.schedule<chunk = 32>
  %p:3 = msa.gather_plan(selection = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, schedule = #msa.schedule<chunk = 32>}
    : (tensor<4x?x16xi32>, !msa.batch) -> (tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>)
  // CHECK: %partial_o, %partial_lse = msa.attention_split(q = %{{.*}}, k = %{{.*}}, v = %{{.*}}, selection = %{{.*}}, plan_offsets = %plan_offsets, plan_entries = %plan_entries, plan_items = %plan_items, batch = %{{.*}}) {{.*}}softmax_scale = 1.250000e-01 : f64
  %po, %pl = msa.attention_split(q = %q, k = %k, v = %v, selection = %s, plan_offsets = %p#0, plan_entries = %p#1, plan_items = %p#2, batch = %b)
    {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, softmax_scale = 0.125}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>, !msa.batch)
   -> (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>)
  // CHECK: %o, %lse = msa.attention_combine(partial_o = %partial_o, partial_lse = %partial_lse, selection = %{{.*}}, batch = %{{.*}}) {{.*}}checked
  %o, %l = msa.attention_combine(partial_o = %po, partial_lse = %pl, selection = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, checked}
    : (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return %o, %l : tensor<?x64x128xbf16>, tensor<?x64xf32>
}

// CHECK-LABEL: func.func @dense_attention
func.func @dense_attention(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %b: !msa.batch) -> tensor<64x?x?xf32> {
  // CHECK: %o, %lse = msa.dense_attention(q = %{{.*}}, k = %{{.*}}, v = %{{.*}}, batch = %{{.*}})
  %o, %l = msa.dense_attention(q = %q, k = %k, v = %v, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  // CHECK: %o_0, %lse_1, %scores = msa.dense_attention({{.*}}) {block_maxima,
  %o2, %l2, %s = msa.dense_attention(q = %q, k = %k, v = %v, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, block_maxima}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>, tensor<64x?x?xf32>)
  return %s : tensor<64x?x?xf32>
}

// CHECK-LABEL: func.func @sparse_attention
func.func @sparse_attention(%q: tensor<?x64x128xf8E4M3FN>, %k: tensor<?x4x128x64xi8>, %v: tensor<?x4x128x64xi8>, %qs: tensor<4xf32>, %ks: tensor<1xf32>,
    %kb: tensor<?x4x128x8xf8E4M3FN>, %vb: tensor<?x4x128x4xf8E8M0FNU>, %s: tensor<4x?x16xi32>, %b: !msa.batch) -> tensor<?x64xf32> {
  // CHECK: msa.sparse_attention(q = %{{.*}}, k = %{{.*}}, v = %{{.*}}, q_scale = %{{.*}}, k_scale = %{{.*}}, k_block_scale = %{{.*}}, v_block_scale = %{{.*}}, selection = %{{.*}}, batch = %{{.*}}) {{.*}}precision = #[[KV4]]
  %o, %l = msa.sparse_attention(q = %q, k = %k, v = %v, q_scale = %qs, k_scale = %ks, k_block_scale = %kb, v_block_scale = %vb, selection = %s, batch = %b)
    {heads = #heads, blocks = #blocks, precision = #kv4, kv_layout = #paged}
    : (tensor<?x64x128xf8E4M3FN>, tensor<?x4x128x64xi8>, tensor<?x4x128x64xi8>, tensor<4xf32>, tensor<1xf32>, tensor<?x4x128x8xf8E4M3FN>, tensor<?x4x128x4xf8E8M0FNU>, tensor<4x?x16xi32>, !msa.batch)
   -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return %l : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @prefill
func.func @prefill(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %iq: tensor<?x4x128xbf16>, %ik: tensor<?x1x128x128xbf16>, %b: !msa.batch)
    -> tensor<?x64x128xbf16> {
  // CHECK: %o, %lse = msa.prefill(q = %{{.*}}, k = %{{.*}}, v = %{{.*}}, index_q = %{{.*}}, index_k = %{{.*}}, batch = %{{.*}})
  %o, %l = msa.prefill(q = %q, k = %k, v = %v, index_q = %iq, index_k = %ik, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch)
   -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return %o : tensor<?x64x128xbf16>
}

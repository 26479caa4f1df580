// Pipelines become their phases; tensors meet by name and the plan is carried along.
// RUN: msa-opt %s --msa-decompose | FileCheck %s --implicit-check-not=msa.prefill --implicit-check-not=msa.sparse_attention

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
#kv4 = #msa.precision<q = e4m3, k = nvfp4, v = e4m3, index_q = bf16, index_k = mxfp4, o = bf16, partial = f32>

module attributes {msa.target = "sm_80"} {
  // CHECK-LABEL: func.func @sparse
  // CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x64x128xbf16>, %[[K:[a-z0-9]+]]: tensor<?x4x128x128xbf16>, %[[V:[a-z0-9]+]]: tensor<?x4x128x128xbf16>, %[[S:[a-z0-9]+]]: tensor<4x?x16xi32>, %[[B:[a-z0-9]+]]: !msa.batch
  func.func @sparse(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %s: tensor<4x?x16xi32>, %b: !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>) {
    // CHECK: %[[OFF:.+]], %[[ENT:.+]], %[[ITEMS:.+]] = msa.gather_plan(selection = %[[S]], batch = %[[B]]) {{.*}}checked{{.*}}schedule = #msa.schedule<route = cuda, chunk = 5>, softmax_scale = 5.000000e-01
    // CHECK: %[[PO:.+]], %[[PL:.+]] = msa.attention_split(q = %[[Q]], k = %[[K]], v = %[[V]], selection = %[[S]], plan_offsets = %[[OFF]], plan_entries = %[[ENT]], plan_items = %[[ITEMS]], batch = %[[B]]) {{.*}}checked{{.*}}schedule = #msa.schedule<route = cuda, chunk = 5>, softmax_scale = 5.000000e-01
    // CHECK: %[[O:.+]], %[[L:.+]] = msa.attention_combine(partial_o = %[[PO]], partial_lse = %[[PL]], selection = %[[S]], batch = %[[B]])
    // CHECK: return %[[O]], %[[L]]
    %o, %l = msa.sparse_attention(q = %q, k = %k, v = %v, selection = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, checked, softmax_scale = 0.5, schedule = #msa.schedule<route = cuda, chunk = 5>}
      : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
    return %o, %l : tensor<?x64x128xbf16>, tensor<?x64xf32>
  }

  // CHECK-LABEL: func.func @prefill
  func.func @prefill(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %iq: tensor<?x4x128xbf16>, %ik: tensor<?x1x128x128xbf16>, %b: !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>) {
    // CHECK: %[[SC:.+]] = msa.index_scores(index_q = %[[IQ:.+]], index_k = %[[IK:.+]], batch = %[[B:.+]]) {
    // CHECK: %[[S:.+]] = msa.topk_select(scores = %[[SC]], batch = %[[B]])
    // CHECK: %[[OFF:.+]], %[[ENT:.+]], %[[ITEMS:.+]] = msa.gather_plan(selection = %[[S]], batch = %[[B]])
    // CHECK: %[[PO:.+]], %[[PL:.+]] = msa.attention_split({{.*}}selection = %[[S]], plan_offsets = %[[OFF]], plan_entries = %[[ENT]], plan_items = %[[ITEMS]], batch = %[[B]])
    // CHECK: %[[O:.+]], %[[L:.+]] = msa.attention_combine(partial_o = %[[PO]], partial_lse = %[[PL]], selection = %[[S]], batch = %[[B]])
    // CHECK: return %[[O]], %[[L]]
    %o, %l = msa.prefill(q = %q, k = %k, v = %v, index_q = %iq, index_k = %ik, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
      : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
    return %o, %l : tensor<?x64x128xbf16>, tensor<?x64xf32>
  }

  // Scales go to the phase that reads their tensor; those that are absent stay absent.
  // CHECK-LABEL: func.func @scales
  func.func @scales(%q: tensor<?x64x128xf8E4M3FN>, %k: tensor<?x4x128x64xi8>, %v: tensor<?x4x128x128xf8E4M3FN>, %vs: tensor<4xf32>, %kb: tensor<?x4x128x8xf8E4M3FN>,
      %iq: tensor<?x4x128xbf16>, %ik: tensor<?x1x128x64xi8>, %ikb: tensor<?x1x128x4xf8E8M0FNU>, %b: !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>) {
    // CHECK: msa.index_scores(index_q = %{{.*}}, index_k = %{{.*}}, index_k_block_scale = %{{.*}}, batch = %{{.*}})
    // CHECK: msa.attention_split(q = %{{.*}}, k = %{{.*}}, v = %{{.*}}, v_scale = %{{.*}}, k_block_scale = %{{.*}}, selection = %{{.*}}, plan_offsets
    %o, %l = msa.prefill(q = %q, k = %k, v = %v, v_scale = %vs, k_block_scale = %kb, index_q = %iq, index_k = %ik, index_k_block_scale = %ikb, batch = %b)
      {heads = #heads, blocks = #blocks, precision = #kv4, kv_layout = #paged}
      : (tensor<?x64x128xf8E4M3FN>, tensor<?x4x128x64xi8>, tensor<?x4x128x128xf8E4M3FN>, tensor<4xf32>, tensor<?x4x128x8xf8E4M3FN>, tensor<?x4x128xbf16>, tensor<?x1x128x64xi8>, tensor<?x1x128x4xf8E8M0FNU>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
    return %o, %l : tensor<?x64x128xbf16>, tensor<?x64xf32>
  }

  // A phase is left as it is.
  // CHECK-LABEL: func.func @phase
  func.func @phase(%s: tensor<4x?x?xf32>, %b: !msa.batch) -> tensor<4x?x16xi32> {
    // CHECK-NEXT: msa.topk_select
    // CHECK-NEXT: return
    %0 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
    return %0 : tensor<4x?x16xi32>
  }
}

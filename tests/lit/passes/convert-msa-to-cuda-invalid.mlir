// RUN: msa-opt %s --convert-msa-to-cuda -split-input-file -verify-diagnostics

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>

module attributes {msa.target = "sm_80"} {
  func.func @open(%s: tensor<4x?x?xf32>, %b: !msa.batch) -> tensor<4x?x16xi32> {
    // expected-error @+1 {{is not scheduled on the cuda route, run msa-select-schedule first}}
    %0 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
    return %0 : tensor<4x?x16xi32>
  }
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>

module attributes {msa.target = "sm_80"} {
  func.func @pipeline(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %s: tensor<4x?x16xi32>, %b: !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>) {
    // expected-error @+1 {{is a pipeline of phases, run msa-decompose first}}
    %o, %l = msa.sparse_attention(q = %q, k = %k, v = %v, selection = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, schedule = #msa.schedule<route = cuda>}
      : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
    return %o, %l : tensor<?x64x128xbf16>, tensor<?x64xf32>
  }
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>

func.func @no_target(%s: tensor<4x?x?xf32>, %b: !msa.batch) -> tensor<4x?x16xi32> {
  // expected-error @+1 {{is in no module with 'msa.target'}}
  %0 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, schedule = #msa.schedule<route = cuda>} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return %0 : tensor<4x?x16xi32>
}

// The textual form: names, order, attributes.
// RUN: msa-opt %s -split-input-file -verify-diagnostics

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{unknown operand 'score' (accepted: scores batch)}}
  %0 = msa.topk_select(score = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{operand 'batch' is missing}}
  %0 = msa.topk_select(scores = %s) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>) -> tensor<4x?x16xi32>
  return
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{operand 'scores' is missing}}
  %0 = msa.topk_select(batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (!msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{operand 'scores' is given twice or out of order, expected it before 'batch'}}
  %0 = msa.topk_select(batch = %b, scores = %s) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{operand 'scores' is given twice or out of order, expected it before 'scores'}}
  %0 = msa.topk_select(scores = %s, scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{requires attribute 'heads'}}
  %0 = msa.topk_select(scores = %s, batch = %b) {blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{requires attribute 'kv_layout'}}
  %0 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{attribute 'precision' failed to satisfy constraint}}
  %0 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #heads, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{attribute 'softmax_scale' failed to satisfy constraint}}
  %0 = msa.topk_select(scores = %s, batch = %b) {softmax_scale = 0.1 : f32, heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'selection' must be 'tensor<4x?x16xi32>'}}
  %0 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<?x?x?xi32>
  return
}

// -----

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{must be lengths and page table of the requests of one call}}
  %0 = msa.topk_select(scores = %s, batch = %s) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, tensor<4x?x?xf32>) -> tensor<4x?x16xi32>
  return
}

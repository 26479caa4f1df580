// Every tensor of every op against its plan: one wrong type each.
// RUN: msa-opt %s -split-input-file -verify-diagnostics

// index_scores: index_q, index heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%index_q: tensor<?x8x128xbf16>, %index_k: tensor<?x1x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'index_q' must be 'tensor<?x4x128xbf16>' under this plan, but is 'tensor<?x8x128xbf16>'}}
  %0:1 = msa.index_scores(index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x8x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> tensor<4x?x?xf32>
  return
}

// -----

// index_scores: index_k, index key heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%index_q: tensor<?x4x128xbf16>, %index_k: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'index_k' must be 'tensor<?x1x128x128xbf16>' under this plan, but is 'tensor<?x4x128x128xbf16>'}}
  %0:1 = msa.index_scores(index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x4x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> tensor<4x?x?xf32>
  return
}

// -----

// index_scores: scores, index heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%index_q: tensor<?x4x128xbf16>, %index_k: tensor<?x1x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'scores' must be 'tensor<4x?x?xf32>' under this plan, but is 'tensor<8x?x?xf32>'}}
  %0:1 = msa.index_scores(index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> tensor<8x?x?xf32>
  return
}

// -----

// topk_select: scores, order of axes
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%scores: tensor<?x4x?xf32>, %batch: !msa.batch) {
  // expected-error @+1 {{'scores' must be 'tensor<4x?x?xf32>' under this plan, but is 'tensor<?x4x?xf32>'}}
  %0:1 = msa.topk_select(scores = %scores, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x4x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// topk_select: selection, k
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%scores: tensor<4x?x?xf32>, %batch: !msa.batch) {
  // expected-error @+1 {{'selection' must be 'tensor<4x?x16xi32>' under this plan, but is 'tensor<4x?x8xi32>'}}
  %0:1 = msa.topk_select(scores = %scores, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x8xi32>
  return
}

// -----

// gather_plan: selection, selection order
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%selection: tensor<?x4x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'selection' must be 'tensor<4x?x16xi32>' under this plan, but is 'tensor<?x4x16xi32>'}}
  %0:3 = msa.gather_plan(selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x4x16xi32>, !msa.batch) -> (tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>)
  return
}

// -----

// gather_plan: plan_offsets, KV heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'plan_offsets' must be 'tensor<4x?x?xi32>' under this plan, but is 'tensor<8x?x?xi32>'}}
  %0:3 = msa.gather_plan(selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<4x?x16xi32>, !msa.batch) -> (tensor<8x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>)
  return
}

// -----

// gather_plan: plan_entries, KV heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'plan_entries' must be 'tensor<4x?xi32>' under this plan, but is 'tensor<?x?xi32>'}}
  %0:3 = msa.gather_plan(selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<4x?x16xi32>, !msa.batch) -> (tensor<4x?x?xi32>, tensor<?x?xi32>, tensor<4x?x4xi32>)
  return
}

// -----

// gather_plan: plan_items, static words
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'plan_items' must be 'tensor<4x?x4xi32>' under this plan, but is 'tensor<4x?x?xi32>'}}
  %0:3 = msa.gather_plan(selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<4x?x16xi32>, !msa.batch) -> (tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x?xi32>)
  return
}

// -----

// attention_split: q, heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x32x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %plan_offsets: tensor<4x?x?xi32>, %plan_entries: tensor<4x?xi32>, %plan_items: tensor<4x?x4xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'q' must be 'tensor<?x64x128xbf16>' under this plan, but is 'tensor<?x32x128xbf16>'}}
  %0:2 = msa.attention_split(q = %q, k = %k, v = %v, selection = %selection, plan_offsets = %plan_offsets, plan_entries = %plan_entries, plan_items = %plan_items, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x32x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>, !msa.batch) -> (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>)
  return
}

// -----

// attention_split: k, page size
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x64x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %plan_offsets: tensor<4x?x?xi32>, %plan_entries: tensor<4x?xi32>, %plan_items: tensor<4x?x4xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'k' must be 'tensor<?x4x128x128xbf16>' under this plan, but is 'tensor<?x4x64x128xbf16>'}}
  %0:2 = msa.attention_split(q = %q, k = %k, v = %v, selection = %selection, plan_offsets = %plan_offsets, plan_entries = %plan_entries, plan_items = %plan_items, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>, !msa.batch) -> (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>)
  return
}

// -----

// attention_split: v, head dimension
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x64xbf16>, %selection: tensor<4x?x16xi32>, %plan_offsets: tensor<4x?x?xi32>, %plan_entries: tensor<4x?xi32>, %plan_items: tensor<4x?x4xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'v' must be 'tensor<?x4x128x128xbf16>' under this plan, but is 'tensor<?x4x128x64xbf16>'}}
  %0:2 = msa.attention_split(q = %q, k = %k, v = %v, selection = %selection, plan_offsets = %plan_offsets, plan_entries = %plan_entries, plan_items = %plan_items, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x64xbf16>, tensor<4x?x16xi32>, tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>, !msa.batch) -> (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>)
  return
}

// -----

// attention_split: selection, selection order
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<?x4x16xi32>, %plan_offsets: tensor<4x?x?xi32>, %plan_entries: tensor<4x?xi32>, %plan_items: tensor<4x?x4xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'selection' must be 'tensor<4x?x16xi32>' under this plan, but is 'tensor<?x4x16xi32>'}}
  %0:2 = msa.attention_split(q = %q, k = %k, v = %v, selection = %selection, plan_offsets = %plan_offsets, plan_entries = %plan_entries, plan_items = %plan_items, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x16xi32>, tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>, !msa.batch) -> (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>)
  return
}

// -----

// attention_split: plan_offsets, rank
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %plan_offsets: tensor<4x?xi32>, %plan_entries: tensor<4x?xi32>, %plan_items: tensor<4x?x4xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'plan_offsets' must be 'tensor<4x?x?xi32>' under this plan, but is 'tensor<4x?xi32>'}}
  %0:2 = msa.attention_split(q = %q, k = %k, v = %v, selection = %selection, plan_offsets = %plan_offsets, plan_entries = %plan_entries, plan_items = %plan_items, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, tensor<4x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>, !msa.batch) -> (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>)
  return
}

// -----

// attention_split: plan_entries, rank
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %plan_offsets: tensor<4x?x?xi32>, %plan_entries: tensor<4x?x?xi32>, %plan_items: tensor<4x?x4xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'plan_entries' must be 'tensor<4x?xi32>' under this plan, but is 'tensor<4x?x?xi32>'}}
  %0:2 = msa.attention_split(q = %q, k = %k, v = %v, selection = %selection, plan_offsets = %plan_offsets, plan_entries = %plan_entries, plan_items = %plan_items, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, tensor<4x?x?xi32>, tensor<4x?x?xi32>, tensor<4x?x4xi32>, !msa.batch) -> (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>)
  return
}

// -----

// attention_split: plan_items, words an item
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %plan_offsets: tensor<4x?x?xi32>, %plan_entries: tensor<4x?xi32>, %plan_items: tensor<4x?x3xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'plan_items' must be 'tensor<4x?x4xi32>' under this plan, but is 'tensor<4x?x3xi32>'}}
  %0:2 = msa.attention_split(q = %q, k = %k, v = %v, selection = %selection, plan_offsets = %plan_offsets, plan_entries = %plan_entries, plan_items = %plan_items, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x3xi32>, !msa.batch) -> (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>)
  return
}

// -----

// attention_split: partial_o, k
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %plan_offsets: tensor<4x?x?xi32>, %plan_entries: tensor<4x?xi32>, %plan_items: tensor<4x?x4xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'partial_o' must be 'tensor<?x4x16x16x128xbf16>' under this plan, but is 'tensor<?x4x8x16x128xbf16>'}}
  %0:2 = msa.attention_split(q = %q, k = %k, v = %v, selection = %selection, plan_offsets = %plan_offsets, plan_entries = %plan_entries, plan_items = %plan_items, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>, !msa.batch) -> (tensor<?x4x8x16x128xbf16>, tensor<?x4x16x16xf32>)
  return
}

// -----

// attention_split: partial_lse, rank
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %plan_offsets: tensor<4x?x?xi32>, %plan_entries: tensor<4x?xi32>, %plan_items: tensor<4x?x4xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'partial_lse' must be 'tensor<?x4x16x16xf32>' under this plan, but is 'tensor<?x16x16xf32>'}}
  %0:2 = msa.attention_split(q = %q, k = %k, v = %v, selection = %selection, plan_offsets = %plan_offsets, plan_entries = %plan_entries, plan_items = %plan_items, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>, !msa.batch) -> (tensor<?x4x16x16x128xbf16>, tensor<?x16x16xf32>)
  return
}

// -----

// attention_combine: partial_o, partial type
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%partial_o: tensor<?x4x16x16x128xf32>, %partial_lse: tensor<?x4x16x16xf32>, %selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'partial_o' must be 'tensor<?x4x16x16x128xbf16>' under this plan, but is 'tensor<?x4x16x16x128xf32>'}}
  %0:2 = msa.attention_combine(partial_o = %partial_o, partial_lse = %partial_lse, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x4x16x16x128xf32>, tensor<?x4x16x16xf32>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// attention_combine: partial_lse, G
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%partial_o: tensor<?x4x16x16x128xbf16>, %partial_lse: tensor<?x4x16x8xf32>, %selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'partial_lse' must be 'tensor<?x4x16x16xf32>' under this plan, but is 'tensor<?x4x16x8xf32>'}}
  %0:2 = msa.attention_combine(partial_o = %partial_o, partial_lse = %partial_lse, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x8xf32>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// attention_combine: selection, selection order
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%partial_o: tensor<?x4x16x16x128xbf16>, %partial_lse: tensor<?x4x16x16xf32>, %selection: tensor<?x4x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'selection' must be 'tensor<4x?x16xi32>' under this plan, but is 'tensor<?x4x16xi32>'}}
  %0:2 = msa.attention_combine(partial_o = %partial_o, partial_lse = %partial_lse, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>, tensor<?x4x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// attention_combine: o, output type
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%partial_o: tensor<?x4x16x16x128xbf16>, %partial_lse: tensor<?x4x16x16xf32>, %selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'o' must be 'tensor<?x64x128xbf16>' under this plan, but is 'tensor<?x64x128xf16>'}}
  %0:2 = msa.attention_combine(partial_o = %partial_o, partial_lse = %partial_lse, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xf16>, tensor<?x64xf32>)
  return
}

// -----

// attention_combine: lse, query heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%partial_o: tensor<?x4x16x16x128xbf16>, %partial_lse: tensor<?x4x16x16xf32>, %selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'lse' must be 'tensor<?x64xf32>' under this plan, but is 'tensor<?x4xf32>'}}
  %0:2 = msa.attention_combine(partial_o = %partial_o, partial_lse = %partial_lse, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x4xf32>)
  return
}

// -----

// dense_attention: q, heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x32x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'q' must be 'tensor<?x64x128xbf16>' under this plan, but is 'tensor<?x32x128xbf16>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x32x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// dense_attention: k, page size
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x64x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'k' must be 'tensor<?x4x128x128xbf16>' under this plan, but is 'tensor<?x4x64x128xbf16>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x64x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// dense_attention: v, head dimension
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x64xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'v' must be 'tensor<?x4x128x128xbf16>' under this plan, but is 'tensor<?x4x128x64xbf16>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x64xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// dense_attention: o, output type
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'o' must be 'tensor<?x64x128xbf16>' under this plan, but is 'tensor<?x64x128xf16>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xf16>, tensor<?x64xf32>)
  return
}

// -----

// dense_attention: lse, query heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'lse' must be 'tensor<?x64xf32>' under this plan, but is 'tensor<?x4xf32>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x4xf32>)
  return
}

// -----

// sparse_attention: q, heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x32x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'q' must be 'tensor<?x64x128xbf16>' under this plan, but is 'tensor<?x32x128xbf16>'}}
  %0:2 = msa.sparse_attention(q = %q, k = %k, v = %v, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x32x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// sparse_attention: k, page size
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x64x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'k' must be 'tensor<?x4x128x128xbf16>' under this plan, but is 'tensor<?x4x64x128xbf16>'}}
  %0:2 = msa.sparse_attention(q = %q, k = %k, v = %v, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// sparse_attention: v, head dimension
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x64xbf16>, %selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'v' must be 'tensor<?x4x128x128xbf16>' under this plan, but is 'tensor<?x4x128x64xbf16>'}}
  %0:2 = msa.sparse_attention(q = %q, k = %k, v = %v, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x64xbf16>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// sparse_attention: selection, selection order
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<?x4x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'selection' must be 'tensor<4x?x16xi32>' under this plan, but is 'tensor<?x4x16xi32>'}}
  %0:2 = msa.sparse_attention(q = %q, k = %k, v = %v, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// sparse_attention: o, output type
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'o' must be 'tensor<?x64x128xbf16>' under this plan, but is 'tensor<?x64x128xf16>'}}
  %0:2 = msa.sparse_attention(q = %q, k = %k, v = %v, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xf16>, tensor<?x64xf32>)
  return
}

// -----

// sparse_attention: lse, query heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %selection: tensor<4x?x16xi32>, %batch: !msa.batch) {
  // expected-error @+1 {{'lse' must be 'tensor<?x64xf32>' under this plan, but is 'tensor<?x4xf32>'}}
  %0:2 = msa.sparse_attention(q = %q, k = %k, v = %v, selection = %selection, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x4xf32>)
  return
}

// -----

// prefill: q, heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x32x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %index_q: tensor<?x4x128xbf16>, %index_k: tensor<?x1x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'q' must be 'tensor<?x64x128xbf16>' under this plan, but is 'tensor<?x32x128xbf16>'}}
  %0:2 = msa.prefill(q = %q, k = %k, v = %v, index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x32x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// prefill: k, page size
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x64x128xbf16>, %v: tensor<?x4x128x128xbf16>, %index_q: tensor<?x4x128xbf16>, %index_k: tensor<?x1x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'k' must be 'tensor<?x4x128x128xbf16>' under this plan, but is 'tensor<?x4x64x128xbf16>'}}
  %0:2 = msa.prefill(q = %q, k = %k, v = %v, index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// prefill: v, head dimension
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x64xbf16>, %index_q: tensor<?x4x128xbf16>, %index_k: tensor<?x1x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'v' must be 'tensor<?x4x128x128xbf16>' under this plan, but is 'tensor<?x4x128x64xbf16>'}}
  %0:2 = msa.prefill(q = %q, k = %k, v = %v, index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x64xbf16>, tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// prefill: index_q, index heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %index_q: tensor<?x8x128xbf16>, %index_k: tensor<?x1x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'index_q' must be 'tensor<?x4x128xbf16>' under this plan, but is 'tensor<?x8x128xbf16>'}}
  %0:2 = msa.prefill(q = %q, k = %k, v = %v, index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x8x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// prefill: index_k, index key heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %index_q: tensor<?x4x128xbf16>, %index_k: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'index_k' must be 'tensor<?x1x128x128xbf16>' under this plan, but is 'tensor<?x4x128x128xbf16>'}}
  %0:2 = msa.prefill(q = %q, k = %k, v = %v, index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// prefill: o, output type
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %index_q: tensor<?x4x128xbf16>, %index_k: tensor<?x1x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'o' must be 'tensor<?x64x128xbf16>' under this plan, but is 'tensor<?x64x128xf16>'}}
  %0:2 = msa.prefill(q = %q, k = %k, v = %v, index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xf16>, tensor<?x64xf32>)
  return
}

// -----

// prefill: lse, query heads
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %index_q: tensor<?x4x128xbf16>, %index_k: tensor<?x1x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'lse' must be 'tensor<?x64xf32>' under this plan, but is 'tensor<?x4xf32>'}}
  %0:2 = msa.prefill(q = %q, k = %k, v = %v, index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x4xf32>)
  return
}

// -----

// lengths are never part of a plan
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<17x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'q' must be 'tensor<?x64x128xbf16>' under this plan, but is 'tensor<17x64x128xbf16>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<17x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// the element type is that of the plan
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'q' must be 'tensor<?x64x128xbf16>' under this plan, but is 'tensor<?x64x128xf16>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// only operand formats
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xf64>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{must be tensor of an operand format}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xf64>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// only ranked tensors
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<*xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{must be tensor of an operand format}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<*xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// e4m3 is f8E4M3FN
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#fp8 = #msa.precision<q = e4m3, k = e4m3, v = e4m3, index_q = bf16, index_k = bf16, o = bf16, partial = f32>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xi8>, %k: tensor<?x4x128x128xf8E4M3FN>, %v: tensor<?x4x128x128xf8E4M3FN>, %batch: !msa.batch) {
  // expected-error @+1 {{'q' must be 'tensor<?x64x128xf8E4M3FN>' under this plan, but is 'tensor<?x64x128xi8>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #fp8, kv_layout = #paged}
    : (tensor<?x64x128xi8>, tensor<?x4x128x128xf8E4M3FN>, tensor<?x4x128x128xf8E4M3FN>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// 4-bit tensors have half the bytes
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#kv4 = #msa.precision<q = bf16, k = nvfp4, v = mxfp4, index_q = bf16, index_k = nvfp4, o = bf16, partial = f32>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xi8>, %v: tensor<?x4x128x64xi8>, %k_block_scale: tensor<?x4x128x8xf8E4M3FN>, %v_block_scale: tensor<?x4x128x4xf8E8M0FNU>, %batch: !msa.batch) {
  // expected-error @+1 {{'k' must be 'tensor<?x4x128x64xi8>' under this plan, but is 'tensor<?x4x128x128xi8>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, k_block_scale = %k_block_scale, v_block_scale = %v_block_scale, batch = %batch) {heads = #heads, blocks = #blocks, precision = #kv4, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xi8>, tensor<?x4x128x64xi8>, tensor<?x4x128x8xf8E4M3FN>, tensor<?x4x128x4xf8E8M0FNU>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// 4-bit tensors need block scales
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#kv4 = #msa.precision<q = bf16, k = nvfp4, v = mxfp4, index_q = bf16, index_k = nvfp4, o = bf16, partial = f32>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x64xi8>, %v: tensor<?x4x128x64xi8>, %k_block_scale: tensor<?x4x128x8xf8E4M3FN>, %batch: !msa.batch) {
  // expected-error @+1 {{needs 'v_block_scale' of type 'tensor<?x4x128x4xf8E8M0FNU>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, k_block_scale = %k_block_scale, batch = %batch) {heads = #heads, blocks = #blocks, precision = #kv4, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x64xi8>, tensor<?x4x128x64xi8>, tensor<?x4x128x8xf8E4M3FN>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// nvfp4 has E4M3 scales of 16
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#kv4 = #msa.precision<q = bf16, k = nvfp4, v = mxfp4, index_q = bf16, index_k = nvfp4, o = bf16, partial = f32>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x64xi8>, %v: tensor<?x4x128x64xi8>, %k_block_scale: tensor<?x4x128x4xf8E4M3FN>, %v_block_scale: tensor<?x4x128x4xf8E8M0FNU>, %batch: !msa.batch) {
  // expected-error @+1 {{'k_block_scale' must be 'tensor<?x4x128x8xf8E4M3FN>' under this plan, but is 'tensor<?x4x128x4xf8E4M3FN>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, k_block_scale = %k_block_scale, v_block_scale = %v_block_scale, batch = %batch) {heads = #heads, blocks = #blocks, precision = #kv4, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x64xi8>, tensor<?x4x128x64xi8>, tensor<?x4x128x4xf8E4M3FN>, tensor<?x4x128x4xf8E8M0FNU>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// mxfp4 has UE8M0 scales of 32
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#kv4 = #msa.precision<q = bf16, k = nvfp4, v = mxfp4, index_q = bf16, index_k = nvfp4, o = bf16, partial = f32>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x64xi8>, %v: tensor<?x4x128x64xi8>, %k_block_scale: tensor<?x4x128x8xf8E4M3FN>, %v_block_scale: tensor<?x4x128x4xf8E4M3FN>, %batch: !msa.batch) {
  // expected-error @+1 {{'v_block_scale' must be 'tensor<?x4x128x4xf8E8M0FNU>' under this plan, but is 'tensor<?x4x128x4xf8E4M3FN>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, k_block_scale = %k_block_scale, v_block_scale = %v_block_scale, batch = %batch) {heads = #heads, blocks = #blocks, precision = #kv4, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x64xi8>, tensor<?x4x128x64xi8>, tensor<?x4x128x8xf8E4M3FN>, tensor<?x4x128x4xf8E4M3FN>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// index keys of 4 bits need block scales
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#kv4 = #msa.precision<q = bf16, k = nvfp4, v = mxfp4, index_q = bf16, index_k = nvfp4, o = bf16, partial = f32>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%index_q: tensor<?x4x128xbf16>, %index_k: tensor<?x1x128x64xi8>, %batch: !msa.batch) {
  // expected-error @+1 {{needs 'index_k_block_scale' of type 'tensor<?x1x128x8xf8E4M3FN>'}}
  %0:1 = msa.index_scores(index_q = %index_q, index_k = %index_k, batch = %batch) {heads = #heads, blocks = #blocks, precision = #kv4, kv_layout = #paged}
    : (tensor<?x4x128xbf16>, tensor<?x1x128x64xi8>, !msa.batch) -> tensor<4x?x?xf32>
  return
}

// -----

// 16-bit tensors have no scale
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %q_scale: tensor<1xf32>, %batch: !msa.batch) {
  // expected-error @+1 {{has 'q_scale', which its plan does not have}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, q_scale = %q_scale, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<1xf32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// mxfp4 has no FP32 scale
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#kv4 = #msa.precision<q = bf16, k = nvfp4, v = mxfp4, index_q = bf16, index_k = nvfp4, o = bf16, partial = f32>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x64xi8>, %v: tensor<?x4x128x64xi8>, %v_scale: tensor<1xf32>, %k_block_scale: tensor<?x4x128x8xf8E4M3FN>, %v_block_scale: tensor<?x4x128x4xf8E8M0FNU>, %batch: !msa.batch) {
  // expected-error @+1 {{has 'v_scale', which its plan does not have}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, v_scale = %v_scale, k_block_scale = %k_block_scale, v_block_scale = %v_block_scale, batch = %batch) {heads = #heads, blocks = #blocks, precision = #kv4, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x64xi8>, tensor<?x4x128x64xi8>, tensor<1xf32>, tensor<?x4x128x8xf8E4M3FN>, tensor<?x4x128x4xf8E8M0FNU>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// 16-bit tensors have no block scales
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %k_block_scale: tensor<?x4x128x8xf8E4M3FN>, %batch: !msa.batch) {
  // expected-error @+1 {{has 'k_block_scale', which its plan does not have}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, k_block_scale = %k_block_scale, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x8xf8E4M3FN>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// a scale is one or one a head
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#fp8 = #msa.precision<q = e4m3, k = e4m3, v = e4m3, index_q = bf16, index_k = bf16, o = bf16, partial = f32>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xf8E4M3FN>, %k: tensor<?x4x128x128xf8E4M3FN>, %v: tensor<?x4x128x128xf8E4M3FN>, %q_scale: tensor<64xf32>, %batch: !msa.batch) {
  // expected-error @+1 {{'q_scale' must be 'tensor<?xf32>' of 1 or 4 elements under this plan, but is 'tensor<64xf32>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, q_scale = %q_scale, batch = %batch) {heads = #heads, blocks = #blocks, precision = #fp8, kv_layout = #paged}
    : (tensor<?x64x128xf8E4M3FN>, tensor<?x4x128x128xf8E4M3FN>, tensor<?x4x128x128xf8E4M3FN>, tensor<64xf32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// a scale has one axis
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#fp8 = #msa.precision<q = e4m3, k = e4m3, v = e4m3, index_q = bf16, index_k = bf16, o = bf16, partial = f32>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xf8E4M3FN>, %k: tensor<?x4x128x128xf8E4M3FN>, %v: tensor<?x4x128x128xf8E4M3FN>, %k_scale: tensor<1x4xf32>, %batch: !msa.batch) {
  // expected-error @+1 {{'k_scale' must be 'tensor<?xf32>' of 1 or 4 elements under this plan, but is 'tensor<1x4xf32>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, k_scale = %k_scale, batch = %batch) {heads = #heads, blocks = #blocks, precision = #fp8, kv_layout = #paged}
    : (tensor<?x64x128xf8E4M3FN>, tensor<?x4x128x128xf8E4M3FN>, tensor<?x4x128x128xf8E4M3FN>, tensor<1x4xf32>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// block maxima have a result
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{needs 'scores' of type 'tensor<64x?x?xf32>'}}
  %0:2 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, block_maxima}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
  return
}

// -----

// without block maxima there is none
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{has 'scores', which its plan does not have}}
  %0:3 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>, tensor<64x?x?xf32>)
  return
}

// -----

// block maxima are one row a query head
#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
func.func @f(%q: tensor<?x64x128xbf16>, %k: tensor<?x4x128x128xbf16>, %v: tensor<?x4x128x128xbf16>, %batch: !msa.batch) {
  // expected-error @+1 {{'scores' must be 'tensor<64x?x?xf32>' under this plan, but is 'tensor<4x?x?xf32>'}}
  %0:3 = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged, block_maxima}
    : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch) -> (tensor<?x64x128xbf16>, tensor<?x64xf32>, tensor<4x?x?xf32>)
  return
}

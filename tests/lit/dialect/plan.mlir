// The edges of L1 and L2 are legal.
// RUN: msa-opt %s | FileCheck %s

// G is 1
// CHECK: func.func @legal_0(
// CHECK: msa.topk_select
func.func @legal_0(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 4, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// G is 128
// CHECK: func.func @legal_1(
// CHECK: msa.topk_select
func.func @legal_1(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 512, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// one KV head
// CHECK: func.func @legal_2(
// CHECK: msa.topk_select
func.func @legal_2(%s: tensor<1x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 1, kv = 1, index = 1, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<1x?x?xf32>, !msa.batch) -> tensor<1x?x16xi32>
  return
}

// an index key head a KV head
// CHECK: func.func @legal_3(
// CHECK: msa.topk_select
func.func @legal_3(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 4, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// index key heads are shared by two
// CHECK: func.func @legal_4(
// CHECK: msa.topk_select
func.func @legal_4(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 2, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// smallest D and D_idx
// CHECK: func.func @legal_5(
// CHECK: msa.topk_select
func.func @legal_5(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 16, index_dim = 16>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// largest D and D_idx
// CHECK: func.func @legal_6(
// CHECK: msa.topk_select
func.func @legal_6(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 256, index_dim = 256>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// smallest B, pages larger than B
// CHECK: func.func @legal_7(
// CHECK: msa.topk_select
func.func @legal_7(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 16, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// largest B, pages smaller than B
// CHECK: func.func @legal_8(
// CHECK: msa.topk_select
func.func @legal_8(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 256, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// pages of one token
// CHECK: func.func @legal_9(
// CHECK: msa.topk_select
func.func @legal_9(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 1>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// contiguous
// CHECK: func.func @legal_10(
// CHECK: msa.topk_select
func.func @legal_10(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<contiguous>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// k is 1
// CHECK: func.func @legal_11(
// CHECK: msa.topk_select
func.func @legal_11(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 1, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x1xi32>
  return
}

// k is 64, all but the local block forced
// CHECK: func.func @legal_12(
// CHECK: msa.topk_select
func.func @legal_12(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 64, force_first = 63, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x64xi32>
  return
}

// f32 everywhere
// CHECK: func.func @legal_13(
// CHECK: msa.topk_select
func.func @legal_13(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = f32, k = f32, v = f32, index_q = f32, index_k = f32, o = f32, partial = f32>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// f16 with 4-bit keys and 8-bit values
// CHECK: func.func @legal_14(
// CHECK: msa.topk_select
func.func @legal_14(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = f16, k = nvfp4, v = e4m3, index_q = bf16, index_k = mxfp4, o = f16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// e4m3 with 4-bit operands
// CHECK: func.func @legal_15(
// CHECK: msa.topk_select
func.func @legal_15(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = e4m3, k = mxfp4, v = nvfp4, index_q = e4m3, index_k = e4m3, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// nvfp4 with D = 48
// CHECK: func.func @legal_16(
// CHECK: msa.topk_select
func.func @legal_16(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 48, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = nvfp4, v = nvfp4, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// A2: any finite positive scale
// CHECK: func.func @scale(
// CHECK: softmax_scale = 1.000000e-30 : f64
func.func @scale(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>, softmax_scale = 1.0e-30, checked, schedule = #msa.schedule<route = auto, chunk = 1>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// One broken rule of L1, L2, A2, A5 each; the rest of the plan is legal.
// RUN: msa-opt %s -split-input-file -verify-diagnostics

// G is whole
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: heads.query = 65 is not a multiple of heads.kv = 4}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 65, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// G is at most 128
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: heads.query = 516 over heads.kv = 4 is G = 129; legal: G in 1..128}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 516, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// counts are positive
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: heads.kv = 0 is too small}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 0, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// counts are positive
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: heads.query = 0 is too small}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 0, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// counts are positive
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: heads.index_kv = -1 is too small}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = -1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// index = kv
func.func @f(%s: tensor<2x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: heads.index = 2 differs from heads.kv; legal: 4}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 2, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<2x?x?xf32>, !msa.batch) -> tensor<2x?x16xi32>
  return
}

// -----

// index_kv divides index
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: heads.index_kv = 3 does not divide heads.index; legal: a divisor of 4}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 3, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// D is a multiple of 16
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: head_dim = 120 is not supported; legal: a multiple of 16 in 16..256}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 120, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// D is at most 256
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: head_dim = 272 is not supported}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 272, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// D is at least 16
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: head_dim = 0 is not supported}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 0, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// D_idx is a multiple of 16
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: index_dim = 8 is not supported; legal: a multiple of 16 in 16..256}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 8>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// D_idx is at most 256
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: index_dim = 512 is not supported}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 512>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// B is a multiple of 16
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: block_size = 100 is not supported; legal: a multiple of 16 in 16..256}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 100, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// B is at most 256
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: block_size = 512 is not supported}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 512, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// k is at least 1
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: topk = 0 is not supported; legal: 1..64}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 0, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x0xi32>
  return
}

// -----

// k is at most 64
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: topk = 65 is not supported; legal: 1..64}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 65, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x65xi32>
  return
}

// -----

// force_first leaves the local block its place
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: force_first = 16 does not leave the local block its place; legal: 0..15}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 16, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// force_first is not negative
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: force_first = -1}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = -1, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// page size and B divide
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: kv_layout.page_size = 96 neither divides block_size = 128 nor is a multiple of it}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 96>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// a paged layout has a page size
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L1: kv_layout.page_size = 0 is too small}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// a contiguous layout has none
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op P3: kv_layout.page_size = 128 with kind contiguous}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<contiguous, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// q has 8 bits or more
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.q = nvfp4 is not supported; legal: bf16, f16, f32, e4m3}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = nvfp4, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// index_q has 8 bits or more
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.index_q = mxfp4 is not supported}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = mxfp4, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// o is 16- or 32-bit
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.o = e4m3 is not supported; legal: bf16, f16, f32}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = e4m3, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// partial is f32 or bf16
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.partial = f16 is not supported; legal: f32, bf16}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = f16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// a 16-bit k has the type of q
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.k = f16 differs from precision.q = bf16; legal: bf16, e4m3, nvfp4, mxfp4}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = f16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// a 32-bit v has the type of q
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.v = f32 differs from precision.q = bf16}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = f32, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// e4m3 q takes no 16-bit k
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.k = bf16 differs from precision.q = e4m3; legal: e4m3, nvfp4, mxfp4}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = e4m3, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// a 16-bit index_k has the type of index_q
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.index_k = f16 differs from precision.index_q = bf16}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = f16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// mxfp4 k needs D divisible by 32
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.k = mxfp4 with head_dim = 48}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 48, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = mxfp4, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// mxfp4 v needs D divisible by 32
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.v = mxfp4 with head_dim = 48}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 48, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = mxfp4, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// mxfp4 index_k needs D_idx divisible by 32
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op L2: precision.index_k = mxfp4 with index_dim = 80}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 80>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = mxfp4, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// softmax_scale is positive
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op A2: softmax_scale = 0 is not finite and positive}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>, softmax_scale = 0.0}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// softmax_scale is positive
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op A2: softmax_scale = -0.125 is not finite and positive}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>, softmax_scale = -0.125}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// softmax_scale is finite
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op A2: softmax_scale = inf is not finite and positive}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>, softmax_scale = 0x7FF0000000000000 : f64}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// softmax_scale is a number
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op A2: softmax_scale = nan is not finite and positive}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>, softmax_scale = 0x7FF8000000000000 : f64}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// only dense attention writes block maxima
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op A5: block_maxima = true with op = topk_select; legal: op = dense_attention, or false}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>, block_maxima}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

// -----

// a chunk is positive
func.func @f(%s: tensor<4x?x?xf32>, %b: !msa.batch) {
  // expected-error @+1 {{'msa.topk_select' op schedule.chunk = 0 is not supported}}
  %0 = msa.topk_select(scores = %s, batch = %b)
    {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
     blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
     precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
     kv_layout = #msa.kv_layout<paged, page_size = 128>, schedule = #msa.schedule<chunk = 0>}
    : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
  return
}

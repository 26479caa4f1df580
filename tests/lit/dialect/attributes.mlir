// Every attribute and the type print as interfaces.md section 6 writes them, and parse back.
// RUN: msa-opt %s | msa-opt | FileCheck %s

// CHECK-DAG: #[[HEADS:.+]] = #msa.heads<query = 20, kv = 4, index = 4, index_kv = 2, head_dim = 192, index_dim = 64>
// CHECK-DAG: #[[BLOCKS:.+]] = #msa.selection<block_size = 64, topk = 12, force_first = 1, order = token_major>
// CHECK-DAG: #[[PRECISION:.+]] = #msa.precision<q = e4m3, k = nvfp4, v = mxfp4, index_q = f16, index_k = f32, o = bf16, partial = f32>
// CHECK-DAG: #[[PAGED:.+]] = #msa.kv_layout<paged, page_size = 32>
// CHECK-DAG: #[[CONTIGUOUS:.+]] = #msa.kv_layout<contiguous>
// CHECK: module attributes {a.heads = #[[HEADS]], b.selection = #[[BLOCKS]], c.precision = #[[PRECISION]], d.paged = #[[PAGED]], e.contiguous = #[[CONTIGUOUS]],
// CHECK-SAME: f.schedule = [#msa.schedule<>, #msa.schedule<route = cuda>, #msa.schedule<chunk = 7>, #msa.schedule<route = auto, chunk = 32>]
// CHECK-SAME: g.type = !msa.batch
module attributes {
  a.heads = #msa.heads<query = 20, kv = 4, index = 4, index_kv = 2, head_dim = 192, index_dim = 64>,
  b.selection = #msa.selection<block_size = 64, topk = 12, force_first = 1, order = token_major>,
  c.precision = #msa.precision<q = e4m3, k = nvfp4, v = mxfp4, index_q = f16, index_k = f32, o = bf16, partial = f32>,
  d.paged = #msa.kv_layout<paged, page_size = 32>,
  e.contiguous = #msa.kv_layout<contiguous>,
  f.schedule = [#msa.schedule<>, #msa.schedule<route = cuda>, #msa.schedule<chunk = 7>, #msa.schedule<chunk = 32, route = auto>],
  g.type = !msa.batch
} {}

#heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
#blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
#precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>
#paged = #msa.kv_layout<paged, page_size = 128>
module attributes {msa.target = "sm_80"} {
  func.func @select(%s: tensor<4x?x?xf32>, %b: !msa.batch) -> tensor<4x?x16xi32> {
    %0 = msa.topk_select(scores = %s, batch = %b) {heads = #heads, blocks = #blocks, precision = #precision, kv_layout = #paged} : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
    return %0 : tensor<4x?x16xi32>
  }
}

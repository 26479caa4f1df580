// RUN: msa-opt %s -split-input-file -verify-diagnostics

// expected-error @+2 {{unknown type 'bf15', did you mean 'bf16'? (accepted: bf16 f16 f32 e4m3 nvfp4 mxfp4)}}
// expected-error @+1 {{failed to parse Msa_PrecisionAttr parameter 'q'}}
module attributes {a.x = #msa.precision<q = bf15, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>} {}

// -----

// expected-error @+2 {{unknown layout 'pages', did you mean 'paged'? (accepted: contiguous paged)}}
// expected-error @+1 {{failed to parse Msa_KvLayoutAttr parameter 'kind'}}
module attributes {a.x = #msa.kv_layout<pages, page_size = 128>} {}

// -----

// expected-error @+2 {{unknown selection order 'row_major' (accepted: head_major token_major)}}
// expected-error @+1 {{failed to parse Msa_SelectionAttr parameter 'order'}}
module attributes {a.x = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = row_major>} {}

// -----

// expected-error @+1 {{unknown route 'cude', did you mean 'cuda'? (accepted: auto tile cuda)}}
module attributes {a.x = #msa.schedule<route = cude>} {}

// -----

// expected-error @+1 {{unknown key 'stages' (accepted: route chunk)}}
module attributes {a.x = #msa.schedule<stages = 3>} {}

// -----

// expected-error @+1 {{'chunk' is given twice}}
module attributes {a.x = #msa.schedule<chunk = 3, chunk = 4>} {}

// -----

// expected-error @+1 {{'route' is given twice}}
module attributes {a.x = #msa.schedule<route = cuda, route = cuda>} {}

// -----

// expected-error @+1 {{expected ','}}
module attributes {a.x = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128>} {}

// -----

// expected-error @+1 {{duplicate or unknown struct parameter name: group}}
module attributes {a.x = #msa.heads<query = 64, group = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>} {}

// -----

// expected-error @+2 {{integer value too large}}
// expected-error @+1 {{failed to parse Msa_HeadsAttr parameter 'query'}}
module attributes {a.x = #msa.heads<query = 4294967360, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>} {}

// -----

// expected-error @+1 {{unknown attribute `plan` in dialect `msa`}}
module attributes {a.x = #msa.plan<>} {}

// -----

// expected-error @+1 {{unknown  type `lengths` in dialect `msa`}}
func.func private @f(!msa.lengths)

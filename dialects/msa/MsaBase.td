//===- MsaBase.td - the msa dialect, its attributes and types -------------===//
//
// What a head configuration is, in IR. Parameters are the words of the plan's
// JSON keys, and their enumerators are those of msa/Plan.h, so that no word is
// written twice. Rules that bind several parameters are checked by the ops,
// which call checkPlan().
//
//===----------------------------------------------------------------------===//

#ifndef MSA_BASE_TD
#define MSA_BASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"

def Msa_Dialect : Dialect {
  let name = "msa";
  let summary = "MiniMax Sparse Attention: what is computed, without a target";
  let description = [{
    One operation for each phase of MSA and for each pipeline of phases. Operands
    are builtin tensors and one `!msa.batch`; everything that changes generated
    code is an attribute, and no length is ever part of one: token, page and block
    dimensions are always dynamic.

    | tensor elements | builtin type |
    |---|---|
    | bf16, f16, f32 | `bf16`, `f16`, `f32` |
    | e4m3 | `f8E4M3FN` |
    | nvfp4, mxfp4 | `i8`, two elements a byte, low nibble first: the last axis has D/2 bytes |
    | block scales of nvfp4, of mxfp4 | `f8E4M3FN`, `f8E8M0FNU` |

    Every op with a plan has the same attributes: `heads`, `blocks` (`#msa.selection`), `precision`,
    `kv_layout`, and where they differ from their defaults `softmax_scale` (f64; none is 1/sqrt(D)),
    `block_maxima` (dense attention also writes `scores`), `checked` (kernels report contract errors
    into `status`, a buffer of the launch and no operand) and `schedule`. All are carried by every op,
    so that IR and plan JSON convert both ways without loss.

    The target is an attribute of the module: `msa.target = "sm_80"`. A module may
    hold other modules, each with its own target.

    Example:
    ```mlir
    module attributes {msa.target = "sm_80"} {
      func.func @combine(%po: tensor<?x4x16x16x128xbf16>, %pl: tensor<?x4x16x16xf32>,
                         %sel: tensor<4x?x16xi32>, %batch: !msa.batch)
          -> (tensor<?x64x128xbf16>, tensor<?x64xf32>) {
        %o, %lse = msa.attention_combine(partial_o = %po, partial_lse = %pl, selection = %sel, batch = %batch)
          {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
           blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
           precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
           kv_layout = #msa.kv_layout<paged, page_size = 128>}
          : (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>, tensor<4x?x16xi32>, !msa.batch)
         -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
        return %o, %lse : tensor<?x64x128xbf16>, tensor<?x64xf32>
      }
    }
    ```
  }];
  let cppNamespace = "::msa::ir";
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
}

class Msa_Attr<string name, string attrMnemonic> : AttrDef<Msa_Dialect, name> {
  let mnemonic = attrMnemonic;
}

/// A parameter whose values are the words of an enumeration of msa/Plan.h.
class Msa_Word<string enumeration, string desc> : AttrParameter<"::msa::" # enumeration, desc> {
  let printer = "$_printer << ::llvm::StringRef(::msa::toString($_self))";
}

class Msa_Int<string desc> : AttrParameter<"int32_t", desc>;

def Msa_HeadsAttr : Msa_Attr<"Heads", "heads"> {
  let summary = "numbers of heads and their dimensions";
  let description = [{
    `query / kv` is the GQA ratio G. `index` query heads score blocks, one for each KV
    head, with `index_kv` index key heads shared among them (clause L1).

    Example:
    ```mlir
    #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>
    ```
  }];
  let parameters = (ins Msa_Int<"query heads, Hq">:$query, Msa_Int<"KV heads, Hkv">:$kv,
                        Msa_Int<"index query heads; equals kv">:$index,
                        Msa_Int<"index key heads; divides index">:$index_kv,
                        Msa_Int<"D">:$head_dim, Msa_Int<"D_idx">:$index_dim);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Msa_SelectionAttr : Msa_Attr<"Selection", "selection"> {
  let summary = "which blocks a query keeps, and how the selection is laid out";
  let description = [{
    A query keeps `topk` blocks of `block_size` keys: its local block, blocks
    `0..force_first-1`, and the best-scored others (clauses T1 to T4).

    Example:
    ```mlir
    #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>
    ```
  }];
  let parameters = (ins Msa_Int<"keys a block, B">:$block_size, Msa_Int<"blocks a query keeps, k">:$topk,
                        Msa_Int<"leading blocks that are always kept">:$force_first,
                        Msa_Word<"SelectionOrder", "`head_major` [Hidx, S, k] or `token_major` [S, Hidx, k]">:$order);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Msa_PrecisionAttr : Msa_Attr<"Precision", "precision"> {
  let summary = "the number format of each tensor";
  let description = [{
    Words: `bf16 f16 f32 e4m3 nvfp4 mxfp4`; which of them a tensor may have is clause L2.
    `partial` is the storage type of `partial_o` (clause A4).

    Example:
    ```mlir
    #msa.precision<q = bf16, k = nvfp4, v = nvfp4, index_q = bf16, index_k = e4m3, o = bf16, partial = f32>
    ```
  }];
  let parameters = (ins Msa_Word<"DType", "queries">:$q, Msa_Word<"DType", "keys">:$k,
                        Msa_Word<"DType", "values">:$v, Msa_Word<"DType", "index queries">:$index_q,
                        Msa_Word<"DType", "index keys">:$index_k, Msa_Word<"DType", "output">:$o,
                        Msa_Word<"DType", "partial outputs">:$partial);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Msa_KvLayoutAttr : Msa_Attr<"KvLayout", "kv_layout"> {
  let summary = "where keys, values and index keys lie";
  let description = [{
    `contiguous`: `[T, heads, D]`. `paged`: `[pages, heads, page_size, D]` with a page table
    in the batch (clause P3).

    Example:
    ```mlir
    #msa.kv_layout<paged, page_size = 128>
    #msa.kv_layout<contiguous>
    ```
  }];
  let parameters = (ins Msa_Word<"KvKind", "`contiguous` or `paged`">:$kind,
                        DefaultValuedParameter<"int32_t", "0", "tokens a page">:$page_size);
  let assemblyFormat = "`<` $kind (`,` `page_size` `=` $page_size^)? `>`";
}

def Msa_ScheduleAttr : Msa_Attr<"Schedule", "schedule"> {
  let summary = "what the compiler chose, or the user pinned";
  let description = [{
    A field that is present is pinned: `msa-select-schedule` fills the others. `route` is
    `cuda` (portable CUDA C++ through NVRTC), `tile` or `auto`; `chunk` is the number of
    listed queries of one (KV head, block) that one split CTA takes.

    Example:
    ```mlir
    #msa.schedule<route = cuda, chunk = 32>
    ```
  }];
  let parameters = (ins OptionalParameter<"std::optional<::msa::Route>", "how kernels are generated">:$route,
                        OptionalParameter<"std::optional<int32_t>", "listed queries a split CTA takes">:$chunk);
  let hasCustomAssemblyFormat = 1;
}

def Msa_BatchType : TypeDef<Msa_Dialect, "Batch"> {
  let mnemonic = "batch";
  let summary = "lengths and page table of the requests of one call";
  let description = [{
    `cu_seqlens_q`, `cu_seqlens_k` (int32, R + 1) and, for a paged layout, the page table
    (int32, R x max_pages): clauses P1 and P3. Opaque: no length is ever an attribute.

    Example:
    ```mlir
    func.func @f(%batch: !msa.batch)
    ```
  }];
}

#endif // MSA_BASE_TD

//===- MsaOps.td - operations of the msa dialect --------------------------===//
//
// Ops that carry a plan share one interface: their attributes are the plan,
// their operand and result names are the tensor names of a case directory, and
// one table (Tensors.h) gives the type of each name. So parsing, printing,
// verification, building and decomposition are written once for all of them.
//
//===----------------------------------------------------------------------===//

#ifndef MSA_OPS_TD
#define MSA_OPS_TD

include "MsaBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// What the plan ops have in common
//===----------------------------------------------------------------------===//

def Msa_PlanOpInterface : OpInterface<"PlanOpInterface"> {
  let cppNamespace = "::msa::ir";
  let description = [{
    An op whose attributes are a plan and whose operands and results are the named tensors
    of its phase or pipeline. Its verifier runs `checkPlan()` and compares every tensor
    type with the one that the plan gives its name.
  }];
  let methods = [
    StaticInterfaceMethod<"The plan's op.", "::msa::Op", "planOp">,
    StaticInterfaceMethod<"Operand names in order, optional ones included; the batch is the last.",
                          "::llvm::ArrayRef<::llvm::StringLiteral>", "operandNames">,
    StaticInterfaceMethod<"Result names in order; an optional one is the last.",
                          "::llvm::ArrayRef<::llvm::StringLiteral>", "resultNames">,
    InterfaceMethod<"First index and number (0 or 1) of the operands of name `i`.",
                    "std::pair<unsigned, unsigned>", "operandRange", (ins "unsigned":$i),
                    [{ return $_op.getODSOperandIndexAndLength(i); }]>,
    InterfaceMethod<"", "::msa::ir::HeadsAttr", "getHeadsAttr">,
    InterfaceMethod<"", "::msa::ir::SelectionAttr", "getBlocksAttr">,
    InterfaceMethod<"", "::msa::ir::PrecisionAttr", "getPrecisionAttr">,
    InterfaceMethod<"", "::msa::ir::KvLayoutAttr", "getKvLayoutAttr">,
    InterfaceMethod<"", "::mlir::FloatAttr", "getSoftmaxScaleAttr">,
    InterfaceMethod<"", "bool", "getBlockMaxima">,
    InterfaceMethod<"", "bool", "getChecked">,
    InterfaceMethod<"", "::msa::ir::ScheduleAttr", "getScheduleAttr">,
    InterfaceMethod<"", "void", "setScheduleAttr", (ins "::msa::ir::ScheduleAttr":$schedule)>,
  ];
  let extraClassDeclaration = [{
    /// The operand of that name, or null when it is absent.
    ::mlir::Value operandNamed(::llvm::StringRef name);
  }];
  let verify = [{ return ::msa::ir::detail::verifyPlanOp(::mlir::cast<PlanOpInterface>($_op)); }];
}

def Msa_Tensor : AnyTypeOf<[RankedTensorOf<[BF16, F16, F32, F8E4M3FN, I8]>], "tensor of an operand format">;
def Msa_Scale : AnyTypeOf<[RankedTensorOf<[F32]>], "FP32 scales, one or one a head">;
def Msa_BlockScale : AnyTypeOf<[RankedTensorOf<[F8E4M3FN, F8E8M0FNU]>], "block scales">;
def Msa_F32 : AnyTypeOf<[RankedTensorOf<[F32]>], "tensor of f32">;
def Msa_I32 : AnyTypeOf<[RankedTensorOf<[I32]>], "tensor of i32">;

/// Text of the names of a dag's arguments, for a C++ list.
class Names<dag d> {
  string text = !interleave(!foreach(i, !range(0, !size(d)), "\"" # !getdagname(d, i) # "\""), ", ");
}

/// For each argument of a dag whether it may be left out, for a C++ list.
class Optionals<dag d> {
  string text = !interleave(!foreach(i, !range(0, !size(d)),
                                     !if(!isa<Optional>(!getdagarg<TypeConstraint>(d, i)), "true", "false")), ", ");
}

/// `enumerator` is the plan's op. A definition gives `tensors` (the last is the batch) and results.
class Msa_PlanOp<string mnemonic, string enumerator, list<Trait> traits = []>
    : Op<Msa_Dialect, mnemonic,
         traits # [Pure, Msa_PlanOpInterface,
                   DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  dag tensors = (ins);
  let arguments = !con(tensors, (ins Msa_HeadsAttr:$heads, Msa_SelectionAttr:$blocks,
                                     Msa_PrecisionAttr:$precision, Msa_KvLayoutAttr:$kv_layout,
                                     OptionalAttr<F64Attr>:$softmax_scale, UnitAttr:$block_maxima,
                                     UnitAttr:$checked, OptionalAttr<Msa_ScheduleAttr>:$schedule));
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    static ::msa::Op planOp() { return ::msa::Op::}] # enumerator # [{; }
    static ::llvm::ArrayRef<::llvm::StringLiteral> operandNames() {
      static constexpr ::llvm::StringLiteral names[] = {}] # Names<tensors>.text # "}" # [{;
      return names;
    }
    static ::llvm::ArrayRef<bool> optionalOperands() {
      static constexpr bool flags[] = {}] # Optionals<tensors>.text # "}" # [{;
      return flags;
    }
    static ::llvm::ArrayRef<::llvm::StringLiteral> resultNames() {
      static constexpr ::llvm::StringLiteral names[] = {}] # Names<results>.text # "}" # [{;
      return names;
    }
  }];
  let extraClassDefinition = [{
    ::mlir::ParseResult $cppClass::parse(::mlir::OpAsmParser &parser, ::mlir::OperationState &result) {
      return detail::parsePlanOp<$cppClass>(parser, result);
    }
    void $cppClass::print(::mlir::OpAsmPrinter &printer) {
      detail::printPlanOp(::mlir::cast<PlanOpInterface>(getOperation()), printer);
    }
    void $cppClass::getAsmResultNames(::mlir::OpAsmSetValueNameFn setName) {
      detail::nameResults(::mlir::cast<PlanOpInterface>(getOperation()), setName);
    }
  }];
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

def Msa_IndexScoresOp : Msa_PlanOp<"index_scores", "IndexScores"> {
  let summary = "score of every visible block before the local one";
  let description = [{
    `scores[h, q, b]` is the largest FP32 dot product of index query `q` of head `h` with the
    index keys of block `b`, without a scale (clauses I1 and I2). FP32 scales of operands do
    not enter a score; block scales of 4-bit index keys do.

    Example:
    ```mlir
    %scores = msa.index_scores(index_q = %iq, index_k = %ik, batch = %batch)
      {heads = #msa.heads<query = 64, kv = 4, index = 4, index_kv = 1, head_dim = 128, index_dim = 128>,
       blocks = #msa.selection<block_size = 128, topk = 16, force_first = 0, order = head_major>,
       precision = #msa.precision<q = bf16, k = bf16, v = bf16, index_q = bf16, index_k = bf16, o = bf16, partial = bf16>,
       kv_layout = #msa.kv_layout<paged, page_size = 128>}
      : (tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch) -> tensor<4x?x?xf32>
    ```
  }];
  let tensors = (ins Msa_Tensor:$index_q, Msa_Tensor:$index_k,
                     Optional<Msa_BlockScale>:$index_k_block_scale, Msa_BatchType:$batch);
  let results = (outs Msa_F32:$scores);
}

def Msa_TopkSelectOp : Msa_PlanOp<"topk_select", "TopkSelect"> {
  let summary = "ids of the blocks that each query keeps";
  let description = [{
    Exact FP32 order, lower id first among equals, the local block and `force_first` blocks
    always kept; ascending ids, then -1 (clauses T1 to T4).

    Example (attributes as in `msa.index_scores`):
    ```mlir
    %selection = msa.topk_select(scores = %scores, batch = %batch) {...}
      : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
    ```
  }];
  let tensors = (ins Msa_F32:$scores, Msa_BatchType:$batch);
  let results = (outs Msa_I32:$selection);
}

def Msa_GatherPlanOp : Msa_PlanOp<"gather_plan", "GatherPlan"> {
  let summary = "the selection inverted: for each block, the queries that listed it";
  let description = [{
    The arrays that `msa.attention_split` walks; their layout is documented in docs/kernels.md
    and is no interface.

    Example (attributes as in `msa.index_scores`):
    ```mlir
    %plan_offsets, %plan_entries, %plan_items = msa.gather_plan(selection = %selection, batch = %batch) {...}
      : (tensor<4x?x16xi32>, !msa.batch) -> (tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>)
    ```
  }];
  let tensors = (ins Msa_I32:$selection, Msa_BatchType:$batch);
  let results = (outs Msa_I32:$plan_offsets, Msa_I32:$plan_entries, Msa_I32:$plan_items);
}

def Msa_AttentionSplitOp : Msa_PlanOp<"attention_split", "AttentionSplit", [AttrSizedOperandSegments]> {
  let summary = "attention of each query over each block it listed";
  let description = [{
    One locally normalised partial output and its natural-log LSE for each (query, KV head,
    slot); the slot of a block is its rank in the query's list. Unused slots keep their
    contents (clauses A1, A3 and A4).

    Example (attributes as in `msa.index_scores`):
    ```mlir
    %partial_o, %partial_lse = msa.attention_split(q = %q, k = %k, v = %v, selection = %selection,
        plan_offsets = %offsets, plan_entries = %entries, plan_items = %items, batch = %batch) {...}
      : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>,
         tensor<4x?x?xi32>, tensor<4x?xi32>, tensor<4x?x4xi32>, !msa.batch)
      -> (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>)
    ```
  }];
  let tensors = (ins Msa_Tensor:$q, Msa_Tensor:$k, Msa_Tensor:$v,
                     Optional<Msa_Scale>:$q_scale, Optional<Msa_Scale>:$k_scale, Optional<Msa_Scale>:$v_scale,
                     Optional<Msa_BlockScale>:$k_block_scale, Optional<Msa_BlockScale>:$v_block_scale,
                     Msa_I32:$selection, Msa_I32:$plan_offsets, Msa_I32:$plan_entries, Msa_I32:$plan_items, Msa_BatchType:$batch);
  let results = (outs Msa_Tensor:$partial_o, Msa_F32:$partial_lse);
}

def Msa_AttentionCombineOp : Msa_PlanOp<"attention_combine", "AttentionCombine"> {
  let summary = "partial outputs of a query merged";
  let description = [{
    Weights each used slot by exp(LSE_slot - LSE) in FP32 (clause A4). A query without a
    visible key has o = 0 and lse = -inf (clause A2).

    Example (attributes as in `msa.index_scores`):
    ```mlir
    %o, %lse = msa.attention_combine(partial_o = %po, partial_lse = %pl, selection = %selection, batch = %batch) {...}
      : (tensor<?x4x16x16x128xbf16>, tensor<?x4x16x16xf32>, tensor<4x?x16xi32>, !msa.batch)
     -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
    ```
  }];
  let tensors = (ins Msa_Tensor:$partial_o, Msa_F32:$partial_lse, Msa_I32:$selection, Msa_BatchType:$batch);
  let results = (outs Msa_Tensor:$o, Msa_F32:$lse);
}

def Msa_DenseAttentionOp : Msa_PlanOp<"dense_attention", "DenseAttention", [AttrSizedOperandSegments]> {
  let summary = "attention over every visible key";
  let description = [{
    The same mathematics with every block selected. With `block_maxima` it has a third result,
    `scores` [Hq, S, max_blocks]: the largest raw dot product of each visible block (clause A5).

    Example (attributes as in `msa.index_scores`):
    ```mlir
    %o, %lse, %scores = msa.dense_attention(q = %q, k = %k, v = %v, batch = %batch) {block_maxima, ...}
      : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, !msa.batch)
     -> (tensor<?x64x128xbf16>, tensor<?x64xf32>, tensor<64x?x?xf32>)
    ```
  }];
  let tensors = (ins Msa_Tensor:$q, Msa_Tensor:$k, Msa_Tensor:$v,
                     Optional<Msa_Scale>:$q_scale, Optional<Msa_Scale>:$k_scale, Optional<Msa_Scale>:$v_scale,
                     Optional<Msa_BlockScale>:$k_block_scale, Optional<Msa_BlockScale>:$v_block_scale,
                     Msa_BatchType:$batch);
  let results = (outs Msa_Tensor:$o, Msa_F32:$lse, Optional<Msa_F32>:$scores);
}

//===----------------------------------------------------------------------===//
// Pipelines
//===----------------------------------------------------------------------===//

def Msa_SparseAttentionOp : Msa_PlanOp<"sparse_attention", "SparseAttention", [AttrSizedOperandSegments]> {
  let summary = "attention over the caller's own selection";
  let description = [{
    A pipeline: `msa-decompose` makes it `msa.gather_plan`, `msa.attention_split` and
    `msa.attention_combine`. Ids may come in any order, then -1 (clause A1).

    Example (attributes as in `msa.index_scores`):
    ```mlir
    %o, %lse = msa.sparse_attention(q = %q, k = %k, v = %v, selection = %selection, batch = %batch) {...}
      : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>, tensor<4x?x16xi32>, !msa.batch)
     -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
    ```
  }];
  let tensors = (ins Msa_Tensor:$q, Msa_Tensor:$k, Msa_Tensor:$v,
                     Optional<Msa_Scale>:$q_scale, Optional<Msa_Scale>:$k_scale, Optional<Msa_Scale>:$v_scale,
                     Optional<Msa_BlockScale>:$k_block_scale, Optional<Msa_BlockScale>:$v_block_scale,
                     Msa_I32:$selection, Msa_BatchType:$batch);
  let results = (outs Msa_Tensor:$o, Msa_F32:$lse);
}

def Msa_PrefillOp : Msa_PlanOp<"prefill", "Prefill", [AttrSizedOperandSegments]> {
  let summary = "index scores, selection and sparse attention of a prefill call";
  let description = [{
    A pipeline: `msa-decompose` makes it `msa.index_scores`, `msa.topk_select` and the phases of
    `msa.sparse_attention`.

    Example (attributes as in `msa.index_scores`):
    ```mlir
    %o, %lse = msa.prefill(q = %q, k = %k, v = %v, index_q = %iq, index_k = %ik, batch = %batch) {...}
      : (tensor<?x64x128xbf16>, tensor<?x4x128x128xbf16>, tensor<?x4x128x128xbf16>,
         tensor<?x4x128xbf16>, tensor<?x1x128x128xbf16>, !msa.batch)
     -> (tensor<?x64x128xbf16>, tensor<?x64xf32>)
    ```
  }];
  let tensors = (ins Msa_Tensor:$q, Msa_Tensor:$k, Msa_Tensor:$v,
                     Optional<Msa_Scale>:$q_scale, Optional<Msa_Scale>:$k_scale, Optional<Msa_Scale>:$v_scale,
                     Optional<Msa_BlockScale>:$k_block_scale, Optional<Msa_BlockScale>:$v_block_scale,
                     Msa_Tensor:$index_q, Msa_Tensor:$index_k,
                     Optional<Msa_BlockScale>:$index_k_block_scale, Msa_BatchType:$batch);
  let results = (outs Msa_Tensor:$o, Msa_F32:$lse);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

def Msa_CudaKernelOp : Op<Msa_Dialect, "cuda_kernel", [Symbol, HasParent<"::mlir::ModuleOp">]> {
  let summary = "one kernel of the portable CUDA route";
  let description = [{
    A template of templates/cuda with the defines that specialise it, for one target. `args`
    and the launch rule say how it is called (expressions over run-time sizes); `msa-nvrtc`
    adds the PTX.

    Example:
    ```mlir
    msa.cuda_kernel @topk_select {phase = "topk_select", source = "topk_select", entry = "msa_topk_select",
      target = "sm_80", defines = {MSA_TOPK = "16"}, args = ["input f32 scores[4, tokens, max_blocks]"],
      grid = ["tokens", "4", "1"], block = array<i32: 128, 1, 1>, dynamic_shared_bytes = 0 : i32}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$phase, StrAttr:$source, StrAttr:$entry, StrAttr:$target,
                       DictionaryAttr:$defines, StrArrayAttr:$args, StrArrayAttr:$grid, DenseI32ArrayAttr:$block,
                       I32Attr:$dynamic_shared_bytes, OptionalAttr<StrAttr>:$ptx);
  let assemblyFormat = "$sym_name attr-dict";
  let hasVerifier = 1;
}

def Msa_LaunchOp : Op<Msa_Dialect, "launch", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the kernels of one phase, launched in order";
  let description = [{
    What a phase becomes on a route whose kernels are symbols: operands and results are those
    of the phase. Workspace and slabs are the program's launch recipe, not IR.

    Example:
    ```mlir
    %selection = msa.launch [@topk_select](%scores, %batch) : (tensor<4x?x?xf32>, !msa.batch) -> tensor<4x?x16xi32>
    ```
  }];
  let arguments = (ins FlatSymbolRefArrayAttr:$kernels, Variadic<AnyType>:$operands);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$kernels `(` $operands `)` attr-dict `:` functional-type($operands, $results)";
  let hasVerifier = 1;
}

#endif // MSA_OPS_TD

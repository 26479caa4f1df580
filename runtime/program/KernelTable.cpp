//===- KernelTable.cpp - the kernels of the portable CUDA route -----------===//
//
// See KernelTable.h; docs/kernels.md says the same for people. An argument list
// here is the parameter list of the template of that name, in its order; every
// kernel of a phase is the same code whether the phase runs alone or in a
// pipeline, where only the roles and sizes of its tensors differ.
//
//===----------------------------------------------------------------------===//
#include "program/KernelTable.h"

#include <fmt/format.h>

#include <algorithm>

namespace msa {
namespace {

/// Numbers that a template and its launch rule share.
constexpr int indexTileRows = 64, wideIndexTileRows = 32; ///< wide: blocks above 128 keys
constexpr int attentionTileRows = 32;
constexpr int spanKeys = 128; ///< keys that whole small blocks fill together
constexpr int mostGridY = 65535;

/// The value of an MSA_*_TYPE define.
std::string typeId(DType type) { return fmt::format("{}", static_cast<int>(type)); }

std::string_view elementWord(DType type) { return bitsOf(type) == 4 ? "e2m1x2" : toString(type); }

/// N2, N3: whether a tensor of this type has an FP32 scale.
bool hasScale(DType type) { return type == DType::E4M3 || type == DType::NVFP4; }

/// Builds the kernels of one plan.
class Table {
public:
  explicit Table(const Plan &p)
      : plan(p), prefill(p.op == Op::Prefill), sparse(prefill || p.op == Op::SparseAttention) {}

  CudaKernelSpec indexScores() const;
  CudaKernelSpec topkSelect() const;
  CudaKernelSpec gatherPlan() const;
  CudaKernelSpec attentionSplit() const;
  CudaKernelSpec attentionCombine() const;
  CudaKernelSpec denseAttention() const;

  std::vector<WorkspaceSlice> workspace() const;

private:
  using Args = std::vector<ArgSpec>;

  const Plan &plan;
  bool prefill; ///< scores and selection live in the workspace
  bool sparse;  ///< plan arrays and partials live in the workspace

  int chunk() const { return *plan.schedule.chunk; }
  std::string num(int value) const { return fmt::format("{}", value); }
  /// The token extent of a tensor: one slab of it in a workspace.
  std::string tokensOf(bool inWorkspace) const { return inWorkspace ? "slab" : "tokens"; }
  std::string items() const {
    return fmt::format("requests * (max_blocks + 1) + slab * {} / {} + 1", plan.topk, chunk());
  }
  std::string scoreStride() const {
    return prefill ? "ceildiv(max_blocks, 4) * 4" : "max_blocks"; // 16-byte rows in the workspace
  }
  int blocksPerSpan() const { return std::max(1, spanKeys / plan.blockSize); }

  // Shapes of the tensors that phases hand to each other.
  std::vector<std::string> scoresShape() const {
    return {num(plan.heads.index), tokensOf(prefill), scoreStride()};
  }
  std::vector<std::string> selectionShape() const {
    std::vector<std::string> shape = {num(plan.heads.index), tokensOf(prefill), num(plan.topk)};
    if (plan.selectionOrder == SelectionOrder::TokenMajor)
      std::swap(shape[0], shape[1]);
    return shape;
  }
  std::vector<std::string> offsetsShape() const {
    return {num(plan.heads.kv), "requests", "max_blocks + 1"};
  }
  std::vector<std::string> entriesShape() const {
    return {num(plan.heads.kv), fmt::format("slab * {}", plan.topk)};
  }
  std::vector<std::string> itemsShape() const { return {num(plan.heads.kv), items(), "4"}; }
  std::vector<std::string> partialShape(bool rows) const {
    std::vector<std::string> shape = {tokensOf(sparse), num(plan.heads.kv), num(plan.topk),
                                      num(plan.gqa())};
    if (rows)
      shape.push_back(num(plan.headDim));
    return shape;
  }

  /// A tensor that kernels read or write in vectors.
  static ArgSpec pointer(std::string name, ArgRole role, std::string_view element,
                         std::vector<std::string> shape) {
    return {.name = std::move(name),
            .type = ArgType::Pointer,
            .role = role,
            .element = std::string(element),
            .shape = std::move(shape),
            .alignment = 16};
  }
  /// A tensor of which kernels access single elements.
  static ArgSpec array(std::string name, ArgRole role, std::string_view element,
                       std::vector<std::string> shape) {
    ArgSpec spec = pointer(std::move(name), role, element, std::move(shape));
    spec.alignment = element == "f32" || element == "i32" ? 4 : 1;
    return spec;
  }
  static ArgSpec integer(std::string name, std::string value) {
    return {.name = std::move(name),
            .type = ArgType::I32,
            .role = ArgRole::Scalar,
            .value = std::move(value),
            .alignment = 4};
  }
  /// A scalar that is a bound of the same name.
  static ArgSpec bound(const std::string &name) { return integer(name, name); }

  /// `role` when the tensor is the caller's, Workspace when a pipeline holds it.
  static ArgRole roleOf(bool inWorkspace, ArgRole role) {
    return inWorkspace ? ArgRole::Workspace : role;
  }

  void addQueries(Args &args, const std::string &name, DType type, int heads, int dim) const {
    args.push_back(
        pointer(name, ArgRole::Input, elementWord(type), {"tokens", num(heads), num(dim)}));
  }
  void addKeys(Args &args, const std::string &name, DType type, int heads, int dim) const;
  void addScale(Args &args, const std::string &tensor, DType type) const {
    if (hasScale(type))
      args.push_back(array(tensor + "_scale", ArgRole::Input, "f32", {num(plan.heads.kv)}));
  }
  void addBlockScale(Args &args, const std::string &tensor, DType type, int heads, int dim) const;
  void addLengths(Args &args) const {
    args.push_back(array("cu_seqlens_q", ArgRole::Input, "i32", {"requests + 1"}));
    args.push_back(array("cu_seqlens_k", ArgRole::Input, "i32", {"requests + 1"}));
  }
  void addPageTable(Args &args) const {
    if (plan.kvLayout.kind == KvKind::Paged)
      args.push_back(array("page_table", ArgRole::Input, "i32", {"requests", "max_pages"}));
  }
  void addStatus(Args &args) const {
    if (plan.checked)
      args.push_back(array("status", ArgRole::Status, "i32", {"4"}));
  }
  void addAttentionOperands(Args &args) const;
  void addSelectionPlace(Args &args) const {
    args.push_back(integer("selection_begin", prefill ? "slab_begin" : "0"));
    args.push_back(integer("selection_tokens", tokensOf(prefill)));
  }

  std::vector<std::string> keyShape(int heads, std::string width) const {
    if (plan.kvLayout.kind == KvKind::Contiguous)
      return {"pages", num(heads), std::move(width)};
    return {"pages", num(heads), num(plan.kvLayout.pageSize), std::move(width)};
  }

  using Defines = std::vector<std::pair<std::string, std::string>>;
  /// The defines that the shared headers need, and these; sorted.
  Defines defines(Defines more) const;
  CudaKernelSpec kernel(Op phase, Args args, Defines more, std::vector<std::string> grid,
                        int threads) const;
};

void Table::addKeys(Args &args, const std::string &name, DType type, int heads, int dim) const {
  args.push_back(pointer(name, ArgRole::Input, elementWord(type),
                         keyShape(heads, num(bitsOf(type) == 4 ? dim / 2 : dim))));
}

void Table::addBlockScale(Args &args, const std::string &tensor, DType type, int heads,
                          int dim) const {
  if (int elements = scaleBlockOf(type))
    args.push_back(array(tensor + "_block_scale", ArgRole::Input,
                         type == DType::NVFP4 ? "e4m3" : "ue8m0",
                         keyShape(heads, num(dim / elements))));
}

void Table::addAttentionOperands(Args &args) const {
  const Precision &p = plan.precision;
  addQueries(args, "q", p.q, plan.heads.query, plan.headDim);
  addScale(args, "q", p.q);
  addKeys(args, "k", p.k, plan.heads.kv, plan.headDim);
  addScale(args, "k", p.k);
  addBlockScale(args, "k", p.k, plan.heads.kv, plan.headDim);
  addKeys(args, "v", p.v, plan.heads.kv, plan.headDim);
  addScale(args, "v", p.v);
  addBlockScale(args, "v", p.v, plan.heads.kv, plan.headDim);
  addLengths(args);
  addPageTable(args);
}

Table::Defines Table::defines(Defines more) const {
  more.emplace_back("MSA_B", num(plan.blockSize));
  more.emplace_back("MSA_PAGE",
                    num(plan.kvLayout.kind == KvKind::Paged ? plan.kvLayout.pageSize : 0));
  more.emplace_back("MSA_CHECKED", num(plan.checked));
  more.emplace_back("MSA_TOKEN_MAJOR", num(plan.selectionOrder == SelectionOrder::TokenMajor));
  std::sort(more.begin(), more.end());
  return more;
}

CudaKernelSpec Table::kernel(Op phase, Args args, Defines more, std::vector<std::string> grid,
                             int threads) const {
  std::string name(toString(phase));
  return {.phase = name,
          .source = name,
          .entry = "msa_" + name,
          .defines = defines(std::move(more)),
          .args = std::move(args),
          .launch = {.grid = std::move(grid), .block = {threads, 1, 1}}};
}

CudaKernelSpec Table::indexScores() const {
  const Heads &h = plan.heads;
  const Precision &p = plan.precision;
  Args args;
  addQueries(args, "index_q", p.indexQ, h.index, plan.indexDim);
  addKeys(args, "index_k", p.indexK, h.indexKv, plan.indexDim);
  addBlockScale(args, "index_k", p.indexK, h.indexKv, plan.indexDim);
  addLengths(args);
  addPageTable(args);
  args.push_back(array("scores", roleOf(prefill, ArgRole::Output), "f32", scoresShape()));
  addStatus(args);
  for (const char *name : {"requests", "max_pages", "pages"})
    args.push_back(bound(name));
  args.push_back(integer("score_stride", scoreStride()));
  args.push_back(bound("slab_begin"));
  args.push_back(bound("slab"));

  int tileRows = plan.blockSize > spanKeys ? wideIndexTileRows : indexTileRows;
  int tileTokens = std::max(1, tileRows / (h.index / h.indexKv));
  return kernel(Op::IndexScores, std::move(args),
                {{"MSA_HEADS_INDEX", num(h.index)},
                 {"MSA_HEADS_INDEX_KV", num(h.indexKv)},
                 {"MSA_D_INDEX", num(plan.indexDim)},
                 {"MSA_INDEX_Q_TYPE", typeId(p.indexQ)},
                 {"MSA_INDEX_K_TYPE", typeId(p.indexK)},
                 {"MSA_TILE_ROWS", num(tileRows)},
                 {"MSA_TILE_TOKENS", num(tileTokens)}},
                {fmt::format("ceildiv(slab, {})", tileTokens),
                 fmt::format("min(ceildiv(max_blocks, {}), {})", blocksPerSpan(), mostGridY),
                 num(h.indexKv)},
                256);
}

CudaKernelSpec Table::topkSelect() const {
  Args args;
  args.push_back(array("scores", roleOf(prefill, ArgRole::Input), "f32", scoresShape()));
  addLengths(args);
  args.push_back(array("selection", roleOf(prefill, ArgRole::Output), "i32", selectionShape()));
  addStatus(args);
  args.push_back(bound("requests"));
  args.push_back(integer("score_stride", scoreStride()));
  args.push_back(bound("slab_begin"));
  args.push_back(bound("slab"));
  addSelectionPlace(args);
  return kernel(Op::TopkSelect, std::move(args),
                {{"MSA_HEADS_INDEX", num(plan.heads.index)},
                 {"MSA_K", num(plan.topk)},
                 {"MSA_FORCE_FIRST", num(plan.forceFirst)}},
                {"ceildiv(slab, 4)", num(plan.heads.index), "1"}, 128);
}

CudaKernelSpec Table::gatherPlan() const {
  Args args;
  args.push_back(array("selection", roleOf(prefill, ArgRole::Input), "i32", selectionShape()));
  addLengths(args);
  args.push_back(array("plan_offsets", roleOf(sparse, ArgRole::Output), "i32", offsetsShape()));
  args.push_back(array("plan_entries", roleOf(sparse, ArgRole::Output), "i32", entriesShape()));
  args.push_back(pointer("plan_items", roleOf(sparse, ArgRole::Output), "i32", itemsShape()));
  addStatus(args);
  args.push_back(bound("requests"));
  args.push_back(bound("max_blocks"));
  args.push_back(integer("items", items()));
  args.push_back(bound("slab_begin"));
  args.push_back(bound("slab"));
  addSelectionPlace(args);
  return kernel(Op::GatherPlan, std::move(args),
                {{"MSA_HEADS_KV", num(plan.heads.kv)},
                 {"MSA_K", num(plan.topk)},
                 {"MSA_CHUNK", num(chunk())}},
                {"requests", num(plan.heads.kv), "1"}, 256);
}

CudaKernelSpec Table::attentionSplit() const {
  const Precision &p = plan.precision;
  Args args;
  addAttentionOperands(args);
  args.push_back(array("plan_entries", roleOf(sparse, ArgRole::Input), "i32", entriesShape()));
  args.push_back(pointer("plan_items", roleOf(sparse, ArgRole::Input), "i32", itemsShape()));
  args.push_back(pointer("partial_o", roleOf(sparse, ArgRole::Output), elementWord(p.partial),
                         partialShape(true)));
  args.push_back(array("partial_lse", roleOf(sparse, ArgRole::Output), "f32", partialShape(false)));
  addStatus(args);
  args.push_back({.name = "softmax_scale",
                  .type = ArgType::F32,
                  .role = ArgRole::Scalar,
                  .f32 = plan.scale(),
                  .alignment = 4});
  args.push_back(bound("max_pages"));
  args.push_back(bound("pages"));
  args.push_back(integer("items", items()));
  args.push_back(bound("slab_begin"));
  args.push_back(bound("slab"));
  return kernel(Op::AttentionSplit, std::move(args),
                {{"MSA_HEADS_QUERY", num(plan.heads.query)},
                 {"MSA_HEADS_KV", num(plan.heads.kv)},
                 {"MSA_D", num(plan.headDim)},
                 {"MSA_K", num(plan.topk)},
                 {"MSA_Q_TYPE", typeId(p.q)},
                 {"MSA_K_TYPE", typeId(p.k)},
                 {"MSA_V_TYPE", typeId(p.v)},
                 {"MSA_PARTIAL_TYPE", typeId(p.partial)}},
                {items(), num(plan.heads.kv), "1"}, 128);
}

CudaKernelSpec Table::attentionCombine() const {
  const Precision &p = plan.precision;
  Args args;
  args.push_back(pointer("partial_o", roleOf(sparse, ArgRole::Input), elementWord(p.partial),
                         partialShape(true)));
  args.push_back(array("partial_lse", roleOf(sparse, ArgRole::Input), "f32", partialShape(false)));
  args.push_back(array("selection", roleOf(prefill, ArgRole::Input), "i32", selectionShape()));
  addLengths(args);
  args.push_back(pointer("o", ArgRole::Output, elementWord(p.o),
                         {"tokens", num(plan.heads.query), num(plan.headDim)}));
  args.push_back(array("lse", ArgRole::Output, "f32", {"tokens", num(plan.heads.query)}));
  addStatus(args);
  args.push_back(bound("requests"));
  args.push_back(bound("slab_begin"));
  args.push_back(bound("slab"));
  addSelectionPlace(args);
  return kernel(Op::AttentionCombine, std::move(args),
                {{"MSA_HEADS_QUERY", num(plan.heads.query)},
                 {"MSA_HEADS_KV", num(plan.heads.kv)},
                 {"MSA_D", num(plan.headDim)},
                 {"MSA_K", num(plan.topk)},
                 {"MSA_O_TYPE", typeId(p.o)},
                 {"MSA_PARTIAL_TYPE", typeId(p.partial)}},
                {"slab", num(plan.heads.kv), "1"}, 128);
}

CudaKernelSpec Table::denseAttention() const {
  const Precision &p = plan.precision;
  Args args;
  addAttentionOperands(args);
  args.push_back(pointer("o", ArgRole::Output, elementWord(p.o),
                         {"tokens", num(plan.heads.query), num(plan.headDim)}));
  args.push_back(array("lse", ArgRole::Output, "f32", {"tokens", num(plan.heads.query)}));
  if (plan.blockMaxima)
    args.push_back(
        array("scores", ArgRole::Output, "f32", {num(plan.heads.query), "tokens", "max_blocks"}));
  addStatus(args);
  args.push_back({.name = "softmax_scale",
                  .type = ArgType::F32,
                  .role = ArgRole::Scalar,
                  .f32 = plan.scale(),
                  .alignment = 4});
  for (const char *name : {"requests", "max_blocks", "max_pages", "pages", "tokens"})
    args.push_back(bound(name));

  int tileHeads = std::min(plan.gqa(), attentionTileRows);
  int headTiles = (plan.gqa() + tileHeads - 1) / tileHeads;
  return kernel(Op::DenseAttention, std::move(args),
                {{"MSA_HEADS_QUERY", num(plan.heads.query)},
                 {"MSA_HEADS_KV", num(plan.heads.kv)},
                 {"MSA_D", num(plan.headDim)},
                 {"MSA_Q_TYPE", typeId(p.q)},
                 {"MSA_K_TYPE", typeId(p.k)},
                 {"MSA_V_TYPE", typeId(p.v)},
                 {"MSA_O_TYPE", typeId(p.o)},
                 {"MSA_BLOCK_MAXIMA", num(plan.blockMaxima)}},
                {fmt::format("ceildiv(tokens, {}) * {}", attentionTileRows / tileHeads, headTiles),
                 num(plan.heads.kv), "1"},
                128);
}

std::vector<WorkspaceSlice> Table::workspace() const {
  std::vector<WorkspaceSlice> slices;
  if (prefill) {
    slices.push_back({"scores", "f32", scoresShape()});
    slices.push_back({"selection", "i32", selectionShape()});
  }
  if (sparse) {
    slices.push_back({"plan_offsets", "i32", offsetsShape()});
    slices.push_back({"plan_entries", "i32", entriesShape()});
    slices.push_back({"plan_items", "i32", itemsShape()});
    slices.push_back(
        {"partial_o", std::string(elementWord(plan.precision.partial)), partialShape(true)});
    slices.push_back({"partial_lse", "f32", partialShape(false)});
  }
  return slices;
}

Status noKernels(Op op) {
  return Status::missing(
      fmt::format("op {} has no kernels on the cuda route yet; available: "
                  "index_scores, topk_select, gather_plan, attention_split, "
                  "attention_combine, dense_attention, sparse_attention, prefill",
                  toString(op)));
}

} // namespace

Expected<std::vector<CudaKernelSpec>> cudaKernels(const Plan &plan, Op phase) {
  MSA_RETURN_IF_ERROR(checkPlan(plan));
  if (plan.op == Op::Decode)
    return noKernels(plan.op);
  std::vector<Op> phases = phasesOf(plan.op);
  if (std::find(phases.begin(), phases.end(), phase) == phases.end())
    return Status::internal(
        fmt::format("op {} has no phase {}", toString(plan.op), toString(phase)));
  bool chunked = phase == Op::GatherPlan || phase == Op::AttentionSplit;
  if (chunked && plan.schedule.chunk.value_or(0) < 1)
    return Status::internal(fmt::format(
        "phase {} needs schedule.chunk; resolve the plan's schedule first", toString(phase)));
  Table table(plan);
  switch (phase) {
  case Op::IndexScores:
    return std::vector{table.indexScores()};
  case Op::TopkSelect:
    return std::vector{table.topkSelect()};
  case Op::GatherPlan:
    return std::vector{table.gatherPlan()};
  case Op::AttentionSplit:
    return std::vector{table.attentionSplit()};
  case Op::AttentionCombine:
    return std::vector{table.attentionCombine()};
  case Op::DenseAttention:
    return std::vector{table.denseAttention()};
  case Op::SparseAttention:
  case Op::Prefill:
  case Op::Decode:
    break;
  }
  return noKernels(phase);
}

Expected<Program> cudaProgram(const Plan &resolved) {
  if (resolved.op == Op::Decode)
    return noKernels(resolved.op);
  Program program{.plan = resolved, .resolved = resolved};
  std::vector<Op> phases = phasesOf(resolved.op);
  LaunchGroup group{.slabbed = phases.size() > 1};
  for (Op phase : phases) {
    MSA_ASSIGN_OR_RETURN(std::vector<CudaKernelSpec> specs, cudaKernels(resolved, phase));
    for (CudaKernelSpec &spec : specs) {
      group.steps.push_back({.kernel = static_cast<int>(program.kernels.size())});
      program.kernels.push_back({.phase = std::move(spec.phase),
                                 .entry = std::move(spec.entry),
                                 .target = resolved.target,
                                 .args = std::move(spec.args),
                                 .launch = std::move(spec.launch)});
    }
  }
  program.workspace = Table(resolved).workspace();
  program.recipe.push_back(std::move(group));
  return program;
}

std::string describeStatus(const std::array<int32_t, 4> &status) {
  auto [code, head, query, id] = status;
  switch (code) {
  case 0:
    return "no contract error";
  case 1:
    return fmt::format("A1: the selection of head {}, query {} lists block {}, which is beyond the "
                       "query's local block",
                       head, query, id);
  case 2:
    return fmt::format("A1: the selection of head {}, query {} lists id {}; legal: block ids, then "
                       "-1",
                       head, query, id);
  case 3:
    return fmt::format("A1: the selection of head {}, query {} lists block {} after a -1; legal: "
                       "-1 only to the end",
                       head, query, id);
  case 4:
    return fmt::format("P3: a page table entry of the request whose first query is {} is {}, which "
                       "is no page (KV head {})",
                       query, id, head);
  default:
    return fmt::format(
        "status code {} (head {}, query {}, id {}), which this version does not know", code, head,
        query, id);
  }
}

} // namespace msa

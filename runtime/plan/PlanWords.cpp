//===- PlanWords.cpp - the interface's words for a plan's enumerators -----===//
//
// Each word is written once, here; JSON, --set, the dialect and file names use
// them. Also what an enumerator implies by itself: bits, scale blocks, phases.
//
//===----------------------------------------------------------------------===//
#include "msa/Plan.h"

#include <cmath>
#include <span>

namespace msa {
namespace {

template <typename E> struct Word {
  E value;
  std::string_view word;
};

constexpr Word<Op> opWords[] = {
    {Op::IndexScores, "index_scores"},
    {Op::TopkSelect, "topk_select"},
    {Op::GatherPlan, "gather_plan"},
    {Op::AttentionSplit, "attention_split"},
    {Op::AttentionCombine, "attention_combine"},
    {Op::DenseAttention, "dense_attention"},
    {Op::SparseAttention, "sparse_attention"},
    {Op::Prefill, "prefill"},
    {Op::Decode, "decode"},
};
constexpr Word<DType> dtypeWords[] = {
    {DType::BF16, "bf16"}, {DType::F16, "f16"},     {DType::F32, "f32"},
    {DType::E4M3, "e4m3"}, {DType::NVFP4, "nvfp4"}, {DType::MXFP4, "mxfp4"},
};
constexpr Word<KvKind> kvKindWords[] = {
    {KvKind::Contiguous, "contiguous"},
    {KvKind::Paged, "paged"},
};
constexpr Word<SelectionOrder> orderWords[] = {
    {SelectionOrder::HeadMajor, "head_major"},
    {SelectionOrder::TokenMajor, "token_major"},
};
constexpr Word<Route> routeWords[] = {
    {Route::Auto, "auto"},
    {Route::Tile, "tile"},
    {Route::Cuda, "cuda"},
};

template <typename E> std::string_view wordOf(std::span<const Word<E>> words, E value) {
  for (const Word<E> &w : words)
    if (w.value == value)
      return w.word;
  return "invalid"; // an enumerator made by a cast
}

template <typename E>
std::optional<E> valueOf(std::span<const Word<E>> words, std::string_view word) {
  for (const Word<E> &w : words)
    if (w.word == word)
      return w.value;
  return std::nullopt;
}

} // namespace

std::string_view toString(Op v) { return wordOf<Op>(opWords, v); }
std::string_view toString(DType v) { return wordOf<DType>(dtypeWords, v); }
std::string_view toString(KvKind v) { return wordOf<KvKind>(kvKindWords, v); }
std::string_view toString(SelectionOrder v) { return wordOf<SelectionOrder>(orderWords, v); }
std::string_view toString(Route v) { return wordOf<Route>(routeWords, v); }

std::optional<Op> parseOp(std::string_view w) { return valueOf<Op>(opWords, w); }
std::optional<DType> parseDType(std::string_view w) { return valueOf<DType>(dtypeWords, w); }
std::optional<KvKind> parseKvKind(std::string_view w) { return valueOf<KvKind>(kvKindWords, w); }
std::optional<SelectionOrder> parseSelectionOrder(std::string_view w) {
  return valueOf<SelectionOrder>(orderWords, w);
}
std::optional<Route> parseRoute(std::string_view w) { return valueOf<Route>(routeWords, w); }

int bitsOf(DType type) {
  switch (type) {
  case DType::F32:
    return 32;
  case DType::BF16:
  case DType::F16:
    return 16;
  case DType::E4M3:
    return 8;
  case DType::NVFP4:
  case DType::MXFP4:
    return 4;
  }
  return 0;
}

int scaleBlockOf(DType type) { return type == DType::NVFP4 ? 16 : type == DType::MXFP4 ? 32 : 0; }

std::vector<Op> phasesOf(Op op) {
  switch (op) {
  case Op::SparseAttention:
    return {Op::GatherPlan, Op::AttentionSplit, Op::AttentionCombine};
  case Op::Prefill:
    return {Op::IndexScores, Op::TopkSelect, Op::GatherPlan, Op::AttentionSplit,
            Op::AttentionCombine};
  default:
    return {op};
  }
}

float Plan::scale() const {
  return static_cast<float>(softmaxScale.value_or(1.0 / std::sqrt(static_cast<double>(headDim))));
}

} // namespace msa

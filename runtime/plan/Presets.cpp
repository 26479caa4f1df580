//===- Presets.cpp - named head configurations ----------------------------===//
//
// interfaces.md section 1. What a name leaves open: as many index heads as KV
// heads over one shared index key head, index_dim = head_dim, pages of a block.
//
//===----------------------------------------------------------------------===//
#include "msa/Plan.h"

#include "support/NearestWord.h"

namespace msa {
namespace {

/// A plan of these heads and sizes; `pageSize` 0 is contiguous.
Plan shape(int query, int kv, int dim, int block, int topk, int pageSize) {
  Plan plan;
  plan.heads = {.query = query, .kv = kv, .index = kv, .indexKv = 1};
  plan.headDim = plan.indexDim = dim;
  plan.blockSize = block;
  plan.topk = topk;
  plan.kvLayout = {.kind = pageSize == 0 ? KvKind::Contiguous : KvKind::Paged,
                   .pageSize = pageSize};
  return plan;
}

} // namespace

const std::vector<Preset> &presets() {
  static const std::vector<Preset> all = {
      {.name = "minimax-m3",
       .summary = "MiniMax-M3: 64 query over 4 KV heads, D 128, B 128, k 16, BF16, pages of 128",
       .plan = shape(64, 4, 128, 128, 16, 128)},
      {.name = "minimax-m3-tp2",
       .summary = "MiniMax-M3 on one of two tensor-parallel ranks: 32 query over 2 KV heads",
       .plan = shape(32, 2, 128, 128, 16, 128)},
      {.name = "minimax-m3-tp4",
       .summary = "MiniMax-M3 on one of four tensor-parallel ranks: 16 query over 1 KV head",
       .plan = shape(16, 1, 128, 128, 16, 128)},
      {.name = "narrow-64",
       .summary = "narrow heads: 32 query over 8 KV heads, D 64, B 64, k 8, pages of 64",
       .plan = shape(32, 8, 64, 64, 8, 64)},
      {.name = "odd-192",
       .summary = "sizes that no hand-written kernel has: 20 query over 4 KV heads, D 192, B 64, "
                  "k 12, contiguous",
       .plan = shape(20, 4, 192, 64, 12, 0)},
  };
  return all;
}

Expected<Plan> findPreset(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Preset &preset : presets()) {
    if (preset.name == name)
      return preset.plan;
    names.push_back(preset.name);
  }
  return Status::invalid("unknown preset " + quoteText(name) + suggestion(name, names));
}

} // namespace msa

//===- CompareGather.cpp - the gather plan's arrays, exactly --------------===//
#include "verify/Tally.h"

#include <fmt/format.h>

namespace msa::verify {

CheckResult checkGatherPlan(const Case &c, TokenRange slab, int chunk, const GatherArrays &got) {
  GatherPlan expected = gatherPlan(c, slab, chunk);
  const int64_t heads = c.plan.heads.kv, requests = c.batch.requests();
  const int64_t lists = c.batch.maxBlocks + 1, segment = slab.size() * c.plan.topk;
  Tally tally("gather_plan", "plan", "A1 (docs/kernels.md)", {heads, requests, lists});
  if (got.itemCount != expected.itemCount) {
    tally.integer(got.itemCount, expected.itemCount, [] { return std::string(" item count"); });
    return tally.take();
  }
  for (int64_t i = 0; i < heads * requests * lists; ++i)
    tally.integer(got.offsets[i], expected.offsets[i], [&] {
      return fmt::format("_offsets[head {}, request {}, block {}]", i / lists / requests,
                         i / lists % requests, i % lists);
    });
  for (int64_t i = 0; i < heads * segment; ++i)
    tally.integer(got.entries[i], expected.entries[i], [&] {
      return fmt::format("_entries[head {}, {}]{}", i / segment, i % segment,
                         expected.entries[i] == GatherPlan::unwritten ? " (belongs to no list)"
                                                                      : "");
    });
  for (int64_t i = 0; i < heads * expected.itemCount * 4; ++i)
    tally.integer(got.items[i], expected.items[i], [&] {
      return fmt::format("_items[head {}, item {}, field {}]", i / 4 / expected.itemCount,
                         i / 4 % expected.itemCount, i % 4);
    });
  return tally.take();
}

} // namespace msa::verify

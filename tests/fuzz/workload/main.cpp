//===- main.cpp - mutated workload files, and what they shrink to ---------===//
#include "Fuzz.h"

#include "verify/Workload.h"

int main(int argc, char **argv) {
  using namespace msa::verify;
  msa::fuzz::Target target;
  target.name = "fuzz-workload";
  target.seeds = {
      R"({"description":"d","source":"s","heads":{"query":64},"cases":[{"id":"a","weight":3,"query_lens":[171,5],"prefix_lens":[55168,0],"stratum":"x"}]})",
      R"({"description":"d","cases":[{"id":"b8","weight":30,"query_len":8,"kv_lens":[1234,766,1188]}]})",
      R"({"cases":[{"id":"c","query_lens":[1],"kv_lens":[1]},{"id":"d","query_lens":[3,4],"kv_lens":[70000,2]}]})"};
  target.dictionary = {"\"query_lens\"", "\"prefix_lens\"", "\"kv_lens\"", "\"query_len\"",
                       "\"id\"",         "\"cases\"",       "[1,2]",       "2147483647"};
  target.run = [](std::string_view text) {
    auto cases = parseWorkload(text, "fuzz");
    if (!cases.ok())
      return false;
    for (const WorkloadCase &c : *cases) {
      // Whether they fit is their business; a case that fits keeps within what was asked.
      auto small = fit(c, 24, 3072, msa::Plan());
      if (small.ok())
        for (int64_t keys : small->kvLens)
          if (keys > 3072)
            std::abort();
      (void)scale(c, 7, msa::Plan()).ok();
    }
    return true;
  };
  return msa::fuzz::runFuzz(target, argc, argv);
}

//===- FuzzPlan.cpp - mutated plans and --set lines -----------------------===//
//
// A text that begins with '{' is a plan; any other is KEY=VALUE. An accepted
// plan must come back from both of its text forms.
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "msa/Plan.h"

#include <cstdlib>

namespace {

/// A plan that its own text does not give back is a bug: stop where a debugger sees it.
void checkForms(const msa::Plan &plan) {
  std::string canonical = msa::canonicalJson(plan);
  msa::Expected<msa::Plan> back = msa::parsePlanJson(canonical);
  msa::Expected<msa::Plan> pretty = msa::parsePlanJson(msa::prettyJson(plan));
  if (!back.ok() || !pretty.ok() || msa::canonicalJson(*back) != canonical ||
      msa::canonicalJson(*pretty) != canonical)
    std::abort();
}

bool runPlan(std::string_view text) {
  msa::Expected<msa::Plan> plan = msa::parsePlanJson(text);
  if (!plan.ok())
    return false;
  checkForms(*plan);
  return msa::checkPlan(*plan).ok();
}

bool runSetting(std::string_view text) {
  size_t at = text.find('=');
  msa::Plan plan;
  if (at == std::string_view::npos ||
      !msa::setPlanKey(plan, text.substr(0, at), text.substr(at + 1)).ok())
    return false;
  checkForms(plan);
  return msa::checkPlan(plan).ok();
}

} // namespace

int main(int argc, char **argv) {
  msa::Plan pinned = *msa::findPreset("odd-192");
  pinned.softmaxScale = 0.125;
  pinned.schedule = {msa::Route::Cuda, 64};
  msa::fuzz::Target target;
  target.name = "plan";
  target.seeds = {msa::canonicalJson(msa::Plan()),
                  msa::prettyJson(pinned),
                  R"({"topk": 8, "heads": {"kv": 4}})",
                  "heads.query=32",
                  "softmax_scale=1e-3",
                  "schedule.route=auto"};
  target.dictionary = {"{",
                       "}",
                       "[",
                       "null",
                       "\"auto\"",
                       "\"topk\":",
                       "\"schedule\":{",
                       "\\u0000",
                       "\xc3\xa9",
                       "nvfp4",
                       "1e999",
                       "kv_layout.kind=contiguous"};
  target.run = [](std::string_view text) {
    return text.starts_with('{') ? runPlan(text) : runSetting(text) || runPlan(text);
  };
  return msa::fuzz::runFuzz(target, argc, argv);
}

//===- PlanJsonTest.cpp - plans as text, and what is refused as such ------===//
#include "msa/Plan.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

using namespace msa;

namespace {

/// The message of a text that must be refused.
std::string refusal(std::string_view text) {
  Expected<Plan> plan = parsePlanJson(text);
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.status().code() == StatusCode::InvalidInput);
  return plan.status().message();
}

void checkRefused(std::string_view text, const std::vector<std::string> &says) {
  std::string message = refusal(text);
  INFO(text);
  INFO(message);
  for (const std::string &part : says)
    CHECK(message.find(part) != std::string::npos);
}

/// A plan with every member drawn from its type's values, legal or not.
Plan randomPlan(uint64_t seed) {
  std::mt19937_64 rng(seed);
  auto below = [&](int n) { return static_cast<int>(rng() % static_cast<uint64_t>(n)); };
  auto type = [&] { return static_cast<DType>(below(6)); };
  Plan p;
  p.op = static_cast<Op>(below(9));
  p.heads = {.query = below(1000) - 10, .kv = below(9), .index = below(9), .indexKv = below(9)};
  p.headDim = below(300);
  p.indexDim = -below(300);
  p.blockSize = below(1 << 30);
  p.topk = below(70);
  p.forceFirst = below(70);
  p.precision = {type(), type(), type(), type(), type(), type(), type()};
  if (below(2))
    p.kvLayout = {.kind = KvKind::Contiguous, .pageSize = below(3)};
  else
    p.kvLayout = {.kind = KvKind::Paged, .pageSize = below(400)};
  p.selectionOrder = static_cast<SelectionOrder>(below(2));
  if (below(2))
    p.softmaxScale = std::ldexp(static_cast<double>(rng()), below(200) - 150);
  p.blockMaxima = below(2);
  p.checked = below(2);
  p.target = below(2) ? "sm_90a" : "any\"thing\\";
  if (below(2))
    p.schedule.route = below(2) ? Route::Tile : Route::Cuda;
  if (below(2))
    p.schedule.chunk = below(1 << 20);
  return p;
}

} // namespace

TEST_CASE("the canonical form is sorted, complete and without white space") {
  CHECK(canonicalJson(Plan()) ==
        R"({"block_maxima":false,"block_size":128,"checked":false,"force_first":0,"head_dim":128,)"
        R"("heads":{"index":4,"index_kv":1,"kv":4,"query":64},"index_dim":128,)"
        R"("kv_layout":{"kind":"paged","page_size":128},"op":"prefill",)"
        R"("precision":{"index_k":"bf16","index_q":"bf16","k":"bf16","o":"bf16","partial":"bf16",)"
        R"("q":"bf16","v":"bf16"},"schedule":"auto","schema":1,"selection_order":"head_major",)"
        R"("softmax_scale":null,"target":"sm_100a","topk":16})");
}

TEST_CASE("the pretty form has the interface's order and parses back") {
  CHECK(prettyJson(Plan()) ==
        R"({
  "schema": 1,
  "op": "prefill",
  "heads": {"query": 64, "kv": 4, "index": 4, "index_kv": 1},
  "head_dim": 128,
  "index_dim": 128,
  "block_size": 128,
  "topk": 16,
  "force_first": 0,
  "precision": {"q": "bf16", "k": "bf16", "v": "bf16", "index_q": "bf16", "index_k": "bf16", "o": "bf16", "partial": "bf16"},
  "kv_layout": {"kind": "paged", "page_size": 128},
  "selection_order": "head_major",
  "softmax_scale": null,
  "block_maxima": false,
  "checked": false,
  "target": "sm_100a",
  "schedule": "auto"
}
)");
}

TEST_CASE("both forms keep every plan") {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Plan plan = randomPlan(seed);
    Expected<Plan> canonical = parsePlanJson(canonicalJson(plan));
    Expected<Plan> pretty = parsePlanJson(prettyJson(plan));
    REQUIRE(canonical.status().message() == "");
    REQUIRE(pretty.status().message() == "");
    CHECK(*canonical == plan);
    CHECK(*pretty == plan);
    CHECK(canonicalJson(*pretty) == canonicalJson(plan));
  }
}

TEST_CASE("missing keys take their defaults") {
  CHECK(*parsePlanJson("{}") == Plan());
  Expected<Plan> plan = parsePlanJson(R"({"heads": {"query": 32}, "topk": 8})");
  REQUIRE(plan.ok());
  CHECK(plan->heads == Heads{32, 4, 4, 1});
  CHECK(plan->topk == 8);
  plan = parsePlanJson(R"({"kv_layout": {"kind": "contiguous"}})");
  REQUIRE(plan.ok());
  CHECK(plan->kvLayout == KvLayout{KvKind::Contiguous, 0});
  plan = parsePlanJson(R"({"softmax_scale": 1, "schedule": {"chunk": 32}})");
  REQUIRE(plan.ok());
  CHECK(plan->softmaxScale == 1.0);
  CHECK(plan->schedule == Schedule{std::nullopt, 32});
}

TEST_CASE("a schedule that pins nothing has one form") {
  std::string canonical = canonicalJson(Plan());
  for (const char *schedule : {"\"auto\"", "{}", R"({"route": "auto"})", R"({"chunk": null})",
                               R"({"route": null, "chunk": "auto"})"}) {
    Expected<Plan> plan = parsePlanJson(std::string("{\"schedule\": ") + schedule + "}");
    REQUIRE(plan.status().message() == "");
    CHECK(canonicalJson(*plan) == canonical);
  }
  Plan plan;
  plan.schedule.route = Route::Auto;
  CHECK(canonicalJson(plan) == canonical);
}

TEST_CASE("the hash is that of the canonical form, and stays") {
  CHECK(planHash(Plan()) == "5222461a73ecab71983d43bcb821e3ff");
  CHECK(planHash(*findPreset("odd-192")) == "47ae30a89f616b763d7340ae0b471eb4");
  Plan plan;
  plan.schedule.chunk = 1;
  CHECK(planHash(plan) != planHash(Plan()));
}

TEST_CASE("malformed JSON is refused with line and column") {
  checkRefused("", {"line 1, column 1", "not JSON"});
  checkRefused("{\"topk\": 16", {"line 1, column 12", "not JSON"});
  checkRefused("{\n  \"topk\": sixteen\n}", {"line 2, column 11"});
  checkRefused("{\"topk\": 16} {}", {"line 1, column 14", "expected end of input"});
  checkRefused("{\"topk\": 16,}", {"line 1, column 13"});
  checkRefused("{\"topk\": 016}", {"line 1, column 12"});
  checkRefused("{'topk': 16}", {"line 1, column 2"});
  checkRefused("{\"target\": \"\xff\"}", {"line 1", "UTF-8"});
  checkRefused("{\"target\": \"a\nb\"}", {"line 1, column 14"});
  checkRefused("{\"softmax_scale\": 1e999}", {"line 1", "number overflow"});
  checkRefused(std::string("{\"topk\": 16}\0x", 14), {"line 1, column 13"});
}

TEST_CASE("depth bombs are refused") {
  checkRefused(std::string(1000000, '['), {"nested deeper than 8 levels"});
  std::string objects;
  for (int i = 0; i < 100000; ++i)
    objects += "{\"a\":";
  checkRefused(objects, {"nested deeper than 8 levels"});
}

TEST_CASE("duplicate and unknown keys are refused") {
  checkRefused(R"({"topk": 16, "topk": 8})", {"'topk' appears twice"});
  checkRefused(R"({"heads": {"kv": 4, "kv": 4}})", {"'kv' appears twice"});
  checkRefused(R"({"top_k": 16})", {"unknown key 'top_k'", "did you mean 'topk'?", "block_size"});
  checkRefused(R"({"heads": {"querry": 16}})",
               {"unknown key 'heads.querry'", "did you mean 'query'?", "index_kv"});
  checkRefused(R"({"precision": {"partials": "f32"}})", {"did you mean 'partial'?"});
  checkRefused(R"({"schedule": {"routes": "cuda"}})",
               {"unknown key 'schedule.routes'", "did you mean 'route'?"});
  checkRefused(R"({"something entirely different": 1})", {"unknown key", "accepted: "});
  CHECK(refusal(R"({"something entirely different": 1})").find("did you mean") ==
        std::string::npos);
}

TEST_CASE("wrong types name the key's path") {
  checkRefused("[]", {"expected an object, got an array"});
  checkRefused("16", {"expected an object, got an integer"});
  checkRefused(R"({"topk": "16"})", {"topk: expected an integer, got a string"});
  checkRefused(R"({"topk": 16.0})", {"topk: expected an integer", "fraction or exponent"});
  checkRefused(R"({"topk": null})", {"topk: expected an integer, got null"});
  checkRefused(R"({"heads": 4})", {"heads: expected an object, got an integer"});
  checkRefused(R"({"heads": {"kv": true}})", {"heads.kv: expected an integer, got a boolean"});
  checkRefused(R"({"precision": {"q": 16}})", {"precision.q: expected a string, got an integer"});
  checkRefused(R"({"checked": 1})", {"checked: expected true or false, got an integer"});
  checkRefused(R"({"softmax_scale": "1"})", {"softmax_scale: expected a number, or null"});
  checkRefused(R"({"target": null})", {"target: expected a string, got null"});
  checkRefused(R"({"schedule": "manual"})", {"schedule: expected \"auto\" or an object"});
  checkRefused(R"({"schedule": 3})", {"schedule: expected \"auto\" or an object, got an integer"});
  checkRefused(R"({"schema": "1"})", {"schema: expected an integer"});
}

TEST_CASE("values out of range are refused") {
  checkRefused(R"({"topk": 2147483648})", {"topk: 2147483648 is out of range", "2147483647"});
  checkRefused(R"({"topk": -2147483649})", {"topk: -2147483649 is out of range"});
  checkRefused(R"({"topk": 18446744073709551615})", {"topk: 18446744073709551615 is out of range"});
  checkRefused(R"({"schema": 2})", {"schema: 2 is not known; accepted: 1"});
  checkRefused(R"({"op": "prefil"})", {"op: 'prefil' is not known", "did you mean 'prefill'?"});
  checkRefused(R"({"precision": {"k": "fp4"}})", {"precision.k: 'fp4' is not known", "nvfp4"});
  checkRefused(R"({"kv_layout": {"kind": "page"}})", {"kv_layout.kind: 'page'", "'paged'"});
  checkRefused(R"({"selection_order": "head-major"})", {"did you mean 'head_major'?"});
  checkRefused(R"({"schedule": {"route": "ptx"}})", {"schedule.route: 'ptx'", "auto, tile, cuda"});
}

//===- PlanFields.cpp - every key of a plan, in one table -----------------===//
//
// See PlanFields.h. Setters are instantiated from a few templates on the place
// of the member; the words that a key accepts come from PlanWords.cpp.
//
//===----------------------------------------------------------------------===//
#include "plan/PlanFields.h"

#include "support/Json.h"
#include "support/NearestWord.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

using nlohmann::json;

namespace msa {
namespace {

Status wrongType(std::string_view wanted, const json &got) {
  return Status::invalid(fmt::format("expected {}, got {}", wanted, jsonTypeName(got)));
}

Status readInt(const json &v, int &out) {
  if (!v.is_number_integer())
    return wrongType("an integer", v);
  bool fits = v.is_number_unsigned() ? std::in_range<int>(v.get<uint64_t>())
                                     : std::in_range<int>(v.get<int64_t>());
  if (!fits)
    return Status::invalid(fmt::format("{} is out of range; accepted: {} to {}", v.dump(),
                                       std::numeric_limits<int>::min(),
                                       std::numeric_limits<int>::max()));
  out = v.get<int>();
  return {};
}

/// Reads one of an enumeration's words; `E` counts from 0 without gaps up to `last`.
template <typename E>
Status readWord(const json &v, std::optional<E> (*parse)(std::string_view), E last, E &out) {
  if (!v.is_string())
    return wrongType("a string", v);
  const auto &word = v.get_ref<const std::string &>();
  if (std::optional<E> value = parse(word)) {
    out = *value;
    return {};
  }
  std::vector<std::string_view> accepted;
  for (int i = 0; i <= static_cast<int>(last); ++i)
    accepted.push_back(toString(static_cast<E>(i)));
  return Status::invalid(quoteText(word) + " is not known" + suggestion(word, accepted));
}

Status readType(const json &v, DType &out) { return readWord(v, parseDType, DType::MXFP4, out); }

json wordJson(std::string_view word) { return std::string(word); }

Status setScale(Plan &plan, const json &v) {
  if (!v.is_null() && !v.is_number())
    return wrongType("a number, or null for 1/sqrt(head_dim)", v);
  plan.softmaxScale = v.is_null() ? std::nullopt : std::optional<double>(v.get<double>());
  return {};
}

/// A change of kind brings the page size along: none, or one block a page.
Status setKvKind(Plan &plan, const json &v) {
  KvKind before = plan.kvLayout.kind;
  MSA_RETURN_IF_ERROR(readWord(v, parseKvKind, KvKind::Paged, plan.kvLayout.kind));
  if (plan.kvLayout.kind != before)
    plan.kvLayout.pageSize = plan.kvLayout.kind == KvKind::Paged ? plan.blockSize : 0;
  return {};
}

Status setTarget(Plan &plan, const json &v) {
  if (!v.is_string())
    return wrongType("a string", v);
  plan.target = v.get<std::string>();
  return {};
}

/// "auto" and null unpin: a plan that pins nothing has one form only.
Status setRoute(Plan &plan, const json &v) {
  Route route = Route::Auto;
  if (!v.is_null())
    MSA_RETURN_IF_ERROR(readWord(v, parseRoute, Route::Cuda, route));
  plan.schedule.route = route == Route::Auto ? std::nullopt : std::optional(route);
  return {};
}

Status setChunk(Plan &plan, const json &v) {
  if (v.is_null() || v == "auto") {
    plan.schedule.chunk.reset();
    return {};
  }
  int chunk = 0;
  MSA_RETURN_IF_ERROR(readInt(v, chunk));
  plan.schedule.chunk = chunk;
  return {};
}

// clang-format off
#define MSA_INT(group, name, member)                                                               \
  {group, name, [](Plan &p, const json &v) { return readInt(v, p.member); },                       \
   [](const Plan &p) { return json(p.member); }, false}
#define MSA_BOOL(group, name, member)                                                              \
  {group, name,                                                                                    \
   [](Plan &p, const json &v) {                                                                    \
     if (!v.is_boolean())                                                                          \
       return wrongType("true or false", v);                                                       \
     p.member = v.get<bool>();                                                                     \
     return Status();                                                                              \
   },                                                                                              \
   [](const Plan &p) { return json(p.member); }, false}
#define MSA_TYPE(name, member)                                                                     \
  {"precision", name, [](Plan &p, const json &v) { return readType(v, p.precision.member); },      \
   [](const Plan &p) { return wordJson(toString(p.precision.member)); }, true}

constexpr PlanField fields[] = {
    {"", "op", [](Plan &p, const json &v) { return readWord(v, parseOp, Op::Decode, p.op); },
     [](const Plan &p) { return wordJson(toString(p.op)); }, true},
    MSA_INT("heads", "query", heads.query),
    MSA_INT("heads", "kv", heads.kv),
    MSA_INT("heads", "index", heads.index),
    MSA_INT("heads", "index_kv", heads.indexKv),
    MSA_INT("", "head_dim", headDim),
    MSA_INT("", "index_dim", indexDim),
    MSA_INT("", "block_size", blockSize),
    MSA_INT("", "topk", topk),
    MSA_INT("", "force_first", forceFirst),
    MSA_TYPE("q", q),
    MSA_TYPE("k", k),
    MSA_TYPE("v", v),
    MSA_TYPE("index_q", indexQ),
    MSA_TYPE("index_k", indexK),
    MSA_TYPE("o", o),
    MSA_TYPE("partial", partial),
    {"kv_layout", "kind", setKvKind,
     [](const Plan &p) { return wordJson(toString(p.kvLayout.kind)); }, true},
    MSA_INT("kv_layout", "page_size", kvLayout.pageSize),
    {"", "selection_order",
     [](Plan &p, const json &v) {
       return readWord(v, parseSelectionOrder, SelectionOrder::TokenMajor, p.selectionOrder);
     },
     [](const Plan &p) { return wordJson(toString(p.selectionOrder)); }, true},
    {"", "softmax_scale", setScale,
     [](const Plan &p) { return p.softmaxScale ? json(*p.softmaxScale) : json(); }, false},
    MSA_BOOL("", "block_maxima", blockMaxima),
    MSA_BOOL("", "checked", checked),
    {"", "target", setTarget, [](const Plan &p) { return json(p.target); }, true},
    {"schedule", "route", setRoute,
     [](const Plan &p) {
       Route route = p.schedule.route.value_or(Route::Auto);
       return route == Route::Auto ? json() : wordJson(toString(route));
     },
     true},
    {"schedule", "chunk", setChunk,
     [](const Plan &p) { return p.schedule.chunk ? json(*p.schedule.chunk) : json(); }, false},
};
// clang-format on
#undef MSA_INT
#undef MSA_BOOL
#undef MSA_TYPE

} // namespace

std::string PlanField::path() const {
  return group.empty() ? std::string(name) : fmt::format("{}.{}", group, name);
}

std::span<const PlanField> planFields() { return fields; }

const std::vector<std::string_view> &planGroups() {
  static const std::vector<std::string_view> groups = {"heads", "precision", "kv_layout",
                                                       "schedule"};
  return groups;
}

} // namespace msa

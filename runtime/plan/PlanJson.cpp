//===- PlanJson.cpp - plans as text, from text, and hashed ----------------===//
//
// Two text forms: canonical (sorted, complete, no white space: what is hashed)
// and pretty (the interface's order, one line a top-level key). `--set` changes
// one key. All walk the table in PlanFields.h.
//
//===----------------------------------------------------------------------===//
#include "msa/Plan.h"

#include "plan/PlanFields.h"
#include "support/Json.h"
#include "support/NearestWord.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cmath>

using nlohmann::json;

namespace msa {
namespace {

constexpr int schema = 1;
constexpr int deepest = 8; ///< a plan has two levels

/// A plan's target may hold any bytes until checkPlan has seen it; text output must not throw.
template <typename Json> std::string dump(const Json &v) {
  return v.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The plan as a JSON object, sorted or in the order of insertion as `Json` does it.
template <typename Json> Json toJson(const Plan &plan) {
  Json root = Json::object();
  root["schema"] = schema;
  for (const PlanField &field : planFields()) {
    json value = field.get(plan);
    if (field.group.empty()) {
      root[std::string(field.name)] = std::move(value);
    } else if (field.group == "schedule") {
      // Only what is pinned; see below for a schedule that pins nothing.
      if (!value.is_null())
        root["schedule"][std::string(field.name)] = std::move(value);
    } else {
      root[std::string(field.group)][std::string(field.name)] = std::move(value);
    }
  }
  if (!root.contains("schedule"))
    root["schedule"] = "auto";
  return root;
}

/// Reads the leaves of one group, "" being the root.
void readGroup(JsonFields &reader, std::string_view group, Plan &plan) {
  for (const PlanField &field : planFields())
    if (field.group == group)
      if (const json *value = reader.child(field.name))
        reader.fail(field.set(plan, *value).in(field.path()));
}

Status readPlan(const json &root, Plan &plan) {
  JsonFields reader(root, "");
  int version = schema;
  reader.integer("schema", version);
  if (version != schema)
    reader.fail(
        Status::invalid(fmt::format("schema: {} is not known; accepted: {}", version, schema)));
  readGroup(reader, "", plan);
  for (std::string_view group : planGroups()) {
    const json *value = reader.child(group);
    if (!value || (group == "schedule" && *value == "auto"))
      continue;
    if (group == "schedule" && !value->is_object()) {
      reader.failType(group, "\"auto\" or an object", *value);
      continue;
    }
    JsonFields members(*value, std::string(group));
    readGroup(members, group, plan);
    reader.fail(members.finish());
  }
  return reader.finish();
}

/// The value of `--set` for a key that is no word: an integer, a number, true, false, null, auto.
Expected<json> valueFromText(std::string_view text) {
  if (text == "true" || text == "false")
    return json(text == "true");
  if (text == "null")
    return json();
  const char *begin = text.data(), *end = begin + text.size();
  int64_t integer = 0;
  auto [stop, error] = std::from_chars(begin, end, integer);
  if (stop == end && error == std::errc())
    return json(integer);
  if (stop == end && error == std::errc::result_out_of_range)
    return Status::invalid("out of range");
  double number = 0;
  auto [last, failed] = std::from_chars(begin, end, number);
  if (last == end && failed == std::errc() && std::isfinite(number))
    return json(number);
  return json(std::string(text));
}

std::vector<std::string> allKeys() {
  std::vector<std::string> keys;
  for (const PlanField &field : planFields())
    keys.push_back(field.path());
  keys.emplace_back("schedule");
  return keys;
}

Status unknownKey(std::string_view key) {
  std::vector<std::string> keys = allKeys();
  std::vector<std::string_view> views(keys.begin(), keys.end());
  auto isGroup = [&](std::string_view group) { return group == key; };
  if (std::any_of(planGroups().begin(), planGroups().end(), isGroup)) {
    std::erase_if(views, [&](std::string_view k) { return !k.starts_with(key) || k == key; });
    return Status::invalid(
        fmt::format("'{}' is a group; accepted: {}", key, fmt::join(views, ", ")));
  }
  // The last part alone is a common slip: "query" for "heads.query".
  for (std::string_view known : views)
    if (known.ends_with("." + std::string(key)))
      return Status::invalid(
          fmt::format("unknown key {}; did you mean '{}'?", quoteText(key), known));
  return Status::invalid("unknown key " + quoteText(key) + suggestion(key, views));
}

std::string prettyValue(const nlohmann::ordered_json &value) {
  if (!value.is_object())
    return dump(value);
  std::vector<std::string> members;
  for (const auto &[key, member] : value.items())
    members.push_back(fmt::format("\"{}\": {}", key, dump(member)));
  return fmt::format("{{{}}}", fmt::join(members, ", "));
}

} // namespace

Expected<Plan> parsePlanJson(std::string_view text) {
  MSA_ASSIGN_OR_RETURN(json root, parseJson(text, deepest));
  return planFromJson(root);
}

Expected<Plan> planFromJson(const json &root) {
  Plan plan;
  MSA_RETURN_IF_ERROR(readPlan(root, plan));
  return plan;
}

json planToJson(const Plan &plan) { return toJson<json>(plan); }

std::string canonicalJson(const Plan &plan) { return dump(planToJson(plan)); }

std::string prettyJson(const Plan &plan) {
  std::vector<std::string> lines;
  nlohmann::ordered_json root = toJson<nlohmann::ordered_json>(plan);
  for (const auto &[key, value] : root.items())
    lines.push_back(fmt::format("  \"{}\": {}", key, prettyValue(value)));
  return fmt::format("{{\n{}\n}}\n", fmt::join(lines, ",\n"));
}

Status setPlanKey(Plan &plan, std::string_view key, std::string_view value) {
  if (key == "schedule") {
    if (value != "auto")
      return Status::invalid(fmt::format("schedule: expected auto, got {}; single fields are "
                                         "schedule.route and schedule.chunk",
                                         quoteText(value)));
    plan.schedule = {};
    return {};
  }
  for (const PlanField &field : planFields())
    if (field.path() == key) {
      std::string asked = fmt::format("{} = {}", key, quoteText(value));
      Expected<json> v = field.isWord ? Expected<json>(std::string(value)) : valueFromText(value);
      return v.ok() ? field.set(plan, *v).in(asked) : v.status().in(asked);
    }
  return unknownKey(key);
}

std::string planHash(const Plan &plan) {
  std::string text = canonicalJson(plan);
  XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

} // namespace msa

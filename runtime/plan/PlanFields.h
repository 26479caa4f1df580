//===- PlanFields.h - every key of a plan, in one table -------------------===//
//
// JSON in, JSON out and `--set` walk this table, so that a key is written once.
// The order is that of interfaces.md section 2, which is the order that people
// see; the canonical form sorts.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Plan.h"

#include <nlohmann/json.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msa {

/// One leaf of the plan.
struct PlanField {
  std::string_view group; ///< "heads", or "" for a key of the root
  std::string_view name;  ///< "query"
  /// Sets it from a JSON value; the message does not name the key.
  Status (*set)(Plan &, const nlohmann::json &);
  /// Its value; null stands for a default that depends on other keys, or for "not pinned".
  nlohmann::json (*get)(const Plan &);
  /// Whether the text of `--set` is the string itself (a word) or a JSON value.
  bool isWord;

  std::string path() const;
};

/// All leaves but `schema`.
std::span<const PlanField> planFields();
/// The canonical form before it is text, and back: for a plan inside another document (a manifest).
nlohmann::json planToJson(const Plan &);
Expected<Plan> planFromJson(const nlohmann::json &);

/// The groups, in order: heads, precision, kv_layout, schedule.
const std::vector<std::string_view> &planGroups();

} // namespace msa

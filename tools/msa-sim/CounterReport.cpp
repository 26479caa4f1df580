//===- CounterReport.cpp - counters for people and programs ----------------===//
//
// Names are given once, in the tables below: the JSON has them as they are, the
// text without underscores. Bytes are those that the kernel asks for: what a cache
// would keep from memory is not modelled, so FLOPs a byte is a lower bound of
// the arithmetic intensity that a roofline plots.
//
//===----------------------------------------------------------------------===//
#include "CounterReport.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

using nlohmann::ordered_json;

namespace msa::sim {
namespace {

using ptxsim::Counters;

struct Field {
  const char *name;
  uint64_t Counters::*value;
};

constexpr Field plainBytes[] = {{"global_load_bytes", &Counters::globalLoadBytes},
                                {"global_store_bytes", &Counters::globalStoreBytes},
                                {"global_requests", &Counters::globalRequests},
                                {"global_sectors", &Counters::globalSectors},
                                {"shared_load_bytes", &Counters::sharedLoadBytes},
                                {"shared_store_bytes", &Counters::sharedStoreBytes},
                                {"shared_requests", &Counters::sharedRequests},
                                {"shared_bank_conflicts", &Counters::sharedBankConflicts},
                                {"cluster_bytes", &Counters::clusterBytes},
                                {"local_bytes", &Counters::localBytes},
                                {"const_bytes", &Counters::constBytes}};
constexpr Field unitBytes[] = {{"bulk_load_bytes", &Counters::bulkLoadBytes},
                               {"bulk_store_bytes", &Counters::bulkStoreBytes},
                               {"bulk_reduce_bytes", &Counters::bulkReduceBytes},
                               {"tma_load_bytes", &Counters::tmaLoadBytes},
                               {"tma_store_bytes", &Counters::tmaStoreBytes},
                               {"tma_reduce_bytes", &Counters::tmaReduceBytes},
                               {"tma_outside_bytes", &Counters::tmaOutsideBytes},
                               {"tensor_memory_load_bytes", &Counters::tensorMemoryLoadBytes},
                               {"tensor_memory_store_bytes", &Counters::tensorMemoryStoreBytes},
                               {"tensor_memory_copy_bytes", &Counters::tensorMemoryCopyBytes},
                               {"operand_bytes", &Counters::operandBytes}};
constexpr Field waits[] = {{"barrier_waits", &Counters::barrierWaits},
                           {"mbarrier_tests", &Counters::mbarrierTests},
                           {"mbarrier_refusals", &Counters::mbarrierRefusals}};

/// a / b, or nothing where there is no b.
std::optional<double> ratio(uint64_t a, uint64_t b) {
  if (b == 0)
    return std::nullopt;
  return static_cast<double>(a) / static_cast<double>(b);
}

struct Derived {
  const char *name;
  std::optional<double> value;
};

std::vector<Derived> derivedOf(const Counters &c) {
  auto floats = c.byClass.find("float");
  return {{"sectors_per_request", ratio(c.globalSectors, c.globalRequests)},
          {"bank_conflicts_per_request", ratio(c.sharedBankConflicts, c.sharedRequests)},
          {"active_lanes_per_instruction", ratio(c.threadInstructions, c.warpInstructions)},
          {"tensor_flops_per_global_byte", ratio(c.tensorFlops, c.globalBytes())},
          {"float_instructions_per_global_byte",
           ratio(floats == c.byClass.end() ? 0 : floats->second, c.globalBytes())}};
}

std::string readable(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// 1234567 as 1,234,567.
std::string grouped(uint64_t value) {
  std::string text = std::to_string(value);
  for (size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

/// Indices as "0-3,8".
std::string ranges(const std::vector<uint32_t> &sorted) {
  std::string text;
  for (size_t i = 0; i < sorted.size();) {
    size_t last = i;
    while (last + 1 < sorted.size() && sorted[last + 1] == sorted[last] + 1)
      ++last;
    text += text.empty() ? "" : ",";
    text +=
        last == i ? fmt::format("{}", sorted[i]) : fmt::format("{}-{}", sorted[i], sorted[last]);
    i = last + 1;
  }
  return text;
}

class Table {
public:
  void title(const char *text) { pending = text; }
  void row(const std::string &name, const std::string &value) {
    if (!pending.empty())
      text += fmt::format("{}\n", pending);
    pending.clear();
    text += fmt::format("  {:<36} {:>20}\n", name, value);
  }
  /// Rows of what is not zero.
  void rows(const Counters &c, std::span<const Field> fields) {
    for (const Field &field : fields)
      if (c.*field.value)
        row(readable(field.name), grouped(c.*field.value));
  }
  void rows(const std::map<std::string, uint64_t> &counts) {
    for (const auto &[name, count] : counts)
      row(name, grouped(count));
  }
  std::string text;

private:
  std::string pending; ///< printed with the section's first row
};

void addRoles(Table &table, const std::vector<Counters::Role> &roles) {
  for (const Counters::Role &role : roles) {
    // The three classes that it mostly executes.
    std::vector<std::pair<uint64_t, std::string>> most;
    for (const auto &[name, count] : role.byClass)
      most.emplace_back(count, name);
    std::sort(most.rbegin(), most.rend());
    std::string mix;
    for (size_t i = 0; i < std::min<size_t>(3, most.size()); ++i)
      mix += fmt::format("{}{} {:.0f}%", i ? ", " : "", most[i].second,
                         100.0 * static_cast<double>(most[i].first) /
                             static_cast<double>(std::max<uint64_t>(1, role.threadInstructions)));
    table.row(fmt::format("warp{} {}", role.warps.size() > 1 ? "s" : "", ranges(role.warps)),
              grouped(role.threadInstructions));
    table.text += fmt::format("      {}{}{}\n", mix, role.does.empty() ? "" : "; ",
                              fmt::join(role.does, ", "));
  }
}

ordered_json roleToJson(const Counters::Role &role) {
  return {{"warps", role.warps},
          {"warp_instructions", role.warpInstructions},
          {"thread_instructions", role.threadInstructions},
          {"by_class", role.byClass},
          {"does", role.does}};
}

} // namespace

ordered_json countersToJson(const Counters &c, bool all) {
  ordered_json out = {{"warp_instructions", c.warpInstructions},
                      {"thread_instructions", c.threadInstructions}};
  if (!all)
    return out;
  out["by_class"] = c.byClass;
  for (std::span<const Field> fields :
       {std::span<const Field>(plainBytes), std::span<const Field>(unitBytes)})
    for (const Field &field : fields)
      out[field.name] = c.*field.value;
  out["tensor_flops"] = c.tensorFlops;
  out["tensor_flops_by_kind"] = c.flopsByKind;
  for (const Field &field : waits)
    out[field.name] = c.*field.value;
  out["roles"] = ordered_json::array();
  for (const Counters::Role &role : c.roles)
    out["roles"].push_back(roleToJson(role));
  out["derived"] = ordered_json::object();
  for (const Derived &derived : derivedOf(c))
    out["derived"][derived.name] = derived.value ? ordered_json(*derived.value) : ordered_json();
  return out;
}

std::string countersToTable(const Counters &c) {
  Table table;
  table.title("instructions, of threads");
  table.row("all", grouped(c.threadInstructions));
  table.row("of warps", grouped(c.warpInstructions));
  table.rows(c.byClass);
  table.title("memory");
  table.rows(c, plainBytes);
  table.title("asynchronous units");
  table.rows(c, unitBytes);
  table.title("tensor FLOPs");
  if (c.tensorFlops)
    table.row("all", grouped(c.tensorFlops));
  table.rows(c.flopsByKind);
  table.title("waits, of warps");
  table.rows(c, waits);
  table.title("ratios");
  for (const Derived &derived : derivedOf(c))
    if (derived.value && *derived.value != 0)
      table.row(readable(derived.name), fmt::format("{:.3g}", *derived.value));
  table.title("roles: warps of a CTA that execute the same code");
  addRoles(table, c.roles);
  return table.text;
}

} // namespace msa::sim

//===- Words.cpp - the parser's word lists: types, targets, registers ------===//
//
// PTX ISA 5.2 (types), 10 (special registers), 11.1.2 (targets and the version
// that introduced each).
//
//===----------------------------------------------------------------------===//
#include "ptxsim/ParserImpl.h"

#include <algorithm>

namespace msa::ptxsim {

std::optional<Type> typeFromWord(std::string_view word) {
  struct Row {
    std::string_view word;
    Type type;
  };
  // The words that ptxas takes in a declaration; .bf16 and the FP8 types exist in instructions
  // only.
  static constexpr Row rows[] = {
      {"b32", Type::B32}, {"b64", Type::B64},     {"b16", Type::B16}, {"pred", Type::Pred},
      {"b8", Type::B8},   {"f32", Type::F32},     {"u32", Type::U32}, {"u64", Type::U64},
      {"s32", Type::S32}, {"s64", Type::S64},     {"f64", Type::F64}, {"u16", Type::U16},
      {"u8", Type::U8},   {"s16", Type::S16},     {"s8", Type::S8},   {"b128", Type::B128},
      {"f16", Type::F16}, {"f16x2", Type::F16x2},
  };
  for (const Row &row : rows)
    if (row.word == word)
      return row.type;
  return std::nullopt;
}

namespace {

constexpr std::string_view specialRegisters[] = {"%tid",
                                                 "%ntid",
                                                 "%laneid",
                                                 "%warpid",
                                                 "%nwarpid",
                                                 "%ctaid",
                                                 "%nctaid",
                                                 "%smid",
                                                 "%nsmid",
                                                 "%gridid",
                                                 "%is_explicit_cluster",
                                                 "%clusterid",
                                                 "%nclusterid",
                                                 "%cluster_ctaid",
                                                 "%cluster_nctaid",
                                                 "%cluster_ctarank",
                                                 "%cluster_nctarank",
                                                 "%lanemask_eq",
                                                 "%lanemask_le",
                                                 "%lanemask_lt",
                                                 "%lanemask_ge",
                                                 "%lanemask_gt",
                                                 "%clock",
                                                 "%clock_hi",
                                                 "%clock64",
                                                 "%globaltimer",
                                                 "%globaltimer_lo",
                                                 "%globaltimer_hi",
                                                 "%reserved_smem_offset_begin",
                                                 "%reserved_smem_offset_end",
                                                 "%reserved_smem_offset_cap",
                                                 "%total_smem_size",
                                                 "%aggr_smem_size",
                                                 "%dynamic_smem_size",
                                                 "%current_graph_exec"};

/// `name` is `prefix` and a number below `count`, without leading zeros, then `suffix`.
bool isNumbered(std::string_view name, std::string_view prefix, unsigned count,
                std::string_view suffix = "") {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) ||
      name.size() <= prefix.size() + suffix.size())
    return false;
  std::string_view digits = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  unsigned value = 0;
  if (digits.size() > 2 || (digits.size() > 1 && digits[0] == '0'))
    return false;
  for (char c : digits) {
    if (c < '0' || c > '9')
      return false;
    value = value * 10 + (c - '0');
  }
  return value < count;
}

struct TargetRow {
  std::string_view name;
  unsigned major, minor; ///< the first PTX version that has it
};
constexpr TargetRow targetRows[] = {
    {"sm_50", 4, 0},   {"sm_52", 4, 1},   {"sm_53", 4, 2},   {"sm_60", 5, 0},   {"sm_61", 5, 0},
    {"sm_62", 5, 0},   {"sm_70", 6, 0},   {"sm_72", 6, 1},   {"sm_75", 6, 3},   {"sm_80", 7, 0},
    {"sm_86", 7, 1},   {"sm_87", 7, 4},   {"sm_88", 9, 0},   {"sm_89", 7, 8},   {"sm_90", 7, 8},
    {"sm_90a", 8, 0},  {"sm_100", 8, 6},  {"sm_100a", 8, 6}, {"sm_100f", 8, 8}, {"sm_101", 8, 6},
    {"sm_101a", 8, 6}, {"sm_101f", 8, 8}, {"sm_103", 8, 8},  {"sm_103a", 8, 8}, {"sm_103f", 8, 8},
    {"sm_110", 9, 0},  {"sm_110a", 9, 0}, {"sm_110f", 9, 0}, {"sm_120", 8, 7},  {"sm_120a", 8, 7},
    {"sm_120f", 8, 8}, {"sm_121", 8, 8},  {"sm_121a", 8, 8}, {"sm_121f", 8, 8},
};

} // namespace

bool isSpecialRegister(std::string_view name) {
  return std::find(std::begin(specialRegisters), std::end(specialRegisters), name) !=
             std::end(specialRegisters) ||
         isNumbered(name, "%pm", 8) || isNumbered(name, "%pm", 8, "_64") ||
         isNumbered(name, "%envreg", 32) || isNumbered(name, "%reserved_smem_offset_", 2);
}

std::string_view nearestSpecialRegister(std::string_view name) {
  return nearestName(name, specialRegisters);
}

Status checkTarget(std::string_view target, unsigned major, unsigned minor) {
  for (const TargetRow &row : targetRows) {
    if (row.name != target)
      continue;
    if (major > row.major || (major == row.major && minor >= row.minor))
      return {};
    return Status::invalid(
        fmt::format(".target {} needs .version {}.{} or later, this module says {}.{}", target,
                    row.major, row.minor, major, minor));
  }
  std::vector<std::string_view> accepted;
  for (const TargetRow &row : targetRows)
    accepted.push_back(row.name);
  return Status::invalid(fmt::format("unknown target '{}'; accepted: {}", target.substr(0, 80),
                                     fmt::join(accepted, " ")));
}

} // namespace msa::ptxsim

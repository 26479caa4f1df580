//===- OpcodeTable.cpp - the rows of Opcodes.def as data -------------------------===//
#include "ptxsim/OpcodeTable.h"

#include "ptxsim/isa/Families.h"

#include <algorithm>
#include <array>

namespace msa::ptxsim {

namespace {

#define OPCODE(name, decode, family, section, ptx, sm)                                             \
  OpcodeRow{name, family, section, ptx, sm, &decode},
#define LATER(name, part, section, ptx, sm) OpcodeRow{name, part, section, ptx, sm, nullptr},
constexpr OpcodeRow rows[] = {
#include "ptxsim/Opcodes.def"
};
#undef OPCODE
#undef LATER

/// "cp.async" belongs to the opcode "cp".
std::string_view opcodeOf(std::string_view name) { return name.substr(0, name.find('.')); }

} // namespace

std::pair<const OpcodeRow *, const OpcodeRow *> rowsOf(std::string_view opcode) {
  const OpcodeRow *first = std::find_if(std::begin(rows), std::end(rows), [&](const OpcodeRow &r) {
    return opcodeOf(r.name) == opcode;
  });
  const OpcodeRow *last = std::find_if(
      first, std::end(rows), [&](const OpcodeRow &r) { return opcodeOf(r.name) != opcode; });
  return {first, last};
}

bool rowMatches(const OpcodeRow &row, const Instruction &instruction) {
  std::string_view rest = row.name.substr(opcodeOf(row.name).size());
  for (size_t i = 0; !rest.empty(); ++i) {
    rest.remove_prefix(1);
    std::string_view word = rest.substr(0, rest.find('.'));
    if (i >= instruction.modifiers.size() || instruction.modifiers[i] != word)
      return false;
    rest.remove_prefix(word.size());
  }
  return true;
}

std::vector<OpcodeInfo> opcodeTable() {
  std::vector<OpcodeInfo> table;
  for (const OpcodeRow &row : rows)
    table.push_back({row.name, row.family, row.section, row.ptx, row.sm, row.decode != nullptr});
  return table;
}

} // namespace msa::ptxsim

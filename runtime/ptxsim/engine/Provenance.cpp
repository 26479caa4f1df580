//===- Provenance.cpp - from ld.param to the addresses of stores -----------------------------===//
#include "ptxsim/engine/Provenance.h"

#include <algorithm>

namespace msa::ptxsim {

namespace {

bool has(const Instruction &i, std::string_view word) {
  return std::any_of(i.modifiers.begin(), i.modifiers.end(),
                     [&](const std::string &m) { return m.starts_with(word); });
}

class Walk {
public:
  Walk(const Module &module, const std::vector<const Function *> &functions)
      : module(module), functions(functions) {
    for (const Function *f : functions)
      registers.emplace_back(f->registers.size(), 0);
  }

  ParameterSet run() {
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t f = 0; f < functions.size(); ++f)
        for (const Instruction &i : functions[f]->body)
          changed = visit(f, i) || changed;
    }
    return written;
  }

private:
  static bool merge(ParameterSet &to, ParameterSet from) {
    ParameterSet before = to;
    to |= from;
    return to != before;
  }

  /// What flows out of an operand that is read.
  ParameterSet valueOf(size_t f, const Operand &o) const {
    ParameterSet set = 0;
    if (o.index != Operand::noIndex &&
        (o.kind == Operand::Kind::Register || o.kind == Operand::Kind::Address))
      set |= registers[f][o.index];
    if (!o.symbol.empty())
      for (const Variable &v : module.variables)
        if (v.name == o.symbol && v.space == StateSpace::Global)
          set |= moduleVariable;
    for (const Operand &child : o.children)
      set |= valueOf(f, child);
    return set;
  }

  bool assign(size_t f, const Operand &o, ParameterSet set) {
    bool changed = false;
    if (o.kind == Operand::Kind::Register)
      changed = merge(registers[f][o.index], set);
    for (const Operand &child : o.children)
      changed = assign(f, child, set) || changed;
    return changed;
  }

  /// What a load gives.
  ParameterSet loaded(size_t f, const Instruction &i) const {
    const Operand &address = i.operands[1];
    if (has(i, "param")) {
      uint64_t offset = 0;
      const Function &entry = *functions[0];
      if (f != 0 || address.index != Operand::noIndex || !placeOf(entry, address.symbol, offset))
        return memory | (f == 0 && address.index != Operand::noIndex ? anyBuffer : 0);
      uint64_t word = (offset + static_cast<uint64_t>(address.offset)) / 8,
               count = has(i, "v") ? 4 : 1;
      ParameterSet set = 0;
      for (uint64_t w = word; w < word + count; ++w)
        set |= w < trackedWords ? 1ull << w : anyBuffer;
      return set;
    }
    if (has(i, "local"))
      return memory;
    bool wide = has(i, "b64") || has(i, "u64") || has(i, "s64") || has(i, "b128");
    return wide ? anyBuffer : memory;
  }

  /// Offset of an entry's parameter; false for another variable.
  static bool placeOf(const Function &entry, const std::string &name, uint64_t &offset) {
    uint64_t end = 0;
    for (const Variable &v : entry.parameters) {
      uint64_t align = std::max<uint64_t>(v.align, 1);
      end = (end + align - 1) / align * align;
      if (v.name == name) {
        offset = end;
        return true;
      }
      end += v.bytes;
    }
    return false;
  }

  bool visit(size_t f, const Instruction &i) {
    if (i.operands.empty())
      return false;
    const std::string &op = i.opcode;
    if (op == "st" || op == "red") {
      bool reachesGlobal = !has(i, "shared") && !has(i, "local") && !has(i, "param");
      ParameterSet value = 0;
      for (size_t k = 1; k < i.operands.size(); ++k)
        value |= valueOf(f, i.operands[k]);
      bool changed = merge(memory, reachesGlobal ? 0 : value);
      return reachesGlobal ? merge(written, valueOf(f, i.operands[0])) || changed : changed;
    }
    if (op == "ld" || op == "ldu")
      return i.operands.size() > 1 && assign(f, i.operands[0], loaded(f, i));
    if (op == "atom")
      return merge(written, i.operands.size() > 1 ? valueOf(f, i.operands[1]) : 0);
    if (op == "call") {
      // Arguments that are registers and results go the way of memory.
      bool changed = i.operands.size() > 2 && merge(memory, valueOf(f, i.operands[2]));
      for (size_t g = 1; g < functions.size(); ++g)
        for (ParameterSet &set : registers[g])
          changed = merge(set, memory) || changed;
      return (i.operands.size() > 1 && assign(f, i.operands[1], memory)) || changed;
    }
    ParameterSet set = 0;
    for (size_t k = 1; k < i.operands.size(); ++k)
      set |= valueOf(f, i.operands[k]);
    return set != 0 && assign(f, i.operands[0], set);
  }

  const Module &module;
  const std::vector<const Function *> &functions;
  std::vector<std::vector<ParameterSet>> registers;
  ParameterSet memory = 0, written = 0;
};

} // namespace

ParameterSet writtenParameters(const Module &module,
                               const std::vector<const Function *> &functions) {
  return Walk(module, functions).run();
}

} // namespace msa::ptxsim

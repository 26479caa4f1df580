//===- NameTable.h - block-scoped names while parsing ----------------------===//
//
// PTX blocks (`{ ... }`, which inline assembly makes by the thousand) open a
// scope: a name declared inside hides the same name outside and is gone at the
// closing brace. One hash table holds the innermost binding of every name;
// closing a scope unwinds the bindings made in it, newest first.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Module.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace msa::ptxsim {

/// What a name stands for.
struct Binding {
  enum class Kind : uint8_t {
    Register,       ///< index into Function::registers
    VectorRegister, ///< index of the first of `count` registers, x first
    Local,          ///< index into Function::variables
    Parameter,      ///< index into Function::parameters
    Result,         ///< index into Function::results
    Global,         ///< index into Module::variables
    Function,       ///< index into Module::functions
    Parametric,     ///< `%r<count>`: index into the parser's list of such declarations
    Label,          ///< instruction index
    TargetList,     ///< index into Function::branchTargets
    Prototype,      ///< .callprototype or .calltargets
  };
  Kind kind = Kind::Register;
  uint32_t index = 0;
  uint32_t count =
      0; ///< VectorRegister: components; memory: bytes of an element, 0 = several dimensions
  uint32_t depth = 0; ///< of the scope that declared it
  SourceLocation location;
};

class NameTable {
public:
  /// The innermost binding, or null. Valid until the next declare or close.
  const Binding *find(std::string_view name) const {
    auto it = heads.find(name);
    return it == heads.end() ? nullptr : &entries[it->second].binding;
  }
  /// The innermost binding that `accept` takes, or null: looks behind bindings that hide others.
  template <typename Accept> const Binding *find(std::string_view name, Accept accept) const {
    auto it = heads.find(name);
    if (it != heads.end())
      for (uint32_t i = it->second; i != none; i = entries[i].hidden)
        if (accept(entries[i].binding))
          return &entries[i].binding;
    return nullptr;
  }
  /// Binds `name` in the current scope; `binding.depth` is set here. The name must outlive the
  /// table.
  void declare(std::string_view name, Binding binding);
  /// Replaces the innermost binding of a name that exists.
  void replace(std::string_view name, Binding binding);
  void open() { scopes.push_back(static_cast<uint32_t>(entries.size())); }
  void close();
  /// 0 at module scope.
  uint32_t depth() const { return static_cast<uint32_t>(scopes.size()); }
  /// The visible name most like `name`, or nothing when none is close.
  std::string_view nearest(std::string_view name) const;

private:
  static constexpr uint32_t none = ~0u;
  struct Entry {
    std::string_view name;
    Binding binding;
    uint32_t hidden; ///< the entry that this one hides
  };
  std::vector<Entry> entries;
  std::vector<uint32_t> scopes;
  std::unordered_map<std::string_view, uint32_t> heads;
};

/// Changes (insert, erase, substitute) that make `b` of `a`, or `limit` when it takes that many.
unsigned editDistance(std::string_view a, std::string_view b, unsigned limit);

/// Of `candidates` the one most like `name`; empty when none is close enough to be meant.
template <typename Range>
std::string_view nearestName(std::string_view name, const Range &candidates) {
  // More than a third of the letters wrong is another word.
  unsigned best = static_cast<unsigned>(name.size() / 3 + 1);
  best = best < 2 ? 2 : best;
  std::string_view found;
  for (std::string_view candidate : candidates)
    if (unsigned distance = editDistance(name, candidate, best); distance < best) {
      best = distance;
      found = candidate;
    }
  return found;
}

} // namespace msa::ptxsim

//===- NameTable.cpp - block-scoped names while parsing --------------------===//
#include "ptxsim/NameTable.h"

#include <algorithm>

namespace msa::ptxsim {

void NameTable::declare(std::string_view name, Binding binding) {
  binding.depth = depth();
  auto [it, fresh] = heads.try_emplace(name, static_cast<uint32_t>(entries.size()));
  entries.push_back({name, binding, fresh ? none : it->second});
  it->second = static_cast<uint32_t>(entries.size() - 1);
}

void NameTable::replace(std::string_view name, Binding binding) {
  Binding &old = entries[heads.find(name)->second].binding;
  binding.depth = old.depth;
  old = binding;
}

void NameTable::close() {
  uint32_t first = scopes.back();
  scopes.pop_back();
  while (entries.size() > first) {
    const Entry &entry = entries.back();
    if (entry.hidden == none)
      heads.erase(entry.name);
    else
      heads.find(entry.name)->second = entry.hidden;
    entries.pop_back();
  }
}

std::string_view NameTable::nearest(std::string_view name) const {
  // Newest names first, and not all of them: a message is not worth a second of search.
  constexpr size_t most = 4096;
  std::vector<std::string_view> candidates;
  for (size_t i = entries.size(); i-- > 0 && candidates.size() < most;)
    candidates.push_back(entries[i].name);
  return nearestName(name, candidates);
}

unsigned editDistance(std::string_view a, std::string_view b, unsigned limit) {
  constexpr size_t longest = 64;
  if (a.size() > longest || b.size() > longest)
    return limit;
  size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference >= limit)
    return limit;
  unsigned row[longest + 1];
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = static_cast<unsigned>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    unsigned diagonal = row[0];
    row[0] = static_cast<unsigned>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      unsigned substitute = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return std::min(row[b.size()], limit);
}

} // namespace msa::ptxsim

//===- Mutants.h - one small mistake at a time -----------------------------===//
//
// Every mutant is the kernel with one synchronising or describing instruction
// dropped or weakened: the mistakes that people make in asynchronous kernels,
// and that hardware hides more often than not.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace msa::mutation {

/// Replaces a part of the text.
struct Edit {
  size_t begin = 0, end = 0;
  std::string text;
};

struct Mutant {
  std::string kind; ///< "fence", "wait-mbarrier", "parity", ...: one word
  uint32_t line = 0;
  std::string instruction; ///< as it stands in the text, shortened
  std::vector<Edit> edits; ///< by position; most have one
  Edit probe;              ///< a trap in its place: does the launch come here at all?
};

/// Every mutant of a PTX text, in the order of the text. `name` is for messages.
Expected<std::vector<Mutant>> mutantsOf(const std::string &text, const std::string &name);

/// The text with edits, ordered by position; line numbers are the same.
std::string edited(const std::string &text, const std::vector<Edit> &);

} // namespace msa::mutation

//===- Templates.h - the portable CUDA templates as texts -----------------===//
//
// The files of templates/cuda, embedded when the compiler is built: a compile
// reads no file, and a program that was built once always makes the same code.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <string>
#include <utility>
#include <vector>

namespace msa {

/// The text of templates/cuda/<name>.cu; Internal, listing the names, when there is none.
Expected<std::string> cudaTemplate(const std::string &name);

/// The names that cudaTemplate() takes, sorted.
std::vector<std::string> cudaTemplateNames();

/// Every header that a template includes: name as included, text.
std::vector<std::pair<std::string, std::string>> cudaHeaders();

} // namespace msa

//===- Templates.cpp - the portable CUDA templates as texts ---------------===//
//
// See Templates.h. EmbeddedTemplates.inc is made by EmbedTemplates.cmake.
//
//===----------------------------------------------------------------------===//
#include "templates/Templates.h"

namespace msa {
namespace {

struct EmbeddedText {
  const char *name, *text;
};

#include "EmbeddedTemplates.inc"

} // namespace

Expected<std::string> cudaTemplate(const std::string &name) {
  std::string known;
  for (const EmbeddedText &each : embeddedTemplates) {
    if (each.name == name)
      return std::string(each.text);
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  return Status::internal("no CUDA template '" + name + "'; there are: " + known);
}

std::vector<std::string> cudaTemplateNames() {
  std::vector<std::string> names;
  for (const EmbeddedText &each : embeddedTemplates)
    names.emplace_back(each.name);
  return names;
}

std::vector<std::pair<std::string, std::string>> cudaHeaders() {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const EmbeddedText &each : embeddedHeaders)
    headers.emplace_back(each.name, each.text);
  return headers;
}

} // namespace msa

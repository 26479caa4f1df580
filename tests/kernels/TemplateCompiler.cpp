//===- TemplateCompiler.cpp - templates, or edited copies, to PTX ---------===//
//
// See TemplateCompiler.h.
//
//===----------------------------------------------------------------------===//
#include "TemplateCompiler.h"

#include "templates/Templates.h"
#include "tools/msa-compile/Environment.h"

namespace msa::test {
namespace {

/// Applies the edits of one file.
Status applyEdits(const std::string &name, std::string &text, const std::vector<Edit> &edits) {
  for (const Edit &edit : edits) {
    if (edit.file != name)
      continue;
    size_t at = text.find(edit.from);
    if (at == std::string::npos || text.find(edit.from, at + 1) != std::string::npos)
      return Status::internal(name + " does not hold this text exactly once: " + edit.from);
    text.replace(at, edit.from.size(), edit.to);
  }
  return {};
}

} // namespace

Expected<std::shared_ptr<TemplateCompiler>> TemplateCompiler::open() {
  MSA_ASSIGN_OR_RETURN(std::shared_ptr<CudaFrontEnd> frontEnd,
                       CudaFrontEnd::open(tools::toolchainRoots()));
  return std::shared_ptr<TemplateCompiler>(new TemplateCompiler(std::move(frontEnd)));
}

Expected<std::string> TemplateCompiler::compile(const CudaKernelSpec &spec,
                                                const std::string &target,
                                                const std::vector<Edit> &edits) {
  CudaFrontEnd::Source source{.name = spec.source + ".cu", .target = target};
  MSA_ASSIGN_OR_RETURN(source.text, cudaTemplate(spec.source));
  MSA_RETURN_IF_ERROR(applyEdits(source.name, source.text, edits));
  source.headers = cudaHeaders();
  source.defines = spec.defines;
  std::string key = target + "\n" + source.text;
  for (auto &[name, text] : source.headers) {
    MSA_RETURN_IF_ERROR(applyEdits(name, text, edits));
    key += "\n" + text;
  }
  for (const auto &[name, value] : spec.defines)
    key += "\n" + name + "=" + value;
  if (auto known = made.find(key); known != made.end())
    return known->second;
  MSA_ASSIGN_OR_RETURN(std::string ptx, frontEnd->compileToPtx(source));
  return made[key] = ptx;
}

KernelCompiler TemplateCompiler::with(std::shared_ptr<TemplateCompiler> compiler,
                                      std::vector<Edit> edits) {
  return [compiler = std::move(compiler), edits = std::move(edits)](const CudaKernelSpec &spec,
                                                                    const std::string &target) {
    return compiler->compile(spec, target, edits);
  };
}

} // namespace msa::test

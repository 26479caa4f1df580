//===- TemplateCompiler.h - templates, or edited copies, to PTX -----------===//
//
// The embedded templates through NVRTC, each specialised kernel once. An edit
// replaces one piece of one file: the broken kernels of WrongOnPurpose.cpp.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "KernelRunner.h"

#include "compiler/CudaFrontEnd.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace msa::test {

/// `from` must be in `file` (name as in templates/cuda, "topk_select.cu") exactly once.
struct Edit {
  std::string file, from, to;
};

class TemplateCompiler {
public:
  /// Missing when there is no NVRTC here.
  static Expected<std::shared_ptr<TemplateCompiler>> open();

  Expected<std::string> compile(const CudaKernelSpec &, const std::string &target,
                                const std::vector<Edit> &edits = {});

  /// A compiler of the templates with these edits; shares this object.
  static KernelCompiler with(std::shared_ptr<TemplateCompiler>, std::vector<Edit> edits = {});

private:
  explicit TemplateCompiler(std::shared_ptr<CudaFrontEnd> f) : frontEnd(std::move(f)) {}
  std::shared_ptr<CudaFrontEnd> frontEnd;
  std::map<std::string, std::string> made; ///< PTX by everything that it was made from
};

} // namespace msa::test

//===- CudaFrontEnd.h - CUDA C++ to PTX by NVRTC --------------------------===//
//
// NVRTC is opened with dlopen and called through our own declarations of the
// few functions that are needed, so that neither its header nor its library is
// there at build time. The same source, defines and target give the same PTX.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "compiler/Toolchain.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace msa {

class CudaFrontEnd {
public:
  /// A translation unit. Nothing is read from the file system: `headers` are all there are.
  struct Source {
    std::string name; ///< file name for messages, e.g. "topk_select.cu"
    std::string text;
    std::vector<std::pair<std::string, std::string>> headers; ///< name as included, text
    std::vector<std::pair<std::string, std::string>> defines; ///< -DNAME=VALUE, in this order
    std::string target;                                       ///< e.g. "sm_80", "sm_90a"
    bool lineInfo = false; ///< `.loc` lines, so that a trap can name the CUDA line
  };

  /// Opens the first NVRTC of the roots; Missing, naming what to install, when there is none.
  static Expected<std::shared_ptr<CudaFrontEnd>> open(const ToolchainPaths &);
  ~CudaFrontEnd();

  /// "nvrtc 13.0".
  std::string version() const;

  /// IEEE arithmetic (no fast math, no flush to zero), contraction to fma as the language's
  /// default. May be called from several threads at once. NVRTC's log is the message of a failure:
  /// InvalidInput for a source or target that it refuses, Internal for a failure of its own.
  Expected<std::string> compileToPtx(const Source &) const;

private:
  struct Api;
  explicit CudaFrontEnd(std::unique_ptr<Api>);
  std::unique_ptr<Api> api;
};

} // namespace msa

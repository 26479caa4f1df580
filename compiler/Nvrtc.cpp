//===- Nvrtc.cpp - kernels of the CUDA route to PTX -----------------------===//
//
// Collects the kernels that have no PTX, compiles each distinct one once, on
// several threads, and stores the text in the op, so that a dumped stage holds
// everything that replaying it needs.
//
//===----------------------------------------------------------------------===//
#include "compiler/Diagnostics.h"
#include "compiler/Parallel.h"
#include "compiler/Passes.h"
#include "templates/Templates.h"

#include "llvm/ADT/STLExtras.h"

#include <chrono>
#include <map>

using namespace mlir;

namespace msa {

#define GEN_PASS_DEF_NVRTCPASS
#include "compiler/Passes.h.inc"

namespace {

/// One compilation and the ops that want its PTX.
struct Job {
  CudaFrontEnd::Source source;
  std::string label; ///< "index_scores sm_80"
  std::vector<ir::CudaKernelOp> kernels;
  Expected<std::string> ptx = Status::internal("not compiled");
};

Expected<CudaFrontEnd::Source> sourceOf(ir::CudaKernelOp kernel) {
  CudaFrontEnd::Source source;
  source.name = kernel.getSource().str() + ".cu";
  MSA_ASSIGN_OR_RETURN(source.text, cudaTemplate(kernel.getSource().str()));
  source.headers = cudaHeaders();
  for (NamedAttribute define : kernel.getDefines())
    source.defines.emplace_back(define.getName().str(), cast<StringAttr>(define.getValue()).str());
  source.target = kernel.getTarget().str();
  return source;
}

struct Nvrtc : impl::NvrtcPassBase<Nvrtc> {
  using NvrtcPassBase::NvrtcPassBase;
  explicit Nvrtc(NvrtcHost h) : host(std::move(h)) {}

  void runOnOperation() override {
    std::vector<Job> work;
    if (failed(collect(work)))
      return signalPassFailure();
    if (work.empty())
      return;
    if (!host.frontEnd) {
      Expected<std::shared_ptr<CudaFrontEnd>> opened = CudaFrontEnd::open(roots());
      if (!opened) {
        emitStatus(work.front().kernels.front(), opened.status());
        return signalPassFailure();
      }
      host.frontEnd = *opened;
    }
    // The longest texts first, so that no thread is left with one at the end.
    std::vector<Job *> order;
    order.reserve(work.size());
    for (Job &job : work)
      order.push_back(&job);
    llvm::sort(order, [](const Job *a, const Job *b) {
      return std::pair(b->source.text.size(), a) < std::pair(a->source.text.size(), b);
    });
    parallelFor(order.size(), jobs ? int(jobs) : host.jobs, [&](size_t i) { compile(*order[i]); });
    for (Job &job : work)
      for (ir::CudaKernelOp kernel : job.kernels) {
        if (!job.ptx) {
          emitStatus(kernel, job.ptx.status());
          return signalPassFailure();
        }
        kernel.setPtx(*job.ptx);
      }
  }

  /// Jobs in the order of the text, equal kernels together.
  LogicalResult collect(std::vector<Job> &work) {
    std::map<std::string, size_t> known;
    bool fine = true;
    getOperation()->walk([&](ir::CudaKernelOp kernel) {
      if (kernel.getPtx())
        return;
      Expected<CudaFrontEnd::Source> source = sourceOf(kernel);
      if (!source) {
        emitStatus(kernel, source.status());
        fine = false;
        return;
      }
      std::string key = source->name + "\n" + source->target;
      for (const auto &[name, value] : source->defines)
        key.append("\n").append(name).append("=").append(value);
      auto [place, isNew] = known.try_emplace(key, work.size());
      if (isNew)
        work.push_back(
            {std::move(*source), kernel.getSymName().str() + " " + kernel.getTarget().str()});
      work[place->second].kernels.push_back(kernel);
    });
    return success(fine);
  }

  ToolchainPaths roots() const {
    ToolchainPaths paths;
    for (const std::string &root : cudaRoots)
      paths.roots.emplace_back(root);
    paths.roots.insert(paths.roots.end(), host.toolchain.roots.begin(), host.toolchain.roots.end());
    return paths;
  }

  void compile(Job &job) const {
    if (host.started)
      host.started(job.label);
    auto begin = std::chrono::steady_clock::now();
    job.ptx = host.frontEnd->compileToPtx(job.source);
    // Templates and defines are ours: a refusal is no fault of the caller's input.
    if (!job.ptx && job.ptx.status().code() == StatusCode::InvalidInput)
      job.ptx = Status::internal("NVRTC refused the template: " + job.ptx.status().message());
    if (host.finished)
      host.finished(
          job.label,
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }

  NvrtcHost host;
};

} // namespace

std::unique_ptr<Pass> createNvrtcPass(NvrtcHost host) {
  return std::make_unique<Nvrtc>(std::move(host));
}

} // namespace msa

//===- Images.cpp - from kernels with PTX to programs ---------------------===//
//
// See Images.h.
//
//===----------------------------------------------------------------------===//
#include "compiler/Images.h"

#include "compiler/Parallel.h"

#include <algorithm>
#include <chrono>
#include <tuple>

namespace msa {

std::string kernelKey(const std::string &source, const std::string &entry,
                      const std::vector<std::pair<std::string, std::string>> &defines,
                      const std::string &target) {
  std::string key = source + "\n" + entry + "\n" + target;
  for (const auto &[name, value] : defines)
    key.append("\n").append(name).append("=").append(value);
  return key;
}

Expected<Program> linkProgram(const Plan &requested, const Plan &resolved, const PtxTable &ptx,
                              const std::string &frontEnd) {
  MSA_ASSIGN_OR_RETURN(Program program, cudaProgram(resolved));
  program.plan = requested;
  program.resolved = resolved;
  std::vector<CudaKernelSpec> specs;
  for (Op phase : phasesOf(resolved.op)) {
    MSA_ASSIGN_OR_RETURN(std::vector<CudaKernelSpec> kernels, cudaKernels(resolved, phase));
    specs.insert(specs.end(), kernels.begin(), kernels.end());
  }
  if (specs.size() != program.kernels.size())
    return Status::internal("the kernel table lists " + std::to_string(specs.size()) +
                            " kernels and its program " + std::to_string(program.kernels.size()));
  for (size_t i = 0; i < specs.size(); ++i) {
    KernelImage &image = program.kernels[i];
    auto found =
        ptx.find(kernelKey(specs[i].source, specs[i].entry, specs[i].defines, resolved.target));
    if (found == ptx.end() || image.entry != specs[i].entry)
      return Status::internal("kernel " + image.entry + " of the program was not compiled");
    image.target = resolved.target;
    image.ptx = found->second;
    image.frontEnd = frontEnd;
    image.resources.threads = image.launch.block[0] * image.launch.block[1] * image.launch.block[2];
    image.resources.ptxInstructions = countPtxInstructions(image.ptx);
  }
  return program;
}

namespace {

/// Images that share code, and the result for all of them.
struct Job {
  std::vector<KernelImage *> images;
  Expected<Assembler::Output> output = Status::internal("not assembled");
};

void deliver(const Assembler::Output &output, const std::string &assembler, KernelImage &image) {
  Resources resources = output.resources;
  resources.threads = image.resources.threads;
  if (resources.ptxInstructions < 0)
    resources.ptxInstructions = image.resources.ptxInstructions;
  image.cubin = output.cubin;
  image.resources = resources;
  image.assembler = assembler;
}

} // namespace

Status assembleAll(std::vector<Program> &programs, const Assembler &assembler,
                   const AssembleHost &host) {
  std::map<std::tuple<std::string, std::string, std::string>, Job> distinct;
  for (Program &program : programs)
    for (KernelImage &image : program.kernels)
      distinct[{image.target, image.entry, image.ptx}].images.push_back(&image);
  std::vector<Job *> work;
  work.reserve(distinct.size());
  for (auto &[key, job] : distinct)
    work.push_back(&job);
  // The longest texts first, so that no thread is left with one at the end.
  std::sort(work.begin(), work.end(), [](const Job *a, const Job *b) {
    return a->images.front()->ptx.size() > b->images.front()->ptx.size();
  });
  parallelFor(work.size(), host.jobs, [&](size_t i) {
    const KernelImage &image = *work[i]->images.front();
    std::string label = image.entry + " " + image.target;
    if (host.started)
      host.started(label);
    auto begin = std::chrono::steady_clock::now();
    work[i]->output = assembler.assemble(image.ptx, image.entry, image.target);
    if (host.finished)
      host.finished(
          label, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  });
  for (Job *job : work) {
    const KernelImage &first = *job->images.front();
    // The PTX is ours: a refusal is no fault of the caller's input.
    if (!job->output)
      return Status::internal("assembling " + first.entry + " for " + first.target + " by " +
                              assembler.version() + ": " + job->output.status().message());
    for (KernelImage *image : job->images)
      deliver(*job->output, assembler.version(), *image);
  }
  return {};
}

} // namespace msa

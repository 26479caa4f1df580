//===- SimulatorBench.cpp - how fast the simulator runs ---------------------===//
//
// Loops of one thing each, with all checks on unless it says otherwise, on one host
// thread (the compute loop also on all). Ratios are of medians measured in turn, so
// that both sides see the same machine.
//
//===----------------------------------------------------------------------===//
#include "Bench.h"
#include "SimulatorKernels.h"

#include "ptxsim/Parser.h"
#include "ptxsim/Simulator.h"
#include "support/Progress.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

namespace msa::bench {
namespace {

class Loop {
public:
  static Expected<Loop> create(LoopKernel kernel) {
    MSA_ASSIGN_OR_RETURN(auto parsed, ptxsim::parseModule(kernel.text, kernel.name));
    MSA_ASSIGN_OR_RETURN(
        auto executable,
        ptxsim::Executable::create(std::make_shared<const ptxsim::Module>(std::move(parsed)),
                                   kernel.name));
    return Loop(std::move(kernel), std::move(executable));
  }

  const LoopKernel &what() const { return kernel; }

  /// Thread instructions, or multiply-adds, a second and host thread.
  Expected<double> rate(uint32_t ctas, uint32_t rounds, const ptxsim::RunOptions &options) {
    ptxsim::GlobalMemory memory;
    MSA_ASSIGN_OR_RETURN(uint64_t out, memory.allocate(uint64_t{ctas} * kernel.threads * 4,
                                                       ptxsim::Initial::Poison, "out"));
    ptxsim::LaunchConfig launch;
    launch.grid = {ctas, 1, 1};
    launch.block = {kernel.threads, 1, 1};
    launch.parameters.resize(12);
    std::memcpy(launch.parameters.data(), &out, 8);
    std::memcpy(launch.parameters.data() + 8, &rounds, 4);
    auto start = std::chrono::steady_clock::now();
    MSA_ASSIGN_OR_RETURN(auto result, executable->run(kernel.entry, launch, memory, options));
    double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (result.trapped)
      return Status::internal(kernel.name + " trapped: " + result.trap.text());
    double work = kernel.multiplyAdds ? double(kernel.multiplyAdds) * rounds * ctas
                                      : double(result.counters.threadInstructions);
    return work / seconds / options.threads;
  }

private:
  Loop(LoopKernel kernel, std::shared_ptr<ptxsim::Executable> executable)
      : kernel(std::move(kernel)), executable(std::move(executable)) {}

  LoopKernel kernel;
  std::shared_ptr<ptxsim::Executable> executable;
};

ptxsim::RunOptions with(unsigned threads, ptxsim::MmaMode mma, bool checks) {
  ptxsim::RunOptions options;
  options.threads = threads;
  options.mma = mma;
  if (!checks)
    options.disabledChecks = {"all"};
  return options;
}

class Measuring {
public:
  explicit Measuring(const BenchOptions &options) : options(options) {}

  Measurement speed(std::string name, std::string unit, double aim) const {
    return {.subject = "sim",
            .name = std::move(name),
            .unit = std::move(unit),
            .aim = aim,
            .higherIsBetter = true};
  }

  /// The compute loop, on one host thread and on all.
  Status compute(std::vector<Measurement> &all) const {
    MSA_ASSIGN_OR_RETURN(Loop loop, Loop::create(computeLoop()));
    constexpr double aim = 5e8;
    unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned threads : {1u, cores}) {
      if (threads == 1 && threads == cores && !all.empty())
        break; // one core only
      Measurement m = speed(fmt::format("compute loop, host threads: {}", threads),
                            "thread instructions/s/core", aim);
      for (int i = 0; i < options.repeat; ++i) {
        MSA_ASSIGN_OR_RETURN(double rate,
                             loop.rate(32, 400, with(threads, ptxsim::MmaMode::Fast, true)));
        m.samples.push_back(rate);
      }
      all.push_back(std::move(m));
    }
    return {};
  }

  /// How much slower all checks make a loop.
  Status checks(std::vector<Measurement> &all, LoopKernel kernel, uint32_t rounds) const {
    MSA_ASSIGN_OR_RETURN(Loop loop, Loop::create(std::move(kernel)));
    constexpr double aim = 4;
    Measurement m{.subject = "sim",
                  .name = "all checks against none, " + loop.what().name,
                  .unit = "times slower",
                  .aim = aim};
    for (int i = 0; i < options.repeat; ++i) {
      MSA_ASSIGN_OR_RETURN(double on, loop.rate(8, rounds, with(1, ptxsim::MmaMode::Fast, true)));
      MSA_ASSIGN_OR_RETURN(double off, loop.rate(8, rounds, with(1, ptxsim::MmaMode::Fast, false)));
      m.samples.push_back(off / on);
    }
    all.push_back(std::move(m));
    return {};
  }

  /// Multiply-adds a second in both modes, and their ratio.
  Status products(std::vector<Measurement> &all, const LoopKernel &kernel) const {
    MSA_ASSIGN_OR_RETURN(Loop loop, Loop::create(kernel));
    constexpr double aim = 1.5e10, aimRatio = 10;
    // About 0.1 s a sample in fast mode.
    auto rounds = static_cast<uint32_t>(1 + 1500000000 / kernel.multiplyAdds);
    Measurement fast = speed(kernel.name + ", fast", "FMA/s/core", aim),
                exact = speed(kernel.name + ", exact", "FMA/s/core", aim / aimRatio);
    Measurement ratio{.subject = "sim",
                      .name = "exact against fast, " + kernel.name,
                      .unit = "times slower",
                      .aim = aimRatio};
    for (int i = 0; i < options.repeat; ++i) {
      MSA_ASSIGN_OR_RETURN(double quick,
                           loop.rate(1, rounds, with(1, ptxsim::MmaMode::Fast, true)));
      MSA_ASSIGN_OR_RETURN(double slow, loop.rate(1, std::max(1u, rounds / 8),
                                                  with(1, ptxsim::MmaMode::Exact, true)));
      fast.samples.push_back(quick);
      exact.samples.push_back(slow);
      ratio.samples.push_back(quick / slow);
    }
    all.push_back(std::move(fast));
    all.push_back(std::move(exact));
    all.push_back(std::move(ratio));
    return {};
  }

private:
  const BenchOptions &options;
};

} // namespace

Expected<std::vector<Measurement>> benchSimulator(const BenchOptions &options) {
  std::vector<Measurement> all;
  Measuring measuring(options);
  std::vector<LoopKernel> products = matrixLoops();
  Progress progress("simulator", products.size() + 4, {.quiet = options.quiet});
  MSA_RETURN_IF_ERROR(measuring.compute(all));
  progress.advance();
  MSA_RETURN_IF_ERROR(measuring.checks(all, computeLoop(), 400));
  progress.advance();
  MSA_RETURN_IF_ERROR(measuring.checks(all, memoryLoop(), 400));
  progress.advance();
  for (const LoopKernel &kernel : products) {
    MSA_RETURN_IF_ERROR(measuring.products(all, kernel));
    progress.advance();
  }
  MSA_RETURN_IF_ERROR(benchCases(options, all));
  progress.advance();
  return all;
}

} // namespace msa::bench

//===- SimulatorBench.cpp - how fast the simulator computes ---------------===//
//
// A loop of register arithmetic (fma, integer add, shift, xor, select) with one
// store at the end: what bounds kernels that compute. All checks are on.
//
//===----------------------------------------------------------------------===//
#include "Bench.h"

#include "ptxsim/Parser.h"
#include "ptxsim/Simulator.h"
#include "support/Progress.h"

#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

namespace msa::bench {
namespace {

constexpr const char *computeLoop = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry compute(.param .u64 compute_out, .param .u32 compute_count) {
  .reg .pred %p<3>;
  .reg .b32 %r<12>;
  .reg .f32 %f<6>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [compute_out];
  ld.param.u32 %r1, [compute_count];
  mov.u32 %r2, %tid.x;
  mov.u32 %r3, %ctaid.x;
  mov.u32 %r4, %ntid.x;
  mad.lo.s32 %r5, %r3, %r4, %r2;
  cvt.rn.f32.u32 %f1, %r5;
  mov.f32 %f2, 0f3F800000;
  mov.f32 %f3, 0f3F000000;
  mov.u32 %r6, 0;
  mov.u32 %r7, %r5;
$loop:
  fma.rn.f32 %f1, %f1, %f3, %f2;
  fma.rn.f32 %f2, %f2, %f3, %f1;
  add.s32 %r7, %r7, 12345;
  shl.b32 %r8, %r7, 7;
  xor.b32 %r7, %r7, %r8;
  fma.rn.f32 %f4, %f1, %f2, %f3;
  setp.gt.f32 %p1, %f4, %f1;
  selp.f32 %f2, %f4, %f3, %p1;
  add.f32 %f1, %f1, %f4;
  mul.f32 %f1, %f1, %f3;
  add.s32 %r6, %r6, 1;
  setp.lt.u32 %p2, %r6, %r1;
  @%p2 bra $loop;
  cvt.rzi.u32.f32 %r9, %f1;
  xor.b32 %r10, %r7, %r9;
  mul.wide.u32 %rd2, %r5, 4;
  add.s64 %rd3, %rd1, %rd2;
  st.global.u32 [%rd3], %r10;
  ret;
}
)";

constexpr uint32_t ctas = 32, threadsPerCta = 256, iterations = 400;

/// Thread instructions a second and host thread of one launch.
Expected<double> runLoop(ptxsim::Executable &executable, unsigned hostThreads) {
  ptxsim::GlobalMemory memory;
  MSA_ASSIGN_OR_RETURN(uint64_t out, memory.allocate(uint64_t(ctas) * threadsPerCta * 4,
                                                     ptxsim::Initial::Poison, "out"));
  ptxsim::LaunchConfig launch;
  launch.grid = {ctas, 1, 1};
  launch.block = {threadsPerCta, 1, 1};
  launch.parameters.resize(12);
  std::memcpy(launch.parameters.data(), &out, 8);
  std::memcpy(launch.parameters.data() + 8, &iterations, 4);
  ptxsim::RunOptions options;
  options.threads = hostThreads;
  auto start = std::chrono::steady_clock::now();
  MSA_ASSIGN_OR_RETURN(auto result, executable.run("compute", launch, memory, options));
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (result.trapped)
    return Status::internal("the compute loop trapped: " + result.trap.text());
  return double(result.counters.threadInstructions) / seconds / hostThreads;
}

} // namespace

Expected<std::vector<Measurement>> benchSimulator(const BenchOptions &options) {
  MSA_ASSIGN_OR_RETURN(auto module, ptxsim::parseModule(computeLoop, "compute.ptx"));
  MSA_ASSIGN_OR_RETURN(
      auto executable,
      ptxsim::Executable::create(std::make_shared<const ptxsim::Module>(std::move(module)),
                                 "compute.ptx"));
  std::vector<Measurement> all;
  unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  for (unsigned threads : {1u, cores}) {
    if (threads == 1 && !all.empty())
      break; // one core only
    Measurement speed{.subject = "sim",
                      .name = "compute loop, host threads: " + std::to_string(threads),
                      .unit = "thread instructions/s/core",
                      .aim = 3e8,
                      .higherIsBetter = true};
    Progress progress("simulator", uint64_t(options.repeat), {.quiet = options.quiet});
    for (int i = 0; i < options.repeat; ++i) {
      MSA_ASSIGN_OR_RETURN(double rate, runLoop(*executable, threads));
      speed.samples.push_back(rate);
      progress.advance();
    }
    all.push_back(std::move(speed));
  }
  return all;
}

} // namespace msa::bench

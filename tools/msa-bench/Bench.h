//===- Bench.h - what each benchmark of msa-bench gives back --------------===//
#pragma once

#include "msa/Status.h"

#include <filesystem>
#include <string>
#include <vector>

namespace msa::bench {

/// One measured quantity; every sample is kept, the median is what is compared with the aim.
struct Measurement {
  std::string subject; ///< "compile", "empty", "hit", "sim"
  std::string name;    ///< "whole process", "nvrtc topk_select", ...
  std::string unit;    ///< "s", "thread instructions/s/core"
  std::vector<double> samples;
  double aim = 0; ///< 0: none
  bool higherIsBetter = false;

  double median() const;
  bool meetsAim() const;
};

struct BenchOptions {
  int repeat = 9; ///< samples of each quantity
  std::string preset = "minimax-m3", target = "sm_80";
  std::filesystem::path programs;                ///< the folder of msa-compile
  std::filesystem::path cases = "../shared/ptx"; ///< the folder of ptx_cases.py
  bool quiet = false;
};

/// A new process each time that compiles the whole prefill without the cache: its wall clock and
/// the stages that it reports.
Expected<std::vector<Measurement>> benchCompile(const BenchOptions &);
/// A new process each time that opens the compiler and has nothing to lower: one op to the msa
/// form.
Expected<std::vector<Measurement>> benchEmpty(const BenchOptions &);
/// A new process each time that finds the whole prefill in the cache and writes the bundle.
Expected<std::vector<Measurement>> benchCacheHit(const BenchOptions &);
/// The simulator: a compute loop, matrix products fast and exact, what checks cost, and a kernel
/// of another compiler.
Expected<std::vector<Measurement>> benchSimulator(const BenchOptions &);

/// Part of benchSimulator: time and memory of a third-party kernel; nothing where it is not there.
Status benchCases(const BenchOptions &, std::vector<Measurement> &);

} // namespace msa::bench

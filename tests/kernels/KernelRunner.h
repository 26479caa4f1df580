//===- KernelRunner.h - runs a case's kernels and checks every element ----===//
//
// From a case to its checked outputs through the product's own parts: the
// kernel table, the launcher, a device and the FP64 reference. How a kernel
// becomes an image is the caller's business, so that the same code runs the
// templates as they are and broken copies of them.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Device.h"
#include "program/KernelTable.h"
#include "verify/Case.h"
#include "verify/Compare.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace msa::test {

/// The PTX of one kernel for a target.
using KernelCompiler =
    std::function<Expected<std::string>(const CudaKernelSpec &, const std::string &target)>;

class KernelRunner {
public:
  KernelRunner(Device &device, KernelCompiler compiler)
      : device(device), compiler(std::move(compiler)) {}

  /// Runs the phases of the case's op one by one, each a program of its own on what those before
  /// left, and checks each output. The outputs stay in the case.
  Expected<std::vector<verify::CheckResult>> runPhases(verify::Case &);

  /// The same without the checks, for inputs that the reference refuses.
  Status runWithoutCheck(verify::Case &);

  /// Runs the op as one program under a workspace cap; its outputs replace those in the case.
  Status runWhole(verify::Case &, uint64_t workspaceCap);

  /// The smallest cap under which the op runs, so that it does so in slabs of one token.
  Expected<uint64_t> smallestCap(const verify::Case &);

  /// What a checked plan's kernels reported in the last run; zeros otherwise.
  const std::array<int32_t, 4> &status() const { return lastStatus; }

private:
  Expected<Program> programFor(const Plan &);
  /// The phases of runPhases(): a case holds no plan arrays, so attention_split has two.
  static std::vector<Op> stepsOf(Op);
  Status run(verify::Case &, const Plan &, uint64_t workspaceCap);
  Expected<std::vector<uint8_t>> bytesFor(const verify::Case &, const ArgSpec &, const Bounds &);
  Status store(verify::Case &, const ArgSpec &, std::vector<uint8_t>);

  Device &device;
  KernelCompiler compiler;
  /// The gather plan's arrays, which no case holds.
  std::map<std::string, std::vector<uint8_t>> planArrays;
  std::array<int32_t, 4> lastStatus = {};
};

/// The plan with the schedule that a run needs: route cuda and, where it is not pinned, `chunk`.
Plan resolvedPlan(Plan, int chunk);

/// "phase tensor: detail" of everything that is wrong; empty when nothing is.
std::string wrongText(const std::vector<verify::CheckResult> &);

} // namespace msa::test

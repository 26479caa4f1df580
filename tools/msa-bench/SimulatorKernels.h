//===- SimulatorKernels.h - PTX that msa-bench runs -------------------------===//
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace msa::bench {

/// A kernel `(.param .u64 out, .param .u32 count)` whose body is a loop of `count` rounds.
struct LoopKernel {
  std::string name;  ///< "wgmma m64n256k16 f16"
  std::string text;  ///< the module
  std::string entry; ///< the kernel
  uint32_t threads = 32;
  uint64_t multiplyAdds = 0; ///< of tensor cores, a round and CTA; 0: counts thread instructions
};

/// Register arithmetic: fma, integer add, shift, xor, select.
LoopKernel computeLoop();
/// Loads and stores of shared and global memory, a barrier a round.
LoopKernel memoryLoop();
/// mma.sync, wgmma and tcgen05.mma on f16 operands with f32 sums.
std::vector<LoopKernel> matrixLoops();

} // namespace msa::bench

//===- Simulator.h - runs PTX on the CPU ----------------------------------===//
//
// The whole public face of the simulator: device memory, a decoded module, and
// `run`. Depends on the C++ library and fmt only.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"
#include "ptxsim/Module.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace msa::ptxsim {

enum class Initial : uint8_t { Zero, Poison, Uninitialised };

/// Global memory: a sparse address space of labelled allocations with guard gaps. Pages that nobody
/// touches cost nothing, so an allocation may be far larger than the host's memory.
class GlobalMemory {
public:
  GlobalMemory();
  ~GlobalMemory();
  GlobalMemory(const GlobalMemory &) = delete;
  /// An address on a 256-byte boundary.
  Expected<uint64_t> allocate(uint64_t bytes, Initial, const std::string &label);
  Status release(uint64_t address);
  Status write(uint64_t address, std::span<const uint8_t>);
  /// Reads raw bytes (whatever is stored, initialised or not).
  Status read(std::span<uint8_t>, uint64_t address) const;
  struct Impl;
  Impl &impl() { return *state; }

private:
  std::unique_ptr<Impl> state;
};

enum class ScheduleKind : uint8_t { Eager, Lazy, Random };
/// Sums of matrix products (numerics/Mma.h). Auto: exact where an operand is FP8 on sm_90, whose
/// tensor cores keep too few bits for FP32 order to stand for them; else fast.
enum class MmaMode : uint8_t { Fast, Exact, Auto };

struct RunOptions {
  ScheduleKind schedule = ScheduleKind::Eager;
  uint64_t seed = 0;
  /// Ids that are off; empty = all checks on. "all" switches every check off.
  std::vector<std::string> disabledChecks;
  MmaMode mma = MmaMode::Auto;
  bool counters = false;
  unsigned threads = 0;           ///< host threads; 0 = one a core
  uint64_t instructionBudget = 0; ///< warp instructions a CTA may execute; 0 = unlimited
  uint32_t smCount = 1;           ///< value of %nsmid
};

struct LaunchConfig {
  std::array<uint32_t, 3> grid = {1, 1, 1}, block = {1, 1, 1}, cluster = {1, 1, 1};
  uint32_t dynamicSharedBytes = 0;
  std::vector<uint8_t> parameters; ///< the packed parameter block
};

/// Why a run ended early. `text()` is the message for a person.
struct Trap {
  std::string id;      ///< "X4", "P5", ... (docs/simulator.md)
  std::string message; ///< what happened and what would be right
  std::string file;    ///< module name
  SourceLocation location;
  std::string sourceLine; ///< "kernel.cu:12" when .loc is there
  std::array<uint32_t, 3> cta = {0, 0, 0};
  uint32_t warp = 0;
  int lane = -1;
  std::string text() const;
};

/// Counted when RunOptions::counters; `warpInstructions` and `threadInstructions` always.
struct Counters {
  uint64_t warpInstructions = 0, threadInstructions = 0;
  std::map<std::string, uint64_t> byClass; ///< thread instructions by opcode class

  // Plain accesses: bytes of the lanes that took part.
  uint64_t globalLoadBytes = 0, globalStoreBytes = 0, sharedLoadBytes = 0, sharedStoreBytes = 0,
           localBytes = 0, constBytes = 0;
  uint64_t clusterBytes = 0; ///< of shared memory of other CTAs, plain and asynchronous
  uint64_t globalRequests = 0, globalSectors = 0;       ///< 32-byte sectors of warp-wide requests
  uint64_t sharedRequests = 0, sharedBankConflicts = 0; ///< conflicts: extra wavefronts

  // Asynchronous units: bytes in global memory, or where it says otherwise.
  uint64_t bulkLoadBytes = 0, bulkStoreBytes = 0, bulkReduceBytes = 0; ///< cp.async.bulk
  uint64_t tmaLoadBytes = 0, tmaStoreBytes = 0, tmaReduceBytes = 0;    ///< through tensor maps
  uint64_t tmaOutsideBytes = 0; ///< of boxes, outside of the tensor: filled, or not written
  uint64_t tensorMemoryLoadBytes = 0, tensorMemoryStoreBytes = 0; ///< tcgen05.ld, .st
  uint64_t tensorMemoryCopyBytes = 0;                             ///< tcgen05.cp, written
  uint64_t operandBytes = 0; ///< of shared memory that wgmma and tcgen05.mma read

  uint64_t tensorFlops = 0;
  std::map<std::string, uint64_t> flopsByKind; ///< of `tensorFlops`: "f16", "mxf4", ...
  uint64_t barrierWaits = 0;                   ///< warps that waited at bar.sync and the like
  uint64_t mbarrierTests = 0;                  ///< test_wait and try_wait, by warp
  uint64_t mbarrierRefusals = 0;               ///< of those, found the phase incomplete

  /// Warps of a CTA that execute the same code, over all CTAs.
  struct Role {
    std::vector<uint32_t> warps; ///< indices in the CTA
    uint64_t warpInstructions = 0, threadInstructions = 0;
    std::map<std::string, uint64_t> byClass; ///< thread instructions
    std::vector<std::string> does; ///< what it uses of copies and matrix units: "tcgen05.mma"
  };
  std::vector<Role> roles; ///< by first warp

  /// Adds another launch's counts. Roles are kept when only one of both has some.
  void add(const Counters &);
  /// Bytes that went to and came from global memory, all units together.
  uint64_t globalBytes() const;
};

/// A module decoded for execution: opcodes looked up, operands resolved, control flow analysed.
class Executable {
public:
  /// Refuses unknown instructions by name with line and column (X9).
  static Expected<std::shared_ptr<Executable>> create(std::shared_ptr<const Module>,
                                                      const std::string &name);
  virtual ~Executable() = default;
  virtual const Module &module() const = 0;
  struct Result {
    bool trapped = false;
    Trap trap;
    Counters counters;
  };
  /// Runs one grid to its end. Bad launches (entry, sizes, parameter bytes) are a Status; what a
  /// kernel does wrong is a trap. Same options, same result, whatever the number of host threads.
  virtual Expected<Result> run(const std::string &entry, const LaunchConfig &, GlobalMemory &,
                               const RunOptions &) = 0;
};

} // namespace msa::ptxsim

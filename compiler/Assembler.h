//===- Assembler.h - PTX to cubin ------------------------------------------===//
//
// Three assemblers behind one door, in order of preference: nvPTXCompiler in
// process (its static archive in our own libmsa-nvptxcompiler.so), ptxas as a
// child process, and nvJitLink. The first two give the same code; nvJitLink
// does not (it adds guard functions), so what made an image is recorded.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "compiler/Toolchain.h"
#include "msa/Program.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace msa {

class Assembler {
public:
  struct Output {
    std::vector<uint8_t> cubin;
    /// registers, sharedBytes (static), spillBytes (stores and loads) and ptxInstructions are
    /// filled where the assembler reports them; threads and tensorColumns are the caller's;
    /// sassInstructions stays -1.
    Resources resources;
    std::string log;       ///< the assembler's information log
    std::string assembler; ///< version() of the assembler that made this cubin
  };

  /// Opens the best assembler of the roots; Missing, naming what to install, when there is none.
  /// When it is too old for a module's PTX version, the next one assembles that module.
  static Expected<std::shared_ptr<Assembler>> open(const ToolchainPaths &);
  /// Each assembler of the roots that opens, in order of preference; for tests and comparisons.
  static std::vector<std::shared_ptr<Assembler>> openEach(const ToolchainPaths &);
  virtual ~Assembler() = default;

  /// "nvptxcompiler 13.0", "ptxas 13.0.88", "nvjitlink 13.0".
  virtual std::string version() const = 0;

  /// Assembles one module. May be called from several threads at once. The log is the message of a
  /// failure: InvalidInput for PTX or a target that it refuses, Missing for a PTX version newer
  /// than the assembler, Internal for a failure of its own.
  virtual Expected<Output> assemble(const std::string &ptx, const std::string &entry,
                                    const std::string &target) const = 0;
};

/// Instructions of a PTX module's text: statements that are neither directive, label nor comment.
int countPtxInstructions(std::string_view ptx);

} // namespace msa

//===- Images.h - from kernels with PTX to programs -----------------------===//
//
// The last steps of a compile, without MLIR: programs take the PTX of their
// kernels, and distinct kernels are assembled once, on several threads.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "compiler/Assembler.h"
#include "compiler/Compiler.h"
#include "program/KernelTable.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace msa {

/// PTX of each specialised kernel, by kernelKey().
using PtxTable = std::map<std::string, std::string>;

/// What makes two kernels the same code.
std::string kernelKey(const std::string &source, const std::string &entry,
                      const std::vector<std::pair<std::string, std::string>> &defines,
                      const std::string &target);

/// The program of a plan with the PTX of its kernels. Internal when the table lacks one.
Expected<Program> linkProgram(const Plan &requested, const Plan &resolved, const PtxTable &ptx,
                              const std::string &frontEnd);

/// Hooks around each assembly, called from several threads.
struct AssembleHost {
  int jobs = 0;
  std::function<void(const std::string &kernel)> started;
  std::function<void(const std::string &kernel, double seconds)> finished;
};

/// Fills cubin, assembler and resources of every image.
Status assembleAll(std::vector<Program> &programs, const Assembler &assembler,
                   const AssembleHost &host);

} // namespace msa

//===- AssemblerKinds.h - the assemblers behind compiler/Assembler.h ------===//
//
// Private to the toolchain library: one opener for each assembler, and what
// they share.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "compiler/Assembler.h"

namespace msa::assemblers {

/// Each fails with Missing, naming what to install, when its files are not in the roots.
Expected<std::shared_ptr<Assembler>> openNvPtxCompiler(const ToolchainPaths &);
Expected<std::shared_ptr<Assembler>> openPtxas(const ToolchainPaths &);
Expected<std::shared_ptr<Assembler>> openNvJitLink(const ToolchainPaths &);

/// Registers, static shared memory and spills of `entry` from an information log; all three
/// assemblers write ptxas's format.
Resources parseInfoLog(std::string_view log, std::string_view entry);

/// The Status of a refused module. `log` decides the code: a PTX version that the assembler does
/// not know is Missing, so that a newer assembler can be tried.
Status refused(std::string_view assembler, std::string_view entry, std::string_view target,
               std::string_view log);

/// Completes an output: resources from the log, the PTX instruction count, the assembler's name.
Assembler::Output finish(std::vector<uint8_t> cubin, std::string log, const std::string &ptx,
                         const std::string &entry, std::string assembler);

} // namespace msa::assemblers

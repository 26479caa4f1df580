//===- Output.h - where compiled things go --------------------------------===//
//
// One image is one file; several are a folder with index.json. A folder is
// filled aside and renamed, so that outputs appear whole or not at all.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Program.h"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace msa::tools {

/// One file to be written.
struct Artifact {
  std::string op;     ///< the phase of an image, the op of an IR module
  std::string target; ///< "sm_80"
  std::string entry;  ///< kernel name; empty for IR
  std::string suffix; ///< "ptx", "cubin", "mlir"
  std::string bytes;
};

/// The images of the programs as PTX or cubin; an image that several programs share appears once.
std::vector<Artifact> imageArtifacts(std::span<const Program>, const std::string &emit);

/// The file names of several artefacts: op.suffix with target and entry added where they differ.
std::vector<std::string> artifactNames(std::span<const Artifact>);

/// Fails early, before anything is compiled, when `output` cannot become the output of a folder
/// (several artefacts) or a file.
Status checkOutputPlace(const std::filesystem::path &output, bool folder);

/// Writes one artefact as a file, several as a folder with index.json, which is a list of objects
/// with op, target, entry and file.
Status writeArtifacts(const std::filesystem::path &output, std::span<const Artifact>);

} // namespace msa::tools

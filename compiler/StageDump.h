//===- StageDump.h - numbered files of the stages of a compile ------------===//
//
// `--dump-to DIR`: 01-input.mlir, 02-select-schedule.mlir, ... Each stage has a
// number; a stage may have several files. Every `.mlir` replays in msa-opt.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa/Status.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace msa {

/// Writes nothing when made with an empty folder.
class StageDump {
public:
  explicit StageDump(std::filesystem::path folder) : folder(std::move(folder)) {}

  bool enabled() const { return !folder.empty(); }
  /// Starts the next stage; files are named `NN-<stage><rest>`.
  void begin(const std::string &stage);
  /// Writes one file of the current stage. InvalidInput when the folder cannot be written.
  Status write(const std::string &rest, std::string_view bytes);

private:
  std::filesystem::path folder;
  int number = 0;
  std::string prefix;
};

} // namespace msa

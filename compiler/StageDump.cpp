//===- StageDump.cpp - numbered files of the stages of a compile ----------===//
//
// See StageDump.h.
//
//===----------------------------------------------------------------------===//
#include "compiler/StageDump.h"

#include <fstream>
#include <system_error>

namespace msa {

void StageDump::begin(const std::string &stage) {
  ++number;
  prefix = (number < 10 ? "0" : "") + std::to_string(number) + "-" + stage;
}

Status StageDump::write(const std::string &rest, std::string_view bytes) {
  if (!enabled())
    return {};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::filesystem::path path = folder / (prefix + rest);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file)
    return Status::invalid("cannot write the stage dump " + path.string() + ": " +
                           (error ? error.message() : "is the folder writable?"));
  return {};
}

} // namespace msa

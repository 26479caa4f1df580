//===- LaunchParts.h - readers of the parts of a launch specification ------===//
//
// Private to LaunchSpec.cpp and LaunchParts.cpp. Each reads one JSON value and
// appends what it says to the specification; parts that come before (buffers
// before tensor maps before parameters) are there already.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "LaunchSpec.h"

#include "support/Json.h"

namespace msa::sim {

/// {"file" | "bytes", "fill", "dtype", "save"}
Status readBuffer(const nlohmann::json &, const std::string &name, LaunchSpec &);
/// Everything that cuTensorMapEncodeTiled checks and that the text alone shows.
Status readTensorMap(const nlohmann::json &, const std::string &name, LaunchSpec &);
/// One element of "params"; `path` is "params[3]".
Status readParameter(const nlohmann::json &, const std::string &path, LaunchSpec &);

} // namespace msa::sim

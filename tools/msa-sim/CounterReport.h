//===- CounterReport.h - counters for people and programs ------------------===//
#pragma once

#include "ptxsim/Simulator.h"

#include <nlohmann/json.hpp>

#include <string>

namespace msa::sim {

/// Every counter, with what follows from them (sectors a request, FLOPs a byte) under "derived".
/// `all` false: instruction counts only.
nlohmann::ordered_json countersToJson(const ptxsim::Counters &, bool all);

/// A table of what is not zero, one section each for instructions, memory, asynchronous units,
/// matrix products and roles.
std::string countersToTable(const ptxsim::Counters &);

} // namespace msa::sim

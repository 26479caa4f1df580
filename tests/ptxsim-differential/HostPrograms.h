//===- HostPrograms.h - the random programs for the host ------------------===//
//
// What kernel number i of Kernels.cu must compute from the same four words.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <vector>

using HostProgram = uint64_t (*)(const uint64_t *words);

/// All programs of the generated header, in order.
const std::vector<HostProgram> &hostPrograms();

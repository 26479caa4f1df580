//===- Seeds.h - small kernels that use the asynchronous machinery ----------===//
//
// Whole modules, each right under every schedule with all checks on: what they
// share is the launch (32 or 128 threads by .reqntid, one cluster by
// .reqnctapercluster), two buffers of 8 KiB and a tensor map of the first (f16,
// 64 x 64, box 16 x 8, no swizzle).
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace msa::fuzz {

inline constexpr uint64_t seedBufferBytes = 8192;

/// The modules' texts.
std::vector<std::string> asyncSeeds();
/// Words of the asynchronous instructions, worth inserting.
std::vector<std::string> asyncWords();

} // namespace msa::fuzz

//===- TargetTable.cpp - the only file with architecture numbers ----------===//
//
// Sources: PTX ISA 9.0 (versions, features by target), CUDA programming guide
// (shared memory of one CTA), data sheets (SMs of the part that most people
// have: T4, A100, A40, Orin, L40S, H100, B200, B300, Thor, RTX 5090, GB10).
//
//===----------------------------------------------------------------------===//
#include "plan/TargetTable.h"

#include <algorithm>
#include <tuple>

namespace msa {

const std::vector<Target> &targets() {
  // clang-format off
  static const std::vector<Target> table = {
      {.name = "sm_75", .major = 7, .minor = 5, .archSpecific = false, .ptxVersion = "6.3", .sharedBytes = 65536, .smCount = 40,
       .tensorMemory = false, .wgmma = false, .tma = false, .bf16Convert = false, .fp8Convert = false, .fp4Convert = false, .redux = false, .cpAsync = false},
      {.name = "sm_80", .major = 8, .minor = 0, .archSpecific = false, .ptxVersion = "7.0", .sharedBytes = 166912, .smCount = 108,
       .tensorMemory = false, .wgmma = false, .tma = false, .bf16Convert = true, .fp8Convert = false, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_86", .major = 8, .minor = 6, .archSpecific = false, .ptxVersion = "7.1", .sharedBytes = 101376, .smCount = 84,
       .tensorMemory = false, .wgmma = false, .tma = false, .bf16Convert = true, .fp8Convert = false, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_87", .major = 8, .minor = 7, .archSpecific = false, .ptxVersion = "7.4", .sharedBytes = 166912, .smCount = 16,
       .tensorMemory = false, .wgmma = false, .tma = false, .bf16Convert = true, .fp8Convert = false, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_89", .major = 8, .minor = 9, .archSpecific = false, .ptxVersion = "7.8", .sharedBytes = 101376, .smCount = 142,
       .tensorMemory = false, .wgmma = false, .tma = false, .bf16Convert = true, .fp8Convert = true, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_90", .major = 9, .minor = 0, .archSpecific = false, .ptxVersion = "7.8", .sharedBytes = 232448, .smCount = 132,
       .tensorMemory = false, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_90a", .major = 9, .minor = 0, .archSpecific = true, .ptxVersion = "8.0", .sharedBytes = 232448, .smCount = 132,
       .tensorMemory = false, .wgmma = true, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_100", .major = 10, .minor = 0, .archSpecific = false, .ptxVersion = "8.8", .sharedBytes = 232448, .smCount = 148,
       .tensorMemory = false, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_100a", .major = 10, .minor = 0, .archSpecific = true, .ptxVersion = "8.8", .sharedBytes = 232448, .smCount = 148,
       .tensorMemory = true, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = true, .redux = true, .cpAsync = true},
      {.name = "sm_103", .major = 10, .minor = 3, .archSpecific = false, .ptxVersion = "8.8", .sharedBytes = 232448, .smCount = 148,
       .tensorMemory = false, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_103a", .major = 10, .minor = 3, .archSpecific = true, .ptxVersion = "8.8", .sharedBytes = 232448, .smCount = 148,
       .tensorMemory = true, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = true, .redux = true, .cpAsync = true},
      {.name = "sm_110", .major = 11, .minor = 0, .archSpecific = false, .ptxVersion = "9.0", .sharedBytes = 232448, .smCount = 20,
       .tensorMemory = false, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_110a", .major = 11, .minor = 0, .archSpecific = true, .ptxVersion = "9.0", .sharedBytes = 232448, .smCount = 20,
       .tensorMemory = true, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = true, .redux = true, .cpAsync = true},
      {.name = "sm_120", .major = 12, .minor = 0, .archSpecific = false, .ptxVersion = "8.7", .sharedBytes = 101376, .smCount = 170,
       .tensorMemory = false, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_120a", .major = 12, .minor = 0, .archSpecific = true, .ptxVersion = "8.7", .sharedBytes = 101376, .smCount = 170,
       .tensorMemory = false, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = true, .redux = true, .cpAsync = true},
      {.name = "sm_121", .major = 12, .minor = 1, .archSpecific = false, .ptxVersion = "8.8", .sharedBytes = 101376, .smCount = 48,
       .tensorMemory = false, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = false, .redux = true, .cpAsync = true},
      {.name = "sm_121a", .major = 12, .minor = 1, .archSpecific = true, .ptxVersion = "8.8", .sharedBytes = 101376, .smCount = 48,
       .tensorMemory = false, .wgmma = false, .tma = true, .bf16Convert = true, .fp8Convert = true, .fp4Convert = true, .redux = true, .cpAsync = true},
  };
  // clang-format on
  return table;
}

const Target *findTarget(std::string_view name) {
  const std::vector<Target> &table = targets();
  auto found =
      std::find_if(table.begin(), table.end(), [&](const Target &t) { return t.name == name; });
  return found == table.end() ? nullptr : &*found;
}

bool runsOn(const Target &image, const Target &device) {
  auto imageChip = std::tie(image.major, image.minor),
       deviceChip = std::tie(device.major, device.minor);
  return image.archSpecific ? imageChip == deviceChip : imageChip <= deviceChip;
}

} // namespace msa

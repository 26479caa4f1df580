//===- TargetTable.h - the only file with architecture numbers ------------===//
//
// Code asks named questions; it never compares SM numbers.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace msa {

/// One GPU target. `major`/`minor` order images for a device.
struct Target {
  std::string_view name;       ///< "sm_90a"
  int major, minor;            ///< 9, 0
  bool archSpecific;           ///< the "a" suffix: runs on exactly this chip
  std::string_view ptxVersion; ///< lowest `.version` that we emit for it
  int sharedBytes;             ///< largest shared memory of one CTA
  int smCount;                 ///< of the common part, for the simulator and the cost model
  bool tensorMemory, wgmma, tma, bf16Convert, fp8Convert, fp4Convert, redux, cpAsync;
};

/// All targets, oldest first: sm_75 to sm_121a.
const std::vector<Target> &targets();
/// Null when unknown.
const Target *findTarget(std::string_view name);
/// Whether an image made for `image` runs on a device of `device`: PTX runs on its own chip and
/// newer ones, an arch-specific image on exactly its chip, whichever of its two names the device
/// has.
bool runsOn(const Target &image, const Target &device);

} // namespace msa

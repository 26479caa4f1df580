//===- OpcodeTable.h - what the simulator can execute ---------------------===//
//
// A view of Opcodes.def for programs that list coverage. One row is one
// instruction of one family: `add` has an integer, a float, a half and a packed
// row, because they are different pages of the PTX ISA.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace msa::ptxsim {

/// One row of Opcodes.def.
struct OpcodeInfo {
  std::string_view name;    ///< "add", "cp.async"
  std::string_view family;  ///< "integer arithmetic"
  std::string_view section; ///< PTX ISA section, "9.7.1.1"
  uint32_t ptxVersion = 0;  ///< lowest PTX version, major * 10 + minor: 80 = 8.0
  uint32_t smVersion = 0;   ///< lowest target: 75 = sm_75
  /// False: known, and refused with a sentence that says which part of the simulator brings it.
  bool executable = true;
};

/// Every row, in the order of the file.
std::vector<OpcodeInfo> opcodeTable();

} // namespace msa::ptxsim

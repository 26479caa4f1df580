//===- Harness.h - runs a few lines of PTX ---------------------------------------===//
//
// A test gives a kernel's body and buffers; parameters are the buffers' addresses
// in order, available in %rd_0, %rd_1, ... and each thread's flat index in %tid_x;
// then tensor maps, whose addresses are in %map_0, ...
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Simulator.h"
#include "ptxsim/TensorMap.h"

#include <cstdint>
#include <string>
#include <vector>

namespace msa::ptxsim::test {

/// A buffer of 32-bit words.
struct Buffer {
  std::string name;
  std::vector<uint32_t> words;
  Initial initial = Initial::Zero;
  bool filled = true; ///< false: `words` gives the size only
};

/// A tensor map of a buffer; its address is filled in.
struct Map {
  size_t buffer;
  TensorMap map;
};

struct Kernel {
  std::string body;
  std::vector<Buffer> buffers;
  std::vector<Map> maps = {};
  std::string directives = {}; ///< of the entry: ".maxnreg 64"
  std::string declarations;    ///< module scope
  LaunchConfig launch{{1, 1, 1}, {32, 1, 1}, {1, 1, 1}, 0, {}};
  RunOptions options;
  std::string target = "sm_90", version = "8.8";
};

struct Ran {
  Status status; ///< of parsing, decoding or launching
  Executable::Result result;
  std::vector<std::vector<uint32_t>> buffers;
  /// The trap's id, "" if it did not trap.
  std::string id() const { return result.trapped ? result.trap.id : ""; }
  std::string text() const { return result.trapped ? result.trap.text() : status.message(); }
};

/// The whole module's text.
std::string moduleText(const Kernel &);
Ran run(const Kernel &);
/// n words of `value`.
std::vector<uint32_t> words(size_t n, uint32_t value = 0);
/// 0, 1, 2, ...
std::vector<uint32_t> counting(size_t n);

} // namespace msa::ptxsim::test

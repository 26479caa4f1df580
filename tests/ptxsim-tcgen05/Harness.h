//===- Harness.h - one tcgen05 kernel with everything around it
//------------------------------------===//
//
// A kernel of four warps (a CTA, or a pair of CTAs): allocates tensor memory, copies a
// shared-memory image (fence.proxy.async behind it) and a tensor-memory image, lets thread 0
// (of the even CTA) execute `body` and commit, waits, and stores the columns of `dump`.
//
// In the body: %taddr, %d0.. %d15 (64-bit), %r0.. %r63, %p1.. %p7; `smem` is the image,
// `bar` the mbarrier.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Simulator.h"

#include <cstdint>
#include <string>
#include <vector>

namespace msa::ptxsim::test {

/// Words of 128 lanes for each of `columns`.
struct TensorImage {
  std::vector<uint32_t> columns;
  std::vector<uint32_t> words; ///< of the CTAs, lanes, columns: columns fastest
};

struct TensorKernel {
  unsigned group = 1;          ///< CTAs
  std::string body;            ///< of the issuing thread
  std::vector<uint8_t> shared; ///< image of each CTA, one after the other; a multiple of 4
  uint32_t sharedBytes = 0;    ///< of one CTA
  TensorImage image;
  std::vector<uint32_t> dump; ///< columns that are stored
  RunOptions options;
};

struct TensorRun {
  std::string id, text;       ///< of the trap or refusal; "" if it ran through
  std::vector<uint32_t> dump; ///< of the CTAs, lanes, columns: columns fastest
};
TensorRun run(const TensorKernel &);

/// Eager, lazy, and random with seeds 1 to 3.
std::vector<RunOptions> allSchedules();

/// A whole kernel: the body of a `.visible .entry` with `declarations` before it. One buffer of
/// 64 KiB (%buf). `clusters`: CTAs of a cluster and of the grid.
struct PlainKernel {
  std::string declarations, body;
  uint32_t threads = 128, clusters = 1;
};
TensorRun run(const PlainKernel &, const RunOptions &);
/// The trap's id under all schedules; "?" if they disagree.
std::string idOf(const PlainKernel &);
/// The text of the last trap or refusal that idOf saw first.
std::string textOf(const PlainKernel &);

} // namespace msa::ptxsim::test

//===- MatrixDescriptor.h - matrices in shared memory
//--------------------------------------------===//
//
// wgmma (sm_90a) and tcgen05 (sm_100a) find their operands in shared memory through a
// 64-bit descriptor (PTX ISA 9.7.15.5.1.2.2 and 9.7.16.4.1): a start address, two strides
// and a swizzle mode. `MatrixDescriptor` is its content; `OperandView` is what it means
// for one operand; the functions at the end make every check that needs only the view.
//
// A matrix is made of 16-byte chunks on *lines*. K-major: a line is a row (of A; a column
// of B), its chunks go along k. MN-major: a line is one k, its chunks go along the rows.
// Canonical layouts (9.7.16.3.3), with T elements in a chunk, as linear byte addresses:
//
//   K-major   none      ((8,m),(T,2k))   line 16, group of 8 lines SBO, chunk LBO
//             swizzled  ((8,m),(T,2k))   line = span, group of 8 lines SBO, chunk 16
//   MN-major  none      ((T,1,m),(8,k))  line 16, group of 8 lines LBO, chunk SBO
//             swizzled  ((T,S,m),(8,k))  line = span, group of 8 lines SBO, chunk 16 within
//                                        a span, LBO from span to span
//             128B with 32-byte atoms: the same with groups of 4 lines
//
// The swizzle is applied to the absolute shared-memory address, `swizzled(linear)`, as the
// copies of the tensor unit do. So a start address may be moved by whole chunks inside a
// span (K steps), as all libraries do, and a buffer need not start where the pattern does
// (CUTLASS's sm_90 GEMM has some at offset 384): there is no check of that. Matrix base
// offsets other than 0 are refused (D1).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/TensorMap.h"
#include "ptxsim/engine/AsyncShadow.h"

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cstdint>
#include <string>

namespace msa::ptxsim {

enum class DescriptorFormat : uint8_t { Sm90, Sm100 };

struct MatrixDescriptor {
  uint32_t start = 0;   ///< offset in the CTA's shared memory, bytes
  uint32_t leading = 0; ///< LBO, bytes
  uint32_t stride = 0;  ///< SBO, bytes
  Swizzle swizzle = Swizzle::None;

  /// Reads a descriptor. False if a field is wrong (D1); `wrong` says which, what it is and what is
  /// accepted. The fields are set all the same.
  static bool decode(uint64_t bits, DescriptorFormat, MatrixDescriptor &, std::string &wrong);
  /// The bits of a descriptor: what a kernel would compute.
  uint64_t encode(DescriptorFormat) const;
};

/// Which dimension is contiguous in memory: k, or the rows of A (columns of B).
enum class Major : uint8_t { K, Mn };

/// An operand of a matrix instruction. Rows are those of A; for B they are its columns (N).
struct OperandView {
  OperandView() = default;
  /// `elementBits`: of an element in shared memory, its container included: 8, 16 or 32; dense
  /// 4-bit and 1-bit elements are K-major and count as bytes (8).
  OperandView(const MatrixDescriptor &, Major, unsigned elementBits);

  uint32_t start = 0;
  Swizzle swizzle = Swizzle::None;
  Major major = Major::K;
  uint8_t elementBytes = 1;
  // Linear address of chunk j on line i: see linearAt. Lines of a group and chunks of a span are
  // powers of two, kept as shifts.
  uint32_t groupShift = 3, linePitch = 16, groupStride = 0;
  uint32_t spanShift = 0, spanStride = 0;

  uint32_t groupLines() const { return 1u << groupShift; }
  /// True if chunk `chunk` begins a span (which may lie elsewhere than the one before).
  bool beginsSpan(uint32_t chunk) const { return (chunk & ((1u << spanShift) - 1)) == 0; }
  uint32_t linearAt(uint32_t line, uint32_t chunk) const {
    return start + (line & (groupLines() - 1)) * linePitch + (line >> groupShift) * groupStride +
           (chunk & ((1u << spanShift) - 1)) * 16 + (chunk >> spanShift) * spanStride;
  }
  /// Where the chunk is, as an offset in shared memory.
  uint32_t chunkAt(uint32_t line, uint32_t chunk) const {
    return swizzled(swizzle, linearAt(line, chunk));
  }
  uint32_t lines(uint32_t rows, uint32_t kBytes) const {
    return major == Major::K ? rows : kBytes / elementBytes;
  }
  uint32_t chunks(uint32_t rows, uint32_t kBytes) const {
    return ((major == Major::K ? kBytes : rows * elementBytes) + 15) / 16;
  }

  /// Copies the lines, chunk by chunk, `lineBytes` apart: rows of k (K-major) or k by rows
  /// (MN-major). `memory`: shared memory or its shadow.
  void gatherLines(const uint8_t *memory, uint32_t firstLine, uint32_t lineCount,
                   uint32_t chunkCount, uint8_t *out, uint32_t lineBytes) const;
  /// Copies rows `firstRow` to `firstRow + rows` (a multiple of 16 / elementBytes in MN-major
  /// views), `kBytes` bytes each, row by row.
  void gatherRows(const uint8_t *memory, uint32_t firstRow, uint32_t rows, uint32_t kBytes,
                  uint8_t *out) const;
};

/// The 16-byte granules that an operand touches.
class GranuleSet {
public:
  void add(uint32_t offset) {
    uint32_t index = offset >> 4 & (bits - 1);
    words[index / 64] |= 1ull << (index % 64);
    first = std::min(first, index / 64);
    last = std::max(last, index / 64);
  }
  void add(const OperandView &, uint32_t firstRow, uint32_t rows, uint32_t kBytes);
  /// Calls f(offset, bytes) -> bool for runs of granules, in order, while it is true. (A run that
  /// crosses a multiple of 1 KB comes in parts.)
  template <class F> bool forRuns(F f) const {
    for (uint32_t word = first; word <= last && word < words.size(); ++word)
      for (uint64_t left = words[word]; left != 0;) {
        auto begin = static_cast<uint32_t>(std::countr_zero(left)),
             length = static_cast<uint32_t>(std::countr_one(left >> begin));
        if (!f((word * 64 + begin) << 4, length << 4))
          return false;
        left = begin + length == 64 ? 0 : left >> (begin + length) << (begin + length);
      }
    return true;
  }

private:
  static constexpr uint32_t bits = 1u << 14; ///< 256 KB: what a descriptor can address
  std::array<uint64_t, bits / 64> words{};
  uint32_t first = bits / 64, last = 0; ///< words that are not 0 lie between
};

/// What an instruction reads through a view.
struct OperandUse {
  const char *name = "A"; ///< "A", "B", "the source"
  uint32_t firstRow = 0, rows = 0;
  uint32_t kBytes = 0;
  uint8_t elementBits = 8; ///< of the type: 1, 4, 6, 8, 16, 32
  /// 4- and 6-bit elements stand in groups of 16 that take 16 bytes (8 or 12 of data).
  bool padded = false;
  /// The source is no matrix operand but bytes to copy (tcgen05.cp): element sizes say nothing.
  bool raw = false;
};

/// The operand lies inside of `owner`'s shared memory (D2).
Flow checkOperandExtent(const Origin &, const Cta &owner, const OperandView &, const OperandUse &);
/// The operand agrees with the tiles that tensor copies put there: swizzle, element format
/// (D3); strides (D4). Bytes that no tensor copy wrote are not judged.
Flow checkOperandTiles(const Origin &, const Cta &owner, const OperandView &, const OperandUse &);
/// All of it, and the read is entered in the shadow of shared memory as one by the tensor core (P1,
/// P2, P5, P6). Call at issue.
Flow checkOperand(const Origin &, Cta &owner, const OperandView &, const OperandUse &, AsyncId);
/// Rows (counted from use.firstRow) with a byte that is uninitialised and belongs to an element.
/// False: there is none, `rows` is untouched.
bool uninitialisedRows(const Cta &owner, const OperandView &, const OperandUse &,
                       std::bitset<256> &rows);

} // namespace msa::ptxsim

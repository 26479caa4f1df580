#include "ptxsim/engine/MatrixDescriptor.h"

#include "ptxsim/engine/Cta.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

namespace msa::ptxsim {

namespace {

/// The swizzle codes of tcgen05 at bits 63:61; those of wgmma at 63:62 are the even ones.
constexpr Swizzle swizzleOfCode[8] = {Swizzle::None, Swizzle::B128Atom32, Swizzle::B128,
                                      Swizzle::None, Swizzle::B64,        Swizzle::None,
                                      Swizzle::B32,  Swizzle::None};

uint64_t codeOf(Swizzle swizzle) {
  for (uint64_t code = 1; code < 8; ++code)
    if (swizzle != Swizzle::None && swizzleOfCode[code] == swizzle)
      return code;
  return 0;
}

const char *nameOf(Swizzle swizzle) {
  switch (swizzle) {
  case Swizzle::None:
    return "no swizzle";
  case Swizzle::B32:
    return "32B swizzle";
  case Swizzle::B64:
    return "64B swizzle";
  case Swizzle::B128:
    return "128B swizzle";
  case Swizzle::B128Atom32:
    return "128B swizzle of 32-byte atoms";
  case Swizzle::B128Atom32Flip8:
    return "128B swizzle of 32-byte atoms with 8-byte flip";
  case Swizzle::B128Atom64:
    return "128B swizzle of 64-byte atoms";
  }
  return "?";
}

/// Bytes after which the pattern of a swizzle repeats: where it has to start.
uint32_t patternOf(Swizzle swizzle) {
  return swizzle == Swizzle::B128Atom32 ? 512 : 8 * spanOf(swizzle);
}

constexpr uint32_t field(uint64_t bits, unsigned low, unsigned count) {
  return static_cast<uint32_t>(bits >> low & ((1ull << count) - 1));
}

} // namespace

//===----------------------------------------------------------------------===//
// Descriptors
//===----------------------------------------------------------------------===//

bool MatrixDescriptor::decode(uint64_t bits, DescriptorFormat format, MatrixDescriptor &d,
                              std::string &wrong) {
  const bool blackwell = format == DescriptorFormat::Sm100;
  d.start = field(bits, 0, 14) << 4;
  d.leading = field(bits, 16, 14) << 4;
  d.stride = field(bits, 32, 14) << 4;
  const uint32_t code = blackwell ? field(bits, 61, 3) : field(bits, 62, 2) << 1;
  d.swizzle = swizzleOfCode[code];
  auto refuse = [&](std::string text) {
    wrong = fmt::format("descriptor 0x{:016x}: {}", bits, text);
    return false;
  };
  if (field(bits, 14, 2) || field(bits, 30, 2))
    return refuse(fmt::format("bits 15:14 are {} and bits 31:30 are {}; both are reserved and must "
                              "be 0: fields hold (x & 0x3FFFF) >> 4 of a byte address or stride",
                              field(bits, 14, 2), field(bits, 30, 2)));
  const uint32_t fixed = field(bits, 46, 3), wanted = blackwell ? 1 : 0;
  if (fixed != wanted)
    return refuse(fmt::format("bits 48:46 are {}; for {} they must be {}", fixed,
                              blackwell ? "tcgen05" : "wgmma", wanted));
  if (blackwell && field(bits, 52, 1))
    return refuse("bit 52 asks for an absolute leading-dimension address, which only sm_103a has; "
                  "accepted: 0");
  if (uint32_t rest = blackwell ? field(bits, 53, 8) : field(bits, 52, 10))
    return refuse(fmt::format("bits {} are 0x{:x}; they are reserved and must be 0",
                              blackwell ? "60:53" : "61:52", rest));
  if (code != 0 && d.swizzle == Swizzle::None)
    return refuse(fmt::format("swizzle code {} at bits 63:61; accepted: 0 (none), 1 (128B of "
                              "32-byte atoms), 2 (128B), 4 (64B), 6 (32B)",
                              code));
  if (uint32_t base = field(bits, 49, 3))
    return refuse(fmt::format("matrix base offset {}; accepted: 0, with a swizzle pattern that "
                              "starts on a boundary of {} bytes",
                              base, patternOf(d.swizzle)));
  return true;
}

uint64_t MatrixDescriptor::encode(DescriptorFormat format) const {
  auto encoded = [](uint32_t bytes) { return uint64_t{(bytes & 0x3FFFF) >> 4}; };
  return encoded(start) | encoded(leading) << 16 | encoded(stride) << 32 | codeOf(swizzle) << 61 |
         (format == DescriptorFormat::Sm100 ? 1ull << 46 : 0);
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

OperandView::OperandView(const MatrixDescriptor &d, Major major, unsigned elementBits)
    : start(d.start), swizzle(d.swizzle), major(major),
      elementBytes(static_cast<uint8_t>(std::max(elementBits / 8, 1u))) {
  if (swizzle == Swizzle::None) {
    groupStride = major == Major::K ? d.stride : d.leading;
    spanStride = major == Major::K ? d.leading : d.stride;
    return;
  }
  linePitch = spanOf(swizzle);
  groupStride = d.stride;
  groupShift = major == Major::Mn && swizzle == Swizzle::B128Atom32 ? 2 : 3;
  // K-major chunks go on within the span; there is no second one (LBO is not used).
  spanShift = major == Major::K ? 31 : static_cast<uint32_t>(std::countr_zero(linePitch / 16));
  spanStride = major == Major::K ? 0 : d.leading;
}

void OperandView::gatherLines(const uint8_t *memory, uint32_t firstLine, uint32_t lineCount,
                              uint32_t chunkCount, uint8_t *out, uint32_t lineBytes) const {
  for (uint32_t i = 0; i < lineCount; ++i, out += lineBytes)
    for (uint32_t j = 0; j < chunkCount; ++j)
      std::memcpy(out + 16 * j, memory + chunkAt(firstLine + i, j), 16);
}

namespace {

/// Turns `count` chunks of one line (elements of consecutive rows) upright.
template <class T>
void scatterLine(const OperandView &view, const uint8_t *memory, uint32_t line, uint32_t firstChunk,
                 uint32_t rows, uint32_t kBytes, uint8_t *out) {
  constexpr uint32_t perChunk = 16 / sizeof(T);
  for (uint32_t row = 0; row < rows; row += perChunk) {
    T elements[perChunk];
    std::memcpy(elements, memory + view.chunkAt(line, firstChunk + row / perChunk), 16);
    const uint32_t count = std::min(perChunk, rows - row);
    for (uint32_t i = 0; i < count; ++i)
      std::memcpy(out + size_t{row + i} * kBytes, &elements[i], sizeof(T));
  }
}

} // namespace

void OperandView::gatherRows(const uint8_t *memory, uint32_t firstRow, uint32_t rows,
                             uint32_t kBytes, uint8_t *out) const {
  if (major == Major::K) {
    gatherLines(memory, firstRow, rows, kBytes / 16, out, kBytes);
    return;
  }
  const uint32_t firstChunk = firstRow * elementBytes / 16;
  for (uint32_t k = 0; k < kBytes / elementBytes; ++k, out += elementBytes)
    switch (elementBytes) {
    case 1:
      scatterLine<uint8_t>(*this, memory, k, firstChunk, rows, kBytes, out);
      break;
    case 2:
      scatterLine<uint16_t>(*this, memory, k, firstChunk, rows, kBytes, out);
      break;
    default:
      scatterLine<uint32_t>(*this, memory, k, firstChunk, rows, kBytes, out);
      break;
    }
}

namespace {

/// Lines and chunks of a part of an operand.
struct Part {
  uint32_t firstLine, lines, firstChunk, chunks;
  Part(const OperandView &view, uint32_t firstRow, uint32_t rows, uint32_t kBytes) {
    const bool k = view.major == Major::K;
    firstLine = k ? firstRow : 0;
    lines = view.lines(rows, kBytes);
    firstChunk = k ? 0 : firstRow * view.elementBytes / 16;
    chunks = view.chunks(rows, kBytes);
  }
  Part(const OperandView &view, const OperandUse &use)
      : Part(view, use.firstRow, use.rows, use.kBytes) {}
};

std::string describe(const OperandView &view, const OperandUse &use) {
  return fmt::format("{} ({}-major, {}, start {}, {} rows of {} bytes)", use.name,
                     view.major == Major::K ? "K" : "MN", nameOf(view.swizzle), view.start,
                     use.rows, use.kBytes);
}

} // namespace

void GranuleSet::add(const OperandView &view, uint32_t firstRow, uint32_t rows, uint32_t kBytes) {
  const Part part(view, firstRow, rows, kBytes);
  for (uint32_t i = 0; i < part.lines; ++i)
    for (uint32_t j = 0; j < part.chunks; ++j)
      add(view.chunkAt(part.firstLine + i, part.firstChunk + j));
}

//===----------------------------------------------------------------------===//
// Extent (D2)
//===----------------------------------------------------------------------===//

Flow checkOperandExtent(const Origin &origin, const Cta &owner, const OperandView &view,
                        const OperandUse &use) {
  const Part part(view, use);
  const uint64_t bytes = owner.launch->sharedBytes;
  // Strides are not negative, so the last chunk of the last whole group is the farthest.
  uint64_t farthest = 0;
  for (uint32_t line : {part.lines - 1, std::min(part.lines, view.groupLines()) - 1})
    farthest = std::max<uint64_t>(
        farthest, view.linearAt(part.firstLine + line, part.firstChunk + part.chunks - 1));
  if ((farthest | 1023) < bytes)
    return Flow::Next;
  for (uint32_t i = 0; i < part.lines; ++i)
    for (uint32_t j = 0; j < part.chunks; ++j) {
      uint64_t at = view.chunkAt(part.firstLine + i, part.firstChunk + j);
      if (at + 16 <= bytes)
        continue;
      return origin.trapAlways(
          "D2", fmt::format("{}: row {}, k byte {} lies at offset {}, behind the {} bytes of the "
                            "CTA's shared memory; start, LBO and SBO decide the place",
                            describe(view, use), view.major == Major::K ? i : j * 16,
                            view.major == Major::K ? j * 16 : i * view.elementBytes, at, bytes));
    }
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Tiles (D3, D4)
//===----------------------------------------------------------------------===//

namespace {

/// Compares one operand with the tile records of the memory that it lies in.
class TileComparison {
public:
  TileComparison(const Origin &origin, const Cta &owner, const OperandView &view,
                 const OperandUse &use)
      : origin(origin), owner(owner), view(view), use(use) {}

  Flow run() {
    const Part part(view, use);
    for (uint32_t j = 0; j < part.chunks; j += step()) {
      previous = nullptr;
      // Lines of one group keep their distance, so every fourth shows all (gather4 has four).
      for (uint32_t i = 0; i < part.lines; i += 4)
        if (compare(part.firstLine + i, part.firstChunk + j) == Flow::Trap)
          return Flow::Trap;
    }
    return Flow::Next;
  }

private:
  /// Chunks that share a row of the tile need no second look.
  uint32_t step() const {
    return view.swizzle == Swizzle::None ? 1
           : view.major == Major::K      ? ~0u >> 1
                                         : 1u << view.spanShift;
  }

  Flow compare(uint32_t line, uint32_t chunk) {
    const uint32_t linear = view.linearAt(line, chunk);
    const TileRecord *tile = owner.asyncShadow.tileAt(swizzled(view.swizzle, linear));
    if (!tile || tile->innerBytes == 0) {
      previous = nullptr;
      return Flow::Next;
    }
    // A linear copy of prepared bytes is no tile.
    const bool flat = tile->rows == 1 && tile->swizzle == static_cast<uint8_t>(Swizzle::None);
    if (tile != judged && !flat && judgeFormat(*tile) == Flow::Trap)
      return Flow::Trap;
    judged = tile;
    // Without swizzle, wider boxes bring data that was laid out in global memory already.
    const bool comparable = view.swizzle == Swizzle::None ? tile->innerBytes == 16 : !flat;
    if (!comparable || tile->swizzle != static_cast<uint8_t>(view.swizzle))
      return Flow::Next;
    Flow flow = judgeStrides(*tile, linear, line, chunk);
    previous = tile;
    previousLine = line;
    previousLinear = linear;
    return flow;
  }

  std::string tileText(const TileRecord &tile) const {
    return fmt::format("the tile that the copy at line {} put there ({}, {} rows of {} bytes, at "
                       "offset {})",
                       owner.launch->program->instruction(tile.pc).location.line,
                       nameOf(static_cast<Swizzle>(tile.swizzle)), tile.rows, tile.innerBytes,
                       tile.base);
  }
  Flow trap(Check check, const TileRecord &tile, const std::string &what) const {
    return origin.trap(
        check, fmt::format("{} does not fit {}: {}", describe(view, use), tileText(tile), what));
  }

  Flow judgeFormat(const TileRecord &tile) const {
    if (tile.swizzle != static_cast<uint8_t>(view.swizzle) &&
        trap(Check::D3, tile, "descriptor and tensor map must have the same swizzle") == Flow::Trap)
      return Flow::Trap;
    // A buffer that starts inside of a pattern is no mistake: copy and descriptor both swizzle
    // absolute addresses, and CUTLASS's sm_90 GEMM relies on it (buffers at offset 384).
    if (use.raw)
      return Flow::Next;
    const bool narrow = tile.elementBits < 8;
    if ((narrow && use.elementBits < 8 && tile.padded != use.padded) ||
        (narrow && tile.padded && use.elementBits >= 8))
      return trap(Check::D3, tile,
                  fmt::format("the copy writes {}-bit elements {}, and this instruction reads {}",
                              tile.elementBits, tile.padded ? "in padded groups" : "packed",
                              use.elementBits < 8 ? use.padded ? "padded groups" : "packed ones"
                                                  : "larger ones"));
    if (tile.floating && !narrow && tile.elementBits != use.elementBits)
      return trap(Check::D3, tile,
                  fmt::format("the tensor map has {}-bit floating elements, and this instruction "
                              "reads {}-bit ones",
                              tile.elementBits, use.elementBits));
    return Flow::Next;
  }

  Flow judgeStrides(const TileRecord &tile, uint32_t linear, uint32_t line, uint32_t chunk) {
    const bool isSwizzled = view.swizzle != Swizzle::None;
    if (linear < tile.base)
      return Flow::Next;
    const uint32_t row = (linear - tile.base) / tile.innerBytes,
                   byte = (linear - tile.base) % tile.innerBytes;
    if (isSwizzled && tile.innerBytes != view.linePitch && tile.rows > 1)
      return trap(Check::D4, tile,
                  fmt::format("this swizzle needs rows of {} bytes: an inner box of {} bytes",
                              view.linePitch, view.linePitch));
    if (isSwizzled && view.major == Major::K && byte + use.kBytes > view.linePitch)
      return trap(Check::D4, tile,
                  fmt::format("k bytes {} to {} of a row of {}: the start address was moved past "
                              "the end of the rows",
                              byte, byte + use.kBytes - 1, view.linePitch));
    if (previous && previousLine < line)
      if (Flow flow = judgeStep(tile, row, byte, line - previousLine, line); flow != Flow::Next)
        return flow;
    return judgeSpan(tile, row, line, chunk);
  }

  /// From the line before (four lines ago) to this one.
  Flow judgeStep(const TileRecord &tile, uint32_t row, uint32_t byte, uint32_t lines,
                 uint32_t line) {
    const uint32_t beforeRow = (previousLinear - previous->base) / previous->innerBytes,
                   beforeByte = (previousLinear - previous->base) % previous->innerBytes;
    if (previous == &tile) {
      const uint32_t moved = row - beforeRow;
      // Boxes of three and more dimensions: a group may step along an outer one.
      const bool outer = line % view.groupLines() == 0 && tile.rows > tile.outer[0] &&
                         row > beforeRow && (row / tile.outer[0] > beforeRow / tile.outer[0]);
      if (moved == lines || outer)
        return Flow::Next;
      return trap(
          Check::D4, tile,
          fmt::format("line {} of the operand is row {} of the tile, and line {} is row {}; "
                      "groups of {} lines must be {} bytes apart, and the descriptor says {}",
                      previousLine, beforeRow, line, row, view.groupLines(),
                      view.groupLines() * view.linePitch, view.groupStride));
    }
    if (previous->innerBytes == tile.innerBytes && view.swizzle != Swizzle::None &&
        byte != beforeByte)
      return trap(
          Check::D4, tile,
          fmt::format("line {} of the operand starts at byte {} of its row, line {} at byte "
                      "{}; the descriptor's SBO is {}",
                      previousLine, beforeByte, line, byte, view.groupStride));
    return Flow::Next;
  }

  /// From the first span of a line to this one (MN-major: LBO; no swizzle: the chunk stride).
  Flow judgeSpan(const TileRecord &tile, uint32_t row, uint32_t line, uint32_t chunk) {
    if (chunk == 0 || !view.beginsSpan(chunk) || view.swizzle == Swizzle::None)
      return Flow::Next;
    const uint32_t firstLinear = view.linearAt(line, 0);
    const TileRecord *first = owner.asyncShadow.tileAt(swizzled(view.swizzle, firstLinear));
    if (!first || first->innerBytes != tile.innerBytes || first->outer != tile.outer ||
        firstLinear < first->base)
      return Flow::Next;
    const uint32_t firstRow = (firstLinear - first->base) / first->innerBytes;
    const bool sameK = firstRow % tile.outer[0] == row % tile.outer[0];
    if (sameK && (first != &tile || firstRow != row))
      return Flow::Next;
    return trap(
        Check::D4, tile,
        fmt::format("k line {}: chunk 0 is row {} of its tile, chunk {} is row {}; LBO ({}) "
                    "must lead to the same k of the next {} bytes",
                    line, firstRow, chunk, row, view.spanStride, view.linePitch));
  }

  const Origin &origin;
  const Cta &owner;
  const OperandView &view;
  const OperandUse &use;
  const TileRecord *judged = nullptr, *previous = nullptr;
  uint32_t previousLine = 0, previousLinear = 0;
};

} // namespace

Flow checkOperandTiles(const Origin &origin, const Cta &owner, const OperandView &view,
                       const OperandUse &use) {
  if (owner.asyncShadow.tiles.empty() || (!owner.checks(Check::D3) && !owner.checks(Check::D4)))
    return Flow::Next;
  return TileComparison(origin, owner, view, use).run();
}

Flow checkOperand(const Origin &origin, Cta &owner, const OperandView &view, const OperandUse &use,
                  AsyncId id) {
  if (checkOperandExtent(origin, owner, view, use) == Flow::Trap)
    return Flow::Trap;
  if (!owner.asyncShadow.enabled())
    return Flow::Next;
  if (checkOperandTiles(origin, owner, view, use) == Flow::Trap)
    return Flow::Trap;
  GranuleSet granules;
  granules.add(view, use.firstRow, use.rows, use.kBytes);
  bool fine = granules.forRuns([&](uint32_t offset, uint32_t bytes) {
    return asyncReadsShared(origin, owner, offset, bytes, id, AsyncUnit::Tensor) != Flow::Trap;
  });
  return fine ? Flow::Next : Flow::Trap;
}

//===----------------------------------------------------------------------===//
// Uninitialised bytes
//===----------------------------------------------------------------------===//

bool uninitialisedRows(const Cta &owner, const OperandView &view, const OperandUse &use,
                       std::bitset<256> &rows) {
  const uint8_t *shadow = owner.sharedRegion.shadow;
  if (!shadow)
    return false;
  // Of each 16 bytes of padded groups, only these hold elements.
  const uint32_t used = use.padded ? use.elementBits * 2u : 16u;
  const Part part(view, use);
  const uint64_t all = ~0ull / 255; // a 1 in each byte
  bool whole = true;
  for (uint32_t i = 0; i < part.lines; ++i)
    for (uint32_t j = 0; j < part.chunks; ++j) {
      uint64_t flags[2];
      std::memcpy(flags, shadow + view.chunkAt(part.firstLine + i, part.firstChunk + j), 16);
      whole = whole && (flags[0] & flags[1]) == all;
    }
  if (whole)
    return false;
  std::vector<uint8_t> flags(size_t{use.rows} * use.kBytes);
  view.gatherRows(shadow, use.firstRow, use.rows, use.kBytes, flags.data());
  bool any = false;
  for (uint32_t row = 0; row < use.rows; ++row)
    for (uint32_t at = 0; at < use.kBytes; at += 16)
      if (std::memchr(&flags[size_t{row} * use.kBytes + at], 0, used)) {
        rows.set(row);
        any = true;
      }
  return any;
}

} // namespace msa::ptxsim

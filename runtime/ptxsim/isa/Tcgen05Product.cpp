#include "ptxsim/isa/Tcgen05Product.h"

#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/Product.h"
#include "ptxsim/numerics/BlockScale.h"
#include "ptxsim/numerics/Convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <cmath>
#include <cstring>

namespace msa::ptxsim {

namespace {

using Lines = std::bitset<256>; ///< rows or columns that hold something uninitialised

/// Where elements of fewer than 8 bits are.
Container containerOf(const TensorProduct &p, MmaType type, bool tensorMemory) {
  const bool narrow = type == MmaType::E2M1 || type == MmaType::E2M3 || type == MmaType::E3M2;
  if (isPackedFp4(p.kind) || !narrow)
    return Container::Own;
  return tensorMemory ? Container::Byte : Container::Padded;
}

class Execution {
public:
  Execution(const Origin &origin, const TensorProduct &p)
      : origin(origin), p(p), launch(*origin.cta().launch),
        scratch(tensorCoreOf(origin.cta()).scratch), count(p.ctas[1] ? 2 : 1),
        rows(rowsOfCta(p.path)), columns(static_cast<uint32_t>(p.shape.n) / count),
        depth(static_cast<uint32_t>(p.shape.k)) {}

  Flow run() {
    for (unsigned half = 0; half < count; ++half) {
      if (p.ctas[half]->isDone() && p.ctas[half] != &origin.cta())
        return origin.trapAlways("T8", "the peer CTA has ended while this still needs its memory; "
                                       "both CTAs of a pair have to stay until it is complete");
      gatherB(half);
    }
    for (unsigned cta = 0; cta < count; ++cta)
      if (multiplyRows(cta) == Flow::Trap)
        return Flow::Trap;
    return Flow::Next;
  }

private:
  bool integers() const { return p.kind == MmaKind::I8; }

  // ---- operands
  // ---------------------------------------------------------------------------------

  void decode(MmaType type, Container container, bool transposed, bool negated, uint32_t lines,
              std::vector<float> &floats, std::vector<int32_t> &ints) {
    const uint8_t *bytes = scratch.bytes.data();
    if (integers()) {
      ints.resize(size_t{lines} * depth);
      decodeIntegers(type, bytes, lines, bytesOfRow, transposed, ints.data());
      return;
    }
    floats.resize(size_t{lines} * depth);
    decodeFloats(type, container, bytes, lines, bytesOfRow, transposed, floats.data());
    if (negated)
      for (float &value : floats)
        value = -value;
  }

  void gatherB(unsigned half) {
    const Cta &cta = *p.ctas[half];
    scratch.bytes.resize(size_t{columns} * bytesOfRow);
    p.viewB.gatherRows(cta.sharedRegion.host, 0, columns, bytesOfRow, scratch.bytes.data());
    decode(p.shape.b, containerOf(p, p.shape.b, false), true, p.shape.negateB, columns,
           scratch.b[half], scratch.integersB[half]);
    taintedColumns[half].reset();
    uninitialisedRows(cta, p.viewB, p.useB, taintedColumns[half]);
  }

  /// Rows of A of one CTA; `upper`: as the lanes of D's second half of columns see them.
  Flow gatherA(unsigned index, bool upper, Lines &tainted) {
    const Cta &cta = *p.ctas[index];
    scratch.bytes.resize(size_t{rows} * bytesOfRow);
    if (p.tensorA) {
      if (gatherTensorA(*p.ctas[index], upper, tainted) == Flow::Trap)
        return Flow::Trap;
    } else {
      p.viewA.gatherRows(cta.sharedRegion.host, 0, rows, bytesOfRow, scratch.bytes.data());
      uninitialisedRows(cta, p.viewA, p.useA, tainted);
    }
    decode(p.shape.a, containerOf(p, p.shape.a, p.tensorA), false, p.shape.negateA, rows, scratch.a,
           scratch.integersA);
    return Flow::Next;
  }

  Flow gatherTensorA(Cta &cta, bool upper, Lines &tainted) {
    const TensorMemory &memory = tensorCoreOf(cta).memory;
    bool written = false;
    for (uint32_t row = 0; row < rows; ++row) {
      // .ashift: each row is the one below it; the last stays.
      const uint32_t from = p.shiftsA && row + 1 < rows ? row + 1 : row;
      const uint32_t lane = laneOf(p.path, from, upper, p.a.lane);
      std::memcpy(&scratch.bytes[size_t{row} * bytesOfRow], memory.row(lane) + p.a.column,
                  bytesOfRow);
      const uint8_t *states = memory.states(lane) + p.a.column;
      for (uint32_t i = 0; i < columnsOfTensorA; ++i) {
        written = written || states[i] != TensorMemory::unwritten;
        if ((states[i] & 0xF) != 0xF)
          tainted.set(row);
      }
    }
    if (written)
      return Flow::Next;
    return origin.trap(
        Check::T4, fmt::format("A is columns {} to {} of tensor memory, and nothing was written "
                               "there since tcgen05.alloc",
                               p.a.column, p.a.column + columnsOfTensorA - 1));
  }

  // ---- scale factors
  // ----------------------------------------------------------------------------

  /// Scale factors of `lines` rows of A (columns of B) in a CTA's tensor memory, from row
  /// `firstLine` on. `firstLane`, `copies`: where they are, and how often (32 lanes apart).
  Flow gatherScales(Cta &cta, const char *name, uint32_t base, uint32_t id, uint32_t firstLine,
                    uint32_t lines, uint32_t firstLane, uint32_t copies, Lines &tainted,
                    std::vector<uint8_t> &out) {
    const TensorMemory &memory = tensorCoreOf(cta).memory;
    out.resize(size_t{lines} * p.scales);
    const uint8_t bits = static_cast<uint8_t>(((1u << p.scales) - 1) << id);
    for (uint32_t i = 0; i < lines; ++i) {
      const uint32_t line = firstLine + i, lane = firstLane + line % 32, column = base + line / 32;
      const uint32_t cell = memory.row(lane)[column];
      const uint8_t state = memory.states(lane)[column];
      for (uint32_t copy = 1; copy < copies; ++copy)
        if (judgeCopy(memory, name, id, line, lane, lane + 32 * copy, column) == Flow::Trap)
          return Flow::Trap;
      if ((state >> 4 & bits) != bits)
        if (origin.trap(
                Check::T4,
                fmt::format("scale factor of row {} of {} (lane {}, column {}, byte {}) was "
                            "never written; needed before: tcgen05.cp or tcgen05.st",
                            line, name, lane, column, id)) == Flow::Trap)
          return Flow::Trap;
      if ((state & bits) != bits)
        tainted.set(i);
      for (uint32_t j = 0; j < p.scales; ++j)
        out[size_t{i} * p.scales + j] = static_cast<uint8_t>(cell >> (8 * (id + j)));
    }
    return Flow::Next;
  }

  /// The copies of a scale factor in the quarters of the lanes agree (T10).
  Flow judgeCopy(const TensorMemory &memory, const char *name, uint32_t id, uint32_t line,
                 uint32_t lane, uint32_t other, uint32_t column) {
    const uint32_t mask = p.scales == 4 ? ~0u : ((1u << (8 * p.scales)) - 1) << (8 * id);
    const uint32_t mine = memory.row(lane)[column] & mask, copy = memory.row(other)[column] & mask;
    const auto bits = static_cast<uint8_t>(((1u << p.scales) - 1) << id);
    const bool written =
        (memory.states(lane)[column] >> 4 & bits) == (memory.states(other)[column] >> 4 & bits);
    if (mine == copy && written)
      return Flow::Next;
    return origin.trap(
        Check::T10,
        fmt::format("scale factors of row {} of {}: lane {} has 0x{:x} and lane {} {}; each 32 "
                    "lanes need a copy (tcgen05.cp.32x128b.warpx4 makes them)",
                    line, name, lane, mine >> (8 * id), other,
                    written ? fmt::format("0x{:x}", copy >> (8 * id)) : "was not written"));
  }

  // ---- D
  // -----------------------------------------------------------------------------------------

  bool isDisabled(unsigned cta, uint32_t lane) const {
    return (p.disabled[4 * cta + lane / 32] >> (lane % 32)) & 1;
  }
  uint32_t columnOf(unsigned half) const {
    return p.d.column + (p.path == DataPath::B ? 0 : half * columns);
  }
  bool halfResult() const { return p.shape.d == MmaType::F16; }

  Flow gatherD(unsigned index, unsigned half) {
    const size_t size = size_t{rows} * columns;
    integers() ? scratch.integersD.assign(size, 0) : scratch.d.assign(size, 0);
    if (!p.accumulates)
      return Flow::Next;
    const TensorMemory &memory = tensorCoreOf(*p.ctas[index]).memory;
    const float factor = std::ldexp(1.0f, -static_cast<int>(p.scaleInput));
    for (uint32_t row = 0; row < rows; ++row) {
      const uint32_t lane = laneOf(p.path, row, half == 1, p.d.lane), column = columnOf(half);
      const uint32_t *cells = memory.row(lane) + column;
      const uint8_t *states = memory.states(lane) + column;
      if (const void *bad = std::memchr(states, TensorMemory::unwritten, columns);
          bad && !isDisabled(index, lane)) {
        const auto at = static_cast<uint32_t>(static_cast<const uint8_t *>(bad) - states);
        if (origin.trap(Check::T4, fmt::format("adds to D, and lane {}, column {} of it was never "
                                               "written; the first product of a sum has "
                                               "enable-input-d false",
                                               lane, column + at)) == Flow::Trap)
          return Flow::Trap;
      }
      if (integers()) {
        std::memcpy(&scratch.integersD[size_t{row} * columns], cells, size_t{columns} * 4);
        continue;
      }
      float *out = &scratch.d[size_t{row} * columns];
      if (halfResult())
        for (uint32_t i = 0; i < columns; ++i)
          out[i] = numerics::f16ToF32(static_cast<uint16_t>(cells[i]));
      else
        std::memcpy(out, cells, size_t{columns} * 4);
      if (p.scaleInput != 0)
        for (uint32_t i = 0; i < columns; ++i)
          out[i] *= factor;
    }
    return Flow::Next;
  }

  void scatterD(unsigned index, unsigned half, const Lines &rowsTainted,
                const Lines &columnsTainted) {
    TensorMemory &memory = tensorCoreOf(*p.ctas[index]).memory;
    for (uint32_t row = 0; row < rows; ++row) {
      const uint32_t lane = laneOf(p.path, row, half == 1, p.d.lane), column = columnOf(half);
      if (isDisabled(index, lane))
        continue;
      uint32_t *cells = memory.row(lane) + column;
      if (integers()) {
        std::memcpy(cells, &scratch.integersD[size_t{row} * columns], size_t{columns} * 4);
      } else if (halfResult()) {
        for (uint32_t i = 0; i < columns; ++i)
          cells[i] = numerics::f32ToF16(scratch.d[size_t{row} * columns + i]);
      } else {
        std::memcpy(cells, &scratch.d[size_t{row} * columns], size_t{columns} * 4);
      }
      markRow(memory.states(lane) + column, rowsTainted[row], columnsTainted);
    }
  }

  /// Uninitialised rows of A, columns of B and elements of the old D make elements of D so.
  void markRow(uint8_t *states, bool rowTainted, const Lines &columnsTainted) const {
    if (rowTainted) {
      std::memset(states, TensorMemory::tainted, columns);
      return;
    }
    if (!p.accumulates)
      std::memset(states, TensorMemory::initialised, columns);
    if (columnsTainted.none())
      return;
    for (uint32_t i = 0; i < columns; ++i)
      if (columnsTainted[i])
        states[i] = TensorMemory::tainted;
  }

  // ---- the product
  // ------------------------------------------------------------------------------

  /// All columns of the rows of one CTA.
  Flow multiplyRows(unsigned index) {
    Cta &cta = *p.ctas[index];
    Lines rowsTainted;
    if (gatherA(index, false, rowsTainted) == Flow::Trap)
      return Flow::Trap;
    if (p.scales != 0 && gatherScales(cta, "A", p.scaleColumnA, p.shape.scaleIdA, 0, rows, 0, 4,
                                      rowsTainted, scalesA) == Flow::Trap)
      return Flow::Trap;
    for (unsigned half = 0; half < count; ++half) {
      // Layout B has a copy of A for its upper lanes.
      if (p.tensorA && p.path == DataPath::B && half == 1) {
        rowsTainted.reset();
        if (gatherA(index, true, rowsTainted) == Flow::Trap)
          return Flow::Trap;
      }
      Lines columnsTainted = taintedColumns[half];
      if (p.scales != 0 && gatherScalesOfB(cta, half, columnsTainted, scalesB) == Flow::Trap)
        return Flow::Trap;
      if (gatherD(index, half) == Flow::Trap)
        return Flow::Trap;
      multiplyBlock(half);
      scatterD(index, half, rowsTainted, columnsTainted);
    }
    return Flow::Next;
  }

  Flow gatherScalesOfB(Cta &cta, unsigned half, Lines &tainted, std::vector<uint8_t> &out) {
    const bool split = p.path == DataPath::B;
    return gatherScales(cta, "B", p.scaleColumnB, p.shape.scaleIdB, split ? 0 : half * columns,
                        columns, split ? half * 64 : 0, split ? 2 : 4, tainted, out);
  }

  numerics::ScaleFactors scaleFactors() const {
    numerics::ScaleFactors factors;
    factors.format =
        p.shape.scalesAreE4m3 ? numerics::ScaleFormat::UE4M3 : numerics::ScaleFormat::UE8M0;
    factors.blocks = static_cast<int>(p.scales);
    factors.a = scalesA.data();
    factors.b = scalesB.data();
    return factors;
  }

  void multiplyBlock(unsigned half) {
    const numerics::GemmSize size{static_cast<int>(rows), static_cast<int>(columns), p.shape.k};
    if (integers())
      numerics::gemmInteger(size, scratch.integersA.data(), scratch.integersB[half].data(),
                            scratch.integersD.data(), p.shape.saturate);
    else if (p.scales != 0)
      multiplyScaled(launch, p.shape.a, p.shape.b, size, scratch.a.data(), scratch.b[half].data(),
                     scaleFactors(), scratch.d.data());
    else
      multiplyFloats(launch, numerics::TensorUnit::Tcgen05, p.shape.a, p.shape.b, halfResult(),
                     size, scratch.a.data(), scratch.b[half].data(), scratch.d.data());
  }

  const Origin &origin;
  const TensorProduct &p;
  const Launch &launch;
  TensorCore::Scratch &scratch;
  const unsigned count;
  const uint32_t rows, columns; ///< of one CTA; of one half of N
  const uint32_t depth;
  Lines taintedColumns[2];
  std::vector<uint8_t> scalesA, scalesB; ///< codes, `scales` for each row and column
};

} // namespace

Flow multiply(const Origin &origin, const TensorProduct &product) {
  return Execution(origin, product).run();
}

} // namespace msa::ptxsim

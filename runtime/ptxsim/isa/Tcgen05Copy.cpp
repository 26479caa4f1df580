//===- Tcgen05Copy.cpp - PTX ISA 9.7.16.9: tcgen05.cp, tcgen05.shift
//---------------------------------===//
//
// A copy moves rows of 16 or 32 bytes of shared memory, described by a matrix descriptor,
// to lanes of tensor memory; .warpx2 and .warpx4 give several quarters of the lanes the
// same rows. With .cta_group::2 each CTA of the pair copies from its own shared memory, at
// the same offsets (an assumption that CUTLASS and DeepGEMM make too). Optionally 4- and
// 6-bit elements in padded groups become 8-bit containers.
//
// Where .4x256b puts its four rows is only in a figure of the ISA, so it is refused.
//
// A shift moves 32-byte elements of a quarter of the lanes: lane r gets what lane r + 1 held,
// and the last lane keeps its own. The ISA's words ("downwards across all the rows, except
// the last") leave the direction open; this is the one that convolutions need.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/MatrixDescriptor.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/Tcgen05Forms.h"
#include "ptxsim/numerics/Fragments.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace msa::ptxsim {

namespace {

/// Op::mode of tcgen05.cp.
enum class CopyShape : uint8_t { R128x256b, R128x128b, R64Pairs02, R64Pairs01, R32x128b };
/// Op::mode2: the source format.
enum class SourceFormat : uint8_t { Bytes, Fp4, Fp6 };

struct CopyForm {
  CopyShape shape;
  SourceFormat format;
  uint32_t rows() const {
    return shape <= CopyShape::R128x128b ? 128 : shape == CopyShape::R32x128b ? 32 : 64;
  }
  uint32_t rowBytes() const { return shape == CopyShape::R128x256b ? 32 : 16; }
  uint32_t columns() const { return rowBytes() / 4; }
  /// The row that a lane gets.
  uint32_t rowOf(uint32_t lane) const {
    switch (shape) {
    case CopyShape::R64Pairs02:
      return lane % 64;
    case CopyShape::R64Pairs01:
      return lane / 64 * 32 + lane % 32;
    case CopyShape::R32x128b:
      return lane % 32;
    default:
      return lane;
    }
  }
};

/// Rows of bytes with a flag each.
struct Rows {
  std::vector<uint8_t> bytes, known;
};

/// 16-byte groups of packed elements become 16 containers of 8 bits.
void decompress(Rows &rows, SourceFormat format) {
  const auto packed =
      format == SourceFormat::Fp4 ? numerics::PackedRow::B4x16P64 : numerics::PackedRow::B6x16P32;
  const unsigned bits = format == SourceFormat::Fp4 ? 4 : 6;
  for (size_t at = 0; at < rows.bytes.size(); at += 16) {
    std::array<uint8_t, 16> group, known;
    std::memcpy(group.data(), &rows.bytes[at], 16);
    std::memcpy(known.data(), &rows.known[at], 16);
    for (unsigned i = 0; i < 16; ++i) {
      rows.bytes[at + i] = numerics::containerOf(packed, group.data(), static_cast<int>(i));
      rows.known[at + i] = known[i * bits / 8] & known[(i * bits + bits - 1) / 8];
    }
  }
}

class CopyOp final : public AsyncOp {
public:
  CopyOp(const Origin &origin, AsyncId id, const CopyForm &form, const OperandView &view,
         uint32_t column, Cta *const (&ctas)[2], unsigned count)
      : AsyncOp(origin, id), form(form), view(view), column(column), count(count) {
    std::copy_n(ctas, 2, this->ctas);
    queue = origin.cta().rank;
  }
  Flow step() override {
    for (unsigned i = 0; i < count; ++i)
      copy(*ctas[i]);
    return Flow::Next;
  }

private:
  void copy(Cta &cta) {
    Rows rows;
    rows.bytes.resize(size_t{form.rows()} * form.rowBytes());
    rows.known.assign(rows.bytes.size(), 1);
    const Region &shared = cta.sharedRegion;
    view.gatherRows(shared.host, 0, form.rows(), form.rowBytes(), rows.bytes.data());
    if (shared.shadow)
      view.gatherRows(shared.shadow, 0, form.rows(), form.rowBytes(), rows.known.data());
    if (form.format != SourceFormat::Bytes)
      decompress(rows, form.format);
    TensorMemory &memory = tensorCoreOf(cta).memory;
    for (uint32_t lane = 0; lane < tensorLanes; ++lane) {
      const size_t from = size_t{form.rowOf(lane)} * form.rowBytes();
      std::memcpy(memory.row(lane) + column, &rows.bytes[from], form.rowBytes());
      for (uint32_t i = 0; i < form.columns(); ++i) {
        uint8_t known = 0;
        for (unsigned byte = 0; byte < 4; ++byte)
          known |= static_cast<uint8_t>((rows.known[from + 4 * i + byte] & 1) << byte);
        memory.states(lane)[column + i] = static_cast<uint8_t>(TensorMemory::tainted | known);
      }
    }
  }

  const CopyForm form;
  const OperandView view;
  const uint32_t column;
  Cta *ctas[2];
  const unsigned count;
};

/// The lane of a destination or operand that covers all lanes.
Flow checkLaneZero(const Origin &origin, TensorAddress at, const char *what) {
  if (at.lane == 0)
    return Flow::Next;
  return origin.trapAlways(
      "T7", fmt::format("{} is at lane {}; it covers lanes from 0 on", what, at.lane));
}

/// True if all lanes of the mask have the same address and descriptor.
bool sameOperands(const Warp &w, uint32_t mask, uint32_t list, Ref descriptor) {
  const int first = std::countr_zero(mask);
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    if (tensorAddressBits(w, list, lane) != tensorAddressBits(w, list, first) ||
        w.cells<uint64_t>(descriptor)[lane] != w.cells<uint64_t>(descriptor)[first])
      return false;
  }
  return true;
}

Flow issueCopy(Warp &w, const Op &op, int lane) {
  Origin origin = Origin::of(w, lane);
  const CopyForm form{static_cast<CopyShape>(op.mode), static_cast<SourceFormat>(op.mode2)};
  Cta *ctas[2];
  const unsigned count = ctasOfGroup(origin, op.count, ctas);
  if (count == 0)
    return Flow::Trap;
  MatrixDescriptor descriptor;
  std::string wrong;
  if (!MatrixDescriptor::decode(w.cells<uint64_t>(op.b)[lane], DescriptorFormat::Sm100, descriptor,
                                wrong) &&
      origin.trap(Check::D1, "the source's " + wrong) == Flow::Trap)
    return Flow::Trap;
  const TensorAddress to = tensorAddressAt(w, op.target, lane);
  if (checkLaneZero(origin, to, "the destination") == Flow::Trap)
    return Flow::Trap;
  const OperandView view(descriptor, Major::K, 8);
  TensorOp record;
  record.kind = TensorOpKind::Copy;
  record.warp = origin.number();
  record.id = w.cta->order().begin(record.warp, w.pc, lane, "tcgen05.cp", Check::B6);
  OperandUse use;
  use.name = "the source";
  use.rows = form.rows();
  use.kBytes = form.rowBytes();
  use.raw = true;
  use.padded = form.format != SourceFormat::Bytes;
  use.elementBits = form.format == SourceFormat::Fp4 ? 4 : form.format == SourceFormat::Fp6 ? 6 : 8;
  for (unsigned i = 0; i < count; ++i)
    if (checkOperand(origin, *ctas[i], view, use, record.id) == Flow::Trap ||
        tensorCoreOf(*ctas[i]).enter(origin, *ctas[i], record, {to.column, form.columns(), 0xFF},
                                     CellUse::Write, "the destination") == Flow::Trap)
      return Flow::Trap;
  tensorCoreOf(*w.cta).addIssued(w, lane, record.id);
  w.cta->tally.tensorMemoryCopyBytes += uint64_t{form.rows()} * form.rowBytes() * count;
  return w.cta->cluster->async.issue(
      std::make_unique<CopyOp>(origin, record.id, form, view, to.column, ctas, count));
}

/// Op::target: the address; Op::b: the descriptor; Op::mode, mode2: the form; Op::count: CTAs.
Flow copy(Warp &w, const Op &op, uint32_t mask) {
  if (checkTensorAddress(w, op, op.target, mask, "the destination") == Flow::Trap ||
      w.checkTaint(w.taintOf(op.b) & mask, "the source's descriptor", op) == Flow::Trap ||
      checkOneThread(w, mask, sameOperands(w, mask, op.target, op.b)) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t left = mask; left != 0; left &= left - 1)
    if (issueCopy(w, op, std::countr_zero(left)) == Flow::Trap)
      return Flow::Trap;
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// tcgen05.shift
//===----------------------------------------------------------------------===//

constexpr uint32_t shiftColumns = 8;

class ShiftOp final : public AsyncOp {
public:
  ShiftOp(const Origin &origin, AsyncId id, TensorAddress at, Cta *const (&ctas)[2], unsigned count)
      : AsyncOp(origin, id), at(at), count(count) {
    std::copy_n(ctas, 2, this->ctas);
    queue = origin.cta().rank;
  }
  Flow step() override {
    for (unsigned i = 0; i < count; ++i) {
      TensorMemory &memory = tensorCoreOf(*ctas[i]).memory;
      for (uint32_t lane = at.lane; lane < at.lane + 31; ++lane) {
        std::copy_n(memory.row(lane + 1) + at.column, shiftColumns, memory.row(lane) + at.column);
        std::copy_n(memory.states(lane + 1) + at.column, shiftColumns,
                    memory.states(lane) + at.column);
      }
    }
    return Flow::Next;
  }

private:
  const TensorAddress at;
  Cta *ctas[2];
  const unsigned count;
};

Flow issueShift(Warp &w, const Op &op, int lane) {
  Origin origin = Origin::of(w, lane);
  Cta *ctas[2];
  const unsigned count = ctasOfGroup(origin, op.count, ctas);
  if (count == 0)
    return Flow::Trap;
  const TensorAddress at = tensorAddressAt(w, op.target, lane);
  if (at.lane % 32 != 0 || at.lane >= tensorLanes)
    return origin.trapAlways("T7", fmt::format("lane {}; accepted: 0, 32, 64, 96", at.lane));
  TensorOp record;
  record.kind = TensorOpKind::Shift;
  record.warp = origin.number();
  record.id = w.cta->order().begin(record.warp, w.pc, lane, "tcgen05.shift", Check::B6);
  const auto groups = static_cast<uint8_t>(3u << (at.lane / 16));
  for (unsigned i = 0; i < count; ++i)
    if (tensorCoreOf(*ctas[i]).enter(origin, *ctas[i], record, {at.column, shiftColumns, groups},
                                     CellUse::Write, "the matrix") == Flow::Trap)
      return Flow::Trap;
  tensorCoreOf(*w.cta).addIssued(w, lane, record.id);
  return w.cta->cluster->async.issue(std::make_unique<ShiftOp>(origin, record.id, at, ctas, count));
}

Flow shift(Warp &w, const Op &op, uint32_t mask) {
  if (checkTensorAddress(w, op, op.target, mask, "the address") == Flow::Trap)
    return Flow::Trap;
  bool same = true;
  forLanes(mask, [&](int lane) {
    same = same && tensorAddressBits(w, op.target, lane) ==
                       tensorAddressBits(w, op.target, std::countr_zero(mask));
  });
  if (checkOneThread(w, mask, same) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t left = mask; left != 0; left &= left - 1)
    if (issueShift(w, op, std::countr_zero(left)) == Flow::Trap)
      return Flow::Trap;
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// Takes shape and multicast; false after a failure.
bool takeCopyShape(Decoder &d) {
  if (d.take("4x256b"))
    return !d.failLater("shape .4x256b, whose lanes the PTX ISA gives only as a figure");
  const int shape = d.takeOneOf({"128x256b", "128x128b", "64x128b", "32x128b"});
  const int multicast = d.takeOneOf({"warpx2::02_13", "warpx2::01_23", "warpx4"});
  const bool whole = shape <= 1 && multicast < 0, pairs = shape == 2 && multicast <= 1,
             four = shape == 3 && multicast == 2;
  if (shape < 0 || (!whole && !four && (!pairs || multicast < 0)))
    return !d.fail("{}: accepted: .128x256b, .128x128b, .64x128b.warpx2::02_13, "
                   ".64x128b.warpx2::01_23, .32x128b.warpx4",
                   d.spelling());
  const CopyShape found = shape == 0       ? CopyShape::R128x256b
                          : shape == 1     ? CopyShape::R128x128b
                          : four           ? CopyShape::R32x128b
                          : multicast == 0 ? CopyShape::R64Pairs02
                                           : CopyShape::R64Pairs01;
  d.op.mode = static_cast<uint8_t>(found);
  return true;
}

} // namespace

bool decodeTensorCopyToLanes(Decoder &d) {
  d.take("cp");
  d.op.count = static_cast<uint16_t>(takeCtaGroup(d));
  if (d.op.count == 0 || !requireTensorCore(d) || !takeCopyShape(d))
    return true;
  const bool containers = d.take("b8x16");
  const int format = d.takeOneOf({"b4x16_p64", "b6x16_p32"});
  if (containers != (format >= 0))
    return d.fail("{}: accepted: .b8x16.b4x16_p64, .b8x16.b6x16_p32, or neither", d.spelling());
  d.op.mode2 = static_cast<uint8_t>(format + 1);
  if (!d.expectOperands(2))
    return true;
  d.op.target = appendTensorAddress(d, d.operand(0));
  d.op.b = d.source(1, *dataTypeFromWord("b64"));
  d.set(&copy, OpClass::Copy);
  return true;
}

bool decodeTensorShift(Decoder &d) {
  d.take("shift");
  d.op.count = static_cast<uint16_t>(takeCtaGroup(d));
  if (d.op.count == 0 || !requireTensorCore(d))
    return true;
  if (!d.take("down"))
    return d.fail("{}: accepted: tcgen05.shift.cta_group.down", d.spelling());
  if (!d.expectOperands(1))
    return true;
  d.op.target = appendTensorAddress(d, d.operand(0));
  d.set(&shift, OpClass::Copy);
  return true;
}

} // namespace msa::ptxsim

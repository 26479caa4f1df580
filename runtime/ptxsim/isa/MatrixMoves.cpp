//===- MatrixMoves.cpp - PTX ISA 9.7.14.5.15 to .17: ldmatrix, stmatrix, movmatrix --------===//
//
// Threads give row addresses, 16 bytes a row; which lane gets which byte is
// numerics/Fragments.h. The tables are asked once, when the instruction is decoded.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Access.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/MemoryForms.h"
#include "ptxsim/numerics/Fragments.h"

#include <cstring>
#include <optional>

namespace msa::ptxsim {

using namespace numerics;

namespace {

/// How ldmatrix unpacks rows; Op::psrc.
enum Unpacking : uint16_t { plainRows, packedRowsB4, packedRowsB6 };

/// True when the whole warp executes the instruction; else asks for it.
bool isWholeWarp(Warp &w, uint32_t mask) {
  if (mask == w.alive || !w.cta->launch->checks.on(Check::X1))
    return true;
  w.need = w.alive;
  return false;
}

struct Rows {
  uint8_t bytes[32][16] = {};
  uint8_t shadow[32][16];
  bool tainted = false;
};

/// Op::count: matrices; Op::target: list of destinations, then registersPerMatrix * 128 words of
/// row << 8 | element.
Flow loadMatrix(Warp &w, const Op &op, uint32_t mask) {
  if (!isWholeWarp(w, mask))
    return Flow::Converge;
  auto shape = static_cast<MatrixShape>(op.pdst >> 1);
  const unsigned perMatrix = static_cast<unsigned>(registersPerMatrix(shape)),
                 addresses = static_cast<unsigned>(addressesPerMatrix(shape));
  const uint32_t lanesWithRows =
      op.count * addresses >= 32 ? fullMask : (1u << (op.count * addresses)) - 1;
  Rows rows;
  std::memset(rows.shadow, 1, sizeof(rows.shadow));
  uint32_t skipped = 0;
  Flow flow =
      access(w, op, mask & lanesWithRows, 16, 16, AccessKind::Read, skipped,
             [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
               uint32_t tainted = 0;
               if (region.shadow && loadTaint(w, region, offsets, lanes, 16, tainted) == Flow::Trap)
                 return Flow::Trap;
               rows.tainted = rows.tainted || tainted != 0;
               forLanes(lanes, [&](int lane) {
                 std::memcpy(rows.bytes[lane], hostOf(region, offsets, lane), 16);
                 if (tainted)
                   std::memcpy(rows.shadow[lane], shadowOf(region, offsets, lane), 16);
               });
               return Flow::Next;
             });
  if (flow != Flow::Next)
    return flow;
  const uint32_t *refs = &w.program->lists[op.target], *map = refs + op.count * perMatrix;
  for (unsigned matrix = 0; matrix < op.count; ++matrix)
    for (unsigned reg = 0; reg < perMatrix; ++reg) {
      uint32_t *out = w.cells<uint32_t>(refs[matrix * perMatrix + reg]), taint = 0;
      forLanes(mask, [&](int lane) {
        uint32_t word = 0;
        for (unsigned byte = 0; byte < 4; ++byte) {
          uint32_t place = map[(reg * 32 + static_cast<unsigned>(lane)) * 4 + byte],
                   row = matrix * addresses + (place >> 8), element = place & 0xFF;
          uint8_t value =
              op.psrc == plainRows
                  ? rows.bytes[row][element]
                  : containerOf(op.psrc == packedRowsB4 ? PackedRow::B4x16P64 : PackedRow::B6x16P32,
                                rows.bytes[row], static_cast<int>(element), false);
          word |= uint32_t{value} << (8 * byte);
          const uint32_t bits = op.psrc == plainRows      ? 8
                                : op.psrc == packedRowsB4 ? 4
                                                          : 6,
                         first = element * bits / 8, last = (element * bits + bits - 1) / 8;
          if (rows.tainted && (rows.shadow[row][first] == 0 || rows.shadow[row][last] == 0))
            taint |= 1u << lane;
        }
        out[lane] = word;
      });
      w.setTaint(refs[matrix * perMatrix + reg], mask, taint);
    }
  return Flow::Next;
}

Flow storeMatrix(Warp &w, const Op &op, uint32_t mask) {
  if (!isWholeWarp(w, mask))
    return Flow::Converge;
  auto shape = static_cast<MatrixShape>(op.pdst >> 1);
  const unsigned perMatrix = static_cast<unsigned>(registersPerMatrix(shape)),
                 addresses = static_cast<unsigned>(addressesPerMatrix(shape));
  const uint32_t lanesWithRows =
      op.count * addresses >= 32 ? fullMask : (1u << (op.count * addresses)) - 1;
  const uint32_t *refs = &w.program->lists[op.target], *map = refs + op.count * perMatrix;
  Rows rows;
  std::memset(rows.shadow, 1, sizeof(rows.shadow));
  for (unsigned matrix = 0; matrix < op.count; ++matrix)
    for (unsigned reg = 0; reg < perMatrix; ++reg) {
      const uint32_t *in = w.cells<uint32_t>(refs[matrix * perMatrix + reg]),
                     taint = w.taintOf(refs[matrix * perMatrix + reg]);
      forLanes(mask, [&](int lane) {
        for (unsigned byte = 0; byte < 4; ++byte) {
          uint32_t place = map[(reg * 32 + static_cast<unsigned>(lane)) * 4 + byte],
                   row = matrix * addresses + (place >> 8);
          rows.bytes[row][place & 0xFF] = static_cast<uint8_t>(in[lane] >> (8 * byte));
          if ((taint >> lane) & 1)
            rows.shadow[row][place & 0xFF] = 0;
        }
      });
    }
  uint32_t skipped = 0;
  return access(w, op, mask & lanesWithRows, 16, 16, AccessKind::Write, skipped,
                [&](const Region &region, const LaneOffsets &offsets, uint32_t lanes) {
                  forLanes(lanes, [&](int lane) {
                    std::memcpy(hostOf(region, offsets, lane), rows.bytes[lane], 16);
                    if (region.shadow)
                      std::memcpy(shadowOf(region, offsets, lane), rows.shadow[lane], 16);
                  });
                  return Flow::Next;
                });
}

/// The matrix shape and how rows are packed, from the modifiers.
std::optional<MatrixShape> takeShape(Decoder &d, bool load, bool trans, uint16_t &unpacking) {
  unpacking = plainRows;
  if (d.take("m8n8"))
    return d.take("b16") ? std::optional(MatrixShape::M8N8B16) : std::nullopt;
  int packed = load ? d.takeOneOf({"b4x16_p64", "b6x16_p32"}) : -1;
  if (packed >= 0) {
    unpacking = static_cast<uint16_t>(packed + 1);
    if (!d.take("b8x16"))
      return std::nullopt;
    d.require(86, 100, "packed rows");
    if (d.take("m16n16"))
      return trans ? std::optional(MatrixShape::M16N16B8) : std::nullopt;
    return d.take("m8n16") && !trans ? std::optional(MatrixShape::M8N16B8) : std::nullopt;
  }
  if (!d.take("b8") || !trans)
    return std::nullopt;
  d.require(86, 100, ".b8 matrices");
  if (load)
    return d.take("m16n16") ? std::optional(MatrixShape::M16N16B8) : std::nullopt;
  return d.take("m16n8") ? std::optional(MatrixShape::M16N8B8) : std::nullopt;
}

bool decodeMatrixMove(Decoder &d, bool load) {
  bool sync = d.take("sync") && d.take("aligned");
  int number = d.takeOneOf({"x1", "x2", "x4"});
  bool trans = d.take("trans");
  uint16_t unpacking = 0;
  auto shape = takeShape(d, load, trans, unpacking);
  // Without a state space the address is generic.
  StateSpace space =
      d.takeOneOf({"shared", "shared::cta"}) < 0 ? StateSpace::Generic : StateSpace::Shared;
  if (d.has("shared::cluster"))
    return d.failLater("matrices in other CTAs' shared memory");
  if (!sync || number < 0 || !shape)
    return d.failed() || d.fail("{}: accepted: {}.sync.aligned with .m8n8 .b16 and .x1, .x2, .x4, "
                                "optional .trans, .shared; on sm_100 also .b8 forms",
                                d.spelling(), d.inst.opcode);
  if (!d.expectOperands(2))
    return true;
  unsigned count = 1u << number, perMatrix = static_cast<unsigned>(registersPerMatrix(*shape));
  if (count * static_cast<unsigned>(addressesPerMatrix(*shape)) > 32)
    return d.fail("{}: too many matrices for this shape", d.spelling());
  const Operand &registers = d.operand(load ? 0 : 1);
  DataType word = *dataTypeFromWord("b32");
  std::vector<uint32_t> refs;
  auto take = [&](const Operand &o) {
    refs.push_back(load ? d.destination(o, word) : d.source(o, word));
  };
  if (registers.kind == Operand::Kind::Vector)
    for (const Operand &child : registers.children)
      take(child);
  else
    take(registers);
  if (refs.size() != count * perMatrix)
    return d.fail("{}: a vector of {} registers is expected", d.spelling(), count * perMatrix);
  setAddress(d, d.operand(load ? 1 : 0), space, 0);
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  for (uint32_t ref : refs)
    d.appendList(ref);
  for (unsigned reg = 0; reg < perMatrix; ++reg)
    for (int lane = 0; lane < 32; ++lane)
      for (int byte = 0; byte < 4; ++byte) {
        MatrixByte place = matrixByte(*shape, trans, lane, static_cast<int>(reg), byte);
        d.appendList(uint32_t{place.row} << 8 | place.element);
      }
  d.op.count = static_cast<uint16_t>(count);
  d.op.pdst = static_cast<uint16_t>(static_cast<unsigned>(*shape) << 1 | trans);
  d.op.psrc = unpacking;
  d.program().sawAccess(StateSpace::Shared, 16);
  d.set(load ? &loadMatrix : &storeMatrix, OpClass::Matrix);
  return true;
}

Flow transposeMatrix(Warp &w, const Op &op, uint32_t mask) {
  if (!isWholeWarp(w, mask))
    return Flow::Converge;
  alignas(64) uint32_t source[32];
  std::memcpy(source, w.cells<uint32_t>(op.a), sizeof(source));
  uint32_t *out = w.cells<uint32_t>(op.dst), from = w.taintOf(op.a), tainted = 0;
  forLanes(mask, [&](int lane) {
    uint32_t word = 0;
    for (int half = 0; half < 2; ++half) {
      HalfSlot slot = movmatrixSource(lane, half);
      word |= ((source[slot.lane] >> (16 * slot.half)) & 0xFFFF) << (16 * half);
      tainted |= (from >> slot.lane) & 1 ? 1u << lane : 0;
    }
    out[lane] = word;
  });
  w.setTaint(op.dst, mask, tainted);
  return Flow::Next;
}

} // namespace

bool decodeLdmatrix(Decoder &d) { return decodeMatrixMove(d, true); }
bool decodeStmatrix(Decoder &d) { return decodeMatrixMove(d, false); }

bool decodeMovmatrix(Decoder &d) {
  for (std::string_view word : {"sync", "aligned", "m8n8", "trans"})
    if (!d.take(word))
      return d.fail("{}: accepted: movmatrix.sync.aligned.m8n8.trans.b16", d.spelling());
  if (!d.take("b16") || !d.expectOperands(2))
    return d.failed() || d.fail("{}: .b16 is missing", d.spelling());
  DataType word = *dataTypeFromWord("b32");
  d.op.dst = d.destination(0, word);
  d.op.a = d.source(1, word);
  d.set(&transposeMatrix, OpClass::Matrix);
  return true;
}

} // namespace msa::ptxsim

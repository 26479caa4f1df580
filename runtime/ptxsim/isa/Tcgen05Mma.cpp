//===- Tcgen05Mma.cpp - PTX ISA 9.7.16.10: tcgen05.mma
//------------------------------------------------===//
//
// One thread starts a product of whole matrices: A from shared or tensor memory, B from
// shared memory, D (and scale factors) in tensor memory. Everything that can be wrong with
// the operands, and the order with other operations, is judged when it is issued; the
// product itself (Tcgen05Product.h) runs when the queue of the tensor core gets to it.
//
// .sp, .ws and K = 96 are refused. Collector usage only permits reuse, so it changes
// nothing here.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/Product.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/Tcgen05Forms.h"
#include "ptxsim/isa/Tcgen05Product.h"

#include <bit>

namespace msa::ptxsim {

namespace {

/// Words of the operand list, from Op::target on. Op::a, b, c: descriptors of A and B, instruction
/// descriptor; Op::psrc: enable-input-d; Op::immediate: scale-input-d; Op::count: CTAs.
enum ListWord : unsigned {
  addressD = 0,
  addressA = 2,
  addressScaleA = 4,
  addressScaleB = 6,
  laneRefs = 8, ///< eight
  listWords = 16
};
/// Op::mode.
enum ProductBits : uint8_t {
  tensorABit = 1,
  shiftBit = 2,
  negatedBit = 4,  ///< of the predicate
  constantBit = 8, ///< enable-input-d is a constant: set, it is true
  alwaysBit = 16,
  lanesBit = 32, ///< disable-output-lane is there
};
/// Op::mode2: the kind in the low four bits, the scale factors of a row above.

class MmaOp final : public AsyncOp {
public:
  MmaOp(const Origin &origin, AsyncId id, const TensorProduct &product)
      : AsyncOp(origin, id), product(product) {
    queue = origin.cta().rank;
  }
  Flow step() override { return multiply(origin, product); }

private:
  const TensorProduct product;
};

/// Lanes that hold rows of D (and of A in tensor memory), in groups of 16.
uint8_t groupsOf(DataPath path, uint32_t lane) {
  if (path != DataPath::F)
    return 0xFF;
  return lane == 0 ? 0x55 : 0xAA;
}

/// Reads and judges the operands of one tcgen05.mma.
class Issue {
public:
  Issue(const Origin &origin, const Op &op)
      : origin(origin), w(*origin.warp), op(op), lane(origin.lane) {}

  Flow run() {
    if (readForm() == Flow::Trap || readCtas() == Flow::Trap || readDescriptors() == Flow::Trap ||
        readAddresses() == Flow::Trap || judgeOverlap() == Flow::Trap)
      return Flow::Trap;
    readLanes();
    record.kind = TensorOpKind::Mma;
    record.warp = origin.number();
    record.accumulator = p.d.lane << 16 | p.d.column;
    record.shape = static_cast<uint32_t>(p.shape.m) << 16 | static_cast<uint32_t>(p.shape.n) << 4 |
                   static_cast<uint32_t>(p.shape.d == MmaType::F16);
    record.id = w.cta->order().begin(record.warp, w.pc, lane, "tcgen05.mma", Check::B6);
    for (unsigned i = 0; i < p.group; ++i)
      if (enter(*p.ctas[i]) == Flow::Trap)
        return Flow::Trap;
    tensorCoreOf(*w.cta).addIssued(w, lane, record.id);
    count();
    return w.cta->cluster->async.issue(std::make_unique<MmaOp>(origin, record.id, p));
  }

private:
  Flow readForm() {
    p.kind = static_cast<MmaKind>(op.mode2 & 15);
    p.scales = op.mode2 >> 4;
    p.group = op.count;
    p.tensorA = op.mode & tensorABit;
    p.shiftsA = op.mode & shiftBit;
    p.accumulates = op.mode & constantBit
                        ? (op.mode & alwaysBit) != 0
                        : ((w.predicates[op.psrc] >> lane) & 1) != ((op.mode & negatedBit) != 0);
    p.scaleInput = static_cast<uint32_t>(op.immediate);
    const InstructionDescriptor::Context context{p.kind, p.group, p.scales, p.tensorA};
    std::string wrong;
    if (!InstructionDescriptor::decode(w.cells<uint32_t>(op.c)[lane], context, p.shape, wrong))
      return origin.trapAlways("D5", wrong);
    p.path = dataPathOf(p.shape.m, p.group);
    if (p.shiftsA && p.path != DataPath::D && p.path != DataPath::A && p.path != DataPath::B)
      return origin.trapAlways("D5",
                               fmt::format("M is {}; accepted with .ashift: 128, 256", p.shape.m));
    return Flow::Next;
  }

  Flow readCtas() {
    Cta *ctas[2];
    if (ctasOfGroup(origin, p.group, ctas) == 0)
      return Flow::Trap;
    // By rank: the even CTA has the first rows and columns.
    const bool odd = p.group == 2 && ctas[0]->rank % 2 == 1;
    p.ctas[0] = ctas[odd ? 1 : 0];
    p.ctas[1] = ctas[odd ? 0 : 1];
    return Flow::Next;
  }

  Flow readView(Ref ref, bool transposed, MmaType type, OperandView &view, OperandUse &use,
                uint32_t rows) {
    MatrixDescriptor d;
    std::string wrong;
    if (!MatrixDescriptor::decode(w.cells<uint64_t>(ref)[lane], DescriptorFormat::Sm100, d,
                                  wrong) &&
        origin.trap(Check::D1, fmt::format("{}: {}", use.name, wrong)) == Flow::Trap)
      return Flow::Trap;
    const bool wide = p.kind == MmaKind::Tf32;
    if (transposed && (d.swizzle == Swizzle::B128Atom32) != wide)
      return origin.trapAlways("D5", fmt::format("{} is transposed; accepted with kind::{}: {}",
                                                 use.name, toString(p.kind),
                                                 wide ? "only the 128B swizzle of 32-byte atoms"
                                                      : "every swizzle but 128B of 32-byte atoms"));
    const bool narrow = type == MmaType::E2M1 || type == MmaType::E2M3 || type == MmaType::E3M2;
    const bool packed = isPackedFp4(p.kind);
    const unsigned bits = wide ? 32 : p.kind == MmaKind::F16 ? 16 : 8;
    view = OperandView(d, transposed ? Major::Mn : Major::K, bits);
    use.rows = rows;
    use.kBytes = bytesOfRow;
    use.padded = narrow && !packed;
    use.elementBits = static_cast<uint8_t>(!narrow ? bits : type == MmaType::E2M1 ? 4 : 6);
    return Flow::Next;
  }

  Flow readDescriptors() {
    p.useA.name = "A";
    p.useB.name = "B";
    if (!p.tensorA && readView(op.a, p.shape.transposeA, p.shape.a, p.viewA, p.useA,
                               rowsOfCta(p.path)) == Flow::Trap)
      return Flow::Trap;
    return readView(op.b, p.shape.transposeB, p.shape.b, p.viewB, p.useB,
                    static_cast<uint32_t>(p.shape.n) / p.group);
  }

  /// An address whose lane must be 0 (layout F: 0 or 16).
  Flow readAddress(unsigned word, const char *name, bool scales, TensorAddress &at) {
    uint32_t bits = tensorAddressBits(w, op.target + word, lane);
    // Software keeps SFA_ID and SFB_ID in the top bits of the address.
    if (scales)
      bits &= 0x3FFFFFFF;
    at = TensorAddress::unpack(bits);
    const bool half = p.path == DataPath::F && !scales;
    if (at.lane == 0 || (half && at.lane == 16))
      return Flow::Next;
    return origin.trapAlways("T7", fmt::format("{} is at lane {}; accepted with M = {}: {}", name,
                                               at.lane, p.shape.m, half ? "0, 16" : "0"));
  }

  Flow readAddresses() {
    if (readAddress(addressD, "D", false, p.d) == Flow::Trap)
      return Flow::Trap;
    if (p.tensorA) {
      if (readAddress(addressA, "A", false, p.a) == Flow::Trap)
        return Flow::Trap;
      if (p.a.lane != p.d.lane)
        return origin.trapAlways("T7", fmt::format("A is at lane {} and D at lane {}; with M = 64 "
                                                   "both must be at the same",
                                                   p.a.lane, p.d.lane));
    }
    if (p.scales == 0)
      return Flow::Next;
    TensorAddress a, b;
    if (readAddress(addressScaleA, "scale-A", true, a) == Flow::Trap ||
        readAddress(addressScaleB, "scale-B", true, b) == Flow::Trap)
      return Flow::Trap;
    p.scaleColumnA = a.column;
    p.scaleColumnB = b.column;
    return Flow::Next;
  }

  uint32_t widthOfD() const { return columnsOfD(p.path, static_cast<uint32_t>(p.shape.n)); }
  uint32_t widthOfScalesA() const { return columnsOfScales(rowsOfCta(p.path)); }
  uint32_t widthOfScalesB() const { return columnsOfScales(scaleRowsOfB(p)); }

  /// D is written while the others are read (T9).
  Flow judgeOverlap() {
    auto overlaps = [&](uint32_t column, uint32_t columns) {
      return column < p.d.column + widthOfD() && p.d.column < column + columns;
    };
    const char *other = nullptr;
    uint32_t column = 0, columns = 0;
    auto look = [&](const char *name, uint32_t first, uint32_t width) {
      if (!other && overlaps(first, width)) {
        other = name;
        column = first;
        columns = width;
      }
    };
    if (p.tensorA)
      look("A", p.a.column, columnsOfTensorA);
    if (p.scales != 0) {
      look("scale-A", p.scaleColumnA, widthOfScalesA());
      look("scale-B", p.scaleColumnB, widthOfScalesB());
    }
    if (!other)
      return Flow::Next;
    return origin.trap(Check::T9, fmt::format("D (columns {} to {} of tensor memory) overlaps {} "
                                              "(columns {} to {})",
                                              p.d.column, p.d.column + widthOfD() - 1, other,
                                              column, column + columns - 1));
  }

  void readLanes() {
    if (!(op.mode & lanesBit))
      return;
    const uint32_t *refs = &w.program->lists[op.target + laneRefs];
    for (unsigned i = 0; i < 4 * p.group; ++i)
      p.disabled[i] = w.cells<uint32_t>(refs[i])[lane];
  }

  /// Enters the operands in what is remembered of a CTA's memories.
  Flow enter(Cta &cta) {
    TensorCore &core = tensorCoreOf(cta);
    if (!p.tensorA && checkOperand(origin, cta, p.viewA, p.useA, record.id) == Flow::Trap)
      return Flow::Trap;
    if (checkOperand(origin, cta, p.viewB, p.useB, record.id) == Flow::Trap)
      return Flow::Trap;
    const uint8_t groups = groupsOf(p.path, p.d.lane);
    if (p.tensorA && core.enter(origin, cta, record, {p.a.column, columnsOfTensorA, groups},
                                CellUse::Operand, "A") == Flow::Trap)
      return Flow::Trap;
    if (p.scales != 0 && (core.enter(origin, cta, record, {p.scaleColumnA, widthOfScalesA(), 0xFF},
                                     CellUse::Read, "scale-A") == Flow::Trap ||
                          core.enter(origin, cta, record, {p.scaleColumnB, widthOfScalesB(), 0xFF},
                                     CellUse::Read, "scale-B") == Flow::Trap))
      return Flow::Trap;
    return core.enter(origin, cta, record, {p.d.column, widthOfD(), groups},
                      p.accumulates ? CellUse::Accumulate : CellUse::Write, "D");
  }

  void count() {
    Tally &tally = w.cta->tally;
    ProductKind kind = p.kind == MmaKind::Mxf8f6f4 ? ProductKind::Mxfp8
                       : isPackedFp4(p.kind)       ? ProductKind::Mxfp4
                                                   : productKindOf(p.shape.a);
    tally.countProduct(kind, static_cast<uint64_t>(p.shape.m) * static_cast<uint64_t>(p.shape.n) *
                                 static_cast<uint64_t>(p.shape.k));
    tally.operandBytes += uint64_t{bytesOfRow} * (static_cast<uint64_t>(p.shape.n) +
                                                  (p.tensorA ? 0u : uint64_t(p.shape.m)));
  }

  const Origin &origin;
  Warp &w;
  const Op &op;
  const int lane;
  TensorProduct p;
  TensorOp record;
};

/// True if all lanes of the mask name the same D, B and instruction descriptor.
bool sameProduct(const Warp &w, const Op &op, uint32_t mask) {
  const int first = std::countr_zero(mask);
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    if (tensorAddressBits(w, op.target + addressD, lane) !=
            tensorAddressBits(w, op.target + addressD, first) ||
        w.cells<uint64_t>(op.b)[lane] != w.cells<uint64_t>(op.b)[first] ||
        w.cells<uint32_t>(op.c)[lane] != w.cells<uint32_t>(op.c)[first])
      return false;
  }
  return true;
}

Flow checkOperands(Warp &w, const Op &op, uint32_t mask) {
  const uint32_t *words = &w.program->lists[op.target];
  uint32_t tainted = w.taintOf(words[addressD]) | w.taintOf(op.b) | w.taintOf(op.c);
  tainted |= op.mode & tensorABit ? w.taintOf(words[addressA]) : w.taintOf(op.a);
  if (op.mode2 >> 4)
    tainted |= w.taintOf(words[addressScaleA]) | w.taintOf(words[addressScaleB]);
  if (op.mode & lanesBit)
    for (unsigned i = 0; i < 4u * op.count; ++i)
      tainted |= w.taintOf(words[laneRefs + i]);
  if (!(op.mode & constantBit))
    tainted |= w.predicateTaint[op.psrc];
  return w.checkTaint(tainted & mask, "an operand of this product", op);
}

Flow issueProducts(Warp &w, const Op &op, uint32_t mask) {
  if (checkOperands(w, op, mask) == Flow::Trap ||
      checkOneThread(w, mask, sameProduct(w, op, mask)) == Flow::Trap)
    return Flow::Trap;
  for (uint32_t left = mask; left != 0; left &= left - 1) {
    Origin origin = Origin::of(w, std::countr_zero(left));
    if (Issue(origin, op).run() == Flow::Trap)
      return Flow::Trap;
  }
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// Takes .kind, .block_scale and the vector size; false after a failure.
bool takeKind(Decoder &d, MmaKind &kind, unsigned &scales) {
  const int found = d.takeOneOf({"kind::f16", "kind::tf32", "kind::f8f6f4", "kind::i8",
                                 "kind::mxf8f6f4", "kind::mxf4", "kind::mxf4nvf4"});
  if (found < 0)
    return !d.fail("{}: .kind is missing; accepted: .kind::f16, ::tf32, ::f8f6f4, ::i8, "
                   "::mxf8f6f4, ::mxf4, ::mxf4nvf4",
                   d.spelling());
  kind = static_cast<MmaKind>(found);
  const bool blockScale = d.take("block_scale");
  const int size =
      d.takeOneOf({"scale_vec::1X", "scale_vec::2X", "scale_vec::4X", "block16", "block32"});
  if (blockScale != isBlockScaled(kind) || (size >= 0 && !blockScale))
    return !d.fail("{}: .block_scale goes with the kinds mxf8f6f4, mxf4 and mxf4nvf4, and they "
                   "need it",
                   d.spelling());
  scales = 0;
  if (!blockScale)
    return true;
  if (size >= 3)
    d.require(88, 100, ".block16 and .block32");
  if (kind == MmaKind::Mxf4nvf4)
    d.require(87, 100, ".kind::mxf4nvf4");
  const bool one = kind == MmaKind::Mxf8f6f4 && (size < 0 || size == 0 || size == 4);
  const bool two =
      isPackedFp4(kind) && (size == 1 || size == 4 || (size < 0 && kind == MmaKind::Mxf4));
  const bool four = kind == MmaKind::Mxf4nvf4 && (size == 2 || size == 3);
  if (!one && !two && !four)
    return !d.fail("{}: this vector size does not go with the kind; accepted: mxf8f6f4 with "
                   ".scale_vec::1X (.block32), mxf4 with .scale_vec::2X (.block32), mxf4nvf4 with "
                   ".scale_vec::2X (.block32) or .scale_vec::4X (.block16), written out",
                   d.spelling());
  scales = one ? 1 : two ? 2 : 4;
  return true;
}

/// enable-input-d: a predicate, negated or not, or a constant.
void takeInput(Decoder &d, const Operand &o) {
  if (d.isImmediate(o)) {
    d.op.mode |= static_cast<uint8_t>(constantBit | (o.bits != 0 ? alwaysBit : 0));
    return;
  }
  d.op.psrc = d.predicateSource(o);
  if (o.negated)
    d.op.mode |= negatedBit;
}

/// Operands behind the instruction descriptor, for kinds without scale factors: the vector of
/// disabled lanes (maybe), enable-input-d, scale-input-d (maybe).
void takePlainTail(Decoder &d, MmaKind kind, uint32_t *words) {
  unsigned next = 4;
  const Operand &maybeLanes = d.operand(next);
  if (maybeLanes.kind == Operand::Kind::Vector) {
    const size_t wanted = 4u * d.op.count;
    if (maybeLanes.children.size() != wanted) {
      d.failAt(maybeLanes.location,
               fmt::format("{}: disable-output-lane takes {{{} registers}}", d.spelling(), wanted));
      return;
    }
    for (size_t i = 0; i < wanted; ++i)
      words[laneRefs + i] = d.source(maybeLanes.children[i], *dataTypeFromWord("b32"));
    d.op.mode |= lanesBit;
    ++next;
  }
  if (!d.expectOperands(next + 1, next + 2))
    return;
  takeInput(d, d.operand(next++));
  if (next == d.operandCount())
    return;
  if (kind != MmaKind::F16 && kind != MmaKind::Tf32) {
    d.fail("{}: scale-input-d goes with .kind::f16 and .kind::tf32", d.spelling());
    return;
  }
  d.op.immediate = static_cast<int64_t>(d.immediate(d.operand(next), 0, 15));
}

/// The address of an operand in tensor memory, into its words of the list.
void setTensorAddress(Decoder &d, const Operand &o, uint32_t *words) {
  const uint32_t at = appendTensorAddress(d, o);
  if (d.failed())
    return;
  words[0] = d.program().program.lists[at];
  words[1] = d.program().program.lists[at + 1];
}

} // namespace

bool decodeTensorMma(Decoder &d) {
  d.take("mma");
  if (d.has("sp"))
    return d.failLater("sparse products");
  if (d.has("ws"))
    return d.failLater("weight-stationary products (.ws)");
  d.op.count = static_cast<uint16_t>(takeCtaGroup(d));
  MmaKind kind{};
  unsigned scales = 0;
  if (d.op.count == 0 || !requireTensorCore(d) || !takeKind(d, kind, scales))
    return true;
  const bool shift = d.take("ashift");
  const int collector = d.takeOneOf({"collector::a::discard", "collector::a::lastuse",
                                     "collector::a::fill", "collector::a::use"});
  if (!d.expectOperands(5, 7))
    return true;
  d.op.mode2 = static_cast<uint8_t>(static_cast<unsigned>(kind) | scales << 4);
  uint32_t words[listWords] = {};
  setTensorAddress(d, d.operand(0), words + addressD);
  const DataType b64 = *dataTypeFromWord("b64");
  if (d.operand(1).kind == Operand::Kind::Address) {
    d.op.mode |= tensorABit;
    setTensorAddress(d, d.operand(1), words + addressA);
    d.op.a = d.constant(0, 64);
  } else {
    d.op.a = d.source(1, b64);
  }
  if (shift) {
    if (!(d.op.mode & tensorABit) || isBlockScaled(kind) || collector >= 2)
      return d.fail("{}: .ashift goes with A in tensor memory, without .block_scale, and neither "
                    "with .collector::a::fill nor ::use",
                    d.spelling());
    d.op.mode |= shiftBit;
  }
  d.op.b = d.source(2, b64);
  d.op.c = d.source(3, *dataTypeFromWord("b32"));
  if (scales == 0) {
    takePlainTail(d, kind, words);
  } else if (d.expectOperands(7)) {
    setTensorAddress(d, d.operand(4), words + addressScaleA);
    setTensorAddress(d, d.operand(5), words + addressScaleB);
    takeInput(d, d.operand(6));
  }
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  for (uint32_t word : words)
    d.appendList(word);
  d.set(&issueProducts, OpClass::Matrix);
  return true;
}

} // namespace msa::ptxsim

//===- Wgmma.cpp - PTX ISA 9.7.15: wgmma.mma_async, fence, commit_group, wait_group
//----------------===//
//
// Each warp brings its registers and descriptors; the fourth issues the operation of
// the warpgroup (Warpgroup.h). Shared memory is judged for every warp: what one of
// them is not ordered behind, the tensor core may read too early.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/Product.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/Warpgroup.h"
#include "ptxsim/isa/WgmmaProduct.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <initializer_list>

namespace msa::ptxsim {

/// Operand list of wgmma.mma_async: registers of D; of A, or its descriptor; descriptor of B.
/// Op::psrc: the predicate of scale-d (0: true).

WgmmaRegisters registersOfWgmma(const Program &program, uint32_t pc) {
  const Op &op = program.ops[pc];
  if (op.immediate >> 16 == 0) // fence, commit_group, wait_group
    return {};
  const WgmmaForm form = WgmmaForm::of(op);
  const Ref *list = &program.lists[op.target];
  return {{list, form.registersOfD()},
          {list + form.registersOfD(), op.mode & wgmmaRegistersA ? 4u : 0u},
          form.n | form.k << 9 | static_cast<uint32_t>(form.d) << 20};
}

namespace {

/// All lanes of a warp execute these together.
bool isWhole(Warp &w, uint32_t mask) {
  w.need = w.alive;
  return mask == w.alive;
}

/// A descriptor, which has to be the same in all lanes.
Flow uniformDescriptor(Warp &w, Ref ref, const char *what, uint64_t &value) {
  const uint64_t *cells = w.cells<uint64_t>(ref);
  value = cells[0];
  for (int lane = 1; lane < 32; ++lane)
    if (cells[lane] != value)
      return w.trap(Check::D6, lane,
                    fmt::format("{} is 0x{:x} here and 0x{:x} in lane 0; all threads of the "
                                "warpgroup must give the same",
                                what, cells[lane], value));
  return Flow::Next;
}

/// Reads a descriptor; what is wrong with it is D1.
Flow prepare(const Origin &origin, uint64_t bits, const char *name, bool transposed, MmaType type,
             uint32_t rows, WgmmaOperand &operand) {
  MatrixDescriptor descriptor;
  std::string wrong;
  if (!MatrixDescriptor::decode(bits, DescriptorFormat::Sm90, descriptor, wrong) &&
      origin.trap(Check::D1, fmt::format("{}: {}", name, wrong)) == Flow::Trap)
    return Flow::Trap;
  operand.view = OperandView(descriptor, transposed ? Major::Mn : Major::K,
                             static_cast<unsigned>(std::max(8, bitsOf(type))));
  operand.use.name = name;
  operand.use.rows = rows;
  operand.use.kBytes = WgmmaForm::kBytes;
  operand.use.elementBits = static_cast<uint8_t>(bitsOf(type));
  if (checkOperandExtent(origin, origin.cta(), operand.view, operand.use) == Flow::Trap)
    return Flow::Trap;
  return checkOperandTiles(origin, origin.cta(), operand.view, operand.use);
}

/// Bytes between the samples of B that warps other than the issuer look at.
constexpr uint32_t sampleBytes = 512;

/// Enters the operands in the shadow of shared memory, for each of the four warps: its own rows of
/// A, and B. All warps read all of B; the issuing one looks at every granule, the others at a few
/// of each row group, which is enough to miss no tile.
Flow judgeReads(const Origin &origin, const WgmmaProduct &product, bool sharedA) {
  Cta &cta = origin.cta();
  bool wanted = false;
  for (Check check : {Check::P1, Check::P2, Check::P3, Check::P5, Check::P6})
    wanted = wanted || cta.checks(check);
  if (!cta.asyncShadow.enabled() || !wanted)
    return Flow::Next;
  GranuleSet granulesB;
  granulesB.add(product.b.view, 0, product.b.use.rows, WgmmaForm::kBytes);
  for (uint32_t index = 0; index < 4; ++index) {
    Warp &w = cta.warps[origin.warp->index / 4 * 4 + index];
    const Origin mine{&w, origin.pc, -1};
    auto judge = [&](uint32_t offset, uint32_t bytes) {
      return asyncReadsShared(mine, cta, offset, bytes, product.id, AsyncUnit::Tensor) !=
             Flow::Trap;
    };
    uint32_t next = 0;
    auto sample = [&](uint32_t offset, uint32_t bytes) {
      for (uint32_t at = std::max(offset, next); at < offset + bytes; at = next) {
        if (!judge(at, 16))
          return false;
        next = at + sampleBytes;
      }
      return true;
    };
    if (sharedA) {
      GranuleSet granulesA;
      granulesA.add(product.a.view, index * WgmmaForm::rowsOfWarp, WgmmaForm::rowsOfWarp,
                    WgmmaForm::kBytes);
      if (!granulesA.forRuns(judge))
        return Flow::Trap;
    }
    if (!(&w == origin.warp ? granulesB.forRuns(judge) : granulesB.forRuns(sample)))
      return Flow::Trap;
  }
  return Flow::Next;
}

/// The fourth warp has come.
Flow issueProduct(Warp &w, const Op &op, WgmmaCall &call) {
  Cta &cta = *w.cta;
  const WgmmaForm form = WgmmaForm::of(op);
  const bool sharedA = !(op.mode & wgmmaRegistersA);
  const Origin origin = Origin::of(w, -1);
  call.id = cta.order().begin(origin.number(), w.pc, 0, "wgmma.mma_async");
  auto product = std::make_unique<WgmmaProduct>(origin, call.id, op, call.accumulates);
  if (sharedA && prepare(origin, call.a, "A", op.mode & wgmmaTransposeA, form.a, WgmmaForm::rows,
                         product->a) == Flow::Trap)
    return Flow::Trap;
  if (prepare(origin, call.b, "B", op.mode & wgmmaTransposeB, form.b, form.n, product->b) ==
          Flow::Trap ||
      judgeReads(origin, *product, sharedA) == Flow::Trap)
    return Flow::Trap;
  cta.tally.countProduct(productKindOf(form.a), uint64_t{WgmmaForm::rows} * form.n * form.k);
  cta.tally.operandBytes +=
      ((sharedA ? WgmmaForm::rows : 0) + uint64_t{form.n}) * WgmmaForm::kBytes;
  ++cta.cluster->events;
  cta.cluster->wake(Warpgroups::waitKeyOf(w));
  return cta.cluster->async.issue(std::move(product));
}

Flow mmaAsync(Warp &w, const Op &op, uint32_t mask) {
  if (!isWhole(w, mask))
    return Flow::Converge;
  Cta &cta = *w.cta;
  if (w.alive != fullMask || w.index / 4 * 4 + 4 > cta.warps.size())
    return w.trapAlways("X1", std::countr_zero(mask),
                        "wgmma is executed by all 128 threads of a warpgroup: four whole warps, "
                        "the first of a number that is a multiple of four");
  const WgmmaForm form = WgmmaForm::of(op);
  const bool sharedA = !(op.mode & wgmmaRegistersA);
  const Ref *list = &w.program->lists[op.target] + form.registersOfD();
  const Ref descriptorB = list[sharedA ? 1 : 4];
  if (w.checkTaint(w.taintOf(descriptorB) | (sharedA ? w.taintOf(list[0]) : 0),
                   "a matrix descriptor", op) == Flow::Trap ||
      w.checkTaint(w.predicateTaint[op.psrc], "scale-d", op) == Flow::Trap)
    return Flow::Trap;
  WgmmaCall mine;
  mine.pc = w.pc;
  if ((sharedA && uniformDescriptor(w, list[0], "the descriptor of A", mine.a) == Flow::Trap) ||
      uniformDescriptor(w, descriptorB, "the descriptor of B", mine.b) == Flow::Trap)
    return Flow::Trap;
  const uint32_t scale = w.predicates[op.psrc] ^ (op.mode & wgmmaScaleNegated ? fullMask : 0);
  if (scale != 0 && scale != fullMask &&
      w.trap(Check::D6, std::countr_zero(scale), "scale-d differs between lanes of the warp") ==
          Flow::Trap)
    return Flow::Trap;
  mine.accumulates = scale & 1;
  Warpgroups &groups = cta.state<Warpgroups>();
  WgmmaCall *call = nullptr;
  if (groups.enter(w, mine, call) == Flow::Trap ||
      groups.take(w, registersOfWgmma(*w.program, w.pc)) == Flow::Trap)
    return Flow::Trap;
  return call->warps == WgmmaCall::allWarps ? issueProduct(w, op, *call) : Flow::Next;
}

Flow fence(Warp &w, const Op &, uint32_t mask) {
  if (!isWhole(w, mask))
    return Flow::Converge;
  w.cta->state<Warpgroups>().fence(w);
  return Flow::Next;
}

Flow commitGroup(Warp &w, const Op &, uint32_t mask) {
  if (!isWhole(w, mask))
    return Flow::Converge;
  w.cta->state<Warpgroups>().commit(w);
  return Flow::Next;
}

/// Op::target: groups that may stay open.
Flow waitGroup(Warp &w, const Op &op, uint32_t mask) {
  if (!isWhole(w, mask))
    return Flow::Converge;
  return w.cta->state<Warpgroups>().wait(w, op.target);
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

bool takeShape(Decoder &d, WgmmaForm &form) {
  for (const std::string &word : d.inst.modifiers) {
    if (!word.starts_with("m64n"))
      continue;
    const char *at = word.data() + 4, *end = word.data() + word.size();
    auto first = std::from_chars(at, end, form.n);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'k')
      break;
    auto second = std::from_chars(first.ptr + 1, end, form.k);
    if (second.ec != std::errc() || second.ptr != end)
      break;
    d.take(word);
    return true;
  }
  return !d.fail("{}: the shape .m64nNkK is missing", d.spelling());
}

bool isAmong(MmaType type, std::initializer_list<MmaType> types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

/// Shapes and types of PTX ISA 9.7.15.2 and .3.
bool isLegal(const WgmmaForm &f) {
  using T = MmaType;
  const bool integers = f.d == T::S32;
  if (f.n < 8 || f.n > 256 || f.n % 8 != 0 || (integers && f.n > 32 && f.n % 16 != 0) ||
      f.k != 256 / static_cast<uint32_t>(bitsOf(f.a)))
    return false;
  if (isAmong(f.a, {T::S8, T::U8}))
    return isAmong(f.b, {T::S8, T::U8}) && integers;
  if (isAmong(f.a, {T::E4M3, T::E5M2}))
    return isAmong(f.b, {T::E4M3, T::E5M2}) && isAmong(f.d, {T::F16, T::F32});
  if (f.b != f.a)
    return false;
  return f.a == T::B1    ? integers
         : f.a == T::F16 ? isAmong(f.d, {T::F16, T::F32})
                         : isAmong(f.a, {T::BF16, T::TF32}) && f.d == T::F32;
}

/// Takes ".dtype.atype.btype".
bool takeTypes(Decoder &d, WgmmaForm &form) {
  MmaType *types[] = {&form.d, &form.a, &form.b};
  unsigned found = 0;
  for (const std::string &word : d.inst.modifiers)
    if (auto type = mmaTypeFromWord(word)) {
      if (found == 3)
        return !d.fail("{}: three types, of D, A and B, are needed", d.spelling());
      *types[found++] = *type;
      d.take(word);
    }
  if (found != 3)
    return !d.fail("{}: three types, of D, A and B, are needed", d.spelling());
  if (!isLegal(form))
    return !d.fail("{}: there is no product of this shape and these types", d.spelling());
  bool mixed = isAmong(form.a, {MmaType::S8, MmaType::U8}) && form.a != form.b;
  return !mixed || d.require(84, 90, "a product of s8 and u8");
}

/// Appends the registers of D or A. One that is written (D) has to be a register.
bool appendVector(Decoder &d, const Operand &o, uint32_t count, const char *type, bool written) {
  if (o.kind != Operand::Kind::Vector || o.children.size() != count)
    return !d.failAt(o.location, fmt::format("{}: this operand takes a vector of {} registers",
                                             d.spelling(), count));
  for (const Operand &one : o.children)
    d.appendList(written ? d.destination(one, *dataTypeFromWord(type))
                         : d.source(one, *dataTypeFromWord(type)));
  return !d.failed();
}

/// scale-d: a predicate, or 0 or 1.
void takeScaleD(Decoder &d, const Operand &o) {
  d.op.psrc = 0; // always true
  bool negated = o.negated;
  if (d.isPredicate(o))
    d.op.psrc = d.predicateSource(o);
  else
    negated = d.immediate(o, 0, 1) == 0;
  if (negated)
    d.op.mode |= wgmmaScaleNegated;
}

/// The immediates behind scale-d: signs of A and B, then which of them are transposed.
void takeImmediates(Decoder &d, const WgmmaForm &form) {
  unsigned next = 4;
  auto sign = [&](uint8_t bit) {
    const Operand &o = d.operand(next++);
    const auto value = static_cast<int64_t>(o.bits);
    if (!d.isImmediate(o) || (value != 1 && value != -1))
      d.failAt(o.location, fmt::format("{}: the scale of A or B is 1 or -1", d.spelling()));
    else if (value < 0)
      d.op.mode |= bit;
  };
  auto transpose = [&](uint8_t bit) {
    if (d.immediate(d.operand(next++), 0, 1) == 1)
      d.op.mode |= bit;
  };
  if (form.d != MmaType::S32) {
    sign(wgmmaNegateA);
    sign(wgmmaNegateB);
  }
  if (bitsOf(form.a) == 16) {
    if (!(d.op.mode & wgmmaRegistersA))
      transpose(wgmmaTransposeA);
    transpose(wgmmaTransposeB);
  }
}

bool decodeMmaAsync(Decoder &d) {
  WgmmaForm form;
  if (!takeShape(d, form) || !takeTypes(d, form))
    return true;
  const bool floats = form.d != MmaType::S32;
  if (form.a == MmaType::B1 && (!d.take("and") || !d.take("popc")))
    return d.fail("{}: .and.popc is missing", d.spelling());
  if (!floats && form.a != MmaType::B1 && d.take("satfinite"))
    d.op.mode |= wgmmaSaturate;
  const bool registersA = d.operandCount() > 1 && d.operand(1).kind == Operand::Kind::Vector;
  if (!d.expectOperands(4u + 2 * floats + (bitsOf(form.a) == 16 ? 2 - registersA : 0)))
    return true;
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  const char *typeD = form.d == MmaType::F32 ? "f32" : form.d == MmaType::S32 ? "s32" : "b32";
  if (!appendVector(d, d.operand(0), form.registersOfD(), typeD, true))
    return true;
  const DataType descriptor = *dataTypeFromWord("b64");
  if (registersA) {
    d.op.mode |= wgmmaRegistersA;
    if (!appendVector(d, d.operand(1), 4, "b32", false))
      return true;
  } else {
    d.appendList(d.source(1, descriptor));
  }
  d.appendList(d.source(2, descriptor));
  takeScaleD(d, d.operand(3));
  takeImmediates(d, form);
  form.keep(d.op);
  d.program().sawPendingRegisters();
  d.set(&mmaAsync, OpClass::Matrix);
  return true;
}

} // namespace

bool decodeWgmma(Decoder &d) {
  if (d.take("sp"))
    return d.failLater("sparse products");
  if (d.sm() != 90)
    return d.fail("{}: wgmma exists for sm_90a only", d.spelling());
  int which = d.takeOneOf({"mma_async", "fence", "commit_group", "wait_group"});
  if (which < 0 || !d.take("sync") || !d.take("aligned"))
    return d.fail("{}: accepted: wgmma.mma_async, .fence, .commit_group and .wait_group, each with "
                  ".sync.aligned",
                  d.spelling());
  if (which == 0)
    return decodeMmaAsync(d);
  if (!d.expectOperands(which == 3 ? 1 : 0))
    return true;
  if (which == 3)
    d.op.target = static_cast<uint32_t>(d.immediate(d.operand(0), 0, INT32_MAX));
  d.set(which == 1 ? &fence : which == 2 ? &commitGroup : &waitGroup, OpClass::Matrix);
  return true;
}

} // namespace msa::ptxsim

//===- Wgmma.cpp - PTX ISA 9.7.15: wgmma.mma_async, fence, commit_group, wait_group
//----------------------===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/MatrixDescriptor.h"
#include "ptxsim/engine/Product.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"
#include "ptxsim/isa/Warpgroup.h"

#include <algorithm>
#include <bit>
#include <bitset>
#include <charconv>
#include <cstring>

namespace msa::ptxsim {

using namespace numerics;

//===----------------------------------------------------------------------===//
// Registers in flight
//===----------------------------------------------------------------------===//

void Warpgroups::start(Cta &cta) {
  warps.clear();
  for (size_t i = 0; i < cta.warps.size(); ++i)
    warps.push_back(std::make_unique<WarpState>());
  issues.assign((cta.warps.size() + 3) / 4, {});
  firstIssue.assign(issues.size(), 0);
}

void Warpgroups::finish(Cta &cta) {
  for (size_t i = 0; i < warps.size(); ++i) {
    if (warps[i]->flights.empty() || cta.cluster->isStopped)
      continue;
    const Flight &flight = warps[i]->flights.front();
    Origin{&cta.warps[i], flight.pc, -1}.trap(
        Check::W3, "the warp ends without having waited for this (wgmma.commit_group, then "
                   "wgmma.wait_group)");
  }
}

Flow Warpgroups::WarpState::touch(Warp &w, Ref ref, bool writes, uint32_t mask) {
  const Instruction &instruction = w.program->instruction(w.pc);
  if (instruction.opcode == "wgmma")
    return Flow::Next;
  for (const Flight &flight : flights) {
    auto in = [&](const std::vector<Ref> &list) {
      return std::find(list.begin(), list.end(), ref) != list.end();
    };
    bool accumulates = in(flight.accumulators);
    if (!accumulates && !(writes && in(flight.sources)))
      continue;
    return w.trap(
        Check::W2, std::countr_zero(mask),
        fmt::format("{} a register of the {} of the wgmma at line {}, which may still be running; "
                    "wgmma.commit_group and wgmma.wait_group have to come before",
                    writes ? "writes" : "reads", accumulates ? "accumulator" : "operand A",
                    w.program->instruction(flight.pc).location.line));
  }
  if (writes && std::find(dirty.begin(), dirty.end(), ref) == dirty.end())
    dirty.push_back(ref);
  return Flow::Next;
}

namespace {

/// A decoded wgmma.mma_async: what its operand list means.
struct Form {
  int n, k;
  MmaType a, b, d;
};
/// Op::mode.
enum WgmmaBits : uint8_t {
  registersBit = 1, ///< A in registers
  transposeABit = 2,
  transposeBBit = 4,
  negateABit = 8,
  negateBBit = 16,
  saturateBit = 32,
  negatedScaleBit = 64, ///< the predicate of scale-d is negated
};
/// Op::mode2: A's type in the low half, B's in the high half; Op::immediate: D's type, n, k.
/// Operand list: registers of D, of A (or its descriptor), descriptor of B.
/// Op::psrc: the predicate of scale-d.

Form formOf(const Op &op) {
  return {static_cast<int>(op.immediate & 0xFFFF), static_cast<int>(op.immediate >> 16 & 0xFFFF),
          static_cast<MmaType>(op.mode2 & 15), static_cast<MmaType>(op.mode2 >> 4),
          static_cast<MmaType>(op.immediate >> 32)};
}

uint32_t registersOfD(const Form &f) {
  return static_cast<uint32_t>(f.n) / 2 / (f.d == MmaType::F16 ? 2 : 1);
}

/// Rows and columns of element i of lane t of a warp's 16 rows of D (and of 16-bit A).
int rowOf(int t, int i) { return t / 4 + 8 * (i >> 1 & 1); }
int columnOf(int t, int i) { return 8 * (i >> 2) + 2 * (t % 4) + (i & 1); }

/// The bytes of an operand, row-major, 32 of k each, and the rows that hold an uninitialised one.
struct OperandBytes {
  std::vector<uint8_t> bytes;
  std::bitset<256> tainted;
};

/// An operand in shared memory: how it lies there and what is read of it.
struct SharedOperand {
  OperandView view;
  OperandUse use;
  void gather(const Cta &cta, OperandBytes &out) const {
    out.bytes.resize(size_t{use.rows} * use.kBytes);
    view.gatherRows(cta.sharedRegion.host, use.firstRow, use.rows, use.kBytes, out.bytes.data());
    if (cta.sharedRegion.shadow)
      uninitialisedRows(cta, view, use, out.tainted);
  }
};

class WgmmaOp final : public AsyncOp {
public:
  WgmmaOp(const Origin &origin, AsyncId id, const Op &op, bool accumulates)
      : AsyncOp(origin, id), op(op), form(formOf(op)), accumulates(accumulates) {
    // Warps of a CTA have their own queues, behind those of the tensor cores of the CTAs.
    queue = 0x10000 + origin.number();
  }
  SharedOperand operandA, operandB;

  Flow step() override {
    Warp &w = *origin.warp;
    OperandBytes a, b;
    if (op.mode & registersBit)
      gatherRegisters(w, a);
    else
      operandA.gather(origin.cta(), a);
    operandB.gather(origin.cta(), b);
    switch (form.d) {
    case MmaType::S32:
      multiplyInto<int32_t>(w, a, b);
      break;
    default:
      multiplyInto<float>(w, a, b);
      break;
    }
    return Flow::Next;
  }

private:
  const Ref *refs() const { return &origin.warp->program->lists[op.target]; }

  void gatherRegisters(const Warp &w, OperandBytes &out) const {
    const Ref *list = refs() + registersOfD(form);
    out.bytes.assign(16 * 32, 0);
    for (int lane = 0; lane < 32; ++lane)
      for (int r = 0; r < 4; ++r) {
        uint32_t word = w.cells<uint32_t>(list[r])[lane];
        // All element sizes: register r holds 4 bytes of row t/4 (+8) at byte 4*(t%4) (+16).
        int row = lane / 4 + 8 * (r & 1), byte = 4 * (lane % 4) + 16 * (r >> 1);
        std::memcpy(&out.bytes[static_cast<size_t>(row * 32 + byte)], &word, 4);
        if ((w.taintOf(list[r]) >> lane) & 1)
          out.tainted.set(static_cast<size_t>(row));
      }
  }

  template <class T> void multiplyInto(Warp &w, const OperandBytes &a, const OperandBytes &b) {
    const auto n = static_cast<uint32_t>(form.n);
    std::vector<T> d(16 * size_t{n});
    const uint32_t perRegister = form.d == MmaType::F16 ? 2 : 1, count = registersOfD(form);
    const Ref *list = refs();
    if (accumulates)
      for (uint32_t r = 0; r < count; ++r)
        for (int lane = 0; lane < 32; ++lane)
          for (uint32_t half = 0; half < perRegister; ++half) {
            int i = static_cast<int>(r * perRegister + half);
            uint32_t word = w.cells<uint32_t>(list[r])[lane];
            T value;
            if constexpr (std::is_same_v<T, float>)
              value = perRegister == 2 ? f16ToF32(static_cast<uint16_t>(word >> (16 * half)))
                                       : floatOf(word);
            else
              value = static_cast<int32_t>(word);
            d[static_cast<size_t>(rowOf(lane, i)) * n + static_cast<size_t>(columnOf(lane, i))] =
                value;
          }
    compute(a, b, d.data());
    for (uint32_t r = 0; r < count; ++r) {
      uint32_t *cells = w.cells<uint32_t>(list[r]);
      uint32_t tainted = accumulates ? w.taintOf(list[r]) : 0;
      for (int lane = 0; lane < 32; ++lane) {
        uint32_t word = 0;
        for (uint32_t half = 0; half < perRegister; ++half) {
          int i = static_cast<int>(r * perRegister + half), row = rowOf(lane, i),
              column = columnOf(lane, i);
          T value = d[static_cast<size_t>(row) * n + static_cast<size_t>(column)];
          if constexpr (std::is_same_v<T, float>)
            word |= perRegister == 2 ? uint32_t{f32ToF16(value)} << (16 * half) : bitsOf(value);
          else
            word = static_cast<uint32_t>(value);
          if (a.tainted[static_cast<size_t>(row)] || b.tainted[static_cast<size_t>(column)])
            tainted |= 1u << lane;
        }
        cells[lane] = word;
      }
      w.setTaint(list[r], fullMask, tainted);
    }
  }

  void compute(const OperandBytes &a, const OperandBytes &b, float *d) const {
    const auto n = static_cast<uint32_t>(form.n), k = static_cast<uint32_t>(form.k);
    std::vector<float> pa(16 * size_t{k}), pb(size_t{k} * n);
    decodeFloats(form.a, Container::Own, a.bytes.data(), 16, 32, false, pa.data());
    decodeFloats(form.b, Container::Own, b.bytes.data(), n, 32, true, pb.data());
    if (op.mode & negateABit)
      for (float &x : pa)
        x = -x;
    if (op.mode & negateBBit)
      for (float &x : pb)
        x = -x;
    multiplyFloats(*origin.cta().launch, TensorUnit::Wgmma, form.a, form.b, form.d == MmaType::F16,
                   {16, form.n, form.k}, pa.data(), pb.data(), d);
  }

  void compute(const OperandBytes &a, const OperandBytes &b, int32_t *d) const {
    const auto n = static_cast<uint32_t>(form.n);
    if (form.a == MmaType::B1) {
      gemmBits(16, form.n, 8, reinterpret_cast<const uint32_t *>(a.bytes.data()),
               reinterpret_cast<const uint32_t *>(b.bytes.data()), d, false);
      return;
    }
    std::vector<int32_t> pa(16 * 32), pb(32 * size_t{n});
    decodeIntegers(form.a, a.bytes.data(), 16, 32, false, pa.data());
    decodeIntegers(form.b, b.bytes.data(), n, 32, true, pb.data());
    gemmInteger({16, form.n, 32}, pa.data(), pb.data(), d, op.mode & saturateBit);
  }

  const Op op;
  const Form form;
  const bool accumulates;
};

//===----------------------------------------------------------------------===//
// Issuing
//===----------------------------------------------------------------------===//

/// The value of a 64-bit operand that must be the same in all lanes.
bool uniform64(Warp &w, Ref ref, const char *what, uint64_t &value) {
  const uint64_t *cells = w.cells<uint64_t>(ref);
  value = cells[0];
  for (int lane = 1; lane < 32; ++lane)
    if (cells[lane] != value) {
      w.trapAlways("D6", lane, fmt::format("{} differs between lanes of the warp", what));
      return false;
    }
  return true;
}

/// All four warps of the warpgroup must execute the same wgmma with the same operands (D6).
Flow compareWarps(Warp &w, Warpgroups &groups, Warpgroups::WarpState &state,
                  const Warpgroups::Issue &mine) {
  const uint32_t g = w.index / 4;
  std::vector<Warpgroups::Issue> &list = groups.issues[g];
  uint64_t number = state.issued++ - groups.firstIssue[g];
  if (number >= list.size()) {
    list.push_back(mine);
    list.back().warps = static_cast<uint8_t>(1u << (w.index % 4));
    return Flow::Next;
  }
  Warpgroups::Issue &other = list[number];
  if (other.pc != mine.pc || other.a != mine.a || other.b != mine.b || other.scale != mine.scale) {
    std::string what = other.pc != mine.pc         ? "another instruction"
                       : other.scale != mine.scale ? "another scale-d"
                                                   : "other descriptors";
    if (w.trap(Check::D6, 0,
               fmt::format("another warp of the warpgroup executed {} as its wgmma number {} (line "
                           "{}, A 0x{:x}, B 0x{:x}); here A is 0x{:x}, B 0x{:x}",
                           what, number + groups.firstIssue[g] + 1,
                           w.program->instruction(other.pc).location.line, other.a, other.b, mine.a,
                           mine.b)) == Flow::Trap)
      return Flow::Trap;
  }
  other.warps |= static_cast<uint8_t>(1u << (w.index % 4));
  while (!list.empty() && list.front().warps == 15) {
    list.erase(list.begin());
    ++groups.firstIssue[g];
  }
  return Flow::Next;
}

/// W1 and W4: registers that were touched without a fence, or are in flight in another shape.
Flow checkRegisters(Warp &w, const Op &op, Warpgroups::WarpState &state,
                    const Warpgroups::Flight &mine) {
  auto in = [](const std::vector<Ref> &list, Ref ref) {
    return std::find(list.begin(), list.end(), ref) != list.end();
  };
  if (state.issued == 1 && !state.fenced &&
      w.trap(Check::W1, 0,
             "the first wgmma of this warp, and no wgmma.fence before it: writes to its registers "
             "are not ordered before it") == Flow::Trap)
    return Flow::Trap;
  // Moves between the fence and the wgmma are no mistake: compilers' register copies land there.
  for (Ref ref : state.dirty)
    if (!state.fenced && (in(mine.accumulators, ref) || in(mine.sources, ref)) &&
        w.trap(Check::W1, 0,
               fmt::format("a register of the {} was written by another instruction, and no "
                           "wgmma.fence lies between that warp's last wait and this",
                           in(mine.accumulators, ref) ? "accumulator" : "operand A")) ==
            Flow::Trap)
      return Flow::Trap;
  std::erase_if(state.dirty, [&](Ref ref) {
    return in(mine.accumulators, ref) || in(mine.sources, ref);
  });
  const Form form = formOf(op);
  for (const Warpgroups::Flight &other : state.flights) {
    const Form theirs = formOf(w.program->ops[other.pc]);
    bool same = theirs.n == form.n && theirs.d == form.d && other.accumulators == mine.accumulators;
    bool overlap = std::find_first_of(other.accumulators.begin(), other.accumulators.end(),
                                      mine.accumulators.begin(),
                                      mine.accumulators.end()) != other.accumulators.end();
    if (overlap && !same &&
        w.trap(Check::W4, 0,
               fmt::format("uses accumulator registers of the wgmma at line {}, which is still in "
                           "flight and has another shape; it has to be waited for first",
                           w.program->instruction(other.pc).location.line)) == Flow::Trap)
      return Flow::Trap;
  }
  return Flow::Next;
}

Flow issueWgmma(Warp &w, const Op &op, uint32_t mask) {
  if (mask != fullMask || w.alive != fullMask) {
    if (w.alive == fullMask) {
      w.need = fullMask;
      return Flow::Converge;
    }
    return w.trapAlways("X1", std::countr_zero(mask), "wgmma needs all 32 threads of the warp");
  }
  Cta &cta = *w.cta;
  if (w.index / 4 * 4 + 4 > cta.warps.size())
    return w.trapAlways("X1", 0,
                        "this warp belongs to no whole warpgroup (four warps, the first a "
                        "multiple of four)");
  const Form form = formOf(op);
  const uint32_t countD = registersOfD(form);
  const bool fromRegisters = op.mode & registersBit;
  const Ref *list = &w.program->lists[op.target];
  const uint32_t countA = fromRegisters ? 4 : 1;
  const Ref descriptorB = list[countD + countA];
  if (w.checkTaint(w.taintOf(descriptorB) | (fromRegisters ? 0 : w.taintOf(list[countD])) |
                       w.predicateTaint[op.psrc],
                   "a descriptor, or scale-d", op) == Flow::Trap)
    return Flow::Trap;
  Warpgroups &groups = cta.state<Warpgroups>();
  Warpgroups::WarpState &state = *groups.warps[w.index];
  w.pendingOwners[0] = &state;
  uint64_t bitsA = 0, bitsB = 0;
  if ((!fromRegisters && !uniform64(w, list[countD], "the descriptor of A", bitsA)) ||
      !uniform64(w, descriptorB, "the descriptor of B", bitsB))
    return Flow::Trap;
  uint32_t scale = w.predicates[op.psrc] ^ (op.mode & negatedScaleBit ? fullMask : 0);
  if (scale != 0 && scale != fullMask)
    return w.trapAlways("D6", 0, "scale-d differs between lanes of the warp");
  if (compareWarps(w, groups, state, {w.pc, bitsA, bitsB, scale, 0}) == Flow::Trap)
    return Flow::Trap;
  Warpgroups::Flight flight;
  flight.pc = w.pc;
  flight.group = state.filling;
  flight.accumulators.assign(list, list + countD);
  if (fromRegisters)
    flight.sources.assign(list + countD, list + countD + 4);
  if (checkRegisters(w, op, state, flight) == Flow::Trap)
    return Flow::Trap;
  Origin origin = Origin::of(w, -1);
  flight.id = cta.order().begin(origin.number(), w.pc, -1, "wgmma.mma_async");
  auto product = std::make_unique<WgmmaOp>(origin, flight.id, op, scale != 0);
  auto prepare = [&](uint64_t bits, const char *name, bool transposed, MmaType type,
                     uint32_t firstRow, uint32_t rows, SharedOperand &operand) {
    MatrixDescriptor descriptor;
    std::string wrong;
    if (!MatrixDescriptor::decode(bits, DescriptorFormat::Sm90, descriptor, wrong) &&
        origin.trap(Check::D1, fmt::format("the descriptor of {}: {}", name, wrong)) == Flow::Trap)
      return Flow::Trap;
    operand.view = OperandView(descriptor, transposed ? Major::Mn : Major::K,
                               static_cast<unsigned>(std::max(8, bitsOf(type))));
    operand.use.name = name;
    operand.use.firstRow = firstRow;
    operand.use.rows = rows;
    operand.use.kBytes = 32;
    operand.use.elementBits = static_cast<uint8_t>(bitsOf(type));
    return checkOperand(origin, cta, operand.view, operand.use, flight.id);
  };
  // Of A, this warp's 16 rows.
  if (!fromRegisters && prepare(bitsA, "A", op.mode & transposeABit, form.a, w.index % 4 * 16, 16,
                                product->operandA) == Flow::Trap)
    return Flow::Trap;
  if (prepare(bitsB, "B", op.mode & transposeBBit, form.b, 0, static_cast<uint32_t>(form.n),
              product->operandB) == Flow::Trap)
    return Flow::Trap;
  cta.tally.countProduct(productKindOf(form.a),
                         16ull * static_cast<uint64_t>(form.n) * static_cast<uint64_t>(form.k));
  for (const auto *refs : {&flight.accumulators, &flight.sources})
    for (Ref ref : *refs)
      if (!(ref & constantRef))
        w.setPending(ref, true);
  state.flights.push_back(std::move(flight));
  return cta.cluster->async.issue(std::move(product));
}

Flow needsWarp(Warp &w, uint32_t mask) {
  if (mask == w.alive)
    return Flow::Next;
  w.need = w.alive;
  return Flow::Converge;
}

Flow fenceWgmma(Warp &w, const Op &, uint32_t mask) {
  if (Flow flow = needsWarp(w, mask); flow != Flow::Next)
    return flow;
  Warpgroups::WarpState &state = *w.cta->state<Warpgroups>().warps[w.index];
  state.fenced = true;
  return Flow::Next;
}

Flow commitWgmma(Warp &w, const Op &, uint32_t mask) {
  if (Flow flow = needsWarp(w, mask); flow != Flow::Next)
    return flow;
  ++w.cta->state<Warpgroups>().warps[w.index]->filling;
  return Flow::Next;
}

Flow waitWgmma(Warp &w, const Op &op, uint32_t mask) {
  if (Flow flow = needsWarp(w, mask); flow != Flow::Next)
    return flow;
  Cta &cta = *w.cta;
  Warpgroups::WarpState &state = *cta.state<Warpgroups>().warps[w.index];
  const auto open = static_cast<uint32_t>(op.immediate);
  const uint32_t end = state.filling > open ? state.filling - open : 0;
  bool uncommitted = std::any_of(state.flights.begin(), state.flights.end(),
                                 [&](const auto &f) { return f.group == state.filling; });
  bool committed = std::any_of(state.flights.begin(), state.flights.end(),
                               [&](const auto &f) { return f.group < state.filling; });
  if (uncommitted && !committed && open == 0 &&
      w.trap(Check::W3, 0,
             "waits for committed groups, and all wgmma in flight are uncommitted; "
             "wgmma.commit_group has to come before") == Flow::Trap)
    return Flow::Trap;
  for (auto &flight : state.flights) {
    if (flight.group >= end)
      continue;
    if (cta.cluster->async.finish(flight.id) == Flow::Trap)
      return Flow::Trap;
    cta.order().learn(cta.numberOf(w), flight.id);
  }
  if (std::erase_if(state.flights, [&](const auto &f) { return f.group < end; }) != 0)
    state.fenced = false;
  return Flow::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

bool takeShape(Decoder &d, Form &form) {
  for (const std::string &word : d.inst.modifiers) {
    if (!word.starts_with("m64n"))
      continue;
    const char *at = word.data() + 4, *end = word.data() + word.size();
    auto first = std::from_chars(at, end, form.n);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'k' ||
        std::from_chars(first.ptr + 1, end, form.k).ptr != end)
      break;
    d.take(word);
    return true;
  }
  return !d.fail("{}: the shape .m64nNkK is missing", d.spelling());
}

bool isAmong(MmaType type, std::initializer_list<MmaType> list) {
  return std::find(list.begin(), list.end(), type) != list.end();
}

/// Types and shape, PTX ISA 9.7.15.2.
bool isLegal(const Form &f) {
  using T = MmaType;
  bool integers = f.d == T::S32;
  if (f.n < 8 || f.n > 256 || f.n % 8 != 0 || (integers && f.n > 24 && f.n % 16 != 0))
    return false;
  if (f.a == T::B1)
    return f.b == T::B1 && integers && f.k == 256;
  if (f.k != 256 / bitsOf(f.a))
    return false;
  if (f.a == T::F16)
    return f.b == T::F16 && isAmong(f.d, {T::F16, T::F32});
  if (isAmong(f.a, {T::BF16, T::TF32}))
    return f.b == f.a && f.d == T::F32;
  if (isAmong(f.a, {T::E4M3, T::E5M2}))
    return isAmong(f.b, {T::E4M3, T::E5M2}) && isAmong(f.d, {T::F16, T::F32});
  return isAmong(f.a, {T::S8, T::U8}) && isAmong(f.b, {T::S8, T::U8}) && integers;
}

/// Takes ".d.a.b", the three type words after the shape.
bool takeTypes(Decoder &d, Form &form) {
  std::vector<MmaType> types;
  for (const std::string &word : d.inst.modifiers)
    if (auto type = mmaTypeFromWord(word))
      types.push_back(*type);
  if (types.size() != 3)
    return !d.fail("{}: the types .d.a.b are missing", d.spelling());
  for (int i = 0; i < 3; ++i)
    d.takeType();
  form.d = types[0];
  form.a = types[1];
  form.b = types[2];
  return isLegal(form) || !d.fail("{}: no such product", d.spelling());
}

bool appendRegisters(Decoder &d, const Operand &o, uint32_t count, const char *type) {
  if (o.kind != Operand::Kind::Vector || o.children.size() != count)
    return !d.failAt(o.location, fmt::format("{}: this operand must be a vector of {} registers",
                                             d.spelling(), count));
  for (const Operand &r : o.children)
    d.list({d.destination(r, *dataTypeFromWord(type))});
  return true;
}

bool decodeMmaAsync(Decoder &d) {
  if (d.take("sp"))
    return d.failLater("sparse matrices");
  d.take("mma_async");
  if (!d.take("sync") || !d.take("aligned"))
    return d.fail("{}: .sync.aligned is missing", d.spelling());
  Form form{};
  if (!takeShape(d, form) || !takeTypes(d, form))
    return true;
  if (form.a == MmaType::B1 && (!d.take("and") || !d.take("popc")))
    return d.fail("{}: .and.popc is missing", d.spelling());
  d.op.mode = d.take("satfinite") ? saturateBit : 0;
  if (d.op.mode && form.d != MmaType::S32)
    return d.fail("{}: .satfinite belongs to integers", d.spelling());
  if (!d.expectOperands(4, 8))
    return true;
  d.op.target = static_cast<uint32_t>(d.program().program.lists.size());
  const char *typeD = form.d == MmaType::F32 ? "f32" : "b32";
  if (!appendRegisters(d, d.operand(0), registersOfD(form), typeD))
    return true;
  bool registers = d.operand(1).kind == Operand::Kind::Vector;
  if (registers) {
    d.op.mode |= registersBit;
    if (!appendRegisters(d, d.operand(1), 4, "b32"))
      return true;
  } else {
    d.list({d.source(1, *dataTypeFromWord("b64"))});
  }
  d.list({d.source(2, *dataTypeFromWord("b64"))});
  const Operand &scale = d.operand(3);
  d.op.psrc = d.isPredicate(scale) ? d.predicateSource(scale) : 0;
  if (d.isPredicate(scale) && scale.negated)
    d.op.mode |= negatedScaleBit;
  if (!d.isPredicate(scale)) {
    // Predicate 0 is always true.
    if (d.immediate(scale, 0, 1) == 0)
      d.op.mode |= negatedScaleBit;
  }
  unsigned next = 4;
  auto sign = [&](uint8_t bit) {
    const Operand &o = d.operand(next++);
    auto value = static_cast<int64_t>(o.bits);
    if (!d.isImmediate(o) || (value != 1 && value != -1))
      return !d.failAt(o.location,
                       fmt::format("{}: a scale of an operand is 1 or -1", d.spelling()));
    if (value < 0)
      d.op.mode |= bit;
    return true;
  };
  auto flag = [&](uint8_t bit) {
    if (d.immediate(d.operand(next++), 0, 1) == 1)
      d.op.mode |= bit;
  };
  const bool floats = form.d != MmaType::S32, half = bitsOf(form.a) == 16;
  unsigned wanted = 4 + (floats ? 2 : 0) + (half ? (registers ? 1 : 2) : 0);
  if (!d.expectOperands(wanted))
    return true;
  if (floats && (!sign(negateABit) || !sign(negateBBit)))
    return true;
  if (half && !registers)
    flag(transposeABit);
  if (half)
    flag(transposeBBit);
  d.op.mode2 =
      static_cast<uint8_t>(static_cast<unsigned>(form.a) | static_cast<unsigned>(form.b) << 4);
  d.op.immediate = form.n | int64_t{form.k} << 16 | int64_t{static_cast<int>(form.d)} << 32;
  d.program().sawPendingRegisters();
  d.set(&issueWgmma, OpClass::Matrix);
  return true;
}

} // namespace

bool decodeWgmma(Decoder &d) {
  if (d.sm() >= 100)
    return d.fail("{}: wgmma is of sm_90a only", d.spelling());
  if (d.has("mma_async"))
    return decodeMmaAsync(d);
  int which = d.takeOneOf({"fence", "commit_group", "wait_group"});
  if (which < 0 || !d.take("sync") || !d.take("aligned"))
    return d.fail("{}: accepted: wgmma.mma_async, .fence, .commit_group and .wait_group with "
                  ".sync.aligned",
                  d.spelling());
  if (!d.expectOperands(which == 2 ? 1 : 0))
    return true;
  if (which == 2)
    d.op.immediate = static_cast<int64_t>(d.immediate(d.operand(0), 0, 7));
  d.set(which == 0 ? &fenceWgmma : which == 1 ? &commitWgmma : &waitWgmma, OpClass::Matrix);
  return true;
}

} // namespace msa::ptxsim

//===- Op.h - one decoded instruction --------------------------------------===//
//
// What the engine executes: one cache line per instruction, with the function
// that executes it for a whole warp and the places of its operands.
//
// A value lives in a 128-byte slot: 32 lanes of 4 bytes. 64-bit values take two
// slots (32 lanes of 8 bytes), 128-bit values four (the low halves of all
// lanes, then the high halves). 8- and 16-bit values sit zero-extended in
// 4-byte cells. Predicates are not in slots: each is one word, a bit a lane.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>

namespace msa::ptxsim {

struct Warp;
struct Op;

/// What happens after an instruction.
enum class Flow : uint8_t {
  Next,     ///< on to the next instruction
  Branch,   ///< lanes of `Warp::taken` go to Op::target, the others to the next instruction
  Indexed,  ///< every executing lane goes to its own target (Warp::targets)
  Call,     ///< into the function at Op::target
  Return,   ///< executing lanes leave the function
  Exit,     ///< executing lanes end
  Wait,     ///< executing lanes wait for the barrier Warp::waitBarrier, then go on
  Converge, ///< the instruction needs the lanes of Warp::need together; try again when they are
  Yield,    ///< done, and others should run now (nanosleep, a spinning read)
  Suspend,  ///< executing lanes wait for Warp::waitKey (or a time limit), then execute it again
  Trap,     ///< the kernel did something wrong; the trap is recorded in the CTA
};

/// Executes `op` for the lanes of `mask` (never 0).
using Handler = Flow (*)(Warp &, const Op &op, uint32_t mask);

/// A slot; bit 31 set: in the constant pool, else in the warp's registers.
using Ref = uint32_t;
inline constexpr Ref constantRef = 0x80000000u;

/// Instruction classes that counters tell apart.
enum class OpClass : uint8_t {
  Integer,
  Float,
  Double,
  Half,
  Logic,
  Compare,
  Move,
  Convert,
  Global,
  Shared,
  Local,
  Constant,
  Atomic,
  Copy,
  WarpLevel,
  Barrier,
  Matrix,
  Control,
  Special,
};
inline constexpr unsigned opClassCount = 19;

/// Op::mode2 of an op of class Control: where it can go.
enum class ControlKind : uint8_t { None, Branch, Indexed, Call, Return, Exit };

struct alignas(64) Op {
  Handler run = nullptr;
  Ref dst = 0, a = 0, b = 0, c = 0;
  uint32_t guard = 0;     ///< predicate index; predicate 0 is always true
  uint32_t guardFlip = 0; ///< ~0: the guard is negated
  int64_t immediate = 0;  ///< offset of an address, or what the handler says
  uint32_t target =
      0; ///< op index of a branch or call; else start of the operand list in Program::lists
  uint16_t pdst = 0;  ///< predicate written (index); 1 is the sink
  uint16_t psrc = 0;  ///< predicate read
  uint16_t count = 0; ///< vector length, or what the handler says
  OpClass opClass = OpClass::Move;
  bool join = false; ///< some branch or call reconverges here
  uint8_t mode = 0;  ///< small modifiers as the handler defines them (rounding, comparison)
  uint8_t mode2 = 0;
};
static_assert(sizeof(Op) == 64);

} // namespace msa::ptxsim

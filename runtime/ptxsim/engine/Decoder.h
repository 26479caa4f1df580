//===- Decoder.h - from one Instruction to one Op -------------------------------===//
//
// What the decode function of an instruction (isa/*.cpp) works with. It takes
// the modifiers that it knows, one by one; whatever is left over at the end is
// refused by name (X9). Operands are looked up with the width that the instruction
// gives them, so a register of another width is refused too.
//
// A decode function returns false when the instruction is not of its family (the
// `add` of floats asked to decode `add.s32`), and then must have consumed nothing;
// after `fail` it returns true.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/Module.h"
#include "ptxsim/engine/Lanes.h"
#include "ptxsim/engine/Op.h"
#include "ptxsim/engine/Program.h"

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace msa::ptxsim {

class ProgramBuilder;

/// The type of an instruction: a fundamental type and the packed and alternate formats.
struct DataType {
  std::string_view word; ///< as in the text: "s32", "bf16x2", "e4m3x2"
  uint32_t bits = 0;     ///< of the whole value
  enum class Kind : uint8_t { Bits, Unsigned, Signed, Float, Predicate } kind = Kind::Bits;
  bool isInteger() const { return kind != Kind::Float && kind != Kind::Predicate; }
  bool isSigned() const { return kind == Kind::Signed; }
  bool is(std::string_view name) const { return word == name; }
};
/// "s32" and the like; nothing for other words.
std::optional<DataType> dataTypeFromWord(std::string_view);

class Decoder {
public:
  Decoder(ProgramBuilder &builder, const Instruction &instruction, Op &op)
      : inst(instruction), op(op), builder(builder) {}

  const Instruction &inst;
  Op &op;

  // ---- modifiers --------------------------------------------------------------------------------
  /// Takes `word` if it is among the modifiers not yet taken.
  bool take(std::string_view word);
  /// Takes the first of `words` that is there; its index, or -1.
  int takeOneOf(std::initializer_list<std::string_view> words);
  /// Takes the next modifier that is a type; fails if there is none.
  DataType takeType();
  /// The first (or next) modifier that is a type, without taking it.
  std::optional<DataType> peekType(unsigned skip = 0) const;
  bool has(std::string_view word) const;
  /// The first modifier not yet taken, taken; empty at the end.
  std::string_view takeNext();
  /// Rounding of floating arithmetic: .rn .rz .rm .rp as 0..3; nothing if absent.
  std::optional<uint8_t> takeRounding();
  /// Fails for a modifier that nobody took.
  void finish();

  // ---- operands ---------------------------------------------------------------------------------
  unsigned operandCount() const { return static_cast<unsigned>(inst.operands.size()); }
  /// Fails unless there are `least` to `most` operands.
  bool expectOperands(unsigned least, unsigned most);
  bool expectOperands(unsigned count) { return expectOperands(count, count); }
  const Operand &operand(unsigned index) const { return inst.operands[index]; }

  /// A source of `bits` bits (8 and 16 live in 32-bit cells): a register of that width, an
  /// immediate (`type` says how to read it), a symbol's address or a special register.
  Ref source(const Operand &, const DataType &type);
  Ref source(unsigned index, const DataType &type) { return source(operand(index), type); }
  /// A source whose register may be wider than the type (st, cvt).
  Ref wideSource(const Operand &, const DataType &type, uint32_t &registerBits);
  Ref destination(const Operand &, const DataType &type);
  Ref destination(unsigned index, const DataType &type) {
    return destination(operand(index), type);
  }
  /// A destination register that may be wider than the type (ld, cvt).
  Ref wideDestination(const Operand &, const DataType &type, uint32_t &registerBits);
  uint16_t predicateSource(const Operand &);
  uint16_t predicateDestination(const Operand &);
  /// True if the operand is a register of type .pred.
  bool isPredicate(const Operand &) const;
  /// Bits of the register; 0 for another operand.
  uint32_t registerBits(const Operand &) const;
  /// The value of an immediate integer operand; fails for another one or one out of range.
  uint64_t immediate(const Operand &, uint64_t least, uint64_t most);
  bool isImmediate(const Operand &o) const { return o.kind == Operand::Kind::Immediate; }
  /// A constant of `bits` bits in every lane.
  Ref constant(uint64_t value, uint32_t bits);
  /// A slot (or more) of its own that the instruction may use as it likes.
  Ref scratch(uint32_t bits);

  /// An address in `space`: sets op.a (a 64-bit or 32-bit base register, or a zero constant),
  /// op.immediate (offset) and `wide` (64-bit base). Symbols are placed here.
  struct Address {
    Ref base = 0;
    bool wide = false; ///< base is 64 bits
    int64_t offset = 0;
    const Variable *variable = nullptr;
  };
  Address address(const Operand &, StateSpace);

  /// Appends to Program::lists; the index of the first word.
  uint32_t list(std::initializer_list<uint32_t> words);
  uint32_t appendList(uint32_t word);

  // ---- requirements and errors ------------------------------------------------------------------
  /// Fails unless the module's .version and .target are at least these.
  bool require(unsigned ptx, unsigned sm, std::string_view what);
  unsigned sm() const;
  template <typename... Args> bool fail(fmt::format_string<Args...> format, Args &&...args) {
    return failAt(inst.location, fmt::format(format, std::forward<Args>(args)...));
  }
  bool failAt(SourceLocation, std::string message);
  /// The instruction exists, and `part` of the simulator, which is not here yet, brings it
  /// (StatusCode::Missing).
  bool failLater(std::string_view part);
  bool failed() const { return wrong; }

  // ---- results ----------------------------------------------------------------------------------
  void set(Handler handler, OpClass opClass) {
    op.run = handler;
    op.opClass = opClass;
  }
  /// dst, a, b, c from operands 0.. of one type.
  bool uniform(const DataType &type, unsigned sources);
  ProgramBuilder &program() { return builder; }
  /// The instruction's text, for messages: "add.sat.s32".
  std::string spelling() const;

private:
  ProgramBuilder &builder;
  uint64_t taken = 0; ///< a bit per modifier
  bool wrong = false;
};

/// Decodes one row of Opcodes.def (see above for the result).
using DecodeFunction = bool (*)(Decoder &);

struct OpcodeRow {
  std::string_view name, family, section;
  uint32_t ptx, sm;
  DecodeFunction decode; ///< null: comes later, `family` says with what
};
/// Rows of an opcode, in order; empty if the name is unknown.
std::pair<const OpcodeRow *, const OpcodeRow *> rowsOf(std::string_view opcode);
/// True if the words of the row's name behind the opcode are the instruction's first modifiers.
bool rowMatches(const OpcodeRow &, const Instruction &);

} // namespace msa::ptxsim

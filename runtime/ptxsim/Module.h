//===- Module.h - PTX text as data ----------------------------------------===//
//
// What the parser produces and everything else in the simulator reads: symbol
// references resolved, block-scoped names flattened to indices, types and
// state spaces as enums, opcodes and modifiers still as the words of the text
// (the opcode table gives them meaning). Every node knows its line and column.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace msa::ptxsim {

struct SourceLocation {
  uint32_t line = 0, column = 0; ///< 1-based; 0 = unknown
};

/// PTX fundamental types (PTX ISA 5.2) as they appear in declarations.
enum class Type : uint8_t {
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  F16x2,
  BF16,
  BF16x2,
  F32,
  F64
};
/// Bytes of one element; a predicate is 1.
uint32_t sizeOf(Type);
std::string_view toString(Type);

enum class StateSpace : uint8_t {
  Generic,
  Reg,
  Const,
  Global,
  Local,
  Param,
  Shared,
  SharedCluster,
  Tensor
};
std::string_view toString(StateSpace);

/// A virtual register. Parameterised names (`.reg .b32 %r<100>`) are expanded.
struct Register {
  std::string name;
  Type type;
};

/// A place in a variable's initialiser that holds an address (PTX ISA 5.4.4).
struct Relocation {
  uint64_t offset; ///< bytes into the variable
  uint32_t width;  ///< 4 or 8; 1 with a mask such as 0xff00(symbol)
  std::string symbol;
  int64_t addend;
  bool generic;       ///< generic(symbol)
  uint32_t shift = 0; ///< width 1: the byte stored is (address >> shift) & 0xff
};

/// A variable in memory: global, const, shared, local, or a parameter.
struct Variable {
  std::string name;
  StateSpace space;
  Type type;
  uint32_t align = 1;
  uint64_t bytes = 0; ///< whole size; 0 for `extern .shared x[]`
  bool external = false, weak = false;
  std::vector<uint8_t> initial; ///< at most `bytes` long, the rest zero; empty = zero (global,
                                ///< const) or uninitialised (shared, local)
  std::vector<Relocation> relocations;
  SourceLocation location;
};

/// Special registers (PTX ISA 10) with their component.
struct SpecialRegister {
  std::string name;   ///< without component: "%tid"
  char component = 0; ///< 'x' 'y' 'z' 'w' or 0
};

struct Operand {
  enum class Kind : uint8_t {
    Register,  ///< index
    Immediate, ///< bits, immediate
    Symbol,    ///< symbol + offset: the address of a variable, or a function's name
    Label,     ///< index of the instruction it names
    Special,   ///< special
    Address,   ///< [base + offset]; base: index (Register), symbol, or none; children = TMA
               ///< coordinates etc.
    Vector,    ///< {a, b, ...}: children
    Pair,      ///< d|p: two children
    Sink,      ///< _
  };
  enum class ImmediateKind : uint8_t { Integer, F32, F64 }; ///< F32: 0f..., F64: 0d... or decimal
  Kind kind = Kind::Sink;
  ImmediateKind immediate = ImmediateKind::Integer;
  bool negated = false;     ///< !p
  uint32_t index = noIndex; ///< Register: index into Function::registers; Label: instruction index
  uint64_t bits = 0;        ///< Immediate: the value (integers sign-extended; F32 in the low word)
  std::string symbol;       ///< Symbol, Address with a symbol base
  int64_t offset = 0;       ///< Symbol, Address
  SpecialRegister special;
  std::vector<Operand> children;
  SourceLocation location;
  static constexpr uint32_t noIndex = ~0u;
};

struct Instruction {
  std::string opcode; ///< "ld", "mma", "tcgen05"
  std::vector<std::string>
      modifiers; ///< in order, without dots: {"global", "v4", "f32"}; "shared::cta" is one word
  std::vector<Operand> operands;     ///< call: see Function::parse notes in Parser.h
  uint32_t guard = Operand::noIndex; ///< predicate register, or none
  bool guardNegated = false;
  SourceLocation location;
  uint32_t sourceFile = 0, sourceLine = 0; ///< from the last `.loc`; 0 = none
};

struct Function {
  std::string name;
  bool entry = false;
  bool declaration = false; ///< no body
  std::vector<Register> registers;
  std::vector<Variable> parameters; ///< in order
  std::vector<Variable> results;    ///< of a `.func`
  std::vector<Variable>
      variables; ///< function-scoped shared, local and param variables (names made unique)
  std::vector<Instruction> body;
  std::vector<std::vector<uint32_t>>
      branchTargets; ///< `.branchtargets` lists; a brx.idx operand names one by index
  std::vector<std::pair<uint32_t, std::string>>
      labels;                                     ///< instruction index, name (for diagnostics)
  std::array<uint32_t, 3> maxThreads = {0, 0, 0}; ///< .maxntid; 0 = absent
  std::array<uint32_t, 3> requiredThreads = {0, 0, 0}; ///< .reqntid
  std::array<uint32_t, 3> requiredCluster = {0, 0, 0}; ///< .reqnctapercluster
  bool explicitCluster = false;
  uint32_t maxRegisters = 0, minCtas = 0;
  SourceLocation location;
};

struct Module {
  std::string version;                    ///< "8.0"
  std::string target;                     ///< "sm_90a"
  std::vector<std::string> targetOptions; ///< "debug", "texmode_unified", ...
  uint32_t addressSize = 64;
  std::vector<Variable> variables; ///< module scope
  std::vector<Function> functions;
  std::vector<std::string> sourceFiles; ///< `.file` table, index 0 unused
  const Function *findFunction(std::string_view name) const;
};

} // namespace msa::ptxsim

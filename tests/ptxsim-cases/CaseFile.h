//===- CaseFile.h - one tiny PTX program per instruction variant ----------===//
//
// A `.cases` file says, for each variant of an instruction, the PTX text and
// lines of input and expected output. One case is one PTX kernel; one line is
// one thread of it. README.md shows the format; this is its reader.
//
// Expected values are written by hand or follow from the ISA's formula in the
// line itself (`for 32: lane -> lane * 3`); nothing here calls the simulator's
// arithmetic.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace msa::ptxsim::cases {

/// A PTX type of a value that a case reads or writes; the name is also its register type.
struct ValueType {
  std::string name; ///< "s32", "f16x2", "pred", ...
  int bits = 32;    ///< of the register
};

/// What an output must be.
struct ExpectedValue {
  enum class Kind { Bits, AnyNaN, Anything };
  Kind kind = Kind::Bits;
  uint64_t bits = 0;
  uint64_t ulps = 0; ///< `0.5~2`: within so many units of the last place
};

/// One thread: inputs and outputs in the order of the signature.
struct Row {
  int line = 0;
  std::vector<uint64_t> inputs;
  std::vector<ExpectedValue> outputs;
};

struct Case {
  std::string file;
  int line = 0;
  std::string text; ///< PTX statements, with %a %b %c %e %f %g %h %i in and %d %q %r %s out
  std::vector<ValueType> inputs, outputs;
  std::vector<std::string> moduleLines, bodyLines; ///< `.module ...`, `.body ...`
  std::string version = "8.0", target = "sm_80";
  std::string trap;    ///< id of the trap that must end the run; empty = none
  std::string refused; ///< a word of the message that must refuse the text; empty = none
  std::vector<Row> rows;
  std::string where() const { return file + ":" + std::to_string(line) + ": " + text; }
};

/// Reads a file; a malformed one throws std::runtime_error with file and line (tests only).
std::vector<Case> readCases(const std::string &path);

/// Statements of one kernel named `entry`; `unique` replaces every `$` of module lines, body lines
/// and text.
std::string kernelText(const Case &, const std::string &entry, const std::string &unique);
/// A whole module with the one kernel `test`.
std::string moduleText(const Case &);
/// Whether `bits` is what the case expects.
bool matches(const ValueType &, const ExpectedValue &, uint64_t bits);

} // namespace msa::ptxsim::cases

//===- Multimem.cpp - PTX ISA 9.7.9.14: multimem.ld_reduce, multimem.st, multimem.red
//--------------===//
//
// A multimem address stands for one address on each of several devices. There is one
// device here, so any global buffer is a multicast object of one member: ld_reduce is a
// load, st a store, red a reduction. The forms are checked as the ISA has them and then
// decoded as those instructions.
//
//===----------------------------------------------------------------------===//
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

namespace msa::ptxsim {

namespace {

enum class Kind : uint8_t { LoadReduce, Store, Reduce };

struct MultimemForm {
  Kind kind = Kind::Store;
  int semantics = -1; ///< 0 weak, 1 relaxed, 2 acquire or release; -1 none
  std::string_view scope, op, type;
  int vector = 1;
  bool accumulates32 = false, accumulates16 = false;
  uint32_t bits = 0; ///< of an element
};

bool isHalf(std::string_view type) { return type.starts_with("f16") || type.starts_with("bf16"); }
bool isSmall(std::string_view type) { return type.starts_with("e4m3") || type.starts_with("e5m2"); }
bool isFloat(std::string_view type) {
  return isHalf(type) || isSmall(type) || type == "f32" || type == "f64";
}

/// Types and vectors: 32, 64 or 128 bits in all, and f64 and integers alone.
bool hasLegalSize(const MultimemForm &f) {
  if (!isFloat(f.type) || f.type == "f64")
    return f.vector == 1 && f.bits >= 32;
  uint32_t all = f.bits * static_cast<uint32_t>(f.vector);
  return all == 32 || all == 64 || all == 128;
}

bool hasLegalOp(const MultimemForm &f) {
  if (f.kind == Kind::Store)
    return f.op.empty();
  bool bits = f.type.starts_with("b") && !isHalf(f.type);
  if (f.op == "add")
    return !bits && f.type != "s64" && !(f.kind == Kind::Reduce && isSmall(f.type));
  if (f.op == "min" || f.op == "max")
    return !bits && f.type != "f32" && f.type != "f64" &&
           !(f.kind == Kind::Reduce && (isSmall(f.type) || (f.vector == 1 && isHalf(f.type))));
  return bits && !f.op.empty();
}

bool hasLegalAccumulator(const MultimemForm &f) {
  if (f.accumulates32)
    return f.kind == Kind::LoadReduce && f.op == "add" && isHalf(f.type);
  return !f.accumulates16 || (f.kind == Kind::LoadReduce && f.op == "add" && isSmall(f.type));
}

/// All modifiers; false if one does not belong.
bool takeForm(Decoder &d, MultimemForm &f) {
  f.kind = d.take("ld_reduce") ? Kind::LoadReduce : d.take("red") ? Kind::Reduce : Kind::Store;
  if (f.kind == Kind::Store && !d.take("st"))
    return false;
  const char *strong = f.kind == Kind::LoadReduce ? "acquire" : "release";
  f.semantics = d.take("weak") ? 0 : d.take("relaxed") ? 1 : d.take(strong) ? 2 : -1;
  for (std::string_view word : {"cta", "cluster", "gpu", "sys"})
    if (d.take(word))
      f.scope = word;
  d.take("global");
  for (std::string_view word : {"min", "max", "add", "and", "or", "xor"})
    if (d.take(word))
      f.op = word;
  f.accumulates32 = d.take("acc::f32");
  f.accumulates16 = d.take("acc::f16");
  if (int which = d.takeOneOf({"v2", "v4", "v8"}); which >= 0)
    f.vector = 2 << which;
  DataType type = d.takeType();
  if (d.failed())
    return true;
  f.type = type.word;
  f.bits = type.bits;
  return (f.semantics > 0) == !f.scope.empty() && !(f.kind == Kind::Reduce && f.semantics == 0);
}

} // namespace

bool decodeMultimem(Decoder &d) {
  MultimemForm form;
  bool known = takeForm(d, form);
  if (d.failed())
    return true;
  if (!known || !hasLegalSize(form) || !hasLegalOp(form) || !hasLegalAccumulator(form))
    return d.fail("{}: no such form; accepted: .ld_reduce, .st and .red with .weak, .relaxed, "
                  ".acquire or .release and a scope, and vectors of 32, 64 or 128 bits",
                  d.spelling());
  if (isSmall(form.type))
    d.require(86, 100, "an FP8 type");
  Instruction plain = d.inst;
  std::vector<std::string> words;
  if (form.semantics > 0)
    words = {form.semantics == 1             ? "relaxed"
             : form.kind == Kind::LoadReduce ? "acquire"
                                             : "release",
             std::string(form.scope)};
  words.emplace_back("global");
  if (form.kind == Kind::Reduce) {
    words.emplace_back(form.op);
    if (isHalf(form.type))
      words.emplace_back("noftz");
  }
  if (form.vector > 1)
    words.push_back(fmt::format("v{}", form.vector));
  words.push_back(form.kind == Kind::Reduce ? std::string(form.type)
                                            : fmt::format("b{}", form.bits));
  plain.opcode = form.kind == Kind::LoadReduce ? "ld" : form.kind == Kind::Store ? "st" : "red";
  plain.modifiers = std::move(words);
  Decoder inner(d.program(), plain, d.op);
  return form.kind == Kind::LoadReduce ? decodeLd(inner)
         : form.kind == Kind::Store    ? decodeSt(inner)
                                       : decodeRed(inner);
}

} // namespace msa::ptxsim

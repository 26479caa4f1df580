//===- Mutants.cpp - one small mistake at a time ---------------------------===//
//
// Operands are changed by an instruction in front, in a block of its own: a
// register that a mutant changes may be used elsewhere. Forms and operand
// positions: PTX ISA 9.7.9 (asynchronous copies), 9.7.13 (barriers), 9.7.15
// (wgmma), 9.7.16 (tcgen05).
//
//===----------------------------------------------------------------------===//
#include "Mutants.h"

#include "Statement.h"

#include "ptxsim/Parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace msa::mutation {
namespace {

constexpr size_t shownCharacters = 90; ///< of an instruction, in lists

/// A descriptor field that a mutant changes.
struct Field {
  const char *name;
  uint64_t mask;
};
/// Shared-memory matrix descriptors (PTX ISA 9.7.15.5.1 and 9.7.16.4.1): start address (16-byte
/// units), stride dimension offset (another 256 bytes), and the swizzle mode: bit 63 makes another
/// legal mode of those in use, on both architectures.
constexpr std::array<Field, 3> matrixFields = {
    {{"start", 1}, {"stride", uint64_t{1} << 36}, {"swizzle", uint64_t{1} << 63}}};
/// Instruction descriptors of tcgen05.mma (9.7.16.4.2): N (another 16 columns), transposition.
constexpr std::array<Field, 3> instructionFields = {
    {{"n", 1U << 18}, {"transpose-a", 1U << 15}, {"transpose-b", 1U << 16}}};

class Finder {
public:
  explicit Finder(const std::string &text) : source(text) {}

  void look(const ptxsim::Instruction &instruction) {
    std::optional<Statement> found = source.statementAt(instruction.location);
    if (!found)
      return;
    at = *found;
    line = instruction.location.line;
    fences();
    waits();
    barriers();
    arrives();
    commits();
    tensorMemory();
    guards();
    wgmma();
    tcgen05();
  }
  std::vector<Mutant> mutants;

private:
  bool is(std::string_view prefix) const { return at.startsWith(prefix); }

  void add(const std::string &kind, const std::string &replacement) {
    std::string shown = at.text();
    if (shown.size() > shownCharacters)
      shown = shown.substr(0, shownCharacters) + "...";
    const std::string &text = source.all();
    auto lineBreaks = std::count(text.begin() + static_cast<std::ptrdiff_t>(at.begin),
                                 text.begin() + static_cast<std::ptrdiff_t>(at.end), '\n');
    std::string breaks(static_cast<size_t>(lineBreaks), '\n');
    Mutant mutant{kind, line, std::move(shown), {{at.begin, at.end, replacement + breaks}}, {}};
    // A mutant of the guard matters where its instruction is skipped, too.
    bool ofGuard = at.guard.empty() || kind.starts_with("guard");
    mutant.probe = {at.begin, at.end, (ofGuard ? "trap;" : at.guard + " trap;") + breaks};
    mutants.push_back(std::move(mutant));
  }
  void drop(const std::string &kind) { add(kind, ""); }

  /// Operand `index` becomes the result of `operation`, whose source is "{}".
  void change(const std::string &kind, size_t index, const char *type,
              const std::string &operation) {
    Statement changed = at;
    changed.operands[index] = "%msa_mutant";
    add(kind,
        fmt::format("{{ .reg .{} %msa_mutant; {} {} }}", type,
                    fmt::format(fmt::runtime(operation), at.operands[index]), changed.text()));
  }
  void flip(const std::string &kind, size_t index, const char *type, uint64_t mask) {
    if (index < at.operands.size())
      change(kind, index, type, fmt::format("xor.{} %msa_mutant, {{}}, {:#x};", type, mask));
  }
  void matrixDescriptor(const std::string &operand, size_t index) {
    for (const Field &field : matrixFields)
      flip(operand + "-" + field.name, index, "b64", field.mask);
  }

  void fences() {
    if (is("fence.") || is("membar.") || is("wgmma.fence") || is("tcgen05.fence"))
      drop(is("fence.proxy") ? "fence-proxy" : "fence");
  }

  void waits() {
    if (is("mbarrier.try_wait") || is("mbarrier.test_wait")) {
      if (at.operands.empty())
        return;
      add("wait-mbarrier", fmt::format("{}{}setp.eq.u32 {}, 0, 0;", at.guard,
                                       at.guard.empty() ? "" : " ", at.operands[0]));
      if (at.has(".parity") && at.operands.size() > 2)
        flip("parity", 2, "b32", 1);
    }
    if (is("cp.async.wait_") || is("cp.async.bulk.wait_group") || is("wgmma.wait_group"))
      drop("wait-group");
    if (is("tcgen05.wait"))
      drop("wait-tensor");
  }

  void barriers() {
    if (is("bar.sync") || is("barrier.sync") || is("bar.cta.sync") || is("barrier.cta.sync"))
      drop("barrier");
    if (is("bar.warp.sync"))
      drop("barrier-warp");
    if (is("bar.arrive") || is("barrier.arrive") || is("barrier.cta.arrive"))
      drop("barrier-arrive");
    if (is("barrier.cluster.arrive")) {
      drop("barrier-cluster");
      clusterArrive = static_cast<std::ptrdiff_t>(mutants.size()) - 1;
    }
    if (is("barrier.cluster.wait")) {
      // Waiting without having arrived is another mistake: drop both.
      if (clusterArrive >= 0) {
        drop("barrier-cluster");
        Mutant wait = mutants.back();
        mutants.pop_back();
        mutants[static_cast<size_t>(clusterArrive)].edits.push_back(wait.edits[0]);
      }
      clusterArrive = -1;
    }
  }

  void arrives() {
    bool arrive = is("mbarrier.arrive"), expect = is("mbarrier.expect_tx");
    if (arrive || is("cp.async.mbarrier.arrive"))
      drop("arrive");
    if (!at.has(".expect_tx") || !(arrive || expect))
      return;
    size_t bytes = at.operands.size() - 1;
    change("expect-half", bytes, "b32", "shr.u32 %msa_mutant, {}, 1;");
    change("expect-double", bytes, "b32", "shl.b32 %msa_mutant, {}, 1;");
    if (expect)
      return drop("expect-drop");
    Statement plain = at;
    plain.opcode.erase(plain.opcode.find(".expect_tx"), std::string_view(".expect_tx").size());
    plain.operands.pop_back();
    add("expect-drop", plain.text());
  }

  void commits() {
    if (is("cp.async.commit_group") || is("cp.async.bulk.commit_group") ||
        is("wgmma.commit_group") || is("tcgen05.commit"))
      drop("commit");
  }

  void tensorMemory() {
    for (const char *word : {"alloc", "dealloc", "relinquish"})
      if (is(std::string("tcgen05.") + word))
        drop(word);
  }

  void guards() {
    bool asynchronous = is("cp.async.bulk") || is("cp.reduce.async.bulk") ||
                        is("mbarrier.arrive") || is("mbarrier.expect_tx") || is("mbarrier.init") ||
                        is("tcgen05.mma") || is("tcgen05.commit") || is("tcgen05.cp") ||
                        is("clusterlaunchcontrol.try");
    if (at.guard.empty() || !asynchronous)
      return;
    Statement changed = at;
    changed.guard.clear();
    add("guard-drop", changed.text());
    changed.guard = at.guard[1] == '!' ? "@" + at.guard.substr(2) : "@!" + at.guard.substr(1);
    add("guard-negate", changed.text());
  }

  void wgmma() {
    if (!is("wgmma.mma_async") || at.operands.size() < 4)
      return;
    bool descriptorA = at.operands[1][0] != '{';
    if (descriptorA)
      matrixDescriptor("a", 1);
    matrixDescriptor("b", 2);
    // Products of 16-bit types say whether operands in shared memory are transposed.
    size_t most = at.operands.size(), plain = 6;
    for (size_t i = plain; i < most; ++i) {
      Statement changed = at;
      changed.operands[i] = at.operands[i] == "0" ? "1" : "0";
      add(i + 1 == most ? "b-transpose" : "a-transpose", changed.text());
    }
  }

  void tcgen05() {
    if (is("tcgen05.cp"))
      matrixDescriptor("cp", 1);
    if (!is("tcgen05.mma") || at.operands.size() < 4)
      return;
    if (at.operands[1][0] != '[')
      matrixDescriptor("a", 1);
    matrixDescriptor("b", 2);
    for (const Field &field : instructionFields)
      flip(std::string("idesc-") + field.name, 3, "b32", field.mask);
  }

  SourceText source;
  Statement at;
  uint32_t line = 0;
  std::ptrdiff_t clusterArrive = -1; ///< the mutant that waits for its other half
};

} // namespace

Expected<std::vector<Mutant>> mutantsOf(const std::string &text, const std::string &name) {
  MSA_ASSIGN_OR_RETURN(ptxsim::Module module, ptxsim::parseModule(text, name));
  Finder finder(text);
  for (const ptxsim::Function &function : module.functions)
    for (const ptxsim::Instruction &instruction : function.body)
      finder.look(instruction);
  return std::move(finder.mutants);
}

std::string edited(const std::string &text, const std::vector<Edit> &edits) {
  std::string changed = text;
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit)
    changed.replace(edit->begin, edit->end - edit->begin, edit->text);
  return changed;
}

} // namespace msa::mutation

//===- LintTensor.cpp - lint rules for tcgen05 -------------------------------===//
//
// PTX ISA 9.7.16. ptxas accepts all of these but two (sizes of allocations, mixed
// cta_group). Warp-specialised kernels put alloc and dealloc under the same
// condition in different places, which no path analysis sees: a missing dealloc is
// an error only where no path has one, and a warning where the alloc is
// unconditional and a path avoids all of them.
//
//===----------------------------------------------------------------------===//
#include "Lint.h"
#include "LintFlow.h"

#include "ptxsim/engine/InstructionDescriptor.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>

namespace msa::sim {
namespace {

using ptxsim::Function;
using ptxsim::Instruction;
using ptxsim::MmaKind;
using ptxsim::Operand;

bool isTcgen05(const Instruction &instruction, std::string_view what) {
  return instruction.opcode == "tcgen05" && !instruction.modifiers.empty() &&
         instruction.modifiers[0] == what;
}

std::string spelling(const Instruction &instruction) {
  std::string text = instruction.opcode;
  for (const std::string &word : instruction.modifiers)
    text += "." + word;
  return text;
}

class TensorLint {
public:
  TensorLint(const Function &f, const LintFlow &flow, Findings &findings)
      : f(f), flow(flow), findings(findings) {}

  void run() {
    for (uint32_t i = 0; i < f.body.size(); ++i) {
      const Instruction &instruction = f.body[i];
      if (instruction.opcode != "tcgen05")
        continue;
      uses = uses ? uses : &instruction;
      fences = fences || isTcgen05(instruction, "fence::before_thread_sync") ||
               isTcgen05(instruction, "fence::after_thread_sync");
      checkCtaGroup(instruction);
      if (isTcgen05(instruction, "alloc"))
        allocations.push_back(i);
      if (isTcgen05(instruction, "dealloc"))
        releases.push_back(i);
      if (isTcgen05(instruction, "relinquish_alloc_permit"))
        relinquishes.push_back(i);
      if (isTcgen05(instruction, "mma")) {
        checkDescriptor(instruction);
        checkElected(i);
      }
    }
    checkAllocations();
    if (uses && !fences)
      findings.add(Severity::Note, "tensor-fence", uses->location,
                   fmt::format("'{}' has no tcgen05.fence: mbarriers and barriers alone order "
                               "tensor memory here, as some compilers have it, and the "
                               "simulator does not ask for fences",
                               f.name));
  }

private:
  void add(Severity severity, std::string_view rule, const Instruction &at, std::string message) {
    findings.add(severity, rule, at.location, std::move(message));
  }

  void checkCtaGroup(const Instruction &instruction) {
    for (const std::string &word : instruction.modifiers) {
      if (!word.starts_with("cta_group::"))
        continue;
      if (group.empty()) {
        group = word;
        groupLine = instruction.location.line;
      } else if (word != group) {
        add(Severity::Error, "cta-group", instruction,
            fmt::format("{} has .{}, line {} has .{}; accepted: one for a kernel (PTX ISA "
                        "9.7.16.5)",
                        spelling(instruction), word, groupLine, group));
      }
      uint64_t cluster = uint64_t{f.requiredCluster[0]} * std::max(1u, f.requiredCluster[1]) *
                         std::max(1u, f.requiredCluster[2]);
      if (word == "cta_group::2" && cluster % 2 == 1 && !saidPair) {
        saidPair = true;
        add(Severity::Error, "cta-group", instruction,
            fmt::format("{} pairs CTAs, and '{}' requires clusters of {}; accepted: an even "
                        "number",
                        spelling(instruction), f.name, cluster));
      }
    }
  }

  void checkColumns(const Instruction &alloc) {
    if (alloc.operands.size() != 2)
      return;
    std::optional<uint64_t> columns = flow.constantOf(alloc.operands[1]);
    if (columns && (*columns < 32 || *columns > 512 || !std::has_single_bit(*columns)))
      add(Severity::Error, "tensor-alloc", alloc,
          fmt::format("an allocation of {} columns; accepted: 32, 64, 128, 256 or 512", *columns));
  }

  void checkAllocations() {
    for (uint32_t i : allocations) {
      const Instruction &alloc = f.body[i];
      checkColumns(alloc);
      if (!flow.isReachable(i))
        continue;
      auto follows = [&](uint32_t other) { return flow.reaches(i, other); };
      if (std::none_of(releases.begin(), releases.end(), follows))
        add(Severity::Error, "tensor-alloc", alloc,
            "no tcgen05.dealloc can follow this allocation; accepted: one before the kernel's end "
            "on every path");
      else if (flow.isUnconditional(i) && flow.escapes(i, releases))
        add(Severity::Warning, "tensor-alloc", alloc,
            "the kernel can end without a tcgen05.dealloc of this allocation");
      for (uint32_t relinquish : relinquishes)
        if (flow.reaches(relinquish, i) && !flow.reaches(i, relinquish))
          add(Severity::Error, "tensor-alloc", alloc,
              fmt::format("follows the tcgen05.relinquish_alloc_permit at line {}, after which a "
                          "CTA may not allocate",
                          f.body[relinquish].location.line));
    }
    if (!allocations.empty() && relinquishes.empty())
      add(Severity::Warning, "tensor-permit", f.body[allocations[0]],
          "no tcgen05.relinquish_alloc_permit: another CTA on the multiprocessor waits to "
          "allocate until this one ends");
    for (uint32_t release : releases)
      if (flow.isReachable(release) && f.entry &&
          std::none_of(allocations.begin(), allocations.end(),
                       [&](uint32_t alloc) { return flow.reaches(alloc, release); }))
        add(Severity::Error, "tensor-alloc", f.body[release],
            "no tcgen05.alloc can come before this dealloc");
  }

  static std::optional<MmaKind> kindOf(const Instruction &mma) {
    for (MmaKind kind : {MmaKind::F16, MmaKind::Tf32, MmaKind::F8f6f4, MmaKind::I8,
                         MmaKind::Mxf8f6f4, MmaKind::Mxf4, MmaKind::Mxf4nvf4})
      if (hasModifier(mma, std::string("kind::") + ptxsim::toString(kind)))
        return kind;
    return std::nullopt;
  }

  /// Scale factors of a row (PTX ISA 9.7.16.10.7).
  static unsigned scalesOf(const Instruction &mma, MmaKind kind) {
    if (!ptxsim::isBlockScaled(kind))
      return 0;
    if (hasModifier(mma, "scale_vec::4X") || hasModifier(mma, "block16"))
      return 4;
    return kind == MmaKind::Mxf8f6f4 ? 1 : 2;
  }

  /// The instruction descriptor where it is a constant (D5).
  void checkDescriptor(const Instruction &mma) {
    constexpr size_t descriptorOperand = 3; // d, a, b, idesc
    std::optional<MmaKind> kind = kindOf(mma);
    if (!kind || mma.operands.size() <= descriptorOperand || hasModifier(mma, "sp") ||
        hasModifier(mma, "ws"))
      return;
    std::optional<uint64_t> bits = flow.constantOf(mma.operands[descriptorOperand]);
    if (!bits)
      return;
    ptxsim::InstructionDescriptor::Context context{
        .kind = *kind,
        .ctaGroup = hasModifier(mma, "cta_group::2") ? 2u : 1u,
        .scales = scalesOf(mma, *kind),
        .tensorA = mma.operands[1].kind == Operand::Kind::Address};
    ptxsim::InstructionDescriptor decoded;
    std::string wrong;
    if (!ptxsim::InstructionDescriptor::decode(static_cast<uint32_t>(*bits), context, decoded,
                                               wrong))
      add(Severity::Error, "idesc", mma,
          fmt::format("instruction descriptor 0x{:08x}: {}", static_cast<uint32_t>(*bits), wrong));
  }

  /// One thread issues a product for the CTA; a warp that does issues it 32 times (T12).
  void checkElected(uint32_t i) {
    const Instruction &mma = f.body[i];
    uint64_t threads = uint64_t{f.requiredThreads[0]} * std::max(1u, f.requiredThreads[1]) *
                       std::max(1u, f.requiredThreads[2]);
    if (!f.entry || threads == 1 || saidElect || !flow.isReachable(i))
      return;
    if (mma.guard != Operand::noIndex && flow.tellsLanesApart(mma.guard))
      return;
    for (uint32_t branch : flow.decidingBranches(i))
      if (f.body[branch].guard != Operand::noIndex && flow.tellsLanesApart(f.body[branch].guard))
        return;
    saidElect = true;
    add(Severity::Warning, "elect", mma,
        "neither a guard nor a branch lets one thread through (elect.sync, a comparison of the "
        "lane): every lane of the warp issues this product");
  }

  const Function &f;
  const LintFlow &flow;
  Findings &findings;
  std::vector<uint32_t> allocations, releases, relinquishes;
  const Instruction *uses = nullptr;
  bool fences = false, saidPair = false, saidElect = false;
  std::string group;
  uint32_t groupLine = 0;
};

} // namespace

void lintTensor(const Function &f, const LintFlow &flow, Findings &findings) {
  TensorLint(f, flow, findings).run();
}

} // namespace msa::sim

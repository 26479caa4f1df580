//===- LintTensorTest.cpp - lint rules for tcgen05, fences and targets ------===//
//
// Each faulty kernel beside its correct twin: the twin has no finding of the rule.
//
//===----------------------------------------------------------------------===//
#include "Lint.h"

#include "ptxsim/Parser.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>

using namespace msa;
using namespace msa::sim;

namespace {

std::vector<Finding> lint(const std::string &target, const std::string &kernel) {
  auto module = ptxsim::parseModule(
      fmt::format(".version 8.8\n.target {}\n.address_size 64\n{}", target, kernel), "t.ptx");
  INFO(module.status().message());
  REQUIRE(module.ok());
  return lintModule(*module);
}

/// Findings of one rule in a kernel of 128 threads with some registers.
std::vector<Finding> lintBody(const std::string &rule, const std::string &body,
                              const std::string &directives = ".reqntid 128") {
  std::vector<Finding> all =
      lint("sm_100a", fmt::format(".entry k() {} {{\n"
                                  ".reg .pred p<9>, e; .reg .b32 r<9>; .reg .b64 d<9>;\n"
                                  ".shared .align 16 .b8 s[64];\n{}\nret; }}",
                                  directives, body));
  std::erase_if(all, [&](const Finding &finding) { return finding.rule != rule; });
  return all;
}

const std::string alloc = "tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [s], 64;\n";
const std::string relinquish = "tcgen05.relinquish_alloc_permit.cta_group::1.sync.aligned;\n";
const std::string dealloc = "tcgen05.dealloc.cta_group::1.sync.aligned.b32 r0, 64;\n";
const std::string mma = "tcgen05.mma.cta_group::1.kind::f16 [r0], d0, d1, r1, p8;\n";
const std::string elect = "elect.sync r2|e, -1;\n";

struct Pair {
  const char *rule;
  Severity severity;
  std::string wrong, right;
};

} // namespace

TEST_CASE("tensor memory, fences and elected threads") {
  auto pair = GENERATE_COPY(
      // One cta_group.
      Pair{"cta-group", Severity::Error,
           alloc + "tcgen05.dealloc.cta_group::2.sync.aligned.b32 r0, 64;", alloc + dealloc},
      // Sizes.
      Pair{"tensor-alloc", Severity::Error,
           "tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [s], 48;\n" + dealloc,
           alloc + dealloc},
      Pair{"tensor-alloc", Severity::Error,
           "mov.b32 r3, 1024; tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [s], r3;\n" +
               dealloc,
           "mov.b32 r3, 512; tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [s], r3;\n" +
               dealloc},
      // Never freed; freed on some paths; freed and never allocated.
      Pair{"tensor-alloc", Severity::Error, alloc + relinquish, alloc + relinquish + dealloc},
      Pair{"tensor-alloc", Severity::Warning, alloc + "@p1 bra END;\n" + dealloc + "END:\n",
           alloc + "@p1 bra OTHER;\n" + dealloc + "bra END;\nOTHER:\n" + dealloc + "END:\n"},
      // Warp-specialised: both under the same condition.
      Pair{"tensor-alloc", Severity::Error, "@p1 bra NEXT;\n" + alloc + "NEXT:\n",
           "@p1 bra NEXT;\n" + alloc + "NEXT: bar.sync 0;\n@p1 bra END;\n" + dealloc + "END:\n"},
      Pair{"tensor-alloc", Severity::Error, dealloc, alloc + dealloc},
      Pair{"tensor-alloc", Severity::Error, relinquish + alloc + dealloc,
           alloc + relinquish + dealloc},
      Pair{"tensor-permit", Severity::Warning, alloc + dealloc, alloc + relinquish + dealloc},
      // Instruction descriptors: bf16, 128 x 128; then M = 80, then a reserved bit.
      Pair{"idesc", Severity::Error, "mov.b32 r1, 0x05200490;\n" + mma,
           "mov.b32 r1, 0x08200490;\n" + mma},
      Pair{"idesc", Severity::Error, "mov.b32 r1, 0x082004d0;\n" + mma,
           "mov.b32 r1, 0x08200490;\n" + mma},
      // One thread: by guard, by branch, by the lane; a warp's number is not enough.
      Pair{"elect", Severity::Warning, mma, elect + "@e " + mma},
      Pair{"elect", Severity::Warning,
           "mov.u32 r3, %tid.x; shr.u32 r4, r3, 5; setp.ne.u32 p1, r4, 0; @p1 bra END;\n" + mma +
               "END:\n",
           "mov.u32 r3, %tid.x; setp.ne.u32 p1, r3, 0; @p1 bra END;\n" + mma + "END:\n"},
      Pair{"elect", Severity::Warning,
           "mov.u32 r3, %tid.x; setp.ge.u32 p1, r3, 32; @p1 bra END;\n" + mma + "END:\n",
           "mov.u32 r3, %tid.x; setp.ge.u32 p1, r3, 32; @p1 bra END;\n" + elect + "@!e bra END;\n" +
               mma + "END:\n"},
      // Proxy fences.
      Pair{"proxy-fence", Severity::Warning, "st.shared.b32 [s], r1;\n" + elect + "@e " + mma,
           "st.shared.b32 [s], r1; fence.proxy.async.shared::cta;\n" + elect + "@e " + mma},
      Pair{"proxy-fence", Severity::Warning,
           "st.shared.b32 [s], r1; cp.async.bulk.global.shared::cta.bulk_group [d0], [s], 16;\n",
           "st.shared.b32 [s], r1; fence.proxy.async; "
           "cp.async.bulk.global.shared::cta.bulk_group [d0], [s], 16;\n"},
      // Tensor memory given back.
      Pair{"load-release", Severity::Warning,
           "tcgen05.ld.sync.aligned.32x32b.x1.b32 {r3}, [r0]; "
           "mbarrier.arrive.shared::cta.b64 _, [s];\n",
           "tcgen05.ld.sync.aligned.32x32b.x1.b32 {r3}, [r0]; tcgen05.wait::ld.sync.aligned; "
           "mbarrier.arrive.shared::cta.b64 _, [s];\n"});
  CAPTURE(pair.wrong);
  std::vector<Finding> findings = lintBody(pair.rule, pair.wrong);
  REQUIRE(findings.size() == 1);
  CHECK(toString(findings[0].severity) == toString(pair.severity));
  CHECK(findings[0].location.line > 4);
  CAPTURE(pair.right);
  for (const Finding &finding : lintBody(pair.rule, pair.right))
    FAIL_CHECK(finding.message);
}

TEST_CASE("pairs of CTAs need even clusters") {
  const std::string commit =
      "tcgen05.commit.cta_group::2.mbarrier::arrive::one.shared::cluster.b64 [r0];";
  CHECK(lintBody("cta-group", commit, ".reqntid 128 .reqnctapercluster 3, 1, 1").size() == 1);
  CHECK(lintBody("cta-group", commit, ".reqntid 128 .reqnctapercluster 2, 1, 1").empty());
  CHECK(lintBody("cluster", commit).size() == 1);
  CHECK(lintBody("cluster", commit, ".reqntid 128 .reqnctapercluster 2, 1, 1").empty());
}

TEST_CASE("one note for a kernel without tensor fences") {
  std::vector<Finding> notes = lintBody("tensor-fence", alloc + mma + mma + dealloc);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].severity == Severity::Note);
  CHECK(lintBody("tensor-fence", alloc + "tcgen05.fence::after_thread_sync;\n" + mma).empty());
}

TEST_CASE("targets and versions") {
  struct Row {
    const char *target, *instruction, *words; ///< words: empty = no finding
  };
  auto row =
      GENERATE(Row{"sm_90a", "wgmma.fence.sync.aligned;", ""},
               Row{"sm_90", "wgmma.fence.sync.aligned;", "accepted: sm_90a"},
               Row{"sm_100a", "wgmma.fence.sync.aligned;", "does not exist on sm_100a"},
               Row{"sm_100f", "tcgen05.fence::after_thread_sync;", ""},
               Row{"sm_120a", "tcgen05.fence::after_thread_sync;", "does not exist on sm_120a"},
               Row{"sm_90", "setmaxnreg.dec.sync.aligned.u32 24;", "does not exist on sm_90;"},
               Row{"sm_80", "elect.sync r0|p0, -1;", "needs PTX 8.0 and sm_90"},
               Row{"sm_80", "add.s32 r0, r1, 1;", ""}, Row{"sm_90", "elect.sync r0|p0, -1;", ""},
               Row{"sm_80", "cp.async.bulk.commit_group;", "sm_90"},
               Row{"sm_80", "cp.async.commit_group;", ""});
  CAPTURE(row.target, row.instruction);
  std::vector<Finding> all =
      lint(row.target, fmt::format(".entry k() .maxnreg 64 {{ .reg .b32 r<4>; .reg .pred p<2>;\n"
                                   "{}\nret; }}",
                                   row.instruction));
  std::erase_if(all, [](const Finding &finding) { return finding.rule != "target"; });
  REQUIRE(all.size() == (row.words[0] ? 1 : 0));
  if (row.words[0]) {
    INFO(all[0].message);
    CHECK(all[0].severity == Severity::Error);
    CHECK(all[0].message.find(row.words) != std::string::npos);
    CHECK(all[0].location.line == 5);
  }
}

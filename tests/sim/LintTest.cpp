//===- LintTest.cpp - findings of msa-sim lint ------------------------------===//
#include "Lint.h"

#include "ptxsim/Parser.h"

#include <catch2/catch.hpp>

using namespace msa;
using namespace msa::sim;

static std::vector<Finding> lint(const std::string &text) {
  auto module = ptxsim::parseModule(".version 8.0\n.target sm_90a\n" + text, "t.ptx");
  INFO(module.status().message());
  REQUIRE(module.ok());
  return lintModule(*module);
}

TEST_CASE("what is right has no findings") {
  CHECK(lint(".shared .b8 s[1024];\n.visible .entry k() .reqntid 384 .maxnreg 168 { .reg .pred p; "
             ".reg .b32 n;\n"
             "setmaxnreg.dec.sync.aligned.u32 24; bar.sync 0; bar.sync 15, 256; barrier.sync n, "
             "64; bar.red.popc.u32 n, 1, 32, p; ret; }")
            .empty());
}

TEST_CASE("findings") {
  struct Row {
    const char *text;
    bool error;
    const char *rule;
    unsigned line, column;
  };
  auto row = GENERATE(
      Row{".entry k() { setmaxnreg.dec.sync.aligned.u32 24; ret; }", true, "maxnreg", 3, 14},
      Row{".entry k() .maxnreg 64 {\nsetmaxnreg.inc.sync.aligned.u32 20; ret; }", true, "maxnreg",
          4, 1},
      Row{".entry k() .maxnreg 64 {\nsetmaxnreg.inc.sync.aligned.u32 100; ret; }", true, "maxnreg",
          4, 1},
      Row{".entry k() {\nbar.sync 16; ret; }", true, "barrier", 4, 10},
      Row{".entry k() {\nbar.sync 1, 40; ret; }", true, "barrier", 4, 13},
      Row{".entry k() {\n.reg .pred p, q; barrier.cta.red.or.pred p, 1, 0, q; ret; }", true,
          "barrier", 4, 48},
      Row{".entry k() .maxntid 32 .reqntid 32 { ret; }", true, "threads", 3, 8},
      Row{".entry k() .maxntid 2048 { ret; }", true, "threads", 3, 8},
      Row{".entry k() .reqntid 1, 1, 65 { ret; }", true, "threads", 3, 8},
      Row{".shared .b8 s[240000];\n.entry k() { ret; }", true, "shared", 4, 8},
      Row{".entry k() .explicitcluster { ret; }", false, "cluster", 3, 8},
      Row{".entry k() {\nbarrier.cluster.arrive.aligned; barrier.cluster.wait.aligned; ret; }",
          false, "cluster", 4, 1});
  CAPTURE(row.text);
  std::vector<Finding> findings = lint(row.text);
  REQUIRE(findings.size() == 1);
  INFO(findings[0].message);
  CHECK((findings[0].severity == Severity::Error) == row.error);
  CHECK(findings[0].rule == row.rule);
  CHECK(findings[0].location.line == row.line);
  CHECK(findings[0].location.column == row.column);
}

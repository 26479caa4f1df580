//===- WorkloadTest.cpp - real serving shapes, simulated and checked ------===//
//
// Ten of the 80 prefill cases shrunk with --fit, and one unscaled; all 80 with
// `tests-run "[all-prefill]"`.
//
//===----------------------------------------------------------------------===//
#include "CommandLine.h"

#include "verify/Workload.h"

using namespace msa;
using namespace msa::run;

namespace {

const std::string workload = std::string(MSA_WORKLOADS) + "/prefill.json";

/// The preset's bundle, or nothing where plans do not compile.
bool compileBundle(const std::string &path) {
  ProcessResult r =
      msaRun("--preset minimax-m3 --target sm_80 --route cuda --emit bundle --quiet -o " + path,
             MSA_COMPILE);
  if (r.exitCode == 3)
    WARN("SKIPPED: " << r.errors);
  else
    REQUIRE(r.exitCode == 0);
  return r.exitCode == 0;
}

void runCases(size_t first, size_t step) {
  Folder folder;
  std::string bundle = folder / "m3.msab";
  if (!compileBundle(bundle))
    return;
  auto cases = verify::loadWorkload(workload);
  REQUIRE(cases.ok());
  for (size_t i = first; i < cases->size(); i += step) {
    const std::string &id = (*cases)[i].id;
    INFO(id);
    ProcessResult r = msaRun("--bundle " + bundle + " --workload " + workload + " --case " + id +
                             " --fit 24,3072 --device sim --check --quiet");
    INFO(r.errors);
    CHECK(r.exitCode == 0);
  }
}

} // namespace

TEST_CASE("Ten prefill cases fitted to 24,3072 are right") { runCases(3, 8); }

TEST_CASE("All prefill cases fitted to 24,3072 are right", "[.][all-prefill]") { runCases(0, 1); }

TEST_CASE("A real prefill, unscaled, is right") {
  Folder folder;
  std::string bundle = folder / "m3.msab";
  if (!compileBundle(bundle))
    return;
  ProcessResult r = msaRun("--bundle " + bundle + " --workload " + workload +
                           " --case 1771c5fd9f866a13a3bc --device sim --check --quiet");
  INFO(r.errors);
  CHECK(r.exitCode == 0);
}

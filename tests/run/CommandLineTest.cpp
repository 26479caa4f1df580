//===- CommandLineTest.cpp - bad usage is exit 2 with what would be right -===//
#include "CommandLine.h"

#include <nlohmann/json.hpp>

using namespace msa;
using namespace msa::run;

namespace {

void refused(const std::string &line, const std::string &part, int code = 2) {
  INFO(line);
  ProcessResult r = msaRun(line);
  CHECK(r.exitCode == code);
  INFO(r.errors);
  CHECK(contains(r.errors, part));
  CHECK(r.output.empty());
}

const std::string workload = std::string("--workload ") + MSA_WORKLOADS + "/prefill.json";
const std::string lengths = " --query-lens 1 --kv-lens 5";

} // namespace

TEST_CASE("Help and version") {
  ProcessResult help = msaRun("--help");
  CHECK(help.exitCode == 0);
  CHECK(help.output.find("Examples:") < help.output.find("--bundle"));
  CHECK(msaRun("--version").output.find("msa-run ") == 0);
}

TEST_CASE("Sources and lengths") {
  refused("", "nothing to run");
  refused("--preset minimax-m3", "no lengths");
  refused("--preset minimax-m3 --plan x.json" + lengths,
          "only one of --bundle, --preset and --plan");
  refused("--preset minimax-m4" + lengths, "minimax-m3");
  refused("--bundle no-such.msab" + lengths, "no-such.msab");
  refused("--bundle x --set topk=3" + lengths, "--set goes with");
  refused("--plan no-such.json" + lengths, "no-such.json");
  refused("--preset minimax-m3 --query-lens 1", "go together");
  refused("--preset minimax-m3 --query-lens 1,x --kv-lens 3,4", "expected lengths");
  refused("--preset minimax-m3 --query-lens 1,-2 --kv-lens 3,4", "expected lengths");
  refused("--preset minimax-m3 --query-lens 1,2 --kv-lens 3",
          "query_lens has 2 entries and kv_lens 1");
  refused("--preset minimax-m3 --query-lens 0 --kv-lens 3", "no token at all");
  refused("--preset minimax-m3 " + lengths + " --load x", "only one of --workload");
  refused("--preset minimax-m3 --load no-such-folder", "case.json");
  refused("--preset minimax-m3 --query-lens 1 --kv-lens 99999999", "65536");
}

TEST_CASE("Plan keys, targets, phases, devices") {
  refused("--preset minimax-m3 --set topk" + lengths, "KEY=VALUE");
  refused("--preset minimax-m3 --set topk=65" + lengths, "topk = 65");
  refused("--preset minimax-m3 --set tpok=6" + lengths, "topk");
  refused("--preset minimax-m3 --target sm_81" + lengths, "sm_81");
  refused("--preset minimax-m3 --op topk" + lengths, "--op");
  refused("--preset minimax-m3 --phases index_score" + lengths, "index_scores");
  refused("--preset minimax-m3 --phases prefill" + lengths, "a pipeline is no phase");
  refused("--preset minimax-m3 --phases dense_attention" + lengths, "prefill has no such phase");
  refused("--preset minimax-m3 --route fast" + lengths, "auto, tile or cuda");
  refused("--preset minimax-m3 --device gpu" + lengths, "gpu");
  refused("--preset minimax-m3 --device cuda" + lengths, "--device sim", 3);
  refused("--preset minimax-m3 --device cuda:1" + lengths, "--device sim", 3);
  refused("--preset minimax-m3 --op decode" + lengths, "decode", 3);
  refused("--preset minimax-m3 --seed x" + lengths, "--seed");
  refused("--preset minimax-m3 --workspace-cap 0" + lengths, "--workspace-cap");
  refused("--preset minimax-m3 --chek" + lengths, "did you mean '--check'");
}

TEST_CASE("Workload cases") {
  refused("--preset minimax-m3 " + workload, "--workload needs --case");
  refused("--preset minimax-m3 --case x" + lengths, "--case goes with");
  refused("--preset minimax-m3 --fit 3,4" + lengths, "go with --workload");
  const std::string real = "--preset minimax-m3 " + workload + " --case 1771c5fd9f866a13a3bc ";
  refused("--preset minimax-m3 " + workload + " --case 1771", "80 cases");
  refused(real + "--fit 24", "expected Q,K");
  refused(real + "--fit 0,100", "expected Q,K");
  refused(real + "--fit 24,100 --scale 2", "only one of --scale and --fit");
  refused(real + "--fit 24,100", "--fit 1,2445");
  refused(real + "--scale 24", "--scale 23");
  refused(real + "--scale 0", "--scale");
  refused("--preset minimax-m3 --workload no-such.json --case x", "no-such.json");
}

TEST_CASE("Failures are answered in JSON too") {
  ProcessResult r = msaRun("--json --preset minimax-m3 --query-lens 1");
  CHECK(r.exitCode == 2);
  auto document = nlohmann::json::parse(r.output, nullptr, false);
  REQUIRE(document.is_object());
  CHECK(document["ok"] == false);
  CHECK(document["exit_code"] == 2);
  CHECK(contains(document["error"].get<std::string>(), "go together"));
}

//===- EndToEndTest.cpp - plans compiled, simulated and checked -----------===//
//
// Through the command line, as users do it. Where msa-compile cannot compile
// (no NVRTC), these tests say so and test nothing.
//
//===----------------------------------------------------------------------===//
#include "CommandLine.h"

#include "support/Npy.h"

#include <nlohmann/json.hpp>

#include <cstring>

using namespace msa;
using namespace msa::run;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// Small: 16 blocks of 16 keys and lists of 3.
const std::string small =
    "--preset narrow-64 --set heads.query=4 --set heads.kv=2 --set heads.index=2 --set "
    "block_size=16 "
    "--set kv_layout.page_size=32 --set topk=3 --target sm_80 --route cuda --quiet ";
const std::string lengths = "--query-lens 5,1,3 --kv-lens 200,90,2 ";

/// Whether plans compile here; says so once when they do not.
bool canCompile() {
  static const bool can = [] {
    Folder folder;
    ProcessResult r =
        msaRun("--preset narrow-64 --op gather_plan --target sm_80 --route cuda --no-cache "
               "--quiet -o " +
                   folder / "probe.msab",
               MSA_COMPILE);
    if (r.exitCode == 3)
      WARN("SKIPPED: " << r.errors);
    return r.exitCode != 3;
  }();
  return can;
}

json runJson(const std::string &line, int code = 0) {
  INFO(line);
  ProcessResult r = msaRun(line + " --json");
  INFO(r.errors);
  CHECK(r.exitCode == code);
  json document = json::parse(r.output, nullptr, false);
  REQUIRE(document.is_object());
  return document;
}

std::vector<std::string> phasesOfRun(const json &document) {
  std::vector<std::string> names;
  for (const json &phase : document["phases"])
    names.push_back(phase["phase"]);
  return names;
}

NpyArray array(const std::string &path) {
  auto a = readNpy(path);
  REQUIRE(a.status().message() == "");
  return *a;
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("A prefill in one go, with every check") {
  if (!canCompile())
    return;
  json d = runJson(small + lengths + "--check");
  CHECK(d["ok"] == true);
  CHECK(phasesOfRun(d) == Names{"index_scores", "topk_select", "gather_plan", "attention_split",
                                "attention_combine"});
  for (const json &phase : d["phases"]) {
    CHECK(phase["instructions"] > 0);
    CHECK_FALSE(phase["outputs"].empty());
  }
  CHECK(d["whole"].size() == 2);
  CHECK(d["slab"] == 9);
}

TEST_CASE("A small workspace makes slabs, and the same bits") {
  if (!canCompile())
    return;
  Folder folder;
  json whole = runJson(small + lengths + "--check --save " + folder / "whole");
  json slabs =
      runJson(small + lengths + "--check --workspace-cap 16000 --save " + folder / "slabs");
  CHECK(slabs["slab"] < 9);
  for (const char *name : {"scores", "selection", "partial_o", "partial_lse", "o", "lse"}) {
    INFO(name);
    CHECK(array(folder / ("whole/" + std::string(name) + ".npy")).data ==
          array(folder / ("slabs/" + std::string(name) + ".npy")).data);
  }
  ProcessResult tooSmall = msaRun(small + lengths + "--workspace-cap 100");
  CHECK(tooSmall.exitCode == 2);
  CHECK(contains(tooSmall.errors, "smallest cap"));
}

TEST_CASE("Saved cases load: a selection ends what is before it") {
  if (!canCompile())
    return;
  Folder folder;
  runJson(small + lengths + "--save " + folder / "a");
  json again =
      runJson("--load " + folder / "a" + " --target sm_80 --quiet --check --save " + folder / "b");
  CHECK(phasesOfRun(again) == Names{"gather_plan", "attention_split", "attention_combine"});
  CHECK(array(folder / "a/o.npy").data == array(folder / "b/o.npy").data);
  CHECK_FALSE(fs::exists(folder / "b/index_q.npy"));
  json select =
      runJson("--load " + folder / "a" +
              " --target sm_80 --quiet --check --phases topk_select --save " + folder / "c");
  CHECK(phasesOfRun(select) == Names{"topk_select"});
  CHECK(array(folder / "a/selection.npy").data == array(folder / "c/selection.npy").data);
  json split =
      runJson("--load " + folder / "a" + " --op attention_split --target sm_80 --quiet --check");
  CHECK(phasesOfRun(split) == Names{"gather_plan", "attention_split"});
  json combine = runJson("--load " + folder / "a" +
                         " --phases attention_combine --target sm_80 --quiet --check");
  CHECK(phasesOfRun(combine) == Names{"attention_combine"});
}

TEST_CASE("A loaded case must fit its plan, and be whole") {
  if (!canCompile())
    return;
  Folder folder;
  runJson(small + lengths + "--save " + folder / "a");
  ProcessResult differs = msaRun("--preset minimax-m3 --target sm_80 --load " + folder / "a");
  CHECK(differs.exitCode == 2);
  CHECK(contains(differs.errors, "differ in heads.index"));
  fs::remove(folder.path / "a" / "v.npy");
  ProcessResult missing = msaRun("--target sm_80 --load " + folder / "a");
  CHECK(missing.exitCode == 2);
  CHECK(contains(missing.errors, "attention_split needs the tensor v"));
}

TEST_CASE("Bundles: several targets and ops, and no compiler") {
  if (!canCompile())
    return;
  Folder folder;
  std::string plan = "--preset narrow-64 --route cuda --quiet --emit bundle ";
  ProcessResult compiled = msaRun(
      plan + "--target sm_75,sm_80 --op topk_select --op index_scores -o " + folder / "x.msab",
      MSA_COMPILE);
  REQUIRE(compiled.exitCode == 0);
  std::string run =
      "--bundle " + folder / "x.msab" + " --quiet --check --query-lens 2 --kv-lens 700 ";
  CHECK(runJson(run + "--op topk_select")["target"] == "sm_80");
  CHECK(runJson(run + "--op index_scores --target sm_75")["target"] == "sm_75");
  ProcessResult which = msaRun(run);
  CHECK(which.exitCode == 2);
  CHECK(contains(which.errors, "--op NAME"));
  CHECK(msaRun(run + "--route tile --op topk_select").exitCode == 3);
}

TEST_CASE("Checked plans report contract errors of the caller's selection") {
  if (!canCompile())
    return;
  Folder folder;
  std::string sparse = small + "--op sparse_attention --set checked=true ";
  json good = runJson(sparse + lengths + "--check --save " + folder / "a");
  CHECK(good["ok"] == true);
  NpyArray selection = array(folder / "a/selection.npy");
  int32_t bad = 77;
  std::memcpy(selection.data.data(), &bad, sizeof bad);
  REQUIRE(writeNpy(folder / "a/selection.npy", selection).ok());
  ProcessResult r = msaRun("--load " + folder / "a" + " --target sm_80 --set checked=true --quiet");
  CHECK(r.exitCode == 1);
  CHECK(contains(r.errors, "head 0, query 0 lists block 77"));
  json unchecked = runJson("--load " + folder / "a" + " --target sm_80 --quiet --check");
  CHECK(unchecked["ok"] == true); // the entry is ignored (A1)
}

TEST_CASE("Counters are there when asked for") {
  if (!canCompile())
    return;
  json d = runJson(small + lengths + "--op dense_attention --check --counters");
  CHECK(d["phases"][0]["counters"]["global_load_bytes"] > 0);
}

// What msa-compile writes: files, folders, bundles, cache entries. Needs the compiler image and
// NVRTC; skips loudly without.
#include "CliSupport.h"

#include "compiler/AssemblerKinds.h"
#include "msa/Plan.h"
#include "program/Bundle.h"
#include "tools/msa-compile/Environment.h"

using namespace msa;
using namespace msa::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

namespace {

/// topk_select is the cheapest kernel to compile.
std::vector<std::string> topk(std::vector<std::string> more) {
  more.insert(more.begin(), {"--preset", "minimax-m3", "--op", "topk_select", "--target", "sm_80"});
  return more;
}

std::string cacheOf(const nlohmann::json &document) { return document["images"][0]["cache"]; }

std::vector<fs::path> entriesOf(const fs::path &folder) {
  std::vector<fs::path> entries;
  if (fs::exists(folder))
    for (const auto &entry : fs::directory_iterator(folder))
      entries.push_back(entry.path());
  return entries;
}

} // namespace

TEST_CASE("msa-compile: one image is one file, or standard output", "[cli]") {
  ScratchFolder scratch;
  std::string file = (scratch / "topk.ptx").string();
  ProcessResult written = compileWith(scratch, topk({"--emit", "ptx", "-o", file}));
  if (skipMissing(written))
    return;
  REQUIRE(written.exitCode == 0);
  CHECK_THAT(slurp(file), Contains(".entry"));
  ProcessResult printed = compileWith(scratch, topk({"--emit", "ptx"}));
  CHECK(printed.exitCode == 0);
  CHECK(printed.output == slurp(file));
  ProcessResult inJson = compileWith(scratch, topk({"--emit", "ptx", "--json"}));
  CHECK(jsonOf(inJson)["images"][0]["ptx"] == slurp(file));
}

TEST_CASE("msa-compile: several images are a folder with index.json", "[cli]") {
  ScratchFolder scratch;
  fs::path folder = scratch / "deep/kernels";
  std::vector<std::string> arguments = {
      "--preset", "minimax-m3",  "--op",   "topk_select", "--op", "attention_combine",
      "--target", "sm_80,sm_90", "--emit", "ptx",         "-o",   folder.string() + "/"};
  ProcessResult result = compileWith(scratch, arguments);
  if (skipMissing(result))
    return;
  INFO(result.errors);
  REQUIRE(result.exitCode == 0);
  nlohmann::json index = nlohmann::json::parse(slurp(folder / "index.json"));
  REQUIRE(index.size() == 4);
  CHECK(entriesOf(folder).size() == 5);
  for (const nlohmann::json &row : index) {
    std::string ptx = slurp(folder / row["file"].get<std::string>());
    CHECK_THAT(ptx, Contains(".entry " + row["entry"].get<std::string>() + "("));
    CHECK_THAT(ptx, Contains(".target " + row["target"].get<std::string>()));
  }
  CHECK(index[0]["op"] == "topk_select");
  CHECK(index[3]["op"] == "attention_combine");

  // Our own folder is replaced as a whole: what the second call does not write is gone.
  arguments[8 - 1] = "sm_80";
  REQUIRE(compileWith(scratch, arguments).exitCode == 0);
  CHECK(nlohmann::json::parse(slurp(folder / "index.json")).size() == 2);
  CHECK(entriesOf(folder).size() == 3);
  CHECK(entriesOf(scratch / "deep").size() == 1); // nothing aside is left
}

TEST_CASE("msa-compile: a bundle holds every plan that was asked for", "[cli]") {
  ScratchFolder scratch;
  fs::path file = scratch / "two.msab";
  ProcessResult result =
      compileWith(scratch, {"--preset", "odd-192", "--op", "topk_select", "--op", "gather_plan",
                            "--target", "sm_80", "-o", file.string()});
  if (skipMissing(result))
    return;
  INFO(result.errors);
  REQUIRE(result.exitCode == 0);
  auto programs = readBundle(file);
  REQUIRE(programs.ok());
  REQUIRE(programs->size() == 2);
  CHECK((*programs)[0].plan.op == Op::TopkSelect);
  CHECK((*programs)[1].plan.op == Op::GatherPlan);
  CHECK((*programs)[0].plan.schedule.isAuto()); // as requested
  CHECK((*programs)[0].resolved.schedule.route == Route::Cuda);
}

TEST_CASE("msa-compile: a dumped module compiles to the same PTX", "[cli]") {
  ScratchFolder scratch;
  ProcessResult direct = compileWith(scratch, topk({"--emit", "ptx", "--no-cache"}));
  if (skipMissing(direct))
    return;
  ProcessResult module = compileWith(scratch, topk({"--emit", "msa"}));
  REQUIRE(module.exitCode == 0);
  CHECK_THAT(module.output, Contains("msa.topk_select"));
  spill(scratch / "in.mlir", module.output);
  ProcessResult replayed =
      compileWith(scratch, {"--input", (scratch / "in.mlir").string(), "--emit", "ptx"});
  CHECK(replayed.exitCode == 0);
  CHECK(replayed.output == direct.output);
  spill(scratch / "bad.mlir", "module { msa.topk_select }");
  ProcessResult bad =
      compileWith(scratch, {"--input", (scratch / "bad.mlir").string(), "--emit", "ptx"});
  CHECK(bad.exitCode == 2);
  CHECK_THAT(bad.errors, Contains("bad.mlir:1:"));
}

TEST_CASE("msa-compile: miss, hit, and the same bundle each time", "[cli][cache]") {
  ScratchFolder scratch;
  std::string cold = (scratch / "cold.msab").string(), warm = (scratch / "warm.msab").string();
  ProcessResult first = compileWith(scratch, topk({"--json", "-o", cold}));
  if (skipMissing(first))
    return;
  REQUIRE(first.exitCode == 0);
  CHECK(cacheOf(jsonOf(first)) == "miss");
  CHECK(entriesOf(scratch / "cache").size() == 1);
  ProcessResult second = compileWith(scratch, topk({"--json", "-o", warm}));
  CHECK(cacheOf(jsonOf(second)) == "hit");
  CHECK(slurp(cold) == slurp(warm));
  // PTX is in the same entry; another target, another k or checked is another.
  CHECK(cacheOf(jsonOf(compileWith(scratch, topk({"--emit", "ptx", "--json"})))) == "hit");
  CHECK(cacheOf(jsonOf(compileWith(scratch, topk({"--set", "topk=8", "--json"})))) == "miss");
  CHECK(cacheOf(jsonOf(compileWith(scratch, topk({"--set", "checked=true", "--json"})))) == "miss");
  CHECK(entriesOf(scratch / "cache").size() == 3);
}

TEST_CASE("msa-compile: a PTX entry does not answer for cubins", "[cli][cache]") {
  ScratchFolder scratch;
  ProcessResult first = compileWith(scratch, topk({"--emit", "ptx", "--json"}));
  if (skipMissing(first))
    return;
  CHECK(cacheOf(jsonOf(compileWith(scratch, topk({"--emit", "ptx", "--json"})))) == "hit");
  if (!Assembler::open(tools::toolchainRoots()).ok()) {
    WARN("SKIPPED: no assembler");
    return;
  }
  ProcessResult cubin = compileWith(
      scratch, topk({"--emit", "cubin", "--json", "-o", (scratch / "k.cubin").string()}));
  REQUIRE(cubin.exitCode == 0);
  CHECK(cacheOf(jsonOf(cubin)) == "miss");
  CHECK_THAT(slurp(scratch / "k.cubin"), StartsWith("\x7f"
                                                    "ELF"));
}

TEST_CASE("msa-compile: --no-cache, --explain and --dump-to compile afresh", "[cli][cache]") {
  ScratchFolder scratch;
  ProcessResult first = compileWith(scratch, topk({"--no-cache", "--json"}));
  if (skipMissing(first))
    return;
  CHECK(entriesOf(scratch / "cache").empty());
  REQUIRE(compileWith(scratch, topk({"--json"})).exitCode == 0);
  CHECK(cacheOf(jsonOf(compileWith(scratch, topk({"--no-cache", "--json"})))) == "miss");
  nlohmann::json explained = jsonOf(compileWith(scratch, topk({"--explain", "--json"})));
  CHECK(cacheOf(explained) == "miss");
  CHECK(explained["explanation"].size() > 0);
  ProcessResult dumped =
      compileWith(scratch, topk({"--dump-to", (scratch / "stages").string(), "--json"}));
  CHECK(cacheOf(jsonOf(dumped)) == "miss");
  CHECK(entriesOf(scratch / "stages").size() >= 4);
}

TEST_CASE("msa-compile: a damaged entry is set aside, said, and rebuilt", "[cli][cache]") {
  ScratchFolder scratch;
  std::string out = (scratch / "out.msab").string();
  ProcessResult first = compileWith(scratch, topk({"--json", "-o", out}));
  if (skipMissing(first))
    return;
  std::string whole = slurp(out);
  fs::path entry = entriesOf(scratch / "cache").at(0);
  std::string flipped = whole;
  flipped[flipped.size() / 2] ^= 1;
  for (const std::string &damage :
       {whole.substr(0, whole.size() / 2), std::string(), std::string("MSABNDL1"), flipped}) {
    spill(entry, damage);
    fs::remove(out);
    ProcessResult result = compileWith(scratch, topk({"--json", "-o", out}));
    CHECK(result.exitCode == 0);
    CHECK(cacheOf(jsonOf(result)) == "miss");
    CHECK_THAT(result.errors, Contains("set aside"));
    CHECK(slurp(out) == whole);
    CHECK(fs::exists(entry.string() + ".bad"));
    CHECK(slurp(entry) == whole);
  }
}

TEST_CASE("msa-compile: a cache that cannot be used is said and done without", "[cli][cache]") {
  ScratchFolder scratch;
  spill(scratch / "cache", "a file in the way");
  ProcessResult result = compileWith(scratch, topk({"--emit", "ptx"}));
  if (skipMissing(result))
    return;
  CHECK(result.exitCode == 0);
  CHECK_THAT(result.output, Contains(".entry"));
  CHECK_THAT(result.errors, Contains("cannot be used"));
  CHECK(slurp(scratch / "cache") == "a file in the way");
}

TEST_CASE("msa-compile --timing: every stage, in both forms", "[cli]") {
  ScratchFolder scratch;
  ProcessResult result = compileWith(scratch, topk({"--timing", "--json", "--no-cache"}));
  if (skipMissing(result))
    return;
  nlohmann::json timing = jsonOf(result)["timing"];
  CHECK(timing["seconds"] > 0);
  std::string names;
  for (const nlohmann::json &stage : timing["stages"]) {
    CHECK(stage["seconds"] >= 0);
    names += stage["stage"].get<std::string>() + "\n";
  }
  for (const char *stage : {"open the compiler image", "parse", "decompose", "nvrtc"})
    CHECK_THAT(names, Contains(stage));
  ProcessResult table = compileWith(scratch, topk({"--timing", "--no-cache"}));
  CHECK_THAT(table.output, Contains("whole process"));
  CHECK(compileWith(scratch, topk({"--quiet", "--no-cache"})).output.empty());
}

TEST_CASE("msa-compile without the compiler image, or without NVRTC, says what to install",
          "[cli][negative]") {
  ScratchFolder scratch;
  // A copy elsewhere sees neither this build's lib/ nor its cuda-wheels/.
  fs::path copy = scratch / "bin/msa-compile";
  fs::create_directories(copy.parent_path());
  fs::copy_file(msaCompile, copy);
  std::string out = (scratch / "out.msab").string();
  ProcessResult result = compileWith(scratch, topk({"-o", out}), copy);
  CHECK(result.exitCode == 3);
  CHECK_THAT(result.errors, Contains("libmsa-compiler.so"));

  fs::path image = msaCompile.parent_path().parent_path() / "lib/libmsa-compiler.so";
  if (!fs::exists(image)) {
    WARN("SKIPPED: this build has no compiler");
    return;
  }
  fs::create_directories(scratch / "lib");
  fs::create_symlink(image, scratch / "lib/libmsa-compiler.so");
  auto hidden = runProcess({"/usr/bin/env", "-i", "PATH=/nowhere", copy.string(), "--preset",
                            "minimax-m3", "--target", "sm_80", "-o", out});
  REQUIRE(hidden.ok());
  INFO(hidden->errors);
  CHECK(hidden->exitCode == 3);
  for (const char *word : {"libnvrtc.so", "apt-get install", "tools/fetch-cuda-wheels"})
    CHECK_THAT(hidden->errors, Contains(word));
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("msa-compile without an assembler: bundles of PTX, no cubins; with one again, a miss",
          "[cli][cache]") {
  auto nvrtc = findLibrary(tools::toolchainRoots(), "libnvrtc.so");
  fs::path lib = msaCompile.parent_path().parent_path() / "lib";
  if (!nvrtc || !fs::exists(lib / "libmsa-compiler.so")) {
    WARN("SKIPPED: no NVRTC, or this build has no compiler");
    return;
  }
  ScratchFolder scratch;
  fs::path copy = scratch / "bin/msa-compile", wheels = scratch / "cuda-wheels/lib";
  fs::create_directories(copy.parent_path());
  fs::create_directories(scratch / "lib");
  fs::create_directories(wheels);
  fs::copy_file(msaCompile, copy);
  fs::create_symlink(lib / "libmsa-compiler.so", scratch / "lib/libmsa-compiler.so");
  for (const auto &file : fs::directory_iterator(nvrtc->parent_path()))
    if (file.path().filename().string().starts_with("libnvrtc"))
      fs::create_symlink(file.path(), wheels / file.path().filename());
  auto call = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = topk(std::move(more));
    arguments.insert(arguments.begin(),
                     {"/usr/bin/env", "-i", "PATH=/nowhere",
                      "MSA_CACHE_DIR=" + (scratch / "cache").string(), copy.string()});
    auto result = runProcess(arguments);
    REQUIRE(result.ok());
    return *result;
  };
  ProcessResult cubin = call({"--emit", "cubin", "-o", (scratch / "k.cubin").string()});
  CHECK(cubin.exitCode == 3);
  CHECK_THAT(cubin.errors, Contains("nvidia-cuda-nvcc"));
  CHECK_FALSE(fs::exists(scratch / "k.cubin"));

  ProcessResult bundle = call({"--json", "-o", (scratch / "k.msab").string()});
  INFO(bundle.errors);
  REQUIRE(bundle.exitCode == 0);
  CHECK(jsonOf(bundle)["images"][0]["assembler"] == "");
  auto programs = readBundle(scratch / "k.msab");
  REQUIRE(programs.ok());
  CHECK((*programs)[0].kernels[0].cubin.empty());
  CHECK_FALSE((*programs)[0].kernels[0].ptx.empty());
  CHECK(cacheOf(jsonOf(call({"--json"}))) == "hit");

  if (!fs::exists(lib / "libmsa-nvptxcompiler.so")) {
    WARN("SKIPPED the last part: this build has no libmsa-nvptxcompiler.so");
    return;
  }
  fs::create_symlink(lib / "libmsa-nvptxcompiler.so", scratch / "lib/libmsa-nvptxcompiler.so");
  nlohmann::json again = jsonOf(call({"--json"}));
  CHECK(cacheOf(again) == "miss");
  CHECK_THAT(again["images"][0]["assembler"].get<std::string>(), StartsWith("nvptxcompiler"));
}

TEST_CASE("ptxas accepts the PTX of every preset and op", "[cli][ptxas]") {
  auto ptxas = assemblers::openPtxas(tools::toolchainRoots());
  MSA_SKIP_WITHOUT(ptxas);
  ScratchFolder scratch;
  std::string target = GENERATE("sm_80", "sm_75", "sm_90a", "sm_100a");
  for (const Preset &preset : presets()) {
    if (target != "sm_80" && preset.name != "odd-192" && preset.name != "minimax-m3")
      continue;
    std::vector<std::string> arguments = {"--preset",
                                          std::string(preset.name),
                                          "--target",
                                          target,
                                          "--emit",
                                          "ptx",
                                          "--no-cache",
                                          "-o",
                                          (scratch / std::string(preset.name)).string()};
    for (Op op : {Op::IndexScores, Op::TopkSelect, Op::GatherPlan, Op::AttentionSplit,
                  Op::AttentionCombine, Op::DenseAttention})
      arguments.insert(arguments.end(), {"--op", std::string(toString(op))});
    ProcessResult result = compileWith(scratch, arguments);
    if (skipMissing(result))
      return;
    INFO(preset.name << " " << target << ": " << result.errors);
    REQUIRE(result.exitCode == 0);
    fs::path folder = scratch / std::string(preset.name);
    nlohmann::json index = nlohmann::json::parse(slurp(folder / "index.json"));
    CHECK(index.size() >= 6);
    for (const nlohmann::json &row : index) {
      auto output =
          (*ptxas)->assemble(slurp(folder / row["file"].get<std::string>()), row["entry"], target);
      INFO(row.dump() << output.status().message());
      CHECK(output.ok());
    }
  }
}

//===- CompileTest.cpp - compile(): input, refusals, stages ---------------===//
//
// What needs no CUDA runs everywhere; what needs NVRTC says so and is skipped
// where there is none.
//
//===----------------------------------------------------------------------===//
#include "compiler/Compiler.h"
#include "compiler/CudaFrontEnd.h"
#include "compiler/MlirText.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace msa;

namespace {

CompileRequest requestFor(std::vector<Plan> plans, const std::string &emit) {
  CompileRequest request;
  request.plans = std::move(plans);
  request.emit = emit;
  if (const char *home = std::getenv("CUDA_HOME"))
    request.cudaHome = home;
  return request;
}

Plan planOf(Op op, const std::string &target = "sm_80") {
  Plan plan = findPreset("narrow-64").operator*();
  plan.op = op;
  plan.target = target;
  return plan;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

/// A request, when this machine has NVRTC.
std::optional<CompileRequest> withNvrtc(std::vector<Plan> plans, const std::string &emit) {
  CompileRequest request = requestFor(std::move(plans), emit);
  if (CudaFrontEnd::open({{request.cudaHome}}).ok())
    return request;
  WARN("skipped: no NVRTC below CUDA_HOME");
  return std::nullopt;
}

/// A folder that is removed with the test.
struct Folder {
  Folder()
      : path(std::filesystem::temp_directory_path() /
             ("msa-compile-test-" + std::to_string(::rand()))) {}
  ~Folder() { std::filesystem::remove_all(path); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(path))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string read(const std::string &name) const {
    std::ostringstream text;
    text << std::ifstream(path / name).rdbuf();
    return text.str();
  }
  std::filesystem::path path;
};

} // namespace

TEST_CASE("emit msa is the plan as IR, and reads back") {
  Op op = GENERATE(Op::IndexScores, Op::TopkSelect, Op::GatherPlan, Op::AttentionSplit,
                   Op::AttentionCombine, Op::DenseAttention, Op::SparseAttention, Op::Prefill);
  Expected<CompileResult> result = compile(requestFor({planOf(op)}, "msa"));
  REQUIRE(result.status().message() == "");
  CHECK_THAT(result->ir, Catch::Contains("msa." + std::string(toString(op)) + "("));
  CHECK_THAT(result->ir, Catch::Contains("msa.target = \"sm_80\""));
  CHECK_THAT(result->ir, Catch::Contains("%batch: !msa.batch"));
  CHECK(result->programs.empty());

  CompileRequest again;
  again.emit = "msa";
  again.mlirText = result->ir;
  Expected<CompileResult> second = compile(again);
  REQUIRE(second.status().message() == "");
  CHECK_THAT(second->ir, Catch::Contains("msa." + std::string(toString(op)) + "("));
}

TEST_CASE("several plans are one module") {
  Expected<CompileResult> result =
      compile(requestFor({planOf(Op::Prefill), planOf(Op::TopkSelect, "sm_90a")}, "msa"));
  REQUIRE(result.ok());
  CHECK_THAT(result->ir, Catch::Contains("msa.target = \"sm_80\""));
  CHECK_THAT(result->ir, Catch::Contains("msa.target = \"sm_90a\""));
}

TEST_CASE("an illegal plan is refused before anything is built") {
  Plan plan = planOf(Op::Prefill);
  plan.topk = 0;
  Status status = compile(requestFor({plan}, "msa")).status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK_THAT(status.message(), Catch::Contains("L1"));
}

TEST_CASE("stages of the tile route are named as missing") {
  std::string stage = GENERATE("tile", "nvvm", "llvm");
  Plan plan = planOf(Op::Prefill);
  Status status = compile(requestFor({plan}, stage)).status();
  CHECK(status.code() == StatusCode::Missing);
  CHECK(contains(status.message(),
                 "the " + stage +
                     " stage belongs to the tile route, which comes with a later issue"));

  plan.schedule.route = Route::Cuda;
  status = compile(requestFor({plan}, stage)).status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK_THAT(status.message(), Catch::Contains("the cuda route has no " + stage + " stage"));
}

TEST_CASE("an unknown stage lists those that exist") {
  Status status = compile(requestFor({planOf(Op::Prefill)}, "sass")).status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK(contains(status.message(),
                 "unknown stage 'sass' (accepted: msa tile nvvm llvm ptx cubin bundle)"));
}

TEST_CASE("a plan pinned to the tile route is a legal plan that cannot be compiled yet") {
  Plan plan = planOf(Op::Prefill);
  plan.schedule.route = Route::Tile;
  CHECK(compile(requestFor({plan}, "msa")).ok());
  Status status = compile(requestFor({plan}, "ptx")).status();
  CHECK(status.code() == StatusCode::Missing);
  CHECK_THAT(status.message(), Catch::Contains("the tile route comes with a later issue"));
}

TEST_CASE("errors in MLIR text have their place and print nothing") {
  CompileRequest request;
  request.emit = "msa";
  request.mlirName = "mine.mlir";
  auto [text, message] = GENERATE(table<std::string, std::string>({
      {"module {\n  func.func @f( {\n}", "mine.mlir:2:16: "},
      {"\n\n  foo.bar\n", "mine.mlir:3:3: "},
      {"module attributes {msa.target = \"sm_1\"} {}", "mine.mlir:1:1: "},
      {"module {} garbage", "mine.mlir:1:11: "},
      {"#a = #msa.precision<q = bf15>", "unknown type 'bf15', did you mean 'bf16'?"},
  }));
  request.mlirText = text;
  Status status = compile(request).status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK_THAT(status.message(), Catch::Contains(message));
}

TEST_CASE("text without a plan compiles to nothing and says so") {
  CompileRequest request;
  request.mlirText = GENERATE("", "module {}", "func.func private @f()");
  Status status = compile(request).status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK_THAT(status.message(), Catch::Contains("holds no msa op with a plan"));
}

TEST_CASE("deep text is refused") {
  CompileRequest request;
  request.mlirText = std::string(100000, '(');
  Status status = compile(request).status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK_THAT(status.message(), Catch::Contains("nested deeper than"));
}

TEST_CASE("without NVRTC the answer says what to install") {
  CompileRequest request;
  request.plans = {planOf(Op::TopkSelect)};
  request.emit = GENERATE("ptx", "cubin", "bundle");
  request.cudaHome = "/nonexistent";
  CHECK(compile(request).status().code() == StatusCode::Missing);
}

TEST_CASE("a folder that cannot be written to is an error") {
  CompileRequest request = requestFor({planOf(Op::TopkSelect)}, "msa");
  request.dumpTo = "/dev/null/dump";
  Status status = compile(request).status();
  CHECK(status.code() == StatusCode::InvalidInput);
  CHECK_THAT(status.message(), Catch::Contains("/dev/null/dump/01-input.mlir"));
}

TEST_CASE("ptx: every kernel of a program, explained and timed") {
  Op op = GENERATE(Op::Prefill, Op::DenseAttention, Op::TopkSelect);
  std::optional<CompileRequest> request = withNvrtc({planOf(op)}, "ptx");
  if (!request)
    return;
  std::vector<std::string> lines;
  request->progress = [&](const std::string &line) { lines.push_back(line); };
  Expected<CompileResult> result = compile(*request);
  REQUIRE(result.status().message() == "");
  REQUIRE(result->programs.size() == 1);
  const Program &program = result->programs[0];
  CHECK(program.plan == planOf(op));
  CHECK(program.resolved.schedule.route == Route::Cuda);
  REQUIRE_FALSE(program.kernels.empty());
  for (const KernelImage &image : program.kernels) {
    CHECK_THAT(image.ptx, Catch::Contains(".entry " + image.entry));
    CHECK_THAT(image.ptx, Catch::Contains(".target sm_80"));
    CHECK(image.target == "sm_80");
    CHECK(image.cubin.empty());
    CHECK_THAT(image.frontEnd, Catch::Contains("nvrtc"));
    CHECK(image.resources.threads > 0);
    CHECK(image.resources.ptxInstructions > 0);
  }
  CHECK(std::any_of(result->explanation.begin(), result->explanation.end(),
                    [](const std::string &s) { return contains(s, "route = cuda"); }));
  for (const char *stage :
       {"parse", "select-schedule", "decompose", "convert-msa-to-cuda", "nvrtc"})
    CHECK(std::any_of(result->times.begin(), result->times.end(),
                      [&](const StageTime &t) { return t.stage == stage && t.seconds >= 0; }));
  CHECK(std::count(lines.begin(), lines.end(), "nvrtc") == 1);
}

TEST_CASE("stage files are numbered and hold what the program holds") {
  std::optional<CompileRequest> request = withNvrtc({planOf(Op::TopkSelect)}, "ptx");
  if (!request)
    return;
  Folder folder;
  request->dumpTo = folder.path;
  Expected<CompileResult> result = compile(*request);
  REQUIRE(result.status().message() == "");
  std::vector<std::string> files = folder.files();
  const KernelImage &image = result->programs[0].kernels[0];
  std::string ptx = "05-nvrtc-" + image.entry + "-sm_80.ptx";
  for (const std::string &name :
       {std::string("01-input.mlir"), std::string("02-select-schedule.mlir"),
        std::string("03-decompose.mlir"), std::string("04-convert-msa-to-cuda.mlir"),
        std::string("05-nvrtc.mlir"), ptx})
    CHECK(std::count(files.begin(), files.end(), name) == 1);
  CHECK(folder.read(ptx) == image.ptx);
}

TEST_CASE("the number of threads changes no result") {
  std::optional<CompileRequest> request = withNvrtc(
      {planOf(Op::TopkSelect), planOf(Op::AttentionCombine), planOf(Op::TopkSelect, "sm_90a")},
      "bundle");
  if (!request)
    return;
  request->jobs = 1;
  Expected<CompileResult> one = compile(*request);
  request->jobs = 4;
  Expected<CompileResult> four = compile(*request);
  REQUIRE(one.status().message() == "");
  REQUIRE(four.status().message() == "");
  REQUIRE(one->programs.size() == 3);
  REQUIRE(four->programs.size() == 3);
  for (size_t p = 0; p < 3; ++p) {
    REQUIRE(one->programs[p].kernels.size() == four->programs[p].kernels.size());
    for (size_t k = 0; k < one->programs[p].kernels.size(); ++k) {
      CHECK(one->programs[p].kernels[k].ptx == four->programs[p].kernels[k].ptx);
      CHECK(one->programs[p].kernels[k].cubin == four->programs[p].kernels[k].cubin);
    }
  }
}

TEST_CASE("MLIR text compiles to one program for each op with a plan") {
  Expected<CompileResult> ir =
      compile(requestFor({planOf(Op::TopkSelect), planOf(Op::AttentionCombine)}, "msa"));
  REQUIRE(ir.ok());
  std::optional<CompileRequest> request = withNvrtc({}, "ptx");
  if (!request)
    return;
  request->mlirText = ir->ir;
  Expected<CompileResult> result = compile(*request);
  REQUIRE(result.status().message() == "");
  REQUIRE(result->programs.size() == 2);
  CHECK(result->programs[0].plan == planOf(Op::TopkSelect));
  CHECK(result->programs[1].plan == planOf(Op::AttentionCombine));
}

//===- Main.cpp - msa-compile ---------------------------------------------===//
//
// Answers from the cache what it can; what it cannot is compiled by
// libmsa-compiler.so, which is opened only then. Results go to standard output
// or to files that appear whole; everything that is said goes to the other
// stream.
//
//===----------------------------------------------------------------------===//
#include "CacheAccess.h"
#include "CompilerImage.h"
#include "Environment.h"
#include "Options.h"
#include "Output.h"
#include "Report.h"

#include "program/Bundle.h"
#include "support/File.h"
#include "support/Progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <unistd.h>

namespace fs = std::filesystem;

namespace msa::tools {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Prints to standard output and flushes it: a full disk must not look like success.
Status printAll(const std::string &text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return {};
  std::fputs("msa-compile: cannot write to standard output\n", stderr);
  return Status::invalid("cannot write to standard output");
}

/// One call of the program.
class Run {
public:
  Run(Options o, Clock::time_point start)
      : options(std::move(o)), start(start),
        cache(!options.noCache && options.dumpTo.empty() && !options.explain, toolchainRoots()) {}

  int run() {
    outcome.status = work();
    outcome.seconds = secondsSince(start);
    return report();
  }

private:
  Status work();
  Status images(const std::vector<Plan> &plans);
  Status modules(const std::vector<Plan> &plans);
  Status emitImages();
  Expected<CompileResult> compile(CompileRequest request);
  int report();

  /// Results of text forms without -o, unless they are part of the JSON document.
  bool printsResult() const { return options.output.empty() && !options.json; }
  void time(const std::string &stage, Clock::time_point since) {
    outcome.times.push_back({stage, secondsSince(since)});
  }

  const Options options;
  const Clock::time_point start;
  CacheAccess cache;
  Outcome outcome;
  std::string text; ///< for standard output
};

Status Run::work() {
  Clock::time_point begin = Clock::now();
  std::vector<Plan> plans;
  if (options.inputFile.empty()) {
    MSA_ASSIGN_OR_RETURN(plans, plansFrom(options));
    if (options.printPlan) {
      for (const Plan &plan : plans)
        text += (text.empty() ? "" : ",\n") + prettyJson(plan);
      text = plans.size() > 1 ? "[" + text + "]\n" : text;
      if (text.back() != '\n')
        text += "\n";
      return {};
    }
  }
  if (!options.output.empty()) {
    size_t outputs = 0;
    for (const Plan &plan : plans)
      outputs += emitsImages(options.emit) ? phasesOf(plan.op).size() : 1;
    if (!options.inputFile.empty() && emitsImages(options.emit) && options.emit != "bundle")
      outputs = 0; // not known before the module is parsed
    if (options.emit == "bundle")
      outputs = 1;
    if (outputs > 0)
      MSA_RETURN_IF_ERROR(checkOutputPlace(options.output, outputs > 1));
  }
  time("plan", begin);
  return emitsImages(options.emit) ? images(plans) : modules(plans);
}

Expected<CompileResult> Run::compile(CompileRequest request) {
  ToolchainPaths roots = toolchainRoots();
  fs::path toolkit = cudaToolkit();
  request.cudaHome = toolkit;
  for (const fs::path &root : roots.roots)
    if (root != toolkit)
      request.toolDirs.push_back(root);
  request.emit = options.emit;
  request.dumpTo = options.dumpTo;
  request.explain = options.explain;
  request.timing = options.timing;
  request.jobs = options.jobs;
  if (!options.inputFile.empty()) {
    MSA_ASSIGN_OR_RETURN(request.mlirText, readTextFile(options.inputFile));
    request.mlirName = options.inputFile.string();
  }
  Progress progress("compile", 0, {.quiet = options.quiet || !::isatty(STDERR_FILENO)});
  request.progress = [&](const std::string &stage) { progress.note(stage); };
  double openSeconds = 0;
  Expected<CompileResult> result = compileByImage(programFolder(), request, openSeconds);
  outcome.times.push_back({"open the compiler image", openSeconds});
  if (result.ok()) {
    outcome.times.insert(outcome.times.end(), result->times.begin(), result->times.end());
    outcome.explanation.insert(outcome.explanation.end(), result->explanation.begin(),
                               result->explanation.end());
  }
  return result;
}

/// PTX, cubins, bundles: from the cache, the rest compiled in one go and stored.
Status Run::images(const std::vector<Plan> &plans) {
  Clock::time_point begin = Clock::now();
  CompileRequest request;
  std::vector<size_t> missing;
  outcome.programs.resize(plans.size());
  outcome.fromCache.assign(plans.size(), true);
  for (size_t i = 0; i < plans.size(); ++i) {
    if (std::optional<Program> hit = cache.find(plans[i], options.emit)) {
      outcome.programs[i] = std::move(*hit);
      continue;
    }
    missing.push_back(i);
    outcome.fromCache[i] = false;
    request.plans.push_back(plans[i]);
  }
  time("look in the cache", begin);
  if (!missing.empty() || plans.empty()) {
    MSA_ASSIGN_OR_RETURN(CompileResult result, compile(std::move(request)));
    if (plans.empty()) {
      outcome.programs = std::move(result.programs);
      outcome.fromCache.assign(outcome.programs.size(), false);
    } else if (result.programs.size() != missing.size()) {
      return Status::internal(
          fmt::format("{} plans gave {} programs", missing.size(), result.programs.size()));
    }
    begin = Clock::now();
    for (size_t i = 0; i < missing.size(); ++i) {
      outcome.programs[missing[i]] = std::move(result.programs[i]);
      cache.store(outcome.programs[missing[i]]);
    }
    time("store in the cache", begin);
  }
  begin = Clock::now();
  Status status = emitImages();
  time("write", begin);
  return status;
}

Status Run::emitImages() {
  if (options.emit == "bundle") {
    if (options.output.empty())
      return {};
    if (outcome.programs.size() == 1 && outcome.fromCache.front())
      if (auto bytes = cache.entryBytes(outcome.programs.front()))
        return writeFileAtomic(options.output, *bytes).in("-o");
    return writeBundle(options.output, outcome.programs);
  }
  std::vector<Artifact> artifacts = imageArtifacts(outcome.programs, options.emit);
  if (artifacts.empty())
    return Status::internal("the compiler gave no image");
  if (!options.output.empty()) {
    MSA_RETURN_IF_ERROR(checkOutputPlace(options.output, artifacts.size() > 1));
    return writeArtifacts(options.output, artifacts);
  }
  if (printsResult())
    for (const Artifact &artifact : artifacts) {
      if (artifacts.size() > 1)
        text += fmt::format("// ---- {} {} {}\n", artifact.op, artifact.target, artifact.entry);
      text += artifact.bytes;
    }
  return {};
}

/// IR: one module for each plan, or for the input.
Status Run::modules(const std::vector<Plan> &plans) {
  std::vector<Artifact> artifacts;
  for (size_t i = 0; i < std::max<size_t>(plans.size(), 1); ++i) {
    CompileRequest request;
    Artifact artifact{.op = "module", .suffix = options.emit == "llvm" ? "ll" : "mlir"};
    if (!plans.empty()) {
      request.plans = {plans[i]};
      artifact.op = toString(plans[i].op);
      artifact.target = plans[i].target;
    }
    MSA_ASSIGN_OR_RETURN(CompileResult result, compile(std::move(request)));
    artifact.bytes = std::move(result.ir);
    artifacts.push_back(std::move(artifact));
  }
  if (!options.output.empty())
    return writeArtifacts(options.output, artifacts);
  for (const Artifact &artifact : artifacts)
    (options.json ? outcome.ir : text) += artifact.bytes;
  return {};
}

int Run::report() {
  for (const std::string &warning : cache.warnings())
    if (!options.quiet)
      fmt::print(stderr, "msa-compile: {}\n", warning);
  if (!outcome.status.ok())
    fmt::print(stderr, "msa-compile: {}\n", outcome.status.message());
  if (outcome.status.code() == StatusCode::Internal)
    fmt::print(stderr, "msa-compile: this is a bug of ours; please report it with the command "
                       "line and the plan (--print-plan)\n");
  if (options.json && !options.printPlan)
    text = reportJson(options, outcome);
  else if (outcome.status.ok() && !options.printPlan)
    fmt::print(options.output.empty() && options.emit != "bundle" ? stderr : stdout, "{}",
               reportText(options, outcome));
  if (Status printed = printAll(text); !printed.ok() && outcome.status.ok())
    outcome.status = printed;
  return outcome.status.exitCode();
}

int mainOf(int argc, char **argv) {
  Clock::time_point start = Clock::now();
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  Expected<ParsedOptions> parsed = parseOptions(std::move(arguments));
  if (!parsed.ok()) {
    fmt::print(stderr, "msa-compile: {}\n", parsed.status().message());
    if (json)
      fmt::print("{}", reportJson({}, {.status = parsed.status()}));
    return parsed.status().exitCode();
  }
  if (parsed->text)
    return printAll(*parsed->text).exitCode();
  if (parsed->options.listPresets)
    return printAll(parsed->options.json ? presetsJson() : presetsText()).exitCode();
  return Run(std::move(parsed->options), start).run();
}

} // namespace
} // namespace msa::tools

int main(int argc, char **argv) {
  try {
    return msa::tools::mainOf(argc, argv);
  } catch (const std::exception &error) {
    std::fprintf(stderr,
                 "msa-compile: %s (a bug of ours; please report it with the command line)\n",
                 error.what());
    return static_cast<int>(msa::StatusCode::Internal);
  }
}

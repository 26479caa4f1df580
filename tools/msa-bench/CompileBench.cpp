//===- CompileBench.cpp - compile times of whole processes ----------------===//
//
// Each sample is a msa-compile of its own, as users start it, so process start,
// library loading and file output are in it. The page cache is warm after the
// first run, which is not counted.
//
//===----------------------------------------------------------------------===//
#include "Bench.h"

#include "support/Process.h"
#include "support/Progress.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <sys/resource.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace msa::bench {
namespace {

/// A folder for outputs and a cache of its own, removed at the end.
class ScratchFolder {
public:
  static Expected<ScratchFolder> create() {
    std::error_code error;
    std::string pattern = (fs::temp_directory_path(error) / "msa-bench.XXXXXX").string();
    if (error || !::mkdtemp(pattern.data()))
      return Status::missing("cannot make a temporary folder " + pattern);
    return ScratchFolder(pattern);
  }
  ScratchFolder(ScratchFolder &&other) noexcept : folder(std::exchange(other.folder, {})) {}
  ~ScratchFolder() {
    std::error_code error;
    if (!folder.empty())
      fs::remove_all(folder, error);
  }
  fs::path operator/(const char *name) const { return folder / name; }

private:
  explicit ScratchFolder(fs::path f) : folder(std::move(f)) {}
  fs::path folder;
};

struct Sample {
  double seconds;
  double processorSeconds; ///< user and system time of the process and its children
  std::string output;
};

/// User and system seconds of all children that have ended.
double childrenSeconds() {
  rusage usage;
  ::getrusage(RUSAGE_CHILDREN, &usage);
  auto seconds = [](const timeval &t) { return double(t.tv_sec) + double(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Expected<Sample> runOnce(const std::vector<std::string> &arguments) {
  double processorStart = childrenSeconds();
  auto start = std::chrono::steady_clock::now();
  MSA_ASSIGN_OR_RETURN(ProcessResult result, runProcess(arguments));
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!result.ok())
    return Status(result.exitCode == 3 ? StatusCode::Missing : StatusCode::CheckFailed,
                  fmt::format("{} ended with exit code {}: {}", arguments.front(), result.exitCode,
                              result.errors));
  return Sample{seconds, childrenSeconds() - processorStart, std::move(result.output)};
}

/// Runs a command repeat + 1 times and drops the first, which warms the page cache.
Expected<std::vector<Sample>> runRepeatedly(const std::vector<std::string> &arguments,
                                            const std::string &label, const BenchOptions &options) {
  Progress progress(label, uint64_t(options.repeat) + 1, {.quiet = options.quiet});
  std::vector<Sample> samples;
  for (int i = 0; i <= options.repeat; ++i) {
    MSA_ASSIGN_OR_RETURN(Sample sample, runOnce(arguments));
    if (i > 0)
      samples.push_back(std::move(sample));
    progress.advance();
  }
  return samples;
}

/// Wall clock, which the aim is about, and processor time, which a busy machine disturbs less.
std::vector<Measurement> wholeProcess(const std::string &subject,
                                      const std::vector<Sample> &samples, double aim) {
  Measurement wall{.subject = subject, .name = "whole process", .unit = "s", .aim = aim};
  Measurement processor{.subject = subject, .name = "processor time", .unit = "s"};
  for (const Sample &sample : samples) {
    wall.samples.push_back(sample.seconds);
    processor.samples.push_back(sample.processorSeconds);
  }
  return {wall, processor};
}

/// The stages of `--timing --json` documents, one measurement for each, in the first one's order.
std::vector<Measurement> stagesOf(const std::string &subject, const std::vector<Sample> &samples) {
  std::vector<Measurement> stages;
  std::map<std::string, size_t> places;
  for (const Sample &sample : samples) {
    nlohmann::json document = nlohmann::json::parse(sample.output, nullptr, false);
    if (!document.is_object() || !document.contains("timing"))
      continue;
    for (const auto &stage : document["timing"]["stages"]) {
      std::string name = stage.value("stage", "");
      auto [place, isNew] = places.emplace(name, stages.size());
      if (isNew)
        stages.push_back({.subject = subject, .name = name, .unit = "s"});
      stages[place->second].samples.push_back(stage.value("seconds", 0.0));
    }
  }
  return stages;
}

std::vector<std::string> prefillCommand(const BenchOptions &options, const fs::path &output) {
  return {(options.programs / "msa-compile").string(),
          "--preset",
          options.preset,
          "--target",
          options.target,
          "--route",
          "cuda",
          "--emit",
          "bundle",
          "-o",
          output.string(),
          "--timing",
          "--json"};
}

} // namespace

Expected<std::vector<Measurement>> benchCompile(const BenchOptions &options) {
  MSA_ASSIGN_OR_RETURN(ScratchFolder scratch, ScratchFolder::create());
  std::vector<std::string> command = prefillCommand(options, scratch / "out.msab");
  command.push_back("--no-cache");
  MSA_ASSIGN_OR_RETURN(auto samples, runRepeatedly(command, "compile", options));
  std::vector<Measurement> all = wholeProcess("compile", samples, 1.0);
  for (Measurement &stage : stagesOf("compile", samples))
    all.push_back(std::move(stage));
  return all;
}

Expected<std::vector<Measurement>> benchEmpty(const BenchOptions &options) {
  std::vector<std::string> command = {(options.programs / "msa-compile").string(),
                                      "--preset",
                                      options.preset,
                                      "--target",
                                      options.target,
                                      "--op",
                                      "gather_plan",
                                      "--emit",
                                      "msa",
                                      "--no-cache"};
  MSA_ASSIGN_OR_RETURN(auto samples, runRepeatedly(command, "empty compile", options));
  return wholeProcess("empty", samples, 0.06);
}

Expected<std::vector<Measurement>> benchCacheHit(const BenchOptions &options) {
  MSA_ASSIGN_OR_RETURN(ScratchFolder scratch, ScratchFolder::create());
  // The only way to hand msa-compile a cache; this process has no other use for the variable.
  ::setenv("MSA_CACHE_DIR", (scratch / "cache").c_str(), 1);
  std::vector<std::string> command = prefillCommand(options, scratch / "out.msab");
  MSA_ASSIGN_OR_RETURN(auto samples, runRepeatedly(command, "cache hit", options));
  for (const Sample &sample : samples)
    if (sample.output.find("\"cache\": \"miss\"") != std::string::npos)
      return Status::checkFailed("a compile that should be a cache hit was a miss");
  std::vector<Measurement> all = wholeProcess("hit", samples, 0.01);
  for (Measurement &stage : stagesOf("hit", samples))
    all.push_back(std::move(stage));
  return all;
}

} // namespace msa::bench

//===- RunCommand.cpp - msa-sim run ----------------------------------------===//
#include "Commands.h"
#include "CounterReport.h"
#include "Launch.h"

#include "ptxsim/Parser.h"
#include "support/File.h"
#include "support/NearestWord.h"
#include "support/Progress.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>

using nlohmann::ordered_json;

namespace msa::sim {
namespace {

/// The kernel that the specification names.
Expected<const ptxsim::Function *> findKernel(const ptxsim::Module &module,
                                              const LaunchSpec &spec) {
  std::vector<std::string_view> entries;
  for (const ptxsim::Function &function : module.functions) {
    if (function.entry && !function.declaration && function.name == spec.entry)
      return &function;
    if (function.entry && !function.declaration)
      entries.push_back(function.name);
  }
  return Status::invalid(
      fmt::format("{}: entry: the PTX has no kernel {}{}", spec.name, quoteText(spec.entry),
                  entries.empty() ? "; it has none at all" : suggestion(spec.entry, entries)));
}

ordered_json toJson(const ptxsim::Trap &trap) {
  return {{"id", trap.id},
          {"message", trap.message},
          {"file", trap.file},
          {"line", trap.location.line},
          {"column", trap.location.column},
          {"source_line", trap.sourceLine},
          {"cta", trap.cta},
          {"warp", trap.warp},
          {"lane", trap.lane},
          {"text", trap.text()}};
}

struct Finished {
  const LaunchSpec &spec;
  const ptxsim::Executable::Result &result;
  std::vector<std::filesystem::path> saved;
  double seconds;
};

void report(const Options &options, const Finished &run) {
  const ptxsim::Executable::Result &result = run.result;
  if (result.trapped)
    fmt::print(stderr, "{}\n", result.trap.text());
  if (options.json) {
    ordered_json out = {{"entry", run.spec.entry}, {"seconds", run.seconds}};
    out["trap"] = result.trapped ? toJson(result.trap) : ordered_json();
    out["counters"] = countersToJson(result.counters, options.run.counters);
    out["saved"] = ordered_json::array();
    for (const std::filesystem::path &path : run.saved)
      out["saved"].push_back(path.string());
    fmt::print("{}\n", out.dump(2, ' ', true, ordered_json::error_handler_t::replace));
    return;
  }
  if (options.run.counters)
    fmt::print("{}", countersToTable(result.counters));
  if (options.quiet || result.trapped)
    return;
  fmt::print("{}: done, {} thread instructions in {:.3f} s, {} output{} saved\n", run.spec.entry,
             result.counters.threadInstructions, run.seconds, run.saved.size(),
             run.saved.size() == 1 ? "" : "s");
}

/// The folder of the outputs; "" is the current one.
Status makeFolder(const std::filesystem::path &folder) {
  std::error_code problem;
  if (!folder.empty() && !std::filesystem::is_directory(folder, problem))
    std::filesystem::create_directories(folder, problem);
  return problem ? Status::invalid(fmt::format("--save {}: {}", folder.string(), problem.message()))
                 : Status();
}

} // namespace

Expected<int> runCommand(const Options &options) {
  MSA_ASSIGN_OR_RETURN(std::string ptx, readTextFile(options.ptxFile));
  MSA_ASSIGN_OR_RETURN(ptxsim::Module parsed, ptxsim::parseModule(ptx, options.ptxFile));
  auto module = std::make_shared<const ptxsim::Module>(std::move(parsed));
  MSA_ASSIGN_OR_RETURN(std::string specText, readTextFile(options.launchFile));
  MSA_ASSIGN_OR_RETURN(LaunchSpec spec, parseLaunchSpec(specText, options.launchFile));
  MSA_ASSIGN_OR_RETURN(const ptxsim::Function *kernel, findKernel(*module, spec));
  MSA_RETURN_IF_ERROR(checkParameters(spec, *kernel));

  std::filesystem::path folder = std::filesystem::path(options.launchFile).parent_path();
  ptxsim::GlobalMemory memory;
  MSA_ASSIGN_OR_RETURN(PreparedLaunch launch, prepareLaunch(spec, folder, *kernel, memory));
  MSA_ASSIGN_OR_RETURN(std::shared_ptr<ptxsim::Executable> executable,
                       ptxsim::Executable::create(module, options.ptxFile));
  if (!options.saveFolder.empty())
    folder = options.saveFolder;

  Progress progress("simulate", 1, {.quiet = options.quiet});
  progress.note(spec.entry);
  auto start = std::chrono::steady_clock::now();
  MSA_ASSIGN_OR_RETURN(ptxsim::Executable::Result result,
                       executable->run(spec.entry, launch.config, memory, options.run));
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress.finish();

  Finished finished{spec, result, {}, seconds};
  if (!result.trapped) { // what a trapped kernel left is no result
    MSA_RETURN_IF_ERROR(makeFolder(folder));
    MSA_ASSIGN_OR_RETURN(finished.saved, saveOutputs(spec, launch, folder, memory));
  }
  report(options, finished);
  return result.trapped ? 1 : 0;
}

} // namespace msa::sim

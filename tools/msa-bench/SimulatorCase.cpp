//===- SimulatorCase.cpp - a kernel of another compiler on the simulator ----===//
//
// The case is made by ptx_cases.py (python3 with numpy) in a temporary folder and run
// in a child process, all checks on, so that the memory that it takes can be told
// from our own. Without the folder or python the measurement is left out, with a
// line on standard error.
//
//===----------------------------------------------------------------------===//
#include "Bench.h"

#include "Launch.h"
#include "ptxsim/Parser.h"
#include "support/File.h"

#include <fmt/format.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace msa::bench {
namespace {

namespace fs = std::filesystem;

/// A folder that is removed with its contents.
class ScratchFolder {
public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "msa-bench-XXXXXX").string();
    if (mkdtemp(name.data()))
      path = name;
  }
  ScratchFolder(const ScratchFolder &) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path.empty())
      fs::remove_all(path, ignored);
  }
  fs::path path; ///< empty: could not be made
};

/// Runs the case as `msa-sim run` does, without saving.
Status runCase(const fs::path &kernel, const fs::path &folder, bool checks) {
  fs::path launchFile = folder / "launch.json";
  MSA_ASSIGN_OR_RETURN(std::string ptx, readTextFile(kernel));
  MSA_ASSIGN_OR_RETURN(std::string text, readTextFile(launchFile));
  MSA_ASSIGN_OR_RETURN(ptxsim::Module parsed, ptxsim::parseModule(ptx, kernel.string()));
  MSA_ASSIGN_OR_RETURN(sim::LaunchSpec spec, sim::parseLaunchSpec(text, launchFile.string()));
  auto module = std::make_shared<const ptxsim::Module>(std::move(parsed));
  const ptxsim::Function *entry = module->findFunction(spec.entry);
  if (!entry)
    return Status::invalid(fmt::format("no kernel '{}'", spec.entry));
  MSA_RETURN_IF_ERROR(sim::checkParameters(spec, *entry));
  ptxsim::GlobalMemory memory;
  MSA_ASSIGN_OR_RETURN(sim::PreparedLaunch launch,
                       sim::prepareLaunch(spec, folder, *entry, memory));
  MSA_ASSIGN_OR_RETURN(auto executable, ptxsim::Executable::create(module, kernel.string()));
  ptxsim::RunOptions options;
  if (!checks)
    options.disabledChecks = {"all"};
  MSA_ASSIGN_OR_RETURN(auto result, executable->run(spec.entry, launch.config, memory, options));
  return result.trapped ? Status::internal(result.trap.text()) : Status();
}

struct Ran {
  double seconds = 0, bytes = 0;
};

/// The same in a child process.
Expected<Ran> runInChild(const fs::path &kernel, const fs::path &folder, bool checks) {
  std::fflush(nullptr);
  auto start = std::chrono::steady_clock::now();
  pid_t child = fork();
  if (child < 0)
    return Status::missing("cannot start a process");
  if (child == 0) {
    Status status = runCase(kernel, folder, checks);
    if (!status.ok())
      fmt::print(stderr, "msa-bench: {}\n", status.message());
    std::fflush(stderr);
    _exit(status.ok() ? 0 : 1);
  }
  int exit = 0;
  rusage usage{};
  if (wait4(child, &exit, 0, &usage) != child || !WIFEXITED(exit) || WEXITSTATUS(exit) != 0)
    return Status::internal(fmt::format("{} does not run", kernel.string()));
  return Ran{std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
             double(usage.ru_maxrss) * 1024};
}

/// True if the case could be made.
bool makeCase(const fs::path &script, const std::string &name, const fs::path &folder) {
  std::string command = fmt::format("python3 -B '{}' make {} '{}' --seed 0 >/dev/null 2>&1",
                                    script.string(), name, folder.string());
  return std::system(command.c_str()) == 0;
}

} // namespace

Status benchCases(const BenchOptions &options, std::vector<Measurement> &all) {
  const std::string name = "cutlass_cpp_gemm_sm100";
  constexpr double aimSeconds = 5;
  fs::path script = options.cases / "ptx_cases.py", kernel = options.cases / name / "kernel.ptx";
  ScratchFolder folder;
  if (!fs::exists(script) || folder.path.empty() || !makeCase(script, name, folder.path)) {
    fmt::print(stderr,
               "msa-bench: {} is left out: it needs python3 with numpy, and --cases with the "
               "folder of ptx_cases.py (now '{}')\n",
               name, options.cases.string());
    return {};
  }
  Measurement seconds{.subject = "sim", .name = name, .unit = "s", .aim = aimSeconds};
  Measurement bytes{.subject = "sim", .name = name + ", peak memory", .unit = "bytes"};
  Measurement slower{.subject = "sim",
                     .name = "all checks against none, " + name,
                     .unit = "times slower",
                     .aim = 4};
  for (int i = 0; i < std::max(1, options.repeat / 3); ++i) {
    MSA_ASSIGN_OR_RETURN(Ran on, runInChild(kernel, folder.path, true));
    MSA_ASSIGN_OR_RETURN(Ran off, runInChild(kernel, folder.path, false));
    seconds.samples.push_back(on.seconds);
    bytes.samples.push_back(on.bytes);
    slower.samples.push_back(on.seconds / off.seconds);
  }
  all.push_back(std::move(seconds));
  all.push_back(std::move(slower));
  all.push_back(std::move(bytes));
  return {};
}

} // namespace msa::bench

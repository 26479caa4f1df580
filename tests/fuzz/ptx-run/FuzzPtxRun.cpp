//===- FuzzPtxRun.cpp - mutated kernels of the asynchronous machinery, run --===//
//
// A seed is a whole module; the mutant is parsed, decoded and run with a small
// budget under one of the schedules. Nothing may crash or hang, every refusal names
// a line and a column, every trap has its line. Seeds themselves must be right.
//
//===----------------------------------------------------------------------===//
#include "Fuzz.h"
#include "Seeds.h"

#include "ptxsim/Parser.h"
#include "ptxsim/Simulator.h"
#include "ptxsim/TensorMap.h"

#include <cctype>
#include <memory>
#include <optional>

namespace {

using namespace msa::ptxsim;

constexpr uint64_t budget = 600; // warp instructions of a CTA; the longest seed takes 400

/// True if the message has "fuzz.ptx:LINE:COLUMN".
bool isLocated(std::string_view message) {
  size_t at = message.find("fuzz.ptx:");
  if (at == std::string_view::npos)
    return false;
  at += std::string_view("fuzz.ptx:").size();
  auto digits = [&] {
    size_t begin = at;
    while (at < message.size() && std::isdigit(static_cast<unsigned char>(message[at])))
      ++at;
    return at > begin;
  };
  return digits() && message[at++] == ':' && digits();
}

[[noreturn]] void unlocated(std::string_view what, std::string_view text) {
  std::fprintf(stderr, "no location in: %.*s\nof this input:\n%.*s\n",
               static_cast<int>(what.size()), what.data(), static_cast<int>(text.size()),
               text.data());
  std::abort();
}

/// Two buffers and a tensor map of the first. Shared by all runs: what a run leaves behind is
/// another input to the next, so they are written anew.
struct Memory {
  GlobalMemory memory;
  uint64_t in = 0, out = 0;
  std::vector<uint8_t> bytes = std::vector<uint8_t>(msa::fuzz::seedBufferBytes);
  TensorMapBytes map{};

  bool prepare() {
    auto first = memory.allocate(bytes.size(), Initial::Zero, "in");
    auto second = memory.allocate(bytes.size(), Initial::Zero, "out");
    if (!first.ok() || !second.ok())
      return false;
    in = *first;
    out = *second;
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = i % 2 ? 0x3c : static_cast<uint8_t>(i); // f16 near 1
    TensorMap tensor;
    tensor.type = TensorType::F16;
    tensor.rank = 2;
    tensor.address = in;
    tensor.dims = {64, 64, 1, 1, 1};
    tensor.strides = {128, 0, 0, 0};
    tensor.box = {16, 8, 1, 1, 1};
    map = encodeTensorMap(tensor);
    return true;
  }
  bool reset() { return memory.write(in, bytes).ok() && memory.write(out, bytes).ok(); }
};

/// The launch that the first kernel asks for, if it is small.
std::optional<LaunchConfig> launchOf(const Module &module, const Memory &memory) {
  LaunchConfig config;
  for (const Function &f : module.functions) {
    if (!f.entry || f.declaration)
      continue;
    for (size_t i = 0; i < 3; ++i) {
      config.block[i] = f.requiredThreads[0] ? std::max(1u, f.requiredThreads[i]) : i ? 1 : 32;
      config.cluster[i] = config.grid[i] = std::max(1u, f.requiredCluster[i]);
    }
    auto product = [](const std::array<uint32_t, 3> &a) { return uint64_t{a[0]} * a[1] * a[2]; };
    if (product(config.block) > 256 || product(config.cluster) > 4)
      return std::nullopt;
    config.parameters.resize(192);
    std::memcpy(config.parameters.data(), &memory.in, 8);
    std::memcpy(config.parameters.data() + 8, &memory.out, 8);
    std::copy(memory.map.begin(), memory.map.end(), config.parameters.begin() + 64);
    return config;
  }
  return std::nullopt;
}

struct Verdict {
  bool ran = false;
  std::string problem; ///< of a refusal or a trap
};

Verdict runText(std::string_view text, Memory &memory, const RunOptions &options) {
  auto parsed = parseModule(text, "fuzz.ptx");
  if (!parsed.ok()) {
    if (!isLocated(parsed.status().message()))
      unlocated(parsed.status().message(), text);
    return {false, parsed.status().message()};
  }
  auto module = std::make_shared<const Module>(std::move(*parsed));
  auto executable = Executable::create(module, "fuzz.ptx");
  if (!executable.ok()) {
    if (!isLocated(executable.status().message()))
      unlocated(executable.status().message(), text);
    return {false, executable.status().message()};
  }
  std::optional<LaunchConfig> config = launchOf(*module, memory);
  if (!config || !memory.reset())
    return {false, "no launch"};
  std::string entry;
  for (const Function &f : module->functions)
    if (f.entry && !f.declaration && entry.empty())
      entry = f.name;
  auto result = (*executable)->run(entry, *config, memory.memory, options);
  if (!result.ok())
    return {false, result.status().message()};
  if (result->trapped && result->trap.location.line == 0)
    unlocated(result->trap.text(), text);
  return {true, result->trapped ? result->trap.text() : std::string()};
}

RunOptions optionsFor(uint64_t number) {
  RunOptions options;
  options.threads = 1;
  options.instructionBudget = budget;
  options.counters = number % 4 == 0;
  options.schedule = number % 3 == 0   ? ScheduleKind::Eager
                     : number % 3 == 1 ? ScheduleKind::Lazy
                                       : ScheduleKind::Random;
  options.seed = number;
  options.mma = number % 2 ? MmaMode::Auto : MmaMode::Exact;
  // Without checks the run goes on where it would have trapped.
  if (number % 5 == 4)
    options.disabledChecks = {"all"};
  return options;
}

} // namespace

int main(int argc, char **argv) {
  Memory memory;
  if (!memory.prepare())
    return 1;
  msa::fuzz::Target target;
  target.name = "fuzz-ptx-run";
  target.lines = true;
  target.seeds = msa::fuzz::asyncSeeds();
  target.dictionary = msa::fuzz::asyncWords();
  for (const std::string &seed : target.seeds)
    for (uint64_t number = 0; number < 6; ++number)
      if (Verdict verdict = runText(seed, memory, optionsFor(number));
          !verdict.ran || !verdict.problem.empty()) {
        std::fprintf(stderr, "%s\nseed, run %llu: %s\n", seed.c_str(),
                     static_cast<unsigned long long>(number), verdict.problem.c_str());
        return 1;
      }
  target.run = [&](std::string_view text) {
    return runText(text, memory, optionsFor(std::hash<std::string_view>()(text))).ran;
  };
  return msa::fuzz::runFuzz(target, argc, argv);
}

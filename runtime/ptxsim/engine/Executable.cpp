//===- Executable.cpp - a decoded module; what a launch has to fulfil
//---------------------------===//
#include "ptxsim/engine/Counting.h"
#include "ptxsim/engine/Grid.h"
#include "ptxsim/engine/ProgramBuilder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <thread>

namespace msa::ptxsim {

namespace {

constexpr uint64_t mostSharedBytes = 227 << 10;
constexpr uint32_t mostThreads = 1024;

class DecodedModule final : public Executable {
public:
  DecodedModule(std::shared_ptr<const Module> module, const std::string &name)
      : source(std::move(module)), name(name), layout(ModuleLayout::create(*source)) {}

  Status decode() {
    for (const Function &f : source->functions) {
      if (!f.entry || f.declaration)
        continue;
      MSA_ASSIGN_OR_RETURN(Program program, ProgramBuilder(*source, layout, name).build(f));
      programs.push_back(std::make_unique<Program>(std::move(program)));
    }
    constants = initialBytes(StateSpace::Const, layout.constBytes);
    return {};
  }

  const Module &module() const override { return *source; }
  Expected<Result> run(const std::string &entry, const LaunchConfig &, GlobalMemory &,
                       const RunOptions &) override;

private:
  std::vector<uint8_t> initialBytes(StateSpace space, uint64_t bytes) const;
  Expected<Allocation *> moduleVariables(GlobalMemory::Impl &) const;
  const Program *find(const std::string &entry) const;
  Status check(const Program &, const LaunchConfig &) const;
  Status checkShape(const Function &, const LaunchConfig &) const;
  Status checkCluster(const Function &, const LaunchConfig &) const;

  std::shared_ptr<const Module> source;
  std::string name;
  ModuleLayout layout;
  std::vector<uint8_t> constants;
  std::vector<std::unique_ptr<Program>> programs;
};

//===----------------------------------------------------------------------===//
// Module variables
//===----------------------------------------------------------------------===//

std::vector<uint8_t> DecodedModule::initialBytes(StateSpace space, uint64_t bytes) const {
  std::vector<uint8_t> image(bytes);
  for (const Variable &v : source->variables) {
    if (v.space != space)
      continue;
    uint64_t at = layout.offsets.at(v.name);
    std::copy_n(v.initial.begin(), std::min<uint64_t>(v.initial.size(), v.bytes),
                image.begin() + static_cast<std::ptrdiff_t>(at));
    for (const Relocation &r : v.relocations) {
      uint64_t address = static_cast<uint64_t>(r.addend);
      for (const Variable &target : source->variables)
        if (target.name == r.symbol && layout.offsets.count(target.name))
          address +=
              layout.offsets.at(target.name) + (target.space == StateSpace::Global ? moduleWindow
                                                : r.generic                        ? constWindow
                                                                                   : 0);
      address >>= r.shift;
      if (r.offset + r.width <= v.bytes)
        std::memcpy(&image[at + r.offset], &address, r.width);
    }
  }
  return image;
}

/// The module's .global variables live as long as the memory that they were first used in.
Expected<Allocation *> DecodedModule::moduleVariables(GlobalMemory::Impl &memory) const {
  if (layout.globalBytes == 0)
    return nullptr;
  for (auto &storage : memory.modules)
    if (storage.module.lock() == source)
      return storage.allocation.get();
  MSA_ASSIGN_OR_RETURN(auto allocation,
                       GlobalMemory::Impl::make(moduleWindow, layout.globalBytes, Initial::Zero,
                                                "variables of module " + name));
  std::vector<uint8_t> image = initialBytes(StateSpace::Global, layout.globalBytes);
  std::memcpy(allocation->host, image.data(), image.size());
  memory.modules.push_back({source, std::move(allocation)});
  return memory.modules.back().allocation.get();
}

//===----------------------------------------------------------------------===//
// Checking a launch
//===----------------------------------------------------------------------===//

const Program *DecodedModule::find(const std::string &entry) const {
  for (const auto &program : programs)
    if (program->entry->name == entry)
      return program.get();
  return nullptr;
}

Status DecodedModule::checkShape(const Function &entry, const LaunchConfig &config) const {
  constexpr uint64_t most[3] = {0x7FFFFFFF, 65535, 65535}, mostBlock[3] = {1024, 1024, 64};
  uint64_t threads = 1;
  for (int i = 0; i < 3; ++i) {
    if (config.grid[i] == 0 || config.grid[i] > most[i])
      return Status::invalid(
          fmt::format("grid[{}] is {}; accepted: 1 to {}", i, config.grid[i], most[i]));
    if (config.block[i] == 0 || config.block[i] > mostBlock[i])
      return Status::invalid(
          fmt::format("block[{}] is {}; accepted: 1 to {}", i, config.block[i], mostBlock[i]));
    threads *= config.block[i];
  }
  if (threads > mostThreads)
    return Status::invalid(
        fmt::format("a block of {} threads; accepted: up to {}", threads, mostThreads));
  auto product = [](const std::array<uint32_t, 3> &a) {
    return uint64_t{std::max(1u, a[0])} * std::max(1u, a[1]) * std::max(1u, a[2]);
  };
  if (entry.requiredThreads[0] != 0)
    for (int i = 0; i < 3; ++i)
      if (config.block[i] != std::max(1u, entry.requiredThreads[i]))
        return Status::invalid(fmt::format(
            "block [{},{},{}]; '{}' requires [{},{},{}] (.reqntid)", config.block[0],
            config.block[1], config.block[2], entry.name, entry.requiredThreads[0],
            std::max(1u, entry.requiredThreads[1]), std::max(1u, entry.requiredThreads[2])));
  if (entry.maxThreads[0] != 0 && threads > product(entry.maxThreads))
    return Status::invalid(fmt::format("a block of {} threads; '{}' takes up to {} (.maxntid)",
                                       threads, entry.name, product(entry.maxThreads)));
  return checkCluster(entry, config);
}

Status DecodedModule::checkCluster(const Function &entry, const LaunchConfig &config) const {
  const auto &cluster = config.cluster;
  uint64_t size = uint64_t{cluster[0]} * cluster[1] * cluster[2];
  for (int i = 0; i < 3; ++i)
    if (cluster[i] == 0 || cluster[i] > Cluster::mostCtas || config.grid[i] % cluster[i] != 0)
      return Status::invalid(fmt::format(
          "cluster[{}] is {}; accepted: a divisor of grid[{}] = {}, at most {} CTAs in all", i,
          cluster[i], i, config.grid[i], Cluster::mostCtas));
  if (size > Cluster::mostCtas)
    return Status::invalid(
        fmt::format("a cluster of {} CTAs; accepted: up to {}", size, Cluster::mostCtas));
  if (size > 1 && targetNumberOf(source->target) < 90)
    return Status::invalid(
        fmt::format("clusters need sm_90 or later; the module's target is {}", source->target));
  if (entry.requiredCluster[0] != 0)
    for (int i = 0; i < 3; ++i)
      if (cluster[i] != std::max(1u, entry.requiredCluster[i]))
        return Status::invalid(fmt::format(
            "cluster [{},{},{}]; '{}' requires [{},{},{}] (.reqnctapercluster)", cluster[0],
            cluster[1], cluster[2], entry.name, entry.requiredCluster[0],
            std::max(1u, entry.requiredCluster[1]), std::max(1u, entry.requiredCluster[2])));
  return {};
}

Status DecodedModule::check(const Program &program, const LaunchConfig &config) const {
  const Function &entry = *program.entry;
  MSA_RETURN_IF_ERROR(checkShape(entry, config));
  uint64_t given = config.parameters.size(), wanted = program.parameterBytes;
  // A caller may have padded the block to its alignment.
  uint64_t padded = (wanted + 15) / 16 * 16;
  if (given < wanted || given > padded) {
    std::string list;
    for (const Placement &p : program.parameters)
      list +=
          fmt::format("{}'{}' {} bytes at {}", list.empty() ? "" : ", ", p.name, p.bytes, p.offset);
    return Status::invalid(fmt::format("{} bytes of parameters; '{}' takes {}{}{}", given,
                                       entry.name, wanted, list.empty() ? "" : ": ", list));
  }
  uint64_t shared = program.dynamicSharedOffset + uint64_t{config.dynamicSharedBytes};
  if (config.dynamicSharedBytes == 0)
    shared = program.staticSharedBytes;
  if (shared > mostSharedBytes)
    return Status::invalid(
        fmt::format("{} bytes of shared memory ({} static, {} dynamic); a CTA has up to {}", shared,
                    program.staticSharedBytes, config.dynamicSharedBytes, mostSharedBytes));
  return {};
}

Expected<Executable::Result> DecodedModule::run(const std::string &entry,
                                                const LaunchConfig &config, GlobalMemory &memory,
                                                const RunOptions &options) {
  const Program *program = find(entry);
  if (!program) {
    std::string names;
    for (const auto &p : programs)
      names += (names.empty() ? "" : ", ") + p->entry->name;
    return Status::invalid(fmt::format("{} has no entry '{}'; it has: {}", name, entry,
                                       names.empty() ? "none" : names));
  }
  MSA_RETURN_IF_ERROR(check(*program, config));
  Launch launch;
  launch.program = program;
  launch.config = &config;
  launch.options = &options;
  launch.memory = &memory.impl();
  launch.constants = &constants;
  launch.module = source.get();
  launch.moduleName = name;
  launch.sm = static_cast<int>(targetNumberOf(source->target));
  MSA_ASSIGN_OR_RETURN(launch.checks, CheckSet::create(options.disabledChecks));
  MSA_ASSIGN_OR_RETURN(launch.moduleVariables, moduleVariables(memory.impl()));
  launch.explicitCluster = program->entry->explicitCluster || clusterSize(config) > 1;
  launch.threads = config.block[0] * config.block[1] * config.block[2];
  launch.warps = (launch.threads + 31) / 32;
  launch.sharedBytes = config.dynamicSharedBytes
                           ? program->dynamicSharedOffset + config.dynamicSharedBytes
                           : program->staticSharedBytes;
  unsigned threads =
      options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  GridOutcome outcome = runGrid(launch, threads);
  Result result;
  result.trapped = outcome.trapped();
  result.trap = outcome.trap;
  result.counters =
      toCounters(*program, result.trapped ? outcome.trapTally : outcome.tally, options.counters);
  return result;
}

} // namespace

Expected<std::shared_ptr<Executable>> Executable::create(std::shared_ptr<const Module> module,
                                                         const std::string &name) {
  if (module->addressSize != 64)
    return Status::invalid(
        fmt::format("{}: .address_size {}; accepted: 64", name, module->addressSize));
  auto executable = std::make_shared<DecodedModule>(std::move(module), name);
  MSA_RETURN_IF_ERROR(executable->decode());
  return std::shared_ptr<Executable>(std::move(executable));
}

std::string Trap::text() const {
  std::string where = fmt::format("{}:{}:{}", file, location.line, location.column);
  if (!sourceLine.empty())
    where += fmt::format(" ({})", sourceLine);
  std::string who = fmt::format("CTA ({},{},{}) warp {}", cta[0], cta[1], cta[2], warp);
  if (lane >= 0)
    who += fmt::format(" lane {}", lane);
  return fmt::format("{}: [{}] {}: {}", where, id, who, message);
}

} // namespace msa::ptxsim

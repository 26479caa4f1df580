//===- Harness.cpp - run PTX text on the simulator ------------------------===//
//
// See Harness.h.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include "ptxsim/Parser.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace msa::ptxsim::cases {

Outcome runPtx(const std::string &ptx, uint32_t threads, const std::vector<uint8_t> &input,
               size_t outputBytes, const RunOptions &options) {
  Outcome outcome;
  auto parsed = parseModule(ptx, "case.ptx");
  if (!parsed) {
    outcome.error = parsed.status().message();
    return outcome;
  }
  auto executable =
      Executable::create(std::make_shared<const Module>(std::move(*parsed)), "case.ptx");
  if (!executable) {
    outcome.error = executable.status().message();
    return outcome;
  }
  GlobalMemory memory;
  auto in = memory.allocate(std::max<size_t>(input.size(), 16), Initial::Zero, "input");
  auto out = memory.allocate(std::max<size_t>(outputBytes, 16), Initial::Poison, "output");
  if (!in || !out || !memory.write(*in, input).ok()) {
    outcome.error = "cannot allocate device memory";
    return outcome;
  }
  LaunchConfig config;
  config.block = {threads, 1, 1};
  config.parameters.resize(16);
  std::memcpy(config.parameters.data(), &*in, 8);
  std::memcpy(config.parameters.data() + 8, &*out, 8);
  auto result = (*executable)->run("test", config, memory, options);
  if (!result) {
    outcome.error = result.status().message();
    return outcome;
  }
  if (result->trapped) {
    outcome.trapId = result->trap.id;
    outcome.trapText = result->trap.text();
    return outcome;
  }
  outcome.output.resize(outputBytes);
  if (Status read = memory.read(outcome.output, *out); !read.ok())
    outcome.error = read.message();
  return outcome;
}

const std::vector<Case> &allCases() {
  static const std::vector<Case> list = [] {
    std::vector<std::string> paths;
    for (const auto &entry : std::filesystem::directory_iterator(MSA_CASES_DIR))
      if (entry.path().extension() == ".cases")
        paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    std::vector<Case> all;
    for (const std::string &path : paths) {
      std::vector<Case> some = readCases(path);
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }();
  return list;
}

} // namespace msa::ptxsim::cases

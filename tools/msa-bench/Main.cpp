//===- Main.cpp - msa-bench -----------------------------------------------===//
#include "Bench.h"

#include "tools/msa-compile/Environment.h"
#include "tools/msa-compile/Table.h"
#include "tools/msa-compile/Version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>

namespace msa::bench {

double Measurement::median() const {
  if (samples.empty())
    return 0;
  std::vector<double> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  size_t middle = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

bool Measurement::meetsAim() const {
  return aim == 0 || (higherIsBetter ? median() >= aim : median() <= aim);
}

namespace {

constexpr const char *examples =
    R"(Measures this build: compile times of whole processes, and the simulator's speed.

Examples:
  msa-bench                       everything, as a table
  msa-bench compile --repeat 21   the whole prefill on the CUDA route, by stage
  msa-bench empty hit --json      start-up of the compiler, and a cache hit, as JSON
  msa-bench sim --json            the simulator: instructions and multiply-adds a second, cost of checks

Exit codes: 0 measured (whether or not the aims are met), 2 bad usage, 3 something is missing here.
)";

struct Subject {
  const char *name;
  Expected<std::vector<Measurement>> (*run)(const BenchOptions &);
};
constexpr std::array<Subject, 4> subjects = {{{"compile", benchCompile},
                                              {"empty", benchEmpty},
                                              {"hit", benchCacheHit},
                                              {"sim", benchSimulator}}};

std::string amount(double value, const std::string &unit) {
  return unit == "s" ? fmt::format("{:.2f} ms", value * 1e3) : fmt::format("{:.3g}", value);
}

std::string asTable(const std::vector<Measurement> &all) {
  std::vector<std::vector<std::string>> rows = {
      {"subject", "quantity", "median", "min", "max", "samples", "aim", ""}};
  for (const Measurement &m : all) {
    auto [low, high] = std::minmax_element(m.samples.begin(), m.samples.end());
    std::string aim;
    if (m.aim != 0)
      aim = (m.higherIsBetter ? "at least " : "at most ") + amount(m.aim, m.unit);
    rows.push_back({m.subject, m.unit == "s" ? m.name : m.name + ", " + m.unit,
                    amount(m.median(), m.unit), m.samples.empty() ? "-" : amount(*low, m.unit),
                    m.samples.empty() ? "-" : amount(*high, m.unit),
                    std::to_string(m.samples.size()), aim,
                    m.aim == 0     ? ""
                    : m.meetsAim() ? "met"
                                   : "NOT MET"});
  }
  return tools::formatTable(rows);
}

std::string asJson(const std::vector<Measurement> &all) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Measurement &m : all) {
    nlohmann::ordered_json row = {{"subject", m.subject},
                                  {"name", m.name},
                                  {"unit", m.unit},
                                  {"median", m.median()},
                                  {"samples", m.samples}};
    if (m.aim != 0) {
      row["aim"] = m.aim;
      row["met"] = m.meetsAim();
    }
    list.push_back(std::move(row));
  }
  return nlohmann::ordered_json{{"measurements", std::move(list)}}.dump(2) + "\n";
}

int mainOf(int argc, char **argv) {
  BenchOptions options;
  std::vector<std::string> names;
  bool json = false;
  CLI::App app(examples, "msa-bench");
  app.add_option("SUBJECT", names, "compile, empty, hit, sim; all when none is named");
  app.add_option("--repeat", options.repeat, "Samples of each quantity")
      ->check(CLI::Range(1, 1000));
  app.add_option("--preset", options.preset, "Head configuration to compile");
  app.add_option("--target", options.target, "Target to compile for");
  app.add_option("--cases", options.cases, "Folder of ptx_cases.py, for sim");
  app.add_flag("--json", json, "One JSON document on standard output");
  app.add_flag("--quiet", options.quiet, "No progress");
  app.set_version_flag("--version", std::string("msa-bench ") + tools::versionText());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(StatusCode::InvalidInput);
  }
  for (const std::string &name : names)
    if (std::none_of(subjects.begin(), subjects.end(),
                     [&](const Subject &subject) { return name == subject.name; })) {
      fmt::print(stderr, "msa-bench: unknown subject '{}'; expected compile, empty, hit or sim\n",
                 name);
      return static_cast<int>(StatusCode::InvalidInput);
    }
  options.programs = tools::programFolder();

  std::vector<Measurement> all;
  for (const Subject &subject : subjects) {
    if (!names.empty() && std::find(names.begin(), names.end(), subject.name) == names.end())
      continue;
    Expected<std::vector<Measurement>> measured = subject.run(options);
    if (!measured.ok()) {
      fmt::print(stderr, "msa-bench: {}: {}\n", subject.name, measured.status().message());
      return measured.status().exitCode();
    }
    all.insert(all.end(), measured->begin(), measured->end());
  }
  fmt::print("{}", json ? asJson(all) : asTable(all));
  return std::fflush(stdout) == 0 ? 0 : static_cast<int>(StatusCode::InvalidInput);
}

} // namespace
} // namespace msa::bench

int main(int argc, char **argv) {
  try {
    return msa::bench::mainOf(argc, argv);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "msa-bench: %s\n", error.what());
    return static_cast<int>(msa::StatusCode::Internal);
  }
}

//===- Trial.cpp - runs one text of a case ----------------------------------===//
#include "Trial.h"

#include "Launch.h"

#include "ptxsim/Parser.h"
#include "support/File.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace msa::mutation {
namespace {

constexpr size_t messageCharacters = 400;

/// FNV-1a.
uint64_t digestOf(uint64_t digest, std::span<const uint8_t> bytes) {
  for (uint8_t byte : bytes)
    digest = (digest ^ byte) * 0x100000001b3;
  return digest;
}

Expected<Outcome> run(const Case &given, const std::string &text, const Schedule &schedule,
                      uint64_t budget) {
  MSA_ASSIGN_OR_RETURN(ptxsim::Module parsed, ptxsim::parseModule(text, given.name));
  auto module = std::make_shared<const ptxsim::Module>(std::move(parsed));
  std::filesystem::path launchFile = given.folder / "launch.json";
  MSA_ASSIGN_OR_RETURN(std::string launchText, readTextFile(launchFile));
  MSA_ASSIGN_OR_RETURN(sim::LaunchSpec spec, sim::parseLaunchSpec(launchText, launchFile.string()));
  const ptxsim::Function *kernel = module->findFunction(spec.entry);
  if (!kernel)
    return Status::invalid(fmt::format("{}: no kernel '{}'", given.name, spec.entry));
  MSA_RETURN_IF_ERROR(sim::checkParameters(spec, *kernel));
  MSA_ASSIGN_OR_RETURN(std::shared_ptr<ptxsim::Executable> executable,
                       ptxsim::Executable::create(module, given.name));
  ptxsim::GlobalMemory memory;
  MSA_ASSIGN_OR_RETURN(sim::PreparedLaunch launch,
                       sim::prepareLaunch(spec, given.folder, *kernel, memory));

  ptxsim::RunOptions options;
  options.schedule = schedule.kind;
  options.seed = schedule.seed;
  options.threads = 1; // the workers are processes
  options.instructionBudget = budget;
  auto start = std::chrono::steady_clock::now();
  MSA_ASSIGN_OR_RETURN(ptxsim::Executable::Result result,
                       executable->run(spec.entry, launch.config, memory, options));
  Outcome outcome;
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::array<uint32_t, 3> &grid = launch.config.grid;
  uint64_t ctas = uint64_t{grid[0]} * grid[1] * grid[2];
  outcome.instructionsPerCta = result.counters.warpInstructions / std::max<uint64_t>(1, ctas);
  outcome.ending = result.trapped ? Ending::Trap : Ending::Done;
  outcome.id = result.trap.id;
  outcome.message = result.trapped ? result.trap.text() : "";
  if (result.trapped)
    return outcome;
  outcome.digest = 0xcbf29ce484222325;
  for (const sim::BufferSpec &buffer : spec.buffers) {
    if (!buffer.save)
      continue;
    std::vector<uint8_t> bytes(buffer.save->bytes);
    if (!bytes.empty())
      MSA_RETURN_IF_ERROR(memory.read(bytes, launch.buffers.at(buffer.name).address));
    outcome.digest = digestOf(outcome.digest, bytes);
  }
  return outcome;
}

/// What a child tells its parent. Shorter than a pipe holds, so that it never waits.
std::string toText(const Outcome &outcome) {
  nlohmann::json json = {{"ending", static_cast<int>(outcome.ending)},
                         {"id", outcome.id},
                         {"message", outcome.message.substr(0, messageCharacters)},
                         {"digest", outcome.digest},
                         {"instructions", outcome.instructionsPerCta},
                         {"seconds", outcome.seconds}};
  return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

Outcome fromText(const std::string &text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  Outcome outcome;
  if (json.is_discarded() || !json.contains("ending")) {
    outcome.id = "incomplete";
    return outcome;
  }
  outcome.ending = static_cast<Ending>(json["ending"].get<int>());
  outcome.id = json["id"].get<std::string>();
  outcome.message = json["message"].get<std::string>();
  outcome.digest = json["digest"].get<uint64_t>();
  outcome.instructionsPerCta = json["instructions"].get<uint64_t>();
  outcome.seconds = json["seconds"].get<double>();
  return outcome;
}

void writeAll(int descriptor, const std::string &text) {
  size_t done = 0;
  while (done < text.size()) {
    ssize_t written = ::write(descriptor, text.data() + done, text.size() - done);
    if (written <= 0)
      return;
    done += static_cast<size_t>(written);
  }
}

} // namespace

Expected<Schedule> parseSchedule(const std::string &word) {
  if (word == "eager")
    return Schedule{word, ptxsim::ScheduleKind::Eager, 0};
  if (word == "lazy")
    return Schedule{word, ptxsim::ScheduleKind::Lazy, 0};
  std::string_view digits(word);
  constexpr std::string_view random = "random:";
  if (digits.starts_with(random) && digits.size() > random.size() &&
      digits.find_first_not_of("0123456789", random.size()) == std::string_view::npos &&
      digits.size() < random.size() + 10)
    return Schedule{word, ptxsim::ScheduleKind::Random, std::stoull(word.substr(random.size()))};
  return Status::invalid(
      fmt::format("--schedules: '{}'; accepted: eager, lazy, random:SEED", word));
}

Outcome runHere(const Case &given, const std::string &text, const Schedule &schedule,
                uint64_t budget) {
  Expected<Outcome> outcome = run(given, text, schedule, budget);
  if (outcome.ok())
    return *outcome;
  Outcome refused;
  refused.ending = Ending::Refused;
  refused.message = outcome.status().message();
  return refused;
}

Expected<Trial> Trial::start(const Case &given, const std::string &text, const Schedule &schedule,
                             const TrialLimits &limits) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0)
    return Status::internal("pipe failed");
  std::fflush(nullptr);
  pid_t child = ::fork();
  if (child < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    return Status::internal("fork failed");
  }
  if (child == 0) {
    ::close(ends[0]);
    rlimit processor{limits.seconds, limits.seconds + 1};
    ::setrlimit(RLIMIT_CPU, &processor);
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::alarm(4 * limits.seconds); // of a process that sleeps for ever
    Outcome outcome;
    try {
      outcome = runHere(given, text, schedule, limits.instructionBudget);
    } catch (const std::exception &error) {
      outcome.id = fmt::format("exception {}", error.what());
    }
    writeAll(ends[1], toText(outcome));
    ::_exit(0); // nothing that the parent opened is closed or written twice
  }
  ::close(ends[1]);
  Trial trial;
  trial.child = child;
  trial.pipe = ends[0];
  return trial;
}

Outcome Trial::finish(int status) {
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t count = 0; (count = ::read(pipe, block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<size_t>(count));
  ::close(pipe);
  pipe = -1;
  if (WIFEXITED(status))
    return fromText(text);
  Outcome outcome;
  int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  outcome.ending =
      signal == SIGXCPU || signal == SIGKILL || signal == SIGALRM ? Ending::Hang : Ending::Crash;
  outcome.id = fmt::format("signal {}", signal);
  return outcome;
}

} // namespace msa::mutation

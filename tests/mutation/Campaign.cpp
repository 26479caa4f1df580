//===- Campaign.cpp - all mutants of some cases -----------------------------===//
#include "Campaign.h"

#include "support/Progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include <sys/wait.h>

namespace msa::mutation {
namespace {

/// A mutant may execute this many times the warp instructions of a clean CTA, and some more.
constexpr uint64_t budgetFactor = 20, budgetMore = 10000;

/// A clean run under one schedule.
struct Clean {
  Schedule schedule;
  uint64_t digest = 0;
};

struct Prepared {
  const Case *given = nullptr;
  std::vector<Clean> clean;
  TrialLimits limits;
  std::vector<Mutant> mutants;
};

/// One process to its end.
Expected<Outcome> runAlone(const Case &given, const Schedule &schedule, const TrialLimits &limits) {
  MSA_ASSIGN_OR_RETURN(Trial trial, Trial::start(given, given.text, schedule, limits));
  int status = 0;
  if (::waitpid(trial.process(), &status, 0) < 0)
    return Status::internal("waitpid failed");
  return trial.finish(status);
}

std::string explain(const Outcome &outcome) {
  switch (outcome.ending) {
  case Ending::Done:
    return "";
  case Ending::Trap:
  case Ending::Refused:
    return outcome.message;
  case Ending::Hang:
    return "does not end in time (" + outcome.id + ")";
  case Ending::Crash:
    return "the simulator crashed (" + outcome.id + ")";
  }
  return "";
}

/// `most` of the indices, evenly.
std::vector<size_t> spread(const std::vector<size_t> &all, size_t most) {
  if (most == 0 || all.size() <= most)
    return all;
  std::vector<size_t> some;
  for (size_t i = 0; i < most; ++i)
    some.push_back(all[i * all.size() / most]);
  return some;
}

std::vector<Mutant> choose(std::vector<Mutant> all, const CampaignOptions &options) {
  std::map<std::string, std::vector<size_t>> byKind;
  for (size_t i = 0; i < all.size(); ++i)
    if (options.kinds.empty() || options.kinds.count(all[i].kind))
      byKind[all[i].kind].push_back(i);
  std::vector<size_t> chosen;
  for (const auto &[kind, indices] : byKind)
    for (size_t index : spread(indices, options.perKind))
      chosen.push_back(index);
  std::sort(chosen.begin(), chosen.end());
  std::vector<Mutant> mutants;
  for (size_t index : spread(chosen, options.limit))
    mutants.push_back(std::move(all[index]));
  return mutants;
}

/// Clean runs; a case that cannot run clean is skipped with a reason.
Expected<std::string> prepare(const Case &given, const CampaignOptions &options, Prepared &out) {
  out.given = &given;
  uint64_t instructions = 0;
  std::string problem;
  for (const Schedule &schedule : options.schedules) {
    MSA_ASSIGN_OR_RETURN(Outcome outcome, runAlone(given, schedule, {0, options.seconds}));
    if (outcome.ending == Ending::Done) {
      out.clean.push_back({schedule, outcome.digest});
      instructions = std::max(instructions, outcome.instructionsPerCta);
      continue;
    }
    problem = fmt::format("clean run, {}: {}", schedule.name, explain(outcome));
    if (outcome.ending == Ending::Refused)
      return problem;
    fmt::print(stderr, "{}: {}\n", given.name, problem);
  }
  if (out.clean.empty())
    return problem;
  out.limits = {budgetFactor * instructions + budgetMore, options.seconds};
  MSA_ASSIGN_OR_RETURN(std::vector<Mutant> mutants, mutantsOf(given.text, given.name));
  out.mutants = choose(std::move(mutants), options);
  return std::string();
}

/// A mutant on its way through the schedules.
struct Running {
  Trial trial;
  const Prepared *from = nullptr;
  size_t mutant = 0, schedule = 0, result = 0;
  bool probing = false; ///< it survived: is it reached?
};

/// True when the outcome settles the mutant.
bool judge(const Outcome &outcome, const Clean &clean, Result &result) {
  result.seconds += outcome.seconds;
  switch (outcome.ending) {
  case Ending::Done:
    if (outcome.digest == clean.digest)
      return false;
    result.verdict = Verdict::WrongOutput;
    result.by = "output";
    break;
  case Ending::Trap:
    result.verdict = Verdict::Trapped;
    result.by = outcome.id;
    break;
  case Ending::Refused:
    result.verdict = Verdict::Refused;
    break;
  case Ending::Hang:
    result.verdict = Verdict::Hung;
    result.by = "hang";
    break;
  case Ending::Crash:
    result.verdict = Verdict::Crashed;
    result.by = "crash: " + outcome.id;
    break;
  }
  result.schedule = clean.schedule.name;
  result.message = explain(outcome);
  return true;
}

class Workers {
public:
  Workers(const CampaignOptions &options, CampaignResult &out, Progress &progress)
      : options(options), out(out), progress(progress) {}

  Status add(const Prepared &from, size_t mutant) {
    while (running.size() >= std::max(1U, options.jobs))
      MSA_RETURN_IF_ERROR(reap());
    Result result;
    result.kernel = from.given->name;
    result.mutant = from.mutants[mutant];
    out.results.push_back(std::move(result));
    return start({{}, &from, mutant, 0, out.results.size() - 1, false});
  }
  Status finish() {
    while (!running.empty())
      MSA_RETURN_IF_ERROR(reap());
    return {};
  }

private:
  Status start(Running next) {
    const Prepared &from = *next.from;
    const Mutant &mutant = from.mutants[next.mutant];
    std::string text =
        edited(from.given->text, next.probing ? std::vector<Edit>{mutant.probe} : mutant.edits);
    MSA_ASSIGN_OR_RETURN(next.trial, Trial::start(*from.given, text,
                                                  from.clean[next.schedule].schedule, from.limits));
    running.push_back(std::move(next));
    return {};
  }

  Status reap() {
    int status = 0;
    pid_t ended = ::waitpid(-1, &status, 0);
    if (ended < 0)
      return Status::internal("waitpid failed");
    auto found = std::find_if(running.begin(), running.end(),
                              [&](const Running &r) { return r.trial.process() == ended; });
    if (found == running.end())
      return {};
    Running done = std::move(*found);
    running.erase(found);
    Result &result = out.results[done.result];
    Outcome outcome = done.trial.finish(status);
    const Clean &clean = done.from->clean[done.schedule];
    bool settled = done.probing ? outcome.ending != Ending::Done : judge(outcome, clean, result);
    if (!settled && ++done.schedule < done.from->clean.size())
      return start(std::move(done));
    if (!settled && !done.probing) { // it survived every schedule
      done.probing = true;
      done.schedule = 0;
      return start(std::move(done));
    }
    if (!settled)
      result.verdict = Verdict::Unreached;
    progress.advance(1, result.kernel);
    return {};
  }

  const CampaignOptions &options;
  CampaignResult &out;
  Progress &progress;
  std::vector<Running> running;
};

} // namespace

Expected<CampaignResult> runCampaign(const std::vector<Case> &cases,
                                     const CampaignOptions &options) {
  CampaignResult out;
  std::vector<Prepared> prepared(cases.size());
  size_t mutants = 0;
  {
    Progress progress("clean runs", cases.size(), {.quiet = options.quiet});
    for (size_t i = 0; i < cases.size(); ++i) {
      MSA_ASSIGN_OR_RETURN(std::string problem, prepare(cases[i], options, prepared[i]));
      if (!problem.empty())
        out.skipped[cases[i].name] = problem;
      mutants += prepared[i].mutants.size();
      progress.advance(1, cases[i].name);
    }
  }
  Progress progress("mutants", mutants, {.quiet = options.quiet});
  Workers workers(options, out, progress);
  for (const Prepared &from : prepared)
    for (size_t i = 0; i < from.mutants.size(); ++i)
      MSA_RETURN_IF_ERROR(workers.add(from, i));
  MSA_RETURN_IF_ERROR(workers.finish());
  progress.finish();
  return out;
}

} // namespace msa::mutation

//===- Options.cpp - msa-run's command line -------------------------------===//
//
// CLI11 splits the arguments and prints the help; what it accepts is checked
// here, so that every message says what would be accepted. Its exceptions end
// in this file.
//
//===----------------------------------------------------------------------===//
#include "Options.h"

#include "support/NearestWord.h"
#include "tools/msa-compile/Version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace msa::run {
namespace {

constexpr const char *examples =
    R"(Runs compiled kernels on a device and compares every output element with an FP64 reference.

Examples:
  msa-run --preset minimax-m3 --target sm_80 --query-lens 17,1 --kv-lens 300,4096 --check
  msa-run --bundle m3.msab --workload tests/workloads/prefill.json --case 1771c5fd9f866a13a3bc --check
  msa-run --bundle m3.msab --workload tests/workloads/prefill.json --case d22a4b5be28082b9ab95 --fit 24,3072 --check
  msa-run --preset narrow-64 --set topk=4 --target sm_80 --query-lens 40 --kv-lens 900 --save case/ --check
  msa-run --load case/ --target sm_80 --phases attention_split,attention_combine --check
  msa-run --preset odd-192 --op dense_attention --target sm_80 --query-lens 3 --kv-lens 200 --counters)";

constexpr const char *footer =
    "Inputs are random (--seed) or a case directory (--load): case.json and one .npy a tensor.\n"
    "Exit codes: 0 done and right; 1 a check failed or a kernel trapped; 2 bad usage or input;\n"
    "3 something is missing here (it says what); 4 our bug.";

/// Options as words of the command line.
struct RawWords {
  std::vector<std::string> settings, phases;
  std::string route, op, scale, fit, queryLens, kvLens, seed, cap;
  bool version = false;
};

void declareSource(CLI::App &app, Options &options, RawWords &raw) {
  app.add_option("--bundle", options.bundle, "Run a program of this bundle")->type_name("FILE");
  app.add_option("--preset", options.preset, "Compile a named head configuration")
      ->type_name("NAME");
  app.add_option("--plan", options.planFile, "Compile a plan, JSON schema 1")->type_name("FILE");
  app.add_option("--set", raw.settings, "Set a key of the plan, e.g. topk=8; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--op", raw.op, "A phase or pipeline instead of the plan's")->type_name("NAME");
  app.add_option("--target", options.target, "Target to compile for and to simulate, e.g. sm_80")
      ->type_name("T");
  app.add_option("--route", raw.route, "auto, tile or cuda")->type_name("R");
}

void declareInputs(CLI::App &app, Options &options, RawWords &raw) {
  app.add_option("--workload", options.workload, "Lengths from a workload file")->type_name("FILE");
  app.add_option("--case", options.caseId, "Which case of the workload")->type_name("ID");
  app.add_option("--scale", raw.scale, "Divide all lengths by N")->type_name("N");
  app.add_option("--fit", raw.fit,
                 "Shrink to at most Q query tokens in all and K keys in every request")
      ->type_name("Q,K");
  app.add_option("--query-lens", raw.queryLens, "Query tokens of each request, e.g. 17,1")
      ->type_name("N,N");
  app.add_option("--kv-lens", raw.kvLens, "Keys of each request, e.g. 300,4096")->type_name("N,N");
  app.add_option("--load", options.load, "Inputs from a case directory")->type_name("DIR");
  app.add_option("--seed", raw.seed, "Seed of random inputs (default 1)")->type_name("N");
}

void declareActions(CLI::App &app, Options &options, RawWords &raw) {
  app.add_option("--device", options.device, "sim (default) or cuda[:N]")->type_name("D");
  app.add_option("--phases", raw.phases, "all (default), or some, e.g. index_scores,topk_select")
      ->type_name("P,P")
      ->allow_extra_args(false);
  app.add_option("--workspace-cap", raw.cap,
                 "Most bytes of workspace; longer calls run in slabs of tokens (default 1 GiB)")
      ->type_name("BYTES");
  app.add_flag("--check", options.check, "Compare every output element with the reference");
  app.add_option("--save", options.save, "Write inputs and outputs as a case directory")
      ->type_name("DIR");
  app.add_flag("--counters", options.counters, "Count instructions, bytes, bank conflicts");
  app.add_flag("--quiet", options.quiet, "No progress and no table");
  app.add_flag("--json", options.json, "One JSON document on standard output");
}

std::vector<std::string> split(const std::string &text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find(',', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

template <typename T> bool readNumber(const std::string &text, T &out) {
  const char *end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && stop == end;
}

Status readLengths(const char *flag, const std::string &text, std::vector<int64_t> &out) {
  if (text.empty())
    return {};
  for (const std::string &word : split(text)) {
    int64_t n = 0;
    if (!readNumber(word, n) || n < 0)
      return Status::invalid(
          fmt::format("{} {}: expected lengths of 0 or more separated by commas, e.g. 17,1", flag,
                      quoteText(text)));
    out.push_back(n);
  }
  return {};
}

Status readNumbers(const RawWords &raw, Options &options) {
  MSA_RETURN_IF_ERROR(readLengths("--query-lens", raw.queryLens, options.queryLens));
  MSA_RETURN_IF_ERROR(readLengths("--kv-lens", raw.kvLens, options.kvLens));
  if (!raw.seed.empty() && !readNumber(raw.seed, options.seed))
    return Status::invalid(
        fmt::format("--seed {}: expected a whole number of 0 or more", quoteText(raw.seed)));
  if (!raw.cap.empty() && (!readNumber(raw.cap, options.workspaceCap) || options.workspaceCap == 0))
    return Status::invalid(
        fmt::format("--workspace-cap {}: expected a number of bytes", quoteText(raw.cap)));
  if (!raw.scale.empty()) {
    int64_t n = 0;
    if (!readNumber(raw.scale, n) || n < 1)
      return Status::invalid(
          fmt::format("--scale {}: expected a whole number of at least 1", quoteText(raw.scale)));
    options.scale = n;
  }
  if (!raw.fit.empty()) {
    std::vector<std::string> words = split(raw.fit);
    int64_t q = 0, k = 0;
    if (words.size() != 2 || !readNumber(words[0], q) || !readNumber(words[1], k) || q < 1 || k < 1)
      return Status::invalid(
          fmt::format("--fit {}: expected Q,K, two whole numbers of at least 1, e.g. 24,3072",
                      quoteText(raw.fit)));
    options.fit = {q, k};
  }
  return {};
}

Status readOp(const std::string &flag, const std::string &word, Op &out) {
  Plan probe;
  MSA_RETURN_IF_ERROR(setPlanKey(probe, "op", word).in(flag));
  out = probe.op;
  return {};
}

Status readWords(const RawWords &raw, Options &options) {
  for (const std::string &word : raw.settings) {
    size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      return Status::invalid(
          fmt::format("--set {}: expected KEY=VALUE, e.g. --set heads.query=32", quoteText(word)));
    options.settings.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  if (!raw.route.empty()) {
    options.route = parseRoute(raw.route);
    if (!options.route)
      return Status::invalid(
          fmt::format("--route {}: expected auto, tile or cuda", quoteText(raw.route)));
    options.settings.emplace_back("schedule.route", raw.route);
  }
  if (!raw.op.empty()) {
    Op op;
    MSA_RETURN_IF_ERROR(readOp("--op", raw.op, op));
    options.op = op;
  }
  for (const std::string &list : raw.phases)
    for (const std::string &word : split(list)) {
      if (word == "all")
        continue;
      Op op;
      MSA_RETURN_IF_ERROR(readOp("--phases", word, op));
      if (phasesOf(op).size() != 1)
        return Status::invalid(fmt::format("--phases {}: a pipeline is no phase; its phases: {}",
                                           word,
                                           fmt::join(
                                               [&] {
                                                 std::vector<std::string_view> names;
                                                 for (Op phase : phasesOf(op))
                                                   names.push_back(toString(phase));
                                                 return names;
                                               }(),
                                               ", ")));
      options.phases.push_back(op);
    }
  return {};
}

Status checkShape(const Options &o) {
  int sources = !o.bundle.empty() + !o.preset.empty() + !o.planFile.empty();
  if (sources > 1)
    return Status::invalid("expected only one of --bundle, --preset and --plan");
  if (sources == 0 && o.load.empty())
    return Status::invalid(
        "nothing to run: expected one of --bundle FILE, --preset NAME, --plan FILE, "
        "or --load DIR with a plan of its own (see --help)");
  bool sets = std::any_of(o.settings.begin(), o.settings.end(),
                          [](const auto &s) { return s.first != "schedule.route"; });
  if (!o.bundle.empty() && sets)
    return Status::invalid(
        "--set goes with --preset, --plan or --load: a bundle's programs are compiled already");
  bool lengths = !o.queryLens.empty() || !o.kvLens.empty();
  int inputs = !o.workload.empty() + lengths + !o.load.empty();
  if (inputs != 1)
    return Status::invalid(
        inputs == 0 ? "no lengths: expected one of --workload FILE --case ID, --query-lens with "
                      "--kv-lens, --load DIR"
                    : "expected only one of --workload, --query-lens with --kv-lens, and --load");
  if (lengths && (o.queryLens.empty() || o.kvLens.empty()))
    return Status::invalid("--query-lens and --kv-lens go together, one entry for each request");
  if (o.workload.empty() != o.caseId.empty())
    return Status::invalid(o.workload.empty() ? "--case goes with --workload FILE"
                                              : "--workload needs --case ID");
  if (o.workload.empty() && (o.scale || o.fit))
    return Status::invalid(
        "--scale and --fit shrink a workload case: they go with --workload and --case");
  if (o.scale && o.fit)
    return Status::invalid("expected only one of --scale and --fit");
  return {};
}

/// "unknown argument '--chekc'; did you mean '--check'?"
Status unknownArgument(const CLI::App &app, const std::string &word) {
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options())
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
  std::vector<std::string_view> views(names.begin(), names.end());
  std::string_view near = nearestWord(word.substr(0, word.find('=')), views);
  return Status::invalid(
      fmt::format("unknown argument {}{} (see --help)", quoteText(word),
                  near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near)));
}

} // namespace

Expected<ParsedOptions> parseOptions(std::vector<std::string> arguments) {
  ParsedOptions parsed;
  RawWords raw;
  CLI::App app(examples, "msa-run");
  app.get_formatter()->column_width(30);
  app.footer(footer);
  app.set_help_flag("-h,--help", "Print this help");
  app.add_flag("--version", raw.version, "Print the version");
  declareSource(app, parsed.options, raw);
  declareInputs(app, parsed.options, raw);
  declareActions(app, parsed.options, raw);
  app.allow_extras();
  try {
    std::reverse(arguments.begin(), arguments.end()); // CLI11 takes them last first
    app.parse(arguments);
  } catch (const CLI::CallForHelp &) {
    parsed.text = app.help();
    return parsed;
  } catch (const CLI::ParseError &error) {
    return Status::invalid(fmt::format("{} (see --help)", error.what()));
  }
  if (raw.version) {
    parsed.text = fmt::format("msa-run {}\n", tools::versionText());
    return parsed;
  }
  if (std::vector<std::string> extras = app.remaining(); !extras.empty())
    return unknownArgument(app, extras.front());
  MSA_RETURN_IF_ERROR(readNumbers(raw, parsed.options));
  MSA_RETURN_IF_ERROR(readWords(raw, parsed.options));
  MSA_RETURN_IF_ERROR(checkShape(parsed.options));
  return parsed;
}

} // namespace msa::run

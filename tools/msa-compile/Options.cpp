//===- Options.cpp - msa-compile's command line ---------------------------===//
//
// CLI11 splits the arguments and prints the help; what it accepts is checked
// here, so that every message says what would be accepted. Its exceptions end
// in this file.
//
//===----------------------------------------------------------------------===//
#include "Options.h"

#include "Environment.h"
#include "Version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace msa::tools {
namespace {

constexpr const char *examples =
    R"(Compiles MiniMax Sparse Attention kernels from a head configuration.

Examples:
  msa-compile --list-presets
  msa-compile --preset minimax-m3 --target sm_80 -o m3.msab             a bundle of the whole prefill
  msa-compile --preset minimax-m3 --target sm_80,sm_90 -o m3.msab       several targets in one bundle
  msa-compile --preset narrow-64 --set topk=12 --set precision.k=nvfp4 --target sm_80 --emit ptx -o kernels/
  msa-compile --preset odd-192 --op topk_select --target sm_80 --emit ptx          PTX on standard output
  msa-compile --preset minimax-m3 --print-plan > plan.json; msa-compile --plan plan.json --target sm_80 -o m3.msab
  msa-compile --input stage.mlir --emit cubin -o kernels/               from a dumped stage
  msa-compile --preset minimax-m3 --target sm_80 --no-cache --timing --explain)";

constexpr std::array<std::string_view, 7> emitForms = {"msa", "tile",  "nvvm",  "llvm",
                                                       "ptx", "cubin", "bundle"};

std::string footer() {
  return "Without -o, text forms go to standard output and a bundle only fills the cache.\n"
         "Exit codes: 0 done, 2 bad usage or input, 3 something is missing here (it says what), "
         "4 our bug.\n\nEnvironment:\n" +
         environmentHelp();
}

/// The raw words that need splitting after CLI11 is done.
struct RawWords {
  std::vector<std::string> settings, targets;
  std::string route, jobs = "0";
  bool version = false;
};

/// CLI11 takes any next word as an option's value, the next option too.
std::string refuseOption(const std::string &value) {
  return value.size() > 1 && value.front() == '-' && !std::isdigit((unsigned char)value[1])
             ? fmt::format("expected a value and not '{}'", value)
             : std::string();
}

void declare(CLI::App &app, Options &options, RawWords &raw) {
  app.get_formatter()->column_width(30);
  app.set_help_flag("-h,--help", "Print this help");
  app.add_flag("--version", raw.version, "Print the version");
  app.add_option("--preset", options.preset, "A named head configuration")->type_name("NAME");
  app.add_option("--plan", options.planFile, "A plan, JSON schema 1")->type_name("FILE");
  app.add_option("--input", options.inputFile, "A module of the msa dialect")->type_name("FILE");
  app.add_option("--set", raw.settings, "Set a key of the plan, e.g. heads.query=32; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--target", raw.targets, "Targets, separated by commas, e.g. sm_80,sm_90a")
      ->type_name("T[,T]")
      ->allow_extra_args(false);
  app.add_option("--op", options.ops, "A phase or pipeline instead of the plan's; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--emit", options.emit, "msa, tile, nvvm, llvm, ptx, cubin or bundle (default)")
      ->type_name("FORM");
  app.add_option("-o", options.output, "File, or folder when there are several images")
      ->type_name("PATH");
  app.add_option("--route", raw.route, "auto, tile or cuda: short for --set schedule.route=R")
      ->type_name("R");
  app.add_option("--dump-to", options.dumpTo, "Write every stage as a numbered file; no cache")
      ->type_name("DIR");
  app.add_flag("--explain", options.explain, "Say what was chosen and why; no cache");
  app.add_flag("--timing", options.timing, "Print the seconds of each stage");
  app.add_option("-j", raw.jobs, "Threads; 0, the default, is one a core")->type_name("N");
  for (CLI::Option *option : app.get_options())
    if (option->get_items_expected_max() > 0)
      option->check(refuseOption);
  app.add_flag("--list-presets", options.listPresets, "Print the presets");
  app.add_flag("--print-plan", options.printPlan, "Print the plan as JSON and stop");
  app.add_flag("--no-cache", options.noCache, "Neither read nor write the cache");
  app.add_flag("--quiet", options.quiet, "No progress and no summary");
  app.add_flag("--json", options.json, "One JSON document on standard output");
}

/// "unknown option '--traget'; did you mean '--target'?"
Status unknownOption(const CLI::App &app, const std::string &word) {
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options())
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
  std::vector<std::string_view> views(names.begin(), names.end());
  std::string_view near = nearestWord(word.substr(0, word.find('=')), views);
  std::string hint = near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near);
  return Status::invalid(fmt::format("unknown argument '{}'{} (see --help)", word, hint));
}

Status splitSettings(const RawWords &raw, Options &options) {
  for (const std::string &word : raw.settings) {
    size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      return Status::invalid(
          fmt::format("--set {}: expected KEY=VALUE, e.g. --set heads.query=32", word));
    options.settings.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  if (!raw.route.empty()) {
    if (!parseRoute(raw.route))
      return Status::invalid(fmt::format("--route {}: expected auto, tile or cuda", raw.route));
    options.settings.emplace_back("schedule.route", raw.route);
  }
  return {};
}

Status readJobs(const RawWords &raw, Options &options) {
  const char *end = raw.jobs.data() + raw.jobs.size();
  auto [stop, error] = std::from_chars(raw.jobs.data(), end, options.jobs);
  if (error != std::errc() || stop != end || options.jobs < 0 || options.jobs > 1024)
    return Status::invalid(fmt::format("-j {}: expected 0 (one a core) to 1024", raw.jobs));
  return {};
}

Status splitTargets(const RawWords &raw, Options &options) {
  for (const std::string &word : raw.targets)
    for (size_t begin = 0; begin <= word.size();) {
      size_t end = std::min(word.find(',', begin), word.size());
      std::string target = word.substr(begin, end - begin);
      if (target.empty())
        return Status::invalid(
            fmt::format("--target {}: an empty target; expected e.g. sm_80,sm_90a", word));
      if (std::find(options.targets.begin(), options.targets.end(), target) ==
          options.targets.end())
        options.targets.push_back(target);
      begin = end + 1;
    }
  return {};
}

Status checkShape(const Options &options) {
  if (std::find(emitForms.begin(), emitForms.end(), options.emit) == emitForms.end()) {
    std::string_view near = nearestWord(options.emit, {emitForms.begin(), emitForms.end()});
    return Status::invalid(fmt::format(
        "--emit {}: expected msa, tile, nvvm, llvm, ptx, cubin or bundle{}", options.emit,
        near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near)));
  }
  if (options.listPresets)
    return {};
  int sources = !options.preset.empty() + !options.planFile.empty() + !options.inputFile.empty();
  if (sources != 1)
    return Status::invalid(sources == 0
                               ? "nothing to compile: expected one of --preset NAME, --plan "
                                 "FILE.json, --input FILE.mlir (see --help and --list-presets)"
                               : "expected only one of --preset, --plan and --input");
  if (!options.inputFile.empty()) {
    if (!options.settings.empty() || !options.targets.empty() || !options.ops.empty())
      return Status::invalid("--input: the module holds its plan and target; --set, --route, "
                             "--target and --op go with --preset or --plan");
    if (options.printPlan)
      return Status::invalid("--print-plan goes with --preset or --plan, not with --input");
  }
  if (options.emit == "cubin" && options.output.empty() && !options.printPlan)
    return Status::invalid("--emit cubin writes binary files: expected -o PATH");
  return {};
}

} // namespace

bool emitsImages(const std::string &emit) {
  return emit == "ptx" || emit == "cubin" || emit == "bundle";
}

Expected<ParsedOptions> parseOptions(std::vector<std::string> arguments) {
  ParsedOptions parsed;
  RawWords raw;
  CLI::App app(examples, "msa-compile");
  declare(app, parsed.options, raw);
  app.allow_extras();
  try {
    std::reverse(arguments.begin(), arguments.end()); // CLI11 takes them last first
    app.parse(arguments);
  } catch (const CLI::CallForHelp &) {
    parsed.text = app.help() + "\n" + footer();
    return parsed;
  } catch (const CLI::ParseError &error) {
    return Status::invalid(fmt::format("{} (see --help)", error.what()));
  }
  if (raw.version) {
    parsed.text = fmt::format("msa-compile {}\n", versionText());
    return parsed;
  }
  if (std::vector<std::string> extras = app.remaining(); !extras.empty())
    return unknownOption(app, extras.front());
  MSA_RETURN_IF_ERROR(splitSettings(raw, parsed.options));
  MSA_RETURN_IF_ERROR(splitTargets(raw, parsed.options));
  MSA_RETURN_IF_ERROR(readJobs(raw, parsed.options));
  MSA_RETURN_IF_ERROR(checkShape(parsed.options));
  return parsed;
}

} // namespace msa::tools

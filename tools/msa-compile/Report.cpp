//===- Report.cpp - what msa-compile says when it is done -----------------===//
#include "Report.h"

#include "Table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace msa::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string numberOrDash(int value) { return value < 0 ? "-" : std::to_string(value); }

std::string imageTable(const Outcome &outcome) {
  std::vector<std::vector<std::string>> rows = {{"phase", "target", "registers", "shared B",
                                                 "spill B", "PTX instr", "cubin B", "assembler",
                                                 "cache"}};
  for (size_t i = 0; i < outcome.programs.size(); ++i)
    for (const KernelImage &image : outcome.programs[i].kernels) {
      const Resources &r = image.resources;
      rows.push_back(
          {image.phase, image.target, numberOrDash(r.registers), numberOrDash(r.sharedBytes),
           numberOrDash(r.spillBytes), numberOrDash(r.ptxInstructions),
           image.cubin.empty() ? "-" : std::to_string(image.cubin.size()),
           image.assembler.empty() ? "-" : image.assembler, outcome.fromCache[i] ? "hit" : "miss"});
    }
  return formatTable(rows);
}

std::string timeTable(const Outcome &outcome) {
  std::vector<std::vector<std::string>> rows = {{"stage", "ms"}};
  for (const StageTime &time : outcome.times)
    rows.push_back({time.stage, fmt::format("{:.2f}", time.seconds * 1e3)});
  rows.push_back({"whole process (stages overlap)", fmt::format("{:.2f}", outcome.seconds * 1e3)});
  return formatTable(rows);
}

Json imageJson(const KernelImage &image, const Program &program, bool hit, bool withText) {
  const Resources &r = image.resources;
  Json json = {{"op", image.phase},
               {"program", std::string(toString(program.plan.op))},
               {"entry", image.entry},
               {"target", image.target},
               {"front_end", image.frontEnd},
               {"assembler", image.assembler},
               {"cache", hit ? "hit" : "miss"},
               {"registers", r.registers},
               {"shared_bytes", r.sharedBytes},
               {"dynamic_shared_bytes", image.launch.dynamicSharedBytes},
               {"spill_bytes", r.spillBytes},
               {"tensor_columns", r.tensorColumns},
               {"threads", r.threads},
               {"ptx_instructions", r.ptxInstructions},
               {"sass_instructions", r.sassInstructions},
               {"ptx_bytes", image.ptx.size()},
               {"cubin_bytes", image.cubin.size()}};
  if (withText)
    json["ptx"] = image.ptx;
  return json;
}

} // namespace

std::string reportText(const Options &options, const Outcome &outcome) {
  std::string text;
  if (!options.quiet && !outcome.programs.empty())
    text += imageTable(outcome);
  if (options.explain)
    for (const std::string &line : outcome.explanation)
      text += line + "\n";
  if (options.timing)
    text += timeTable(outcome);
  return text;
}

std::string reportJson(const Options &options, const Outcome &outcome) {
  Json json;
  json["exit_code"] = outcome.status.exitCode();
  if (!outcome.status.ok()) {
    json["error"] = outcome.status.message();
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  json["emit"] = options.emit;
  if (!options.output.empty())
    json["output"] = options.output.string();
  bool withText = options.emit == "ptx" && options.output.empty();
  Json images = Json::array();
  for (size_t i = 0; i < outcome.programs.size(); ++i)
    for (const KernelImage &image : outcome.programs[i].kernels)
      images.push_back(imageJson(image, outcome.programs[i], outcome.fromCache[i], withText));
  json["images"] = std::move(images);
  if (!outcome.ir.empty())
    json["ir"] = outcome.ir;
  if (options.explain)
    json["explanation"] = outcome.explanation;
  if (options.timing) {
    Json stages = Json::array();
    for (const StageTime &time : outcome.times)
      stages.push_back({{"stage", time.stage}, {"seconds", time.seconds}});
    json["timing"] = {{"stages", std::move(stages)}, {"seconds", outcome.seconds}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string presetsText() {
  std::vector<std::vector<std::string>> rows = {{"preset", "what it is"}};
  for (const Preset &preset : presets())
    rows.push_back({std::string(preset.name), std::string(preset.summary)});
  return formatTable(rows);
}

std::string presetsJson() {
  Json list = Json::array();
  for (const Preset &preset : presets())
    list.push_back({{"name", preset.name},
                    {"summary", preset.summary},
                    {"plan", Json::parse(prettyJson(preset.plan))}});
  return list.dump(2) + "\n";
}

} // namespace msa::tools

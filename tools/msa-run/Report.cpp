//===- Report.cpp - what msa-run says when it is done ---------------------===//
#include "Report.h"

#include "tools/msa-compile/Table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace msa::run {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

const PhaseRun *findRun(const RunReport &report, const std::string &phase) {
  for (const PhaseRun &run : report.session.phases)
    if (toString(run.phase) == phase)
      return &run;
  return nullptr;
}

/// 1234567 as "1,234,567".
std::string grouped(uint64_t n) {
  std::string text = std::to_string(n);
  for (size_t at = text.size(); at > 3;)
    text.insert(at -= 3, ",");
  return text;
}

std::string worstText(const verify::CheckResult &check) {
  return check.ok() ? fmt::format("{:.3g}", check.worst) : fmt::format("{:.3g} WRONG", check.worst);
}

/// The first row of a phase tells its instructions and seconds.
std::vector<std::string> costCells(const PhaseRun *run) {
  if (!run)
    return {"", ""};
  return {grouped(run->counters.threadInstructions), fmt::format("{:.3f}", run->seconds)};
}

Rows phaseRows(const RunReport &report) {
  Rows rows = {{"phase", "output", "shape", "worst error / bound", "instructions", "seconds"}};
  for (const PhaseRun &run : report.session.phases) {
    bool first = true;
    for (const verify::CheckResult &check : report.checks) {
      if (check.phase != toString(run.phase))
        continue;
      std::vector<std::string> cost = costCells(first ? &run : nullptr);
      rows.push_back({first ? check.phase : "", check.tensor, verify::shapeText(check.shape),
                      worstText(check), cost[0], cost[1]});
      first = false;
    }
    std::vector<std::string> cost = costCells(&run);
    if (first)
      rows.push_back({std::string(toString(run.phase)), "-", "-", "not checked", cost[0], cost[1]});
  }
  // Results of the whole op, which no single phase ran.
  for (const verify::CheckResult &check : report.checks)
    if (!findRun(report, check.phase))
      rows.push_back({"whole " + check.phase, check.tensor, verify::shapeText(check.shape),
                      worstText(check), "", ""});
  return rows;
}

Rows counterRows(const RunReport &report) {
  Rows rows = {{"phase", "warp instr", "global load B", "global store B", "sectors",
                "shared load B", "shared store B", "bank conflicts", "local B", "tensor FLOP",
                "barriers"}};
  for (const PhaseRun &run : report.session.phases) {
    const ptxsim::Counters &c = run.counters;
    rows.push_back({std::string(toString(run.phase)), grouped(c.warpInstructions),
                    grouped(c.globalLoadBytes), grouped(c.globalStoreBytes),
                    grouped(c.globalSectors), grouped(c.sharedLoadBytes),
                    grouped(c.sharedStoreBytes), grouped(c.sharedBankConflicts),
                    grouped(c.localBytes), grouped(c.tensorFlops), grouped(c.barrierWaits)});
  }
  return rows;
}

std::string classText(const RunReport &report) {
  std::string text;
  for (const PhaseRun &run : report.session.phases) {
    text += fmt::format("{}:", toString(run.phase));
    for (const auto &[name, count] : run.counters.byClass)
      text += fmt::format(" {} {}", name, grouped(count));
    text += "\n";
  }
  return text;
}

/// JSON has no infinity.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json("infinity"); }

Json checkJson(const verify::CheckResult &check) {
  return {{"tensor", check.tensor},     {"clause", check.clause}, {"shape", check.shape},
          {"elements", check.elements}, {"wrong", check.wrong},   {"worst", number(check.worst)},
          {"ok", check.ok()},           {"detail", check.detail}};
}

Json countersJson(const ptxsim::Counters &c) {
  return {{"warp_instructions", c.warpInstructions},
          {"thread_instructions", c.threadInstructions},
          {"by_class", c.byClass},
          {"global_load_bytes", c.globalLoadBytes},
          {"global_store_bytes", c.globalStoreBytes},
          {"global_requests", c.globalRequests},
          {"global_sectors", c.globalSectors},
          {"shared_load_bytes", c.sharedLoadBytes},
          {"shared_store_bytes", c.sharedStoreBytes},
          {"shared_bank_conflicts", c.sharedBankConflicts},
          {"local_bytes", c.localBytes},
          {"const_bytes", c.constBytes},
          {"tensor_flops", c.tensorFlops},
          {"barrier_waits", c.barrierWaits}};
}

Json phasesJson(const RunReport &report, const ReportContext &context) {
  Json phases = Json::array();
  for (const PhaseRun &run : report.session.phases) {
    Json phase = {{"phase", toString(run.phase)},
                  {"launches", run.launches},
                  {"instructions", run.counters.threadInstructions},
                  {"seconds", run.seconds}};
    if (context.counters)
      phase["counters"] = countersJson(run.counters);
    Json outputs = Json::array();
    for (const verify::CheckResult &check : report.checks)
      if (check.phase == toString(run.phase))
        outputs.push_back(checkJson(check));
    if (context.checked)
      phase["outputs"] = std::move(outputs);
    phases.push_back(std::move(phase));
  }
  return phases;
}

} // namespace

std::string reportText(const RunReport &report, const ReportContext &context) {
  std::string text = tools::formatTable(phaseRows(report));
  if (context.counters)
    text += "\n" + tools::formatTable(counterRows(report)) + "\n" + classText(report);
  if (context.programs && context.input) {
    const verify::Batch &batch = context.input->batch;
    text += fmt::format(
        "{} on sim ({}): {} requests, {} query tokens, longest {} keys in {} blocks; "
        "slabs of {} tokens, workspace {} bytes; reference {:.2f} s, whole {:.2f} s\n",
        toString(context.programs->main->plan.op), context.programs->target, batch.requests(),
        batch.tokens(), batch.maxKv, batch.maxBlocks, report.session.slab,
        grouped(report.session.workspaceBytes), report.checkSeconds, context.seconds);
  }
  if (context.checked)
    text += report.status.ok() ? "every element is within its bound\n" : "WRONG\n";
  return text;
}

std::string reportJson(const RunReport &report, const ReportContext &context) {
  Json root = {{"ok", report.status.ok()}, {"exit_code", report.status.exitCode()}};
  if (!report.status.ok())
    root["error"] = report.status.message();
  if (context.programs && context.input) {
    const Program &program = *context.programs->main;
    root["op"] = toString(program.plan.op);
    root["plan"] = Json::parse(canonicalJson(program.plan), nullptr, false);
    root["device"] = "sim";
    root["target"] = context.programs->target;
    root["query_lens"] = context.input->batch.queryLens;
    root["kv_lens"] = context.input->batch.kvLens;
    root["slab"] = report.session.slab;
    root["workspace_bytes"] = report.session.workspaceBytes;
    root["phases"] = phasesJson(report, context);
    Json whole = Json::array();
    for (const verify::CheckResult &check : report.checks)
      if (!findRun(report, check.phase))
        whole.push_back(checkJson(check));
    if (context.checked) {
      root["whole"] = std::move(whole);
      root["check_seconds"] = report.checkSeconds;
    }
  }
  root["seconds"] = context.seconds;
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace msa::run

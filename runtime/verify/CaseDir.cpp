//===- CaseDir.cpp - case directories on disk -----------------------------===//
#include "verify/CaseDir.h"

#include "support/File.h"
#include "support/Json.h"
#include "support/NearestWord.h"
#include "support/Npy.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

namespace msa::verify {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// The plan's keys that a case has (interfaces.md section 3), and block_maxima where it is set.
constexpr std::string_view semanticKeys[] = {
    "op",          "heads",         "head_dim",  "index_dim", "block_size",     "topk",
    "force_first", "softmax_scale", "precision", "kv_layout", "selection_order"};

/// Every tensor name of interfaces.md section 3.
const std::vector<std::string_view> &knownNames() {
  static const std::vector<std::string_view> names = {"q",
                                                      "q_scale",
                                                      "k",
                                                      "k_scale",
                                                      "k_block_scale",
                                                      "v",
                                                      "v_scale",
                                                      "v_block_scale",
                                                      "index_q",
                                                      "index_q_scale",
                                                      "index_k",
                                                      "index_k_scale",
                                                      "index_k_block_scale",
                                                      "page_table",
                                                      "cu_seqlens_q",
                                                      "cu_seqlens_k",
                                                      "scores",
                                                      "selection",
                                                      "partial_o",
                                                      "partial_lse",
                                                      "o",
                                                      "lse"};
  return names;
}

std::optional<Element> parseElement(std::string_view dtype) {
  for (Element element : {Element::U16, Element::U8, Element::F32, Element::I32})
    if (toString(element) == dtype)
      return element;
  return std::nullopt;
}

Expected<Tensor> loadTensor(const fs::path &path, const std::string &name) {
  MSA_ASSIGN_OR_RETURN(NpyArray array, readNpy(path));
  auto element = parseElement(array.dtype);
  if (!element)
    return Status::invalid(
               fmt::format(
                   "tensor {}: element type {}, expected one of <u2, |u1, <f4, <i4 (raw bits)",
                   name, array.dtype))
        .in(path.string());
  Tensor tensor;
  tensor.element = *element;
  tensor.shape = std::move(array.shape);
  tensor.bytes = std::move(array.data);
  return tensor;
}

/// cu_seqlens say what query_lens and kv_lens say already; a directory may leave them out.
void addLengths(Case &c) {
  auto add = [&](const char *name, const std::vector<int32_t> &values) {
    if (c.has(name))
      return;
    Tensor tensor(Element::I32, {static_cast<int64_t>(values.size())});
    std::copy(values.begin(), values.end(), tensor.as<int32_t>());
    c.tensors[name] = std::move(tensor);
  };
  add("cu_seqlens_q", c.batch.cuQ);
  add("cu_seqlens_k", c.batch.cuK);
}

/// A scale beside a type that has none (N2, N3) is allowed only where it changes nothing.
Status checkForeignScale(const std::string &name, const Tensor &tensor) {
  if (tensor.element == Element::F32 &&
      std::all_of(tensor.as<float>(), tensor.as<float>() + tensor.count(),
                  [](float s) { return s == 1; }))
    return {};
  return Status::invalid(fmt::format("tensor {}: the plan's type for this operand takes no such "
                                     "scale (clauses N2, N3); remove the file or change precision",
                                     name));
}

/// Names in the directory that are no tensors of ours.
Status reviewNames(const fs::path &directory, std::vector<std::string> *ignored) {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto &entry : fs::directory_iterator(directory, error))
    if (entry.path().extension() == ".npy")
      names.push_back(entry.path().stem().string());
  if (error)
    return Status::invalid(fmt::format("{}: {}", directory.string(), error.message()));
  std::sort(names.begin(), names.end());
  const auto &known = knownNames();
  for (const std::string &name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end())
      continue;
    std::string_view near = nearestWord(name, known);
    if (!near.empty() && near.size() > 3)
      return Status::invalid(fmt::format("{}: unknown tensor; did you mean {}.npy?",
                                         (directory / (name + ".npy")).string(), near));
    if (ignored)
      ignored->push_back(name + ".npy");
  }
  return {};
}

} // namespace

Expected<CaseHeader> loadCaseHeader(const fs::path &directory) {
  fs::path path = directory / "case.json";
  MSA_ASSIGN_OR_RETURN(std::string text, readTextFile(path));
  Expected<json> parsed = parseJson(text);
  if (!parsed)
    return parsed.status().in(path.string());
  json &root = *parsed;
  if (!root.is_object())
    return Status::invalid(fmt::format("expected an object, got {}", jsonTypeName(root)))
        .in(path.string());
  CaseHeader header;
  json lengths = json::object();
  for (const char *key : {"query_lens", "kv_lens"})
    if (root.contains(key)) {
      lengths[key] = root[key];
      root.erase(key);
    }
  JsonFields fields(lengths, "");
  fields.require("query_lens");
  fields.require("kv_lens");
  fields.integers64("query_lens", header.queryLens);
  fields.integers64("kv_lens", header.kvLens);
  if (Status status = fields.finish(); !status)
    return status.in(path.string());
  Expected<Plan> plan = parsePlanJson(root.dump());
  if (!plan)
    return plan.status().in(path.string());
  header.plan = *plan;
  return header;
}

Expected<Case> loadCase(const fs::path &directory, const Plan &plan,
                        std::vector<std::string> *ignored) {
  MSA_ASSIGN_OR_RETURN(CaseHeader header, loadCaseHeader(directory));
  Case c;
  c.plan = plan;
  Expected<Batch> batch = Batch::create(plan, header.queryLens, header.kvLens);
  if (!batch)
    return batch.status().in((directory / "case.json").string());
  c.batch = std::move(*batch);
  MSA_RETURN_IF_ERROR(reviewNames(directory, ignored));
  std::vector<TensorSpec> specs = tensorsOfOp(plan, c.batch);
  for (const TensorSpec &spec : specs) {
    fs::path path = directory / (spec.name + ".npy");
    if (!fs::exists(path))
      continue;
    MSA_ASSIGN_OR_RETURN(Tensor tensor, loadTensor(path, spec.name));
    if (Status status = checkTensor(spec, tensor); !status)
      return status.in(path.string());
    c.tensors[spec.name] = std::move(tensor);
  }
  for (const char *operand : {"q", "k", "v", "index_q", "index_k"})
    for (const char *suffix : {"_scale", "_block_scale"}) {
      std::string name = std::string(operand) + suffix;
      fs::path path = directory / (name + ".npy");
      bool listed =
          std::any_of(specs.begin(), specs.end(), [&](const auto &s) { return s.name == name; });
      bool operandUsed =
          std::any_of(specs.begin(), specs.end(), [&](const auto &s) { return s.name == operand; });
      if (listed || !operandUsed || !fs::exists(path))
        continue;
      MSA_ASSIGN_OR_RETURN(Tensor tensor, loadTensor(path, name));
      if (Status status = checkForeignScale(name, tensor); !status)
        return status.in(path.string());
    }
  addLengths(c);
  return c;
}

Expected<Case> loadCase(const fs::path &directory) {
  MSA_ASSIGN_OR_RETURN(CaseHeader header, loadCaseHeader(directory));
  if (Status status = checkPlan(header.plan); !status)
    return status.in((directory / "case.json").string());
  return loadCase(directory, header.plan);
}

Status saveCase(const fs::path &directory, const Case &c) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    return Status::invalid(
        fmt::format("{}: cannot make the directory: {}", directory.string(), error.message()));
  nlohmann::ordered_json root;
  json plan = json::parse(canonicalJson(c.plan), nullptr, false);
  for (std::string_view key : semanticKeys)
    root[std::string(key)] = plan[std::string(key)];
  if (c.plan.blockMaxima)
    root["block_maxima"] = true;
  root["query_lens"] = c.batch.queryLens;
  root["kv_lens"] = c.batch.kvLens;
  for (const auto &[name, tensor] : c.tensors) {
    NpyArray array{std::string(toString(tensor.element)), tensor.shape, tensor.bytes};
    MSA_RETURN_IF_ERROR(writeNpy(directory / (name + ".npy"), array));
  }
  // Last, so that a directory with case.json is a whole case.
  return writeFileAtomic(directory / "case.json", root.dump(1) + "\n");
}

std::string semanticDifference(const Plan &a, const Plan &b, bool withOp) {
  json left = json::parse(canonicalJson(a), nullptr, false),
       right = json::parse(canonicalJson(b), nullptr, false);
  for (std::string_view key : semanticKeys) {
    if (key == "op" && !withOp)
      continue;
    const json &x = left[std::string(key)], &y = right[std::string(key)];
    if (x == y)
      continue;
    if (x.is_object() && y.is_object())
      for (const auto &[member, value] : x.items())
        if (value != y[member])
          return fmt::format("{}.{}: {} and {}", key, member, value.dump(), y[member].dump());
    return fmt::format("{}: {} and {}", key, x.dump(), y.dump());
  }
  return {};
}

} // namespace msa::verify

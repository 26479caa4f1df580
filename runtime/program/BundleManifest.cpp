//===- BundleManifest.cpp - programs as JSON, their images left out -------===//
//
// See BundleManifest.h. Writer and reader of each struct stand beside each
// other, so that a key added to one is seen to be missing in the other.
//
//===----------------------------------------------------------------------===//
#include "program/BundleManifest.h"

#include "plan/PlanFields.h"
#include "program/ProgramCheck.h"
#include "support/Json.h"
#include "support/NearestWord.h"

#include <fmt/format.h>

#include <cmath>
#include <span>

using nlohmann::json;

namespace msa {
namespace {

constexpr int schema = 1;
constexpr int deepest = 16;

constexpr std::string_view typeWords[] = {"pointer", "i32", "f32", "tensor_map"};
constexpr std::string_view roleWords[] = {"input", "output", "workspace", "scalar", "status"};

template <typename E> std::string word(std::span<const std::string_view> words, E value) {
  return std::string(words[static_cast<size_t>(value)]);
}

/// Reads an enumerator whose words are listed in its order.
template <typename E>
void readWord(JsonFields &fields, std::string_view key, std::span<const std::string_view> words,
              E &out) {
  std::string text;
  fields.require(key);
  fields.text(key, text);
  for (size_t i = 0; i < words.size(); ++i)
    if (words[i] == text) {
      out = static_cast<E>(i);
      return;
    }
  fields.fail(
      Status::invalid(fmt::format("{}: {} is not known{}", fields.pathOf(key), quoteText(text),
                                  suggestion(text, {words.begin(), words.end()}))));
}

/// Calls `read(element, path)` for each element of a required array.
template <typename Read> void readEach(JsonFields &fields, std::string_view key, Read read) {
  fields.require(key);
  const json *list = fields.array(key);
  if (!list)
    return;
  for (size_t i = 0; i < list->size() && fields.ok(); ++i)
    fields.fail(read((*list)[i], fmt::format("{}[{}]", fields.pathOf(key), i)));
}

json toJson(const BlobRecord &blob) {
  return {{"offset", blob.offset}, {"size", blob.size}, {"raw", blob.raw}, {"xxh3", blob.xxh3}};
}

Status read(const json &value, const std::string &path, BlobRecord &blob) {
  JsonFields fields(value, path);
  for (std::string_view key : {"offset", "size", "raw", "xxh3"})
    fields.require(key);
  fields.unsigned64("offset", blob.offset);
  fields.unsigned64("size", blob.size);
  fields.unsigned64("raw", blob.raw);
  fields.text("xxh3", blob.xxh3);
  return fields.finish();
}

json toJson(const ArgSpec &arg) {
  json value = {
      {"name", arg.name}, {"type", word(typeWords, arg.type)}, {"role", word(roleWords, arg.role)}};
  if (arg.type == ArgType::Pointer || arg.type == ArgType::TensorMap) {
    value["element"] = arg.element;
    value["shape"] = arg.shape;
    value["alignment"] = arg.alignment;
  } else if (arg.type == ArgType::I32) {
    value["value"] = arg.value;
  } else {
    value["f32"] = arg.f32;
  }
  return value;
}

Status read(const json &value, const std::string &path, ArgSpec &arg) {
  JsonFields fields(value, path);
  fields.require("name");
  fields.text("name", arg.name);
  readWord(fields, "type", typeWords, arg.type);
  readWord(fields, "role", roleWords, arg.role);
  if (arg.type == ArgType::Pointer || arg.type == ArgType::TensorMap) {
    for (std::string_view key : {"element", "shape", "alignment"})
      fields.require(key);
    fields.text("element", arg.element);
    fields.texts("shape", arg.shape);
    fields.integer("alignment", arg.alignment);
  } else if (arg.type == ArgType::I32) {
    fields.require("value");
    fields.text("value", arg.value);
  } else {
    double number = 0;
    fields.require("f32");
    fields.number("f32", number);
    arg.f32 = static_cast<float>(number);
    if (!std::isfinite(arg.f32))
      fields.fail(Status::invalid(fields.pathOf("f32") + ": it does not fit FP32"));
  }
  return fields.finish();
}

json toJson(const LaunchRule &rule) {
  return {{"grid", rule.grid},
          {"block", rule.block},
          {"dynamic_shared_bytes", rule.dynamicSharedBytes}};
}

Status read(const json &value, const std::string &path, LaunchRule &rule) {
  JsonFields fields(value, path);
  for (std::string_view key : {"grid", "block", "dynamic_shared_bytes"})
    fields.require(key);
  fields.texts("grid", rule.grid);
  fields.integers("block", rule.block);
  fields.integer("dynamic_shared_bytes", rule.dynamicSharedBytes);
  return fields.finish();
}

/// The keys of the resources and their members.
struct ResourceKey {
  std::string_view key;
  int Resources::*member;
};
constexpr ResourceKey resourceKeys[] = {
    {"registers", &Resources::registers},
    {"shared_bytes", &Resources::sharedBytes},
    {"spill_bytes", &Resources::spillBytes},
    {"tensor_columns", &Resources::tensorColumns},
    {"threads", &Resources::threads},
    {"ptx_instructions", &Resources::ptxInstructions},
    {"sass_instructions", &Resources::sassInstructions},
};

json toJson(const Resources &resources) {
  json value = json::object();
  for (const ResourceKey &r : resourceKeys)
    value[std::string(r.key)] = resources.*r.member;
  return value;
}

Status read(const json &value, const std::string &path, Resources &resources) {
  JsonFields fields(value, path);
  for (const ResourceKey &r : resourceKeys) {
    fields.require(r.key);
    fields.integer(r.key, resources.*r.member);
  }
  return fields.finish();
}

json toJson(const KernelImage &kernel, const KernelBlobs &blobs) {
  json args = json::array();
  for (const ArgSpec &arg : kernel.args)
    args.push_back(toJson(arg));
  return {{"phase", kernel.phase},
          {"entry", kernel.entry},
          {"target", kernel.target},
          {"ptx", blobs.ptx},
          {"cubin", blobs.cubin},
          {"front_end", kernel.frontEnd},
          {"assembler", kernel.assembler},
          {"args", args},
          {"launch", toJson(kernel.launch)},
          {"resources", toJson(kernel.resources)}};
}

Status read(const json &value, const std::string &path, KernelImage &kernel, KernelBlobs &blobs) {
  JsonFields fields(value, path);
  for (std::string_view key : {"phase", "entry", "target", "ptx", "cubin", "front_end", "assembler",
                               "launch", "resources"})
    fields.require(key);
  fields.text("phase", kernel.phase);
  fields.text("entry", kernel.entry);
  fields.text("target", kernel.target);
  fields.integer("ptx", blobs.ptx);
  fields.integer("cubin", blobs.cubin);
  fields.text("front_end", kernel.frontEnd);
  fields.text("assembler", kernel.assembler);
  readEach(fields, "args", [&](const json &element, const std::string &at) {
    return read(element, at, kernel.args.emplace_back());
  });
  if (const json *launch = fields.child("launch"))
    fields.fail(read(*launch, fields.pathOf("launch"), kernel.launch));
  if (const json *resources = fields.child("resources"))
    fields.fail(read(*resources, fields.pathOf("resources"), kernel.resources));
  return fields.finish();
}

json toJson(const WorkspaceSlice &slice) {
  return {{"name", slice.name}, {"element", slice.element}, {"shape", slice.shape}};
}

Status read(const json &value, const std::string &path, WorkspaceSlice &slice) {
  JsonFields fields(value, path);
  for (std::string_view key : {"name", "element", "shape"})
    fields.require(key);
  fields.text("name", slice.name);
  fields.text("element", slice.element);
  fields.texts("shape", slice.shape);
  return fields.finish();
}

json toJson(const LaunchGroup &group) {
  json steps = json::array();
  for (const LaunchStep &step : group.steps)
    steps.push_back({{"kernel", step.kernel}, {"guard", step.guard}});
  return {{"slabbed", group.slabbed}, {"steps", steps}};
}

Status read(const json &value, const std::string &path, LaunchGroup &group) {
  JsonFields fields(value, path);
  fields.require("slabbed");
  fields.boolean("slabbed", group.slabbed);
  readEach(fields, "steps", [&](const json &element, const std::string &at) {
    LaunchStep &step = group.steps.emplace_back();
    JsonFields members(element, at);
    members.require("kernel");
    members.require("guard");
    members.integer("kernel", step.kernel);
    members.text("guard", step.guard);
    return members.finish();
  });
  return fields.finish();
}

void readPlan(JsonFields &fields, std::string_view key, Plan &plan) {
  fields.require(key);
  const json *value = fields.child(key);
  if (!value)
    return;
  Expected<Plan> read = planFromJson(*value);
  Status status = read.ok() ? checkPlan(*read) : read.status();
  if (!status.ok())
    return fields.fail(status.in(fields.pathOf(key)));
  plan = std::move(*read);
}

json toJson(const Program &program, const std::vector<KernelBlobs> &blobs) {
  json kernels = json::array(), workspace = json::array(), recipe = json::array();
  for (size_t i = 0; i < program.kernels.size(); ++i)
    kernels.push_back(toJson(program.kernels[i], blobs[i]));
  for (const WorkspaceSlice &slice : program.workspace)
    workspace.push_back(toJson(slice));
  for (const LaunchGroup &group : program.recipe)
    recipe.push_back(toJson(group));
  return {{"plan", planToJson(program.plan)},
          {"resolved", planToJson(program.resolved)},
          {"kernels", kernels},
          {"workspace", workspace},
          {"recipe", recipe}};
}

Status read(const json &value, const std::string &path, Program &program,
            std::vector<KernelBlobs> &blobs) {
  JsonFields fields(value, path);
  readPlan(fields, "plan", program.plan);
  readPlan(fields, "resolved", program.resolved);
  readEach(fields, "kernels", [&](const json &element, const std::string &at) {
    return read(element, at, program.kernels.emplace_back(), blobs.emplace_back());
  });
  readEach(fields, "workspace", [&](const json &element, const std::string &at) {
    return read(element, at, program.workspace.emplace_back());
  });
  readEach(fields, "recipe", [&](const json &element, const std::string &at) {
    return read(element, at, program.recipe.emplace_back());
  });
  MSA_RETURN_IF_ERROR(fields.finish());
  return checkProgram(program).in(path);
}

Status checkIndices(const BundleManifest &manifest) {
  auto count = static_cast<int>(manifest.blobs.size());
  for (const std::vector<KernelBlobs> &kernels : manifest.kernels)
    for (const KernelBlobs &k : kernels)
      if (k.ptx < -1 || k.ptx >= count || k.cubin < -1 || k.cubin >= count)
        return Status::invalid(fmt::format("a kernel names blobs {} and {}, and the bundle has {}",
                                           k.ptx, k.cubin, count));
  return {};
}

} // namespace

std::string manifestToJson(const BundleManifest &manifest) {
  json blobs = json::array(), programs = json::array();
  for (const BlobRecord &blob : manifest.blobs)
    blobs.push_back(toJson(blob));
  for (size_t i = 0; i < manifest.programs.size(); ++i)
    programs.push_back(toJson(manifest.programs[i], manifest.kernels[i]));
  json root = {{"schema", schema}, {"blobs", blobs}, {"programs", programs}};
  return root.dump(-1, ' ', false, json::error_handler_t::replace);
}

Expected<BundleManifest> manifestFromJson(std::string_view text) {
  MSA_ASSIGN_OR_RETURN(json root, parseJson(text, deepest));
  BundleManifest manifest;
  JsonFields fields(root, "");
  int version = 0;
  fields.require("schema");
  fields.integer("schema", version);
  if (fields.ok() && version != schema)
    fields.fail(
        Status::invalid(fmt::format("schema: {} is not known; accepted: {}", version, schema)));
  readEach(fields, "blobs", [&](const json &element, const std::string &at) {
    return read(element, at, manifest.blobs.emplace_back());
  });
  readEach(fields, "programs", [&](const json &element, const std::string &at) {
    return read(element, at, manifest.programs.emplace_back(), manifest.kernels.emplace_back());
  });
  MSA_RETURN_IF_ERROR(fields.finish());
  MSA_RETURN_IF_ERROR(checkIndices(manifest));
  return manifest;
}

} // namespace msa

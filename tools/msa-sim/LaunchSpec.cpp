//===- LaunchSpec.cpp - what `msa-sim run --launch` reads ------------------===//
#include "LaunchSpec.h"

#include "LaunchParts.h"

#include <fmt/format.h>

#include <array>
#include <functional>

using nlohmann::json;

namespace msa::sim {

const BufferSpec *LaunchSpec::findBuffer(std::string_view wanted) const {
  for (const BufferSpec &buffer : buffers)
    if (buffer.name == wanted)
      return &buffer;
  return nullptr;
}

namespace {

/// [x, y, z]; one or two numbers stand for the first ones.
Status readDimensions(JsonFields &fields, std::string_view key, std::array<uint32_t, 3> &out) {
  std::vector<int64_t> values;
  const json *given = fields.child(key);
  fields.integers64(key, values);
  MSA_RETURN_IF_ERROR(fields.ok() ? Status() : fields.finish());
  if (!given)
    return {};
  if (values.empty() || values.size() > 3)
    return Status::invalid(fmt::format("{}: {} numbers; accepted: 1 to 3, as [x, y, z]",
                                       fields.pathOf(key), values.size()));
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 1 || values[i] > 0x7fffffff)
      return Status::invalid(
          fmt::format("{}[{}] is {}; accepted: 1 to 2147483647", fields.pathOf(key), i, values[i]));
    out[i] = static_cast<uint32_t>(values[i]);
  }
  return {};
}

/// An object of named objects; absent is empty.
Status eachMember(JsonFields &fields, std::string_view key,
                  const std::function<Status(const std::string &, const json &)> &read) {
  const json *members = fields.child(key);
  if (!members)
    return {};
  if (!members->is_object())
    return Status::invalid(
        fmt::format("{}: expected an object, got {}", fields.pathOf(key), jsonTypeName(*members)));
  for (auto &[name, value] : members->items())
    MSA_RETURN_IF_ERROR(read(name, value));
  return {};
}

Status readSpec(const json &root, LaunchSpec &spec) {
  JsonFields fields(root, "");
  MSA_RETURN_IF_ERROR(root.is_object() ? Status() : fields.finish());
  fields.require("entry");
  fields.text("entry", spec.entry);
  MSA_RETURN_IF_ERROR(readDimensions(fields, "grid", spec.config.grid));
  MSA_RETURN_IF_ERROR(readDimensions(fields, "block", spec.config.block));
  MSA_RETURN_IF_ERROR(readDimensions(fields, "cluster", spec.config.cluster));
  for (size_t i = 0; i < 3; ++i)
    if (spec.config.grid[i] % spec.config.cluster[i])
      return Status::invalid(fmt::format("grid[{}] is {}, which cluster[{}] = {} does not divide",
                                         i, spec.config.grid[i], i, spec.config.cluster[i]));
  uint64_t shared = 0;
  fields.unsigned64("dynamic_shared_bytes", shared);
  constexpr uint64_t mostShared = 1 << 20; // far above any SM; the simulator checks the target's
  if (shared > mostShared)
    return Status::invalid(
        fmt::format("dynamic_shared_bytes is {}; accepted: at most {}", shared, mostShared));
  spec.config.dynamicSharedBytes = static_cast<uint32_t>(shared);

  MSA_RETURN_IF_ERROR(
      eachMember(fields, "buffers", [&](const std::string &name, const json &value) {
        return readBuffer(value, name, spec);
      }));
  MSA_RETURN_IF_ERROR(
      eachMember(fields, "tensor_maps", [&](const std::string &name, const json &value) {
        return readTensorMap(value, name, spec);
      }));
  const json *parameters = fields.array("params");
  MSA_RETURN_IF_ERROR(fields.finish());
  for (size_t i = 0; parameters && i < parameters->size(); ++i)
    MSA_RETURN_IF_ERROR(readParameter((*parameters)[i], fmt::format("params[{}]", i), spec));
  return {};
}

/// "u64" and the like: the declared type of a parameter for a message.
std::string declared(const ptxsim::Variable &parameter) {
  uint32_t element = ptxsim::sizeOf(parameter.type);
  std::string text = fmt::format(".{} {}", ptxsim::toString(parameter.type), parameter.name);
  return parameter.bytes == element ? text : fmt::format("{}[{}]", text, parameter.bytes / element);
}

/// Why a value does not fit a parameter of the kernel; empty when it does.
std::string misfit(const ParameterSpec &given, const ptxsim::Variable &parameter) {
  using ptxsim::Type;
  using Kind = ParameterSpec::Kind;
  Type type = parameter.type;
  bool isFloat = type == Type::F32 || type == Type::F64;
  bool isArray = parameter.bytes != ptxsim::sizeOf(type);
  uint64_t size = given.kind == Kind::Buffer      ? 8
                  : given.kind == Kind::TensorMap ? 128
                                                  : given.bytes.size();
  if (size != parameter.bytes)
    return fmt::format("it has {} bytes, the kernel takes {}", size, parameter.bytes);
  bool isBytes = type == Type::B8 && isArray;
  if ((given.kind == Kind::Buffer || given.kind == Kind::Integer) &&
      (isFloat || (isArray && !isBytes)))
    return "it is an integer, the kernel takes something else";
  if (given.kind == Kind::Float && !isFloat && type != Type::B32 && type != Type::B64 && !isBytes)
    return "it is a floating-point number, the kernel takes something else";
  if (given.kind == Kind::TensorMap && parameter.align < 64)
    return "a tensor map needs a parameter aligned to 64 bytes";
  return {};
}

} // namespace

Expected<LaunchSpec> parseLaunchSpec(std::string_view text, const std::string &name) {
  LaunchSpec spec;
  spec.name = name;
  Expected<json> root = parseJson(text);
  if (!root.ok())
    return root.status().in(name);
  if (Status status = readSpec(*root, spec); !status.ok())
    return status.in(name);
  return spec;
}

Status checkParameters(const LaunchSpec &spec, const ptxsim::Function &kernel) {
  if (spec.parameters.size() != kernel.parameters.size())
    return Status::invalid(fmt::format("{}: params has {} values, '{}' takes {}", spec.name,
                                       spec.parameters.size(), kernel.name,
                                       kernel.parameters.size()));
  for (size_t i = 0; i < spec.parameters.size(); ++i)
    if (std::string why = misfit(spec.parameters[i], kernel.parameters[i]); !why.empty())
      return Status::invalid(fmt::format("{}: params[{}] = {} does not fit '{}': {}", spec.name, i,
                                         spec.parameters[i].text, declared(kernel.parameters[i]),
                                         why));
  return {};
}

} // namespace msa::sim

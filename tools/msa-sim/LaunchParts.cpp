//===- LaunchParts.cpp - buffers and parameters of a launch specification --===//
#include "LaunchParts.h"

#include "support/NearestWord.h"
#include "support/Npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>

using nlohmann::json;

namespace msa::sim {
namespace {

/// The names of the buffers, for a suggestion.
template <typename List> std::vector<std::string_view> namesOf(const List &list) {
  std::vector<std::string_view> names;
  for (const auto &item : list)
    names.push_back(item.name);
  return names;
}

Status checkBufferName(const LaunchSpec &spec, const std::string &name, const std::string &path) {
  if (spec.findBuffer(name))
    return {};
  return Status::invalid(fmt::format("{}: no buffer {}{}", path, quoteText(name),
                                     suggestion(name, namesOf(spec.buffers))));
}

Status checkMapName(const LaunchSpec &spec, const std::string &name, const std::string &path) {
  for (const TensorMapSpec &map : spec.tensorMaps)
    if (map.name == name)
      return {};
  return Status::invalid(fmt::format("{}: no tensor map {}{}", path, quoteText(name),
                                     suggestion(name, namesOf(spec.tensorMaps))));
}

/// An offset into a buffer whose size is known already; files are checked when they are read.
Status checkOffset(const LaunchSpec &spec, const std::string &name, uint64_t offset,
                   const std::string &path) {
  const BufferSpec *buffer = spec.findBuffer(name);
  if (!buffer->file.empty() || offset == 0 || offset < buffer->bytes)
    return {};
  return Status::invalid(fmt::format("{}: offset {} is outside of buffer '{}' of {} bytes", path,
                                     offset, name, buffer->bytes));
}

/// Outputs stay in the folder that the user chose, whatever a launch file says.
bool leavesFolder(const std::filesystem::path &file) {
  return file.has_root_path() ||
         std::any_of(file.begin(), file.end(), [](const auto &part) { return part == ".."; });
}

Status readSave(const json &value, const std::string &path, BufferSpec &buffer) {
  SaveSpec save;
  JsonFields fields(value, path);
  for (std::string_view key : {"file", "dtype", "shape"})
    fields.require(key);
  fields.text("file", save.file);
  fields.text("dtype", save.dtype);
  fields.integers64("shape", save.shape);
  MSA_RETURN_IF_ERROR(fields.finish());
  if (save.file.empty())
    return Status::invalid(
        fmt::format("{}.file is empty; accepted: the path of an .npy file", path));
  if (leavesFolder(save.file))
    return Status::invalid(fmt::format("{}.file: {} leaves the folder of the outputs; accepted: a "
                                       "relative path without '..'",
                                       path, quoteText(save.file)));
  int item = npyItemBytes(save.dtype);
  if (item == 0)
    return Status::invalid(fmt::format(
        "{}.dtype {} is unknown; accepted: |u1 |i1 |b1 <u2 <i2 <f2 <u4 <i4 <f4 <u8 <i8 <f8", path,
        quoteText(save.dtype)));
  if (save.shape.size() > 32)
    return Status::invalid(
        fmt::format("{}.shape has {} dimensions; accepted: at most 32", path, save.shape.size()));
  save.bytes = static_cast<uint64_t>(item);
  for (int64_t extent : save.shape)
    if (extent < 0 ||
        __builtin_mul_overflow(save.bytes, static_cast<uint64_t>(extent), &save.bytes) ||
        save.bytes > mostResidentBytes)
      return Status::invalid(fmt::format(
          "{}.shape [{}] is not the shape of an array; accepted: counts, {} bytes in all at most",
          path, fmt::join(save.shape, ", "), mostResidentBytes));
  if (buffer.file.empty() && save.bytes > buffer.bytes)
    return Status::invalid(fmt::format("{}: shape [{}] of {} takes {} bytes, the buffer has {}",
                                       path, fmt::join(save.shape, ", "), save.dtype, save.bytes,
                                       buffer.bytes));
  buffer.save = std::move(save);
  return {};
}

Status readFill(JsonFields &fields, BufferSpec &buffer) {
  std::string fill = "zero", dtype;
  fields.text("fill", fill);
  fields.text("dtype", dtype);
  MSA_RETURN_IF_ERROR(fields.ok() ? Status() : fields.finish());
  if (fill == "zero")
    buffer.fill = ptxsim::Initial::Zero;
  else if (fill == "poison")
    buffer.fill = ptxsim::Initial::Poison;
  else if (fill == "uninitialised")
    buffer.fill = ptxsim::Initial::Uninitialised;
  else
    return Status::invalid(fmt::format("{}: unknown fill {}{}", fields.pathOf("fill"),
                                       quoteText(fill),
                                       suggestion(fill, {"zero", "poison", "uninitialised"})));
  if (dtype == "bf16")
    buffer.pattern = {0xc0, 0x7f};
  else if (dtype == "f16")
    buffer.pattern = {0x00, 0x7e};
  else if (dtype == "u8")
    buffer.pattern = {0x7f};
  else if (!dtype.empty() && dtype != "f32")
    return Status::invalid(fmt::format("{}: unknown dtype {}{}", fields.pathOf("dtype"),
                                       quoteText(dtype),
                                       suggestion(dtype, {"f32", "bf16", "f16", "u8"})));
  if (buffer.fill != ptxsim::Initial::Poison)
    buffer.pattern.clear(); // the dtype says what a poison would look like
  return {};
}

} // namespace

Status readBuffer(const json &value, const std::string &name, LaunchSpec &spec) {
  BufferSpec buffer;
  buffer.name = name;
  std::string path = fmt::format("buffers.{}", quoteText(name));
  JsonFields fields(value, path);
  const json *file = fields.child("file"), *bytes = fields.child("bytes"),
             *save = fields.child("save");
  const json *fill = fields.child("fill");
  fields.text("file", buffer.file);
  fields.unsigned64("bytes", buffer.bytes);
  MSA_RETURN_IF_ERROR(readFill(fields, buffer));
  MSA_RETURN_IF_ERROR(fields.finish());
  if ((file == nullptr) == (bytes == nullptr))
    return Status::invalid(fmt::format("{}: {}; accepted: one of file and bytes", path,
                                       file ? "both file and bytes" : "neither file nor bytes"));
  if (file && buffer.file.empty())
    return Status::invalid(
        fmt::format("{}.file is empty; accepted: the path of an .npy file", path));
  if (file && fill)
    return Status::invalid(
        fmt::format("{}: a fill for what a file fills; accepted: one of them", path));
  uint64_t most = buffer.pattern.empty() ? mostBufferBytes : mostResidentBytes;
  if (buffer.bytes > most)
    return Status::invalid(
        fmt::format("{}.bytes is {}; accepted: at most {}", path, buffer.bytes, most));
  if (save)
    MSA_RETURN_IF_ERROR(readSave(*save, path + ".save", buffer));
  for (const BufferSpec &other : spec.buffers)
    if (save && other.save && other.save->file == buffer.save->file)
      return Status::invalid(fmt::format("{}.save.file: buffer '{}' is saved to {} too", path,
                                         other.name, quoteText(buffer.save->file)));
  spec.buffers.push_back(std::move(buffer));
  return {};
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

namespace {

void appendLittleEndian(std::vector<uint8_t> &out, uint64_t bits, unsigned width) {
  for (unsigned i = 0; i < width; ++i)
    out.push_back(static_cast<uint8_t>(bits >> (8 * i)));
}

Status readHex(const std::string &text, const std::string &path, std::vector<uint8_t> &out) {
  constexpr size_t most = 32764; // a kernel's parameters, PTX ISA 5.1.6.1
  auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  if (text.size() % 2 || text.size() / 2 > most)
    return Status::invalid(fmt::format("{} has {} digits; accepted: two a byte, at most {} bytes",
                                       path, text.size(), most));
  for (size_t i = 0; i < text.size(); i += 2) {
    int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0)
      return Status::invalid(fmt::format("{}: {} at digit {} is not hexadecimal", path,
                                         quoteText(text.substr(i, 2)), i));
    out.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return {};
}

/// {"s32": 7}, {"u64": 1}, {"f32": 1.5} and the like.
Status readScalar(JsonFields &fields, const std::string &path, const std::string &type,
                  ParameterSpec &out) {
  unsigned width = type.ends_with("64") ? 8 : 4;
  if (type[0] == 'f') {
    double value = 0;
    fields.number(type, value);
    MSA_RETURN_IF_ERROR(fields.finish());
    out.kind = ParameterSpec::Kind::Float;
    if (width == 4 && std::abs(value) > std::numeric_limits<float>::max())
      return Status::invalid(
          fmt::format("{}.f32 is {}, which is no 32-bit float; accepted: at most {}", path, value,
                      std::numeric_limits<float>::max()));
    appendLittleEndian(out.bytes,
                       width == 4 ? std::bit_cast<uint32_t>(static_cast<float>(value))
                                  : std::bit_cast<uint64_t>(value),
                       width);
    return {};
  }
  uint64_t bits = 0;
  int64_t value = 0;
  if (type[0] == 's')
    fields.integer64(type, value);
  else
    fields.unsigned64(type, bits);
  MSA_RETURN_IF_ERROR(fields.finish());
  bool fits =
      width == 8 || (type[0] == 's' ? value == static_cast<int32_t>(value) : bits <= 0xffffffffu);
  if (!fits)
    return Status::invalid(fmt::format("{} = {} does not fit in 32 bits", path, out.text));
  appendLittleEndian(out.bytes, type[0] == 's' ? static_cast<uint64_t>(value) : bits, width);
  return {};
}

Status readPatch(const json &value, const std::string &path, const LaunchSpec &spec,
                 ParameterSpec &out) {
  PatchSpec patch;
  JsonFields fields(value, path);
  fields.require("at");
  fields.unsigned64("at", patch.at);
  const json *buffer = fields.child("buffer"), *map = fields.child("tensor_map"),
             *offset = fields.child("offset");
  fields.text("buffer", patch.buffer);
  fields.text("tensor_map", patch.tensorMap);
  fields.unsigned64("offset", patch.offset);
  MSA_RETURN_IF_ERROR(fields.finish());
  if ((buffer == nullptr) == (map == nullptr) || (map && offset))
    return Status::invalid(fmt::format(
        "{}: accepted: one of {{\"at\", \"buffer\", \"offset\"}} and {{\"at\", \"tensor_map\"}}",
        path));
  if (buffer) {
    MSA_RETURN_IF_ERROR(checkBufferName(spec, patch.buffer, path));
    MSA_RETURN_IF_ERROR(checkOffset(spec, patch.buffer, patch.offset, path));
  } else {
    MSA_RETURN_IF_ERROR(checkMapName(spec, patch.tensorMap, path));
  }
  uint64_t size = buffer ? 8 : 128;
  if (patch.at > out.bytes.size() || size > out.bytes.size() - patch.at)
    return Status::invalid(fmt::format("{}: {} bytes at {} are outside of {} bytes", path, size,
                                       patch.at, out.bytes.size()));
  for (const PatchSpec &other : out.patches) {
    uint64_t otherSize = other.tensorMap.empty() ? 8 : 128;
    if (patch.at < other.at + otherSize && other.at < patch.at + size)
      return Status::invalid(fmt::format("{}: overlaps the patch at {}", path, other.at));
  }
  out.patches.push_back(std::move(patch));
  return {};
}

} // namespace

Status readParameter(const json &value, const std::string &path, LaunchSpec &spec) {
  static const std::vector<std::string_view> kinds = {"buffer", "tensor_map", "bytes", "s32", "u32",
                                                      "s64",    "u64",        "f32",   "f64"};
  ParameterSpec parameter;
  parameter.text = value.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 80);
  JsonFields fields(value, path);
  MSA_RETURN_IF_ERROR(value.is_object() ? Status() : fields.finish());
  std::string kind;
  for (std::string_view candidate : kinds)
    if (fields.child(candidate)) {
      if (!kind.empty())
        return Status::invalid(
            fmt::format("{}: both {} and {}; accepted: one of them", path, kind, candidate));
      kind = candidate;
    }
  if (kind.empty()) {
    std::string first = value.empty() ? "" : value.begin().key();
    return Status::invalid(fmt::format("{}: no value in {}{}", path, quoteText(parameter.text),
                                       suggestion(first, kinds)));
  }
  if (kind == "buffer") {
    parameter.kind = ParameterSpec::Kind::Buffer;
    fields.text("buffer", parameter.buffer);
    fields.unsigned64("offset", parameter.offset);
    MSA_RETURN_IF_ERROR(fields.finish());
    MSA_RETURN_IF_ERROR(checkBufferName(spec, parameter.buffer, path));
    MSA_RETURN_IF_ERROR(checkOffset(spec, parameter.buffer, parameter.offset, path));
  } else if (kind == "tensor_map") {
    parameter.kind = ParameterSpec::Kind::TensorMap;
    fields.text("tensor_map", parameter.tensorMap);
    MSA_RETURN_IF_ERROR(fields.finish());
    MSA_RETURN_IF_ERROR(checkMapName(spec, parameter.tensorMap, path));
  } else if (kind == "bytes") {
    parameter.kind = ParameterSpec::Kind::Bytes;
    std::string hex;
    fields.text("bytes", hex);
    const json *patches = fields.array("patch");
    MSA_RETURN_IF_ERROR(fields.finish());
    MSA_RETURN_IF_ERROR(readHex(hex, path + ".bytes", parameter.bytes));
    for (size_t i = 0; patches && i < patches->size(); ++i)
      MSA_RETURN_IF_ERROR(
          readPatch((*patches)[i], fmt::format("{}.patch[{}]", path, i), spec, parameter));
  } else {
    MSA_RETURN_IF_ERROR(readScalar(fields, path, kind, parameter));
  }
  spec.parameters.push_back(std::move(parameter));
  return {};
}

} // namespace msa::sim

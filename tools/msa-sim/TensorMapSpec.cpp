//===- TensorMapSpec.cpp - tensor maps of a launch specification -----------===//
//
// From JSON to the fields of a map; its rules are in ptxsim/TensorMap.h.
//
//===----------------------------------------------------------------------===//
#include "LaunchParts.h"

#include "support/NearestWord.h"

#include <fmt/format.h>

#include <algorithm>

using nlohmann::json;

namespace msa::sim {
namespace {

using ptxsim::Swizzle;
using ptxsim::TensorType;

template <typename Value> struct NamedValue {
  std::string_view name;
  Value value;
};

constexpr NamedValue<TensorType> typeNames[] = {
    {"u8", TensorType::U8},
    {"u16", TensorType::U16},
    {"u32", TensorType::U32},
    {"s32", TensorType::S32},
    {"u64", TensorType::U64},
    {"s64", TensorType::S64},
    {"f16", TensorType::F16},
    {"f32", TensorType::F32},
    {"f64", TensorType::F64},
    {"bf16", TensorType::BF16},
    {"tf32", TensorType::TF32},
    {"16u4_align8b", TensorType::U4Align8},
    {"16u4_align16b", TensorType::U4Align16},
    {"16u6_align16b", TensorType::U6Align16},
};

constexpr NamedValue<Swizzle> swizzleNames[] = {
    {"none", Swizzle::None},
    {"32B", Swizzle::B32},
    {"64B", Swizzle::B64},
    {"128B", Swizzle::B128},
    {"128B_atom_32B", Swizzle::B128Atom32},
    {"128B_atom_32B_flip_8B", Swizzle::B128Atom32Flip8},
    {"128B_atom_64B", Swizzle::B128Atom64},
};

/// The value of a name, or which names there are.
template <typename Value, size_t N>
Status takeNamed(const NamedValue<Value> (&rows)[N], const std::string &path, std::string_view key,
                 const std::string &text, Value &value) {
  std::vector<std::string_view> names;
  for (const auto &row : rows) {
    if (row.name == text) {
      value = row.value;
      return {};
    }
    names.push_back(row.name);
  }
  return Status::invalid(fmt::format("{}.{}: unknown {} {}{}", path, key, key, quoteText(text),
                                     suggestion(text, names)));
}

/// A list of one number a dimension.
template <typename To>
Status takeList(const std::string &path, std::string_view key, const std::vector<int64_t> &list,
                size_t count, To &to) {
  if (list.size() != count)
    return Status::invalid(
        fmt::format("{}.{} has {} numbers; accepted: {}", path, key, list.size(), count));
  for (size_t i = 0; i < count; ++i) {
    if (list[i] < 0 || list[i] > (int64_t{1} << 40))
      return Status::invalid(
          fmt::format("{}.{}[{}] is {}; accepted: 0 to 2^40", path, key, i, list[i]));
    // A number that the field cannot hold is out of range there too.
    to[i] = static_cast<typename To::value_type>(std::min<uint64_t>(
        static_cast<uint64_t>(list[i]), std::numeric_limits<typename To::value_type>::max()));
  }
  return {};
}

/// Bytes from the start of the buffer to the end of the tensor; saturates.
uint64_t extentOf(const ptxsim::TensorMap &map, uint64_t offset) {
  // Sums below 2^32 * 8 + 4 * 2^32 * 2^40 do not fit in 64 bits: a tensor that large is in no
  // buffer.
  unsigned __int128 extent = offset;
  extent += static_cast<unsigned __int128>(map.dims[0]) * ptxsim::bitsOf(map.type) / 8;
  for (unsigned d = 1; d < map.rank; ++d)
    extent += static_cast<unsigned __int128>(map.dims[d] - 1) * map.strides[d - 1];
  return extent > ~uint64_t{0} ? ~uint64_t{0} : static_cast<uint64_t>(extent);
}

} // namespace

Status readTensorMap(const json &value, const std::string &name, LaunchSpec &spec) {
  TensorMapSpec map;
  map.name = name;
  std::string path = fmt::format("tensor_maps.{}", quoteText(name));
  std::string type, swizzle = "none", interleave = "none", oobFill = "zero";
  std::vector<int64_t> shape, strides, box, elementStrides;
  JsonFields fields(value, path);
  for (std::string_view key : {"buffer", "type", "shape", "strides_bytes", "box"})
    fields.require(key);
  fields.text("buffer", map.buffer);
  fields.unsigned64("offset", map.offset);
  fields.text("type", type);
  fields.integers64("shape", shape);
  fields.integers64("strides_bytes", strides);
  fields.integers64("box", box);
  elementStrides.assign(box.size(), 1);
  fields.integers64("element_strides", elementStrides);
  fields.text("swizzle", swizzle);
  fields.text("interleave", interleave);
  fields.text("oob_fill", oobFill);
  MSA_RETURN_IF_ERROR(fields.finish());
  const BufferSpec *buffer = spec.findBuffer(map.buffer);
  if (!buffer) {
    std::vector<std::string_view> names;
    for (const BufferSpec &b : spec.buffers)
      names.push_back(b.name);
    return Status::invalid(fmt::format("{}.buffer: no buffer {}{}", path, quoteText(map.buffer),
                                       suggestion(map.buffer, names)));
  }
  ptxsim::TensorMap &to = map.fields;
  MSA_RETURN_IF_ERROR(takeNamed(typeNames, path, "type", type, to.type));
  MSA_RETURN_IF_ERROR(takeNamed(swizzleNames, path, "swizzle", swizzle, to.swizzle));
  if (interleave != "none")
    return Status::invalid(
        fmt::format("{}.interleave: {}; accepted: none", path, quoteText(interleave)));
  if (oobFill != "zero" && oobFill != "nan")
    return Status::invalid(
        fmt::format("{}.oob_fill: {}; accepted: zero, nan", path, quoteText(oobFill)));
  to.fillsNan = oobFill == "nan";
  size_t rank = shape.size();
  if (rank < 1 || rank > 5)
    return Status::invalid(fmt::format("{}.shape has {} dimensions; accepted: 1 to 5", path, rank));
  to.rank = static_cast<uint8_t>(rank);
  MSA_RETURN_IF_ERROR(takeList(path, "shape", shape, rank, to.dims));
  MSA_RETURN_IF_ERROR(takeList(path, "strides_bytes", strides, rank - 1, to.strides));
  MSA_RETURN_IF_ERROR(takeList(path, "box", box, rank, to.box));
  MSA_RETURN_IF_ERROR(takeList(path, "element_strides", elementStrides, rank, to.elementStrides));
  to.address = map.offset; // buffers are aligned to more than a map asks for
  MSA_RETURN_IF_ERROR(ptxsim::checkTensorMap(to, path));
  map.extent = extentOf(to, map.offset);
  if (buffer->file.empty() && map.extent > buffer->bytes)
    return Status::invalid(
        fmt::format("{}: the tensor ends at byte {} of buffer '{}', which has {}", path, map.extent,
                    map.buffer, buffer->bytes));
  spec.tensorMaps.push_back(std::move(map));
  return {};
}

} // namespace msa::sim

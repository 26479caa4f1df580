//===- TensorMapSpec.cpp - tensor maps of a launch specification -----------===//
//
// The restrictions of cuTensorMapEncodeTiled (CUDA driver API), each with its
// own message. Encoding and using the maps is another matter.
//
//===----------------------------------------------------------------------===//
#include "LaunchParts.h"

#include "support/NearestWord.h"

#include <fmt/format.h>

using nlohmann::json;

namespace msa::sim {
namespace {

struct ElementRow {
  std::string_view name;
  unsigned bits;
  unsigned multiple; ///< of the innermost extent and box, in elements; 1 = any
};
constexpr ElementRow elementRows[] = {
    {"u8", 8, 1},
    {"u16", 16, 1},
    {"u32", 32, 1},
    {"s32", 32, 1},
    {"u64", 64, 1},
    {"s64", 64, 1},
    {"f16", 16, 1},
    {"f32", 32, 1},
    {"f64", 64, 1},
    {"bf16", 16, 1},
    {"tf32", 32, 1},
    {"16u4_align8b", 4, 2},
    {"16u4_align16b", 4, 128},
    {"16u6_align16b", 6, 128},
};

struct SwizzleRow {
  std::string_view name;
  unsigned span; ///< most bytes of the innermost box; 0 = any
};
constexpr SwizzleRow swizzleRows[] = {
    {"none", 0},
    {"32B", 32},
    {"64B", 64},
    {"128B", 128},
    {"128B_atom_32B", 128},
    {"128B_atom_32B_flip_8B", 128},
    {"128B_atom_64B", 128},
};

template <typename Rows> const auto *findRow(const Rows &rows, std::string_view name) {
  for (const auto &row : rows)
    if (row.name == name)
      return &row;
  return static_cast<decltype(&rows[0])>(nullptr);
}

template <typename Rows> std::string suggestRow(const Rows &rows, std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto &row : rows)
    names.push_back(row.name);
  return suggestion(name, names);
}

/// Every number of a list within bounds.
Status checkList(const std::string &path, std::string_view key, const std::vector<int64_t> &list,
                 size_t count, int64_t least, int64_t most) {
  if (list.size() != count)
    return Status::invalid(
        fmt::format("{}.{} has {} numbers; accepted: {}", path, key, list.size(), count));
  for (size_t i = 0; i < list.size(); ++i)
    if (list[i] < least || list[i] > most)
      return Status::invalid(
          fmt::format("{}.{}[{}] is {}; accepted: {} to {}", path, key, i, list[i], least, most));
  return {};
}

Status checkGeometry(const std::string &path, TensorMapSpec &map, const ElementRow &element,
                     const SwizzleRow &swizzle) {
  size_t rank = map.shape.size();
  if (rank < 1 || rank > 5)
    return Status::invalid(fmt::format("{}.shape has {} dimensions; accepted: 1 to 5", path, rank));
  MSA_RETURN_IF_ERROR(checkList(path, "shape", map.shape, rank, 1, int64_t{1} << 32));
  MSA_RETURN_IF_ERROR(
      checkList(path, "strides_bytes", map.strides, rank - 1, 0, (int64_t{1} << 40) - 1));
  MSA_RETURN_IF_ERROR(checkList(path, "box", map.box, rank, 1, 256));
  MSA_RETURN_IF_ERROR(checkList(path, "element_strides", map.elementStrides, rank, 1, 8));
  unsigned multiple = element.name == "16u6_align16b" || element.name == "16u4_align16b" ? 32 : 16;
  for (int64_t stride : map.strides)
    if (stride % multiple)
      return Status::invalid(
          fmt::format("{}.strides_bytes: {} is not a multiple of {}", path, stride, multiple));
  if (map.offset % multiple)
    return Status::invalid(
        fmt::format("{}.offset is {}; accepted: a multiple of {}", path, map.offset, multiple));
  if (map.shape[0] % element.multiple)
    return Status::invalid(fmt::format("{}.shape[0] is {}; accepted for {}: a multiple of {}", path,
                                       map.shape[0], element.name, element.multiple));
  uint64_t inner = static_cast<uint64_t>(map.box[0]) * element.bits / 8;
  if (element.multiple != 128 && inner % 16)
    return Status::invalid(
        fmt::format("{}.box[0] takes {} bytes; accepted: a multiple of 16", path, inner));
  if (element.multiple == 128 && map.box[0] != 128)
    return Status::invalid(
        fmt::format("{}.box[0] is {}; accepted for {}: 128", path, map.box[0], element.name));
  if (swizzle.span && element.multiple != 128 && inner > swizzle.span)
    return Status::invalid(
        fmt::format("{}.box[0] takes {} bytes; accepted with swizzle {}: at most {}", path, inner,
                    swizzle.name, swizzle.span));
  // Sums below 2^32 * 6 / 8 + 4 * 2^32 * 2^40 do not fit in 64 bits: a tensor that large is in no
  // buffer.
  unsigned __int128 extent = map.offset;
  extent += static_cast<unsigned __int128>(map.shape[0]) * element.bits / 8;
  for (size_t i = 1; i < rank; ++i)
    extent += static_cast<unsigned __int128>(map.shape[i] - 1) *
              static_cast<uint64_t>(map.strides[i - 1]);
  map.extent = extent > ~uint64_t{0} ? ~uint64_t{0} : static_cast<uint64_t>(extent);
  return {};
}

} // namespace

Status readTensorMap(const json &value, const std::string &name, LaunchSpec &spec) {
  TensorMapSpec map;
  map.name = name;
  std::string path = fmt::format("tensor_maps.{}", quoteText(name));
  JsonFields fields(value, path);
  for (std::string_view key : {"buffer", "type", "shape", "strides_bytes", "box"})
    fields.require(key);
  fields.text("buffer", map.buffer);
  fields.unsigned64("offset", map.offset);
  fields.text("type", map.type);
  fields.integers64("shape", map.shape);
  fields.integers64("strides_bytes", map.strides);
  fields.integers64("box", map.box);
  map.elementStrides.assign(map.box.size(), 1);
  fields.integers64("element_strides", map.elementStrides);
  fields.text("swizzle", map.swizzle);
  fields.text("interleave", map.interleave);
  fields.text("oob_fill", map.oobFill);
  MSA_RETURN_IF_ERROR(fields.finish());
  const BufferSpec *buffer = spec.findBuffer(map.buffer);
  if (!buffer)
    return Status::invalid(fmt::format("{}.buffer: no buffer {}{}", path, quoteText(map.buffer),
                                       suggestRow(spec.buffers, map.buffer)));
  const ElementRow *element = findRow(elementRows, map.type);
  if (!element)
    return Status::invalid(fmt::format("{}.type: unknown type {}{}", path, quoteText(map.type),
                                       suggestRow(elementRows, map.type)));
  const SwizzleRow *swizzle = findRow(swizzleRows, map.swizzle);
  if (!swizzle)
    return Status::invalid(fmt::format("{}.swizzle: unknown swizzle {}{}", path,
                                       quoteText(map.swizzle),
                                       suggestRow(swizzleRows, map.swizzle)));
  if (map.interleave != "none")
    return Status::invalid(
        fmt::format("{}.interleave: {}; accepted: none", path, quoteText(map.interleave)));
  if (map.oobFill != "zero" && map.oobFill != "nan")
    return Status::invalid(
        fmt::format("{}.oob_fill: {}; accepted: zero, nan", path, quoteText(map.oobFill)));
  MSA_RETURN_IF_ERROR(checkGeometry(path, map, *element, *swizzle));
  if (buffer->file.empty() && map.extent > buffer->bytes)
    return Status::invalid(
        fmt::format("{}: the tensor ends at byte {} of buffer '{}', which has {}", path, map.extent,
                    map.buffer, buffer->bytes));
  spec.tensorMaps.push_back(std::move(map));
  return {};
}

} // namespace msa::sim

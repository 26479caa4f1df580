//===- Npy.cpp - numpy's array files --------------------------------------===//
//
// See Npy.h. The header is a Python dictionary; NpyHeader reads the subset that
// numpy writes: three keys, strings, booleans and a tuple of integers.
//
//===----------------------------------------------------------------------===//
#include "support/Npy.h"

#include "support/File.h"
#include "support/NearestWord.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>

namespace fs = std::filesystem;

namespace msa {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr size_t longestHeader = size_t(1) << 20;
constexpr size_t mostAxes = 64; // numpy's own limit
constexpr uint64_t mostBytes = uint64_t(1) << 48;

struct DtypeSize {
  std::string_view word;
  int bytes;
};
constexpr std::array<DtypeSize, 12> dtypes = {{{"|u1", 1},
                                               {"|i1", 1},
                                               {"|b1", 1},
                                               {"<u2", 2},
                                               {"<i2", 2},
                                               {"<f2", 2},
                                               {"<u4", 4},
                                               {"<i4", 4},
                                               {"<f4", 4},
                                               {"<u8", 8},
                                               {"<i8", 8},
                                               {"<f8", 8}}};

std::string dtypeList() {
  std::string list;
  for (const DtypeSize &d : dtypes)
    list += (list.empty() ? "" : " ") + std::string(d.word);
  return list;
}

/// Bytes of an array, or an error when the shape is absurd.
Expected<uint64_t> bytesOf(std::string_view dtype, const std::vector<int64_t> &shape) {
  auto bytes = static_cast<uint64_t>(npyItemBytes(dtype));
  if (bytes == 0)
    return Status::invalid(
        fmt::format("dtype {} is not accepted; accepted: {}", quoteText(dtype), dtypeList()));
  if (shape.size() > mostAxes)
    return Status::invalid(fmt::format("{} axes; at most {} are accepted", shape.size(), mostAxes));
  bool empty = false;
  for (int64_t extent : shape) {
    if (extent < 0)
      return Status::invalid(fmt::format("extent {} is negative", extent));
    empty |= extent == 0;
  }
  if (empty)
    return uint64_t(0);
  for (int64_t extent : shape)
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes) || bytes > mostBytes)
      return Status::invalid(
          fmt::format("shape ({}) is larger than any memory", fmt::join(shape, ", ")));
  return bytes;
}

/// The dictionary of a header.
class HeaderReader {
public:
  explicit HeaderReader(std::string_view text) : text(text) {}

  /// Fills dtype and shape.
  Status read(NpyArray &array) {
    if (!take('{'))
      return wanted("'{'");
    std::optional<bool> fortran;
    bool haveDtype = false, haveShape = false;
    while (!take('}')) {
      MSA_ASSIGN_OR_RETURN(std::string_view key, string());
      if (!take(':'))
        return wanted("':'");
      if (key == "descr" && !haveDtype) {
        if (peek() == '[')
          return Status::invalid("a structured dtype is not accepted; accepted: " + dtypeList());
        MSA_ASSIGN_OR_RETURN(std::string_view word, string());
        array.dtype = word;
        haveDtype = true;
      } else if (key == "fortran_order" && !fortran) {
        MSA_ASSIGN_OR_RETURN(fortran, boolean());
      } else if (key == "shape" && !haveShape) {
        MSA_RETURN_IF_ERROR(tuple(array.shape));
        haveShape = true;
      } else {
        return Status::invalid(fmt::format(
            "header key {} is unknown or repeated; accepted once each: descr, fortran_order, shape",
            quoteText(key)));
      }
      if (!take(',') && peek() != '}')
        return wanted("',' or '}'");
    }
    if (peek() != 0)
      return wanted("the end of the header");
    if (!haveDtype || !fortran || !haveShape)
      return Status::invalid("the header must have descr, fortran_order and shape");
    if (*fortran)
      return Status::invalid("Fortran order is not accepted; save numpy.ascontiguousarray(x)");
    return {};
  }

private:
  /// The next byte that is no white space; 0 at the end.
  char peek() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t'))
      ++at;
    return at < text.size() ? text[at] : '\0';
  }
  bool take(char c) {
    if (peek() != c || at == text.size())
      return false;
    ++at;
    return true;
  }
  Status wanted(std::string_view what) {
    return Status::invalid(fmt::format("header, byte {}: expected {}, got {}", at, what,
                                       quoteText(text.substr(at, 12))));
  }
  Expected<std::string_view> string() {
    char quote = peek();
    if (quote != '\'' && quote != '"')
      return wanted("a string");
    size_t end = text.find(quote, at + 1);
    if (end == std::string_view::npos)
      return wanted("a closed string");
    std::string_view word = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return word;
  }
  Expected<std::optional<bool>> boolean() {
    peek();
    for (bool value : {true, false}) {
      std::string_view word = value ? "True" : "False";
      if (text.substr(at, word.size()) == word) {
        at += word.size();
        return std::optional<bool>(value);
      }
    }
    return wanted("True or False");
  }
  Status tuple(std::vector<int64_t> &shape) {
    if (!take('('))
      return wanted("a tuple");
    while (!take(')')) {
      peek();
      int64_t extent = 0;
      auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), extent);
      if (error != std::errc() || shape.size() == mostAxes)
        return wanted("an extent below 2^63, of at most 64");
      at = static_cast<size_t>(end - text.data());
      shape.push_back(extent);
      if (!take(',') && peek() != ')')
        return wanted("',' or ')'");
    }
    return {};
  }

  std::string_view text;
  size_t at = 0;
};

/// What the first bytes say: where the header is, and how long.
struct Preamble {
  size_t headerBegin, headerBytes;
};
constexpr size_t longestPreamble = 12;

Expected<Preamble> readPreamble(std::span<const uint8_t> bytes) {
  if (bytes.size() < 10 || std::memcmp(bytes.data(), magic.data(), magic.size()) != 0)
    return Status::invalid("not an .npy file: it does not begin with \\x93NUMPY");
  int major = bytes[6];
  if (major < 1 || major > 3)
    return Status::invalid(fmt::format("format version {}; accepted: 1, 2, 3", major));
  size_t begin = major == 1 ? 10 : 12;
  if (bytes.size() < begin)
    return Status::invalid("the file ends inside its header");
  size_t length = bytes[8] | size_t(bytes[9]) << 8;
  if (major > 1)
    length |= size_t(bytes[10]) << 16 | size_t(bytes[11]) << 24;
  if (length > longestHeader)
    return Status::invalid(
        fmt::format("a header of {} bytes; at most {} are accepted", length, longestHeader));
  return Preamble{begin, length};
}

/// Fills dtype and shape and returns the bytes of data, of which `available` must be all.
Expected<uint64_t> readHeader(std::string_view header, uint64_t available, NpyArray &array) {
  MSA_RETURN_IF_ERROR(HeaderReader(header).read(array));
  MSA_ASSIGN_OR_RETURN(uint64_t bytes, bytesOf(array.dtype, array.shape));
  if (bytes != available)
    return Status::invalid(
        fmt::format("shape ({}) of {} needs {} bytes of data, and the file has {}",
                    fmt::join(array.shape, ", "), array.dtype, bytes, available));
  return bytes;
}

Expected<NpyArray> parseArray(std::span<const uint8_t> bytes) {
  MSA_ASSIGN_OR_RETURN(Preamble preamble, readPreamble(bytes));
  size_t dataBegin = preamble.headerBegin + preamble.headerBytes;
  if (dataBegin > bytes.size())
    return Status::invalid("the file ends inside its header");
  std::string_view header(reinterpret_cast<const char *>(bytes.data()) + preamble.headerBegin,
                          preamble.headerBytes);
  NpyArray array;
  MSA_RETURN_IF_ERROR(readHeader(header, bytes.size() - dataBegin, array).status());
  array.data.assign(bytes.begin() + static_cast<ptrdiff_t>(dataBegin), bytes.end());
  return array;
}

/// Reads the header, checks it against the file's size, then reads the data in place.
Expected<NpyArray> readArray(std::ifstream &file, uint64_t fileBytes) {
  std::vector<uint8_t> start(longestPreamble);
  file.read(reinterpret_cast<char *>(start.data()), longestPreamble);
  start.resize(static_cast<size_t>(file.gcount()));
  file.clear();
  MSA_ASSIGN_OR_RETURN(Preamble preamble, readPreamble(start));
  uint64_t dataBegin = preamble.headerBegin + preamble.headerBytes;
  if (dataBegin > fileBytes)
    return Status::invalid("the file ends inside its header");
  std::string header(preamble.headerBytes, '\0');
  file.seekg(static_cast<std::streamoff>(preamble.headerBegin));
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  NpyArray array;
  MSA_ASSIGN_OR_RETURN(uint64_t bytes, readHeader(header, fileBytes - dataBegin, array));
  array.data.resize(bytes);
  file.read(reinterpret_cast<char *>(array.data.data()), static_cast<std::streamsize>(bytes));
  if (!file)
    return Status::invalid("the file could not be read to its end");
  return array;
}

} // namespace

int npyItemBytes(std::string_view dtype) {
  for (const DtypeSize &d : dtypes)
    if (d.word == dtype)
      return d.bytes;
  return 0;
}

int64_t NpyArray::elements() const {
  int64_t product = 1;
  for (int64_t extent : shape)
    product *= extent;
  return product;
}

Expected<NpyArray> parseNpy(std::span<const uint8_t> bytes, const std::string &name) {
  Expected<NpyArray> array = parseArray(bytes);
  if (!array.ok())
    return array.status().in(name);
  return array;
}

Expected<NpyArray> readNpy(const fs::path &path) {
  std::error_code error;
  fs::file_status status = fs::status(path, error);
  if (error || !fs::is_regular_file(status))
    return Status::invalid(fmt::format("cannot read {}: {}", path.string(),
                                       fs::exists(status) ? "not a regular file" : "no such file"));
  std::ifstream file(path, std::ios::binary);
  uint64_t bytes = fs::file_size(path, error);
  if (!file || error)
    return Status::invalid(fmt::format("cannot read {}: {}", path.string(), strerror(errno)));
  Expected<NpyArray> array = readArray(file, bytes);
  if (!array.ok())
    return array.status().in(path.string());
  return array;
}

Status writeNpy(const fs::path &path, const NpyArray &array) {
  Expected<uint64_t> bytes = bytesOf(array.dtype, array.shape);
  if (!bytes.ok())
    return bytes.status().in(path.string());
  if (*bytes != array.data.size())
    return Status::invalid(fmt::format("{}: shape ({}) of {} needs {} bytes of data, not {}",
                                       path.string(), fmt::join(array.shape, ", "), array.dtype,
                                       *bytes, array.data.size()));
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", array.dtype,
                  fmt::join(array.shape, ", "), array.shape.size() == 1 ? "," : "");
  size_t preamble = magic.size() + 4;
  header.append(63 - (preamble + header.size()) % 64, ' ');
  header += '\n';
  std::string start(magic);
  start += {1, 0, static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  start += header;
  MSA_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::create(path));
  MSA_RETURN_IF_ERROR(
      writer.write(std::span(reinterpret_cast<const uint8_t *>(start.data()), start.size())));
  MSA_RETURN_IF_ERROR(writer.write(array.data));
  return writer.commit();
}

} // namespace msa

//===- NpyTest.cpp - numpy's array files ----------------------------------===//
#include "support/Npy.h"

#include "TemporaryFolder.h"

#include <catch2/catch.hpp>

using namespace msa;
using namespace msa::test;

namespace {

/// A file of this header text and so many data bytes.
std::string npy(const std::string &header, size_t dataBytes, int major = 1) {
  std::string text = "\x93NUMPY";
  text += static_cast<char>(major);
  text += '\0';
  size_t length = header.size();
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i)
    text += static_cast<char>(length >> (8 * i) & 0xff);
  return text + header + std::string(dataBytes, '\x11');
}

Expected<NpyArray> parse(const std::string &text) {
  return parseNpy({reinterpret_cast<const uint8_t *>(text.data()), text.size()}, "a.npy");
}

void checkRefused(const std::string &text, const std::string &says) {
  // From a file the same is found.
  TemporaryFolder folder;
  spill(folder.file("a.npy"), text);
  for (const Status &status : {parse(text).status(), readNpy(folder.file("a.npy")).status()}) {
    INFO(status.message());
    CHECK(status.code() == StatusCode::InvalidInput);
    CHECK(status.message().find("a.npy: ") != std::string::npos);
    CHECK(status.message().find(says) != std::string::npos);
  }
}

const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";

} // namespace

TEST_CASE("arrays of every type and rank survive a file") {
  TemporaryFolder folder;
  for (const char *dtype :
       {"|u1", "|i1", "|b1", "<u2", "<i2", "<f2", "<u4", "<i4", "<f4", "<u8", "<i8", "<f8"})
    for (const std::vector<int64_t> &shape :
         std::vector<std::vector<int64_t>>{{}, {5}, {2, 3}, {0}, {3, 0, 2}, {1, 2, 3, 4, 5}}) {
      NpyArray array{.dtype = dtype, .shape = shape};
      array.data.resize(static_cast<size_t>(array.elements() * npyItemBytes(dtype)));
      for (size_t i = 0; i < array.data.size(); ++i)
        array.data[i] = static_cast<uint8_t>(i * 37);
      REQUIRE(writeNpy(folder.file("a.npy"), array).message() == "");
      Expected<NpyArray> back = readNpy(folder.file("a.npy"));
      REQUIRE(back.status().message() == "");
      CHECK(back->dtype == array.dtype);
      CHECK(back->shape == array.shape);
      CHECK(back->data == array.data);
      CHECK(std::filesystem::file_size(folder.file("a.npy")) % 64 == array.data.size() % 64);
    }
  CHECK(folder.entries() == 1);
}

TEST_CASE("the bytes are those that numpy.save writes") {
  TemporaryFolder folder;
  REQUIRE(writeNpy(folder.file("a.npy"),
                   {.dtype = "<i4", .shape = {2}, .data = {1, 0, 0, 0, 2, 0, 0, 0}})
              .ok());
  std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }";
  header += std::string(117 - header.size(), ' ') + "\n";
  CHECK(slurp(folder.file("a.npy")) == std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header +
                                           std::string("\x01\0\0\0\x02\0\0\0", 8));
}

TEST_CASE("versions 1 to 3 and numpy's spellings are read") {
  for (int version : {1, 2, 3})
    CHECK(parse(npy(good, 24, version))->shape == std::vector<int64_t>{2, 3});
  CHECK(parse(npy("{\"shape\":(7,),\"descr\":\"|u1\",\"fortran_order\":False}", 7))->shape ==
        std::vector<int64_t>{7});
  CHECK(parse(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 8))->elements() == 1);
}

TEST_CASE("what is not an array of ours is refused with the reason") {
  checkRefused("", "does not begin with");
  checkRefused("PK\x03\x04 a zip file of arrays", "does not begin with");
  checkRefused(npy(good, 24).substr(0, 9), "does not begin with");
  checkRefused(npy(good, 24).substr(0, 40), "ends inside its header");
  checkRefused(npy(good, 24, 2).substr(0, 11), "ends inside its header");
  checkRefused(npy(good, 24, 4), "format version 4");
  checkRefused(npy(good, 24, 0), "format version 0");
  checkRefused(npy(good, 23), "needs 24 bytes of data, and the file has 23");
  checkRefused(npy(good, 25), "needs 24 bytes of data, and the file has 25");
  auto descr = [](const std::string &word) {
    return npy("{'descr': " + word + ", 'fortran_order': False, 'shape': (2,), }", 8);
  };
  checkRefused(descr("'>f4'"), "dtype '>f4' is not accepted; accepted: |u1");
  checkRefused(descr("'<f16'"), "dtype '<f16' is not accepted");
  checkRefused(descr("'|O'"), "dtype '|O' is not accepted");
  checkRefused(descr("[('a', '<f4')]"), "structured dtype");
  checkRefused(descr("4"), "expected a string");
  checkRefused(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", 8), "Fortran order");
  checkRefused(npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", 8), "True or False");
}

TEST_CASE("hostile headers are refused before memory is taken") {
  auto shape = [](const std::string &text) {
    return npy("{'descr': '<f8', 'fortran_order': False, 'shape': " + text + ", }", 8);
  };
  checkRefused(shape("(9223372036854775807,)"), "larger than any memory");
  checkRefused(shape("(4294967296, 4294967296)"), "larger than any memory");
  checkRefused(shape("(2147483648, 2147483648, 2, 2)"), "larger than any memory");
  checkRefused(shape("(9223372036854775808,)"), "expected an extent");
  checkRefused(shape("(-1,)"), "extent -1 is negative");
  checkRefused(shape("(1000000000000,)"), "the file has 8");
  checkRefused(shape("(0, 9223372036854775807)"), "needs 0 bytes");
  checkRefused(shape("(1 2)"), "expected ',' or ')'");
  checkRefused(shape("(1,"), "expected an extent");
  checkRefused(shape("[1]"), "expected a tuple");
  checkRefused(shape("(1.5,)"), "expected ',' or ')'");
  std::string deep = "(";
  for (int i = 0; i < 65; ++i)
    deep += "1,";
  checkRefused(shape(deep + ")"), "of at most 64");
  checkRefused(npy("", 8), "expected '{'");
  checkRefused(npy("{", 8), "expected a string");
  checkRefused(npy("{}", 8), "must have descr, fortran_order and shape");
  checkRefused(npy("{'descr': '<f4'}", 8), "must have descr, fortran_order and shape");
  checkRefused(npy("{'descr': '<f4', 'descr': '<f4'}", 8), "'descr' is unknown or repeated");
  checkRefused(npy("{'evil': '<f4'}", 8), "'evil' is unknown or repeated");
  checkRefused(npy("{'descr': '<f4}", 8), "expected a closed string");
  checkRefused(npy(good + "x", 24), "expected the end of the header");
  std::string longHeader = npy(good, 24, 2);
  longHeader[11] = '\x7f';
  checkRefused(longHeader, "a header of");
}

TEST_CASE("what cannot be an array is not written") {
  TemporaryFolder folder;
  auto refused = [&](const NpyArray &array, const std::string &says) {
    Status status = writeNpy(folder.file("a.npy"), array);
    INFO(status.message());
    CHECK(status.code() == StatusCode::InvalidInput);
    CHECK(status.message().find(says) != std::string::npos);
  };
  refused({.dtype = "<f4", .shape = {2}, .data = {1}}, "needs 8 bytes of data, not 1");
  refused({.dtype = "bf16", .shape = {}, .data = {}}, "'bf16' is not accepted");
  refused({.dtype = "|u1", .shape = {-1}, .data = {}}, "negative");
  CHECK(folder.entries() == 0);
  CHECK(readNpy(folder.path).status().message().find("not a regular file") != std::string::npos);
  CHECK(readNpy(folder.file("no")).status().message().find("no such file") != std::string::npos);
}
